"""Reads a PDF/X-4 of the cloth back with pikepdf and compares it with the manifest: nothing here knows the writer."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
from numpy.typing import NDArray

from generation.domain.pattern import Layout
from production.colour_profiles import PROFILES
from production.domain.finding import Finding, misread, passed
from production.formats.pdf.page import Box, around, drawn, shared
from production.formats.pdf.preflight import broken_rules

NEAR_PX = 0.01  # how far from a whole pixel a place may lie: a thousandth of what a press can show
_CHUNK = 1 << 22
_HOUSE_PROFILE = PROFILES / "reactive-cmyk-cotton-synthetic.icc.sha256"
_CMYK = ("Cyan", "Magenta", "Yellow", "Black")
_CHANNELS = ("C", "M", "Y", "K")


def findings(path: Path, manifest: Any) -> list[Finding]:
    """What is not as the manifest says in a file of the PDF/X-4 formats; nothing where all is."""
    if path.suffix == ".icc":
        return list(
            _same("the inks' profile", hashlib.sha256(path.read_bytes()).hexdigest(), manifest["profile"]["sha256"])
        )
    return _read(path, lambda pdf: [*_profile(pdf, manifest), *_cloth(pdf, manifest)])


def roll_findings(path: Path, roll: Any) -> list[Finding]:
    """What is not as the roll's manifest says in the PDF/X-4 of several orders; nothing where all is."""
    return _read(path, lambda pdf: _roll(pdf, roll))


def _read(path: Path, compare: Callable[[pikepdf.Pdf], Iterable[Finding]]) -> list[Finding]:
    """The preflight's findings, and where there is no error among them those of `compare`."""
    try:
        with pikepdf.open(path, attempt_recovery=False) as pdf:
            found = broken_rules(pdf)
            return found if not passed(found) else [*found, *compare(pdf)]
    except Exception as error:  # a damaged file can make a parser raise anything
        return [misread("readable", "the file", f"{type(error).__name__}: {error}"[:200], "a whole PDF")]


def _profile(pdf: pikepdf.Pdf, manifest: Any) -> Iterator[Finding]:
    """The output intent is the inks' own profile, or the house's of four inks where theirs is of another number."""
    data = pdf.Root.OutputIntents[0].DestOutputProfile.read_bytes()
    house = _HOUSE_PROFILE.read_text(encoding="ascii").split()[0]
    meant = manifest["profile"]["sha256"] if len(manifest["separations"]) == len(_CHANNELS) else house
    yield from _same("the output intent's profile", hashlib.sha256(data).hexdigest(), meant)


def _cloth(pdf: pikepdf.Pdf, manifest: Any) -> Iterator[Finding]:
    """Boxes, picture, placements and marks of every page."""
    sheet = manifest["sheet"]
    above = 0
    repeats: dict[tuple[int, int], pikepdf.Object] = {}
    for count, page in enumerate(pdf.pages, 1):
        where = f"page {count}"
        trim = yield from _trim(page.obj, sheet, where)
        if trim is None:
            return
        below = above + trim.rows
        stretch = _Stretch(sheet, trim.pixel, trim.left, trim.top, above, below)
        repeat = yield from stretch.compare(page.obj, where)
        if repeat is not None:
            repeats[repeat.objgen] = repeat
        above = below
    if above != sheet["px"][1]:
        yield misread("boxes", "the length of all pages", f"{above} px", f"{sheet['px'][1]} px")
    if len(repeats) != 1:
        yield misread("placements", "pictures of the repeat", str(len(repeats)), "1")
    else:
        yield from _planes(next(iter(repeats.values())), manifest)


