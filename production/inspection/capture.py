"""Scans of cloth as files: read in bounded memory, and refused with a reason where nothing could be measured on them.

* PNG, JPEG and TIFF of 8 or 16 bit are read; 16 bits become 8. An embedded profile is applied: the picture is sRGB.
* What is finer than needed is brought near to 100 dpi by whole steps, a few rows at a time, whatever the file's size.
* The size in bytes and in pixels is looked at before anything is decoded.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyvips
import zxingcpp
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH
from production.inspection.constructions import DPI
from production.inspection.lay import Start
from production.inspection.outcome import Reason
from production.inspection.source import Box, Marks

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

MOST_BYTES = 1_500_000_000
MOST_PIXELS = 260_000_000  # at the resolution that is worked with: about 16 m2 of cloth
LEAST_DPI, MOST_DPI = 90.0, 2400.0
MOST_CLIPPED = 0.35  # share of a scan's pixels that may be at an end of what it can hold
MOST_TILT = 0.05  # change of scale from one end of the scan to the other
MOST_TURN_DEG = 6.0
_LEAST_MARKS = 2
_MOST_OBLONG = 1.15  # of a repeat, by the markers: no cloth is drawn out or aslant so far
_ASIDE = 0.08  # of the way between two markers: by so much a cloth is turned, drawn out or bent
_ARUCO_PX = 1600  # rows looked at together for marks
_SIDE_OVERLAP = 200
_STRIP_OVERLAP_PX = 80  # more than a marker is wide
_MOST_REACH_PX = 150
_SMOOTHER = (0.8, 1.6, 2.4)
_ALIKE_MARKER = 0.7


class NotInspectable(Exception):
    """Nothing can be said of the cloth by this scan."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = Reason(code, sentence)


@dataclass(frozen=True)
class Scan:
    """A scan in memory."""

    name: str
    sha256: str
    rgb: Picture  # (H, W, 3) sRGB
    dpi: float  # as it is in memory
    notes: tuple[str, ...] = ()
    synthetic: bool = False  # its file says that it was simulated

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        return self.rgb.shape[1] / self.dpi * MM_PER_INCH, self.rgb.shape[0] / self.dpi * MM_PER_INCH


def read_scan(path: Path, *, dpi: float | None = None, name: str = "") -> Scan:
    """The scan in a file. dpi: its resolution, where the file doesn't say it or says another. Raises NotInspectable."""
    name = name or path.name
    size = path.stat().st_size if path.is_file() else 0
    if not size:
        raise NotInspectable("scan_unreadable", f"{name} can't be read: there is no such file, or it is empty.")
    if size > MOST_BYTES:
        raise NotInspectable(
            "scan_too_large",
            f"{name} has {size / 1e9:.1f} GB; at most {MOST_BYTES / 1e9:.1f} GB are read. Scan at {DPI:.0f} dpi, or in "
            "several parts that follow each other.",
        )
    try:
        image = pyvips.Image.new_from_file(str(path), access="sequential", fail_on="error")
        notes: list[str] = []
        synthetic = _says_synthetic(image)
        at = dpi if dpi is not None else _dpi_of(image)
        _refuse_resolution(name, at)
        assert at is not None, "refused without"
        steps = max(1, round(at / DPI)) if at > 1.4 * DPI else 1
        pixels = math.floor(image.width / steps) * math.floor(image.height / steps)
        if pixels > MOST_PIXELS:
            area = pixels * (MM_PER_INCH / at * steps / 1000) ** 2
            raise NotInspectable(
                "scan_too_large",
                f"{name} shows {area:.0f} m² of cloth; at most {MOST_PIXELS * (0.0254 / DPI) ** 2:.0f} m² are looked "
                "at together. Scan it in several parts that follow each other.",
            )
        image = _as_srgb(image, name, notes)
        if steps > 1:
            image = image.shrink(steps, steps)
            notes.append(f"{at:.0f} dpi were brought to {at / steps:.0f}.")
        rgb = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, 3)
    except pyvips.Error as error:
        raise NotInspectable(
            "scan_unreadable", f"{name} can't be read: it is no whole PNG, JPEG or TIFF. Scan the cloth again."
        ) from error
    return Scan(name, _sha256(path), rgb, at / steps, tuple(notes), synthetic)


def says_synthetic(path: Path) -> bool:
    """True where a file says that it was simulated; only its head is read, and what can't be read says nothing."""
    try:
        return _says_synthetic(pyvips.Image.new_from_file(str(path), access="sequential"))
    except pyvips.Error:
        return False


