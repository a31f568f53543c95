"""Pictures of an inspected cloth for people: source and scan by the metre, where colours differ, each defect close up.

They are made while the cloth is inspected, strip by strip, so that memory stays small whatever the length. A folder of
pictures is whole once its index is there.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from production.domain.colour import delta_e_2000, srgb_to_lab
from production.files import write_bytes_whole
from production.inspection.outcome import Defect

RGB = NDArray[np.uint8]

INDEX: Final = "index.json"
LONGEST_MM: Final = 1200.0  # of one picture along the roll
FINEST_MM: Final = 0.5  # of cloth to a pixel of a strip's picture
MOST_PX: Final = 30_000_000  # of all strips' pictures of a cloth together
CELL_MM: Final = 4.0  # of the map of colour differences
MOST_CLOSE_UPS: Final = 400
CLOSE_MM: Final = (40.0, 160.0)  # least and most side of a close-up
QUALITY: Final = 82
FINE_QUALITY: Final = 92  # of what close-ups are cut from
# ΔE2000 and the colour (sRGB, opacity) that the map has there; nothing is shown of what nobody sees.
HEAT: Final = (
    (1.0, (255, 236, 150, 0)), (2.5, (255, 205, 70, 150)), (5.0, (226, 88, 20, 190)), (10.0, (140, 0, 20, 215)),
    (20.0, (70, 0, 90, 230)),
)  # fmt: skip


@dataclass(frozen=True)
class Strip:
    """The same stretch of cloth as it should be and as it was scanned: (H, W, 3) sRGB, head on top, left edge left.

    The scan lies on its source, and its colours are those that the fit of the colour bar gave it.
    """

    from_mm: float  # along the roll
    to_mm: float
    left_mm: float
    right_mm: float
    scan: RGB
    source: RGB | None = None

    @property
    def mm_per_px(self) -> float:
        """How much cloth a pixel shows."""
        return float((self.right_mm - self.left_mm) / self.scan.shape[1])

    def part(self, top_mm: float, foot_mm: float, left_mm: float, right_mm: float) -> Strip:
        """What it shows of a part of itself, in whole pixels."""
        pitch = self.mm_per_px
        rows = slice(*(round((each - self.from_mm) / pitch) for each in (top_mm, foot_mm)))
        columns = slice(*(round((each - self.left_mm) / pitch) for each in (left_mm, right_mm)))
        source = None if self.source is None else self.source[rows, columns]
        return Strip(
            self.from_mm + rows.start * pitch, self.from_mm + rows.stop * pitch, self.left_mm + columns.start * pitch,
            self.left_mm + columns.stop * pitch, self.scan[rows, columns], source,
        )  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A picture pair in a folder, by the names of its files; `heat` where colours were compared."""

    from_mm: float
    to_mm: float
    left_mm: float
    right_mm: float
    scan: str
    source: str = ""
    heat: str = ""


@dataclass(frozen=True)
class Album:
    """The pictures of an inspection."""

    folder: Path
    strips: tuple[Shown, ...]  # along the roll
    close_ups: Mapping[int, Shown]  # by number of the defect
    files: Mapping[str, str]  # name -> sha256

    def read(self, shown: Shown, *, at_least_px: int | None = None) -> Strip:
        """The pair itself; `at_least_px`: no finer than that many pixels of width ask for."""
        source = _read(self.folder / shown.source, at_least_px) if shown.source else None
        place = (shown.from_mm, shown.to_mm, shown.left_mm, shown.right_mm)
        return Strip(*place, _read(self.folder / shown.scan, at_least_px), source)


