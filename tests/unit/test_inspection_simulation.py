"""The scan simulator: the same scan again, a truth that agrees with the picture, and a test that training never saw."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from generation.domain.pattern import Layout
from orders.inspection_designs import families, inspection_design
from production.domain.sheet import lay_out
from production.inspection import flaws
from production.inspection.constructions import (
    MM_PER_PX,
    STRUCTURES,
    TEST_STRUCTURES,
    TRAIN_STRUCTURES,
    Weave,
    lay_cloth,
    random_weave,
    yarn_light,
)
from production.inspection.flaws import KINDS, RANGES, Kind
from production.inspection.simulate import (
    Camera,
    Geometry,
    Print,
    Scene,
    aligned,
    linear,
    random_scene,
    registration_error,
    repeated,
    sheet_picture,
    simulate,
    with_flaws,
)
from production.inspection.split import drawn, split_of_name, split_of_number, stream

POPLIN = Weave("plain", 52, 28, 0.17, 0.3)
STILL = Print(spread_px=0.0, grain=0.0)
SIDE = 320


@pytest.fixture(scope="module")
def reference():
    tile, layout = inspection_design(14, "train")
    return repeated(tile, layout, SIDE, SIDE)


def plain_scene(**more):
    return Scene(seed=5, weave=POPLIN, **more)


def test_the_same_scene_gives_the_same_scan_and_another_seed_another(reference):
    scene = random_scene(3, reference, split="train", kinds=KINDS[:3])
    first, again = simulate(reference, scene), simulate(reference, scene)
    assert hashlib.sha256(first[0]).digest() == hashlib.sha256(again[0]).digest()
    assert np.array_equal(first[1].classes, again[1].classes)
    assert scene == random_scene(3, reference, split="train", kinds=KINDS[:3])
    assert not np.array_equal(first[0], simulate(reference, replace(scene, seed=4))[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_lies_where_the_scan_changed_and_nowhere_else(kind, reference):
    scenes = (random_scene(seed, reference, split="train", kinds=[kind]) for seed in range(20))
    scene = next(each for each in scenes if each.flaws)
    scene = replace(scene, camera=replace(scene.camera, jpeg=None))
    scan, truth = simulate(reference, scene)
    without, nothing = simulate(reference, with_flaws(scene, ()))
    now, was = (linear(aligned(each, truth)) for each in (scan, without))
    change = np.abs(now - was).max(axis=2) / np.maximum(np.maximum(now, was).max(axis=2), 0.08)
    mask = truth.classes > 0
    near = cv2.dilate(mask.view(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert set(np.unique(truth.classes).tolist()) == {0, kind.code}
    assert not nothing.classes.any()
    assert change[mask].mean() > 0.4 * truth.seen[0].contrast
    assert change[~near].mean() < 0.1 * change[mask].mean()
    assert not (truth.faint & mask).any()
    assert np.percentile(change[~(near | truth.faint)], 99.5) < 0.03
    assert truth.seen[0].pixels == np.count_nonzero(truth.numbers == 1)


def test_a_defect_that_cannot_be_seen_has_no_mask():
    white = np.full((SIDE, SIDE, 3), 255, np.uint8)
    no_ink_there = flaws.Flaw(Kind.NOZZLE, 160, 160, 500, 0.2, 0.5, sign=1, tint=(1.0, 0.1, 0.05))
    scan, truth = simulate(white, plain_scene(print=STILL, flaws=(no_ink_there,)))
    assert truth.seen == ()
    assert not truth.classes.any()
    assert np.array_equal(scan, simulate(white, plain_scene(print=STILL))[0])


@pytest.mark.parametrize("split", ["train", "test"])
def test_defects_are_as_large_and_as_strong_as_their_kind_may_be(split):
    grey = np.full((400, 400, 3), 0.4, np.float32)
    for kind in KINDS:
        (low, high), _, (weak, strong) = RANGES[kind]
        for seed in range(10):
            flaw = flaws.random_flaw(np.random.default_rng(seed), kind, grey, POPLIN, split)
            assert low <= flaw.long_mm <= high
            assert weak <= flaw.contrast <= strong
            assert split_of_number(flaw.long_mm, low, high) == split
            assert split_of_number(flaw.contrast, weak, strong) == split


def test_a_missing_pick_runs_across_and_a_broken_end_down():
    grey = np.full((SIDE, SIDE, 3), 150, np.uint8)
    pick = flaws.Flaw(Kind.MISSING_PICK, 160, 100, 900, 0.36, 0.3)
    end = flaws.Flaw(Kind.BROKEN_END, 200, 160, 900, 0.36, 0.3, along_warp=True)
    for flaw, axis in ((pick, 1), (end, 0)):
        _, truth = simulate(grey, plain_scene(print=STILL, flaws=(flaw,)))
        rows, columns = np.nonzero(truth.classes)
        long, short = (columns, rows) if axis == 1 else (rows, columns)
        assert np.ptp(long) > 0.9 * SIDE
        assert np.ptp(short) <= 2


def test_training_and_test_have_no_weave_no_pattern_and_no_size_in_common():
    assert not set(TEST_STRUCTURES) & set(TRAIN_STRUCTURES)
    assert set(TEST_STRUCTURES) | set(TRAIN_STRUCTURES) == set(STRUCTURES)
    for train in TRAIN_STRUCTURES:
        for test in TEST_STRUCTURES:
            assert STRUCTURES[train].shape != STRUCTURES[test].shape or (STRUCTURES[train] != STRUCTURES[test]).any()
    names = {split: {family.name for family in families(split)} for split in ("train", "test")}
    assert names["train"]
    assert names["test"]
    assert not names["train"] & names["test"]
    assert all(split_of_name(name) == split for split, there in names.items() for name in there)
    for split in ("train", "test"):
        weaves = [random_weave(stream(seed, split), split) for seed in range(60)]
        assert {split_of_number(weave.ends_per_cm, 14.0, 64.0) for weave in weaves} == {split}
        other = TRAIN_STRUCTURES if split == "test" else TEST_STRUCTURES
        assert not {weave.structure for weave in weaves} & (set(other) - {"plain"})
        numbers = [drawn(np.random.default_rng(seed), 2.0, 50.0, split) for seed in range(200)]
        assert {split_of_number(number, 2.0, 50.0) for number in numbers} == {split}


def test_a_split_draws_other_chances_from_the_same_seed():
    assert stream(7, "train").random() != stream(7, "test").random()


def test_points_go_to_the_scan_and_back_within_a_fiftieth_of_a_pixel(reference):
    scene = replace(random_scene(2, reference, split="test"), flaws=())
    _, truth = simulate(reference, scene)
    points = np.random.default_rng(0).uniform(20, SIDE - 20, (300, 2)).astype(np.float32)
    there = truth.to_scan(points)
    assert np.abs(there - points).max() > 1
    assert np.abs(truth.from_scan(there) - points).max() < 0.02


def test_a_scan_that_is_brought_back_lies_on_its_reference():
    noise = cv2.GaussianBlur(np.random.default_rng(1).standard_normal((SIDE, SIDE, 3)), (0, 0), 4)
    blots = np.where(noise > 0, 200, 60).astype(np.uint8)  # nothing repeats
    scene = Scene(
        seed=1,
        weave=replace(POPLIN, cloud=0, hair=0, specks=0),
        print=STILL,
        geometry=Geometry(rotation_deg=1.5, scale=(1.01, 0.99), bow_px=3, stretch_px=1.0),
        camera=Camera(noise=0.0),
    )
    scan, truth = simulate(blots, scene)
    straight = aligned(scan, truth)[30:-30, 30:-30].astype(np.float32).mean(axis=2)
    asked = blots[30:-30, 30:-30].astype(np.float32).mean(axis=2)
    window, shifts = cv2.createHanningWindow((120, 120), cv2.CV_32F), []
    for part in (np.s_[:120, :120], np.s_[-120:, -120:], np.s_[:120, -120:], np.s_[-120:, :120]):
        still, moved = (each[part] - each[part].mean() for each in (asked, straight))
        nothing, _ = cv2.phaseCorrelate(still, still, window)  # some releases say half a pixel here
        shifts.append(np.subtract(cv2.phaseCorrelate(still, moved, window)[0], nothing))
    assert np.abs(shifts).max() < 0.25
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.1


def test_yarns_near_nyquist_beat_with_the_pixels():
    """39 ends a centimetre are 99 an inch: at 100 dpi they beat once in 25 mm, and nothing of it is drawn in."""
    even = Weave("plain", 39.0, 20.0, 0.2, 0.4, unevenness=0, shade=0, wander=0, cloud=0, hair=0, specks=0)
    cloth = lay_cloth(even, 64, 800, np.random.default_rng(0))
    light = yarn_light(cloth, 0, 0, 64, 800, points=4, blur_px=0.0)[..., 0]
    at_pixels = light[2::4, 2::4].mean(axis=0)
    spectrum = np.abs(np.fft.rfft((at_pixels - at_pixels.mean()) * np.hanning(800)))
    ends_per_px = 3.9 * MM_PER_PX
    expected = abs(ends_per_px - round(ends_per_px)) * 800
    assert abs(int(spectrum[2:].argmax()) + 2 - expected) <= 2


def test_a_window_of_cloth_is_the_same_as_that_part_of_the_whole():
    cloth = lay_cloth(replace(POPLIN, structure="twill_2_2"), 120, 160, np.random.default_rng(3))
    whole = yarn_light(cloth, 0, 0, 120, 160, points=3, blur_px=0.3)
    part = yarn_light(cloth, 40, 32, 60, 80, points=3, blur_px=0.3)
    inner = np.s_[12:-12, 12:-12]
    assert np.abs(whole[120:300, 96:336][inner] - part[inner]).max() < 2e-3


def test_registration_errors_are_as_large_as_asked():
    error = registration_error(np.random.default_rng(0), (400, 500), rms_px=0.5, length_mm=20)
    assert error.shape == (400, 500, 2)
    assert np.sqrt((error**2).sum(axis=-1).mean()) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("layout", list(Layout))
def test_a_length_of_cloth_repeats_in_its_layout(layout):
    tile = np.random.default_rng(0).integers(0, 255, (12, 12, 3)).astype(np.uint8)
    cloth = repeated(tile, layout, 60, 60)
    across, along = layout.period
    assert cloth.shape == (60, 60, 3)
    assert np.array_equal(cloth[: 12 * along, : 12 * across], cloth[12 * along : 24 * along, : 12 * across])
    assert np.array_equal(cloth[:12, :12], tile)


def test_the_whole_sheet_is_drawn_with_its_marks_and_a_scan_of_it_can_be_read():
    sheet = lay_out(
        dpi=300, fabric_width_mm=240, pattern_px=(2400, 1200), tile_px=(800, 800), layout=Layout.STRAIGHT,
        channels="CMYK", tac_pct=280, words="W-1", code="W-1/r1",
        lettering=lambda words, height: np.ones((height, height * len(words)), bool),
    )  # fmt: skip
    pattern = np.full((400, 800, 3), (120, 60, 90), np.uint8)
    picture = sheet_picture(sheet, pattern, ink_rgb=_mixed, white=(245, 244, 240))
    assert picture.shape[:2] == (round(sheet.length_px / 3), round(sheet.width_px / 3))
    scene = plain_scene(print=STILL, geometry=Geometry(rotation_deg=0.7), camera=Camera(noise=0.002))
    scan, truth = simulate(picture, scene)
    finely = cv2.aruco.DetectorParameters()
    finely.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    finder = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000), finely)
    corners, numbers, _ = finder.detectMarkers(cv2.cvtColor(scan, cv2.COLOR_RGB2GRAY))
    there = {
        int(number): corner.reshape(4, 2).mean(axis=0) for number, corner in zip(numbers.ravel(), corners, strict=True)
    }
    placed = {int(mark.name): mark for mark in sheet.marks if mark.kind == "fiducial"}
    assert set(there) == set(placed)
    for number, mark in placed.items():
        middle = np.array([[mark.x_px + mark.width_px / 2, mark.y_px + mark.height_px / 2]]) / 3 - 0.5
        assert np.hypot(*(truth.to_scan(middle)[0] - there[number])) < 0.4
    said, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.resize(scan[:260], None, fx=2, fy=2))
    assert said == "W-1/r1"


def _mixed(ink):
    cyan, magenta, yellow, black = (value / 255 for value in ink)
    return [round(255 * (1 - one) * (1 - black)) for one in (cyan, magenta, yellow)]


def test_what_lies_beside_the_cloth_is_the_lid(reference):
    scene = plain_scene(scan_px=(SIDE + 80, SIDE + 80), camera=Camera(noise=0.0, lid=0.0))
    scan, _ = simulate(reference, scene)
    assert scan[:30, :30].max() == 0
    assert scan[60:-60, 60:-60].mean() > 20
