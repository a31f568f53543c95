"""RIP-ready repeat tile: one repeat as classic TIFF, 8-bit CMYK, LZW, strips, embedded ICC profile, resolution in inch.

The tile is already scaled for the cloth's shrinkage; the ticket and the manifest carry pixels, size and scale. Written
with libvips, read back with tifffile.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyvips
import tifffile
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH, Layout
from production.domain.checks.seam import colour_difference, measure_seams, seam
from production.domain.edges import edges_of
from production.domain.finding import Finding, Severity
from production.domain.ink_tile import InkTile, digest_of
from production.domain.usage import FULL
from production.errors import DiskFull, WriteFailed
from production.files import write_whole
from production.ports import Manifest, Progress, RenderJob

SIZE_TOLERANCE_MM = 0.1
_BAND_ROWS = 512


class TileTiff:
    """One repeat for the step-and-repeat of any textile RIP."""

    code = "tile"

    def write(self, master: InkTile, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write the tile through libvips, row by row."""
        spec = job.spec
        assert spec.inks is not None, "a printed line has inks"
        profile = spec.inks.profile.path.read_bytes()
        planes = np.ascontiguousarray(master.planes)
        height, width, channels = planes.shape
        ink = pyvips.Image.new_from_memory(planes.data, width, height, channels, "uchar").copy(
            interpretation="cmyk", xres=spec.dpi / MM_PER_INCH, yres=spec.dpi / MM_PER_INCH
        )
        ink.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        out = folder / f"{job.name}.tif"
        # libtiff does not say why a write failed: ask for the room before it starts.
        folder.mkdir(parents=True, exist_ok=True)
        room = planes.nbytes + len(profile)
        if shutil.disk_usage(folder).free < room:
            raise DiskFull(fields={"path": out.name, "limit": f"{room} bytes"})

        def fill(temporary: Path) -> None:
            try:
                ink.tiffsave(str(temporary), compression="lzw", predictor="horizontal", resunit="inch", bigtiff=False)
            except pyvips.Error as error:
                raise WriteFailed(fields={"path": out.name}) from error

        write_whole(out, fill)
        on_progress(1, 1)
        return [out]

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Read the tile back with tifffile: structure, size, profile, ink limit, seams, and every pixel."""
        try:
            with tifffile.TiffFile(path) as file:
                page = file.pages[0]
                found = list(_structure(file, page, manifest))
                planes = page.asarray() if not found else None
        except Exception as error:  # a damaged file can make a decoder raise anything
            return [_wrong("readable", "the file", f"{type(error).__name__}: {error}"[:200], "a whole TIFF")]
        if planes is not None:
            found += _pixels(planes, manifest)
        return found


def _structure(file: tifffile.TiffFile, page: tifffile.TiffPage, manifest: Manifest) -> Iterator[Finding]:
    repeat = manifest["repeat"]
    width_px, height_px = repeat["pixels"]
    wanted = manifest["profile"]["sha256"]
    tags = {tag.name: tag.value for tag in page.tags}
    facts = (
        ("structure", "pages", len(file.pages), 1),
        ("structure", "classic TIFF", not file.is_bigtiff, True),
        ("structure", "colour", page.photometric.name, "SEPARATED"),
        ("structure", "planes", page.samplesperpixel, len(manifest["separations"])),
        ("structure", "bits", page.bitspersample, 8),
        ("structure", "compression", page.compression.name, "LZW"),
        ("structure", "strips", page.is_tiled, False),
        ("structure", "interleaving", page.planarconfig.name, "CONTIG"),
        ("size", "width in pixels", page.imagewidth, width_px),
        ("size", "height in pixels", page.imagelength, height_px),
        ("size", "even height", page.imagelength % 2, 0),
        ("profile", "profile sha256", hashlib.sha256(tags.get("InterColorProfile", b"")).hexdigest(), wanted),
        ("resolution", "resolution unit", getattr(tags.get("ResolutionUnit"), "name", None), "INCH"),
    )
    for code, where, measured, limit in facts:
        if measured != limit:
            yield _wrong(code, where, str(measured), str(limit))
    sides = (("XResolution", page.imagewidth), ("YResolution", page.imagelength))
    for (name, pixels), size_mm in zip(sides, repeat["in_file_mm"], strict=True):
        numerator, denominator = tags.get(name, (0, 1))
        measured_mm = pixels * MM_PER_INCH * denominator / numerator if numerator else 0.0
        if abs(measured_mm - size_mm) > SIZE_TOLERANCE_MM:
            yield _wrong("size", name, f"{measured_mm:.3f} mm", f"{size_mm:.3f} ± {SIZE_TOLERANCE_MM} mm")


def _pixels(planes: NDArray[np.uint8], manifest: Manifest) -> list[Finding]:
    """Every plane is the one that was meant, no pixel is over the ink limit, and the seams hold in every ink."""
    found = []
    for k, meant in enumerate(manifest["separations"]):
        measured = digest_of(planes[..., k])
        if measured != meant["sha256"]:
            found.append(_wrong("pixels", f"ink {meant['ink']}", measured, meant["sha256"]))
    bands = range(0, planes.shape[0], _BAND_ROWS)
    heaviest = max(int(planes[top : top + _BAND_ROWS].sum(axis=2, dtype=np.uint16).max()) for top in bands)
    limit_pct = manifest["inks"]["limit_pct"]
    if heaviest * 100 / FULL > limit_pct + 1e-9:
        found.append(_wrong("ink_limit", "the whole tile", f"{heaviest * 100 / FULL:.1f} %", f"{limit_pct:g} %"))
    layout = Layout(manifest["repeat"]["layout"])
    for k, meant in enumerate(manifest["separations"]):
        levels, coded = _levels(np.ascontiguousarray(planes[..., k]))
        differences = colour_difference(levels * (100.0 / FULL))
        measures = measure_seams(coded, layout, edges_of(coded, len(levels)), differences)
        finding = seam(measures, code="seam_ink", where=f"ink {meant['ink']}", unit="% ink")
        if finding.severity is Severity.ERROR:
            found.append(finding)
    return found


def _levels(plane: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """The ink levels that a plane holds, and the plane as indices into them."""
    used = np.flatnonzero(np.bincount(plane.ravel(), minlength=256))
    code = np.zeros(256, np.uint8)
    code[used] = np.arange(len(used))
    return used.astype(np.float64), code[plane]


def _wrong(code: str, where: str, measured: str, limit: str) -> Finding:
    return Finding(
        code=f"file_{code}",
        severity=Severity.ERROR,
        where=where,
        measured=measured,
        limit=limit,
        remedy="Write the file again; if it happens twice, look at the disk.",
        sentence=f"The print file does not read back as it was meant: {where}.",
    )
