"""One length of cloth against what it should be: its scans are laid on it, its colours measured, its defects found.

    found = inspect(source, (read_scan(path) for path in paths), network=shipped(), threshold=USUAL)

One scan after another: only one is in memory at a time.

What can't be trusted is not inspected, and says why: nothing here makes a grade of a scan that does not lie on its
source. Lengths are finished millimetres of the pattern: x from its left edge, y from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from production.domain.colour import delta_e_2000, srgb_to_lab
from production.inspection import capture, measure
from production.inspection.capture import NotInspectable, Scan
from production.inspection.constructions import MM_PER_PX
from production.inspection.detect import Region, Scores, Threshold, regions, scored
from production.inspection.evenness import Repeated
from production.inspection.lay import BLOCK_PX, LEAST_BLOCKS, Lay, Start
from production.inspection.measure import Eye, Light
from production.inspection.outcome import (
    AS_ASKED,
    READINGS,
    Block,
    Channel,
    Colour,
    Defect,
    Inspected,
    Lab,
    Registration,
    Scanned,
)
from production.inspection.pictures import Strip
from production.inspection.register import Agreement, Registered, register
from production.inspection.source import Source

if TYPE_CHECKING:
    from production.inspection.network import Inspector

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

MOST_RESIDUAL_MM = 0.5
MOST_SIZE_PCT = 2.9  # of the repeat; beyond, it is no size error but another scale
# Edges more blurred than this, on a scan that also shows nothing as fine as yarns: rough cloth spreads ink as well.
MOST_BLUR_PX, LEAST_FINE = 2.6, 0.6
# Of reference and scan once they lie on each other. Of 13 simulated scans of the training's split the right sources had
# 0.90 and 0.99 at least, other layouts 0.74 and 0.84 at most, other designs 0.15 and 0.21.
LEAST_ALIKE, LEAST_AGREEING = 0.82, 0.92
# Of their colours: right sources have 0.92 at least, a houndstooth that lies half a repeat on -0.97.
LEAST_ALIKE_IN_COLOUR = 0.3
# A design of one colour is known by that alone: L*a*b* differences over 2 mm that 90 of 100 places are under (cloth has
# up to 2.5, patterns 12 and more), and how far the scanner's colour may be from the one asked (usual ones: up to 7).
MOST_UNEVEN, MOST_OFF_DE00 = 6.0, 15.0
_PLAIN_PX = 8
STRIP_ROWS = 3840
EDGE_MM = 1.5  # along the edges of the printed pattern: ink that spreads or lies aside there is no defect
MOST_BLOCKS = 1500
_TRIED_BLOCKS = 27
INKS = ("cyan", "magenta", "yellow")  # each by the light that it takes: red, green, blue


@dataclass(frozen=True)
class Laid:
    """A scan that lies on its part of the cloth."""

    scan: Scan
    start: Start
    registered: Registered
    top: int  # pixels of the grid, of the part of the cloth that was compared
    left: int
    scan_px: tuple[int, int]
    box: tuple[int, int, int, int]  # rows and columns of that part that the scan shows wholly: first, last, first, last

    @property
    def rows(self) -> tuple[int, int]:
        """First and last row of the cloth, of what is shown."""
        return self.top + self.box[0], self.top + self.box[1]


def inspect(
    source: Source,
    scans: Iterable[Scan],
    *,
    network: Inspector,
    threshold: Threshold,
    readings: Mapping[str, Lab] | None = None,
    synthetic: bool = False,
    many: int = 1,
    on_progress: Progress = lambda what, done, of: None,
    on_strip: Callable[[Strip], None] = lambda strip: None,
) -> Inspected:
    """Inspect a length of cloth by its scans, in their order from the head of the roll; `many` of them.

    readings: L*a*b* (D50) of patches of the colour bar, or of a card in its place, as they were measured, by their
    names; without them the bar is taken to be as it was asked. synthetic: whatever the scans say of themselves, they
    are simulated. on_strip: is shown source and scan, metre by metre.
    """
    found: list[Laid] = []
    read: list[Scan] = []
    targets: list[_Target] = []
    defects: list[Region] = []
    try:
        for scan in scans:
            number = len(read)
            read.append(_unseen(scan))
            synthetic = synthetic or scan.synthetic
            on_progress("laying the scans on their source", number, many)
            laid = lay(source, scan, begins_mm=_end_mm(source, found))
            target = _target(source, laid, readings)
            on_progress("looking for defects", number, many)
            until = max((each.rows[1] for each in found), default=0)
            straight = _straight(laid)
            laid = replace(laid, scan=read[-1])
            del scan  # of a large cloth there is no room for two
            defects += _defects(source, laid, straight, target, until, network, threshold, on_strip)
            del straight
            targets += [target] if target is not None else []
            found.append(laid)
        if not found:
            raise NotInspectable("no_scans", "There is no scan to inspect.")
    except NotInspectable as refused:
        return Inspected(
            source.job, source.revision, trusted=False, reason=refused.reason, scans=_scanned(source, read, found),
            width_mm=0.0, length_mm=0.0, area_m2=0.0, synthetic=synthetic,
        )  # fmt: skip
    width_mm = max((each.left + each.box[3]) * source.pitch_mm[0] for each in found)
    length_mm = source.length_mm or max(each.rows[1] for each in found) * source.pitch_mm[1]
    return Inspected(
        job=source.job,
        revision=source.revision,
        trusted=True,
        reason=None,
        scans=_scanned(source, read, found),
        width_mm=source.width_mm or width_mm,
        length_mm=length_mm,
        area_m2=_area_m2(source, found),
        registration=_together(source, found),
        colours=_colours(targets),
        colours_unmeasured=_cut_off(targets) if targets else _why_unmeasured(source, readings),
        colour_basis="" if not targets else AS_ASKED if readings is None else READINGS,
        target_residual_de00=float(np.mean([each.eye.residual_de00 for each in targets])) if targets else None,
        channels=_channels(found),
        defects=tuple(
            Defect(number=number, **vars(each))
            for number, each in enumerate(sorted(defects, key=lambda each: (each.y_mm, each.x_mm)), start=1)
        ),
        synthetic=synthetic,
    )


def _unseen(scan: Scan) -> Scan:
    """A scan without its picture: what is done with lets its memory go."""
    return replace(scan, rgb=np.zeros((0, 0, 3), np.uint8))


# ------------------------------------------------------------------------------------------------ laying


def lay(source: Source, scan: Scan, *, begins_mm: float = 0.0) -> Laid:
    """Lay a scan on the cloth. begins_mm: where it should begin, if no marks tell. Raises NotInspectable."""
    capture.refuse_part(scan, source.repeat_mm)
    capture.refuse_empty(scan, plain=source.plain)
    start = _started(source, scan)
    if start is None:
        row = round(begins_mm / source.pitch_mm[1])
        start = Start.at_corner(dpi=scan.dpi, pitch_mm=source.pitch_mm).from_row(-row)
    top, left, height, width = _part_shown(source, scan, start)
    if min(height, width) < LEAST_BLOCKS * BLOCK_PX:
        raise NotInspectable(
            "part_of_repeat", f"{scan.name} shows hardly any of the pattern. Scan at least one whole repeat of it."
        )
    reference = source.reference(height, width, top=top, left=left)
    mine = start.from_row(top, left)
    registered = register(reference, scan.rgb, mine)
    _refuse_untrusted(source, scan, registered, mine, (top, left))
    return Laid(
        scan, start, registered, top, left, (scan.rgb.shape[0], scan.rgb.shape[1]), _wholly_shown(registered, scan)
    )


def _started(source: Source, scan: Scan) -> Start | None:
    """Where the pattern lies by the sheet's marks; None for a cloth without. Raises NotInspectable."""
    marks = source.marks
    if marks is None or not marks.fiducials:
        return None
    start = capture.start_of(scan, capture.find_marks(scan, marks), marks, source.pitch_mm)
    if marks.code_box is not None:
        said = capture.code_on(scan, marks.code_box, start, source.pitch_mm)
        if said and said != marks.code:
            raise NotInspectable(
                "wrong_job", f"{scan.name} is a scan of {said[:60]}, not of {marks.code}: give it to that order."
            )
    return start