def _roll(pdf: pikepdf.Pdf, roll: Any) -> Iterator[Finding]:
    """Each piece where the roll's manifest says, and between them nothing but the marks that it tells."""
    page = pdf.pages[0].obj
    trim = yield from _trim(page, roll, "the roll")
    if trim is None:
        return
    if (len(pdf.pages), trim.rows) != (1, roll["px"][1]):
        yield misread("boxes", "the roll", f"{trim.rows} px, {len(pdf.pages)} pages", f"{roll['px'][1]} px, 1 page")
        return
    end = 0
    for piece in roll["pieces"]:
        where, first = f"{piece['reference']} r{piece['revision']}", piece["from_px"]
        yield from _between(page, roll, trim, end, first)
        end = first + piece["sheet"]["px"][1]
        stretch = _Stretch(piece["sheet"], trim.pixel, trim.left, trim.top - first, 0, end - first)
        repeat = yield from stretch.compare(page, where)
        if repeat is None:
            yield misread("placements", where, "no repeat", "its repeat")
        else:
            yield from _planes(repeat, piece)
    yield from _between(page, roll, trim, end, trim.rows)


def _between(page: pikepdf.Object, roll: Any, trim: _Trim, above: int, below: int) -> Iterator[Finding]:
    """The roll's own marks from one row to another, and no repeat there."""
    if below <= above:
        return
    bare = {"pattern_px": [0, 0, 0, 0], "tile_px": [1, 1], "layout": Layout.STRAIGHT, "marks": roll["marks"]}
    repeat = yield from _Stretch(bare, trim.pixel, trim.left, trim.top - above, above, below).compare(page, "a gap")
    if repeat is not None:
        yield misread("placements", "a gap", "a repeat", "none")


@dataclass(frozen=True)
class _Trim:
    """A page's trim box."""

    pixel: float  # in units of the page
    left: int  # in pixels
    top: int
    rows: int


def _trim(page: pikepdf.Object, meant: Any, where: str) -> Generator[Finding, None, _Trim | None]:
    """The trim box in whole pixels, upright, as wide as the sheet or roll that is meant and as the page."""
    if int(page.get("/Rotate", 0)):
        yield misread("boxes", where, f"turned by {int(page.Rotate)} degrees", "upright")
        return None
    if states := sorted(page.get("/Resources", {}).get("/ExtGState", {})):
        yield misread("structure", f"{where}, states of graphics such as overprinting", ", ".join(states), "none")
    pixel = Fraction(72) / Fraction(str(meant["dpi"])) / Fraction(str(page.get("/UserUnit", 1)))
    left, foot, right, top = (float(Fraction(str(side)) / pixel) for side in page.TrimBox)
    media = [float(Fraction(str(side)) / pixel) for side in page.MediaBox]
    if max(abs(edge - round(edge)) for edge in (left, foot, right, top, *media)) > NEAR_PX:
        yield misread("boxes", where, "a box between two pixels", "whole pixels")
        return None
    if (media[0], media[2]) != (left, right) or round(right - left) != meant["px"][0]:
        yield misread("boxes", f"{where}, width", f"{right - left:.0f} px", f"{meant['px'][0]} px")
        return None
    return _Trim(float(pixel), round(left), round(top), round(top) - round(foot))


