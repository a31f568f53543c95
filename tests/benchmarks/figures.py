"""`make bench`: the README's figures, measured again on this machine. Nothing here fails on a slow day."""

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pypdfium2
import pyvips
import tifffile
import zxingcpp
from PIL import Image

from generation.evaluation import speed
from tests.benchmarks import colour, faces, inks, loom, pdfx, planning, print_files, promise_api, tickets
from tests.benchmarks.promise import microseconds

ROOT = Path(__file__).resolve().parents[2]
RUNS = 3


def demo(folder: Path) -> tuple[float, dict]:
    """Run the demo in a fresh installation; returns (wall seconds, summary)."""
    env = {**os.environ, "WEFTLINE_VAR": str(folder), "COLUMNS": "160"}
    env.pop("DATABASE_URL", None)
    began = time.monotonic()
    subprocess.run([sys.executable, "manage.py", "demo"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began, json.loads((folder / "demo" / "summary.json").read_text())


def say(what: str, figure: str) -> None:
    print(f"{what:<58} {figure}", flush=True)


def main() -> None:
    say("cores", str(os.cpu_count()))
    for count in (0, 100, 1000):
        median, p95 = microseconds(count)
        say(f"promise, six steps, {count} bookings", f"median {median:.0f} µs, p95 {p95:.0f} µs")
    for what, found in [
        *colour.figures(),
        *inks.figures(),
        *loom.figures(),
        *pdfx.figures(),
        *print_files.figures(),
        *tickets.figures(),
    ]:
        say(what, found)
    for what, found in promise_api.figures():
        say(what, found)
    for what, found in faces.figures():
        say(what, found)
    for what, found in planning.figures():  # a quarter of an hour: each as it comes
        say(what, found)
    for figure in speed.measure():
        bound = f"{figure.bound} {figure.unit}: {'holds' if figure.holds else 'DOES NOT HOLD'}" if figure.bound else ""
        say(figure.what, f"{figure.value:.3g} {figure.unit}  {bound}".strip())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = [demo(folder) for _ in range(RUNS)]
        walls = [wall for wall, _ in runs]
        clocks = [summary["clock"] for _, summary in runs]
        say(f"make demo, whole command, median of {RUNS}", f"{statistics.median(walls):.1f} s (first {walls[0]:.1f} s)")
        taken = [clock["speed_to_customisation_s"] for clock in clocks]
        say("order to verified print file, median", f"{statistics.median(taken):.1f} s (worst {max(taken):.1f} s)")
        for stage in clocks[0]["stages_s"]:
            say(f"  {stage.replace('_', ' ')}", f"{statistics.median(c['stages_s'][stage] for c in clocks):.1f} s")
        peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
        say("peak memory of the demo", f"{peak_gb:.2f} GB")
        look_at(runs[-1][1])
    # A database and an Odoo of its own: what it prints stands here as it comes.
    subprocess.run([sys.executable, "-m", "tests.benchmarks.odoo"], cwd=ROOT, check=True)
    for part in ("detection", "edges"):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.inspection", part], cwd=ROOT, check=True)
    for part in ("whole", "speed", "geometry", "colour", "refusals"):
        command = [sys.executable, "-m", "tests.benchmarks.inspection_geometry", part, "--quiet"]
        subprocess.run(command, cwd=ROOT, check=True)


def look_at(summary: dict) -> None:
    """Open what was made with other programs and say what they see."""
    line = summary["lines"][0]
    wrong = [f["path"] for f in line["files"] if _sha256(f["path"]) != f["sha256"]]
    say("files listed, and with a sha256 that does not agree", f"{len(line['files'])}, {len(wrong)}")
    passed = sum(bool(candidate["passed"]) for candidate in line["candidates"])
    say("candidates that pass", f"{passed} of {len(line['candidates'])}")
    tile = next(Path(f["path"]) for f in line["files"] if f["path"].endswith(".tif"))
    image = pyvips.Image.new_from_file(str(tile))
    profile = len(image.get("icc-profile-data"))
    say("tile as libvips sees it", f"{image.width} × {image.height} px, {image.interpretation}, ICC {profile} bytes")
    with tifffile.TiffFile(tile) as tiff:
        page = tiff.pages[0]
        dpi = page.tags["XResolution"].value[0] / page.tags["XResolution"].value[1]
        say(
            "tile as tifffile sees it", f"{page.shape}, {page.photometric.name}, {page.compression.name}, {dpi:.2f} dpi"
        )
        heaviest = int(page.asarray().sum(axis=2, dtype=np.int32).max())
    say("heaviest pixel of the tile", f"{heaviest / 2.55:.1f} % of ink")
    with Image.open(tile) as opened:
        say(
            "tile as Pillow sees it",
            f"{opened.size}, {opened.mode}, dpi {tuple(round(d, 2) for d in opened.info['dpi'])}",
        )
    ticket = next(
        Path(f["path"]) for f in line["files"] if "ticket" in Path(f["path"]).name and f["path"].endswith(".pdf")
    )
    page_picture = pypdfium2.PdfDocument(ticket)[0].render(scale=200 / 72).to_pil()
    codes = sorted(f"{code.format.name}: {code.text}" for code in zxingcpp.read_barcodes(page_picture))
    say("codes read from the ticket at 200 dpi", "; ".join(codes))


def _sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