def _says_synthetic(image: pyvips.Image) -> bool:
    """True where the description that a file carries begins with SYNTHETIC, as the simulator's do."""
    said = [
        image.get(name)
        for name in image.get_fields()
        if name in ("image-description", "png-comment-0-Description", "exif-ifd0-ImageDescription")
    ]
    return any(isinstance(each, str) and each.lstrip().startswith("SYNTHETIC") for each in said)


def _dpi_of(image: pyvips.Image) -> float | None:
    """What a file says of its resolution; None where it says nothing: libvips then says 72 dpi, or 1 pixel per mm."""
    says = any(name in image.get_fields() for name in ("resolution-unit", "exif-ifd0-XResolution"))
    assumed = any(abs(image.xres - each) < 1e-3 for each in (1.0, 72 / MM_PER_INCH))
    return float(image.xres) * MM_PER_INCH if says or not assumed else None


def _refuse_resolution(name: str, dpi: float | None) -> None:
    if dpi is None:
        raise NotInspectable(
            "resolution_unknown",
            f"{name} does not say at how many dpi it was scanned: scan it with that set, or say it with the scan.",
        )
    if not dpi >= LEAST_DPI:
        raise NotInspectable(
            "too_coarse",
            f"{name} was scanned at {dpi:.0f} dpi; at least {LEAST_DPI:.0f} are needed. Scan at {DPI:.0f}.",
        )
    if dpi > MOST_DPI:
        raise NotInspectable(
            "too_fine", f"{name} says that it has {dpi:.0f} dpi; at most {MOST_DPI:.0f} are read. Scan at {DPI:.0f}."
        )


def _as_srgb(image: pyvips.Image, name: str, notes: list[str]) -> pyvips.Image:
    """8-bit sRGB of three bands."""
    if image.format == "ushort":
        notes.append("16 bits were brought to 8.")
    elif image.format != "uchar":
        raise NotInspectable("scan_unreadable", f"{name} has {image.format} pixels: 8 or 16 bits are read.")
    if image.bands < 3:
        raise NotInspectable("scan_grey", f"{name} is grey: colours can't be told by it. Scan in colour.")
    if image.interpretation == "cmyk" or (image.bands == 4 and not image.hasalpha()):
        raise NotInspectable("scan_cmyk", f"{name} is in CMYK: scan in RGB.")
    if image.hasalpha():
        image = image.flatten(background=[255] * 3 if image.format == "uchar" else [65535] * 3)
    if "icc-profile-data" in image.get_fields():
        try:
            image = image.icc_transform("srgb", embedded=True, intent="relative", depth=8)
        except pyvips.Error:
            notes.append("Its colour profile can't be used; its colours are taken as sRGB.")
    if image.format == "ushort":
        image = ((image + 128) / 257).cast("uchar")
    if image.bands > 3:
        image = image[:3]
    return image.cast("uchar")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------------ what it shows