class Pictures:
    """Takes strips as they are inspected, and makes the pictures of them; what was begun before is made anew."""

    def __init__(self, folder: Path, *, about_mm2: float) -> None:
        """about_mm2: how much cloth there will be, so that a long one is kept coarser."""
        self._folder = folder
        self._pitch = max(FINEST_MM, math.sqrt(about_mm2 / MOST_PX))
        self._strips: list[Shown] = []
        self._files: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.iterdir():
            left_over.unlink()

    def take(self, strip: Strip) -> None:
        """Keep the pictures of a strip. Strips come along the roll; what was shown before is not shown again."""
        start = self._strips[-1].to_mm if self._strips else -math.inf
        if strip.to_mm - start < strip.mm_per_px:
            return
        if start > strip.from_mm:
            strip = strip.part(start, strip.to_mm, strip.left_mm, strip.right_mm)
        count = math.ceil((strip.to_mm - strip.from_mm) / LONGEST_MM)
        each = (strip.to_mm - strip.from_mm) / count
        for number in range(count):
            begin = strip.from_mm + number * each
            self._keep(strip.part(begin, begin + each, strip.left_mm, strip.right_mm))

    def finish(self, defects: Iterable[Defect]) -> Path:
        """Cut the close-ups, write the index, and return where it is."""
        close_ups = {}
        for defect in list(defects)[:MOST_CLOSE_UPS]:
            shown = self._close_up(defect)
            if shown is not None:
                close_ups[str(defect.number)] = vars(shown)
        for number in range(len(self._strips)):
            for name in _fine(number):
                (self._folder / name).unlink(missing_ok=True)
        index = {"strips": [vars(each) for each in self._strips], "close_ups": close_ups, "files": self._files}
        write_bytes_whole(self._folder / INDEX, json.dumps(index, indent=0).encode())
        return self._folder / INDEX

    def _keep(self, strip: Strip) -> None:
        number = len(self._strips)
        fine_scan, fine_source = _fine(number)
        write_bytes_whole(self._folder / fine_scan, _jpeg(strip.scan, FINE_QUALITY))
        shown = Shown(strip.from_mm, strip.to_mm, strip.left_mm, strip.right_mm, f"scan-{number:04d}.jpg")
        self._put(shown.scan, _jpeg(_coarse(strip.scan, strip.mm_per_px, self._pitch), QUALITY))
        if strip.source is not None:
            write_bytes_whole(self._folder / fine_source, _jpeg(strip.source, FINE_QUALITY))
            shown = replace(shown, source=f"source-{number:04d}.jpg", heat=f"heat-{number:04d}.png")
            self._put(shown.source, _jpeg(_coarse(strip.source, strip.mm_per_px, self._pitch), QUALITY))
            self._put(shown.heat, _png(heat_map(strip.source, strip.scan, mm_per_px=strip.mm_per_px)))
        self._strips.append(shown)

    def _close_up(self, defect: Defect) -> Shown | None:
        """The middle of a defect with some cloth around it, as far as one strip shows it."""
        middle = defect.y_mm + defect.height_mm / 2
        found = [number for number, each in enumerate(self._strips) if each.from_mm <= middle <= each.to_mm]
        if not found:
            return None
        strip = self._strips[found[0]]
        fine_scan, fine_source = _fine(found[0])
        side = min(CLOSE_MM[1], max(CLOSE_MM[0], 2 * max(defect.width_mm, defect.height_mm)))
        top = _within(middle - side / 2, side, strip.from_mm, strip.to_mm)
        left = _within(defect.x_mm + (defect.width_mm - side) / 2, side, strip.left_mm, strip.right_mm)
        place = (strip.from_mm, strip.to_mm, strip.left_mm, strip.right_mm)
        source = _read(self._folder / fine_source) if strip.source else None
        whole = Strip(*place, _read(self._folder / fine_scan), source)
        cut = whole.part(*top, *left)
        shown = Shown(cut.from_mm, cut.to_mm, cut.left_mm, cut.right_mm, f"defect-{defect.number:04d}-scan.jpg")
        self._put(shown.scan, _jpeg(cut.scan, FINE_QUALITY))
        if cut.source is not None:
            shown = replace(shown, source=f"defect-{defect.number:04d}-source.jpg")
            self._put(shown.source, _jpeg(cut.source, FINE_QUALITY))
        return shown

    def _put(self, name: str, data: bytes) -> None:
        self._files[name] = hashlib.sha256(data).hexdigest()
        write_bytes_whole(self._folder / name, data)


def album_of(index: Path) -> Album | None:
    """The pictures whose index that is; None where there is none, or it is damaged."""
    try:
        said: dict[str, Any] = json.loads(index.read_bytes())
        strips = tuple(Shown(**each) for each in said["strips"])
        close_ups = {int(number): Shown(**each) for number, each in said["close_ups"].items()}
        return Album(index.parent, strips, close_ups, dict(said["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def heat_map(source: RGB, scan: RGB, *, mm_per_px: float) -> RGB:
    """(h, w, 4) sRGB and opacity: how far each cell of the scan is off in ΔE2000, as HEAT paints it."""
    size = tuple(max(1, round(length * mm_per_px / CELL_MM)) for length in (source.shape[1], source.shape[0]))
    labs = [
        srgb_to_lab(cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.uint8)) for each in (source, scan)
    ]
    off = delta_e_2000(labs[0], labs[1])
    levels = [level for level, _ in HEAT]
    painted = [np.interp(off, levels, [paint[channel] for _, paint in HEAT]) for channel in range(4)]
    return np.rint(np.stack(painted, axis=-1)).astype(np.uint8)


def _fine(number: int) -> tuple[str, str]:
    return f"fine-{number:04d}-scan.jpg", f"fine-{number:04d}-source.jpg"


def _within(start: float, length: float, least: float, most: float) -> tuple[float, float]:
    """A stretch of that length, moved and cut so that it lies between `least` and `most`."""
    first = max(least, min(start, most - length))
    return first, min(first + length, most)


def _coarse(picture: RGB, mm_per_px: float, wanted: float) -> RGB:
    if mm_per_px >= wanted:
        return picture
    scale = mm_per_px / wanted
    size = tuple(max(1, round(length * scale)) for length in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _jpeg(picture: RGB, quality: int) -> bytes:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data.data)


def _png(picture: RGB) -> bytes:
    _, data = cv2.imencode(".png", picture[..., [2, 1, 0, 3]])
    return bytes(data.data)


def _read(path: Path, at_least_px: int | None = None) -> RGB:
    data = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if data is None:
        raise OSError(f"{path} is no picture")
    while at_least_px is not None and data.shape[1] >= 2 * at_least_px and min(data.shape[:2]) > 1:
        data = cv2.resize(data, (data.shape[1] // 2, data.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(data[..., ::-1]).astype(np.uint8)
