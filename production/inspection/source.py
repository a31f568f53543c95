"""What the cloth should look like: one repeat on the grid of inspection, and where the marks of its sheet stand.

The grid is 100 dpi but for at most 0.3 %: so that the cloth's straight repeat is a whole number of pixels both ways,
and nothing drifts over metres. Colours are those that the job's profile (of woven cloth: its yarns) can give, not those
of the screen. Lengths are finished ones: of the cloth as it lies on the table, washed and shrunk.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH, Layout, Palette, Raster, layout_tiling
from production.domain.colour import D50, lab_to_srgb, srgb_to_lab, xyz_to_lab
from production.domain.draft import Draft
from production.domain.spec import Inks, LineSpec, Weaving
from production.inspection.constructions import MM_PER_PX
from production.inspection.evenness import Repeated
from production.separation import separate, to_lab
from production.simulation import whole_repeat

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]  # x, y, width, height in mm

PITCH_OFF = 0.003  # how far a pixel may be from a hundredth of an inch
MIXED = 255  # of the index map: no colour of the palette alone
_PURE = 0.98
_MOST_TONES = 8  # of a picture without a palette, that are measured


@dataclass(frozen=True)
class Patch:
    """One patch of the colour bar, in finished mm from where the pattern begins, and its asked L*a*b* (D50)."""

    name: str
    box: Box
    lab: tuple[float, float, float]


@dataclass(frozen=True)
class Marks:
    """The marks of a printed sheet in finished mm; x from the pattern's left edge, y from its beginning."""

    fiducials: Mapping[int, Box]
    patches: tuple[Patch, ...]
    code_box: Box | None
    code: str  # what the QR code of the sheet says
    sheet: Box  # the whole fabric

    @classmethod
    def of(cls, sheet: Mapping[str, Any], *, scale: tuple[float, float], code: str, inks: Inks | None) -> Self:
        """The marks of a manifest's sheet; scale: printed over finished size, across and along."""
        x0, y0 = sheet["pattern_px"][:2]
        mm = MM_PER_INCH / sheet["dpi"]

        def box(px: Any) -> Box:
            x, y, width, height = px
            return ((x - x0) * mm / scale[0], (y - y0) * mm / scale[1], width * mm / scale[0], height * mm / scale[1])

        marks = sheet["marks"]
        bar = [mark for mark in marks if mark["kind"] == "patch"]
        labs = (
            to_lab(np.array([mark["ink"] for mark in bar], np.float64) / 255, inks)
            if inks is not None and bar
            else None
        )
        return cls(
            # Numbers begin again after a thousand: of those only the first is unmistakable.
            fiducials={int(mark["name"]): box(mark["px"]) for mark in reversed(marks) if mark["kind"] == "fiducial"},
            patches=()
            if labs is None
            else tuple(
                Patch(mark["name"], box(mark["px"]), tuple(float(value) for value in lab))  # type: ignore[arg-type]
                for mark, lab in zip(bar, labs, strict=True)
            ),
            code_box=next((box(mark["px"]) for mark in marks if mark["kind"] == "qr"), None),
            code=code,
            sheet=box([0, 0, *sheet["px"]]),
        )


@dataclass(frozen=True)
class Source:
    """What a length of cloth is held against."""

    tile: Picture  # (H, W, 3) sRGB: one straight repeat on the grid
    indices: NDArray[np.uint8]  # (H, W): which colour of the design each of its pixels is, or MIXED
    colours: tuple[str, ...]  # "#rrggbb" as they were designed
    labs: Floats  # (K, 3) L*a*b* D50 that each should be on the cloth
    repeat_mm: tuple[float, float]  # of the design's own repeat, finished
    layout: Layout
    pitch_mm: tuple[float, float]  # of the grid, across and along
    width_mm: float | None = None  # of the pattern; None: as wide as the scan
    length_mm: float | None = None
    marks: Marks | None = None
    job: str = ""
    revision: int = 0

    @property
    def plain(self) -> bool:
        """True where the design is one colour all over: nothing of it can be placed."""
        return bool((np.ptp(self.tile.reshape(-1, 3), axis=0) <= 2).all())

    def shares(self) -> Floats:
        """(K,) of the area that each colour has."""
        counts = np.bincount(self.indices.ravel(), minlength=256)[: len(self.colours)]
        return np.asarray(counts / max(counts.sum(), 1))

    def reference(self, height: int, width: int, *, top: int = 0, left: int = 0) -> Repeated:
        """So many pixels of the cloth on the grid, from a row and a column of the pattern on."""
        return Repeated(self.tile, Layout.STRAIGHT, height, width, top=top, left=left)


