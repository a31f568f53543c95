"""What woven cloth will look like: the whole repeat with its yarns mixed as they lie, and its threads from near."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Palette
from production.domain.colour import lab_to_srgb, lab_to_xyz, srgb_to_lab, xyz_to_lab
from production.domain.draft import Draft
from production.domain.spec import Weaving

_Picture = NDArray[np.uint8]
_Floats = NDArray[np.float32]

LARGEST_PX = 1600  # of the picture of the whole repeat, on its longer side
CLOSEUP_PX = 1200
_END_PX = 12  # the width of an end seen from near
_BAND = 1024  # picks looked at together: memory stays small whatever the repeat


def whole_repeat(draft: Draft, weaving: Weaving) -> _Picture:
    """(H, W, 3) uint8 sRGB of one straight repeat at its true aspect, each pixel the light of the yarns on its face."""
    picks, ends = draft.lift.shape
    width_mm, height_mm = ends / weaving.ends_per_cm, picks / weaving.picks_per_cm
    scale = LARGEST_PX / max(width_mm, height_mm)
    width, height = max(1, round(width_mm * scale)), max(1, round(height_mm * scale))
    shares = [_small(top, width, height) for top in _on_top(draft)]
    mixed = np.stack(shares, axis=-1).astype(np.float64) @ _yarn_light(weaving)
    return lab_to_srgb(xyz_to_lab(mixed))


def from_near(draft: Draft, weaving: Weaving) -> _Picture:
    """(H, W, 3) uint8 sRGB of the threads of a part of the repeat, where most of its colours meet, at true aspect."""
    ends = min(draft.lift.shape[1], CLOSEUP_PX // _END_PX)
    pick_px = max(3, round(_END_PX * weaving.ends_per_cm / weaving.picks_per_cm))
    picks = min(draft.lift.shape[0], max(1, CLOSEUP_PX // pick_px))
    top, left = _liveliest(draft.paper, picks, ends)
    part = np.s_[top : top + picks, left : left + ends]
    warp_up = draft.lift[part]
    figure_up = ~draft.extra[part] if draft.extra is not None else np.zeros_like(warp_up)
    kind = np.where(figure_up, 2, np.where(warp_up, 0, 1))
    yarns = Palette((weaving.warp.colour, *(weft.colour for weft in weaving.wefts), weaving.weft.colour)[:3]).rgb()
    shade = np.where(
        np.repeat(np.repeat(kind == 0, pick_px, axis=0), _END_PX, axis=1),
        _shading(kind == 0, pick_px, along=0),
        np.where(
            np.repeat(np.repeat(kind == 2, pick_px, axis=0), _END_PX, axis=1),
            _shading(kind == 2, pick_px, along=1),
            _shading(kind == 1, pick_px, along=1),
        ),
    )
    colour = yarns[np.repeat(np.repeat(kind, pick_px, axis=0), _END_PX, axis=1)]
    near: _Picture = np.clip(colour * shade[..., None] + 255 * 0.06 * (shade[..., None] > 0.9), 0, 255).astype(np.uint8)
    return near


def _yarn_light(weaving: Weaving) -> NDArray[np.float64]:
    """(yarns, 3) XYZ of warp and wefts."""
    colours = Palette((weaving.warp.colour, *(weft.colour for weft in weaving.wefts)))
    return lab_to_xyz(srgb_to_lab(colours.rgb()))


def _on_top(draft: Draft) -> list[NDArray[np.uint8]]:
    """Per yarn, warp first: (picks, ends) 255 where it lies on top."""
    if draft.extra is None:
        return [draft.lift.view(np.uint8), (~draft.lift).view(np.uint8)]
    return [
        (draft.lift & draft.extra).view(np.uint8),
        (~draft.lift & draft.extra).view(np.uint8),
        (~draft.extra).view(np.uint8),
    ]


def _small(top: NDArray[np.uint8], width: int, height: int) -> _Floats:
    """(height, width) float32: the share of each pixel's area that is 1, by area; the picture grows by the nearest."""
    picks = top.shape[0]
    shrinks = width <= top.shape[1]
    narrow = np.empty((picks, width), np.float32)
    for first in range(0, picks, _BAND):
        band = top[first : first + _BAND].astype(np.float32)
        size = (width, band.shape[0])
        narrow[first : first + _BAND] = cv2.resize(
            band, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
        )
    how = cv2.INTER_AREA if height <= picks else cv2.INTER_NEAREST
    small = cv2.resize(narrow, (width, height), interpolation=how)
    return np.asarray(small, np.float32)


def _shading(up: NDArray[np.bool_], pick_px: int, *, along: int) -> _Floats:
    """(picks * pick_px, ends * _END_PX): how light a round thread is that lies where `up`, running along axis `along`.

    Lightest along its middle; darker towards its edges, and where it dives under its neighbour.
    """
    cells = (pick_px, _END_PX)
    across_px, along_px = cells[1 - along], cells[along]
    across = np.linspace(-1, 1, across_px + 2)[1:-1]
    ahead = (np.arange(along_px) + 0.5) / along_px
    round_ = 0.45 + 0.55 * np.sqrt(1 - across**2)
    before, after = np.roll(up, 1, axis=along), np.roll(up, -1, axis=along)
    start, end = (np.where(side, 0.0, 0.45)[..., None] for side in (before, after))
    dive = 1 - start * (1 - ahead) ** 2 - end * ahead**2  # (picks, ends, along_px)
    shade = dive[..., None] * round_ if along == 0 else dive[..., None, :] * round_[:, None]
    picks, ends = up.shape
    drawn = shade.reshape(picks, ends, pick_px, _END_PX).transpose(0, 2, 1, 3)
    return drawn.reshape(picks * pick_px, ends * _END_PX).astype(np.float32)


def _liveliest(paper: NDArray[np.uint8], picks: int, ends: int) -> tuple[int, int]:
    """(pick, end) of the corner of the part of this size in which most colours are, of a coarse grid of parts."""
    best, where = (-1, -1), (0, 0)
    for top in range(0, paper.shape[0] - picks + 1, max(1, picks // 2))[:64]:
        for left in range(0, paper.shape[1] - ends + 1, max(1, ends // 2))[:64]:
            counts = np.bincount(paper[top : top + picks, left : left + ends].ravel(), minlength=256)
            score = int((counts > 0).sum()), -int(counts.max())
            if score > best:
                best, where = score, (top, left)
    return where
