"""How a map gets better by what its blocks ask for.

What is between blocks that know their place follows the pose (a projection, and the bow of the picks) plus a smooth
stretching, of which cloth has about a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from production.inspection.lay import Floats, Lay

BEND_SD_PX, _BEND_BLOCKS = 1.2, 2.5  # of the cloth's own stretching: how much, and over how many blocks it changes
_STIFF_BLOCKS = 4.0
_HOLD = 1 / (8 * _BEND_BLOCKS**2 * BEND_SD_PX**2)  # of a field whose values have that sd and that reach
_BEND = _HOLD * _BEND_BLOCKS**4
KNOTS_PX = 4000.0  # a longer cloth has a pose for each metre or so


@dataclass(frozen=True)
class Asked:
    """What the blocks say of where they should go: least squares in pixels of the reference."""

    squares: Floats  # (rows, columns, 3): xx, xy, yy, over the noise's variance
    products: Floats  # (rows, columns, 2)


def better(lay: Lay, asked: Asked, *, most_px: float) -> Lay:
    """The map that the blocks ask for: first the pose, then the stretching, held by what cloth does."""
    back = np.linalg.inv(lay.turn)
    bent = (lay.nodes.astype(np.float64) - lay.pose) @ back.T
    step = _pose_step(asked, bent, lay.shape)
    step = np.clip(step, -4 * most_px, 4 * most_px)
    pose = (lay.pose - step @ lay.turn.T).astype(np.float32)
    move = np.clip(_bend_step(asked, bent + step), -4 * most_px, 4 * most_px)
    nodes = (lay.nodes - move @ lay.turn.T).astype(np.float32)
    return replace(lay, nodes=nodes, pose=pose)


def stiffer(lay: Lay) -> Lay:
    """The map without what changes over less than a few blocks."""
    bent = cv2.GaussianBlur(lay.nodes - lay.pose, (0, 0), _STIFF_BLOCKS, borderType=cv2.BORDER_REPLICATE)
    return replace(lay, nodes=np.asarray(lay.pose + bent, np.float32))


def moved(lay: Lay, by: Floats) -> Lay:
    """The map without an error (x, y) that all of it has, in px of the reference."""
    whole = (by @ lay.turn.T).astype(np.float32)
    return replace(lay, nodes=lay.nodes - whole, pose=lay.pose - whole)


def _ways(rows: int, columns: int, height_px: float) -> tuple[Floats, Floats]:
    """(rows, columns, 2, P) ways in which a pose may change, and how far each usually is off, in pixels."""
    y, x = np.meshgrid(
        (np.arange(rows) + 0.5) / rows * 2 - 1, (np.arange(columns) + 0.5) / columns * 2 - 1, indexing="ij"
    )
    one, no = np.ones_like(x), np.zeros_like(x)
    if height_px < 1.5 * KNOTS_PX:
        ways = [(one, no), (x, no), (y, no), (no, one), (no, x), (no, y), (x * x, x * y), (x * y, y * y)]
        ways.append((no, 1 - x * x))
        usual = [20.0] * 6 + [6.0, 6.0, 12.0]
    else:
        ways, usual = [], []
        count = round(height_px / KNOTS_PX) + 1
        place = (y + 1) / 2 * (count - 1)
        for knot in range(count):
            near = np.maximum(1 - np.abs(place - knot), 0)
            ways += [(near, no), (near * x, no), (no, near), (no, near * x), (no, near * (1 - x * x))]
            usual += [20.0, 20.0, 20.0, 20.0, 12.0]
    return np.stack([np.stack(way, axis=-1) for way in ways], axis=-1), np.array(usual)


def _pose_step(asked: Asked, bent: Floats, shape: tuple[int, int]) -> Floats:
    """(rows, columns, 2): by how much the pose is off, the stretching taken for a chance of BEND_SD_PX."""
    rows, columns = bent.shape[:2]
    ways, usual = _ways(rows, columns, shape[0])
    squares = matrices(asked.squares)
    softened = np.linalg.inv(np.eye(2) + BEND_SD_PX**2 * squares)
    weight = squares @ softened
    told = (np.swapaxes(softened, -1, -2) @ asked.products[..., None])[..., 0] - (weight @ bent[..., None])[..., 0]
    flat = ways.reshape(-1, 2, ways.shape[-1])
    heavy = (weight.reshape(-1, 2, 2) @ flat).reshape(-1, ways.shape[-1])
    tall = flat.reshape(-1, ways.shape[-1])
    own = 1 / _BEND_BLOCKS**2  # neighbours are stretched alike: they are no witnesses of their own
    found = np.linalg.solve(tall.T @ heavy * own + np.diag(1 / usual**2), tall.T @ told.reshape(-1) * own)
    return np.asarray(ways @ found)


def matrices(squares: Floats) -> Floats:
    """(rows, columns, 2, 2) symmetric matrices of their (rows, columns, 3) xx, xy, yy."""
    out = np.empty((*squares.shape[:2], 2, 2))
    out[..., 0, 0], out[..., 1, 1] = squares[..., 0], squares[..., 2]
    out[..., 0, 1] = out[..., 1, 0] = squares[..., 1]
    return out


def _bend_step(asked: Asked, bent: Floats) -> Floats:
    """(rows, columns, 2): by how much each block is off, by conjugate gradients.

    The best step is where what the blocks ask for is in balance with how little cloth is stretched, and how slowly.
    """
    xx, xy, yy = (asked.squares[..., k] for k in range(3))

    def held(z: Floats) -> Floats:
        return _HOLD * z + _BEND * _curved(z)

    def pulled(z: Floats) -> Floats:
        out = held(z)
        out[..., 0] += xx * z[..., 0] + xy * z[..., 1]
        out[..., 1] += xy * z[..., 0] + yy * z[..., 1]
        return out

    own = 20 * _BEND + _HOLD
    inner = (xx + own) * (yy + own) - xy * xy

    def near(z: Floats) -> Floats:
        return np.stack(
            [((yy + own) * z[..., 0] - xy * z[..., 1]) / inner, ((xx + own) * z[..., 1] - xy * z[..., 0]) / inner], -1
        )

    step = np.zeros_like(bent)
    rest = asked.products + held(bent)
    begun = float(np.sqrt((rest * rest).sum())) + 1e-12
    ahead = close = near(rest)
    power = float((rest * close).sum())
    for _ in range(200):
        pull = pulled(ahead)
        far = power / max(float((ahead * pull).sum()), 1e-12)
        step += far * ahead
        rest -= far * pull
        if np.sqrt((rest * rest).sum()) < 1e-3 * begun:
            break
        close = near(rest)
        next_power = float((rest * close).sum())
        ahead = close + next_power / max(power, 1e-12) * ahead
        power = next_power
    return step


def _curved(z: Floats) -> Floats:
    """The gradient of half the sum of all squared second differences."""
    out = np.zeros_like(z)
    for axis in (0, 1):
        if z.shape[axis] < 3:
            continue
        from_, to = np.moveaxis(z, axis, 0), np.moveaxis(out, axis, 0)
        second = from_[:-2] - 2 * from_[1:-1] + from_[2:]
        to[:-2] += second
        to[1:-1] -= 2 * second
        to[2:] += second
    cross = 2 * (z[1:, 1:] - z[1:, :-1] - z[:-1, 1:] + z[:-1, :-1])
    out[1:, 1:] += cross
    out[1:, :-1] -= cross
    out[:-1, 1:] -= cross
    out[:-1, :-1] += cross
    return out