def of_picture(rgb: Picture, *, repeat_mm: tuple[float, float], layout: Layout) -> Source:
    """A source of one repeat of any picture (H, W, 3) sRGB, as if the cloth were to look like the screen."""
    colours, indices = _flat_colours(rgb)
    if colours is None:
        tile, pitch = _on_grid(np.divide(_straight(rgb, layout), 255, dtype=np.float32), repeat_mm, layout)
        shown = np.rint(np.clip(tile, 0, 1) * 255).astype(np.uint8)
        names, labs, map_ = _main_tones(shown)
        return Source(shown, map_, names, labs, repeat_mm, layout, pitch)
    palette = Palette(colours)
    return _flat(indices, palette, srgb_to_lab(palette.rgb()), repeat_mm, layout)


def of_print(raster: Raster, manifest: Mapping[str, Any], inks: Inks) -> Source:
    """A source of a printed job: its colours as its profile gives them on the cloth, its marks from its manifest."""
    repeat = manifest["repeat"]
    finished: tuple[float, float] = tuple(repeat["finished_mm"])
    scale: tuple[float, float] = tuple(repeat["scale"])
    separation = separate(raster.palette, inks)
    plain = _flat(raster.indices, raster.palette, separation.printed, finished, Layout(repeat["layout"]))
    sheet = manifest["sheet"]
    code = f"{manifest['reference']}-r{manifest['revision']}"
    width, length = (sheet["pattern_px"][k] * MM_PER_INCH / sheet["dpi"] / scale[k - 2] for k in (2, 3))
    return Source(
        **{
            **vars(plain), "width_mm": width, "length_mm": length, "job": manifest["reference"],
            "revision": manifest["revision"], "marks": Marks.of(sheet, scale=scale, code=code, inks=inks),
        }
    )  # fmt: skip


def of_weave(draft: Draft, weaving: Weaving, manifest: Mapping[str, Any], spec: LineSpec) -> Source:
    """A source of a woven job: its cloth as the lift plan lays its yarns."""
    shown = whole_repeat(draft, weaving)
    picks, ends = draft.lift.shape
    straight = (ends / weaving.ends_per_cm * 10 * (1 - spec.shrink_weft), picks / weaving.picks_per_cm * 10)
    tile, pitch = _on_grid(np.divide(shown, 255, dtype=np.float32), straight, Layout.STRAIGHT)
    picture = np.rint(np.clip(tile, 0, 1) * 255).astype(np.uint8)
    names, labs, indices = _main_tones(picture)
    finished: tuple[float, float] = tuple(manifest["repeat"]["finished_mm"])
    return Source(
        picture, indices, names, labs, finished, Layout(manifest["repeat"]["layout"]), pitch,
        width_mm=spec.usable_width_mm * (1 - spec.shrink_weft), length_mm=float(manifest["quantity_m"]) * 1000,
        job=manifest["reference"], revision=manifest["revision"],
    )  # fmt: skip


def _flat(
    indices: NDArray[np.uint8], palette: Palette, labs: Floats, repeat_mm: tuple[float, float], layout: Layout
) -> Source:
    """Of a design in flat colours: pixels at their borders are mixed as light is."""
    straight = _straight(indices, layout)
    light = _linear(lab_to_srgb(labs))
    share, pitch = _on_grid((straight == 0).astype(np.float32), repeat_mm, layout)
    mixed, best = share[..., None] * light[0], np.zeros(share.shape, np.uint8)
    for number, colour in enumerate(light[1:], start=1):
        cover, _ = _on_grid((straight == number).astype(np.float32), repeat_mm, layout)
        mixed += cover[..., None] * colour
        best[cover > share] = number
        share = np.maximum(share, cover)
    best[share < _PURE] = MIXED
    return Source(_coded(mixed), best, palette.colours, np.asarray(labs), repeat_mm, layout, pitch)


