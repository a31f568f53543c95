"""An XJDF ticket of some 500 repeats, beside lxml reading and writing it; a tile's way into a hot folder, beside cp.

python -m tests.benchmarks.tickets        prints the figures as JSON
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RUNS = 30
TILE_BYTES = 229_000_000  # 64 cm at 300 dpi, four inks, not packed


def figures() -> list[tuple[str, str]]:
    """(what, figure) lines of the measurement."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "orders.settings", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/tests"}
    run = [sys.executable, "-m", "tests.benchmarks.tickets"]
    done = subprocess.run(run, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return [(what, figure) for what, figure in json.loads(done.stdout)]


def median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def measure(folder: Path) -> list[tuple[str, str]]:
    """Write and read back a ticket; send a tile."""
    import django

    django.setup()
    from lxml import etree
    from production_samples import job_for, print_spec, raster_for

    from production.delivery import put
    from production.files import sha256_of
    from production.formats.tickets.xjdf import write_xjdf
    from production.formats.tickets.xjdf_reading import check_xjdf
    from production.ports import WrittenFile
    from production.separation import ink_tile
    from production.services import manifest_of

    spec = print_spec(quantity_m=1.63)
    raster = raster_for(spec)
    job = job_for(spec, raster)
    files = [WrittenFile(folder / f"{job.name}.tif", "ab" * 32, "tile", TILE_BYTES)]
    manifest = manifest_of(job, ink_tile(raster, spec.inks, job.assessment.separation))
    manifest["files"] = [{"name": files[0].path.name, "format": "tile", "sha256": "ab" * 32, "bytes": TILE_BYTES}]
    path = folder / f"{job.name}.xjdf"
    began = time.perf_counter()
    data = write_xjdf(job, raster, files)
    first = 1000 * (time.perf_counter() - began)
    path.write_bytes(data)
    found = check_xjdf(path, manifest)
    again = median_ms(lambda: write_xjdf(replace(job), raster, files))
    kept = median_ms(lambda: write_xjdf(job, raster, files))
    peer = median_ms(lambda: etree.tostring(etree.fromstring(data), pretty_print=True))
    checked = median_ms(lambda: check_xjdf(path, manifest))
    source, hot = folder / "tile.tif", folder / "hot"
    hot.mkdir()
    source.write_bytes(np.random.default_rng(1).bytes(TILE_BYTES))
    sha256 = sha256_of(source)
    began = time.perf_counter()
    put(source, sha256, hot)
    sent = time.perf_counter() - began
    began = time.perf_counter()
    subprocess.run(["cp", str(source), str(hot / "copied.tif")], check=True)
    subprocess.run(["sync", str(hot / "copied.tif")], check=True)
    copied = time.perf_counter() - began
    count = data.count(b"<PlacedObject")
    return [
        (
            f"XJDF, {count} repeats placed, {len(data) // 1000} kB",
            f"{kept:.1f} ms, with the cloth laid out anew {again:.1f} ms, the first of a profile {first:.0f} ms; "
            f"lxml reading and writing it: {peer:.1f} ms",
        ),
        ("  read back and compared", f"{checked:.1f} ms, {len(found)} differences"),
        (
            "a tile of 229 MB into a hot folder, checked and synced",
            f"{sent:.2f} s; cp and sync, unchecked: {copied:.2f} s",
        ),
    ]


if __name__ == "__main__":
    if "DJANGO_SETTINGS_MODULE" in os.environ:  # the process of its own that `figures` starts
        with tempfile.TemporaryDirectory() as name:
            print(json.dumps(measure(Path(name))))
    else:
        for what, figure in figures():
            print(f"{what:<58} {figure}")