def _part_shown(source: Source, scan: Scan, start: Start) -> tuple[int, int, int, int]:
    """(top, left, height, width) in pixels of the grid: the part of the pattern that a scan shows."""
    height, width = scan.rgb.shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float64)
    on = (corners - start.matrix[:, 2]) @ np.linalg.inv(start.matrix[:, :2]).T
    low, high = np.round(on.min(axis=0)).astype(int), np.round(on.max(axis=0)).astype(int) + 1
    if source.width_mm is not None:
        low[0], high[0] = max(low[0], 0), min(high[0], int(source.width_mm / source.pitch_mm[0]))
    if source.length_mm is not None:
        low[1], high[1] = max(low[1], 0), min(high[1], int(source.length_mm / source.pitch_mm[1]))
    low = np.maximum(low, 0)
    return int(low[1]), int(low[0]), int(max(high[1] - low[1], 0)), int(max(high[0] - low[0], 0))


def _wholly_shown(registered: Registered, scan: Scan) -> tuple[int, int, int, int]:
    """The largest part, by cutting off the side that lacks most, of whose every block the scan shows everything."""
    shown = registered.lay.shown((scan.rgb.shape[0], scan.rgb.shape[1]))
    top, bottom, left, right = 0, shown.shape[0], 0, shown.shape[1]
    while bottom > top and right > left and not shown[top:bottom, left:right].all():
        part = shown[top:bottom, left:right]
        shares = {
            "top": part[0].mean(),
            "bottom": part[-1].mean(),
            "left": part[:, 0].mean(),
            "right": part[:, -1].mean(),
        }
        worst = min(shares, key=lambda side: shares[side])
        top, left = top + (worst == "top"), left + (worst == "left")
        bottom, right = bottom - (worst == "bottom"), right - (worst == "right")
    height, width = registered.lay.shape
    return top * BLOCK_PX, min(bottom * BLOCK_PX, height), left * BLOCK_PX, min(right * BLOCK_PX, width)


