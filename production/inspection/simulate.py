"""The scan simulator: what a camera or a scanner would see of a finished cloth, and the whole truth about it.

    scene = random_scene(seed, reference, split="test")
    scan, truth = simulate(reference, scene)
    lying_straight = aligned(scan, truth)  # as after a faultless registration

A reference is the sRGB picture of the cloth as it should be, at 100 dpi and lying straight: a length of the pattern
(`repeated`), or the whole sheet with its head and its marks (`sheet_picture`). It is printed with the errors of a
print, on a cloth drawn yarn by yarn (constructions.py), with defects (flaws.py); the cloth is stretched, bowed, skewed
and turned, lit and seen through optics. Light is linear throughout. The same reference and scene give the same scan.

Everything made here is synthetic, and what is measured on it has to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
import pyvips
from numpy.random import Generator
from numpy.typing import NDArray

from generation.domain.pattern import Layout, layout_tiling
from production.domain.sheet import Sheet
from production.inspection import flaws
from production.inspection.constructions import (
    DPI,
    MM_PER_PX,
    Cloth,
    Weave,
    integrated,
    lay_cloth,
    random_weave,
    yarn_light,
)
from production.inspection.flaws import FINE, KINDS, PRINTED, Flaw, Kind
from production.inspection.split import Split, stream

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]

SYNTHETIC: Final = "SYNTHETIC: a simulated scan, no cloth was seen"  # what a file of a simulated scan says of itself
# What the description is called, by the kind of file; capture.py looks for it there.
_DESCRIPTION: Final = {
    ".png": "png-comment-0-Description", ".tif": "image-description", ".tiff": "image-description",
    ".jpg": "exif-ifd0-ImageDescription", ".jpeg": "exif-ifd0-ImageDescription",
}  # fmt: skip
FILES: Final = frozenset(_DESCRIPTION)
_STRIP = 160  # rows of the scan that are made at a time: memory stays small whatever the length
_MARGIN = 6
_TRIES = 12  # places looked at for a defect that can be seen there
_LEAST_PIXELS = 6


@dataclass(frozen=True)
class Print:
    """How the print differs from what was asked."""

    palette: float = 0.0  # how far colours are moved, as a share of full light; smooth over all colours
    shift_px: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * 3  # per channel of light, (x, y)
    gain: float = 0.0  # of density: 0.1 prints a tenth too dark
    spread_px: float = 0.35  # sd of the ink's spreading in the cloth
    grain: float = 0.01  # sd of density between neighbouring dots


@dataclass(frozen=True)
class Geometry:
    """From the reference to the scan: stretching of the cloth first, then how it lies under the camera."""

    rotation_deg: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shear: float = 0.0
    perspective: tuple[float, float] = (0.0, 0.0)  # change of scale over the picture's width and height
    offset_px: tuple[float, float] = (0.0, 0.0)
    stretch_px: float = 0.0  # sd of the smooth random field
    stretch_mm: float = 60.0  # over which length it changes
    bow_px: float = 0.0
    skew_px: float = 0.0


@dataclass(frozen=True)
class Camera:
    """Light, optics and sensor."""

    illumination: float = 0.0  # sd of the slow change of light, as a share
    vignette: float = 0.0
    cast: tuple[tuple[float, ...], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    exposure: float = 0.92
    blur_px: float = 0.3  # sd
    noise: float = 0.004  # sd at full light, as a share
    jpeg: int | None = None  # quality, of a phone's picture
    lid: float = 0.9  # light of what lies behind the cloth


@dataclass(frozen=True)
class Scene:
    """Everything that a scan depends on besides its reference."""

    seed: int
    weave: Weave
    print: Print = Print()
    geometry: Geometry = Geometry()
    camera: Camera = Camera()
    flaws: tuple[Flaw, ...] = ()
    split: Split = "train"
    scan_px: tuple[int, int] | None = None  # (height, width) of the scan; None: as the reference


@dataclass(frozen=True)
class Seen:
    """One defect as it shows: what it is, how much of it can be seen, and where."""

    flaw: Flaw
    contrast: float  # mean over the mask
    box_px: tuple[int, int, int, int]  # x, y, width, height in the reference
    pixels: int

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the box."""
        return self.box_px[2] * MM_PER_PX, self.box_px[3] * MM_PER_PX


