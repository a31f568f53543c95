"""The library of weaves, a weave for every colour of a design, and the lift plan they make at ends x picks.

A weave is drawn as a lift plan: (picks, ends) bool, True where the warp end lies over the pick, row 0 the first pick.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Palette
from production.domain.colour import lab_to_srgb, lab_to_xyz, srgb_to_lab, xyz_to_lab
from production.domain.floats import FloatLimits, Lattice, Lift, count_floats
from production.errors import FloatLimitTooShort, UnknownWeaveName, WeavesDoNotGoTogether


@dataclass(frozen=True)
class Weave:
    """One weave: its lift plan, square, and how far its binding points step aside from pick to pick.

    figure: in a cloth of two wefts, what the figure weft does while the ground weft weaves `lift`; None: it lies at the
    back, bound there by `BACK`.
    """

    lift: Lift
    step: int
    figure: Lift | None = None

    @property
    def size(self) -> int:
        """Threads of one repeat of the weave, in both directions."""
        return int(np.lcm(len(self.lift), len(self.figure) if self.figure is not None else 1))


def twill(over: int, under: int, *, left: bool = False) -> Weave:
    """A twill, the warp over `over` picks and under `under`; it rises to the right (Z), or to the left (S)."""
    size = over + under
    pick, end = np.indices((size, size))
    return Weave((end + pick if left else end - pick) % size < over, size - 1 if left else 1)


def basket(threads: int) -> Weave:
    """A basket: plain weave of groups of `threads`, in both directions."""
    pick, end = np.indices((2 * threads, 2 * threads))
    return Weave((pick // threads + end // threads) % 2 == 0, 1)


def satin(size: int, step: int, *, warp_face: bool, shift: int = 0) -> Weave:
    """A satin of `size` threads with its binding points `step` ends apart; warp-faced, or weft-faced (a sateen).

    shift: by how many ends all points stand to the right. Raises ValueError where the step makes no satin.
    """
    if not 1 < step < size - 1 or gcd(step, size) != 1:
        raise ValueError(f"a satin of {size} has no step of {step}")
    pick, end = np.indices((size, size))
    point = (end - pick * step) % size == shift % size
    return Weave(~point if warp_face else point, step)


def shaded_satin(size: int, step: int, halves: int) -> Weave:
    """A satin between weft-faced and warp-faced: of `size` ends, `halves` / 2 lie over each pick.

    A half is a point at every other place of the satin's lattice, so that such a weave is twice as large. Every end and
    every pick is bound equally often.
    """
    whole, half = divmod(halves, 2)
    side = size * (1 + half)
    pick, end = np.indices((side, side))
    at = (end - pick * step) % size
    # The half points stand in two of the four quarters, so that every end and every pick has as many.
    return Weave((at < whole) | ((at == whole) & (pick // size == end // size) & (half == 1)), step)


def _library() -> dict[str, Weave]:
    found = {"plain": twill(1, 1)}
    found |= {f"basket_{threads}_{threads}": basket(threads) for threads in (2, 3, 4)}
    for over, under in ((2, 1), (1, 2), (2, 2), (3, 1), (1, 3)):
        found[f"twill_{over}_{under}"] = twill(over, under)
        found[f"twill_{over}_{under}_s"] = twill(over, under, left=True)
    for size, steps in {5: (2, 3), 8: (3, 5), 10: (3, 7), 12: (5, 7)}.items():
        for step in steps:
            name = f"{size}" if step == steps[0] else f"{size}_{step}"
            found[f"satin_{name}"] = satin(size, step, warp_face=True)
            found[f"sateen_{name}"] = satin(size, step, warp_face=False)
    for size, step in ((5, 2), (8, 3)):
        # One step and direction, the figure's points half-way between the ground's: floats end at the outline.
        found[f"damask_{size}_ground"] = satin(size, step, warp_face=True)
        found[f"damask_{size}_figure"] = satin(size, step, warp_face=False, shift=size // 2)
    # Tones from weft to warp in even steps: eight of an 8-satin, four of a 5-satin.
    found |= {f"shade_8_{n}": shaded_satin(8, 3, halves) for n, halves in enumerate((2, 4, 5, 7, 9, 11, 12, 14), 1)}
    found |= {f"shade_5_{n}": shaded_satin(5, 2, 2 * n) for n in range(1, 5)}
    found["figure_1_3"] = Weave(found["plain"].lift, 1, figure=twill(1, 3).lift)
    found["figure_1_7"] = Weave(found["plain"].lift, 1, figure=satin(8, 3, warp_face=False).lift)
    return found


LIBRARY = _library()
BACK = LIBRARY["satin_8"]  # how a figure weft that does not show is bound under one end of eight


def weave_named(name: str) -> Weave:
    """The weave of the library. Raises UnknownWeaveName."""
    if name not in LIBRARY:
        raise UnknownWeaveName(
            f"There is no weave {name!r} in the library. Choose of {', '.join(LIBRARY)}.",
            fields={"field": "weaves", "measured": name, "choices": list(LIBRARY)},
        )
    return LIBRARY[name]


def weave_size(names: tuple[str, ...], *, two_wefts: bool = False) -> int:
    """The smallest number of threads that every weave of `names` divides."""
    return int(np.lcm.reduce([weave_named(name).size for name in names] + [BACK.size] * two_wefts))


def weaves_tones(names: tuple[str, ...]) -> bool:
    """Whether these weaves are all shades of a satin: a picture in tones can be woven in them, and is drawn by them."""
    return all(name.startswith("shade_") for name in names)


def refuse_unweavable(names: tuple[str, ...], limits: FloatLimits, *, two_wefts: bool = False) -> None:
    """Refuse weaves that can't make one cloth within `limits`.

    Raises WeavesDoNotGoTogether for a figure weave without a figure weft, or without a ground; FloatLimitTooShort where
    a weave floats over more threads by itself.
    """
    figures = [name.replace("_", " ") for name in names if weave_named(name).figure is not None]
    if figures and (not two_wefts or len(figures) == len(names)):
        lacks = "a ground weave beside it" if two_wefts else "a figure weft, which this cloth has not"
        raise WeavesDoNotGoTogether(
            f"The weave {figures[0]} needs {lacks}. Add it, or leave the weave out.",
            fields={"field": "weaves", "measured": ", ".join(figures), "limit": f"{1 + two_wefts} wefts"},
        )
    for name in names:
        weave = weave_named(name)
        for lift in (weave.lift, *((BACK.lift if weave.figure is None else weave.figure,) if two_wefts else ())):
            report = count_floats(lift, limits)
            if report.over:
                raise FloatLimitTooShort(
                    f"The weave {name.replace('_', ' ')} floats over {report.longest} threads by itself, and this "
                    f"cloth allows {limits.weft} ends and {limits.warp} picks. Choose a weave that is bound more "
                    "often, or allow longer floats.",
                    fields={
                        "field": "weaves",
                        "measured": f"{name}: {report.longest} threads",
                        "limit": f"{limits.weft} ends, {limits.warp} picks",
                    },
                )


def assign(
    palette: Palette, weaves: tuple[str, ...], *, warp: str, weft: str, extra: str | None = None
) -> tuple[str, ...]:
    """A weave for each colour of `palette`: the closer a colour is to the warp's, the more warp lies on the face.

    `weaves` run from warp-faced to weft-faced; colours keep their order between the two yarns, so two colours never
    get the same weave while there are enough. extra: the colour of a figure weft; the colours that are nearer to it
    than to what warp and weft can make get the figure weaves, the nearest first. Raises ValueError where there are more
    colours than weaves.
    """
    if len(palette) > len(weaves):
        raise ValueError(f"{len(palette)} colours, but only {len(weaves)} weaves")
    figures = [name for name in weaves if weave_named(name).figure is not None]
    ground = [name for name in weaves if name not in figures]
    found: dict[int, str] = {}
    if extra is not None and figures:
        found = dict(zip(_nearest_to_extra(palette, warp, weft, extra), figures, strict=False))
    rest = [index for index in range(len(palette)) if index not in found]
    while len(rest) > len(ground):  # more colours than the ground can tell apart: the figure takes its nearest
        taken = next(index for index in _by_distance(palette, extra or weft) if index in rest)
        found[taken] = figures[len(found)]
        rest.remove(taken)
    ends = Palette((warp, weft)).lab()
    axis = ends[1] - ends[0]
    share = (palette.lab()[rest] - ends[0]) @ axis / max(float(axis @ axis), 1e-9)
    last = max(len(rest) - 1, 1)
    for rank, place in enumerate(np.argsort(share, kind="stable")):
        found[rest[place]] = ground[round(rank * (len(ground) - 1) / last)]
    return tuple(found[index] for index in range(len(palette)))


def toned(rgb: NDArray[np.uint8], names: tuple[str, ...], *, warp: str, weft: str) -> tuple[IndexArray, Palette]:
    """A picture in tones as indices into the tones that weaves make of two yarns, each as light as the picture there.

    rgb: (picks, ends, 3) sRGB, one pixel per crossing. The picture's own range of lightness is spread over what the two
    yarns can make; between two tones an ordered 8 x 8 screen sets as many crossings of each as the eye needs to see the
    tone between. The palette is what the weaves make, the darkest first.
    """
    made = woven_lab(names, warp=warp, weft=weft)
    order = np.argsort(made[:, 0], kind="stable")
    tones = made[order, 0]
    light = srgb_to_lab(_GREYS)[:, 0]
    grey = (rgb.astype(np.uint16) @ np.array([54, 183, 19], np.uint16) >> 8).astype(np.uint8)  # BT.709 weights of 256
    low, high = np.percentile(light[grey.ravel()[:: max(1, grey.size // 1_000_000)]], (1, 99))
    wanted = np.interp(light, (low, max(high, low + 1e-6)), (tones[0], tones[-1]))
    position = np.interp(wanted, tones, np.arange(len(tones)))  # per grey, between two tones
    floor = np.minimum(position.astype(np.uint8), len(tones) - 1)
    rest = (position - floor) * 64
    rows, columns = np.arange(grey.shape[0]) % 8, np.arange(grey.shape[1]) % 8
    indices = np.empty(grey.shape, np.uint8)
    for row, threshold in enumerate(_SCREEN):
        some = grey[rows == row]
        indices[rows == row] = floor[some] + (rest[some] > threshold[columns] + 0.5)
    palette = Palette(tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in lab_to_srgb(made[order])))
    return indices, palette


def compose(indices: IndexArray, names: tuple[str, ...], *, figure: bool = False) -> Lift:
    """The lift plan of `indices` (picks, ends), every colour index woven in its weave of `names`.

    figure: the plan of the figure weft instead of that of the ground weft.
    """
    picks, ends = indices.shape
    lifts = [_of_weft(weave_named(name), figure) for name in names]
    period = int(np.lcm.reduce([len(lift) for lift in lifts]))
    woven = [np.tile(lift, (period // len(lift), -(-ends // len(lift))))[:, :ends] for lift in lifts]
    out = np.zeros((picks, ends), bool)
    for top in range(0, picks, period):  # in bands, so that each stays in the processor's cache
        band = indices[top : top + period]
        for index, lift in enumerate(woven):
            np.copyto(out[top : top + period], lift[: len(band)], where=band == index)
    return out


def lattice_of(indices: IndexArray, names: tuple[str, ...], *, figure: bool = False) -> Lattice:
    """Where the weaves of a design may be bound more."""
    weaves = [weave_named(name) for name in names]
    if figure:
        weaves = [BACK if weave.figure is None else Weave(weave.figure, BACK.step) for weave in weaves]
    return Lattice(indices, tuple(len(weave.lift) for weave in weaves), tuple(weave.step for weave in weaves))


def woven_lab(names: tuple[str, ...], *, warp: str, weft: str, extra: str | None = None) -> NDArray[np.float64]:
    """(K, 3) L*a*b* D50 of the cloth in each weave: the yarns' light mixed by the share of the face they have."""
    yarns = lab_to_xyz(srgb_to_lab(Palette((warp, weft, extra or weft)).rgb()))
    share = np.array([_face(weave_named(name)) for name in names])
    return xyz_to_lab(share @ yarns)


