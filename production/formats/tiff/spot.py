"""A design of single colours for inks mixed to each: one spot channel per colour, exact names, no ICC profile.

`job-spots.tif` is CMYK with nothing in it, and a spot channel for each colour as Photoshop writes them, 255 = full
colour: a RIP replaces each channel, found by its name, by the recipe of that name. `job-indexed.tif` is the same design
as a palette picture, for RIPs that take colourways. Written by our own writer, read back with tifffile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

from production.domain.colour import srgb_to_lab
from production.domain.finding import Finding, misread
from production.domain.ink_tile import InkTile, digest_of
from production.domain.spec import PRINT
from production.domain.usage import FULL
from production.errors import SpotNamesDoNotFit, SpotNeedsColours, TooManySpots
from production.files import write_together
from production.formats.tiff.reading import differences, extra_channels, read_with, structure, values_of
from production.formats.tiff.writing import (
    PROCESS_INKS,
    Compression,
    Photometric,
    Spot,
    Strip,
    keep_classic,
    packed,
    strip_rows_of,
    strips_of,
    tags_of,
    told,
    write_tiff,
)
from production.ports import Manifest, Progress, RenderJob

MOST_SPOTS = 8
_INDEXED = "-indexed.tif"
_BAND_ROWS = 512


class SpotTiff:
    """One repeat as a spot channel per colour, and as a palette picture."""

    code = "spot"
    kind = PRINT

    def write(self, master: InkTile, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write both or none.

        Raises SpotNeedsColours for a design in tones, SpotNamesDoNotFit, TooManySpots, InkNameUnwritable,
        TiffTooLarge, DiskFull.
        """
        names = _names(master, job)
        assert master.indices is not None
        assert master.palette is not None
        colours = [tuple(float(value) for value in lab) for lab in srgb_to_lab(master.palette.rgb())]
        height, width = master.indices.shape
        samples = PROCESS_INKS + len(names)
        keep_classic(height * width * samples)
        wide, narrow = strip_rows_of(width * samples), strip_rows_of(width)
        common = {"size_px": (width, height), "dpi": job.spec.dpi, "compression": Compression.LZW}
        spots = tags_of(
            **common,
            samples=samples,
            photometric=Photometric.SEPARATED,
            strip_rows=wide,
            spots=[Spot(name, lab) for name, lab in zip(names, colours, strict=True)],
        )
        indexed = tags_of(
            **common, samples=1, photometric=Photometric.PALETTE, strip_rows=narrow, colours=master.palette.rgb()
        )
        first, second = -(-height // wide), -(-height // narrow)
        of = first + second
        strips = told(_strips(master, len(names), wide), first, lambda done, _: on_progress(done, of))
        palette = told(
            strips_of(master.indices, Compression.LZW, narrow), second, lambda done, _: on_progress(first + done, of)
        )
        files = {
            folder / f"{job.name}-spots.tif": partial(write_tiff, tags=spots, strips=strips),
            folder / f"{job.name}{_INDEXED}": partial(write_tiff, tags=indexed, strips=palette),
        }
        write_together(files)
        return list(files)

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Read one of them back with tifffile: structure, names, colours, and every pixel."""
        if not manifest["spots"]:
            return [misread("channels", path.name, "spot channels", "a job without them")]
        return read_with(path, partial(_look_indexed if path.name.endswith(_INDEXED) else _look, manifest=manifest))


def _names(tile: InkTile, job: RenderJob) -> tuple[str, ...]:
    if tile.indices is None or tile.palette is None:
        raise SpotNeedsColours(
            fields={
                "field": "formats",
                "measured": "a design in tones",
                "limit": f"at most {MOST_SPOTS} single colours",
            }
        )
    colours, names = len(tile.palette), job.spots
    if colours > MOST_SPOTS:
        raise TooManySpots(
            f"The design has {colours} colours and a print file takes {MOST_SPOTS} spot channels: join colours, "
            "or print it with process inks.",
            fields={"field": "formats", "measured": f"{colours} colours", "limit": f"{MOST_SPOTS} spot channels"},
        )
    if len(names) != colours or len(set(names)) < colours:
        raise SpotNamesDoNotFit(
            f"The design has {colours} colours: name {colours} spot channels, each once, in the order "
            f"{', '.join(tile.palette.colours)}.",
            fields={"field": "spots", "measured": list(names), "limit": f"{colours} different names"},
        )
    return names


def _strips(tile: InkTile, spots: int, rows: int) -> Iterator[Strip]:
    assert tile.indices is not None
    table = np.zeros((256, PROCESS_INKS + spots), np.uint8)
    table[np.arange(spots), PROCESS_INKS + np.arange(spots)] = FULL
    for top in range(0, tile.height_px, rows):
        yield packed(table[tile.indices[top : top + rows]], Compression.LZW)


def _look(file: tifffile.TiffFile, manifest: Manifest) -> Iterator[Finding]:
    spots = [(spot["name"], tuple(spot["lab"])) for spot in manifest["spots"]["channels"]]
    page = file.pages[0]
    found = list(
        structure(
            file,
            size_px=manifest["repeat"]["pixels"],
            samples=4 + len(spots),
            photometric="SEPARATED",
            compression="LZW",
            dpi=manifest["repeat"]["dpi"],
        )
    )
    found += extra_channels(page, spots)
    yield from found
    if not found:
        planes = page.asarray()
        indices = np.empty(planes.shape[:2], np.uint8)
        for top in range(0, len(planes), _BAND_ROWS):
            band = planes[top : top + _BAND_ROWS]
            if band[..., :4].any() or not np.isin(band, (0, FULL)).all() or (band.astype(bool).sum(axis=2) != 1).any():
                yield misread("pixels", f"rows {top} and on", "mixed colours", "one full channel at every pixel")
                return
            indices[top : top + _BAND_ROWS] = band[..., 4:].argmax(axis=2)
        yield from differences([("pixels", "the design", digest_of(indices), manifest["spots"]["indices_sha256"])])


def _look_indexed(file: tifffile.TiffFile, manifest: Manifest) -> Iterator[Finding]:
    page = file.pages[0]
    found = list(
        structure(
            file,
            size_px=manifest["repeat"]["pixels"],
            samples=1,
            photometric="PALETTE",
            compression="LZW",
            dpi=manifest["repeat"]["dpi"],
        )
    )
    table = np.asarray(values_of(page).get(320, ())).reshape(3, -1).T[: len(manifest["palette"])]
    shown = tuple("#" + "".join(f"{value // 257:02x}" for value in colour) for colour in table.tolist())
    found += differences([("channels", "the palette", shown, tuple(manifest["palette"]))])
    yield from found
    if not found:
        digest = digest_of(page.asarray())
        yield from differences([("pixels", "the design", digest, manifest["spots"]["indices_sha256"])])