@dataclass(frozen=True)
class Truth:
    """What really is on a scan. Masks and places are those of the reference, lying straight."""

    scene: Scene
    shape: tuple[int, int]
    pose: NDArray[np.float64]  # 3 x 3: from the stretched cloth to the scan
    classes: Picture  # (H, W): 0 sound, else Kind.code
    numbers: NDArray[np.uint8]  # (H, W): 0, else the number of the defect in `seen`, from 1
    faint: NDArray[np.bool_]  # (H, W): where a defect changes something, but too little to count
    seen: tuple[Seen, ...]
    printed: Plane = field(repr=False)  # (H, W, 3): the print's reflectance before any defect
    _bend: Plane = field(repr=False)  # coarse field of the cloth's stretching

    def to_scan(self, xy: NDArray[np.floating]) -> NDArray[np.float32]:
        """Where points (..., 2) of the reference, pixel centres at whole numbers, lie on the scan."""
        return _projected(self.pose, xy + _bent(self._bend, self.scene.geometry, self.shape, xy))

    def field(self) -> NDArray[np.float32]:
        """(H, W, 2): for every pixel of the reference its place on the scan."""
        return self.to_scan(_grid(self.shape))

    def from_scan(self, xy: NDArray[np.floating]) -> NDArray[np.float32]:
        """Where points of the scan lie on the reference."""
        straight = _projected(np.linalg.inv(self.pose), np.asarray(xy, np.float32))
        found = straight
        for _ in range(4):  # the cloth's stretching is small and smooth: each round gains two digits
            found = straight - _bent(self._bend, self.scene.geometry, self.shape, found)
        return found