def _straight(picture: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """One repeat that stands straight beside its copies."""
    return np.ascontiguousarray(layout_tiling(picture, layout, *layout.period))


def _on_grid(
    straight: NDArray[np.float32], repeat_mm: tuple[float, float], layout: Layout
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """(as many straight repeats as make whole pixels, on the grid; mm of its pixels)."""
    sizes = [side * count for side, count in zip(repeat_mm, layout.period, strict=True)]
    pixels, times = [], []
    for size in sizes:
        copies = next(
            n
            for n in range(1, 1000)
            if abs(n * size / (MM_PER_PX * max(1, round(n * size / MM_PER_PX))) - 1) <= PITCH_OFF
        )
        copies = max(copies, math.ceil(16 * MM_PER_PX / size))
        pixels.append(max(1, round(copies * size / MM_PER_PX)))
        times.append(copies)
    if times != [1, 1]:
        straight = np.tile(straight, (times[1], times[0], *[1] * (straight.ndim - 2)))
    how = cv2.INTER_AREA if straight.shape[1] >= pixels[0] and straight.shape[0] >= pixels[1] else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(straight), (pixels[0], pixels[1]), interpolation=how)
    pitch = (times[0] * sizes[0] / pixels[0], times[1] * sizes[1] / pixels[1])
    return np.asarray(small, np.float32), pitch


def _flat_colours(rgb: Picture) -> tuple[tuple[str, ...] | None, NDArray[np.uint8]]:
    """(colours, indices) of a picture of at most 16 colours; None for one in tones."""
    packed = (rgb[..., 0].astype(np.uint32) << 16) | (rgb[..., 1].astype(np.uint32) << 8) | rgb[..., 2]
    some = np.unique(packed[:: max(1, len(packed) // 64)])
    if len(some) > 16:
        return None, np.zeros((0, 0), np.uint8)
    values, places = np.unique(packed, return_inverse=True)
    if len(values) > 16:
        return None, np.zeros((0, 0), np.uint8)
    return tuple(f"#{value:06x}" for value in values), places.reshape(packed.shape).astype(np.uint8)


def _main_tones(shown: Picture) -> tuple[tuple[str, ...], Floats, NDArray[np.uint8]]:
    """The colours of a picture in tones that cover most, with the places where each is nearly alone."""
    coarse = (shown >> 5).astype(np.uint16)
    packed = (coarse[..., 0] << 6) | (coarse[..., 1] << 3) | coarse[..., 2]
    counts = np.bincount(packed.ravel(), minlength=512)
    names: list[str] = []
    labs: list[Floats] = []
    indices = np.full(shown.shape[:2], MIXED, np.uint8)
    for cell in np.argsort(-counts)[:_MOST_TONES]:
        mine = packed == cell
        if counts[cell] < 0.02 * packed.size:
            break
        middle = np.median(shown[mine], axis=0)
        near = mine & (np.abs(shown.astype(np.int16) - middle).max(axis=2) <= 6)
        if not near.any():
            continue
        light = _linear(shown[near]).mean(axis=0)
        indices[near] = len(names)
        labs.append(_lab(light))
        names.append("#{:02x}{:02x}{:02x}".format(*(int(value) for value in np.rint(middle))))
    return tuple(names), np.array(labs, np.float64).reshape(-1, 3), indices


_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)


def _linear(rgb: Picture) -> Floats:
    value = np.asarray(rgb, np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _coded(light: NDArray[np.floating]) -> Picture:
    value = np.clip(light, 0, 1)
    value = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(value * 255), np.uint8)


def _lab(light: Floats) -> Floats:
    """L*a*b* of linear sRGB light."""
    return np.asarray(xyz_to_lab(light @ _TO_XYZ.T, D50))
