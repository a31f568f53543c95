"""Print files at full size, each beside other writers in the same run; every measurement in a process of its own.

python -m tests.benchmarks.print_files              all figures (about 25 GB are written, one file at a time)
python -m tests.benchmarks.print_files NAME         one measurement, as JSON
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from generation.domain.pattern import Layout, Repeat
from tests.benchmarks.pdfx import SIDE_PX, forget_peak, resident_mb, tones

ROOT = Path(__file__).resolve().parents[2]
DPI = 300.0
SIDE_MM = SIDE_PX * 25.4 / DPI
METRES = 10.0
SHORT_METRES = 1.0  # for writers that hold the whole picture
MB = 1e6
IMAGEMAGICK = shutil.which("magick") or shutil.which("convert-im6.q16")  # `convert` may be anybody's
PACKAGE = ("tile", "xjdf", "ergosoft", "printfactory", "ticket", "costing", "quotation", "preview")

Write = Callable[[Path], int]  # writes into a folder; returns the bytes written


def figures() -> list[tuple[str, str]]:
    """(what, figure) lines of all measurements."""
    rows = []
    for name in ("tile ours", "tile pyvips", "tile pillow", "tile tifffile"):
        rows.append(_said(name, f"64 cm tile in tones, CMYK, LZW: {name.split()[1]}"))
    rows.append(_said("package", "64 cm design with its sidecars and papers", " (below 15 s and 1 GB)"))
    disk = _measured("disk")
    rows.append((f"the disk's own rate, {disk['bytes'] / 1e9:.1f} GB and fsync", f"{_rate(disk):.0f} MB/s"))
    ours = _measured("raw ours")
    share = f" = {_rate(ours) / _rate(disk):.0%} of the disk's (at least 80 %)"
    rows.append((f"{METRES:.0f} m × 150 cm as BigTIFF, not packed", _line(ours) + share))
    rows.append(_said("raw tifffile", "  tifffile, the same strips"))
    rows.append(_said("deflate ours", f"{METRES:.0f} m × 150 cm as BigTIFF, deflate", " (at most 30 CPU s, 600 MB)"))
    rows.append(_said("deflate pyvips", f"  pyvips, {SHORT_METRES:.0f} m of it, without marks"))
    rows.append(_said("read", "  reading it back with tifffile, every strip"))
    rows.append(_said("deflate pillow", f"  Pillow, {SHORT_METRES:.0f} m: it holds the picture"))
    if IMAGEMAGICK is not None:
        rows.append(_said("deflate imagemagick", f"  ImageMagick, {SHORT_METRES:.0f} m: it holds the picture"))
    else:
        rows.append(("  ImageMagick", "left out: not installed"))
    return rows


def _said(name: str, what: str, limit: str = "") -> tuple[str, str]:
    return what, _line(_measured(name)) + limit


def _line(found: dict) -> str:
    if "refused" in found:
        return f"refused: {found['refused']}"
    size = f", {found['bytes'] / MB:.0f} MB, {_rate(found):.0f} MB/s" if found["bytes"] else ""
    return f"{found['wall_s']:.1f} s, {found['cpu_s']:.1f} CPU s, {found['peak_mb']:.0f} MB of memory{size}"


def _rate(found: dict) -> float:
    return found["bytes"] / MB / found["wall_s"]


def _measured(name: str) -> dict:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "orders.settings", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/tests"}
    run = [sys.executable, "-m", "tests.benchmarks.print_files", name]
    done = subprocess.run(run, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure(write: Write, folder: Path) -> dict:
    """Wall and CPU seconds until the bytes are on the disk, and the most memory of the process meanwhile."""
    os.sync()  # what others left to be written is not ours
    forget_peak()
    wall, cpu = time.perf_counter(), _cpu_s()
    try:
        size = write(folder)
    except subprocess.CalledProcessError as error:
        return {"refused": error.stderr.decode().split("`")[0][:100]}
    except (MemoryError, OSError, ValueError) as error:
        return {"refused": f"{type(error).__name__}: {error}"[:100]}
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": _cpu_s() - cpu,
        "peak_mb": resident_mb("VmHWM"),
        "bytes": size,
    }


def _cpu_s() -> float:
    """CPU seconds of this process and of the programs it has called."""
    return sum(os.times()[:4])


def job_of(metres: float):
    """A job of that length on 150 cm satin, in the repeat of SIDE_PX, half-drop."""
    from production_samples import job_for, print_spec, raster_for

    small = print_spec()
    repeat = Repeat(SIDE_MM, SIDE_MM, Layout.HALF_DROP)
    spec = replace(
        small,
        quantity_m=metres,
        asked=repeat,
        repeat=repeat,
        width_px=SIDE_PX,
        height_px=SIDE_PX,
        printed_width_mm=SIDE_MM,
        printed_height_mm=SIDE_MM,
        scale_x=1.0,
        scale_y=1.0,
        shrink_warp=0.0,
        shrink_weft=0.0,
        width_mm=1500.0,
        usable_width_mm=1480.0,
    )
    return replace(job_for(small, raster_for(small)), spec=spec)


def tile_of(job):
    """The repeat in tones."""
    from production.domain.ink_tile import InkTile

    return InkTile(tones(SIDE_PX), job.spec.inks.inks, np.full((4, 3), 50.0))


def ours(code: str, metres: float) -> Write:
    """Our writer of that format."""
    from production.services import machine_format

    job = job_of(metres)
    tile, form = tile_of(job), machine_format(code)
    assert job.sheet  # laid out before the clock runs, as the manifest asks for it first
    return lambda folder: sum(path.stat().st_size for path in form.write(tile, job, folder, lambda done, of: None))


def read_back() -> Write:
    """Our verifier, on a file that was written before the clock runs."""
    from production.services import machine_format, manifest_of

    job = job_of(METRES)
    tile, form = tile_of(job), machine_format("bigtiff")
    manifest = manifest_of(job, tile)
    folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
    path = form.write(tile, job, folder, lambda done, of: None)[0]

    def read(_: Path) -> int:
        try:
            found = form.verify(path, manifest)
        finally:
            shutil.rmtree(folder)
        if found:
            raise ValueError(found[0].sentence)
        return 0

    return read


def package() -> Write:
    """All that a mill gets with one indexed design: its tile, sidecars and papers, written and read back."""
    from production_samples import job_for, raster_for

    from production.papers import PAPERS
    from production.services import write_files

    spec = job_of(METRES).spec
    raster = raster_for(spec)
    job = job_for(spec, raster)
    formats = [code for code in PACKAGE if code == "tile" or code in PAPERS]
    return lambda folder: sum(file.size_bytes for file in write_files(raster, job=job, folder=folder, formats=formats))


def bands(metres: float) -> tuple[tuple[int, int], Iterator[np.ndarray]]:
    """((rows, columns), bands of 14 rows) of the cloth, marks included."""
    from production import cloth

    job = job_of(metres)
    tile, sheet = tile_of(job), job.sheet
    made = (cloth.rows(tile, sheet, top, min(top + 14, sheet.length_px)) for top in range(0, sheet.length_px, 14))
    return (sheet.length_px, sheet.width_px), made


def by_tifffile() -> Write:
    import tifffile

    (rows, columns), made = bands(METRES)

    def write(folder: Path) -> int:
        kind = {"dtype": np.uint8, "bigtiff": True, "rowsperstrip": 14, "photometric": "separated"}
        tifffile.imwrite(folder / "peer.tif", made, shape=(rows, columns, 4), **kind)
        return _on_disk(folder / "peer.tif")

    return write


def by_pyvips() -> Write:
    import pyvips

    sheet, planes = job_of(SHORT_METRES).sheet, tones(SIDE_PX)
    tile = pyvips.Image.new_from_memory(planes.data, SIDE_PX, SIDE_PX, 4, "uchar").copy(interpretation="cmyk")
    pair = tile.join(tile.wrap(x=0, y=SIDE_PX // 2), "horizontal")
    cloth = pair.replicate(2, sheet.length_px // SIDE_PX + 1).crop(0, 0, sheet.width_px, sheet.length_px)

    def write(folder: Path) -> int:
        path = folder / "peer.tif"
        cloth.tiffsave(str(path), bigtiff=True, compression="deflate", predictor="horizontal", level=1)
        return _on_disk(path)

    return write


def by_pillow() -> Write:
    from PIL import Image

    (rows, columns), made = bands(SHORT_METRES)
    Image.MAX_IMAGE_PIXELS = None

    def write(folder: Path) -> int:
        whole = np.empty((rows, columns, 4), np.uint8)
        top = 0
        for band in made:
            whole[top : top + len(band)] = band
            top += len(band)
        path = folder / "peer.tif"
        Image.fromarray(whole, "CMYK").save(path, big_tiff=True, compression="tiff_adobe_deflate")
        return _on_disk(path)

    return write


def by_imagemagick() -> Write:
    (rows, columns), made = bands(SHORT_METRES)
    raw = Path("peer.cmyk").absolute()
    with raw.open("wb") as file:
        for band in made:
            file.write(band)

    def write(folder: Path) -> int:
        source = ["-size", f"{columns}x{rows}", "-depth", "8", f"cmyk:{raw}"]
        path = folder / "peer.tif"
        subprocess.run([IMAGEMAGICK, *source, "-compress", "zip", f"tiff64:{path}"], check=True, capture_output=True)
        return _on_disk(path)

    return write


def tile_by(name: str) -> Write:
    planes = tones(SIDE_PX)

    def pyvips_lzw(folder: Path) -> int:
        import pyvips

        image = pyvips.Image.new_from_memory(planes.data, SIDE_PX, SIDE_PX, 4, "uchar").copy(interpretation="cmyk")
        image.tiffsave(str(folder / "peer.tif"), compression="lzw", predictor="horizontal")
        return _on_disk(folder / "peer.tif")

    def pillow_lzw(folder: Path) -> int:
        from PIL import Image

        image = Image.frombytes("CMYK", (SIDE_PX, SIDE_PX), planes.tobytes())
        image.save(folder / "peer.tif", compression="tiff_lzw", tiffinfo={317: 2})
        return _on_disk(folder / "peer.tif")

    def tifffile_lzw(folder: Path) -> int:
        import tifffile

        tifffile.imwrite(folder / "peer.tif", planes, photometric="separated", compression="lzw", predictor=True,
                         rowsperstrip=8)  # fmt: skip
        return _on_disk(folder / "peer.tif")

    return {"pyvips": pyvips_lzw, "pillow": pillow_lzw, "tifffile": tifffile_lzw}[name]


def by_the_disk(folder: Path, picture: np.ndarray) -> int:
    """As many bytes as the cloth has, a megabyte at a time; of its picture: a disk may take noise at another rate."""
    size = round(METRES * 1000 / 25.4 * DPI) * round(1500 / 25.4 * DPI) * 4
    with (folder / "disk").open("wb") as file:
        for start in range(0, size, 1 << 20):
            begin = start % (len(picture) >> 20 << 20)
            file.write(picture[begin : begin + (1 << 20)])
    return _on_disk(folder / "disk")


def _on_disk(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return path.stat().st_size


def writer(name: str) -> Write:
    """The measurement of that name, ready to run."""
    what, _, whose = name.partition(" ")
    if what == "tile" and whose != "ours":
        return tile_by(whose)
    made: dict[str, Callable[[], Write]] = {
        "tile ours": lambda: ours("tile", METRES),
        "package": package,
        "disk": lambda: partial(by_the_disk, picture=tones(SIDE_PX).ravel()),
        "raw ours": lambda: ours("bigtiff_raw", METRES),
        "raw tifffile": by_tifffile,
        "deflate ours": lambda: ours("bigtiff", METRES),
        "deflate pyvips": by_pyvips,
        "deflate pillow": by_pillow,
        "deflate imagemagick": by_imagemagick,
        "read": read_back,
    }
    return made[name]()


def main(names: list[str]) -> None:
    if not names:
        for what, figure in figures():
            print(f"{what:<58} {figure}", flush=True)
        return
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        print(json.dumps(measure(writer(" ".join(names)), Path(folder))))


if __name__ == "__main__":
    main(sys.argv[1:])
