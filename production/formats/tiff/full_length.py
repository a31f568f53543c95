"""The whole printed cloth as one BigTIFF: head, pattern at its ordered length, marks, foot; packed, or as it is.

The pattern comes back after one period of its layout, and the strips divide that period: a strip of pattern alone is
packed once and its bytes are written again wherever it comes back. Every strip stands in the file by itself, as TIFF
6.0 asks; none is shared. Written by our own writer, read back with tifffile.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from generation.domain.pattern import Layout
from production.cloth import rows
from production.domain.finding import Finding, misread
from production.domain.ink_tile import InkTile
from production.domain.sheet import Sheet
from production.domain.spec import PRINT
from production.errors import DiskFull
from production.files import sha256_of, write_bytes, write_together
from production.formats.tiff.reading import differences, read_with, separated_structure
from production.formats.tiff.tile import separated_tags
from production.formats.tiff.writing import PROCESS_INKS, Compression, Strip, packed, told, write_tiff
from production.ports import Manifest, Progress, RenderJob

_STRIP_BYTES = 1 << 20  # small ones: fewer hold a piece of a mark, and need be packed on their own
_HELD_STRIPS = 16
_SPARE_BYTES = 1 << 26  # left free on the disk for whoever else writes


class FullLength:
    """The sheet packed: deflate at its fastest, horizontal differences."""

    code = "bigtiff"
    kind = PRINT
    suffix = "-full"
    compression = Compression.DEFLATE

    def write(self, master: InkTile, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write the sheet strip by strip, and for more than four inks the profile beside it.

        Raises NoProcessInks, InkNameUnwritable; DiskFull before the first strip where its pixels don't fit, or after
        one period where what they pack to does not.
        """
        assert job.spec.inks is not None, "a printed line has inks"
        sheet = job.sheet
        row_bytes = sheet.width_px * len(master.inks)
        strip_rows = _strip_rows(_period(sheet), row_bytes)
        tags = separated_tags(
            master, job, size_px=(sheet.width_px, sheet.length_px), strip_rows=strip_rows, compression=self.compression
        )
        out = folder / f"{job.name}{self.suffix}.tif"
        folder.mkdir(parents=True, exist_ok=True)
        if self.compression is Compression.NONE:
            _refuse_over_free(out, row_bytes * sheet.length_px)
        count = -(-sheet.length_px // strip_rows)
        strips = told(_strips(master, sheet, strip_rows, self.compression, out), count, on_progress)
        files = {out: partial(write_tiff, tags=tags, strips=strips, big=True)}
        if len(master.inks) > PROCESS_INKS:
            files[out.with_suffix(".icc")] = partial(write_bytes, data=job.spec.inks.profile.path.read_bytes())
        write_together(files)
        return list(files)

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Read every strip back with tifffile: structure, the repeat and its copies, marks, bare cloth, ink in all.

        One repeat and one strip are held at a time.
        """
        if path.suffix == ".icc":
            return list(differences([("profile", path.name, sha256_of(path), manifest["profile"]["sha256"])]))
        compression = "NONE" if self.compression is Compression.NONE else "ADOBE_DEFLATE"
        return read_with(path, partial(_look, manifest=manifest, compression=compression))


class FullLengthRaw(FullLength):
    """The sheet as it is, for a RIP that unpacks nothing."""

    code = "bigtiff_raw"
    suffix = "-full-raw"
    compression = Compression.NONE


def _period(sheet: Sheet) -> int:
    """Rows after which the pattern comes back over its whole width."""
    return sheet.tile_px[1] * sheet.layout.period[1]


def _strip_rows(period: int, row_bytes: int) -> int:
    """Rows of a strip: the most that divide the period and stay under 1 MB; at least one."""
    most = max(1, _STRIP_BYTES // row_bytes)
    return max(rows for rows in range(1, min(most, period) + 1) if period % rows == 0)


def _strips(tile: InkTile, sheet: Sheet, strip_rows: int, compression: Compression, out: Path) -> Iterator[Strip | int]:
    """Each strip's bytes, or the number of the strip before that has the same."""
    period, end = _period(sheet), sheet.y_px + sheet.pattern_length_px
    marked = {
        strip
        for mark in sheet.marks
        for strip in range(mark.y_px // strip_rows, (mark.y_px + mark.height_px - 1) // strip_rows + 1)
    }
    count = -(-sheet.length_px // strip_rows)
    begin = -(-sheet.y_px // strip_rows)
    one_period = range(begin, begin + period // strip_rows)  # strips of pattern that show what all of it packs to
    first: dict[int, int] = {}
    period_bytes = 0
    for number in range(count):
        top = number * strip_rows
        bottom = min(top + strip_rows, sheet.length_px)
        alone = top >= sheet.y_px and bottom <= end and number not in marked
        phase = (top - sheet.y_px) % period
        if alone and phase in first:
            yield first[phase]
            continue
        strip = packed(rows(tile, sheet, top, bottom), compression)
        # What is not packed is copied from the tile as fast as from the file.
        if alone and compression is not Compression.NONE:
            first[phase] = number
        yield strip
        if number in one_period:
            period_bytes += len(strip)
            if number == one_period[-1] and compression is not Compression.NONE:
                _refuse_over_free(out, period_bytes * (count - one_period.stop) // len(one_period))


def _refuse_over_free(out: Path, size: int) -> None:
    free = shutil.disk_usage(out.parent).free
    if size + _SPARE_BYTES > free:
        raise DiskFull(
            f"The cloth at full length takes {size / 1e9:.1f} GB more and the disk has {free / 1e9:.1f} GB free: make "
            "room, order less length, or send one repeat and let the RIP step it.",
            fields={"path": out.name, "measured": f"{size} bytes", "limit": f"{free} bytes"},
        )


# ---------------------------------------------------------------------------------------------------- reading it back


def _look(file: tifffile.TiffFile, manifest: Manifest, compression: str) -> Iterator[Finding]:
    meant, page = manifest["sheet"], file.pages[0]
    found = list(separated_structure(file, manifest, size_px=meant["px"], compression=compression, big=True))
    yield from found
    if found:
        return
    repeat = _Repeat(page, meant)
    if repeat.rows_shown == meant["tile_px"][1]:
        for ink, digest in zip(manifest["separations"], repeat.digests(), strict=True):
            if digest != ink["sha256"]:
                yield misread("pixels", f"the first repeat, ink {ink['ink']}", digest, ink["sha256"])
                return
    reader = _Reader(meant, repeat)
    for number in range(len(page.dataoffsets)):
        if (where := reader.look(page, number)) is not None:
            yield misread("pixels", f"rows {number * page.rowsperstrip} and on", where, "the sheet of the job")
            return
    for mark, dots in zip(meant["marks"], reader.dots, strict=True):
        yield from differences([("pixels", f"{mark['kind']} {mark['name']}", dots, mark["dots"])])
    for total, ink in zip(reader.sums, manifest["ink"], strict=True):
        yield from differences([("ink", f"ink {ink['ink']}", int(total), ink["pattern_sum"] + ink["marks_sum"])])


class _Repeat:
    """The repeat at the pattern's upper left corner, read from the file as it is asked for."""

    def __init__(self, page: tifffile.TiffPage, meant: Manifest) -> None:
        self.left, self.top, _, long = meant["pattern_px"]
        self.width, self.height = meant["tile_px"]
        self.rows_shown = min(self.height, long)
        self.page = page
        # A strip of cloth shows one run of the repeat's rows per height that its columns stand at: three at most.
        self._strip = lru_cache(maxsize=_HELD_STRIPS)(self._read)

    def rows(self, wanted: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(len(wanted), width, C): these rows of the repeat."""
        found = np.empty((len(wanted), self.width, self.page.samplesperpixel), np.uint8)
        strips, within = np.divmod(self.top + wanted, self.page.rowsperstrip)
        for number in np.unique(strips):
            chosen = strips == number
            found[chosen] = self._strip(int(number))[within[chosen]]
        return found

    def digests(self) -> list[str]:
        """SHA-256 in hex of each ink's plane."""
        made = [hashlib.sha256() for _ in range(self.page.samplesperpixel)]
        for top in range(0, self.height, self.page.rowsperstrip):
            band = self.rows(np.arange(top, min(top + self.page.rowsperstrip, self.height)))
            for k, digest in enumerate(made):
                digest.update(np.ascontiguousarray(band[..., k]).data)
        return [digest.hexdigest() for digest in made]

    def _read(self, number: int) -> NDArray[np.uint8]:
        strip = _decoded(self.page, number, _bytes_of(self.page, number))
        return strip[:, self.left : self.left + self.width].copy()


class _Reader:
    """Goes through the strips: what it has seen so far."""

    def __init__(self, meant: Manifest, repeat: _Repeat) -> None:
        self.meant = meant
        self.repeat = repeat
        self.dots = [0] * len(meant["marks"])
        self.sums = np.zeros(repeat.page.samplesperpixel, np.int64)
        self._known: dict[tuple[int, int, bytes], NDArray[np.int64]] = {}  # what the same bytes at the same phase had

    def look(self, page: tifffile.TiffPage, number: int) -> str | None:
        """Read one strip; where it is not as meant, in words."""
        left, top, wide, long = self.meant["pattern_px"]
        first = number * page.rowsperstrip
        count = min(page.rowsperstrip, page.imagelength - first)
        marks = [
            (k, mark)
            for k, mark in enumerate(self.meant["marks"])
            if mark["px"][1] < first + count and mark["px"][1] + mark["px"][3] > first
        ]
        data = _bytes_of(page, number)
        alone = not marks and first >= top and first + count <= top + long
        layout = Layout(self.meant["layout"])
        period = self.meant["tile_px"][1] * layout.period[1]
        key = ((first - top) % period, count, hashlib.sha256(data).digest())
        if alone and key in self._known:
            self.sums += self._known[key]
            return None
        strip = _decoded(page, number, data)
        sums = cv2.reduce(strip, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).reshape(count, -1).sum(axis=0, dtype=np.int64)
        self.sums += sums
        for k, mark in marks:
            if (dots := _take_mark(strip, mark, first)) is None:
                return f"{mark['kind']} {mark['name']} in another colour"
            self.dots[k] += dots
        begin, end = max(first, top), min(first + count, top + long)
        if begin < end:
            pattern = strip[begin - first : end - first, left : left + wide]
            if not _is_pattern(pattern, self.repeat, layout, begin - top):
                return "another pattern"
            pattern[:] = 0
        if strip.any():
            return "ink on bare cloth"
        if alone:
            self._known[key] = sums
        return None


def _take_mark(strip: NDArray[np.uint8], mark: dict[str, Any], first: int) -> int | None:
    """How many dots of a mark stand in a strip, which are then wiped off; None where one is of another colour."""
    x, y, width, height = mark["px"]
    box = strip[max(0, y - first) : max(0, y + height - first), x : x + width]
    printed = (box == mark["ink"]).all(axis=2)
    if box[~printed].any():
        return None
    box[:] = 0
    return int(np.count_nonzero(printed))


def _is_pattern(pattern: NDArray[np.uint8], repeat: _Repeat, layout: Layout, first: int) -> bool:
    """Whether rows of the pattern, the first of which is its row `first`, are copies of the repeat in their layout.

    Rows of the repeat that a short cloth never shows at its first column are not compared.
    """
    width, height = repeat.width, repeat.height
    y = first + np.arange(len(pattern))
    for turn in range(first // height, int(y[-1]) // height + 1):
        chosen = np.flatnonzero(y // height == turn)
        part = pattern[chosen[0] : chosen[-1] + 1]
        line = y[chosen] % height
        if layout is Layout.MIRROR and turn % 2:
            line = height - 1 - line
        aside = int(turn * layout.shift * width) % width
        copies: dict[int, NDArray[np.uint8]] = {}  # by how much lower they stand
        for column, x in enumerate(range(aside - width, part.shape[1], width), start=-1):
            begin, end = max(x, 0), min(x + width, part.shape[1])
            if begin >= end:
                continue
            lower = int(column * layout.drop * height) % height
            source = (line - lower) % height
            seen = source < repeat.rows_shown
            if lower not in copies:
                copies[lower] = repeat.rows(source[seen])
            copy = copies[lower]
            if layout is Layout.MIRROR and column % 2:
                copy = copy[:, ::-1]
            if not np.array_equal(part[seen, begin:end], copy[:, begin - x : end - x]):
                return False
    return True


def _bytes_of(page: tifffile.TiffPage, number: int) -> bytes:
    handle = page.parent.filehandle
    handle.seek(page.dataoffsets[number])
    data: bytes = handle.read(page.databytecounts[number])
    return data


def _decoded(page: tifffile.TiffPage, number: int, data: bytes) -> NDArray[np.uint8]:
    """(rows, W, C) of a strip, writable. Raises ValueError where bytes are missing."""
    strip = page.decode(data, number)[0]
    count = min(page.rowsperstrip, page.imagelength - number * page.rowsperstrip)
    if strip is None or strip.shape[-3:] != (count, page.imagewidth, page.samplesperpixel):
        raise ValueError(f"strip {number} is not whole")
    return np.array(strip.reshape(strip.shape[-3:]))
