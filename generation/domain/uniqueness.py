"""Is this design another one in new colours? What is compared of a repeat, and how alike two of them are.

A repeat is taken apart into waves (the Fourier series of each colour's area on the torus). How strong each wave is
does not change when the design is moved, and is what thousands of designs are searched by. The waves themselves say
how well one design can be laid over another: for every shift the association between the colours of one and the
colours of the other, whichever they are (Pearson's mean square contingency, Cramer 1946, section 21.9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Layout, layout_tiling
from generation.domain.setting import Cells

WAVES = 20  # waves across a repeat that are looked at, each way; finer than that is a matter of drawing
SIDE = 2 * WAVES + 1
# From here on two designs are one. Measured: 95 % of motifs that the model drew anew from noise 0.3 are above (all of
# those moved, turned, mirrored, recoloured or rescaled), as is 1 % of the pairs of independent drawings of one motif
# family. Where more pairs are (dots, hearts of one kind, gingham, houndstooth) the design is nobody's own.
SAME_DESIGN = 0.9

_GRID_PX = 256  # a repeat is read at this size
_READ_PX = 512  # larger rasters are thinned to about this before
_MOST_COPIES = 16  # a repeat that holds its unit up to so often each way is read as one unit
_EXACT = 0.97  # share of a design's strength that must be periodic to call the repeat a multiple of its unit
_ONE_COLOUR = 3.0  # CIE76: colours nearer than this are one to the eye
_SMALLEST_SHARE = 0.002  # of the repeat: colours below are specks
_LAYING_PX = 4 * WAVES  # shifts tried each way before the best is refined
_SHORTLIST = 16
_SYMMETRIC = 0.01  # turns of a design whose signatures differ by less may be each other's mirror images

Waves = NDArray[np.complex64]


@dataclass(frozen=True)
class Mark:
    """What is compared of a design: the waves of each colour, weighted, and their strengths."""

    waves: Waves  # (colours, SIDE, SIDE), wave (0, 0) in the middle; rows go down, columns across
    signature: NDArray[np.float32]  # (DIMENSIONS,), length 1: see `signature`

    @classmethod
    def of(cls, waves: Waves) -> Mark:
        """The mark with those waves."""
        return cls(waves, _strengths(waves))


@dataclass(frozen=True)
class Neighbour:
    """A known design by its place in the collection, and how alike it is: 0 nothing in common, 1 the same."""

    place: int
    likeness: float


def signature(indices: IndexArray, palette_lab: NDArray[np.float64], layout: Layout) -> NDArray[np.float32]:
    """(DIMENSIONS,) float32 of length 1: what stays of one repeat, (H, W) indices, when it is moved and recoloured.

    palette_lab: (n, 3) CIE L*a*b*; colours that are one to the eye count as one. The number of pixels does not matter,
    nor how often a repeat holds the very same unit.
    """
    return mark(indices, palette_lab, layout).signature


def mark(indices: IndexArray, palette_lab: NDArray[np.float64], layout: Layout) -> Mark:
    """What is compared of one repeat, (H, W) indices into the palette (n, 3) CIE L*a*b*."""
    planes = _planes(indices, palette_lab, layout)
    share = planes.mean(axis=(1, 2)).clip(1e-6)
    series = np.fft.rfft2(planes) / planes[0].size / np.sqrt(share)[:, None, None]
    across, down = _copies(np.abs(series) ** 2)
    rows, columns = _WAVE * down, np.arange(WAVES + 1) * across
    there = (np.abs(rows)[:, None] < _GRID_PX // 2) & (columns < _GRID_PX // 2)
    half = np.where(there, series[:, rows % _GRID_PX][:, :, np.minimum(columns, _GRID_PX // 2)], 0)
    return Mark.of((_whole(half) * _WEIGHT).astype(np.complex64))


def cell_marks(indices: IndexArray, palette_lab: NDArray[np.float64], cells: Cells, *, most: int = 4) -> list[Mark]:
    """Marks of up to `most` single cells of a repeat that was set from motif cells, each as if it filled a repeat."""
    height, width = indices.shape[0] / cells.rows, indices.shape[1] / cells.columns
    marks = []
    for x, y in cells.origins()[:most]:
        moved = np.roll(indices, (-round(y * height), -round(x * width)), axis=(0, 1))
        marks.append(mark(moved[: round(height), : round(width)], palette_lab, Layout.STRAIGHT))
    return marks


def likeness(one: Mark, other: Mark) -> float:
    """How well one design can be laid over the other, 0 to 1: shifted, mirrored, turned by quarters, recoloured."""
    variants = list(turns(other))
    return _best_turn(one.waves, variants, [float(one.signature @ each.signature) for each in variants[:4]])


def turns(one: Mark) -> Iterator[Mark]:
    """The design itself, mirrored, turned by quarters, and both: eight, the first four of different signature."""
    for waves in (one.waves, np.conj(one.waves)):
        for across in (waves, waves[:, :, ::-1]):
            yield Mark.of(across)
            yield Mark.of(np.ascontiguousarray(across.transpose(0, 2, 1)))


def nearest(
    one: Mark,
    signatures: NDArray[np.floating],
    waves_at: Callable[[Sequence[int]], Iterable[Waves]],
    *,
    count: int = 1,
    shortlist: int = _SHORTLIST,
) -> list[Neighbour]:
    """The `count` most alike of a collection, best first.

    signatures: (n, DIMENSIONS). The `shortlist` with the nearest signatures are fetched by `waves_at` and laid over.
    """
    if not len(signatures):
        return []
    variants = list(turns(one))
    near = signatures @ np.stack([variant.signature for variant in variants[:4]], axis=1).astype(signatures.dtype)
    best = near.max(axis=1)
    kept = min(max(shortlist, count), len(best))
    places = np.argpartition(-best, kept - 1)[:kept].tolist()
    likenesses: dict[bytes, float] = {}  # a design in other colours has the very same waves: it is laid over once
    found = []
    for place, waves in zip(places, waves_at(places), strict=True):
        key = waves.tobytes()
        if key not in likenesses:
            likenesses[key] = _best_turn(waves, variants, near[place].tolist())
        found.append(Neighbour(place, likenesses[key]))
    return sorted(found, key=lambda neighbour: -neighbour.likeness)[:count]


def packed(waves: Waves) -> bytes:
    """The waves as bytes, about 3 kB a colour: half precision, and half of the plane, for the other half mirrors it."""
    half = waves[:, :, WAVES:]
    return np.stack([half.real, half.imag]).astype("<f2").tobytes()


def unpacked(data: bytes) -> Waves:
    """The waves that `packed` wrote, (colours, SIDE, SIDE)."""
    real, imaginary = np.frombuffer(data, "<f2").astype(np.float32).reshape(2, -1, SIDE, WAVES + 1)
    return _whole(real + 1j * imaginary)


def signatures_of(waves: Sequence[Waves]) -> NDArray[np.float32]:
    """(n, DIMENSIONS) of many designs' waves."""
    return np.array([_strengths(each) for each in waves], np.float32).reshape(len(waves), DIMENSIONS)


