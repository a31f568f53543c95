"""Where each channel of the print lies, and by how much the scan is less sharp than the reference."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from production.inspection.constructions import MM_PER_PX
from production.inspection.evenness import Rows
from production.inspection.lay import BLOCK_PX, Floats, Lay, Picture, Plane, window_on
from production.inspection.look import SAMPLES, Look, brightness, slope, terms_of, trust

_SHIFT_SD_PX = 0.6  # of a print's channels against each other
_CHANNEL_TILES, _CHANNEL_BLOCKS = 6, 10
_BLURS = (0.0, 0.5, 0.8, 1.1, 1.5, 2.0, 2.6, 3.3, 4.2, 5.5, 8.0)


@dataclass(frozen=True)
class _Told:
    """What the edges of each channel say."""

    common: Floats  # (2,) px: by how much the map is off for all of them together
    shift: Floats  # (3, 2) px of each channel against their middle
    sd: Floats  # (3, 2) px, how surely

    def in_um(self) -> tuple[tuple[float | None, float | None], ...]:
        """(x, y) of each channel; None where the design has too little to tell it by."""
        um = self.shift * MM_PER_PX * 1000
        sure = self.sd < _SHIFT_SD_PX / 4
        return tuple(
            (float(x) if known[0] else None, float(y) if known[1] else None)
            for (x, y), known in zip(um, sure, strict=True)
        )


def channels(reference: Rows, scan: Picture, lay: Lay, look: Look, weights: Floats | None) -> tuple[Look, _Told]:
    """Where the channels of the print lie, from the parts of the cloth that have most edges."""
    scale, block = 2, BLOCK_PX // 2
    parts = [
        each
        for each in (_part(reference, scan, lay, place, scale) for place in _liveliest(lay, scan, weights))
        if each is not None
    ]
    off = -look.shift.copy()  # where each channel's content lies against the map
    told = _Told(np.zeros(2), look.shift, np.full((3, 2), _SHIFT_SD_PX))
    flats = [_flat(asked, valid) for asked, _, valid in parts]
    if sum(int(flat.sum()) for flat in flats) < 500:
        flats = [valid > 0 for _, _, valid in parts]
    if not parts:
        return look, told
    step = max(1, sum(int(flat.sum()) for flat in flats) // SAMPLES)
    for _ in range(2):
        moved = [_aside(asked, -off / scale) for asked, _, _ in parts]
        fit = _by_channel(
            np.concatenate([each[flat][::step] for each, flat in zip(moved, flats, strict=True)]),
            np.concatenate([there[flat][::step] for (_, there, _), flat in zip(parts, flats, strict=True)]),
        )
        squares, products = np.zeros((3, 2, 2)), np.zeros((3, 2))
        for asked, (_, there, valid) in zip(moved, parts, strict=True):
            for channel in range(3):
                one = Look(fit[:, channel].astype(np.float32), np.zeros(3, np.float32))
                plane = np.asarray(cv2.GaussianBlur(brightness(asked, one, scale), (0, 0), 0.8), np.float32)
                rest = cv2.GaussianBlur(np.ascontiguousarray(there[..., channel]), (0, 0), 0.8) - plane
                light = _mean(rest * valid, block) / np.maximum(_mean(valid, block), 1e-3)
                rest -= cv2.resize(light, rest.shape[1::-1], interpolation=cv2.INTER_NEAREST)
                slopes = [slope(plane, *way) for way in ((1, 0), (0, 1))]
                noise = float(np.median(np.abs(rest[::3, ::3]))) * 1.48 + 0.2
                weight = valid / (1 + (rest / (3 * noise)) ** 2)
                variance = float((weight * rest * rest).sum() / max(float(weight.sum()), 1)) + 0.01
                much = 0.02 / variance  # edges hang together, and the fit of the colours has its own part
                for i in range(2):
                    products[channel, i] += much / scale * float((weight * slopes[i] * rest).sum())
                    for j in range(2):
                        squares[channel, i, j] += much / scale**2 * float((weight * slopes[i] * slopes[j]).sum())
        off, told = _parted(squares, products + (squares @ off[..., None])[..., 0])
    return replace(look, shift=-off), told


def _flat(asked: Picture, valid: Plane) -> NDArray[np.bool_]:
    """Where a small copy of the reference has no edges: there it does not matter which channel lies where."""
    around = np.ones((5, 5), np.uint8)
    span = cv2.dilate(asked, around).astype(np.int16) - cv2.erode(asked, around)
    return np.asarray((span.max(axis=2) < 12) & (valid > 0))


def _by_channel(asked: NDArray[np.floating], seen: NDArray[np.floating]) -> Floats:
    """(10, 3): as a look's are fitted, but each channel of the scan is explained by its own first.

    Of a design in two colours any channel would explain any other, and take its place along with it.
    """
    terms, seen = terms_of(asked), np.asarray(seen, np.float64)
    out = np.zeros((10, 3))
    for channel in range(3):
        start = np.zeros(10)
        start[1 + channel] = 255
        hold = np.full(10, 2e-2)
        hold[[0, 1 + channel, 4 + channel]] = 1e-5, 1e-5, 1e-3
        hold *= len(terms)
        weight = np.ones(len(terms))
        found = start
        for _ in range(3):
            heavy = terms * weight[:, None]
            found = start + np.linalg.solve(
                heavy.T @ terms + np.diag(hold), heavy.T @ (seen[:, channel] - terms @ start)
            )
            weight = trust((seen[:, channel] - terms @ found)[:, None])
        out[:, channel] = found
    return out


def _parted(squares: Floats, products: Floats) -> tuple[Floats, _Told]:
    """(where each channel lies against the map, the common part of that and what is each one's own)."""
    whole, right = np.zeros((8, 8)), np.zeros(8)
    for channel in range(3):
        way = np.zeros((2, 8))
        way[:, :2], way[:, 2 + 2 * channel : 4 + 2 * channel] = np.eye(2), -np.eye(2)
        whole += way.T @ squares[channel] @ way
        right += way.T @ products[channel]
    whole[2:, 2:] += np.eye(6) / _SHIFT_SD_PX**2
    whole[:2, :2] += np.eye(2) * 1e-2
    found, chance = np.linalg.solve(whole, right), np.linalg.inv(whole)
    own = found[2:].reshape(3, 2)
    apart = np.kron(np.eye(3) - 1 / 3, np.eye(2))  # against their middle
    sd = np.sqrt(np.diag(apart @ chance[2:, 2:] @ apart.T)).reshape(3, 2)
    common = found[:2] - own.mean(axis=0)
    return found[:2] - own, _Told(common, own - own.mean(axis=0), sd)


def _mean(plane: Plane, block: int) -> Plane:
    size = (plane.shape[1] // block, plane.shape[0] // block)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def blur(reference: Rows, scan: Picture, lay: Lay, look: Look, weights: Floats | None) -> float | None:
    """By how much the scan is less sharp: whose blurring of the reference has as much fine detail in common with it."""
    shared, own = np.zeros(len(_BLURS)), np.zeros(len(_BLURS))
    power = 0.0
    for place in _liveliest(lay, scan, weights)[:3]:
        part = _part(reference, scan, lay, place, 1)
        if part is None:
            continue
        asked, seen, valid = part
        sharp = _fine(brightness(asked, look, 1))
        there = _fine(np.asarray(cv2.transform(seen, look.of_scan[None]), np.float32))
        power += float((valid * sharp * sharp).sum())
        for k, sd in enumerate(_BLURS):
            blurred = cv2.GaussianBlur(sharp, (0, 0), sd) if sd else sharp
            shared[k] += float((valid * sharp * there).sum())
            own[k] += float((valid * sharp * blurred).sum())
    if power < 1e4:
        return None
    return float(np.interp(-shared[0] / power, -own / power, _BLURS))


def _fine(plane: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 0.7) - cv2.GaussianBlur(plane, (0, 0), 3.0), np.float32)


def _aside(rgb: Picture, by: Floats) -> Plane:
    """(H, W, 3) with every channel moved by its own (x, y) pixels."""
    moved = [
        cv2.warpAffine(
            channel.astype(np.float32), np.array([[1, 0, x], [0, 1, y]]), rgb.shape[1::-1],
            borderMode=cv2.BORDER_REPLICATE,
        )
        for channel, (x, y) in zip(cv2.split(rgb), by, strict=True)
    ]  # fmt: skip
    return np.asarray(cv2.merge(moved), np.float32)


def _liveliest(lay: Lay, scan: Picture, weights: Floats | None) -> list[tuple[int, int]]:
    """(block row, block column) of the parts with most to say, apart from each other."""
    shown = lay.shown(scan.shape[:2])
    rows, columns = shown.shape
    side = min(_CHANNEL_BLOCKS, rows, columns)
    value = np.where(shown, np.minimum(weights if weights is not None else 1.0, 1e4), 0.0)
    inside = np.array(lay.shape) // BLOCK_PX
    value[inside[0] :], value[:, inside[1] :] = 0, 0
    places = [
        (row, column)
        for row in range(0, rows - side + 1, max(1, min(side, (rows - side) or 1)))
        for column in range(0, columns - side + 1, max(1, min(side, (columns - side) or 1)))
    ]
    places.sort(key=lambda place: -float(value[place[0] : place[0] + side, place[1] : place[1] + side].sum()))
    return places[:_CHANNEL_TILES]


def _part(
    reference: Rows, scan: Picture, lay: Lay, place: tuple[int, int], scale: int
) -> tuple[Picture, Plane, Plane] | None:
    """(asked, seen, what of it is there) of one part, both small, lying on each other."""
    side = min(_CHANNEL_BLOCKS, *lay.nodes.shape[:2])
    window = window_on(reference, scan, lay, place, (side, side), scale, cv2.INTER_CUBIC)
    if window is None or window[2].mean() < 0.3:
        return None
    asked, seen, inside = window
    inner = cv2.erode(inside.astype(np.float32), np.ones((5, 5)), borderValue=0)
    return asked, seen.astype(np.float32), np.asarray(inner, np.float32)
