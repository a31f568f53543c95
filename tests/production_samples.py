"""Small designs, specifications and jobs that the tests of production share. No database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from generation.domain.pattern import Layout, Limits, Palette, Raster, Repeat
from production.assessment import assess
from production.colour_profiles import PROFILES
from production.domain.costing import Assumption, breakdown, line
from production.domain.snap import snap_print, snap_weave
from production.domain.spec import PRINT, WEAVE, Ink, Inks, LineSpec, Machine, Profile, Weaving, Yarn
from production.files import sha256_of
from production.planning.promise import PlannedStep
from production.ports import LotUse, Provenance, RenderJob

NORDIC = ("#f3efe6", "#2b3a4a", "#7d9aa5", "#c9a66b", "#b3543c")
PROFILE = PROFILES / "reactive-cmyk-cotton-synthetic.icc"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
WEAVES = ("satin_8", "twill_3_1", "twill_2_2", "twill_1_3", "sateen_8")

INKS = Inks(
    code="RE-CMYK",
    name="Reactive inks",
    ink_class="reactive",
    inks=(
        *tuple(Ink(name[0], name, f"INK-RE-{name[0]}", 10.0) for name in ("Cyan", "Magenta", "Yellow")),
        Ink("K", "Black", "INK-RE-K", 10.0),
    ),
    tac_pct=280.0,
    purge_ml=6.0,
    pretreatment_sku="CHE-PRE-RE",
    pickup_pct=70.0,
    profile=Profile("Test profile, SYNTHETIC", sha256_of(PROFILE), PROFILE, synthetic=True),
)


def petals(width: int, height: int, *, colours: int = 4, layout=Layout.HALF_DROP, seed: int = 3) -> np.ndarray:
    """(height, width) uint8: flowers strewn over a repeat that closes in its layout."""
    rng = np.random.default_rng(seed)
    indices = np.zeros((height, width), np.uint8)
    for _ in range(30):
        cx, cy, r = rng.random() * width, rng.random() * height, rng.uniform(0.03, 0.08) * width
        colour = int(rng.integers(1, colours))
        for k in range(5):
            angle = k * 2 * np.pi / 5
            _disc(indices, cx + 1.2 * r * np.cos(angle), cy + 1.2 * r * np.sin(angle), r * 0.8, colour, layout)
        _disc(indices, cx, cy, r * 0.6, colour % (colours - 1) + 1, layout)
    return indices


def _disc(indices, cx, cy, r, colour, layout):
    height, width = indices.shape
    y, x = np.mgrid[int(cy - r) : int(cy + r) + 2, int(cx - r) : int(cx + r) + 2]
    inside = (y - cy) ** 2 + (x - cx) ** 2 <= r * r
    y, x = y[inside], x[inside]
    if layout.drop:
        y = y - x // width * int(height * layout.drop)
    elif layout.shift:
        x = x - y // height * int(width * layout.shift)
    elif layout is Layout.MIRROR:
        keep = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        y, x = y[keep], x[keep]
    indices[y % height, x % width] = colour


def print_spec(
    *, width_mm: float = 40, height_mm: float = 40, layout=Layout.HALF_DROP, quantity_m: float = 2.0, **changes
) -> LineSpec:
    """A printed line on a narrow cotton, small enough for quick tests."""
    asked = Repeat(width_mm, height_mm, layout)
    snapped = snap_print(asked, shrink_warp=0.035, shrink_weft=0.02, usable_width_mm=470)
    values = {
        "shop": "test",
        "kind": PRINT,
        "sku": "FAB-TEST",
        "name": "Test satin 50 cm",
        "quantity_m": quantity_m,
        "words": "flowers",
        "asked": asked,
        "repeat": snapped.repeat,
        "width_px": snapped.width_px,
        "height_px": snapped.height_px,
        "dpi": snapped.dpi,
        "printed_width_mm": snapped.printed_width_mm,
        "printed_height_mm": snapped.printed_height_mm,
        "scale_x": snapped.printed_width_mm / snapped.repeat.width_mm,
        "scale_y": snapped.printed_height_mm / snapped.repeat.height_mm,
        "width_mm": 500.0,
        "usable_width_mm": 470.0,
        "gsm": 165.0,
        "fibre": "100% cotton",
        "shrink_warp": 0.035,
        "shrink_weft": 0.02,
        "limits": Limits(max_colours=8, min_feature_mm=0.5),
        "head_m": 1.0,
        "tail_m": 0.5,
        "waste": 0.02,
        "operations": (
            (Machine("PRET", "Padder", "Pretreat", 15, 15, speed_m_min=12),),
            (
                Machine("PRT1", "Printer 1", "Print", 10, 5, speed_m2_h=90, factor=0.7, power_kw=9),
                Machine("PRT2", "Printer 2", "Print", 10, 5, speed_m2_h=90, factor=0.7, power_kw=9),
            ),
            (Machine("CUT", "Table", "Inspect and cut", 5, 5, speed_m_min=8),),
        ),
        "inks": INKS,
        "snapped": snapped.changes,
    }
    return LineSpec(**{**values, **changes})


def weave_spec(*, layout: Layout = Layout.STRAIGHT, **changes) -> LineSpec:
    """A woven line on a small loom of 384 hooks."""
    copies = layout.period
    ends, picks = 384 // copies[0], 192
    asked = Repeat(ends / 32 * 10, picks / 24 * 10, layout)
    snapped = snap_weave(asked, ends_per_cm=32, picks_per_cm=24, harness_ends=384, hooks=384, weaves=WEAVES)
    values = {
        "shop": "test",
        "kind": WEAVE,
        "sku": "LOM2",
        "name": "Test damask",
        "quantity_m": 3.0,
        "words": "leaves",
        "asked": asked,
        "repeat": snapped.repeat,
        "width_px": snapped.width_px,
        "height_px": snapped.height_px,
        "dpi": 0.0,
        "printed_width_mm": snapped.printed_width_mm,
        "printed_height_mm": snapped.printed_height_mm,
        "scale_x": 1.0,
        "scale_y": 1.0,
        "width_mm": 1500.0,
        "usable_width_mm": 1470.0,
        "gsm": 180.0,
        "fibre": "100% cotton",
        "shrink_warp": 0.0,
        "shrink_weft": 0.0,
        "limits": Limits(max_colours=5, min_feature_mm=1.25),
        "head_m": 0.8,
        "tail_m": 0.4,
        "waste": 0.03,
        "operations": (
            (Machine("LOM2", "Loom 2", "Weave", 45, 15, picks_min=480, factor=0.85),),
            (Machine("CUT", "Table", "Inspect and cut", 5, 5, speed_m_min=8),),
        ),
        "weaving": Weaving(
            code="LOM2",
            name="Test damask",
            ends_per_cm=32,
            picks_per_cm=24,
            hooks=384,
            harness_ends=384,
            total_ends=4800,
            reed_width_mm=1500,
            warp=Yarn("YRN-A", "Ecru warp", 19.7, 0.06, "#e9e0cc"),
            weft=Yarn("YRN-B", "Navy weft", 39.4, 0.04, "#1f2a4d"),
            weaves=WEAVES,
            max_float=9,
            loss=0.03,
            copies=copies,
        ),
    }
    return LineSpec(**{**values, **changes})


def raster_for(spec: LineSpec, *, colours: int = 4) -> Raster:
    """A design that fits `spec`."""
    layout = spec.repeat.layout
    indices = petals(spec.width_px, spec.height_px, colours=colours, layout=layout)
    return Raster(indices, Palette(NORDIC[:colours]), spec.repeat, seed=7)


def job_for(spec: LineSpec, raster: Raster, **changes) -> RenderJob:
    """A released job for `raster`."""
    assessment = assess(raster, spec=spec)
    cost = breakdown(
        [line("cloth", spec.name, quantity=Decimal("4.20"), unit="m", rate=Decimal("4.2"), source="stock price")],
        currency="EUR",
        quantity_m=Decimal(str(spec.quantity_m)),
        margin_pct=Decimal(38),
        minimum_charge=Decimal(10),
        assumptions=[Assumption("Margin", "38 %", "house default")],
    )
    start, steps = NOW + timedelta(days=1), []
    for step in assessment.route:
        end = start + timedelta(minutes=round(step.minutes[step.work_centres[0]]))
        steps.append(PlannedStep(step.name, step.work_centres[0], start, end))
        start = end + timedelta(minutes=30)
    values = {
        "spec": spec,
        "assessment": assessment,
        "cost": cost,
        "reference": "WL-000001-1",
        "revision": 1,
        "released_at": NOW,
        "shop": "Test mill",
        "customer": "Atelier Nord",
        "order": "WL-000001",
        "due": date(2026, 12, 2),
        "promised": start,
        "words": spec.words,
        "steps": tuple(steps),
        "lots": (LotUse(spec.sku, spec.name, "R003", Decimal("4.2"), "m"),),
        "provenance": Provenance("9f" * 32, "embedded", "ab" * 32, 7),
        "tz": "Europe/Paris",
        "url": "https://mill.example/lines/WL-000001-1",
    }
    return RenderJob(**{**values, **changes})


def flipped(path: Path, position: int) -> Path:
    """A copy of the file with one bit of one byte turned over."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    copy = path.with_name(f"flipped{path.suffix}")
    copy.write_bytes(data)
    return copy
