"""A loom-wide repeat composed, its floats counted and bound, and its package: `python -m tests.benchmarks.loom`.

Beside it: numpy's run lengths, thread by thread, and PyWeaving's own floats, on a part and scaled by the crossings.
"""

import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pyweaving.wif import WIFReader

from production.domain.draft import Draft
from production.domain.floats import FloatLimits, count_floats, repair
from production.domain.spec import Yarn
from production.domain.weave import compose, lattice_of
from production.formats.loom import pictures
from production.formats.loom.package import lift_plans
from production.formats.loom.wif import wif_bytes
from tests.benchmarks.pdfx import forget_peak, resident_mb

ENDS, PICKS = 12_288, 12_000
WEAVES = ("satin_8", "twill_3_1", "twill_2_2", "twill_1_3", "sateen_8")
LIMITS = FloatLimits(9, 9)
PEER_SIDE = 96  # of PyWeaving, which has at most 32 different ends here
YARNS = Yarn("A", "ecru", 19.7, 0.06, "#e9e0cc"), Yarn("B", "navy", 39.4, 0.04, "#1f2a4d")


def figures() -> list[tuple[str, str]]:
    """(what, figure) lines of all measurements."""
    rows = []
    for what, spot in (("broad shapes", 60), ("small shapes", 12)):
        forget_peak()
        paper = artwork(spot)
        composing, lift = timed(lambda paper=paper: compose(paper, WEAVES))
        checking, before = timed(lambda lift=lift: count_floats(lift, LIMITS))
        binding, bound = timed(lambda paper=paper, lift=lift: repair(lift, LIMITS, lattice_of(paper, WEAVES)))
        again, after = timed(lambda bound=bound: count_floats(bound, LIMITS))
        total = composing + checking + binding + again
        rows.append(
            (
                f"{ENDS} × {PICKS} jacquard, {what}",
                f"{total:.2f} s (below 10 s): composed {composing:.2f}, checked {checking:.2f}, bound {binding:.2f}, "
                f"checked again {again:.2f}; {before.over} floats over {LIMITS.weft}, then {after.over}; "
                f"{resident_mb('VmHWM'):.0f} MB",
            )
        )
    seconds, longest = timed(lambda: by_numpy(lift))
    rows.append(("  its longest float by numpy run lengths, thread by thread", f"{seconds:.2f} s (it is {longest})"))
    rows.append(("  its floats by PyWeaving, 96 × 96, scaled", pyweaving()))
    rows.append(package(Draft(paper, palette(), WEAVES, bound, 0, floats=(after,))))
    return rows


def artwork(spot: int) -> np.ndarray:
    """(picks, ends) indices: blocks of `spot` threads in five colours, and slanted lines over them."""
    rng = np.random.default_rng(spot)
    blocks = rng.integers(0, len(WEAVES), (-(-PICKS // spot), -(-ENDS // spot))).astype(np.uint8)
    paper = np.repeat(np.repeat(blocks, spot, axis=0), spot, axis=1)[:PICKS, :ENDS].copy()
    for pick in range(PICKS):
        paper[pick, (np.arange(0, ENDS, 511) + pick // 3) % ENDS] = pick // 97 % len(WEAVES)
    return paper


def timed(step: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    made = step()
    return time.perf_counter() - began, made


def by_numpy(lift: np.ndarray) -> int:
    """The longest run of equal crossings, thread by thread with numpy's diff: what one would write first."""
    longest = 0
    for rows in (lift, lift.T):
        for row in rows:
            changes = np.flatnonzero(np.diff(row))
            if len(changes):
                around = changes[0] + len(row) - changes[-1]
                longest = max(longest, int(np.diff(changes).max(initial=0)), int(around))
    return longest


def pyweaving() -> str:
    """PyWeaving's floats of a piece of satin, scaled to the whole by its crossings."""
    lift = compose(np.zeros((PEER_SIDE, PEER_SIDE), np.uint8), ("satin_8",))
    wif = wif_bytes(lift, title="satin", warp=YARNS[0], wefts=YARNS[1:], ends_per_cm=64, picks_per_cm=30)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "satin.wif"
        path.write_bytes(wif)
        draft = WIFReader(str(path)).read()
    seconds, count = timed(lambda: sum(1 for _ in draft.compute_floats()))
    return f"{seconds * ENDS * PICKS / lift.size:.0f} s ({count} floats in {1000 * seconds:.1f} ms)"


def palette():
    return pictures.Palette(("#f3efe6", "#2b3a4a", "#7d9aa5", "#c9a66b", "#b3543c"))


def package(draft: Draft) -> tuple[str, str]:
    """The large parts of its package: point paper and lift plan in every format."""
    forget_peak()
    dpi = pictures.dpi_of(64, 30)
    paper = pictures.point_paper(draft.paper, draft.palette)
    ((_, lift),) = lift_plans(draft)
    plan = pictures.lift_plan(lift)
    said = []
    for name, write, picture in (
        ("PNG", pictures.write_png, paper),
        ("BMP", pictures.write_bmp, paper),
        ("TIFF", pictures.write_tiff, paper),
        ("lift TIFF", pictures.write_tiff, plan),
    ):
        buffer = io.BytesIO()
        seconds, _ = timed(lambda write=write, picture=picture, buffer=buffer: write(picture, dpi, buffer))
        said.append(f"{name} {seconds:.1f} s, {buffer.tell() / 1e6:.0f} MB")
    return "  its point paper and lift plan", "; ".join(said) + f"; {resident_mb('VmHWM'):.0f} MB of memory"


if __name__ == "__main__":
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for what, figure in figures():
        print(f"{what:<62} {figure}", flush=True)