def _refuse_untrusted(source: Source, scan: Scan, found: Registered, start: Start, at: tuple[int, int]) -> None:
    facts, alike = found.facts, found.agreement
    if source.plain:
        _refuse_other_plain(source, scan, found.lay)
        return
    why = None if _trusted(alike) else _why_not(source, scan, start, at)
    # What lies wrongly looks blurred as well: that it does is said first.
    blur_px = found.blur_px or 0.0
    blurred = blur_px > MOST_BLUR_PX and alike.whole > 0.3 and _fineness(scan) < LEAST_FINE
    if blurred and (why is None or why[0] == "other_design"):
        raise NotInspectable(
            "blurred",
            f"{scan.name} is blurred: edges are spread over {2.4 * blur_px * MM_PER_PX:.1f} mm, at most "
            f"{2.4 * MOST_BLUR_PX * MM_PER_PX:.1f} mm can be. Lay the cloth flat on the glass, or set the focus anew.",
        )
    if why is not None:
        raise NotInspectable(*why)
    if facts.residual_mean_mm > MOST_RESIDUAL_MM:
        raise NotInspectable(
            "not_inspectable",
            f"{scan.name} does not lie surely on its source: it is {facts.residual_mean_mm:.1f} mm off on average, at "
            f"most {MOST_RESIDUAL_MM} mm can be. Lay the cloth flat and without tension, and scan it again.",
        )
    for what, error in (("wide", facts.size_error_across_pct), ("long", facts.size_error_along_pct)):
        if abs(error) > MOST_SIZE_PCT:
            raise NotInspectable(
                "other_scale",
                f"On {scan.name} a repeat is {100 + error:.1f} % as {what} as it should be; what is more than "
                f"{MOST_SIZE_PCT} % off is taken for another scale. Check the scan's resolution and the repeat's size.",
            )


