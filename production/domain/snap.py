"""From the repeat a customer asks for to one that a printer or a loom can make: whole pixels, whole threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd, lcm

from generation.domain.pattern import MM_PER_INCH, Repeat
from production.domain.weave import weave_named, weave_size
from production.errors import (
    RepeatDoesNotFitHarness,
    RepeatTooLarge,
    RepeatTooSmall,
    RepeatTooWide,
    WeavesDoNotFitHarness,
)

SMALLEST_REPEAT_MM = 10.0
LARGEST_TILE_PX = 64_000_000
RESOLUTIONS_DPI = (300.0, 240.0, 200.0, 180.0, 150.0)  # the finest that fits is taken
MOST_PICKS = 12_000  # of one woven repeat
HARNESS_TOLERANCE = 0.05  # how far a woven repeat's width may move without asking the customer


@dataclass(frozen=True)
class Snapped:
    """A repeat as it will be made."""

    repeat: Repeat  # finished size
    width_px: int  # printed pixels, or ends
    height_px: int  # printed pixels, or picks
    dpi: float  # 0 on a loom
    printed_width_mm: float
    printed_height_mm: float
    changes: tuple[str, ...]


def resolution_dpi(*, width_mm: float, height_mm: float) -> float:
    """The resolution for a tile of this printed size: 300 dpi up to 64 megapixels, less for more, at least 150.

    Raises RepeatTooLarge where 150 dpi still makes more pixels than that.

    >>> resolution_dpi(width_mm=330, height_mm=330)
    300.0
    """
    for dpi in RESOLUTIONS_DPI:
        if width_mm * height_mm * (dpi / MM_PER_INCH) ** 2 <= LARGEST_TILE_PX:
            return dpi
    lowest = RESOLUTIONS_DPI[-1]
    most_m2 = LARGEST_TILE_PX * (MM_PER_INCH / lowest / 1000) ** 2
    raise RepeatTooLarge(
        f"A repeat of {width_mm:.0f} x {height_mm:.0f} mm is too large to print sharply: at {lowest:.0f} dpi, the "
        f"lowest we print, {most_m2:.2f} m² is the most. Make the repeat smaller.",
        fields={"field": "repeat_mm", "measured": f"{width_mm * height_mm / 1e6:.3f} m²", "limit": f"{most_m2:.3f} m²"},
    )


def snap_print(asked: Repeat, *, shrink_warp: float, shrink_weft: float, usable_width_mm: float) -> Snapped:
    """The repeat at printed size, in whole pixels its layout can be cut at, so that the shrunk cloth shows `asked`.

    Raises RepeatTooSmall, RepeatTooWide or RepeatTooLarge.
    """
    _check_smallest(asked)
    widest_mm = usable_width_mm * (1 - shrink_weft)
    if asked.width_mm > widest_mm:
        raise _too_wide(asked, widest_mm, "this fabric can be printed")
    width_mm, height_mm = asked.width_mm / (1 - shrink_weft), asked.height_mm / (1 - shrink_warp)
    dpi = resolution_dpi(width_mm=width_mm, height_mm=height_mm)
    width_px, height_px = replace(asked, width_mm=width_mm, height_mm=height_mm).pixels(dpi)
    pixel_mm = MM_PER_INCH / dpi
    printed_mm = (width_px * pixel_mm, height_px * pixel_mm)
    repeat = Repeat(printed_mm[0] * (1 - shrink_weft), printed_mm[1] * (1 - shrink_warp), asked.layout)
    return Snapped(repeat, width_px, height_px, dpi, *printed_mm, changes=_changes(asked, repeat, "whole pixels"))


def snap_weave(
    asked: Repeat,
    *,
    ends_per_cm: float,
    picks_per_cm: float,
    harness_ends: int,
    hooks: int,
    weaves: tuple[str, ...],
    two_wefts: bool = False,
) -> Snapped:
    """The repeat in ends and picks: its copies divide the harness, and the weaves used divide it in both directions.

    Raises RepeatTooSmall, RepeatTooWide, RepeatTooLarge, WeavesDoNotFitHarness where no part of the harness can be
    divided by the weaves, or RepeatDoesNotFitHarness naming the nearest widths that fit.
    """
    _check_smallest(asked)
    across, along = asked.layout.period
    size = weave_size(weaves, two_wefts=two_wefts)
    most = min(hooks, harness_ends)
    end_mm, pick_mm = 10 / ends_per_cm, 10 / picks_per_cm
    if asked.width_mm > most / across * end_mm * (1 + HARNESS_TOLERANCE):
        raise _too_wide(asked, most / across * end_mm, f"the loom's {most} hooks weave in this layout")
    possible = [
        harness_ends // part // across
        for part in range(1, harness_ends // (across * 2) + 1)
        if harness_ends % (part * across * asked.layout.shift.denominator) == 0
        and harness_ends // part % size == 0
        and harness_ends // part <= most
    ]
    if not possible:
        sizes = ", ".join(f"{name.replace('_', ' ')} ({weave_named(name).size})" for name in weaves)
        raise WeavesDoNotFitHarness(
            f"No repeat that divides this loom's harness of {harness_ends} ends can be divided by {size} threads, as "
            f"these weaves need it: {sizes}. Leave out the weaves whose threads do not divide {harness_ends}.",
            fields={"field": "weaves", "measured": f"{size} threads", "limit": f"{harness_ends} ends"},
        )
    ends = min(possible, key=lambda count: abs(count * end_mm - asked.width_mm))
    if abs(ends * end_mm - asked.width_mm) > HARNESS_TOLERANCE * asked.width_mm:
        nearest = sorted(sorted(possible, key=lambda count: abs(count * end_mm - asked.width_mm))[:3])
        widths = ", ".join(f"{count * end_mm:g}" for count in nearest)
        raise RepeatDoesNotFitHarness(
            f"This loom's harness of {harness_ends} ends can't be divided into repeats {asked.width_mm:g} mm wide; "
            f"choose one of {widths} mm.",
            fields={
                "field": "repeat_mm",
                "measured": f"{asked.width_mm:g} mm",
                "limit": f"{harness_ends} ends",
                "widths_mm": [count * end_mm for count in nearest],
            },
        )
    if asked.height_mm > MOST_PICKS * pick_mm:
        raise RepeatTooLarge(
            f"A repeat of {asked.height_mm:g} mm is too long to weave; {MOST_PICKS * pick_mm:.0f} mm are "
            f"{MOST_PICKS} picks, the most a design may have.",
            fields={"field": "repeat_mm", "measured": f"{asked.height_mm:g} mm", "limit": f"{MOST_PICKS} picks"},
        )
    # The repeats that make one straight repeat of the loom are a multiple of the weaves; a drop is of whole picks.
    step = lcm(size // gcd(size, along), 2, asked.layout.drop.denominator)
    picks = max(step, step * round(asked.height_mm / pick_mm / step))
    if picks > MOST_PICKS:
        picks -= step
    repeat = Repeat(ends * end_mm, picks * pick_mm, asked.layout)
    return Snapped(
        repeat, ends, picks, 0.0, repeat.width_mm, repeat.height_mm, changes=_changes(asked, repeat, "whole threads")
    )


def _check_smallest(asked: Repeat) -> None:
    smaller = min(asked.width_mm, asked.height_mm)
    if not (asked.width_mm >= SMALLEST_REPEAT_MM and asked.height_mm >= SMALLEST_REPEAT_MM):  # also refuses NaN
        raise RepeatTooSmall(
            f"A repeat of {asked.width_mm:g} x {asked.height_mm:g} mm is too small; "
            f"{SMALLEST_REPEAT_MM:g} mm is the least in both directions.",
            fields={"field": "repeat_mm", "measured": f"{smaller:g} mm", "limit": f"{SMALLEST_REPEAT_MM:g} mm"},
        )


def _too_wide(asked: Repeat, widest_mm: float, what: str) -> RepeatTooWide:
    return RepeatTooWide(
        f"A repeat of {asked.width_mm:g} mm is wider than {what}: {widest_mm:.0f} mm once finished. "
        f"Make it at most {int(widest_mm)} mm wide, or choose a wider fabric.",
        fields={"field": "repeat_mm", "measured": f"{asked.width_mm:g} mm", "limit": f"{widest_mm:.1f} mm"},
    )


def _changes(asked: Repeat, repeat: Repeat, to: str) -> tuple[str, ...]:
    pairs = (("width", asked.width_mm, repeat.width_mm), ("height", asked.height_mm, repeat.height_mm))
    return tuple(
        f"{name} {before:g} mm becomes {after:.2f} mm ({to})"
        for name, before, after in pairs
        if abs(before - after) >= 0.005
    )
