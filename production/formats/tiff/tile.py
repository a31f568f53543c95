"""RIP-ready repeat tile: one repeat as classic TIFF, 8 bits, LZW with predictor, in strips, resolution in inch.

Up to four inks: CMYK with the ICC profile inside. More: CMYK and spot channels as Photoshop writes them, 255 = 100 % in
every channel. A profile of six inks does not describe a picture that says CMYK: it lies beside the tile as `.icc`, and
no profile is inside. The tile is already scaled for the cloth's shrinkage. Written by our own writer, read back with
tifffile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH, Layout
from production.domain.checks.seam import measure_ink_seams, seam
from production.domain.finding import Finding, Severity, misread
from production.domain.ink_tile import InkTile
from production.domain.spec import PRINT
from production.domain.usage import FULL
from production.errors import NoProcessInks
from production.files import sha256_of, write_bytes, write_together
from production.formats.tiff.reading import (
    SIZE_TOLERANCE_MM,
    differences,
    planes_match,
    read_with,
    separated_structure,
    values_of,
)
from production.formats.tiff.writing import (
    PROCESS_INKS,
    Compression,
    Photometric,
    Spot,
    Tags,
    keep_classic,
    strip_rows_of,
    strips_of,
    tags_of,
    told,
    write_tiff,
)
from production.ports import Manifest, Progress, RenderJob

_PROCESS = ("C", "M", "Y", "K")
_BAND_ROWS = 512


class TileTiff:
    """One repeat for the step-and-repeat of any textile RIP."""

    code = "tile"
    kind = PRINT

    def write(self, master: InkTile, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write the tile, and for more than four inks the profile beside it.

        Raises NoProcessInks, InkNameUnwritable, TiffTooLarge where a classic TIFF would pass 4 GB, DiskFull.
        """
        assert job.spec.inks is not None, "a printed line has inks"
        rows = strip_rows_of(master.planes[0].nbytes)
        tags = separated_tags(
            master, job, size_px=(master.width_px, master.height_px), strip_rows=rows, compression=Compression.LZW
        )
        keep_classic(master.planes.nbytes)
        strips = told(strips_of(master.planes, Compression.LZW, rows), -(-master.height_px // rows), on_progress)
        files = {folder / f"{job.name}.tif": partial(write_tiff, tags=tags, strips=strips)}
        if len(master.inks) > PROCESS_INKS:
            profile = job.spec.inks.profile.path.read_bytes()
            files[folder / f"{job.name}.icc"] = partial(write_bytes, data=profile)
        write_together(files)
        return list(files)

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Read the tile back with tifffile: structure, size, profile, channels, ink limit, seams, and every pixel."""
        if path.suffix == ".icc":
            return list(differences([("profile", path.name, sha256_of(path), manifest["profile"]["sha256"])]))
        return read_with(path, partial(_look, manifest=manifest))


def separated_tags(
    tile: InkTile, job: RenderJob, *, size_px: tuple[int, int], strip_rows: int, compression: Compression
) -> Tags:
    """The tags of a picture in the inks of `tile`: CMYK with its profile, or CMYK and spots without one.

    Raises NoProcessInks, InkNameUnwritable.
    """
    assert job.spec.inks is not None
    letters = tuple(ink.channel for ink in tile.inks)
    if letters[:PROCESS_INKS] != _PROCESS:
        raise NoProcessInks(fields={"field": "inks", "measured": list(letters), "limit": list(_PROCESS)})
    labs = [tuple(float(value) for value in lab) for lab in tile.solid_lab]
    spots = [Spot(ink.name, lab) for ink, lab in zip(tile.inks, labs, strict=True)][PROCESS_INKS:]
    return tags_of(
        size_px=size_px,
        samples=len(letters),
        photometric=Photometric.SEPARATED,
        dpi=job.spec.dpi,
        compression=compression,
        strip_rows=strip_rows,
        spots=spots,
        profile=b"" if spots else job.spec.inks.profile.path.read_bytes(),
    )


def _look(file: tifffile.TiffFile, manifest: Manifest) -> Iterator[Finding]:
    size_px = manifest["repeat"]["pixels"]
    page = file.pages[0]
    found = list(separated_structure(file, manifest, size_px=size_px, compression="LZW"))
    found += differences(
        [
            ("structure", "even height", page.imagelength % 2, 0),
            ("structure", "predictor", int(values_of(page).get(317, 1)), 2),
        ]
    )
    yield from found
    sides = zip(("width", "height"), size_px, manifest["repeat"]["in_file_mm"], strict=True)
    for side, pixels, meant_mm in sides:
        measured_mm = pixels * MM_PER_INCH / manifest["repeat"]["dpi"]
        if abs(measured_mm - meant_mm) > SIZE_TOLERANCE_MM:
            limit = f"{meant_mm:.3f} ± {SIZE_TOLERANCE_MM} mm"
            yield misread("size", f"{side} of the repeat", f"{measured_mm:.3f} mm", limit)
    if not found:
        planes = page.asarray()
        yield from planes_match(planes, manifest)
        yield from _ink(planes, manifest)


def _ink(planes: NDArray[np.uint8], manifest: Manifest) -> Iterator[Finding]:
    """No pixel is over the ink limit, and the seams hold in every ink."""
    bands = range(0, planes.shape[0], _BAND_ROWS)
    heaviest = max(int(planes[top : top + _BAND_ROWS].sum(axis=2, dtype=np.uint16).max()) for top in bands)
    limit_pct = manifest["inks"]["limit_pct"]
    if heaviest * 100 / FULL > limit_pct + 1e-9:
        yield misread("ink_limit", "the whole tile", f"{heaviest * 100 / FULL:.1f} %", f"{limit_pct:g} %")
    layout = Layout(manifest["repeat"]["layout"])
    for k, meant in enumerate(manifest["separations"]):
        measures = measure_ink_seams(np.ascontiguousarray(planes[..., k]), layout)
        finding = seam(measures, code="seam_ink", where=f"ink {meant['ink']}", unit="% ink")
        if finding.severity is Severity.ERROR:
            yield finding
