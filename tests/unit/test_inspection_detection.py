"""From a scan to regions: the network, windows that agree with the whole, hysteresis, budgets of false alarms."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.domain.pattern import Layout
from orders.inspection_designs import inspection_design
from production.errors import DetectorRefused
from production.inspection import bench, classical, detect, train, weights
from production.inspection.constructions import MM_PER_PX
from production.inspection.detect import Scores, Threshold, count_regions, flagged, regions, threshold_for
from production.inspection.evenness import Repeated, evenness
from production.inspection.features import CHANNELS, features, noise
from production.inspection.flaws import KINDS, Flaw, Kind
from production.inspection.labels import half
from production.inspection.network import CLASSES, Inspector, folded, parameters_of
from production.inspection.simulate import (
    Camera,
    Print,
    Scene,
    aligned,
    registration_error,
    repeated,
    simulate,
)
from production.inspection.train import Pool, Recipe, draw_sample, loss_of, turned
from tests.unit.test_inspection_simulation import POPLIN

ROOT = Path(__file__).resolve().parents[2]
SMALL = Recipe(steps=6, pairs=4, first_pairs=2, side_px=128, around_px=32, crop_px=64, batch=2, widths=(4, 8, 8, 8, 8))


@pytest.fixture(scope="module")
def pair():
    tile, layout = inspection_design(14, "train")
    reference = repeated(tile, layout, 336, 448)
    spot = Flaw(Kind.INK_SPOT, 230, 170, 6, 5, 0.9, seed=4)
    scan, _ = simulate(reference, Scene(seed=1, weave=POPLIN, flaws=(spot,), camera=Camera(illumination=0.05)))
    return reference, scan


@pytest.fixture(scope="module")
def lively():
    """An untrained network whose answers differ from place to place."""
    torch.manual_seed(2)
    network = Inspector().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.1, 0.4)
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
    with torch.no_grad():
        network.head.weight.mul_(10)
        network.head.bias[0] = 3.0
    return network


def looked_at(reference, scan, even=None, usual=None):
    even = even or evenness(reference, scan)
    asked = even.coloured(reference)
    return features(asked, scan, even, usual or noise(asked, scan, even))


def difference(reference, scan, even):
    rows, columns = slice(0, scan.shape[0]), slice(0, scan.shape[1])
    return even.seen(scan, rows, columns) - even.coloured(reference)[rows, columns]


def scores_of(plane, kind=Kind.STAIN):
    plane = np.asarray(plane, np.float16)
    return Scores(plane, np.full(plane.shape, kind.code, np.uint8))


def test_the_network_is_of_the_size_that_was_asked_for():
    network = Inspector()
    assert 200_000 <= parameters_of(network) <= 1_000_000
    assert network(torch.zeros(1, CHANNELS, 32, 48)).shape == (1, CLASSES, 32, 48)
    assert len(KINDS) + 1 == CLASSES == 9


def test_whoever_serves_pages_loads_no_torch_with_the_detector():
    said = "import sys, production.inspection.detect, production.inspection.bench; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], cwd=ROOT, check=False).returncode == 0


def test_folding_the_normalisation_changes_no_answer(lively):
    looked = torch.randn(1, CHANNELS, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(lively(looked), folded(lively)(looked), atol=1e-3)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded(lively).modules())


def test_windows_say_what_the_whole_says(pair, lively):
    reference, scan = (np.tile(each, (2, 2, 1)) for each in pair)
    network = folded(lively)
    whole = detect.scored(reference, scan, network=network)
    parts = detect.scored(reference, scan, network=network, window_px=224)
    assert whole.scores.astype(np.float32).std() > 0.3
    assert np.abs(whole.scores.astype(np.float32) - parts.scores.astype(np.float32)).max() < 0.05
    assert (whole.kinds != parts.kinds).mean() < 1e-3
    assert whole.scores.shape == (scan.shape[0] // 2, scan.shape[1] // 2)


def test_a_scan_of_any_size_is_looked_at_to_its_edges(pair, lively):
    reference, scan = (each[:331, :445] for each in pair)
    found = detect.scored(reference, scan, network=folded(lively))
    assert found.scores.shape == (165, 222)
    assert np.isfinite(found.scores.astype(np.float32)).all()


def test_a_reference_of_another_size_is_not_compared(pair, lively):
    with pytest.raises(ValueError, match="can't be compared"):
        detect.scored(pair[0][:200], pair[1], network=folded(lively))


@pytest.mark.parametrize("layout", list(Layout))
def test_a_repeated_reference_is_the_whole_one_in_windows(layout):
    tile = np.random.default_rng(0).integers(0, 255, (24, 36, 3)).astype(np.uint8)
    whole = repeated(tile, layout, 200, 250)
    windows = Repeated(tile, layout, 200, 250)
    assert windows.shape == whole.shape
    for window in (np.s_[0:200, 0:250], np.s_[17:64, 100:250], np.s_[150:999, 3:4]):
        assert np.array_equal(windows[window], whole[window])


@pytest.mark.parametrize("layout", list(Layout))
def test_a_repeated_reference_may_begin_anywhere_in_its_pattern(layout):
    tile = np.random.default_rng(0).integers(0, 255, (24, 36, 3)).astype(np.uint8)
    whole = Repeated(tile, layout, 200, 250)
    part = Repeated(tile, layout, 90, 80, top=70, left=111)
    assert np.array_equal(part[0:90, 0:80], whole[70:160, 111:191])


def test_the_light_is_known_to_the_corners_of_a_scan():
    grey = np.full((480, 480, 3), 170, np.uint8)
    y, x = np.mgrid[-1:1:480j, -1:1:480j]
    light = 0.9 + 0.06 * x - 0.05 * y - 0.03 * (x * x + y * y)
    scan = np.clip(grey * light[..., None] + np.random.default_rng(2).normal(0, 1.5, grey.shape), 0, 255).astype(
        np.uint8
    )
    off = difference(grey, scan, evenness(grey, scan))
    for rows in (slice(0, 40), slice(440, 480)):
        for columns in (slice(0, 40), slice(440, 480)):
            assert abs(off[rows, columns].mean()) < 0.5


def test_an_edge_of_the_design_just_beside_the_scan_is_no_alarm():
    tile = np.full((64, 64, 3), 60, np.uint8)
    tile[32:] = 220
    cloth = Repeated(tile, Layout.STRAIGHT, 416, 416)  # 6.5 repeats: its last row is the last dark one
    taller = Repeated(tile, Layout.STRAIGHT, 418, 416)[0:418, 0:416].astype(np.float32)
    moved = 0.6 * taller[:-2] + 0.4 * taller[1:-1]  # 0.4 px aside, into the light
    scan = np.clip(moved + np.random.default_rng(3).normal(0, 2, moved.shape), 0, 255).astype(np.uint8)
    still = replace(evenness(cloth, scan), slip=np.zeros((52, 52, 2), np.float32), shift=np.zeros((3, 2), np.float32))
    off = np.abs(looked_at(cloth[0:416, 0:416], scan, still)[..., 24:36].astype(int)).max(axis=-1)
    assert off[-1].mean() < 64, "four times what sound cloth shows"


def test_light_and_cast_are_no_difference(pair):
    reference, _ = pair
    scene = Scene(
        seed=2, weave=replace(POPLIN, cloud=0.0), camera=Camera(illumination=0.06, vignette=0.05, noise=0.001)
    )
    cast = replace(scene, camera=replace(scene.camera, cast=((0.9, 0.05, 0), (0.02, 1.0, 0), (0, 0.04, 0.85))))
    scans = [simulate(reference, each)[0] for each in (replace(scene, camera=Camera(noise=0.001)), cast)]
    looked = [looked_at(reference, scan)[..., :36].astype(float) / 255 for scan in scans]
    raw = np.abs(scans[0].astype(float) - scans[1]).mean() / 255
    assert raw > 0.015
    assert np.abs(looked[0][..., 12:24] - looked[0][..., :12]).mean() < 0.03
    assert np.abs(looked[1][..., 12:24] - looked[1][..., :12]).mean() < 0.03


def test_channels_that_were_printed_aside_are_found_and_are_no_difference():
    blots = cv2.GaussianBlur(np.random.default_rng(1).standard_normal((336, 448, 3)), (0, 0), 5)
    reference = np.where(blots > 0, 190, 70).astype(np.uint8)
    aside = ((0.6, 0.0), (-0.5, 0.5), (-0.1, -0.5))
    scene = Scene(seed=2, weave=POPLIN, print=Print(shift_px=aside))
    scan, _ = simulate(reference, scene)
    even = evenness(reference, scan)
    assert np.abs(even.shift - np.array(aside)).max() < 0.1
    there, not_there = (
        np.abs(difference(reference, scan, each)).mean() for each in (even, replace(even, shift=np.zeros((3, 2))))
    )
    assert there < 0.9 * not_there


def test_edges_that_are_softer_and_lie_aside_here_and_there_are_no_difference():
    bricks = np.full((448, 448, 3), 60, np.uint8)
    for at in range(10, 448, 28):
        bricks[at : at + 3], bricks[:, at : at + 3] = 235, 235
    scan, truth = simulate(
        bricks, Scene(seed=5, weave=replace(POPLIN, cloud=0.0), print=Print(gain=0.05, spread_px=0.6))
    )
    chance = np.random.default_rng(6)
    straight = aligned(scan, truth, residual=registration_error(chance, truth.shape, rms_px=0.5, length_mm=20.0))
    even = evenness(bricks, straight)
    still = replace(even, drawn=np.zeros_like(even.drawn), slip=np.zeros_like(even.slip))
    edges = np.abs(cv2.Laplacian(bricks[..., 0], cv2.CV_32F)) > 50
    left, before = (np.sqrt((difference(bricks, straight, each)[edges] ** 2).mean()) for each in (even, still))
    assert before > 12
    assert left < before / 2


def test_a_stain_is_not_taken_for_the_way_edges_are_drawn(pair):
    reference, scan = pair
    even = evenness(reference, scan)
    off = difference(reference, scan, even)
    assert np.abs(off[165:176, 225:236]).mean() > 8 * np.abs(off[20:120, 20:120]).mean()


def test_a_line_that_no_pixel_shows_stands_out_along_its_length():
    grey = np.full((320, 448, 3), 140, np.uint8)
    line = Flaw(Kind.MISSING_PICK, 224, 150, 2000, 0.36, 0.12)
    scan, truth = simulate(grey, Scene(seed=3, weave=replace(POPLIN, shade=0.01), flaws=(line,)))
    looked = looked_at(grey, scan)
    row = int(np.flatnonzero((half(truth.classes) > 0).any(axis=1))[0])
    along_rows = np.abs(looked[..., 42:48]).max(axis=2).mean(axis=1)
    places = np.delete(np.arange(160), np.arange(row - 2, row + 3))
    assert along_rows[row : row + 2].max() > 1.5 * along_rows[places].max()
    pixels = np.abs(looked[..., 24:36]).max(axis=2)
    assert np.percentile(pixels[places], 99.5) > pixels[row].mean()  # single pixels of sound cloth differ as much


def test_a_region_has_to_rank_high_and_reaches_as_far_as_the_weak_places():
    plane = np.full((200, 200), -5.0)
    plane[20:30, 20:60] = 2.0
    plane[24, 40] = 6.0
    plane[100:110, 100:140] = 2.0  # weak throughout
    found = regions(scores_of(plane), Threshold(7.0, 1.0))
    assert len(found) == 1
    side = 2 * MM_PER_PX
    assert found[0].kind is Kind.STAIN
    assert found[0].score == pytest.approx(6 + detect.EXTENT * np.log1p(399 * 2 + 6))
    assert (found[0].x_mm, found[0].y_mm) == (20 * side, 20 * side)
    assert (found[0].width_mm, found[0].height_mm) == (40 * side, 10 * side)
    assert found[0].area_mm2 == pytest.approx(400 * side**2)
    assert json.loads(json.dumps(found[0].as_dict()))["kind"] == "stain"
    there = flagged(scores_of(plane), Threshold(7.0, 1.0)) > 0
    assert there[20:30, 20:60].all()
    assert np.count_nonzero(there) == 400


def test_of_two_regions_as_strong_the_one_that_reaches_further_ranks_higher():
    plane = np.full((100, 200), -5.0)
    plane[10:14, 10:14], plane[50:52, 10:180] = 4.0, 4.0
    first, second = regions(scores_of(plane), Threshold(4.0, 1.0))
    assert first.width_mm > second.width_mm
    assert first.score > second.score


def test_a_broken_line_is_one_region_and_a_speck_is_none():
    plane = np.full((100, 200), -5.0)
    plane[50, 10:90], plane[50, 92:180] = 5.0, 5.0
    plane[10, 10] = 9.0
    found = regions(scores_of(plane, Kind.NOZZLE), Threshold(4.0, 1.0))
    assert [region.kind for region in found] == [Kind.NOZZLE]
    assert found[0].width_mm == pytest.approx(170 * 2 * MM_PER_PX)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-2, 6), st.floats(0, 3), st.floats(0, 3))
def test_a_higher_threshold_finds_no_more_places(seed, high, gap, more):
    plane = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((80, 80)), (0, 0), 2) * 30
    found = scores_of(np.clip(plane, -14, 14))
    lower, higher = Threshold(high, high - gap), Threshold(high + more, high + more - gap)
    few, many = flagged(found, higher) > 0, flagged(found, lower) > 0
    assert not (few & ~many).any()
    for threshold in (lower, higher):
        there = regions(found, threshold)
        assert len(there) == count_regions(found, threshold) == flagged(found, threshold).max()
        assert all(region.score >= np.float16(threshold.high) for region in there)


@pytest.mark.parametrize("budget", [1.0, 5.0, 20.0])
def test_a_threshold_keeps_to_its_budget_on_the_cloth_it_was_set_on(budget):
    rng = np.random.default_rng(4)
    clean = [
        scores_of(np.clip(cv2.GaussianBlur(rng.standard_normal((1000, 1000)), (0, 0), 3) * 25 - 6, -14, 14))
        for _ in range(4)
    ]
    area = sum(each.area_m2 for each in clean)
    threshold = threshold_for(clean, budget)
    count = sum(count_regions(each, threshold) for each in clean)
    assert count <= budget * area * 1.25 + 1
    lower = Threshold(threshold.high - 1.0, threshold.low - 1.0)
    assert sum(count_regions(each, lower) for each in clean) > budget * area


def test_too_little_clean_cloth_raises_the_threshold_by_its_tail():
    rng = np.random.default_rng(5)
    clean = [scores_of(np.clip(cv2.GaussianBlur(rng.standard_normal((500, 500)), (0, 0), 3) * 25 - 6, -14, 14))]
    one, hundred = threshold_for(clean, 1.0), threshold_for(clean, 100.0)
    assert clean[0].area_m2 < 0.1
    assert one.high > hundred.high
    assert count_regions(clean[0], one) == 0


def test_without_clean_cloth_there_is_no_threshold():
    with pytest.raises(ValueError, match="clean cloth"):
        threshold_for([], 5.0)


def test_the_classical_detector_sees_a_spot_and_not_the_cloth(pair):
    found = classical.scored_classically(*pair)
    labels = flagged(found, Threshold(4.0, 2.0))
    assert labels[170 // 2, 230 // 2] > 0
    labels[170 // 2 - 10 : 170 // 2 + 10] = 0  # a spot is also seen along its rows and columns
    labels[:, 230 // 2 - 16 : 230 // 2 + 16] = 0
    assert not labels.any()


@pytest.mark.parametrize("turn", ["across", "down", "over"])
def test_a_sample_turned_over_is_what_the_turned_scan_shows(turn, pair):
    reference, scan = (each[:192, :192] for each in pair)
    even = evenness(reference, scan)
    even = replace(
        even, light=np.ones_like(even.light), shift=np.zeros_like(even.shift), drawn=np.zeros_like(even.drawn),
        slip=np.zeros_like(even.slip),
    )  # fmt: skip
    usual = noise(reference, scan, even)
    usual = replace(usual, lines=np.full_like(usual.lines, 0.01), bands=np.full_like(usual.bands, 0.01))
    turning = {"across": lambda x: x[:, ::-1], "down": lambda x: x[::-1], "over": lambda x: x.transpose(1, 0, 2)}[turn]
    there = looked_at(*(np.ascontiguousarray(turning(each)) for each in (reference, scan)), even, usual)
    nothing = np.zeros((96, 96), np.uint8)
    nothing[3, 5] = Kind.MISSING_PICK.code
    made, classes, _ = turned(
        looked_at(reference, scan, even, usual),
        nothing,
        nothing,
        **{name: name == turn for name in ("across", "down", "over")},
    )
    assert np.abs(made.astype(int) - there).max() <= 1  # of the sixteen that are one sd: where a half is rounded
    assert classes.max() == (Kind.BROKEN_END.code if turn == "over" else Kind.MISSING_PICK.code)


def test_a_sample_is_the_same_again_and_names_what_is_on_it():
    first, again = (draw_sample(31, inspection_design, SMALL) for _ in range(2))
    assert np.array_equal(first.features, again.features)
    assert np.array_equal(first.classes, again.classes)
    assert first.features.shape == (64, 64, CHANNELS)
    assert np.isfinite(first.features.astype(np.float32)).all()
    samples = [draw_sample(seed, inspection_design, SMALL) for seed in range(12)]
    assert {0} < set(np.unique([each.classes.max() for each in samples]).tolist())
    for each in samples:
        beside = (cv2.dilate((each.classes > 0).view(np.uint8), np.ones((3, 3), np.uint8)) > 0) & (each.classes == 0)
        assert (each.weight[beside] == 0).all()
        assert (each.weight[each.classes > 0] > 0).all()


def test_at_half_the_resolution_a_line_is_kept_and_a_band_gives_way():
    labels = np.zeros((8, 8), np.uint8)
    labels[:, 4:] = Kind.BANDING.code
    labels[3] = Kind.NOZZLE.code
    small = half(labels)
    assert (small[1] == Kind.NOZZLE.code).all()
    assert (small[0, 2:] == Kind.BANDING.code).all()
    assert (small[0, :2] == 0).all()


def test_a_loss_is_least_where_everything_is_right():
    classes = torch.zeros(1, 16, 16, dtype=torch.int64)
    classes[0, 4:8, 4:8] = 3
    weight = torch.ones(1, 16, 16)
    right = torch.nn.functional.one_hot(classes, CLASSES).permute(0, 3, 1, 2) * 12.0
    missed = torch.zeros_like(right)
    missed[:, 0] = 12.0
    alarmed = right.clone()
    alarmed[0, :, 12, 12] = torch.eye(CLASSES)[3] * 12
    best, without, with_alarm = (float(loss_of(each, classes, weight, SMALL)) for each in (right, missed, alarmed))
    assert best < 0.05
    assert without > best + 0.5
    assert with_alarm > best + 0.05


def test_a_training_goes_on_where_it_was_interrupted(tmp_path):
    said = []
    whole, _ = train.train(inspection_design, work=tmp_path / "whole", recipe=SMALL, report=said.append)
    train.train(inspection_design, work=tmp_path / "two", recipe=SMALL, stop_at=3, report=said.append)
    parts, progress = train.train(
        inspection_design, work=tmp_path / "two", recipe=SMALL, resume=True, report=said.append
    )
    assert progress.steps == SMALL.steps
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_pool_forgets_its_oldest_scans(tmp_path):
    pool = Pool(tmp_path, SMALL, inspection_design)
    for _ in range(SMALL.pairs + 1):
        pool.grow()
    pool.close()
    assert pool.filled == SMALL.pairs
    newest = draw_sample(SMALL.pairs, inspection_design, SMALL)
    assert np.array_equal(pool.features[0], newest.features)


def test_weights_are_written_with_a_card_and_refused_when_a_byte_is_another(tmp_path):
    network = Inspector(SMALL.widths)
    card = weights.write(
        network, tmp_path,
        {
            "task": "finds", "steps": 6, "scans": 2, "processor_minutes": 1, "recipe": vars(SMALL), "data": "own",
            "licence": "own", "held_out": "weaves", "limits": "simulated", "figures": {"recall": "0.5"},
        },
    )  # fmt: skip
    assert card["parameters"] == parameters_of(network)
    assert "simulated" in (tmp_path / "README.md").read_text()
    looked = torch.randn(1, CHANNELS, 16, 16)
    assert torch.allclose(weights.shipped(tmp_path)(looked), network.eval()(looked), atol=1e-4)
    path = tmp_path / weights.NUMBERS
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    weights.shipped.cache_clear()
    with pytest.raises(DetectorRefused, match="not those of its card"):
        weights.shipped(tmp_path)
    path.unlink()
    with pytest.raises(DetectorRefused):
        weights.shipped(tmp_path)


def test_what_the_bench_counts():
    numbers, classes = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    numbers[10:20, 10:20], classes[10:20, 10:20] = 1, Kind.HOLE.code
    numbers[60:61, 5:95], classes[60:61, 5:95] = 2, Kind.MISSING_PICK.code
    seen = [Flaw(kind, 0, 0, 10, 1, 0.5) for kind in (Kind.HOLE, Kind.MISSING_PICK)]
    seen = tuple(bench.Seen(flaw, 0.5, (0, 0, 1, 1), 100) for flaw in seen)
    plane, kinds = np.full((100, 100), -9.0, np.float16), np.full((100, 100), Kind.HOLE.code, np.uint8)
    plane[12:16, 12:16] = 9.0  # a sixth of the hole
    plane[60, 5:9] = 9.0  # a twentieth of the line is four and a half pixels
    plane[90:95, 90:95] = 9.0  # nothing is there
    judged = bench.Judged(0, classes, numbers, np.zeros((100, 100), bool), seen, Scores(plane, kinds))
    found, alarms = bench.recalls([judged], {0: Threshold(4.0, 1.0)})
    assert (found["hole"].there, found["hole"].found, found["hole"].named) == (1, 1, 1)
    assert (found["missing_pick"].there, found["missing_pick"].found) == (1, 0)
    assert (found["all"].there, found["all"].found) == (2, 1)
    assert 1 <= alarms.per_m2 * judged.scores.area_m2 < 1.3
    assert alarms.share == pytest.approx(25 / 10_000, rel=0.3)
    (said,) = bench.unset([judged], [judged]).values()
    assert said.startswith("0.50 ")
    roc, precision = bench.area_under([judged])
    assert 0.5 < roc < 1
    assert 0 < precision < 1
    assert bench.area_under([judged], without=[Kind.MISSING_PICK])[0] > roc - 0.5


def test_the_interval_of_a_share_holds_it():
    for found, there in ((0, 10), (5, 10), (10, 10), (0, 0)):
        low, high = bench.wilson(found, there)
        assert 0 <= low <= (found / there if there else 0.5) <= high <= 1


def test_the_bench_asks_for_every_kind_equally_often_and_only_of_what_is_held_out():
    wanted = [kind for number in range(16) for kind in bench.kinds_of(number)]
    assert {wanted.count(kind) for kind in KINDS} == {16 * bench.PER_SCAN // len(KINDS)}
    assert all(len(set(bench.kinds_of(number))) == bench.PER_SCAN for number in range(16))
    splits = set()

    def design(seed, split):
        splits.add(split)
        return inspection_design(seed, split)

    found = list(bench.cases(design, 2, side_px=128)) + list(bench.clean_cases(design, 1, side_px=128))
    assert splits == {"test"}
    assert not found[-1].classes.any()
    assert any(each.seen for each in found[:2])