def repeated(tile: Picture, layout: Layout, height: int, width: int) -> Picture:
    """(height, width, 3): a length of cloth of that repeat in its layout, from its upper left corner."""
    across, along = layout.period
    columns = -(-width // (tile.shape[1] * across)) * across
    rows = -(-height // (tile.shape[0] * along)) * along
    return np.ascontiguousarray(layout_tiling(tile, layout, columns, rows)[:height, :width]).astype(np.uint8)


def sheet_picture(
    sheet: Sheet, pattern: Picture, *, ink_rgb: Callable[[tuple[int, ...]], Sequence[int]], white: Sequence[int]
) -> Picture:
    """The whole cloth of `sheet` at 100 dpi as it should look: bare cloth, `pattern` in its place, and every mark.

    pattern: (H, W, 3) sRGB at 100 dpi, from the pattern's upper left corner. ink_rgb: the sRGB colour of an ink mark.
    """
    scale = DPI / sheet.dpi
    height, width = round(sheet.length_px * scale), round(sheet.width_px * scale)
    out = np.empty((height, width, 3), np.uint8)
    out[:] = white
    top, left = round(sheet.y_px * scale), round(sheet.x_px * scale)
    high, wide = round(sheet.pattern_length_px * scale), round(sheet.pattern_width_px * scale)
    part = pattern[:high, :wide]
    out[top : top + part.shape[0], left : left + part.shape[1]] = part
    for mark in sheet.marks:
        x, y = mark.x_px * scale, mark.y_px * scale
        x0, y0 = int(x), int(y)
        size = (int(np.ceil(x + mark.width_px * scale)) - x0, int(np.ceil(y + mark.height_px * scale)) - y0)
        box = out[y0 : y0 + size[1], x0 : x0 + size[0]]
        # Whole dots fall on parts of pixels: the mark is drawn finely and integrated.
        fine = 4
        to_fine = np.array([[scale * fine, 0, (x - x0) * fine], [0, scale * fine, (y - y0) * fine]])
        dots = cv2.warpAffine(
            mark.dots().astype(np.float32), to_fine, (size[0] * fine, size[1] * fine), flags=cv2.INTER_LINEAR
        )
        cover = cv2.resize(dots, size, interpolation=cv2.INTER_AREA)[: box.shape[0], : box.shape[1], None]
        box[:] = np.rint(box * (1 - cover) + np.array(ink_rgb(mark.ink)) * cover)
    return out


def random_scene(
    seed: int,
    reference: Picture,
    *,
    split: Split,
    kinds: Sequence[Kind] | None = None,
    weave: Weave | None = None,
    strain: float = 1.0,
) -> Scene:
    """A scene with defects of `kinds` (None: of none to four kinds), every part drawn out of the split's share.

    strain: how much of the usual geometry there is; 0 leaves the cloth lying straight.
    """
    rng = stream(seed, split, 1)
    weave = random_weave(rng, split) if weave is None else weave
    if kinds is None:
        kinds = [KINDS[int(k)] for k in rng.integers(0, len(KINDS), int(rng.choice([0, 1, 2, 3, 4])))]
    scene = Scene(seed, weave, _random_print(rng), _random_geometry(rng, strain), _random_camera(rng), split=split)
    printed = _printed(linear(reference), scene.print, stream(seed, split, 2))  # as `simulate` will print it
    found = []
    for kind in kinds:
        if not flaws.shows_on(kind, weave.structure):
            continue
        for _ in range(_TRIES):
            flaw = flaws.random_flaw(rng, kind, printed, weave, split)
            mark = flaws.mark_of(flaw, printed)
            if mark.mask.sum() >= _LEAST_PIXELS and mark.contrast >= max(0.5 * flaw.contrast, flaws.LEAST[kind]):
                found.append(flaw)
                break
    return with_flaws(scene, found)


def _random_print(rng: Generator) -> Print:
    shift = rng.normal(0, 0.5, (3, 2))
    return Print(
        palette=float(abs(rng.normal(0, 0.03))),
        shift_px=tuple((float(x), float(y)) for x, y in shift - shift.mean(axis=0)),
        gain=float(rng.normal(0, 0.06)),
        spread_px=float(rng.uniform(0.2, 0.6)),
        grain=float(rng.uniform(0.002, 0.04)),
    )


def _random_geometry(rng: Generator, strain: float) -> Geometry:
    return Geometry(
        rotation_deg=strain * float(rng.normal(0, 0.8)),
        scale=(1 + strain * float(rng.normal(0, 0.01)), 1 + strain * float(rng.normal(0, 0.01))),
        shear=strain * float(rng.normal(0, 0.006)),
        perspective=(strain * float(rng.normal(0, 0.006)), strain * float(rng.normal(0, 0.006))),
        offset_px=(strain * float(rng.normal(0, 5)), strain * float(rng.normal(0, 5))),
        stretch_px=strain * float(rng.uniform(0.5, 2.0)),
        stretch_mm=float(rng.uniform(25, 90)),
        bow_px=strain * float(rng.normal(0, 4)),
        skew_px=strain * float(rng.normal(0, 3)),
    )


def _random_camera(rng: Generator) -> Camera:
    return Camera(
        illumination=float(rng.uniform(0, 0.06)),
        vignette=float(rng.uniform(0, 0.08)),
        cast=tuple(
            tuple(float(value) for value in row)
            for row in np.eye(3) * rng.normal(1, 0.05, 3) + rng.normal(0, 0.02, (3, 3))
        ),
        exposure=float(rng.uniform(0.8, 0.97)),
        blur_px=float(rng.uniform(0.15, 0.7)),
        noise=float(rng.uniform(0.001, 0.01)),
        jpeg=int(rng.integers(70, 96)) if rng.random() < 0.25 else None,
        lid=float(rng.choice([0.02, 0.4, 0.9])),
    )


def simulate(reference: Picture, scene: Scene, *, points: int = 4) -> tuple[Picture, Truth]:
    """(scan, truth): the scan (H, W, 3) sRGB of a cloth made after `reference` (H, W, 3) sRGB in that scene.

    points: at how many places along a side of a pixel the yarns are drawn before they are integrated.
    """
    shape: tuple[int, int] = reference.shape[:2]
    rng = stream(scene.seed, scene.split, 2)
    printed = _printed(linear(reference), scene.print, rng)
    truth = _truth(scene, shape, printed, rng)
    cloth = lay_cloth(scene.weave, *shape, rng)
    height, width = scene.scan_px or shape
    light = _illumination(scene.camera, height, width, rng)
    scan = np.empty((height, width, 3), np.uint8)
    for first in range(0, height, _STRIP):
        last = min(first + _STRIP, height)
        xy = np.stack(np.meshgrid(np.arange(width), np.arange(first, last)), axis=-1).astype(np.float32)
        seen = _strip(truth, cloth, truth.from_scan(xy), rng, points)
        seen *= light(first, last)[..., None] * scene.camera.exposure
        seen = seen @ np.array(scene.camera.cast, np.float32).T
        seen += (
            np.float32(scene.camera.noise)
            * rng.standard_normal(seen.shape, np.float32)
            * np.sqrt(np.maximum(seen, 0.05))
        )
        scan[first:last] = srgb(seen)
    if scene.camera.jpeg is not None:
        _, coded = cv2.imencode(".jpg", scan[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, scene.camera.jpeg])
        scan = np.ascontiguousarray(cast(Picture, cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1])
    return scan, truth


def write_scan(path: Path, scan: Picture, *, of: str = "") -> None:
    """Write a simulated scan as PNG, TIFF or JPEG that says what it is, so that whoever reads it can say so too.

    of: what it is a scan of. Raises ValueError for another kind of file.
    """
    field_name = _DESCRIPTION.get(path.suffix.lower())
    if field_name is None:
        raise ValueError(f"{path.name}: a scan is written as PNG, TIFF or JPEG")
    height, width, bands = scan.shape
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(scan).data, width, height, bands, "uchar")
    image = image.copy(interpretation="srgb", xres=1 / MM_PER_PX, yres=1 / MM_PER_PX)
    image.set_type(pyvips.GValue.gstr_type, field_name, f"{SYNTHETIC}; {of}" if of else SYNTHETIC)
    options: dict[str, Any] = {".jpg": {"Q": 92}, ".jpeg": {"Q": 92}}.get(path.suffix.lower(), {})
    if field_name == "image-description":
        options = {"compression": "deflate", "resunit": "inch"}
    image.write_to_file(str(path), **options)


def aligned(scan: Picture, truth: Truth, *, residual: Plane | None = None) -> Picture:
    """The scan brought onto the reference by the truth; residual: (H, W, 2) px by which a registration would err."""
    where = truth.field()
    if residual is not None:
        where = where + residual
    return cast(Picture, cv2.remap(scan, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))  # type: ignore[call-overload]


def registration_error(rng: Generator, shape: tuple[int, int], *, rms_px: float, length_mm: float) -> Plane:
    """(H, W, 2): a smooth field as a registration leaves it behind; rms_px is that of its length."""
    step = 16
    size = (shape[0] // step + 4, shape[1] // step + 4)
    sd = length_mm / MM_PER_PX / step / 2
    coarse = np.stack([cv2.GaussianBlur(rng.standard_normal(size), (0, 0), max(sd, 0.5)) for _ in range(2)], axis=-1)
    field_ = cv2.resize(coarse, (size[1] * step, size[0] * step), interpolation=cv2.INTER_CUBIC)[: shape[0], : shape[1]]
    return cast(Plane, (field_ * rms_px / np.sqrt((field_**2).sum(axis=-1).mean())).astype(np.float32))


@lru_cache(maxsize=1)
def _to_linear() -> Plane:
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


@lru_cache(maxsize=1)
def _to_srgb() -> NDArray[np.uint8]:
    linear_ = np.arange(8193) / 8192
    value = np.where(linear_ <= 0.0031308, 12.92 * linear_, 1.055 * linear_ ** (1 / 2.4) - 0.055)
    return cast(NDArray[np.uint8], np.rint(value * 255).astype(np.uint8))


def linear(rgb: Picture) -> Plane:
    """sRGB uint8 as light (IEC 61966-2-1), 0 to 1."""
    return _to_linear()[rgb]


def srgb(light: Plane) -> Picture:
    """Light as sRGB uint8; what is too bright is cut off."""
    return _to_srgb()[(np.clip(light, 0, 1) * 8192 + 0.5).astype(np.uint16)]


def _printed(asked: Plane, errors: Print, rng: Generator) -> Plane:
    """(H, W, 3) reflectance of the print: colours moved, channels shifted, ink spread, graininess."""
    out = np.empty_like(asked)
    for channel, (x, y) in enumerate(errors.shift_px):
        out[..., channel] = cv2.warpAffine(
            asked[..., channel], np.array([[1, 0, x], [0, 1, y]], np.float64), asked.shape[1::-1],
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
    red, green, blue = (out[..., k] for k in range(3))
    terms = np.stack([np.ones_like(red), red, green, blue, red * green, green * blue, red * blue], axis=-1) - 0.4
    move = rng.normal(0, 1, (7, 3)).astype(np.float32) * np.float32(errors.palette)
    # Light colours move little: there is hardly ink that could be wrong.
    out += (terms @ move) * (1 - 0.8 * out) * np.sqrt(np.maximum(out, 0))
    np.clip(out, 0.012, 1, out=out)
    if errors.gain:
        np.power(out, np.float32(1 + errors.gain), out=out)
    if errors.spread_px > 0.1:
        out = cast(Plane, cv2.GaussianBlur(out, (0, 0), errors.spread_px))
    if errors.grain:
        fine = rng.standard_normal(asked.shape, np.float32)
        coarse = cv2.GaussianBlur(rng.standard_normal(asked.shape, np.float32), (0, 0), 1.5) * 4
        out *= 1 + np.float32(errors.grain) * (0.6 * fine + 0.6 * coarse) * (1 - out)
    return out


def _truth(scene: Scene, shape: tuple[int, int], printed: Plane, rng: Generator) -> Truth:
    classes, numbers = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    faint, seen = np.zeros(shape, bool), []
    for flaw in scene.flaws:
        mark = flaws.mark_of(flaw, printed)
        (rows, columns), mask = mark.box, mark.mask
        faint[rows, columns] |= mark.touched
        if not mask.any():
            continue
        seen_rows, seen_columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = (
            columns.start + int(seen_columns[0]),
            rows.start + int(seen_rows[0]),
            int(seen_columns[-1] - seen_columns[0]) + 1,
            int(seen_rows[-1] - seen_rows[0]) + 1,
        )
        seen.append(Seen(flaw, mark.contrast, box, int(mask.sum())))
        # Small ones are not hidden by a band that runs over them.
        free = mask if flaw.kind is not Kind.BANDING else mask & (classes[rows, columns] == 0)
        classes[rows, columns][free] = flaw.kind.code
        numbers[rows, columns][free] = len(seen)
    bend = _coarse_bend(scene.geometry, shape, rng)
    return Truth(
        scene=scene,
        shape=shape,
        pose=_pose(scene.geometry, shape, scene.scan_px or shape),
        classes=classes,
        numbers=numbers,
        faint=faint & (classes == 0),
        seen=tuple(seen),
        printed=printed,
        _bend=bend,
    )


def _strip(truth: Truth, cloth: Cloth, where: NDArray[np.float32], rng: Generator, points: int) -> Plane:
    """(rows, W, 3) light of the cloth at the places `where` (rows, W, 2) of the reference."""
    scene, (height, width) = truth.scene, truth.shape
    low = np.floor(where.reshape(-1, 2).min(axis=0)).astype(int) - _MARGIN
    high = np.ceil(where.reshape(-1, 2).max(axis=0)).astype(int) + _MARGIN + 1
    left, top = int(np.clip(low[0], 0, width - 1)), int(np.clip(low[1], 0, height - 1))
    right, bottom = int(np.clip(high[0], left + 1, width)), int(np.clip(high[1], top + 1, height))
    rows, columns = bottom - top, right - left
    ink = cast(
        Plane,
        cv2.resize(
            truth.printed[top:bottom, left:right], (columns * FINE, rows * FINE), interpolation=cv2.INTER_LINEAR
        ),
    )
    y = top + (np.arange(rows * points, dtype=np.float32) + 0.5) / points
    x = left + (np.arange(columns * points, dtype=np.float32) + 0.5) / points
    gone, slubs, holes = [], [], []
    for flaw in scene.flaws:
        box = flaw.box((height, width))
        r = slice(max(box[0].start, top), min(box[0].stop, bottom))
        c = slice(max(box[1].start, left), min(box[1].stop, right))
        if r.start >= r.stop or c.start >= c.stop:
            continue
        if flaw.kind in PRINTED:
            window = ink[
                (r.start - top) * FINE : (r.stop - top) * FINE, (c.start - left) * FINE : (c.stop - left) * FINE
            ]
            changed = np.ascontiguousarray(window)
            flaws.change_ink(flaw, changed, r.start, c.start)
            window[:] = changed
        elif flaw.kind is Kind.HOLE:
            holes.append(flaw)
        elif flaw.kind is Kind.SLUB:
            slubs.append((flaw, r, c))
        else:
            gone.append(flaws.thread_gone(flaw, y + 0.0, x + 0.0))
    ink = integrated(ink, FINE)
    threads = yarn_light(
        cloth, top, left, rows, columns, points=points, blur_px=scene.camera.blur_px, loosened=tuple(gone)
    )
    for flaw, r, c in slubs:
        part = np.s_[
            (r.start - top) * points : (r.stop - top) * points, (c.start - left) * points : (c.stop - left) * points
        ]
        threads[part] *= 1 + flaws.slub_light(flaw, y[part[0]], x[part[1]])[..., None]
    ink_here = _sampled(ink, where, top, left, FINE)
    both = _sampled(threads, where, top, left, points)
    of_warp, of_weft = both[..., 1:], both[..., :1] - both[..., 1:]
    bare = of_warp * np.array(scene.weave.warp_rgb, np.float32) + of_weft * np.array(scene.weave.weft_rgb, np.float32)
    # The light between the yarns is stronger on dark cloth, where the ridges still shine.
    light = ink_here * (1 + (bare - 1) * (1.15 - 0.3 * ink_here)) + 0.015 * (bare - 0.8) * (1 - ink_here)
    cloud = 1 + _coarse(cloth.cloud, where, 8)
    speck = 1 + (_sampled(cloth.specks, where, 0, 0, 2).astype(np.float32) - 128) / 128
    hair = 1 + np.float32(scene.weave.hair) * cv2.blur(rng.standard_normal(where.shape[:2], np.float32), (2, 1)) * 1.4
    light *= (cloud * speck * hair)[..., None]
    outside = (
        (where[..., 0] < -0.5) | (where[..., 1] < -0.5) | (where[..., 0] > width - 0.5) | (where[..., 1] > height - 0.5)
    )
    for flaw in holes:
        _open(flaw, light, where, (height, width))
    light[outside] = scene.camera.lid
    return np.asarray(light, np.float32)


def _open(flaw: Flaw, light: Plane, where: NDArray[np.float32], shape: tuple[int, int]) -> None:
    """Let the lid be seen through a hole."""
    rows, columns = flaw.box(shape)
    y = np.arange(rows.start, rows.stop, 0.5, dtype=np.float32) + 0.25
    x = np.arange(columns.start, columns.stop, 0.5, dtype=np.float32) + 0.25
    cover = flaws.gap(flaw, y, x)
    at = (where + 0.5 - np.array([columns.start, rows.start], np.float32)) * 2 - 0.5
    blurred = integrated(cover, 2)
    seen = cv2.remap(blurred, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)[..., None]
    light *= 1 - seen
    light += seen * np.array(flaw.tint, np.float32)


def _sampled(plane: NDArray[Any], where: NDArray[np.float32], top: int, left: int, points: int) -> NDArray[Any]:
    """Read a finely drawn window, `points` a pixel from pixel (top, left), at places of the reference."""
    x = (where[..., 0] + 0.5 - left) * points - 0.5
    y = (where[..., 1] + 0.5 - top) * points - 0.5
    return cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _coarse(grid: Plane, where: NDArray[np.float32], step: int) -> Plane:
    return cast(
        Plane,
        cv2.remap(
            grid,
            (where[..., 0] + 0.5) / step,
            (where[..., 1] + 0.5) / step,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
    )


def _illumination(camera: Camera, height: int, width: int, rng: Generator) -> Callable[[int, int], Plane]:
    """Rows of the light that falls on the scan: a slope, a curve, and darker corners."""
    slope = rng.normal(0, camera.illumination, 4)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]

    def of(first: int, last: int) -> Plane:
        y = (np.arange(first, last, dtype=np.float32)[:, None] / max(height - 1, 1)) * 2 - 1
        light = 1 + slope[0] * x + slope[1] * y + 0.6 * slope[2] * x * y + 0.6 * slope[3] * x * x
        return np.asarray(light - camera.vignette * (x * x + y * y) / 2, np.float32)

    return of


def _pose(geometry: Geometry, shape: tuple[int, int], scan_px: tuple[int, int]) -> NDArray[np.float64]:
    """3 x 3, about the middles of reference and scan."""
    turn = np.deg2rad(geometry.rotation_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1.0]])
    shear = np.array([[geometry.scale[0], geometry.shear, 0], [0, geometry.scale[1], 0], [0, 0, 1.0]])
    tilt = np.eye(3)
    tilt[2, :2] = geometry.perspective[0] / shape[1], geometry.perspective[1] / shape[0]
    before, after = np.eye(3), np.eye(3)
    before[:2, 2] = -(shape[1] - 1) / 2, -(shape[0] - 1) / 2
    after[:2, 2] = (scan_px[1] - 1) / 2 + geometry.offset_px[0], (scan_px[0] - 1) / 2 + geometry.offset_px[1]
    return cast(NDArray[np.float64], after @ tilt @ rotation @ shear @ before)


_BEND_PX = 16


def _coarse_bend(geometry: Geometry, shape: tuple[int, int], rng: Generator) -> Plane:
    size = (shape[0] // _BEND_PX + 4, shape[1] // _BEND_PX + 4)
    sd = max(geometry.stretch_mm / MM_PER_PX / _BEND_PX / 2, 0.5)
    made = []
    for _ in range(2):
        pad = int(3 * sd) + 1
        noise = rng.standard_normal((size[0] + 2 * pad, size[1] + 2 * pad), np.float32)
        plane = cv2.GaussianBlur(noise, (0, 0), sd)[pad:-pad, pad:-pad]
        made.append(plane * (2 * sd * np.sqrt(np.pi)) * geometry.stretch_px)
    return np.stack(made, axis=-1).astype(np.float32)


def _bent(bend: Plane, geometry: Geometry, shape: tuple[int, int], xy: NDArray[np.floating]) -> NDArray[np.float32]:
    """By how much the cloth is stretched, bowed and skewed at points (..., 2) of the reference."""
    flat = np.asarray(xy, np.float32).reshape(1, -1, 2) if xy.ndim != 3 else np.asarray(xy, np.float32)
    at = (flat + 0.5) / _BEND_PX + 1
    # Smoothly between the knots: a linear field would have kinks that no cloth has.
    moved = cast(Plane, cv2.remap(bend, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    across = flat[..., 0] / max(shape[1] - 1, 1) - 0.5
    moved[..., 1] += geometry.bow_px * (1 - 4 * across**2) + geometry.skew_px * across
    return moved.reshape(xy.shape)


def _projected(matrix: NDArray[np.floating], xy: NDArray[np.floating]) -> NDArray[np.float32]:
    x, y = np.asarray(xy[..., 0], np.float64), np.asarray(xy[..., 1], np.float64)
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    return np.stack(
        [
            (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / w,
            (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / w,
        ],
        axis=-1,
    ).astype(np.float32)


def _grid(shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[0])), axis=-1).astype(np.float32)


def with_flaws(scene: Scene, found: Sequence[Flaw]) -> Scene:
    """The same scene with other defects: everything else stays as it was, to the last yarn."""
    return replace(scene, flaws=tuple(found))
