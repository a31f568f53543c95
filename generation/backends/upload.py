"""A designer's or customer's own file as a source of designs: nothing is drawn, only made ready for the machine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from generation.backends import weights
from generation.domain.finish import Coverage, repair_details, used_colours
from generation.domain.palette import parse_colour
from generation.domain.pattern import Brief, IndexArray, Knobs, Limits, Palette, Raster, Repeat
from generation.domain.reduction import exact_colours, reduce_colours
from generation.domain.seam import LIMIT, lab_picture, worst_seam
from generation.errors import InvalidBrief, SeamTooVisible
from generation.ports import OnStep

_MOST_COLOURS = 8
SEEN_STRETCH = 1.02  # a circle that is 2 % wider than high still passes for one
_CODE = ("backends/upload.py", "backends/drawing.py", "domain/*.py")


class UploadGenerator:
    """Takes brief.reference as the tile itself: its colours, its outlines, its repeat."""

    name = "upload"

    def fingerprint(self) -> str:
        """Digest of the code that makes a file ready."""
        return weights.code_digest(*_CODE)

    def generate(
        self, brief: Brief, seeds: Sequence[int], limits: Limits, on_step: OnStep | None = None
    ) -> list[Raster]:
        """The file's repeat, once per seed: no chance is in it, so all are the same picture.

        Raises InvalidBrief where there is no file, where it is of one colour, or where something is to be drawn anew;
        SeamTooVisible where it does not meet itself.
        """
        rasters = [self._made_ready(brief, seed, limits) for seed in seeds[:1]]
        rasters += [
            Raster(first.indices, first.palette, first.repeat, seed, first.origin, first.roles, first.notes)
            for first in rasters
            for seed in seeds[1:]
        ]
        if on_step:
            on_step(len(seeds), len(seeds))
        return rasters

    def _made_ready(self, brief: Brief, seed: int, limits: Limits) -> Raster:
        if brief.reference is None:
            raise InvalidBrief("Add the file that is to be made: a PNG, JPEG, TIFF or WebP.", fields=_FIELD)
        if brief.parents or brief.redraw or brief.knobs != Knobs():
            raise InvalidBrief(
                "A file is made as it is: choose the embedded generator to draw something else from it.",
                fields={"field": "generator", "value": self.name},
            )
        refuse_open_tile(brief.reference, brief.repeat)
        most = min(_MOST_COLOURS, limits.max_colours)
        plain = exact_colours(brief.reference, most)
        if plain and plain[0].shape == (brief.height_px, brief.width_px) and not brief.palette:
            return _as_it_is(brief, *plain, seed=seed, limits=limits)
        pinned = Palette(tuple(map(parse_colour, brief.palette))[:most]) if brief.palette else None
        coverage, palette = _in_planes(brief, plain, most, pinned)
        if len(palette) < 2:
            raise _one_colour()
        finish = import_module("generation.backends.drawing").finish  # torch comes in with the drawing, not before
        raster: Raster = finish(
            coverage,
            brief,
            palette,
            limits=limits,
            seed=seed,
            origin=_origin(brief),
            notes=(
                *(() if plain else (f"The file's colours were brought down to {len(palette)}.",)),
                *_stretched(brief),
            ),
        )
        return raster


_FIELD = {"field": "reference"}


def refuse_open_tile(picture: NDArray[np.uint8], repeat: Repeat) -> None:
    """Raise SeamTooVisible where a picture (H, W, 3), taken as the repeat, does not meet itself."""
    seam = worst_seam(lab_picture(picture), repeat.layout)
    if not seam.shows:
        return
    down = seam.direction == "side to side"
    along = repeat.height_mm if down else repeat.width_mm
    raise SeamTooVisible(
        f"The file does not meet itself {seam.direction}: a line would show, most at {seam.worst_at * along:.0f} mm "
        f"from the {'top' if down else 'left'} ({seam.excess:.1f}, and {LIMIT} is allowed). "
        "Use it as a reference instead, or send a tile that closes.",
        fields={
            "field": "reference",
            "measured": round(seam.excess, 2),
            "limit": LIMIT,
            "where": seam.direction,
            "at_mm": round(seam.worst_at * along, 1),
        },
    )


def stretch_of(picture: NDArray[np.uint8], repeat: Repeat) -> float:
    """How much wider than its own proportions a picture becomes when it is taken as the repeat; 1: not at all."""
    height, width = picture.shape[:2]
    return (repeat.width_mm / width) / (repeat.height_mm / height)


def _as_it_is(brief: Brief, indices: IndexArray, palette: Palette, *, seed: int, limits: Limits) -> Raster:
    """The file's own pixels and colours; only details that the machine can't make give way."""
    if len(palette) < 2:
        raise _one_colour()
    pixel_mm = min(brief.repeat.width_mm / brief.width_px, brief.repeat.height_mm / brief.height_px)
    smallest_px = int(np.ceil(limits.min_feature_mm / pixel_mm - 1e-6))
    repaired = repair_details(indices, smallest_px=smallest_px, layout=brief.repeat.layout)
    changed = float((repaired != indices).mean())
    indices, present = used_colours(repaired)
    return Raster(
        indices=indices,
        palette=Palette(tuple(palette.colours[index] for index in present)),
        repeat=brief.repeat,
        seed=seed,
        origin=_origin(brief),
        roles=tuple(present),
        notes=(f"{changed:.1%} of the file was too fine for the machine and took the colour beside it.",)
        if changed
        else (),
    )


def _stretched(brief: Brief) -> tuple[str, ...]:
    """What to tell where the file's proportions are not the repeat's, by more than the eye lets pass."""
    assert brief.reference is not None
    wider = stretch_of(brief.reference, brief.repeat)
    if max(wider, 1 / wider) < SEEN_STRETCH:
        return ()
    how = f"{wider - 1:.0%} in width" if wider > 1 else f"{1 / wider - 1:.0%} in height"
    sides = f"{brief.repeat.width_mm:g} x {brief.repeat.height_mm:g} mm"
    return (f"The file has other proportions than the repeat of {sides}: it was stretched {how}.",)


def _in_planes(
    brief: Brief, plain: tuple[IndexArray, Palette] | None, most: int, pinned: Palette | None
) -> tuple[Coverage, Palette]:
    assert brief.reference is not None
    if plain and pinned is None:
        indices, palette = plain
        return (indices[None] == np.arange(len(palette))[:, None, None]).astype(np.float32), palette
    reduced = reduce_colours(brief.reference, most, pinned)
    return reduced.coverage, reduced.palette


def _origin(brief: Brief) -> str:
    assert brief.reference is not None
    height, width = brief.reference.shape[:2]
    return f"an uploaded file of {width} x {height} pixels"


def _one_colour() -> InvalidBrief:
    return InvalidBrief("The picture is of one colour: send another.", fields=_FIELD)
