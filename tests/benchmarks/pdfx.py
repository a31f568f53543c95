"""100 m of cloth, 150 cm wide, as PDF/X-4 from a 64 cm repeat of tones at 300 dpi, beside the same picture by pikepdf.

python -m tests.benchmarks.pdfx        prints the figures as JSON; a process of its own, so that its memory is its own
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SIDE_PX = 7560
METRES = 100.0


def figures() -> list[tuple[str, str]]:
    """(what, figure) lines of the measurement."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "orders.settings", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/tests"}
    run = [sys.executable, "-m", "tests.benchmarks.pdfx"]
    done = subprocess.run(run, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return [(what, figure) for what, figure in json.loads(done.stdout)]


def tones(side: int) -> np.ndarray:
    """(side, side, 4) uint8: smooth tones with dithering's noise in each ink, the hardest picture to pack."""
    grain = np.random.default_rng(1)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    planes = np.empty((side, side, 4), np.uint8)
    for k in range(4):
        tone = 60 + 50 * np.sin(x * (2 * np.pi * 6 / side) + k) * np.cos(y * (2 * np.pi * 4 / side) + 2 * k)
        planes[..., k] = tone + grain.random((side, side), np.float32)
    return planes


def measure(folder: Path) -> list[tuple[str, str]]:
    """Write, read back, and let the peer write the same picture."""
    import django

    django.setup()
    import pikepdf
    from production_samples import INKS, job_for, print_spec, raster_for

    from production.domain.ink_tile import InkTile
    from production.formats.pdf.pdfx import PdfX
    from production.services import manifest_of

    small = print_spec()
    job = job_for(small, raster_for(small))
    wide = replace(
        job.spec,
        quantity_m=METRES,
        width_mm=1500.0,
        usable_width_mm=1480.0,
        width_px=SIDE_PX,
        height_px=SIDE_PX,
        shrink_warp=0.0,
    )
    job = replace(job, spec=wide)
    tile = InkTile(tones(SIDE_PX), INKS.inks, np.full((4, 3), 50.0))
    before = forget_peak()
    began = time.perf_counter()
    path = PdfX().write(tile, job, folder, lambda done, of: None)[0]
    wrote, wrote_mb = time.perf_counter() - began, resident_mb("VmHWM") - before
    manifest = manifest_of(job, tile)
    before = forget_peak()
    began = time.perf_counter()
    findings = PdfX().verify(path, manifest)
    read = time.perf_counter() - began
    read_mb = resident_mb("VmHWM") - before
    began = time.perf_counter()
    with pikepdf.new() as peer:
        peer.add_blank_page(page_size=(200, 200))
        image = peer.make_stream(b"", Width=SIDE_PX, Height=SIDE_PX)
        image.write(zlib.compress(tile.planes, 1), filter=pikepdf.Name.FlateDecode)
        peer.pages[0].Contents = image
        peer.save(folder / "peer.pdf")
    peer_s = time.perf_counter() - began
    size, peer_size = path.stat().st_size / 1e6, (folder / "peer.pdf").stat().st_size / 1e6
    placed = sum(1 for _ in job.sheet.placements())
    return [
        (f"PDF/X-4, {METRES:.0f} m × 150 cm, {placed} repeats: written", f"{wrote:.1f} s, {size:.0f} MB (below 15 s)"),
        ("  memory beside the tile while writing", f"{wrote_mb:.0f} MB"),
        ("  preflighted and read back", f"{read:.1f} s, {len(findings)} findings, {read_mb:.0f} MB"),
        ("  pikepdf and zlib, the picture alone, placed once", f"{peer_s:.1f} s, {peer_size:.0f} MB"),
    ]


def resident_mb(key: str) -> float:
    """VmRSS, what this process holds, or VmHWM, the most it has held since `forget_peak` (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def forget_peak() -> float:
    """Count the peak anew from here; returns what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident_mb("VmRSS")


if __name__ == "__main__":
    if "DJANGO_SETTINGS_MODULE" in os.environ:  # the process of its own that `figures` starts
        with tempfile.TemporaryDirectory() as name:
            print(json.dumps(measure(Path(name)), ensure_ascii=False))
    else:
        for what, figure in figures():
            print(f"{what:<58} {figure}")
