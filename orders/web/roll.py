"""Where things lie on the drawings of an inspected roll: numbers in, positions out. The templates draw them as SVG."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from production.domain.colour import lab_to_srgb
from production.domain.grading import Fault, Grade, Piece, Rule
from production.inspection.outcome import Colour, Inspected, Lab, Scanned, is_shown
from production.inspection.pictures import Shown

ROW_M: Final = 10  # metres in a row of the map, at most
LEAST_MARK_MM: Final = 12.0  # a mark in the viewer is no smaller: a pixel of cloth can't be seen, or pressed
LEAST_SHARE: Final = 0.7  # per cent of a row that a mark takes at least
LIES_MM: Final = (0.1, 0.2, 0.4, 0.8)  # classes of the residual: up to each, and beyond
ARROW: Final = 60  # times as long as a place is off
UNSURE: Final = 0.3  # confidence below which a place says little


@dataclass(frozen=True)
class Metre:
    """A metre of the map: where in its row in per cent, its points, and the picture to look at."""

    x: float
    width: float
    points: int
    from_m: float
    to_m: float
    strip: int
    seen: bool  # most of it is on a scan

    @property
    def middle(self) -> float:
        """Of its cell, in per cent of the row."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Mark:
    """A fault on the map, in per cent of its row, or of the viewer's picture in mm."""

    number: int
    x: float
    y: float
    width: float
    height: float
    kind: str
    points: int
    gone: bool = False  # a person said that it is none


@dataclass(frozen=True)
class Row:
    """A row of the map."""

    metres: tuple[Metre, ...]
    marks: tuple[Mark, ...]
    pieces: tuple[tuple[float, float], ...]  # x and width in per cent
    scale: tuple[tuple[float, str], ...]  # x in per cent, metres


@dataclass(frozen=True)
class Judged:
    """A colour in the table: as it was asked for and as it is, as sRGB; whether it is judged, and within its limit."""

    colour: Colour
    asked: str
    seen: str
    judged: bool
    within: bool
    share_pct: float


@dataclass(frozen=True)
class Lies:
    """How far one place lies aside of where it should, in the viewer's picture: an arrow, and its class."""

    x: float
    y: float
    side: float
    dx: float
    dy: float
    degree: int
    sure: bool


def rows(grade: Grade, pieces: Sequence[Piece], strips: Sequence[Shown], scans: Sequence[Scanned]) -> list[Row]:
    """The map of a roll, from its head on."""
    length_m = grade.length_mm / 1000
    count = max(1, math.ceil(length_m / ROW_M - 1e-9))
    row_m = max(1e-9, length_m if count == 1 else ROW_M)
    return [_row(grade, pieces, strips, scans, number * row_m, row_m) for number in range(count)]


def _row(
    grade: Grade,
    pieces: Sequence[Piece],
    strips: Sequence[Shown],
    scans: Sequence[Scanned],
    start: float,
    row_m: float,
) -> Row:
    length_m = grade.length_mm / 1000
    end = min(length_m, start + row_m)

    def at(metres: float) -> float:
        return round(100 * (metres - start) / row_m, 3)

    metres = []
    for number, points in enumerate(grade.per_metre):
        begin, stop = max(start, float(number)), min(end, number + 1.0)
        if stop - begin > 1e-6 and start - 1e-9 <= number < end:
            strip = max(0, sum(each.from_mm <= 1000 * begin + 1 for each in strips) - 1)
            seen = points > 0 or is_shown(scans, 1000 * begin, 1000 * stop)
            metres.append(Metre(at(begin), at(stop) - at(begin), points, begin, stop, strip, seen))
    good = [(max(start, each.from_m), min(end, each.to_m)) for each in pieces]
    shown = [_on_map(each, grade.width_mm, start, row_m) for each in grade.faults
             if each.end_mm / 1000 >= start and each.y_mm / 1000 < end]  # fmt: skip
    step = 1 if row_m > 2 else 0.5 if row_m > 1 else 0.1
    ticks = [start + number * step for number in range(int((end - start) / step + 1e-6) + 1)]
    return Row(
        metres=tuple(metres),
        marks=tuple(shown),
        pieces=tuple((at(begin), round(at(stop) - at(begin), 3)) for begin, stop in good if stop > begin),
        scale=tuple((at(each), f"{each:g}") for each in ticks),
    )