def _refuse_other_plain(source: Source, scan: Scan, lies: Lay) -> None:
    """Raise NotInspectable where a scan shows a pattern, or a colour that no scanner makes of the one asked."""
    nodes = lies.nodes[:-1, :-1].reshape(-1, 2)  # without blocks that reach over the pattern's end
    (x0, y0), (x1, y1) = np.maximum(nodes.min(axis=0), 0).astype(int), nodes.max(axis=0).astype(int) + 1
    shown = scan.rgb[y0:y1, x0:x1]
    size = (max(1, shown.shape[1] // _PLAIN_PX), max(1, shown.shape[0] // _PLAIN_PX))
    lab = srgb_to_lab(np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)).astype(np.float32)
    slow = cv2.GaussianBlur(lab, (0, 0), 96 / _PLAIN_PX)
    uneven = float(np.percentile(np.sqrt(((lab - slow) ** 2).sum(axis=-1)), 90))
    if uneven > MOST_UNEVEN:
        raise NotInspectable(
            "other_design",
            f"The design is one colour; {scan.name} shows a pattern. Is it the scan of another order?",
        )
    off = float(delta_e_2000(source.labs[0], np.median(lab.reshape(-1, 3), axis=0).astype(np.float64)))
    if off > MOST_OFF_DE00:
        raise NotInspectable(
            "other_colour",
            f"The design is one colour, and {scan.name} shows another: ΔE2000 {off:.0f}, where a scanner makes "
            f"{MOST_OFF_DE00:.0f} of it at most. Is it the scan of another order?",
        )


def _fineness(scan: Scan) -> float:
    """How much there is on the middle of a scan within a pixel, against what there is over four."""
    middle = [slice(max(0, size // 2 - 400), size // 2 + 400) for size in scan.rgb.shape[:2]]
    grey = cv2.cvtColor(np.ascontiguousarray(scan.rgb[middle[0], middle[1]]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    near = cv2.GaussianBlur(grey, (0, 0), 1.0)
    return float((grey - near).std() / ((near - cv2.GaussianBlur(near, (0, 0), 4.0)).std() + 1e-6))


def _trusted(alike: Agreement) -> bool:
    return alike.whole >= LEAST_ALIKE and alike.agreeing >= LEAST_AGREEING and alike.colours >= LEAST_ALIKE_IN_COLOUR


def _why_not(source: Source, scan: Scan, start: Start, at: tuple[int, int]) -> tuple[str, str]:
    """Code and sentence for a scan that does not show its source: it is tried turned, scaled and laid otherwise."""
    name = scan.name
    if _would(source, np.ascontiguousarray(scan.rgb[::-1, ::-1]), start, at):
        return "upside_down", f"{name} is upside down: turn it by half a turn, so that the head of the roll is on top."
    for scale, what in ((2.0, "twice"), (0.5, "half")):
        wanted = replace(start, matrix=start.matrix * scale)
        if _would(source, scan.rgb, wanted, at):
            return (
                "other_scale",
                f"On {name} the design is {what} as large as it should be. Check the scan's resolution and the size of "
                "the repeat.",
            )
    return (
        "other_design",
        f"{name} does not show what this cloth should be. Is it the scan of another order, another layout or another "
        "part of the repeat? It should begin with the repeat at its upper left corner, straight.",
    )


def _would(source: Source, rgb: Picture, start: Start, at: tuple[int, int]) -> bool:
    """True where a part of a scan would lie on the source in another way."""
    side = _TRIED_BLOCKS * BLOCK_PX
    inner = np.abs(np.linalg.det(start.matrix[:, :2])) ** 0.5
    height, width = (min(side, int(size / inner)) for size in rgb.shape[:2])
    if min(height, width) < LEAST_BLOCKS * BLOCK_PX:
        return False
    reference = source.reference(height, width, top=at[0], left=at[1])
    return _trusted(register(reference, rgb, replace(start, sure=False, marks=())).agreement)


# ------------------------------------------------------------------------------------------------ colours


@dataclass(frozen=True)
class _Target:
    """What a scan that shows a colour bar says of colours."""

    light: Light
    eye: Eye
    colours: tuple[Colour, ...]
    cut_off: tuple[str, ...]  # colours of the design that the scanner can't say


def _target(source: Source, laid: Laid, readings: Mapping[str, Lab] | None) -> _Target | None:
    """The colours on a scan by its target; None where it shows too little of one."""
    rgb, bare = laid.scan.rgb, len(source.colours)
    bar = measure.bar_on(rgb, laid.start, source)
    known = _known(source, bar, readings)
    if len(known) < measure.LEAST_PATCHES:
        return None
    samples = measure.samples_of(laid.registered.lay, rgb, source, top=laid.top, left=laid.left)
    samples += measure.bare_samples(rgb, laid.start, source, bare)
    light = measure.light_of(samples, bare + 1)
    seen = np.array([bar[name].light for name in known])
    even = seen / light.at(np.array([bar[name].place for name in known]))[:, None]
    eye = measure.fitted_to(even, np.array([known[name] for name in known]), shine=readings is not None)
    beyond = measure.cut_off(samples, bare)
    names = tuple(source.colours[number] for number in sorted(beyond))
    return _Target(light, eye, measure.colours(source, light, eye, beyond), names)


def _why_unmeasured(source: Source, readings: Mapping[str, Lab] | None) -> str:
    where = "there is no colour bar"
    if source.marks is not None and source.marks.patches:
        where = (
            f"fewer than {measure.LEAST_PATCHES} patches of the colour bar are on a scan, and not too light to be read,"
        )
        if readings is not None:
            where = where.replace(" are on", " have readings and are on")
    return f"Colours are not measured: {where} to tell how the scanner sees them."


def _cut_off(targets: Sequence[_Target]) -> str:
    """Which colours could not be measured on any scan, in words."""
    told = {each.colour for target in targets for each in target.colours}
    names = dict.fromkeys(name for target in targets for name in target.cut_off if name not in told)
    if not names:
        return ""
    return f"Not measured: {', '.join(names)}. The scanner cuts them off at full light, or at none."


def _colours(targets: Sequence[_Target]) -> tuple[Colour, ...]:
    """Every colour over all scans that show a target."""
    by_name: dict[str, list[Colour]] = {}
    for target in targets:
        for one in target.colours:
            by_name.setdefault(one.colour, []).append(one)
    return tuple(_mean_colour(several) for several in by_name.values())


def _known(source: Source, bar: Mapping[str, measure.Sample], readings: Mapping[str, Lab] | None) -> dict[str, Lab]:
    """The L*a*b* of the patches that are on a scan: as they were read, else as they were asked."""
    assert source.marks is None or len(bar) <= len(source.marks.patches), "a patch is on a scan once"
    known: dict[str, Lab] = {}
    for name in bar:
        number, _, patch = name.partition(" ")
        asked = source.marks.patches[int(number)].lab if source.marks is not None else None
        if readings is not None:
            read = readings.get(name, readings.get(patch))
            if read is not None:
                known[name] = read
        elif asked is not None:
            known[name] = asked
    return known


def _mean_colour(several: Sequence[Colour]) -> Colour:
    if len(several) == 1:
        return several[0]
    asked = np.array(several[0].asked_lab)
    seen = np.mean([each.seen_lab for each in several], axis=0)
    lightness, red, yellow = (round(float(value), 3) for value in seen)
    return replace(
        several[0],
        seen_lab=(lightness, red, yellow),
        de00=float(delta_e_2000(asked, seen)),
        cmc=float(measure.delta_e_cmc(asked, seen)),
    )


# ------------------------------------------------------------------------------------------------ defects


def _defects(
    source: Source,
    laid: Laid,
    shown: tuple[Picture, tuple[int, int]],
    target: _Target | None,
    until: int,
    network: Inspector,
    threshold: Threshold,
    on_strip: Callable[[Strip], None],
) -> list[Region]:
    """The defects of a scan that lie further along the cloth than row `until`, in mm of the pattern."""
    straight, begins = shown
    _show(source, laid, straight, _under(source, straight, begins), target, on_strip)
    straight, begins = _off_edges(source, straight, begins)
    reference, (top, beside) = _under(source, straight, begins), begins
    pitch = source.pitch_mm
    across, along = pitch[0] / MM_PER_PX, pitch[1] / MM_PER_PX
    found = []
    for each in regions(scored(reference, straight, network=network), threshold):
        middle = top + (each.y_mm + each.height_mm / 2) / MM_PER_PX
        if middle < until:
            continue
        found.append(
            replace(
                each,
                x_mm=each.x_mm * across + beside * pitch[0],
                y_mm=each.y_mm * along + top * pitch[1],
                width_mm=each.width_mm * across,
                height_mm=each.height_mm * along,
                area_mm2=each.area_mm2 * across * along,
            )
        )
    return found


def seen_by(network: Inspector, source: Source, scan: Scan) -> Scores:
    """What a network thinks of a scan, laid on the cloth: as `inspect` looks at it. Raises NotInspectable."""
    straight, begins = _off_edges(source, *_straight(lay(source, scan)))
    return scored(_under(source, straight, begins), straight, network=network)


def _straight(laid: Laid) -> tuple[Picture, tuple[int, int]]:
    """(what a scan shows wholly of the cloth, brought onto it; with which row and column of the cloth that begins)."""
    first, last, left, right = laid.box
    straight = laid.registered.lay.straightened(laid.scan.rgb)[first:last, left:right]
    return straight, (laid.top + first, laid.left + left)


def _under(source: Source, straight: Picture, begins: tuple[int, int]) -> Repeated:
    """What the cloth should be there."""
    return source.reference(*straight.shape[:2], top=begins[0], left=begins[1])


def _off_edges(source: Source, straight: Picture, begins: tuple[int, int]) -> tuple[Picture, tuple[int, int]]:
    """The same without what lies at the edges of the pattern."""
    kept = []
    sizes = source.length_mm, source.width_mm
    for first, count, pitch, size in zip(begins, straight.shape[:2], source.pitch_mm[::-1], sizes, strict=True):
        edge = round(EDGE_MM / pitch)
        begin = 0 if size is None else max(0, edge - first)
        end = count if size is None else min(count, int(size / pitch) - edge - first)
        kept.append(slice(begin, max(begin, end)))
    return straight[kept[0], kept[1]], (begins[0] + kept[0].start, begins[1] + kept[1].start)


def _show(
    source: Source,
    laid: Laid,
    straight: Picture,
    reference: Repeated,
    target: _Target | None,
    on_strip: Callable[[Strip], None],
) -> None:
    first, _, left, right = laid.box
    matrix = laid.start.from_row(laid.top + first, laid.left + left).matrix
    height, width = laid.scan_px
    columns = (np.arange(straight.shape[1]) * matrix[0, 0] + matrix[0, 2]) / width
    rows = (np.arange(len(straight)) * matrix[1, 1] + matrix[1, 2]) / height
    pitch = source.pitch_mm
    for begin in range(0, len(straight), STRIP_ROWS):
        end = min(begin + STRIP_ROWS, len(straight))
        part = straight[begin:end]
        if target is not None:
            part = measure.fitted_picture(part, target.eye, target.light, (columns, rows[begin:end]))
        on_strip(
            Strip(
                from_mm=(laid.top + first + begin) * pitch[1],
                to_mm=(laid.top + first + end) * pitch[1],
                left_mm=(laid.left + left) * pitch[0],
                right_mm=(laid.left + right) * pitch[0],
                scan=part,
                source=reference[begin:end, 0 : reference.shape[1]],
            )
        )


# ------------------------------------------------------------------------------------------------ the whole length


def _end_mm(source: Source, found: Sequence[Laid]) -> float:
    return found[-1].rows[1] * source.pitch_mm[1] if found else 0.0


def _scanned(source: Source, scans: Sequence[Scan], found: Sequence[Laid]) -> tuple[Scanned, ...]:
    pitch = source.pitch_mm[1]
    lying = [(each.rows[0] * pitch, each.rows[1] * pitch) for each in found]
    lying += [(0.0, 0.0)] * (len(scans) - len(lying))
    return tuple(Scanned(scan.name, scan.sha256, scan.dpi, *at) for scan, at in zip(scans, lying, strict=True))


def _area_m2(source: Source, found: Sequence[Laid]) -> float:
    """What was looked at, overlaps counted once."""
    area, until = 0.0, 0
    for each in sorted(found, key=lambda laid: laid.rows):
        first, last = max(each.rows[0], until), each.rows[1]
        area += max(0, last - first) * (each.box[3] - each.box[2]) * source.pitch_mm[0] * source.pitch_mm[1] / 1e6
        until = max(until, last)
    return area


def _together(source: Source, found: Sequence[Laid]) -> Registration:
    """The registrations of all scans as one, by their areas; of shape the worst."""
    facts = [each.registered.facts for each in found]
    weights = np.array([(each.box[1] - each.box[0]) * (each.box[3] - each.box[2]) + 1 for each in found], np.float64)

    def mean(name: str) -> float:
        return float(np.average([getattr(each, name) for each in facts], weights=weights))

    def most(name: str) -> float:
        return float(max((getattr(each, name) for each in facts), key=abs))

    blocks = [
        replace(
            block,
            x_mm=block.x_mm * source.pitch_mm[0] / MM_PER_PX + laid.left * source.pitch_mm[0],
            y_mm=block.y_mm * source.pitch_mm[1] / MM_PER_PX + laid.top * source.pitch_mm[1],
        )
        for laid, each in zip(found, facts, strict=True)
        for block in each.blocks
    ]
    return Registration(
        residual_mean_mm=mean("residual_mean_mm"),
        residual_p95_mm=mean("residual_p95_mm"),
        size_error_across_pct=mean("size_error_across_pct"),
        size_error_along_pct=mean("size_error_along_pct"),
        stretch_pct=most("stretch_pct"),
        bow_mm=most("bow_mm"),
        skew_mm=most("skew_mm"),
        confidence=mean("confidence"),
        blocks=_fewer(blocks),
    )


def _fewer(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The same over larger blocks, where there are many: for people and for JSON."""
    side = BLOCK_PX * MM_PER_PX
    while len(blocks) > MOST_BLOCKS:
        side *= 2
        cells: dict[tuple[int, int], list[Block]] = {}
        for each in blocks:
            cells.setdefault((int(each.x_mm // side), int(each.y_mm // side)), []).append(each)
        blocks = [
            Block(*(float(np.mean([getattr(one, name) for one in several])) for name in vars(several[0])))
            for several in cells.values()
        ]
    return tuple(blocks)


def _channels(found: Sequence[Laid]) -> tuple[Channel, ...]:
    """By how much each channel lies aside of their middle, over all scans; one that no edges tell of is left out."""
    channels = []
    for number, name in enumerate(INKS):
        told = [
            (x, y) for x, y in (each.registered.shift_um[number] for each in found) if x is not None and y is not None
        ]
        if told:
            across, along = np.mean(told, axis=0)
            channels.append(Channel(name, float(across), float(along)))
    return tuple(channels)


def tried(source: Source, scan: Scan) -> Agreement:
    """How far a scan shows a source, trusted or not: what the limits of trust are set by."""
    start = Start.at_corner(dpi=scan.dpi, pitch_mm=source.pitch_mm)
    top, left, height, width = _part_shown(source, scan, start)
    reference = source.reference(height, width, top=top, left=left)
    return register(reference, scan.rgb, start.from_row(top, left)).agreement
