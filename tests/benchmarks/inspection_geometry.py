"""Registration, colours and refusals of inspection on simulated scans of whole sheets: everything here is SYNTHETIC.

`python -m tests.benchmarks.inspection_geometry geometry|colour|refusals|speed|whole [--scans N]`. A sheet has head,
bar, code and markers; its scan is turned, stretched, bowed, lit unevenly and printed off. Errors are those against the
simulator's truth. `alone`: the same without the marks, as `--source` is used: the pattern begins at the scan's corner.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pyvips
import torch

import production
from generation.domain.pattern import Layout
from orders.inspection_designs import inspection_design
from production.domain.colour import delta_e_2000, lab_to_srgb
from production.domain.sheet import Sheet, lay_out
from production.domain.spec import Ink, Inks, Profile
from production.inspection import inspect as inspecting
from production.inspection import measure, weights
from production.inspection.capture import NotInspectable, Scan, read_scan
from production.inspection.constructions import MM_PER_PX
from production.inspection.detect import USUAL
from production.inspection.lay import Start
from production.inspection.register import register
from production.inspection.simulate import (
    Truth,
    random_scene,
    repeated,
    sheet_picture,
    simulate,
)
from production.inspection.source import Marks, Source, of_picture
from production.lettering import dots_of
from production.separation import to_lab

SCANS = 60
WIDE_SEED = 2
SHEET_MM, PATTERN_PX, ALONE_PX, AROUND_PX = 300.0, (1100, 1250), 1296, 40
PROFILE = Path(production.__file__).parent / "profiles" / "reactive-cmyk-cotton-synthetic.icc"
_NAMES = ("Cyan", "Magenta", "Yellow", "Black")
INKS = Inks(
    code="RE-CMYK", name="Reactive inks", ink_class="reactive",
    inks=tuple(Ink(name[0] if name != "Black" else "K", name, "", 10.0) for name in _NAMES),
    tac_pct=280.0, purge_ml=6.0, pretreatment_sku="", pickup_pct=70.0,
    profile=Profile("SYNTHETIC", "", PROFILE, synthetic=True),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One simulated scan with its source and its truth; (top, left) of the pattern in the simulated reference."""

    source: Source
    scan: Scan
    truth: Truth
    top: int
    left: int
    shape: tuple[int, int]  # of the pattern


def source_of(seed: int, split: str = "test") -> Source:
    """A design of the split, as a picture."""
    tile, layout = inspection_design(seed, split)
    size = (tile.shape[1] * MM_PER_PX, tile.shape[0] * MM_PER_PX)
    return of_picture(tile, repeat_mm=size, layout=layout)