@dataclass(frozen=True)
class _Stretch:
    """The cloth on one page, rows `above` to `below`, in pixels from the left selvedge and the head of the cloth."""

    sheet: Any
    pixel: float  # in units of the page
    left: int
    top: int  # of the trim box, over the page's own zero
    above: int
    below: int

    def compare(self, page: pikepdf.Object, where: str) -> Generator[Finding, None, pikepdf.Object | None]:
        """Findings on the page; returns the picture of the repeat."""
        repeat: pikepdf.Object | None = None
        placed, stamped = [], Counter[tuple[tuple[int, ...], tuple[int, ...], int]]()
        pattern = self._pattern()
        for each in drawn(page):
            clip = self._box(each.clip)
            if clip[1] >= self.below or clip[3] <= self.above:
                continue  # beside the cloth
            if each.picture is None:
                yield misread("placements", where, "something painted on the cloth that is no picture", "pictures only")
                return repeat
            a, b, c, d, _, _ = each.matrix
            box = self._box(around(each.matrix))
            if box[1] >= self.below or box[3] <= self.above:
                continue
            rounded = tuple(round(side) for side in box)
            if b or c or max(map(abs, np.subtract(box, rounded))) > NEAR_PX:
                yield misread("placements", where, "a picture between two pixels", "whole pixels")
                return repeat
            if each.picture.get("/ImageMask", False):
                ink = tuple(round(value * 255) for value in each.fill)
                stamped[(_sized(rounded), ink, _dots(each.picture, rounded))] += 1
                continue
            if repeat is not None and repeat.objgen != each.picture.objgen:
                yield misread("placements", where, "two pictures", "one picture, placed again and again")
                return repeat
            repeat = each.picture
            if any(abs(at - meant) > NEAR_PX for at, meant in zip(clip, pattern, strict=True)):
                yield misread("placements", f"{where}, cut of the pattern", str(clip), str(pattern))
                return repeat
            placed.append((rounded, a < 0, d < 0))
        yield from self._placements(placed, where)
        yield from self._marks(stamped, where)
        return repeat

    def _box(self, box: Box) -> Box:
        """A box of the page as (left, first row, right, last row) of the cloth."""
        left, foot, right, top = box
        rows = (self.above + self.top - side / self.pixel for side in (top, foot))
        first, last = rows
        return (left / self.pixel - self.left, first, right / self.pixel - self.left, last)

    def _pattern(self) -> Box:
        x, y, width, length = self.sheet["pattern_px"]
        return (x, max(y, self.above), x + width, min(y + length, self.below))

    def _placements(self, placed: Sequence[tuple[tuple[int, ...], bool, bool]], where: str) -> Iterator[Finding]:
        """Each repeat stands where its layout puts it, none stands twice, and together they cover the pattern."""
        x, y, _, _ = self.sheet["pattern_px"]
        width, height = self.sheet["tile_px"]
        layout = Layout(self.sheet["layout"])
        pattern = self._pattern()
        covered = 0.0
        for (left, first, right, last), mirrored, upside_down in placed:
            column, row = Fraction(left - x, width), Fraction(first - y, height)
            column -= (row.__floor__() * layout.shift) % 1 if layout.shift else 0
            row -= (column.__floor__() * layout.drop) % 1 if layout.drop else 0
            odd = layout is Layout.MIRROR and column % 2 == 1, layout is Layout.MIRROR and row % 2 == 1
            size = (right - left, last - first)
            if column.denominator != 1 or row.denominator != 1 or size != (width, height):
                yield misread("placements", where, f"a repeat at {left}, {first} of {size} px", f"by {layout.value}")
                return
            if (mirrored, upside_down) != odd:
                yield misread("placements", where, f"a repeat at {left}, {first} turned over", f"by {layout.value}")
                return
            shown = shared((left, first, right, last), pattern)
            covered += max(0, shown[2] - shown[0]) * max(0, shown[3] - shown[1])
        area = max(0, pattern[2] - pattern[0]) * max(0, pattern[3] - pattern[1])
        if len(set(placed)) != len(placed) or covered != area:
            yield misread(
                "placements", where, f"{covered:.0f} px covered by {len(placed)}", f"{area:.0f} px, each once"
            )

    def _marks(self, stamped: Counter[tuple[tuple[int, ...], tuple[int, ...], int]], where: str) -> Iterator[Finding]:
        meant = Counter(
            (tuple(mark["px"]), tuple(mark["ink"]), mark["dots"])
            for mark in self.sheet["marks"]
            if mark["px"][1] < self.below and mark["px"][1] + mark["px"][3] > self.above
        )
        if stamped != meant:
            astray = next(iter((stamped - meant) or (meant - stamped)))
            yield misread(
                "marks", f"{where}, a mark of {astray[2]} dots", str(astray[0]), f"{len(meant)} marks as told"
            )


