"""The cloth as it goes through the printer: where the repeats stand, and every mark around them, in whole pixels.

x runs from the left selvedge, y from the head; one pixel is one printed dot at the sheet's resolution, before the cloth
shrinks. Whatever is written at full length, and whatever reads a scan of the cloth, goes by these numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH, Layout
from production.domain.usage import FULL

PATCHES = 24
PATCH_COLUMNS = 12
PATCH_MM = 15.0
HEAD_MM = 60.0  # the band with colour bar, code and words before the pattern
FOOT_MM = 10.0
CLEAR_MM = 10.0  # bare cloth between the band's edge and its marks
QR_MM = 24.0
FIDUCIAL_EVERY_MM = 250.0
FIDUCIAL_CELL_MM = 1.2  # a marker is 6 x 6 cells, with a bare cell around it
FIDUCIAL_IDS = 1000  # of the dictionary; even ones on the left selvedge, odd ones on the right
FIDUCIAL_CELLS = 8
LETTER_MM = 4.0
CUT_MM = 0.6  # thickness of a cut mark
LEAST_SELVEDGE_MM = FIDUCIAL_CELLS * FIDUCIAL_CELL_MM

Mask = NDArray[np.bool_]
Lettering = Callable[[str, int], Mask]  # (words, height in pixels) -> the words as dots


@dataclass(frozen=True)
class Mark:
    """A thing printed beside the pattern: `ink` (0 to 255 per channel) wherever the mask is, or all over."""

    kind: str  # "patch", "fiducial", "qr", "text" or "cut"
    name: str
    x_px: int
    y_px: int
    width_px: int
    height_px: int
    ink: tuple[int, ...]
    mask: Mask | None = None  # (rows, columns) of cells; whole pixels each

    def dots(self) -> Mask:
        """(height_px, width_px): where the mark prints."""
        if self.mask is None:
            return np.ones((self.height_px, self.width_px), bool)
        rows, columns = self.mask.shape
        cells: Mask = np.kron(self.mask, np.ones((self.height_px // rows, self.width_px // columns), bool))
        return cells

    def count(self) -> int:
        """How many pixels the mark prints."""
        if self.mask is None:
            return self.width_px * self.height_px
        return int(np.count_nonzero(self.mask)) * (self.width_px * self.height_px // self.mask.size)


@dataclass(frozen=True)
class Placement:
    """One repeat on the cloth: its left upper corner, which may lie outside the pattern, and how it is turned."""

    x_px: int
    y_px: int
    flipped_x: bool = False
    flipped_y: bool = False


@dataclass(frozen=True)
class Sheet:
    """One piece of printed cloth."""

    dpi: float
    width_px: int  # the whole fabric
    length_px: int  # head, pattern and foot
    x_px: int  # where the pattern begins, with the repeat's first column and row
    y_px: int
    pattern_width_px: int  # the usable width: it cuts the last repeat
    pattern_length_px: int
    tile_px: tuple[int, int]  # (width, height)
    layout: Layout
    marks: tuple[Mark, ...] = ()

    def placements(self) -> Iterator[Placement]:
        """Every repeat that shows inside the pattern, column by column; those at its edges reach over them."""
        width, height = self.tile_px
        drop, shift = int(height * self.layout.drop), int(width * self.layout.shift)
        mirror = self.layout is Layout.MIRROR
        for column in range(-1 if shift else 0, math.ceil(self.pattern_width_px / width)):
            lower = column * drop % height
            for row in range(-1 if lower else 0, math.ceil((self.pattern_length_px - lower) / height)):
                x = column * width + row * shift % width
                if x >= self.pattern_width_px or x + width <= 0:
                    continue
                yield Placement(
                    self.x_px + x,
                    self.y_px + row * height + lower,
                    flipped_x=mirror and column % 2 == 1,
                    flipped_y=mirror and row % 2 == 1,
                )

    def mm(self, pixels: float) -> float:
        """A number of pixels in printed millimetres."""
        return pixels * MM_PER_INCH / self.dpi

    def as_dict(self) -> dict[str, Any]:
        """The geometry as plain JSON values: printed pixels and millimetres, for whoever finds the marks on a scan."""
        boxes = [
            {
                "kind": mark.kind,
                "name": mark.name,
                "px": [mark.x_px, mark.y_px, mark.width_px, mark.height_px],
                "mm": [round(self.mm(value), 3) for value in (mark.x_px, mark.y_px, mark.width_px, mark.height_px)],
                "ink": list(mark.ink),
                "dots": mark.count(),
            }
            for mark in self.marks
        ]
        return {
            "dpi": self.dpi,
            "px": [self.width_px, self.length_px],
            "mm": [round(self.mm(self.width_px), 3), round(self.mm(self.length_px), 3)],
            "pattern_px": [self.x_px, self.y_px, self.pattern_width_px, self.pattern_length_px],
            "tile_px": list(self.tile_px),
            "layout": self.layout.value,
            "marks": boxes,
        }


def lay_out(
    *,
    dpi: float,
    fabric_width_mm: float,
    pattern_px: tuple[int, int],
    tile_px: tuple[int, int],
    layout: Layout,
    channels: Sequence[str],
    tac_pct: float,
    words: str,
    code: str,
    lettering: Lettering,
) -> Sheet:
    """The sheet of a piece: pattern in the middle of the fabric, colour bar and code at its head, marks beside it.

    pattern_px: (width, length) of the pattern. channels: letters of the inks, C, M, Y, K first. words: on the selvedge
    and at the head; code: what the QR code says. Where the selvedge is narrower than LEAST_SELVEDGE_MM it stays bare.
    """

    def px(mm: float) -> int:
        return round(mm * dpi / MM_PER_INCH)

    width = max(px(fabric_width_mm), pattern_px[0])
    x, y = (width - pattern_px[0]) // 2, px(HEAD_MM)
    black = tuple(FULL if channel == "K" else 0 for channel in channels)
    end = y + pattern_px[1]
    marks = _colour_bar(px, x=x, room=pattern_px[0], channels=channels, tac_pct=tac_pct)
    right = max(mark.x_px + mark.width_px for mark in marks) + px(CLEAR_MM / 2)
    marks += _head(px, x=right, room=x + pattern_px[0] - right, code=code, words=words, ink=black, lettering=lettering)
    if x >= px(LEAST_SELVEDGE_MM):
        marks += _selvedge(px, width=width, x=x, y=y, end=end, words=words, ink=black, lettering=lettering)
    return Sheet(
        dpi=dpi,
        width_px=width,
        length_px=end + px(FOOT_MM),
        x_px=x,
        y_px=y,
        pattern_width_px=pattern_px[0],
        pattern_length_px=pattern_px[1],
        tile_px=tile_px,
        layout=layout,
        marks=tuple(marks),
    )


def patches(channels: Sequence[str], tac_pct: float) -> list[tuple[str, tuple[int, ...]]]:
    """The 24 patches of the colour bar as (name, ink per channel 0 to 255), none over the ink limit.

    Steps of every ink from solid down, the overprints of two and of three inks, greys of three inks, bare cloth.

    >>> [name for name, _ in patches("CMYK", 280)][:5]
    ['C 100', 'C 75', 'C 50', 'C 25', 'M 100']
    """
    levels = {4: (100, 75, 50, 25), 5: (100, 50, 25), 6: (100, 50, 25)}.get(len(channels), (100, 50))
    found = [(f"{one} {level}", {one: level}) for one in channels for level in levels]
    found += [("M+Y", {"M": 100, "Y": 100}), ("C+Y", {"C": 100, "Y": 100}), ("C+M", {"C": 100, "M": 100})]
    found += [("grey 50", {"C": 50, "M": 40, "Y": 40}), ("grey 75", {"C": 75, "M": 66, "Y": 66})]
    found += [("grey 25", {"C": 25, "M": 19, "Y": 19}), ("C+M+Y", {"C": 90, "M": 90, "Y": 90})]
    found = [*found[: PATCHES - 1], *[("cloth", {})] * max(1, PATCHES - len(found))][:PATCHES]
    made = []
    for name, given in found:
        percent = np.array([given.get(channel, 0) for channel in channels], np.float64)
        percent *= min(1.0, tac_pct / max(percent.sum(), 1e-9))
        made.append((name, tuple(int(value * FULL / 100) for value in percent)))
    return made


def qr_modules(code: str) -> Mask:
    """(n, n) bool: the dark cells of a QR code, without the quiet zone around it."""
    dark = cv2.QRCodeEncoder.create().encode(code) == 0
    # A row or column inside may well have no dark cell: only what lies outside of all of them is cut off.
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return np.asarray(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _colour_bar(
    px: Callable[[float], int], *, x: int, room: int, channels: Sequence[str], tac_pct: float
) -> list[Mark]:
    side = min(px(PATCH_MM), room // (2 * PATCH_COLUMNS))  # at most half the width
    return [
        Mark(
            "patch",
            name,
            x + number % PATCH_COLUMNS * side,
            px(CLEAR_MM) + number // PATCH_COLUMNS * side,
            side,
            side,
            ink,
        )
        for number, (name, ink) in enumerate(patches(channels, tac_pct))
    ]


def _head(
    px: Callable[[float], int],
    *,
    x: int,
    room: int,
    code: str,
    words: str,
    ink: tuple[int, ...],
    lettering: Lettering,
) -> list[Mark]:
    """The QR code beside the colour bar, and the words beside the code."""
    modules = qr_modules(code)
    cell = max(1, px(QR_MM) // len(modules))
    side = cell * len(modules)
    found = [Mark("qr", "code", x, px(CLEAR_MM), side, side, ink, modules)] if side <= room else []
    dots = lettering(words, px(LETTER_MM))
    left = x + side + px(CLEAR_MM / 2)
    dots = dots[:, : max(0, x + room - left)]
    if dots.size:
        found.append(Mark("text", "head", left, px(CLEAR_MM), dots.shape[1], dots.shape[0], ink, dots))
    return found


def _selvedge(
    px: Callable[[float], int],
    *,
    width: int,
    x: int,
    y: int,
    end: int,
    words: str,
    ink: tuple[int, ...],
    lettering: Lettering,
) -> list[Mark]:
    """Numbered markers every 250 mm on both selvedges, words between those on the left, cut marks at both ends."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000)
    cell, thick = max(1, px(FIDUCIAL_CELL_MM)), max(1, px(CUT_MM))
    side = 6 * cell
    every = px(FIDUCIAL_EVERY_MM)
    written = np.rot90(lettering(words, px(LETTER_MM)))
    found = []
    for step, top in enumerate(range(y + 2 * cell, end - side - 2 * cell, every)):
        for left, odd in ((x // 2 - side // 2, 0), (width - x // 2 - side // 2, 1)):
            number = (2 * step + odd) % FIDUCIAL_IDS
            dark = cv2.aruco.generateImageMarker(dictionary, number, 6) == 0
            found.append(Mark("fiducial", str(number), left, top, side, side, ink, dark))
        room = min(every - side, end - top - side) - 4 * cell  # two bare cells before and after
        if written.size and written.shape[0] <= room:
            at = (x // 2 - written.shape[1] // 2, top + side + 2 * cell)
            found.append(Mark("text", f"selvedge {step}", *at, written.shape[1], written.shape[0], ink, written))
    for name, top in (("beginning", y - thick), ("end", end)):
        found += [Mark("cut", name, left, top, x, thick, ink) for left in (0, width - x)]
    return found