def refuse_empty(scan: Scan, *, plain: bool) -> None:
    """Raise NotInspectable for a scan without cloth on it, and for one that is cut off. plain: so is the design."""
    small = scan.rgb[::8, ::8].astype(np.float32)
    clipped = float(((small >= 254).all(axis=2) | (small <= 1).all(axis=2)).mean())
    block = cv2.resize(small, (max(2, small.shape[1] // 8), max(2, small.shape[0] // 8)), interpolation=cv2.INTER_AREA)
    slow = cv2.GaussianBlur(block, (0, 0), 6)
    if not plain and float(np.abs(block - slow).mean()) < 0.6:
        raise NotInspectable(
            "no_cloth",
            f"{scan.name} shows one plain surface and nothing of the design. Scan the printed side of the cloth.",
        )
    if clipped > MOST_CLIPPED:
        raise NotInspectable(
            "clipped",
            f"{100 * clipped:.0f} % of {scan.name} is cut off at full white or black; at most "
            f"{100 * MOST_CLIPPED:.0f} % may be. Scan with less light, without the scanner's own corrections.",
        )


def refuse_part(scan: Scan, repeat_mm: tuple[float, float]) -> None:
    """Raise NotInspectable for a scan that shows less than one repeat: its size could not be told."""
    wide, high = scan.size_mm
    if wide < 0.98 * repeat_mm[0] or high < 0.98 * repeat_mm[1]:
        raise NotInspectable(
            "part_of_repeat",
            f"{scan.name} shows {wide:.0f} x {high:.0f} mm; one repeat is {repeat_mm[0]:.0f} x {repeat_mm[1]:.0f} mm. "
            "Scan at least one whole repeat.",
        )


@dataclass(frozen=True)
class Seen:
    """Markers on a scan: for each that the sheet has, the corners (4, 2) on the scan."""

    corners: dict[int, Floats]
    foreign: int  # markers that the sheet does not have


def find_marks(scan: Scan, marks: Marks) -> Seen:
    """The fiducials of a sheet on a scan. Raises NotInspectable where they lie upside down, turned or are not there."""
    found: dict[int, Floats] = {}
    foreign: set[int] = set()
    grey = np.asarray(cv2.cvtColor(scan.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    known = marks.fiducials
    side = int(40 / MM_PER_INCH * scan.dpi) + _STRIP_OVERLAP_PX
    wide = grey.shape[1] >= 3 * side
    strips = [grey[:, :side], grey[:, -side:]] if wide else [grey]
    _look_in(strips, [0, grey.shape[1] - side], known, found, foreign)
    if wide and not found:  # where much of the glass is bare beside the cloth, its markers are anywhere
        begins = range(0, grey.shape[1] - _STRIP_OVERLAP_PX, side - _STRIP_OVERLAP_PX)
        _look_in([grey[:, x0 : x0 + side] for x0 in begins], begins, known, found, foreign)
    found = _agreeing(scan.dpi, known, found)
    _look_where_expected(scan.dpi, grey, known, found)
    if known and not found:
        raise NotInspectable(
            "no_marks",
            f"None of the sheet's markers can be seen on {scan.name}. Scan the whole width of the cloth, with "
            "its selvedges" + (": its markers are those of another sheet." if foreign else "."),
        )
    turns = [float(np.degrees(np.arctan2(*(c[1] - c[0] + c[2] - c[3])[::-1]))) for c in found.values()]
    if turns:
        turn = float(np.median(np.mod(np.array(turns) + 180, 360) - 180))
        if abs(turn) > 135:
            raise NotInspectable(
                "upside_down",
                f"{scan.name} is upside down: turn it by half a turn, so that the head of the roll is on top.",
            )
        if abs(turn) > 45:
            raise NotInspectable(
                "turned", f"{scan.name} lies on its side: turn it by a quarter, so that the head of the roll is on top."
            )
    return Seen(found, len(foreign))


def _look_in(
    strips: Sequence[Picture],
    begins: Sequence[int],
    known: Mapping[int, Box],
    found: dict[int, Floats],
    foreign: set[int],
) -> None:
    """Add the markers in some strips of a scan to `found`, or to those that are `foreign`."""
    for sd in _SMOOTHER:  # yarns break the edges of a marker up: a smoother look finds more, a sharper one is better
        if known.keys() <= found.keys():
            return
        for part, x0 in zip(strips, begins, strict=False):
            for top in range(0, max(1, len(part) - _SIDE_OVERLAP), _ARUCO_PX - _SIDE_OVERLAP):
                for corners, number in _markers(part[top : top + _ARUCO_PX], sd):
                    if number in known:
                        found.setdefault(number, corners + np.array([x0, top]))
                    else:
                        foreign.add(number)


def _agreeing(dpi: float, known: Mapping[int, Box], found: dict[int, Floats]) -> dict[int, Floats]:
    """Those that lie to most of the others as on the sheet; all where no most agree.

    A long cloth has hundreds of markers, and a flower may look like the one that lies ten metres on.
    """
    if len(found) < 3:
        return found
    corners = np.array(list(found.values()))
    boxes = np.array([known[number] for number in found]) * dpi / MM_PER_INCH
    on, there = (each @ [1, 1j] for each in (boxes[:, :2] + boxes[:, 2:] / 2, corners.mean(axis=1)))
    sides = (corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]) @ [1, 1j]
    sides /= np.abs(sides)
    turn = np.median(sides.real) + 1j * np.median(sides.imag)
    apart = on[:, None] - on
    off = np.abs((there[:, None] - there) * np.conj(turn) / max(float(np.abs(turn)), 1e-6) - apart)
    agree = (off <= _ASIDE * np.abs(apart) + boxes[:, 2].mean()).sum(axis=1)
    most = agree > len(found) / 2
    return {number: each for (number, each), kept in zip(found.items(), most, strict=True) if kept or not most.any()}


def _look_where_expected(dpi: float, grey: Picture, known: Mapping[int, Box], found: dict[int, Floats]) -> None:
    """Add to `found` the markers that rough cloth hides from the usual search: each by its own picture, near where it
    should be by its nearest neighbour."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000)
    px = dpi / MM_PER_INCH
    for number in sorted(known.keys() - found.keys()):
        if not found:
            return  # nothing to go by
        x, y, width, height = (value * px for value in known[number])
        middle = np.array([x + width / 2, y + height / 2])
        at, reach = _expected(middle, px, known, found)
        side = round((width + height) / 2)
        around = max(2, side // 8)  # the cloth may end close by
        size = side + 2 * around
        x0, y0 = (int(value) for value in np.maximum(np.floor(at - size / 2 - reach), 0))
        part = grey[y0 : int(at[1] + size / 2 + reach) + 1, x0 : int(at[0] + size / 2 + reach) + 1]
        if side < 12 or min(part.shape) < size:
            continue
        drawn = cv2.aruco.generateImageMarker(dictionary, number, side * 4)
        drawn = np.pad(drawn, around * 4, constant_values=255)
        picture = cv2.GaussianBlur(cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA), (0, 0), 1.0)
        alike = cv2.matchTemplate(cv2.GaussianBlur(part, (0, 0), 1.0), picture, cv2.TM_CCOEFF_NORMED)
        _, best, _, where = cv2.minMaxLoc(alike)
        if best < _ALIKE_MARKER:
            continue
        left, top = _peak(np.asarray(alike, np.float32), where) + np.array([x0 + around, y0 + around]) - 0.5
        corners = np.array([[0, 0], [side, 0], [side, side], [0, side]])
        found[number] = np.array([left, top]) + corners


def _expected(middle: Floats, px: float, known: Mapping[int, Box], found: Mapping[int, Floats]) -> tuple[Floats, float]:
    """(where on the scan a place of the sheet should be by the markers there are, within how many pixels)."""
    on = {each: (np.array(known[each][:2]) + np.array(known[each][2:]) / 2) * px for each in found}
    near = min(on, key=lambda each: float(np.hypot(*(middle - on[each]))))
    step, here = middle - on[near], found[near].mean(axis=0)
    others = [each for each in found if each != near]
    if others:  # the turn and the size come from the marker that is furthest from the nearest
        far = max(others, key=lambda each: float(np.hypot(*(on[each] - on[near]))))
        was, lies = complex(*(on[far] - on[near])), complex(*(found[far].mean(axis=0) - here))
        share = 0.02
    else:
        edge = found[near][1] - found[near][0] + found[near][2] - found[near][3]
        was, lies = complex(abs(complex(*edge)), 0), complex(*edge)
        share = 0.04
    moved = complex(*step) * lies / was
    return here + np.array([moved.real, moved.imag]), min(_MOST_REACH_PX, 12 + share * abs(moved))


def _peak(plane: NDArray[np.float32], at: Sequence[int]) -> Floats:
    """The top of a hill between pixels."""
    x, y = at
    out = np.array([x, y], np.float64)
    for axis, size in ((0, plane.shape[1]), (1, plane.shape[0])):
        if 0 < at[axis] < size - 1:
            step = (1, 0) if axis == 0 else (0, 1)
            low, top, high = (float(plane[y + k * step[1], x + k * step[0]]) for k in (-1, 0, 1))
            out[axis] += 0.5 * (low - high) / min(low - 2 * top + high, -1e-9)
    return out


def _markers(window: Picture, sd: float) -> list[tuple[Floats, int]]:
    """(corners (4, 2), number) of the markers in a grey picture, smoothed by `sd` and seen twice as large."""
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    settings.cornerRefinementWinSize = 3
    settings.minMarkerPerimeterRate = 0.01
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000), settings)
    large = cv2.resize(cv2.GaussianBlur(window, (0, 0), sd), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    corners, numbers, _ = detector.detectMarkers(large)
    if numbers is None:
        return []
    return [
        ((np.asarray(each[0], np.float64) + 0.5) / 2 - 0.5, int(number))
        for each, number in zip(corners, numbers.ravel(), strict=True)
    ]


def start_of(scan: Scan, seen: Seen, marks: Marks, pitch_mm: tuple[float, float]) -> Start:
    """Where the pattern lies by its markers: from pixels of the grid to the scan. Raises NotInspectable.

    Markers on one side alone, or at one height, leave the rest to the scan's resolution.
    """
    on, there = [], []
    for number, corners in sorted(seen.corners.items()):
        x, y, width, height = marks.fiducials[number]
        box = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
        on.append(box / pitch_mm - 0.5)
        there.append(corners)
    nominal = np.array(pitch_mm) / MM_PER_INCH * scan.dpi
    points, places = np.concatenate(on), np.concatenate(there)
    spread = np.ptp(points, axis=0)
    if spread.min() > 300:
        matrix, tilt = _projected_fit(points, places)
        if tilt > MOST_TILT:
            raise NotInspectable(
                "at_an_angle",
                f"{scan.name} was taken at an angle: one end is {100 * tilt:.0f} % larger than the other; at most "
                f"{100 * MOST_TILT:.0f} % can be. Use a scanner, or hold the camera straight above the cloth.",
            )
        larger = np.hypot(*matrix[:, :2]) / nominal
        cosine = float(matrix[:, 0] @ matrix[:, 1] / np.prod(larger * nominal))
        if max(larger) > _MOST_OBLONG * min(larger) or abs(cosine) > _MOST_OBLONG - 1:
            raise NotInspectable(
                "marks_apart",
                f"The markers on {scan.name} do not lie to each other as they were printed. Lay the cloth flat and "
                "scan it in one piece; is it this order's cloth?",
            )
    else:
        # The direction comes from the markers, whose sides are short: the size from the scan's resolution.
        middle_on, middle = points.mean(axis=0), places.mean(axis=0)
        off, lies = points - middle_on, places - middle
        turn = float(np.arctan2((off[:, 0] * lies[:, 1] - off[:, 1] * lies[:, 0]).sum(), (off * lies).sum()))
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        inner = rotation * nominal
        matrix = np.concatenate([inner, (middle - inner @ middle_on)[:, None]], axis=1)
    turn_deg = abs(float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))))
    if turn_deg > MOST_TURN_DEG:
        raise NotInspectable(
            "askew",
            f"{scan.name} lies {turn_deg:.0f}° askew; at most {MOST_TURN_DEG:.0f}° can be. Lay the cloth straight.",
        )
    middles = tuple(
        (tuple(float(v) for v in a.mean(axis=0)), tuple(float(v) for v in b.mean(axis=0)))
        for a, b in zip(on, there, strict=True)
    )
    # Markers at one height or on one side say where the cloth lies, and little of its size: the pattern tells that.
    sure = len(seen.corners) >= _LEAST_MARKS and bool(spread.min() > 300)
    return Start(matrix, (float(nominal[0]), float(nominal[1])), sure=sure, marks=middles if sure else ())  # type: ignore[arg-type]


def _projected_fit(points: Floats, places: Floats) -> tuple[Floats, float]:
    """(the straight map nearest to the points, the change of scale over them)."""
    terms = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    matrix = np.linalg.lstsq(terms, places, rcond=None)[0].T
    homography, _ = cv2.findHomography(points, places, cv2.RANSAC, 4.0)
    tilt = 0.0
    # A few short markers look tilted by chance: what really is leaves a straight map that does not fit.
    off = float(np.sqrt(((terms @ matrix.T - places) ** 2).sum(axis=1).mean()))
    if homography is not None and off > MOST_TILT / 20 * float(np.ptp(points, axis=0).max()):
        low, high = points.min(axis=0), points.max(axis=0)
        middle = (low + high) / 2
        depths = [
            float(homography[2] @ [*at, 1])
            for at in ((low[0], middle[1]), (high[0], middle[1]), (middle[0], low[1]), (middle[0], high[1]))
        ]
        tilt = max(abs(depths[0] / depths[1] - 1), abs(depths[2] / depths[3] - 1))
    return np.asarray(matrix), tilt


def code_on(scan: Scan, box: Box, start: Start, pitch_mm: tuple[float, float]) -> str:
    """What the QR code in a box (mm of the pattern) says; empty where it can't be read, or is not on the scan."""
    x, y, width, height = box
    around = 0.35 * max(width, height)

    def there(by: float) -> NDArray[np.float32]:
        left, right, top, bottom = x - by, x + width + by, y - by, y + height + by
        on = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) / pitch_mm - 0.5
        return np.asarray(on @ start.matrix[:, :2].T + start.matrix[:, 2], np.float32)

    inner, places = there(0.0), there(around)
    if (inner < 0).any() or (inner > np.array(scan.rgb.shape[1::-1]) - 1).any():
        return ""
    side = 480
    straight = cv2.getPerspectiveTransform(places, np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32))
    low = np.maximum(np.floor(places.min(axis=0)).astype(int) - 4, 0)
    high = np.ceil(places.max(axis=0)).astype(int) + 5
    straight = straight @ np.array([[1, 0, low[0]], [0, 1, low[1]], [0, 0, 1.0]])
    cut = cv2.cvtColor(scan.rgb[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY)
    shown = cv2.warpPerspective(cut, straight, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    for sd in (0.0, 2.0, 4.0):
        picture = cv2.GaussianBlur(shown, (0, 0), sd) if sd else shown
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
        if found:
            return str(found[0].text)
    return ""
