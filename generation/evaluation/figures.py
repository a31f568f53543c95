"""Figures with their bounds, as a table for people and as a file for the next measurement."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parent / "figures.json"


@dataclass(frozen=True)
class Figure:
    """One measured number, and the bound it has to keep if there is one."""

    what: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the bound is kept; None where there is none. What could not be measured (nan) keeps none."""
        if self.at_least is None and self.at_most is None:
            return None
        low = self.at_least is None or self.value >= self.at_least
        high = self.at_most is None or self.value <= self.at_most
        return low and high

    @property
    def bound(self) -> str:
        """The bound in signs."""
        parts = [f"≥ {self.at_least:g}"] if self.at_least is not None else []
        return " and ".join(parts + ([f"≤ {self.at_most:g}"] if self.at_most is not None else []))


def table(title: str, figures: Sequence[Figure]) -> str:
    """The figures as lines of text: what, value, bound, and whether it holds.

    >>> print(table("speed", [Figure("first preview", 1.234, "s", at_most=2)]))
    speed
      first preview                                                               1.234 s      ≤ 2          holds
    """
    lines = [title]
    for figure in figures:
        if not _in_grid(figure):
            said = {None: "", True: "holds", False: "DOES NOT HOLD"}[figure.holds]
            value = f"{figure.value:.4g} {figure.unit}".strip()
            lines.append(f"  {figure.what:<75} {value:<12} {figure.bound:<12} {said}".rstrip())
    return "\n".join(lines + _grids([figure for figure in figures if _in_grid(figure)]))


def _in_grid(figure: Figure) -> bool:
    return figure.what.count(": ") == 2  # "grid: row: column"


def _grids(figures: Sequence[Figure]) -> list[str]:
    lines: list[str] = []
    cells = {tuple(figure.what.split(": ")): figure for figure in figures}
    for grid in dict.fromkeys(place[0] for place in cells):
        columns = list(dict.fromkeys(place[2] for place in cells if place[0] == grid))
        lines += ["", f"  {grid:<60}" + "".join(f"{column:>9}" for column in columns)]
        for row in dict.fromkeys(place[1] for place in cells if place[0] == grid):
            here = [cells.get((grid, row, column)) for column in columns]
            marks = {None: "", True: "", False: "!"}
            values = ["" if cell is None else f"{marks[cell.holds]}{cell.value:.1f}{cell.unit}" for cell in here]
            lines.append(f"  {row:<60}" + "".join(f"{value:>9}" for value in values))
            lines += [f"    {c}: {cell.bound}, {'holds' if cell.holds else 'DOES NOT HOLD'}"
                      for c, cell in zip(columns, here, strict=True) if cell is not None and cell.bound]  # fmt: skip
    return lines


def keep(part: str, figures: Sequence[Figure], *, fingerprint: str, seconds: float, path: Path = FILE) -> None:
    """Write one part's figures into the file; the other parts stay as they were. What was not measured is null."""
    there = json.loads(path.read_text()) if path.exists() else {}
    there[part] = {
        "generator": fingerprint,
        "seconds": round(seconds, 1),
        "figures": [_said(figure) for figure in figures],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(there, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _said(figure: Figure) -> dict[str, object]:
    value = None if math.isnan(figure.value) else float(f"{figure.value:.5g}")
    said: dict[str, object] = {"what": figure.what, "value": value}
    optional = {"unit": figure.unit or None, "bound": figure.bound or None, "holds": figure.holds}
    return said | {name: each for name, each in optional.items() if each is not None}