def _on_map(fault: Fault, width_mm: float, start: float, row_m: float) -> Mark:
    """Along the row to scale, across it too: what is smaller than can be seen is drawn a little larger."""
    x = 100 * (fault.y_mm / 1000 - start) / row_m
    wide = max(LEAST_SHARE, 100 * fault.height_mm / 1000 / row_m)
    y, high = 100 * fault.x_mm / width_mm, max(4.0, 100 * fault.width_mm / width_mm)
    x, y = min(max(0.0, x), 100 - LEAST_SHARE), min(y, 96.0)
    # The left edge of the cloth is at the foot, as on paper.
    return Mark(fault.numbers[0], round(x, 3), round(100 - y - min(high, 100 - y), 3), round(min(wide, 100 - x), 3),
                round(min(high, 100 - y), 3), fault.kind, fault.points)  # fmt: skip


def frame(shown: Shown) -> tuple[float, float]:
    """Width and height of what the viewer shows, in mm."""
    return round(shown.right_mm - shown.left_mm, 2), round(shown.to_mm - shown.from_mm, 2)


def marks(outcome: Inspected, shown: Shown, *, gone: Collection[int]) -> list[Mark]:
    """The defects that the viewer's picture shows, in its mm; small ones have a frame that can be seen."""
    width, height = frame(shown)
    least = LEAST_MARK_MM * width / 1400
    found = []
    for each in outcome.defects:
        x, y = each.x_mm - shown.left_mm, each.y_mm - shown.from_mm
        if x > width or y > height or x + each.width_mm < 0 or y + each.height_mm < 0:
            continue
        wide, high = max(each.width_mm, least), max(each.height_mm, least)
        x, y = x - (wide - each.width_mm) / 2, y - (high - each.height_mm) / 2
        edge = least / 2
        found.append(
            Mark(each.number, round(x - edge, 2), round(y - edge, 2), round(wide + 2 * edge, 2),
                 round(high + 2 * edge, 2), str(each.kind or ""), 0, each.number in gone)
        )  # fmt: skip
    return found


def blocks(outcome: Inspected, shown: Shown) -> list[Lies]:
    """How the places of a stretch lie on their source."""
    at = outcome.registration
    if at is None or not at.blocks:
        return []
    columns = sorted({each.x_mm for each in at.blocks})
    side = min((b - a for a, b in pairwise(columns)), default=40.0)
    found = []
    for each in at.blocks:
        if not shown.from_mm <= each.y_mm <= shown.to_mm:
            continue
        degree = sum(math.hypot(each.dx_mm, each.dy_mm) > limit for limit in LIES_MM)
        found.append(
            Lies(round(each.x_mm - shown.left_mm, 1), round(each.y_mm - shown.from_mm, 1), round(side, 1),
                 round(ARROW * each.dx_mm, 1), round(ARROW * each.dy_mm, 1), degree, each.confidence >= UNSURE)
        )  # fmt: skip
    return found


def colours(outcome: Inspected, rule: Rule | None) -> list[Judged]:
    """The colours, the farthest first."""
    least, most = (rule.least_share, rule.most_de00) if rule is not None else (0.0, math.inf)
    return [
        Judged(
            each, _srgb(each.asked_lab), _srgb(each.seen_lab), each.share >= least, each.de00 <= most, 100 * each.share
        )
        for each in sorted(outcome.colours, key=lambda each: -each.de00)
    ]


def _srgb(lab: Lab) -> str:
    return "#" + bytes(lab_to_srgb(np.array(lab)).tolist()).hex()
