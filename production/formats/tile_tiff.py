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

from generation.domain.pattern import MM_PER_INCH, Raster
from production.domain.checks.seam import colour_difference, measure_seams, seam
from production.domain.edges import edges_of
from production.domain.finding import Finding, Severity
from production.domain.usage import FULL
from production.errors import DiskFull, WriteFailed
from production.files import write_whole
from production.ports import RenderJob
from production.separation import Separation

SIZE_TOLERANCE_MM = 0.1
_BAND_ROWS = 512


class TileTiff:
    """One repeat for the step-and-repeat of any textile RIP."""

    code = "tile_tiff"
    suffix = ".tif"

    def write(self, raster: Raster, job: RenderJob, out: Path) -> None:
        """Write the tile at `out` through libvips, row by row."""
        separation, spec = _separation(job), job.spec
        profile = _profile(job)
        indices = np.ascontiguousarray(raster.indices)
        image = pyvips.Image.new_from_memory(indices.data, raster.width_px, raster.height_px, 1, "uchar")
        ink = image.maplut(_lookup(separation)).copy(
            interpretation="cmyk", xres=spec.dpi / MM_PER_INCH, yres=spec.dpi / MM_PER_INCH
        )
        ink.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        # libtiff does not say why a write failed: ask for the room before it starts.
        room = raster.width_px * raster.height_px * len(separation.channels)
        out.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(out.parent).free < room + len(profile):
            raise DiskFull(fields={"path": out.name, "limit": f"{room} bytes"})

        def fill(temporary: Path) -> None:
            try:
                ink.tiffsave(str(temporary), compression="lzw", predictor="horizontal", resunit="inch", bigtiff=False)
            except pyvips.Error as error:
                raise WriteFailed(fields={"path": out.name}) from error

        write_whole(out, fill)

    def verify(self, path: Path, raster: Raster, job: RenderJob) -> Sequence[Finding]:
        """Read the tile back with tifffile: structure, size, profile, ink limit, seams, and every pixel."""
        try:
            with tifffile.TiffFile(path) as file:
                page = file.pages[0]
                found = list(_structure(file, page, job))
                plane = page.asarray() if not found else None
        except Exception as error:  # a damaged file can make a decoder raise anything
            return [_wrong("readable", "the file", f"{type(error).__name__}: {error}"[:200], "a whole TIFF")]
        if plane is not None:
            found += _pixels(plane, raster, job)
        return found


def _separation(job: RenderJob) -> Separation:
    assert job.assessment.separation is not None, "a printed line has a separation"
    return job.assessment.separation


def _profile(job: RenderJob) -> bytes:
    assert job.spec.inks is not None, "a printed line has inks"
    return job.spec.inks.profile.path.read_bytes()


def _lookup(separation: Separation) -> pyvips.Image:
    """The palette's inks as a 256 x 1 look-up image, the unused entries bare."""
    table = np.zeros((256, len(separation.channels)), np.uint8)
    table[: len(separation.values)] = separation.values
    return pyvips.Image.new_from_memory(table.tobytes(), 256, 1, table.shape[1], "uchar")


def _structure(file: tifffile.TiffFile, page: tifffile.TiffPage, job: RenderJob) -> Iterator[Finding]:
    spec = job.spec
    assert spec.inks is not None
    tags = {tag.name: tag.value for tag in page.tags}
    facts = (
        ("structure", "pages", len(file.pages), 1),
        ("structure", "classic TIFF", not file.is_bigtiff, True),
        ("structure", "colour", page.photometric.name, "SEPARATED"),
        ("structure", "planes", page.samplesperpixel, len(spec.inks.channels)),
        ("structure", "bits", page.bitspersample, 8),
        ("structure", "compression", page.compression.name, "LZW"),
        ("structure", "strips", page.is_tiled, False),
        ("structure", "interleaving", page.planarconfig.name, "CONTIG"),
        ("size", "width in pixels", page.imagewidth, spec.width_px),
        ("size", "height in pixels", page.imagelength, spec.height_px),
        ("size", "even height", page.imagelength % 2, 0),
        ("profile", "profile sha256", hashlib.sha256(tags.get("InterColorProfile", b"")).hexdigest(), _sha(job)),
        ("resolution", "resolution unit", getattr(tags.get("ResolutionUnit"), "name", None), "INCH"),
    )
    for code, where, measured, limit in facts:
        if measured != limit:
            yield _wrong(code, where, str(measured), str(limit))
    wanted_mm = (spec.printed_width_mm, spec.printed_height_mm)
    sides = (("XResolution", page.imagewidth), ("YResolution", page.imagelength))
    for (name, pixels), size_mm in zip(sides, wanted_mm, strict=True):
        numerator, denominator = tags.get(name, (0, 1))
        measured_mm = pixels * MM_PER_INCH * denominator / numerator if numerator else 0.0
        if abs(measured_mm - size_mm) > SIZE_TOLERANCE_MM:
            yield _wrong("size", name, f"{measured_mm:.3f} mm", f"{size_mm:.3f} ± {SIZE_TOLERANCE_MM} mm")


def _pixels(plane: NDArray[np.uint8], raster: Raster, job: RenderJob) -> list[Finding]:
    """Every pixel is the ink that was meant, none is over the ink limit, and the seams hold in every ink."""
    separation = _separation(job)
    assert job.spec.inks is not None
    found = []
    different, heaviest = 0, 0
    planes = range(plane.shape[-1])
    for top in range(0, plane.shape[0], _BAND_ROWS):
        band = plane[top : top + _BAND_ROWS]
        indices = raster.indices[top : top + _BAND_ROWS]
        wrong, total = np.zeros(indices.shape, bool), np.zeros(indices.shape, np.uint16)
        for k in planes:
            wrong |= band[..., k] != separation.values[:, k][indices]
            total += band[..., k]
        different += int(np.count_nonzero(wrong))
        heaviest = max(heaviest, int(total.max(initial=0)))
    if different:
        found.append(_wrong("pixels", "the whole tile", f"{different} pixels differ", "0 pixels"))
    heaviest_pct = heaviest * 100 / FULL
    if heaviest_pct > job.spec.inks.tac_pct + 1e-9:
        found.append(_wrong("ink_limit", "the whole tile", f"{heaviest_pct:.1f} %", f"{job.spec.inks.tac_pct:g} %"))
    for channel, ink in enumerate(separation.channels):
        one = np.ascontiguousarray(plane[..., channel])
        levels, coded = _levels(one)
        measures = measure_seams(
            coded,
            job.spec.repeat.layout,
            edges_of(coded, len(levels)),
            colour_difference(levels * (100.0 / FULL)),
        )
        finding = seam(measures, code="seam_ink", where=f"ink {ink}", unit="% ink")
        if finding.severity is Severity.ERROR:
            found.append(finding)
    return found


def _levels(plane: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """The ink levels that a plane holds, and the plane as indices into them."""
    used = np.flatnonzero(np.bincount(plane.ravel(), minlength=256))
    code = np.zeros(256, np.uint8)
    code[used] = np.arange(len(used))
    return used.astype(np.float64), code[plane]


def _sha(job: RenderJob) -> str:
    assert job.spec.inks is not None
    return job.spec.inks.profile.sha256


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
