"""How motif units fill a repeat: how many, and how columns or rows of units stand to each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from generation.domain.pattern import Knobs, Layout, Repeat

_UNIT_MM = 85.0  # one motif cell of a design that says nothing about its scale
_SCALE_WORDS: dict[str, float] = {
    "ditsy": 0.75, "micro": 0.6, "tiny": 0.6, "small": 0.75, "little": 0.8, "fine": 0.85, "delicate": 0.9, "mini": 0.6,
    "medium": 1.0, "large": 1.45, "big": 1.45, "bold": 1.2, "oversized": 1.9, "huge": 1.9, "giant": 1.9,
    "large-scale": 1.45, "small-scale": 0.75,
}  # fmt: skip
_AS_ASKED = Knobs()
# What a drawing may cost: each cell is one pass of the network per step. Rows that come in threes would otherwise go
# from nine cells to eighteen with nothing square between.
_MOST_CELLS, _MOST_CELLS_IN_THIRDS = 25, 36


@dataclass(frozen=True)
class Cells:
    """A lattice of motif units that fills one repeat exactly; the sheet it makes wraps as `layout` says."""

    columns: int
    rows: int
    layout: Layout
    dropped: Layout = Layout.STRAIGHT  # how the units themselves stand: columns of them dropped, or rows shifted

    def origins(self) -> list[tuple[float, float]]:
        """Top left corner (x, y) of every unit, in units, row by row."""
        return [
            (x + float(y * self.dropped.shift % 1), y + float(x * self.dropped.drop % 1))
            for y in range(self.rows)
            for x in range(self.columns)
        ]


def motif_zoom(knobs: Knobs) -> float:
    """How much larger a motif stands in its unit: what makes units denser makes them smaller, but not the motif."""
    return math.sqrt(knobs.density)


def asked_unit_mm(words: str, knobs: Knobs) -> float:
    """The side in mm that a unit should have by the words and the knobs; what fits the repeat may be another."""
    return _UNIT_MM * _scale(words) * knobs.scale / motif_zoom(knobs)


def cells_for(repeat: Repeat, words: str, *, islands: bool, knobs: Knobs = _AS_ASKED, in_pairs: bool = False) -> Cells:
    """The lattice for a repeat: units of about 85 mm, scaled by words of size, compatible with the repeat's layout.

    `islands` are motifs that stand alone: their columns (or rows) may be dropped by half a unit where that closes over
    the repeat. Patterns that run on get whole units across the layout's shift. in_pairs: an even number of columns, so
    that two motifs can take turns.
    """
    unit_mm = min(asked_unit_mm(words, knobs), repeat.width_mm, repeat.height_mm)
    columns, rows = _counts(repeat, unit_mm, in_pairs=in_pairs)
    layout = repeat.layout
    most = _MOST_CELLS_IN_THIRDS if layout is Layout.THIRD_DROP else _MOST_CELLS
    while columns * rows > most:
        unit_mm *= 1.1
        columns, rows = _counts(repeat, unit_mm, in_pairs=in_pairs)
    if layout is Layout.HALF_DROP:
        return _half_drop(columns, rows, islands=islands)
    if layout is Layout.HALF_BRICK:
        turned = _half_drop(rows, columns, islands=islands)
        dropped = Layout.HALF_BRICK if turned.dropped is Layout.HALF_DROP else Layout.STRAIGHT
        return Cells(turned.rows, turned.columns, Layout.HALF_BRICK, dropped)
    ways = {Layout.STRAIGHT: (Layout.HALF_DROP,), Layout.THIRD_DROP: (Layout.THIRD_DROP, Layout.HALF_DROP)}
    fitting = (way for way in ways.get(layout, ()) if islands and columns % way.drop.denominator == 0)
    return Cells(columns, rows, layout, next(fitting, Layout.STRAIGHT))


def _counts(repeat: Repeat, unit_mm: float, *, in_pairs: bool) -> tuple[int, int]:
    """(columns, rows) of units about that size and about square; pairs are even both ways, as a drop needs it.

    In a third-drop the next repeat stands whole units lower: its rows come in threes, the columns follow.
    """
    if repeat.layout is Layout.THIRD_DROP:
        rows, step = 3 * max(1, round(repeat.height_mm / unit_mm / 3)), 1 + in_pairs
        column_mm = max(repeat.height_mm / rows, unit_mm / 2)  # in a low repeat units become wide rather than too many
        return step * max(1, round(repeat.width_mm / column_mm / step)), rows
    if not in_pairs:
        return max(1, round(repeat.width_mm / unit_mm)), max(1, round(repeat.height_mm / unit_mm))
    columns = 2 * max(1, round(repeat.width_mm / unit_mm / 2))
    row_mm = repeat.width_mm / columns
    if columns == 2:  # no fewer: in a narrow, tall repeat units become tall rather than too many
        row_mm = max(row_mm, unit_mm)
    if repeat.layout in (Layout.HALF_DROP, Layout.HALF_BRICK):
        return columns, 2 * max(1, round(repeat.height_mm / row_mm / 2))
    return columns, max(1, round(repeat.height_mm / row_mm))


def _half_drop(columns: int, rows: int, *, islands: bool) -> Cells:
    """Column `columns` is column 0 moved by rows / 2 units, so both must agree on whole or half units."""
    if not islands:
        return Cells(columns, rows + rows % 2, Layout.HALF_DROP)
    if (columns + rows) % 2:
        columns, rows = (columns - 1, rows) if columns > rows else (columns, rows - 1)
    return Cells(columns, rows, Layout.HALF_DROP, Layout.HALF_DROP)


def _scale(words: str) -> float:
    tokens = words.lower().replace(",", " ").split()
    factors = [_SCALE_WORDS[token] for token in tokens if token in _SCALE_WORDS]
    return max(factors, key=lambda factor: abs(factor - 1)) if factors else 1.0
