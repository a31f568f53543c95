"""A scan on its reference: pose, stretch, size, bow and channels against the truth, and what is not trusted."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from generation.domain.pattern import Layout
from production.inspection import blocks
from production.inspection.constructions import MM_PER_PX, Weave
from production.inspection.lay import BLOCK_PX, Start
from production.inspection.register import register
from production.inspection.simulate import Camera, Geometry, Print, Scene, repeated, simulate
from production.inspection.source import of_picture

POPLIN = Weave("plain", 40.0, 30.0, 0.2, 0.25)
SIDE = 480


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def dots(size=96, seed=2):
    """One repeat: spots of three colours on a ground, closed over its edges."""
    rng = np.random.default_rng(seed)
    tile = np.full((size, size, 3), (240, 232, 214), np.uint8)
    y, x = np.mgrid[0:size, 0:size]
    for colour in ((40, 60, 90), (180, 70, 50), (90, 130, 80)):
        for _ in range(3):
            cx, cy, r = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(7, 14)
            dx, dy = (np.minimum(np.abs(a - b), size - np.abs(a - b)) for a, b in ((x, cx), (y, cy)))
            tile[dx**2 + dy**2 < r * r] = colour
    return tile


def scanned(reference, **changes):
    scene = Scene(seed=5, weave=POPLIN, print=Print(), geometry=Geometry(), camera=Camera())
    return simulate(reference, replace(scene, **changes), points=3)


def errors_mm(found, truth):
    """Errors of the map away from the edges of the scan."""
    height, width = found.lay.shape
    where = np.concatenate([found.lay.places(row, row + 1) for row in range(len(found.lay.nodes))])[:height, :width]
    true = truth.field()
    shown = (true > 4).all(axis=-1) & (true < np.array([width, height]) - 5).all(axis=-1)
    return np.hypot(*(where - true)[shown].T) * MM_PER_PX


@pytest.fixture(scope="module")
def cloth():
    return repeated(dots(), Layout.HALF_DROP, SIDE, SIDE)


def test_a_scan_that_is_turned_stretched_and_bowed_lies_on_its_reference_within_a_fifth_of_a_millimetre(cloth):
    geometry = Geometry(rotation_deg=0.6, scale=(1.008, 0.994), perspective=(0.004, -0.003), offset_px=(4, -3),
                        stretch_px=0.8, stretch_mm=60, bow_px=3.0)  # fmt: skip
    scan, truth = scanned(cloth, geometry=geometry)
    found = register(cloth, scan, Start.at_corner(dpi=100))
    off = errors_mm(found, truth)
    assert off.mean() < 0.2
    assert np.percentile(off, 95) < 0.4
    assert errors_mm_of_start(truth) > 1.0, "the start alone would not do"
    assert found.facts.residual_mean_mm < 0.3


def errors_mm_of_start(truth):
    height, width = truth.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    return float(np.hypot(*(truth.field() - grid).reshape(-1, 2).T).mean() * MM_PER_PX)


def pulled(scan, *, corner_px):
    """The scan of a cloth whose lower left corner is drawn aside, and where each column of it then lies in each row."""
    y, x = np.mgrid[0 : scan.shape[0], 0 : scan.shape[1]].astype(np.float32)
    on = x + corner_px * (y / scan.shape[0]) ** 3 * (1 - x / scan.shape[1]) ** 3  # what is seen at a pixel
    where = np.stack([np.interp(x[0], row, x[0]) for row in on])
    return cv2.remap(scan, on, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), where


def corner_error_px(cloth, scan, where):
    """How far the last blocks of the corner lie from where they are."""
    nodes = register(cloth, scan, replace(Start.at_corner(dpi=100), sure=True)).lay.nodes
    middles = np.arange(nodes.shape[0]) * BLOCK_PX + BLOCK_PX // 2
    return float(np.abs(nodes[-3:-1, 1:4, 0] - where[np.ix_(middles[-3:-1], middles[1:4])]).max())


def test_a_corner_that_lies_far_aside_is_followed_until_it_is_found(monkeypatch):
    cloth = repeated(dots(), Layout.HALF_DROP, 960, 960)
    scan, where = pulled(scanned(cloth)[0], corner_px=40.0)
    assert corner_error_px(cloth, scan, where) < 1.5
    monkeypatch.setattr(blocks, "_MOST_ROUNDS", 2)
    assert corner_error_px(cloth, scan, where) > 5, "after two rounds it is still on its way"


def test_the_size_of_the_repeat_is_told_to_a_tenth_of_a_percent_and_the_bow_to_a_tenth_of_a_millimetre(cloth):
    scan, _ = scanned(cloth, geometry=Geometry(scale=(1.012, 0.991), bow_px=4.0))
    facts = register(cloth, scan, Start.at_corner(dpi=100)).facts
    assert facts.size_error_across_pct == pytest.approx(1.2, abs=0.1)
    assert facts.size_error_along_pct == pytest.approx(-0.9, abs=0.1)
    assert facts.bow_mm == pytest.approx(4.0 * MM_PER_PX, abs=0.15)
    straight, _ = scanned(cloth)
    assert abs(register(cloth, straight, Start.at_corner(dpi=100)).facts.bow_mm) < 0.1


def test_channels_that_are_printed_aside_are_told_and_move_nothing_else(cloth):
    shift = ((0.6, -0.3), (-0.5, 0.1), (-0.1, 0.2))
    scan, truth = scanned(cloth, print=Print(shift_px=shift))
    found = register(cloth, scan, Start.at_corner(dpi=100))
    for told, (x, y) in zip(found.shift_um, shift, strict=True):
        assert told[0] == pytest.approx(x * MM_PER_PX * 1000, abs=30)
        assert told[1] == pytest.approx(y * MM_PER_PX * 1000, abs=30)
    assert errors_mm(found, truth).mean() < 0.1


def test_a_stripe_tells_nothing_of_the_way_that_it_runs():
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, :48], stripes[:, 48:] = (230, 220, 200), (60, 70, 110)
    cloth = repeated(stripes, Layout.STRAIGHT, SIDE, SIDE)
    scan, _ = scanned(cloth, geometry=Geometry(offset_px=(3, 0)))
    found = register(cloth, scan, Start.at_corner(dpi=100))
    assert found.agreement.whole > 0.9
    assert all(y is None for _, y in found.shift_um)
    assert 0.2 < found.facts.confidence < 0.7, "one of two directions"


def test_another_design_or_layout_does_not_agree_and_the_right_one_does(cloth):
    scan, _ = scanned(cloth, geometry=Geometry(rotation_deg=0.4, offset_px=(2, 2)))
    right = register(cloth, scan, Start.at_corner(dpi=100)).agreement
    assert right.whole > 0.8
    assert right.agreeing > 0.9
    for wrong in (repeated(dots(seed=9), Layout.HALF_DROP, SIDE, SIDE), repeated(dots(), Layout.STRAIGHT, SIDE, SIDE)):
        alike = register(wrong, scan, Start.at_corner(dpi=100)).agreement
        assert alike.agreeing < 0.8


def test_what_the_scan_does_not_show_is_known_as_such(cloth):
    scan, _ = scanned(cloth)
    lay = register(cloth, scan[: SIDE - 2 * BLOCK_PX], Start.at_corner(dpi=100)).lay
    shown = lay.shown((SIDE - 2 * BLOCK_PX, SIDE))
    assert shown[2:-3, 1:-1].all()
    assert not shown[-2:].any()


def test_a_scan_is_straightened_onto_its_reference(cloth):
    scan, truth = scanned(cloth, geometry=Geometry(rotation_deg=0.8, scale=(1.01, 1.0)))
    straight = register(cloth, scan, Start.at_corner(dpi=100)).lay.straightened(scan)
    inner = np.s_[24:-24, 24:-24]
    there = np.abs(straight[inner].astype(int) - cloth[inner]).mean()
    assert there < 0.6 * np.abs(scan[inner].astype(int) - cloth[inner]).mean()
    assert truth.shape == straight.shape[:2]


def test_a_scan_of_twice_the_resolution_lies_as_well(cloth):
    scan, _ = scanned(cloth)
    large = cv2.resize(scan, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    facts = register(cloth, large, Start.at_corner(dpi=200)).facts
    assert abs(facts.size_error_across_pct) < 0.1
    assert facts.residual_mean_mm < 0.2


def test_scans_too_small_to_have_a_shape_are_refused(cloth):
    with pytest.raises(ValueError, match="too small"):
        register(cloth, cloth[:200, :200], Start.at_corner(dpi=100))


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("size_mm", [(24.384, 24.384), (61.0, 47.3), (13.0, 200.0)])
def test_the_grid_closes_over_every_repeat_and_its_pixels_are_a_hundredth_of_an_inch(layout, size_mm):
    source = of_picture(dots(), repeat_mm=size_mm, layout=layout)
    across, along = layout.period
    for pitch, side, count, pixels in zip(
        source.pitch_mm, size_mm, (across, along), source.tile.shape[1::-1], strict=True
    ):
        assert pitch == pytest.approx(MM_PER_PX, rel=0.003)
        copies = pixels * pitch / (side * count)
        assert copies == pytest.approx(round(copies), abs=1e-6), "whole repeats"
