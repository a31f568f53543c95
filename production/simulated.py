"""A simulated scan of a released job's cloth: to try inspection without a scanner, and for tests of all that follows.

No cloth was seen: the file says SYNTHETIC of itself, and what is found on it says so wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from production.domain.colour import lab_to_srgb
from production.domain.spec import Inks
from production.inspection.constructions import DPI, MM_PER_PX
from production.inspection.flaws import Kind
from production.inspection.simulate import Scene, Truth, random_scene, sheet_picture, simulate, with_flaws
from production.inspection.source import Source
from production.rolls import sheet_again
from production.separation import to_lab

Picture = NDArray[np.uint8]

LID_PX: Final = 24  # of the scanner's glass around the cloth, at least
LID_SHARE: Final = 0.04  # of the longer side: a long cloth that lies a little askew stays on the glass


def scan_of_job(
    source: Source,
    manifest: Mapping[str, Any],
    inks: Inks | None,
    *,
    seed: int,
    kinds: Sequence[Kind] | None = None,
    errors: float = 1.0,
    metres: float | None = None,
) -> tuple[Picture, Truth]:
    """(scan (H, W, 3) sRGB at 100 dpi, truth) of the finished cloth of a job, with defects of `kinds` on it.

    metres: of the cloth from its head, at most; None: all of it.

    kinds: None draws none to four. inks: of a printed job. errors: how far print and cloth are off in colour, size and
    shape, of what is usual. The same seed gives the same scan. Raises FilesChanged.
    """
    pattern = _pattern(source)
    picture, top, left = pattern, 0, 0
    if inks is not None:
        picture, top, left = _sheet(pattern, manifest, inks)
    if metres is not None:
        rows = round(metres * 1000 / MM_PER_PX)
        pattern, picture = pattern[:rows], picture[: top + rows]
    drawn = random_scene(seed, pattern, split="test", kinds=kinds, strain=errors)
    off = drawn.print
    shift = tuple((x * errors, y * errors) for x, y in off.shift_px)
    drawn = replace(drawn, print=replace(off, palette=off.palette * errors, gain=off.gain * errors, shift_px=shift))
    here = [replace(each, x_px=each.x_px + left, y_px=each.y_px + top) for each in drawn.flaws]
    scan, truth = simulate(picture, with_flaws(_on_glass(drawn, picture), here))
    if metres is not None:  # the cloth goes on: the scan ends on it, and does not show an end that there is not
        end = np.stack([np.arange(picture.shape[1]), np.full(picture.shape[1], len(picture) - 1)], axis=-1)
        scan = scan[: int(truth.to_scan(end.astype(np.float32))[..., 1].min()) - LID_PX // 4]
    return scan, truth


def _pattern(source: Source) -> Picture:
    """The finished pattern of the job, at 100 dpi exactly."""
    if source.width_mm is None or source.length_mm is None:
        raise ValueError("a job's cloth has a width and a length")
    rows, columns = (
        round(mm / pitch) for mm, pitch in zip((source.length_mm, source.width_mm), source.pitch_mm[::-1], strict=True)
    )
    on_grid = source.reference(rows, columns)[:, :]
    size = round(source.width_mm / MM_PER_PX), round(source.length_mm / MM_PER_PX)
    if size == (columns, rows):
        return on_grid
    return np.asarray(cv2.resize(on_grid, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _sheet(pattern: Picture, manifest: Mapping[str, Any], inks: Inks) -> tuple[Picture, int, int]:
    """(the whole finished cloth with its marks, the row and the column where the pattern begins on it)."""

    @lru_cache(maxsize=4096)
    def shown(ink: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(int(value) for value in lab_to_srgb(to_lab(np.array([ink]) / 255, inks))[0])

    sheet = sheet_again(manifest, code=f"{manifest['reference']}-r{manifest['revision']}")
    white = shown((0,) * len(inks.channels))
    printed = sheet_picture(sheet, pattern[:1, :1], ink_rgb=shown, white=white)
    across, along = (DPI / sheet.dpi / scale for scale in manifest["repeat"]["scale"])  # what is printed shrinks
    size = round(sheet.width_px * across), round(sheet.length_px * along)
    finished = np.asarray(cv2.resize(printed, size, interpolation=cv2.INTER_AREA), np.uint8)
    top, left = round(sheet.y_px * along), round(sheet.x_px * across)
    part = finished[top : top + pattern.shape[0], left : left + pattern.shape[1]]
    part[:] = pattern[: part.shape[0], : part.shape[1]]
    return finished, top, left


def _on_glass(scene: Scene, picture: Picture) -> Scene:
    """The scanner's glass is larger than the cloth: its edges and the markers on them are seen however it lies."""
    height, width = picture.shape[:2]
    around = LID_PX + round(LID_SHARE * max(height, width))
    return replace(scene, scan_px=(height + 2 * around, width + 2 * around))
