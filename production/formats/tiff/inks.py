"""One grey TIFF per ink, for the RIP that takes nothing else: `job_(Cyan).tif`, the ink's exact name in brackets.

They look like films: black (0) is 100 % of the ink, white (255) is bare cloth, PhotometricInterpretation 1 (black is
zero), as plates of separated files are exchanged. Written by our own writer, read back with tifffile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

from production.domain.finding import Finding, misread
from production.domain.ink_tile import InkTile, digest_of
from production.domain.spec import PRINT
from production.domain.usage import FULL
from production.errors import InkNameUnwritable
from production.files import write_together
from production.formats.tiff.reading import differences, read_with, structure
from production.formats.tiff.writing import (
    Compression,
    Photometric,
    Strip,
    keep_classic,
    mac_letters,
    packed,
    strip_rows_of,
    tags_of,
    told,
    write_tiff,
)
from production.ports import Manifest, Progress, RenderJob

_NOT_IN_A_NAME = frozenset('/\\:*?"<>|')


class InkTiffs:
    """One repeat as one grey picture per ink."""

    code = "inks"
    kind = PRINT

    def write(self, master: InkTile, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write all of them or none. Raises InkNameUnwritable where a name can't be a file's, DiskFull."""
        height, width = master.planes.shape[:2]
        keep_classic(height * width)
        rows = strip_rows_of(width)
        tags = tags_of(
            size_px=(width, height),
            samples=1,
            photometric=Photometric.MIN_IS_BLACK,
            dpi=job.spec.dpi,
            compression=Compression.LZW,
            strip_rows=rows,
        )
        each = -(-height // rows)
        files = {}
        for k, ink in enumerate(master.inks):
            strips = told(
                _strips(master, k, rows),
                each,
                lambda done, _, k=k: on_progress(k * each + done, each * len(master.inks)),
            )
            files[folder / f"{job.name}_({_name(ink.name)}).tif"] = partial(write_tiff, tags=tags, strips=strips)
        if len(files) < len(master.inks):
            names = [ink.name for ink in master.inks]
            raise InkNameUnwritable(
                "Two inks have one name: give each its own.",
                fields={"field": "inks", "measured": names, "limit": "one name each"},
            )
        write_together(files)
        return list(files)

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Read one ink back with tifffile: whose it is by its name, structure, size, polarity and every pixel."""
        named = path.stem.partition("_(")[2].removesuffix(")")
        meant = next((ink for ink in manifest["separations"] if ink["ink"] == named), None)
        if meant is None:
            return [
                misread(
                    "channels", "the ink in the file's name", named, [ink["ink"] for ink in manifest["separations"]]
                )
            ]
        return read_with(path, partial(_look, manifest=manifest, ink=meant))


def _look(file: tifffile.TiffFile, manifest: Manifest, ink: Manifest) -> Iterator[Finding]:
    found = list(
        structure(
            file,
            size_px=manifest["repeat"]["pixels"],
            samples=1,
            photometric="MINISBLACK",
            compression="LZW",
            dpi=manifest["repeat"]["dpi"],
        )
    )
    yield from found
    if not found:
        digest = digest_of(FULL - file.pages[0].asarray())
        yield from differences([("pixels", f"ink {ink['ink']}", digest, ink["sha256"])])


def _strips(tile: InkTile, k: int, rows: int) -> Iterator[Strip]:
    for top in range(0, tile.height_px, rows):
        yield packed(np.subtract(FULL, tile.planes[top : top + rows, :, k : k + 1], dtype=np.uint8), Compression.LZW)


def _name(ink: str) -> str:
    """The ink's name as part of a file's. Raises InkNameUnwritable for one that some system can't store."""
    mac_letters(ink)
    if bad := sorted(_NOT_IN_A_NAME & set(ink)):
        raise InkNameUnwritable(
            f"The ink's name {ink!r} can't be part of a file's name: leave out {' '.join(bad)}.",
            fields={"field": "name", "measured": ink, "limit": f"no {' '.join(sorted(_NOT_IN_A_NAME))}"},
        )
    return ink