def warp_share(names: tuple[str, ...]) -> tuple[float, ...]:
    """How much of the face is warp, per weave: 0 to 1."""
    return tuple(_face(weave_named(name))[0] for name in names)


_GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def _screen(bits: int) -> NDArray[np.int64]:
    """The ordered dither matrix of Bayer (1973), 2**bits a side, every number from 0 once."""
    matrix = np.zeros((1, 1), np.int64)
    for _ in range(bits):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return matrix


_SCREEN = _screen(3)


def _of_weft(weave: Weave, figure: bool) -> Lift:
    if not figure:
        return weave.lift
    return BACK.lift if weave.figure is None else weave.figure


def _face(weave: Weave) -> tuple[float, float, float]:
    """The shares of the face that warp, ground weft and figure weft have; a figure weft at the back shows nothing."""
    ground = float(weave.lift.mean())
    if weave.figure is None:
        return ground, 1 - ground, 0.0
    figure = 1 - float(weave.figure.mean())  # it lies on top of whatever the ground weaves
    return ground * (1 - figure), (1 - ground) * (1 - figure), figure


def _by_distance(palette: Palette, colour: str) -> list[int]:
    """The palette's indices, nearest to `colour` first (CIE 1976 difference)."""
    distance = np.linalg.norm(palette.lab() - Palette((colour,)).lab(), axis=1)
    return [int(index) for index in np.argsort(distance, kind="stable")]


def _nearest_to_extra(palette: Palette, warp: str, weft: str, extra: str) -> list[int]:
    """The colours nearer to `extra` than to any mixture of the two yarns, the nearest first."""
    lab, ends = palette.lab(), Palette((warp, weft, extra)).lab()
    axis = ends[1] - ends[0]
    along = np.clip((lab - ends[0]) @ axis / max(float(axis @ axis), 1e-9), 0, 1)
    to_mix = np.linalg.norm(lab - (ends[0] + along[:, None] * axis), axis=1)
    to_extra = np.linalg.norm(lab - ends[2], axis=1)
    return [index for index in _by_distance(palette, extra) if to_extra[index] < to_mix[index]]
