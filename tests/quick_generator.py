"""A generator without a model, for tests of what happens around one: checks whose size and colours follow the brief."""

from dataclasses import replace

import numpy as np

from generation.domain.pattern import Palette, Raster

COLOURS = ("#f1eee7", "#34506b", "#8ba495")


class QuickGenerator:
    """Draws checks: their size from the seed and the scale, beside a bar of as many columns as the density says.

    Of one parent it keeps the colours that are not drawn anew, or the rows below the strength; between two it takes
    the rows above the share from the second.
    """

    name = "quick"

    def fingerprint(self):
        return "c" * 64

    def generate(self, brief, seeds, limits, on_step=None):
        rasters = []
        for seed in seeds:
            if on_step:
                on_step(1, 1)
            rasters.append(self._draw(brief, seed))
        return rasters

    def _draw(self, brief, seed):
        height, width = brief.height_px, brief.width_px
        side = max(1, round((48 + seed % 61) * brief.knobs.scale))
        # Whole checks on every side, so that the repeat closes in each layout.
        across, down = (max(2, 2 * round(length / side / 2)) for length in (width, height))
        columns = np.arange(width) * across // width
        rows = np.arange(height) * down // height
        checks = ((rows[:, None] + columns[None, :]) % 2).astype(np.uint8)
        indices = checks.copy()
        indices[:, (columns > 0) & (columns <= round(2 * brief.knobs.density))] = 2
        palette = Palette(brief.palette[:3] if brief.palette else COLOURS)
        origin = "checks"
        if len(brief.parents) == 1:
            (parent,) = brief.parents
            old = at_size(parent, width, height)
            left = np.arange(height)[:, None] >= brief.strength * height
            kept = np.isin(old, brief.redraw, invert=True) if brief.redraw else left
            palette, origin = parent.palette, f"checks over a drawing, strength {brief.strength:g}"
            indices = np.where(kept, old, checks).astype(np.uint8)
        elif brief.parents:
            first, second = brief.parents
            palette, origin = first.palette, f"between two, at {brief.share:g}"
            upper = np.arange(height)[:, None] < brief.share * height
            indices = np.where(upper, at_size(second, width, height), at_size(first, width, height)).astype(np.uint8)
        return Raster(indices, palette, brief.repeat, seed, origin=origin, notes=("Checks were drawn.",))


def at_size(parent, width, height):
    rows, columns = np.arange(height) * parent.height_px // height, np.arange(width) * parent.width_px // width
    return parent.indices[rows[:, None], columns[None, :]]


class LooksGenerator(QuickGenerator):
    """The same checks, which can be looked at before they are brought to their size; knows what it has begun."""

    name = "looks"

    def __init__(self):
        self.begun = []

    def begin(self, brief, seed, limits):
        self.begun.append(seed)
        return lambda width_px, height_px: self._draw(replace(brief, width_px=width_px, height_px=height_px), seed)