def _planes(picture: pikepdf.Object, manifest: Any) -> Iterator[Finding]:
    """The picture's inks are the job's, in their order, and each plane is the one that was meant."""
    width, height = manifest["sheet"]["tile_px"]
    meant = manifest["separations"]
    names = [dict(zip(_CHANNELS, _CMYK, strict=True)).get(each["channel"], each["ink"]) for each in meant]
    space = picture.ColorSpace
    told = list(_CMYK) if space == "/DeviceCMYK" else [str(each).removeprefix("/") for each in space[1]]
    facts = (
        ("pixels", "size of the repeat", (int(picture.Width), int(picture.Height)), (width, height)),
        ("structure", "inks", told, names),
        ("structure", "bits", int(picture.BitsPerComponent), 8),
        # each of them would print other inks than its planes have, or none
        (
            "structure",
            "what changes the picture",
            [key for key in ("/Decode", "/Mask", "/SMask") if key in picture],
            [],
        ),
    )
    for code, where, measured, limit in facts:
        if measured != limit:
            yield misread(code, where, str(measured), str(limit))
            return
    digests = [hashlib.sha256() for _ in names]
    rows = 0
    for band in _bands(picture, width, len(names)):
        rows += len(band)
        for plane, digest in enumerate(digests):
            digest.update(np.ascontiguousarray(band[..., plane]).data)
    if rows != height:
        yield misread("pixels", "rows of the repeat", str(rows), str(height))
    for each, digest in zip(meant, digests, strict=True):
        if digest.hexdigest() != each["sha256"]:
            yield misread("pixels", f"ink {each['ink']}", digest.hexdigest(), each["sha256"])


def _bands(picture: pikepdf.Object, width: int, inks: int) -> Iterator[NDArray[np.uint8]]:
    """The picture in bands (rows, width, inks), inflated and with its rows put together again, a few at a time."""
    row_bytes = width * inks + 1  # a filter byte before each row
    packed, reader = picture.read_raw_bytes(), zlib.decompressobj()
    last, waiting = np.zeros(width * inks, np.uint8), bytearray()
    for start in range(0, len(packed), _CHUNK):
        piece = packed[start : start + _CHUNK]
        while piece:
            waiting += reader.decompress(piece, _CHUNK * 8)
            piece = reader.unconsumed_tail
            whole = len(waiting) // row_bytes * row_bytes
            if not whole:
                continue
            rows = np.frombuffer(bytes(waiting[:whole]), np.uint8).reshape(-1, row_bytes)
            del waiting[:whole]
            if (rows[:, 0] != 2).any():
                raise ValueError("a row that is not told by the one above it")
            band = rows[:, 1:].copy()
            band[0] += last
            np.add.accumulate(band, axis=0, dtype=np.uint8, out=band)
            last = band[-1]
            yield band.reshape(-1, width, inks)
    if not reader.eof or waiting:
        raise ValueError("the picture ends too early")


def _dots(mask: pikepdf.Object, box: tuple[int, ...]) -> int:
    """How many pixels a shape prints when it is stretched over a box."""
    columns, rows = int(mask.Width), int(mask.Height)
    packed = np.frombuffer(mask.read_bytes(), np.uint8).reshape(rows, -1)
    cells = int(np.unpackbits(packed, axis=1)[:, :columns].sum())
    if [int(value) for value in mask.get("/Decode", [0, 1])] == [0, 1]:
        cells = rows * columns - cells
    return cells * (box[2] - box[0]) * (box[3] - box[1]) // (rows * columns)


def _sized(box: tuple[int, ...]) -> tuple[int, ...]:
    left, first, right, last = box
    return (left, first, right - left, last - first)


def _same(where: str, measured: str, limit: str) -> Iterator[Finding]:
    if measured != limit:
        yield misread("profile", where, measured, limit)