def sheet_of(source: Source, code: str, pattern_px: tuple[int, int] = PATTERN_PX, width_mm: float = SHEET_MM) -> Sheet:
    """The sheet that it is printed on."""
    return lay_out(
        dpi=100.0, fabric_width_mm=width_mm, pattern_px=pattern_px, tile_px=source.tile.shape[1::-1],
        layout=source.layout, channels=INKS.channels, tac_pct=INKS.tac_pct, words=code, code=code, lettering=dots_of,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def ink_rgb(ink: tuple[int, ...]) -> tuple[int, ...]:
    """What a mark's ink looks like on the cloth."""
    return tuple(int(v) for v in lab_to_srgb(to_lab(np.array([ink]) / 255, INKS))[0])


def sheet_case(seed: int, split: str = "test") -> Case:
    """A scan of a whole sheet."""
    source, code = source_of(seed, split), f"WL-{seed:06d}-1-r1"
    sheet = sheet_of(source, code)
    pattern = source.reference(PATTERN_PX[1], PATTERN_PX[0])[:, :]
    picture = sheet_picture(sheet, pattern, ink_rgb=ink_rgb, white=(255, 255, 255))
    marks = Marks.of(sheet.as_dict(), scale=(1.0, 1.0), code=code, inks=INKS)
    source = replace(
        source,
        marks=marks,
        width_mm=PATTERN_PX[0] * MM_PER_PX,
        length_mm=PATTERN_PX[1] * MM_PER_PX,
        job=code[:-3],
        revision=1,
    )
    scene = random_scene(seed, picture, split=split)
    # The scanner's glass is larger than the cloth: its edges and the markers on them can be seen however it lies.
    x, y = scene.geometry.offset_px
    scene = replace(
        scene, scan_px=(picture.shape[0] + 2 * AROUND_PX, picture.shape[1] + 2 * AROUND_PX),
        geometry=replace(scene.geometry, offset_px=(x + AROUND_PX, y + AROUND_PX)),
    )  # fmt: skip
    rgb, truth = simulate(picture, scene)
    return Case(source, Scan(f"scan {seed}", "", rgb, 100.0), truth, sheet.y_px, sheet.x_px, PATTERN_PX[::-1])


def alone_case(seed: int, split: str = "test") -> Case:
    """A scan of a length of cloth without a sheet."""
    tile, layout = inspection_design(seed, split)
    picture = repeated(tile, layout, ALONE_PX, ALONE_PX)
    rgb, truth = simulate(picture, random_scene(seed, picture, split=split))
    return Case(source_of(seed, split), Scan(f"scan {seed}", "", rgb, 100.0), truth, 0, 0, (ALONE_PX, ALONE_PX))


def shape_errors(case: Case, laid: inspecting.Laid) -> dict[str, float]:
    """Errors of a registration against the truth, in mm, % and µm."""
    lay = laid.registered.lay
    nodes = np.concatenate([lay.places(row, row + 1) for row in range(len(lay.nodes))])
    height, width = lay.shape
    y, x = np.mgrid[4:height:8, 4:width:8]
    on = np.stack([x + laid.left + case.left, y + laid.top + case.top], axis=-1).astype(np.float32)
    true = case.truth.to_scan(on)
    off = nodes[4:height:8, 4:width:8] - true
    shown = (true > 4).all(axis=-1) & (true < np.array(case.scan.rgb.shape[1::-1]) - 5).all(axis=-1)
    error = np.hypot(*off[shown].T) * MM_PER_PX
    terms = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1).astype(np.float64)
    matrix = np.linalg.lstsq(terms, true.reshape(-1, 2).astype(np.float64), rcond=None)[0].T
    sizes = [100 * (np.hypot(*matrix[:, k]) - 1) for k in (0, 1)]
    flat = (true.reshape(-1, 2) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T - terms[:, :2]
    u, v = x.ravel() / (width - 1) * 2 - 1, y.ravel() / (height - 1) * 2 - 1
    ways = np.stack([np.ones_like(u), u, v, u * v, v * v, 1 - u * u], axis=1)
    bow = float(np.linalg.lstsq(ways, flat[:, 1], rcond=None)[0][-1]) * MM_PER_PX
    facts = laid.registered.facts
    printed = np.array(case.truth.scene.print.shift_px) * MM_PER_PX * 1000
    printed -= printed.mean(axis=0)
    shifts = [
        abs(value - printed[channel, axis])
        for channel, pair in enumerate(laid.registered.shift_um)
        for axis, value in enumerate(pair)
        if value is not None
    ]
    return {
        "mean": float(error.mean()), "p95": float(np.percentile(error, 95)),
        "across": abs(facts.size_error_across_pct - sizes[0]), "along": abs(facts.size_error_along_pct - sizes[1]),
        "bow": abs(facts.bow_mm - bow), "shift": float(np.mean(shifts)) if shifts else np.nan,
        "worst shift": max(shifts, default=np.nan), "told": len(shifts), "confidence": facts.confidence,
        "plain": float(case.source.plain), "alike": laid.registered.agreement.whole,
        "agreeing": laid.registered.agreement.agreeing, "residual": facts.residual_mean_mm,
        "blur": laid.registered.blur_px or 0.0, "strangers": laid.registered.agreement.strangers,
    }  # fmt: skip


def geometry(scans: int = SCANS, *, say: bool = False) -> list[tuple[str, str]]:
    """Errors of pose, size, bow and channels."""
    rows = []
    for name, make in (("sheet", sheet_case), ("alone", alone_case)):
        found, refused, spent = [], [], 0.0
        for seed in range(scans):
            case = make(seed)
            began = time.process_time()
            try:
                laid = inspecting.lay(case.source, case.scan)
            except NotInspectable as why:
                refused.append(f"{seed}: {why.reason.code}")
                if say:
                    print(name, seed, why, flush=True)
                continue
            finally:
                spent += time.process_time() - began
            found.append(shape_errors(case, laid))
            if say:
                print(name, seed, {key: round(value, 3) for key, value in found[-1].items()}, flush=True)
        rows += _table(name, found, refused)
    return rows


def _table(name: str, found: list[dict[str, float]], refused: list[str]) -> list[tuple[str, str]]:
    def all_of(key: str, some: list[dict[str, float]]) -> np.ndarray:
        return np.array([each[key] for each in some])

    patterned = [each for each in found if not each["plain"]]
    mean, p95 = all_of("mean", patterned), all_of("p95", patterned)
    shift, worst = all_of("shift", patterned), all_of("worst shift", patterned)
    sizes = np.concatenate([all_of("across", patterned), all_of("along", patterned)])
    plain = len(found) - len(patterned)
    worst_mm = f"worst scan {mean.max():.2f} / {p95.max():.2f}"
    told = f"{_spread(shift[np.isfinite(shift)], 0)}; single ones at most {np.nanmax(worst):.0f}"
    return [
        (f"{name}: scans, of these of one colour, refused", f"{len(found)}, {plain}, {refused or 'none'}"),
        (f"{name}: registration mean / p95, mm", f"{mean.mean():.3f} / {p95.mean():.3f}; {worst_mm}"),
        (f"{name}: scans over 0.2 mean, over 0.4 p95", f"{int((mean > 0.2).sum())}, {int((p95 > 0.4).sum())}"),
        (f"{name}: size of the repeat, %", _spread(sizes, 3)),
        (f"{name}: bow, mm", _spread(all_of("bow", patterned), 2)),
        (f"{name}: channel shift, µm", told),
        (f"{name}: channels told of 6", f"{all_of('told', patterned).mean():.1f}"),
    ]


def _spread(values: np.ndarray, digits: int) -> str:
    if not len(values):
        return "none"
    return (
        f"mean {values.mean():.{digits}f}, p95 {np.percentile(values, 95):.{digits}f}, most {values.max():.{digits}f}"
    )


def colour(scans: int = SCANS, *, say: bool = False) -> list[tuple[str, str]]:
    """Errors of the measured palette, with the bar's patches read by an instrument and without."""
    errors: dict[str, list[float]] = {"bar read": [], "bar as asked": []}
    told: dict[str, list[float]] = {name: [] for name in errors}
    there, residuals, cut_off = [], [], 0
    for seed in range(scans):
        case = sheet_case(seed)
        try:
            laid = inspecting.lay(case.source, case.scan)
        except NotInspectable as why:
            if say:
                print(seed, why)
            continue
        readings = bar_readings(case)
        for name, given in (("bar read", readings), ("bar as asked", None)):
            target = inspecting._target(case.source, laid, given)
            if target is None:
                print(seed, "no colour bar was seen", flush=True)
                continue
            if given is None:
                residuals.append(target.eye.residual_de00)
                cut_off += len(target.cut_off)
            for each in target.colours:
                true = true_lab(case, each.colour)
                if true is None:
                    continue
                off = float(delta_e_2000(np.array(each.seen_lab), true))
                errors[name].append(off)
                differs = float(delta_e_2000(np.array(each.asked_lab), true))
                told[name].append(abs(each.de00 - differs))
                if given is not None:
                    there.append(differs)
                    if say:
                        print(
                            seed,
                            each.colour,
                            f"error {off:.2f}, print {there[-1]:.2f}, told {each.de00:.2f}",
                            flush=True,
                        )
    rows = [("palette colours, how far the print is off, ΔE2000", f"{len(there)}, {_spread(np.array(there), 2)}")]
    rows += [(f"error of ΔE2000 as told, {name}", _spread(np.array(values), 2)) for name, values in told.items()]
    rows += [(f"ΔE2000 of colours seen, {name}", _spread(np.array(values), 2)) for name, values in errors.items()]
    rows.append(("colours that the scanner cuts off, not told", str(cut_off)))
    rows.append(("residual of the bar as asked, ΔE2000", _spread(np.array(residuals), 2)))
    return rows


def bar_readings(case: Case) -> dict[str, tuple[float, float, float]]:
    """What an instrument would read on the patches of the bar: the print itself, under its own light."""
    found = {}
    assert case.source.marks is not None
    for number, patch in enumerate(case.source.marks.patches):
        x, y, width, height = (value / MM_PER_PX for value in patch.box)
        rows = slice(round(case.top + y + height * 0.3), round(case.top + y + height * 0.7))
        columns = slice(round(case.left + x + width * 0.3), round(case.left + x + width * 0.7))
        light = case.truth.printed[rows, columns].reshape(-1, 3).mean(axis=0)
        found[f"{number} {patch.name}"] = tuple(float(v) for v in measure.xyz_to_lab(light @ measure._TO_XYZ.T))
    return found


def true_lab(case: Case, name: str) -> np.ndarray | None:
    """What a colour of the design really is on the print."""
    number = case.source.colours.index(name)
    height, width = case.shape
    tile = measure._pure(case.source)
    mine = np.tile(tile, (-(-height // tile.shape[0]), -(-width // tile.shape[1])))[:height, :width] == number
    printed = case.truth.printed[case.top : case.top + height, case.left : case.left + width]
    sound = case.truth.classes[case.top : case.top + height, case.left : case.left + width] == 0
    if (mine & sound).sum() < 50:
        return None
    return measure.xyz_to_lab(printed[mine & sound].mean(axis=0, dtype=np.float64) @ measure._TO_XYZ.T)


def refusals(cases: int = 102, *, say: bool = False) -> list[tuple[str, str]]:
    """What is given with the wrong source, or lies wrongly: how many are refused; and how many right ones are."""
    wrong: dict[str, list[str]] = {}
    good = []
    for number in range(cases):
        case = alone_case(number)
        kind = ("reference", "layout", "scale")[number % 3]
        if case.source.plain:  # one colour has neither a layout nor a scale
            kind = "reference"
        tried = [(kind, _otherwise(kind, case, number), case.scan)]
        if number % 3 == 0 and not case.source.plain:
            tried += [(name, case.source, scan) for name, scan in _mistaken(case)]
        for name, source, scan in tried:
            if source is not None:
                refused, why = _judged(source, scan)
                wrong.setdefault(name, []).append("" if refused else f"{number}: {why}")
                if say:
                    print(number, name, "refused" if refused else "TAKEN", why, flush=True)
        good.append(_judged(case.source, case.scan))
        if say or good[-1][0]:
            print(number, "right source:", "REFUSED" if good[-1][0] else "taken", good[-1][1], flush=True)
    rows = []
    for name, each in [*wrong.items(), ("all of these", [one for some in wrong.values() for one in some])]:
        taken = [why for why in each if why]
        rows.append((f"wrong {name}: refused", f"{len(each) - len(taken)} of {len(each)} {taken or ''}"))
    rows.append(("the right source: refused", f"{sum(refused for refused, _ in good)} of {len(good)}"))
    return rows


def _mistaken(case: Case) -> list[tuple[str, Scan]]:
    """Scans that lie wrongly, or show no cloth. A design that looks the same turned or moved is left out."""
    rgb, source = case.scan.rgb, case.source
    plain_sheet = np.clip(np.random.default_rng(3).normal(243, 1.5, rgb.shape), 0, 255).astype(np.uint8)
    high, wide = (int(size / pitch) for size, pitch in zip(source.repeat_mm[::-1], source.pitch_mm[::-1], strict=True))
    found = [("white sheet", plain_sheet), ("half a repeat", np.ascontiguousarray(rgb[:, : max(40, wide // 2)]))]
    asked = source.reference(*rgb.shape[:2])[:, :].astype(np.float32)
    for name, shown, seen in (
        ("upside down", asked[::-1, ::-1], rgb[::-1, ::-1]),
        ("half a repeat on", asked[high // 2 :, wide // 2 :], rgb[high // 2 :, wide // 2 :]),
    ):
        part = asked[: shown.shape[0], : shown.shape[1]]
        same = np.abs(part - shown).mean() <= 8 or (name == "upside down" and _looks_turned(source.tile))
        if min(shown.shape[:2]) > 400 and not same:
            found.append((name, np.ascontiguousarray(seen)))
    return [(name, replace(case.scan, rgb=each)) for name, each in found]


def _looks_turned(tile: np.ndarray) -> bool:
    """True for a repeat that looks, turned by half a turn, as it does somewhere else: nobody can tell how it lies."""
    flat = tile.astype(np.float64) - tile.mean(axis=(0, 1))
    there = np.fft.fft2(flat, axes=(0, 1))
    turned = np.fft.fft2(flat[::-1, ::-1], axes=(0, 1))
    alike = np.fft.ifft2((there * turned.conj()).sum(axis=2)).real / (flat**2).sum()
    return bool(alike.max() > 0.8)


def _otherwise(kind: str, case: Case, seed: int) -> Source | None:
    """A source that a scan does not show; None where the design is such that it would look the same."""
    source = case.source
    if kind == "reference":
        for other in range(seed + 1, seed + 20):
            found = source_of(other)
            if not (found.plain and source.plain):
                return found
        return None
    tile, layout = inspection_design(seed, "test")
    if kind == "layout":
        rng = np.random.default_rng(seed)
        others = [each for each in Layout if each is not layout]
        for each in rng.permutation(len(others)):
            other = others[int(each)]
            size = (tile.shape[1] * MM_PER_PX, tile.shape[0] * MM_PER_PX)
            if tile.shape[0] % other.step[1] or tile.shape[1] % other.step[0]:
                continue
            found = of_picture(tile, repeat_mm=size, layout=other)
            shapes = [each.reference(1300, 1300)[:, :].astype(np.float32) for each in (source, found)]
            if np.abs(shapes[0] - shapes[1]).mean() > 8:
                return found
        return None
    factor = (1.03, 0.97, 1.05, 0.95, 2.0, 0.5)[seed // 3 % 6]
    # Cloth is a percent or two off itself: what counts is that the scan is 3 % and more off its source.
    larger = float(np.mean(case.truth.scene.geometry.scale)) > 1
    if larger == (factor > 1):
        factor = 1 / factor
    size = (tile.shape[1] * MM_PER_PX * factor, tile.shape[0] * MM_PER_PX * factor)
    return of_picture(tile, repeat_mm=size, layout=layout)


def _judged(source: Source, scan: Scan) -> tuple[bool, str]:
    try:
        laid = inspecting.lay(source, scan)
    except NotInspectable as why:
        return True, why.reason.code
    alike = laid.registered.agreement
    return False, f"{alike.whole:.2f} {alike.agreeing:.2f} {laid.registered.facts.size_error_across_pct:.1f} %"


def speed(metres: float = 1.0) -> list[tuple[str, str]]:
    """Processor seconds per m² of a wide cloth without marks, part by part, on one thread."""
    with _wide(metres) as path:
        source, scan = source_of(WIDE_SEED), read_scan(path)
    height, width = scan.rgb.shape[:2]
    area = height * width * (MM_PER_PX / 1000) ** 2
    times = [time.process_time()]
    found = register(source.reference(height, width), scan.rgb, Start.at_corner(dpi=100.0))
    times.append(time.process_time())
    found.lay.straightened(scan.rgb)
    times.append(time.process_time())
    light = measure.light_of(measure.samples_of(found.lay, scan.rgb, source), len(source.colours))
    times.append(time.process_time())
    assert light.means.shape[1] == 3
    assert found.agreement.whole > 0.9
    parts = np.diff(times) / area
    rows = [
        (f"processor seconds per m²: {name}", f"{value:.2f}")
        for name, value in zip(("registration", "straightening", "colours"), parts, strict=True)
    ]
    return [*rows, ("together", f"{parts.sum():.2f} on {area:.1f} m²")]


def whole(metres: float = 6.67) -> list[tuple[str, str]]:
    """Processor seconds per m² and the memory that a wide cloth takes from its file to its defects."""
    torch.set_num_threads(1)
    source, network = source_of(WIDE_SEED), weights.shipped()
    with _wide(metres) as path:
        before = time.process_time()
        found = inspecting.inspect(source, map(read_scan, [path]), network=network, threshold=USUAL, synthetic=True)
        spent = time.process_time() - before
    assert found.trusted, found.reason
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return [
        ("processor seconds per m², registration to defects", f"{spent / found.area_m2:.2f} on {found.area_m2:.1f} m²"),
        ("memory at most, everything in", f"{peak:.2f} GB"),
        ("false alarms on it", f"{len(found.defects)}"),
    ]


@contextmanager
def _wide(metres: float) -> Iterator[Path]:
    """The file of a scan 1.46 m wide; another process makes it, so that its memory does not count."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.tif"
        making = multiprocessing.get_context("spawn").Process(target=_write_wide, args=(path, metres))
        making.start()
        making.join()
        assert making.exitcode == 0
        yield path


def _write_wide(path: Path, metres: float) -> None:
    """A cloth on which nothing but noise is added: what is timed does not look at it."""
    source = source_of(WIDE_SEED)
    width, height = 5760, round(metres / MM_PER_PX * 1000)
    reference = source.reference(height, width)
    rng = np.random.default_rng(1)
    raw = path.with_suffix(".raw")
    with raw.open("wb") as file:
        for top in range(0, height, 1024):
            rows, above = min(1024, height - top), max(0, top - 64)
            # A thousandth askew, some pixels aside.
            place = np.array([[1, 0.001, 12.0], [-0.001, 1, 3.0 + above - top]])
            place[:, 2] += place[:, :2] @ [0, above] - [0, above]
            part = cv2.warpAffine(
                reference[above : top + rows + 64, 0:width], place, (width, rows), borderMode=cv2.BORDER_REPLICATE
            )
            file.write(np.clip(part * 0.9 + rng.normal(0, 6, part.shape), 0, 255).astype(np.uint8).tobytes())
    image = pyvips.Image.rawload(str(raw), width, height, 3)
    dots_per_mm = 1 / MM_PER_PX
    image.copy(interpretation="srgb", xres=dots_per_mm, yres=dots_per_mm).tiffsave(str(path), resunit="inch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["geometry", "colour", "refusals", "speed", "whole"])
    parser.add_argument("--scans", type=int)
    parser.add_argument("--metres", type=float)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    how = {"geometry": geometry, "colour": colour, "refusals": refusals}
    if options.part in ("speed", "whole"):
        rows = {"speed": speed, "whole": whole}[options.part](*([options.metres] if options.metres else []))
    else:
        rows = how[options.part](*([options.scans] if options.scans else []), say=not options.quiet)
    for what, figure in rows:
        print(f"{what:<60} {figure}", flush=True)


if __name__ == "__main__":
    main()