def _planes(indices: IndexArray, palette_lab: NDArray[np.float64], layout: Layout) -> NDArray[np.float32]:
    """(colours, _GRID_PX, _GRID_PX): each colour's cover of a straight repeat that makes the same cloth."""
    thin = max(1, min(indices.shape) // _READ_PX)
    small = _merged(palette_lab)[indices[::thin, ::thin]]
    columns, rows = layout.period
    width, height = -(-_GRID_PX // columns), -(-_GRID_PX // rows)
    size = width + -width % layout.shift.denominator, height + -height % layout.drop.denominator
    planes = []
    for colour in np.flatnonzero(np.bincount(small.ravel()) >= _SMALLEST_SHARE * small.size):
        plane = cv2.resize((small == colour).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        straight = layout_tiling(plane, layout, columns, rows).astype(np.float32)
        planes.append(cv2.resize(straight, (_GRID_PX, _GRID_PX), interpolation=cv2.INTER_AREA))
    return np.stack(planes)


def _merged(palette_lab: NDArray[np.float64]) -> IndexArray:
    """For each colour the first of the palette that is the same to the eye."""
    apart = np.linalg.norm(palette_lab[:, None] - palette_lab[None], axis=2)
    first: IndexArray = (apart < _ONE_COLOUR).argmax(axis=1).astype(np.uint8)
    return first


def _copies(power: NDArray[np.float64]) -> tuple[int, int]:
    """How often the repeat holds the very same unit (across, down), from the strength of its waves."""
    total = power.sum(axis=0)
    total[0, 0] = 0.0
    total[:, 1:] *= 2  # each of these stands for its mirror image too
    least = _EXACT * total.sum()
    across = max(k for k in range(1, _MOST_COPIES + 1) if total[:, ::k].sum() >= least)
    rows = np.fft.fftfreq(_GRID_PX, 1 / _GRID_PX).round().astype(int)
    down = max(k for k in range(1, _MOST_COPIES + 1) if total[rows % k == 0].sum() >= least)
    return (1, 1) if total.sum() < 1e-9 else (across, down)


def _best_turn(waves: Waves, variants: Sequence[Mark], near: Sequence[float]) -> float:
    """The likeness in the best of those turns whose signatures come nearest; `near` is of the first four."""
    turns_to_try = [turn for turn in range(4) if near[turn] >= max(near) - _SYMMETRIC]
    return max(_laid_over(waves, variants[turn + back].waves) for turn in turns_to_try for back in (0, 4))


def _laid_over(one: Waves, other: Waves) -> float:
    """The association of the two designs' colours at the best shift, 1 when one shows all that the other does."""
    pairs = (np.conj(one)[:, None] * other[None]).reshape(-1, SIDE, SIDE)
    most = float(np.sqrt(_own(one) * _own(other)))
    if most < 1e-12:  # plain cloth has nothing to lay over
        return 0.0
    spectrum = np.zeros((len(pairs), _LAYING_PX, _LAYING_PX // 2 + 1), np.complex64)
    spectrum[:, _ROWS, : WAVES + 1] = pairs[:, :, WAVES:]
    agreeing = np.fft.irfft2(spectrum, s=(_LAYING_PX, _LAYING_PX)) * _LAYING_PX**2
    total = (agreeing**2).sum(axis=0)
    y, x = np.unravel_index(int(total.argmax()), total.shape)
    return min(1.0, _refined(pairs, x / _LAYING_PX, y / _LAYING_PX) / most)


def _refined(pairs: Waves, x: float, y: float) -> float:
    """The association at the best shift between the grid's points around (x, y), in repeats."""
    step, best = 0.5 / _LAYING_PX, 0.0
    around = np.array((-1, 0, 1))
    for _ in range(3):
        across = np.exp(2j * np.pi * np.outer(_WAVE, x + around * step)).astype(np.complex64)
        down = np.exp(2j * np.pi * np.outer(y + around * step, _WAVE)).astype(np.complex64)
        found = ((down @ pairs @ across).real ** 2).sum(axis=0)  # (3, 3): rows go down, columns across
        j, i = np.unravel_index(int(found.argmax()), found.shape)
        x, y, best, step = x + around[i] * step, y + around[j] * step, float(found.max()), step / 2
    return best


def _own(waves: Waves) -> float:
    flat = waves.reshape(len(waves), -1)
    return float((np.abs(np.conj(flat) @ flat.T) ** 2).sum())


def _strengths(waves: Waves) -> NDArray[np.float32]:
    strength = (np.abs(waves) ** 2).sum(axis=0)[_LOOKED_AT] ** 0.25
    unit: NDArray[np.float32] = (strength / max(float(np.linalg.norm(strength)), 1e-12)).astype(np.float32)
    return unit


def _whole(half: NDArray[np.complexfloating]) -> Waves:
    """The plane of all waves from its half of those that go right: a real picture's other half mirrors it."""
    mirrored = np.conj(half[:, ::-1, :0:-1])
    return np.concatenate([mirrored, half], axis=2).astype(np.complex64)


_WAVE = np.arange(-WAVES, WAVES + 1)
_ROWS = _WAVE % _LAYING_PX
_RADIUS = np.hypot(_WAVE[:, None], _WAVE[None, :])
# Edges count as much as masses, and the finest waves fade out.
_WEIGHT = np.where(_RADIUS <= WAVES, np.sqrt(_RADIUS) * np.cos(np.pi / 2 * _RADIUS / (WAVES + 1)), 0.0)
_LOOKED_AT = (
    (_RADIUS > 0) & (_RADIUS <= WAVES) & ((_WAVE[None, :] > 0) | ((_WAVE[None, :] == 0) & (_WAVE[:, None] > 0)))
)
DIMENSIONS = int(_LOOKED_AT.sum())
