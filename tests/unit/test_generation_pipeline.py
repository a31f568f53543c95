"""The network on its torus, with tiny random weights: wrapping, seeds, limits; and what the weights folder lets in."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DConditionModel

from generation.backends import drawing, weights
from generation.backends.denoiser import (
    COORDINATES,
    ROLES,
    TEXT_TOKENS,
    TEXT_WIDTH,
    Geometry,
    coarse_level,
    coordinates,
    fine_level,
    geometry_of,
    grown,
    make_toroidal,
    network,
    predict_logits,
    wrap,
)
from generation.backends.embedded import EmbeddedGenerator
from generation.backends.pipeline import RepeatPipeline, Start, unit_noise
from generation.backends.projection import UnitLimits, project, weight_at
from generation.domain.pattern import Brief, Layout, Limits, Repeat, layout_tiling
from generation.domain.setting import Cells
from generation.errors import WeightsRefused
from generation.training.losses import broken_limits, entropy, noisy, soft_cross_entropy

UNIT_PX, PATCH_PX = 64, 4
ONE_UNIT = Cells(1, 1, Layout.STRAIGHT)


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    made = network(Geometry(UNIT_PX, PATCH_PX), widths=(16, 16, 32)).eval().requires_grad_(False)
    make_toroidal(made)
    return made


NOISE = unit_noise(ONE_UNIT, UNIT_PX, seed=1)


@pytest.fixture(scope="module")
def pipeline(unet):
    made = RepeatPipeline(unet=copy.deepcopy(unet), scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0))
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def text():
    return torch.randn(1, TEXT_TOKENS, TEXT_WIDTH, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("layout", list(Layout))
def test_padding_shows_the_neighbour_of_the_layout(layout):
    tile = torch.arange(96.0).view(1, 1, 12, 8)
    across, along = layout.period  # so many repeats on, the tile lies as it was given
    cloth = torch.from_numpy(layout_tiling(tile[0, 0].numpy(), layout, across + 2, along + 2))
    top, left = 12 * along, 8 * across
    assert torch.equal(wrap(tile, 2, layout)[0, 0], cloth[top - 2 : top + 14, left - 2 : left + 10])


@pytest.mark.parametrize("layout", [layout for layout in Layout if layout is not Layout.MIRROR])
def test_the_network_sees_one_repeat_as_it_sees_the_cloth(unet, text, layout):
    """The prediction for one sheet equals the one for the cloth laid out, so tiling holds by construction."""
    torus = next(module.torus for module in unet.modules() if hasattr(module, "torus"))
    rows = layout.drop.denominator  # of units: a dropped sheet moves by whole ones
    noise = torch.randn(1, ROLES, rows * UNIT_PX, UNIT_PX, generator=torch.Generator().manual_seed(2))
    tokens = UNIT_PX // PATCH_PX
    where = torch.randn(1, COORDINATES, rows * tokens, tokens, generator=torch.Generator().manual_seed(3))
    repeats = tuple(max(2, each) for each in layout.period)

    def laid_out(x):
        planes = [torch.from_numpy(layout_tiling(plane.numpy(), layout, *repeats).copy()) for plane in x[0]]
        return torch.stack(planes)[None]

    time = torch.tensor([0.7])
    torus.layout = layout
    one = predict_logits(unet, noise, time, text, where)
    torus.layout = Layout.STRAIGHT
    cloth = predict_logits(unet, laid_out(noise), time, text, laid_out(where))
    assert (laid_out(one) - cloth).abs().max() < 2e-4


def test_padding_with_zeros_instead_would_be_noticed(unet, text):
    """Negative control of the test above: an ordinary network's prediction depends on where the tile is cut."""
    plain = UNet2DConditionModel(**dict(unet.config)).eval().requires_grad_(False)
    noise = torch.randn(1, ROLES, UNIT_PX, UNIT_PX, generator=torch.Generator().manual_seed(2))
    where = torch.zeros(1, COORDINATES, UNIT_PX // PATCH_PX, UNIT_PX // PATCH_PX)
    time = torch.tensor([0.7])
    straight = predict_logits(plain, noise, time, text, where)
    rolled = predict_logits(plain, noise.roll(32, 3), time, text, where).roll(-32, 3)
    assert (straight - rolled).abs().max() > 1e-2


@pytest.mark.parametrize("dropped", [Layout.HALF_DROP, Layout.THIRD_DROP])
def test_dropped_columns_know_their_place_in_their_own_unit(dropped):
    side = 12  # patches of a unit that can be cut in halves and in thirds
    maps = coordinates(Cells(3, 3, dropped, dropped), side)
    for column in range(3):
        own = maps[:, COORDINATES // 2 :, :, column * side : (column + 1) * side]
        lower = int(column * dropped.drop * side)
        assert torch.allclose(maps[:, COORDINATES // 2 :, :, :side].roll(lower, 2), own, atol=1e-4)


def test_units_share_the_likeness_of_their_noise_and_no_more():
    cells = Cells(2, 1, Layout.STRAIGHT)
    alike, own = unit_noise(cells, UNIT_PX, seed=4, likeness=1.0), unit_noise(cells, UNIT_PX, seed=4, likeness=0.0)
    assert torch.equal(alike[..., :UNIT_PX], alike[..., UNIT_PX:])
    assert (own[..., :UNIT_PX] * own[..., UNIT_PX:]).mean().abs() < 0.05
    assert unit_noise(cells, UNIT_PX, seed=4, likeness=0.5).std() == pytest.approx(1.0, abs=0.02)


def test_the_same_seed_draws_the_same_and_another_seed_another(pipeline, text):
    cells = Cells(2, 1, Layout.STRAIGHT)
    first, again, other = (
        pipeline(text, cells, noise=unit_noise(cells, UNIT_PX, seed=seed), steps=3) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_coverage_sums_to_one_and_forbidden_roles_stay_empty(pipeline, text):
    coverage = pipeline(text, ONE_UNIT, noise=NOISE, steps=3, roles=(0, 1, 2))
    assert coverage.shape == (ROLES, UNIT_PX, UNIT_PX)
    assert torch.allclose(coverage.sum(0), torch.ones(UNIT_PX, UNIT_PX), atol=1e-4)
    assert coverage[3:].max() == 0


SHEETS = (Cells(2, 2, Layout.STRAIGHT), Cells(2, 2, Layout.MIRROR), Cells(2, 2, Layout.HALF_DROP))


def drawn_at_once(pipeline, text):
    """A sheet of each layout, drawn by a thread each that take every step together, and by this one in turn."""
    noises = [unit_noise(cells, UNIT_PX, seed=3) for cells in SHEETS]
    together = Barrier(len(SHEETS), timeout=60)

    def drawn(cells, noise):
        return pipeline(text, cells, noise=noise, steps=3, on_step=lambda *_: together.wait())

    with ThreadPoolExecutor(len(SHEETS)) as threads:
        at_once = list(threads.map(drawn, SHEETS, noises))
    alone = [pipeline(text, cells, noise=noise, steps=3) for cells, noise in zip(SHEETS, noises, strict=True)]
    return at_once, alone


def test_threads_that_draw_at_once_in_different_layouts_change_no_pixel_of_each_other(pipeline, text):
    at_once, alone = drawn_at_once(pipeline, text)
    assert all(map(torch.equal, at_once, alone))


def test_a_layout_that_threads_shared_would_be_noticed(pipeline, text, monkeypatch):
    """Negative control of the test above."""
    shared = SimpleNamespace(layout=Layout.STRAIGHT)
    for module in pipeline.unet.modules():
        if hasattr(module, "torus"):
            monkeypatch.setattr(module, "torus", shared)
    monkeypatch.setattr(pipeline, "torus", shared)
    at_once, alone = drawn_at_once(pipeline, text)
    assert not all(map(torch.equal, at_once, alone))


def stripe():
    coverage = torch.zeros(ROLES, UNIT_PX, UNIT_PX)
    coverage[0], coverage[1, :, 20:40] = 1, 1
    coverage[0, :, 20:40] = 0
    return coverage


def test_what_is_pinned_stays_as_it_was_and_the_rest_is_drawn(pipeline, text):
    pinned = stripe()[1] > 0.5
    start = Start(stripe(), 0.9, pinned)
    drawn = pipeline(text, ONE_UNIT, noise=NOISE, steps=2, start=start, guidance=1.0)
    assert torch.equal(drawn[:, pinned], stripe()[:, pinned])
    assert not torch.equal(drawn[:, ~pinned], stripe()[:, ~pinned])


def test_progress_is_told_step_by_step(pipeline, text):
    told = []
    pipeline(text, ONE_UNIT, noise=NOISE, steps=3, on_step=lambda done, steps: told.append((done, steps)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("layout", list(Layout))
def test_rolling_the_noise_rolls_the_design(pipeline, text, layout):
    """The whole sampler, in whole precision: what lies where in the file is chance, the cloth is the same."""
    cells = Cells(2, layout.drop.denominator if layout.drop else 2, layout)
    noise = unit_noise(cells, UNIT_PX, seed=5)
    axis = 3 if layout is Layout.HALF_BRICK else 2  # along the other axis a sheared sheet comes back sheared
    moved = noise.flip(3) if layout is Layout.MIRROR else noise.roll(UNIT_PX, axis)

    def drawn(given):
        limits = UnitLimits(3.0, 0.4)
        return pipeline(text, cells, noise=given, steps=3, limits=limits, precision=torch.float32)

    if layout is Layout.MIRROR:  # the one step along a mirrored sheet is its reflection: the edge pads with itself
        assert torch.equal(wrap(moved, 1, layout).flip(3), wrap(noise, 1, layout))
        return
    assert (drawn(moved) - drawn(noise).roll(UNIT_PX, axis - 1)).abs().max() < 1e-4


def test_a_grown_network_draws_what_the_small_one_drew_in_four_times_the_pixels(unet, text):
    larger = grown(unet).eval()
    make_toroidal(larger)
    assert geometry_of(larger) == Geometry(2 * UNIT_PX, 2 * PATCH_PX)
    where = coordinates(ONE_UNIT, UNIT_PX // PATCH_PX)
    clean = torch.rand(1, ROLES, UNIT_PX, UNIT_PX, generator=torch.Generator().manual_seed(3)) * 2 - 1
    noise = torch.randn(1, ROLES, UNIT_PX, UNIT_PX, generator=torch.Generator().manual_seed(4))
    level = 0.98  # here the network alone speaks: a pixel says next to nothing of itself
    fine = fine_level(level, 2 * UNIT_PX)
    assert coarse_level(fine, 2 * UNIT_PX) == pytest.approx(level)
    small = predict_logits(unet, (1 - level) * clean + level * noise, torch.tensor([level]), text, where)
    fine_noise = 0.5 * noise.repeat_interleave(2, 2).repeat_interleave(2, 3)
    fine_clean = clean.repeat_interleave(2, 2).repeat_interleave(2, 3)
    large = predict_logits(larger, (1 - fine) * fine_clean + fine * fine_noise, torch.tensor([fine]), text, where)
    assert torch.nn.functional.avg_pool2d(large, 2).sub(small).abs().max() < 0.35


def scattered():
    """A third of the cloth in soft dots of two pixels, the rest ground: fine, and far over an ink cap of a fifth."""
    random = torch.Generator().manual_seed(6)
    dots = (torch.rand(1, 1, 32, 32, generator=random) < 0.33).float().repeat_interleave(2, 2).repeat_interleave(2, 3)
    coverage = torch.zeros(1, ROLES, 64, 64)
    coverage[:, 1:2], coverage[:, 0:1] = dots, 1 - dots
    return coverage


def thin_share(coverage, width):
    labels = (coverage[0].argmax(0) == 1).numpy().astype("uint8")
    tiled = np.tile(labels, (3, 3))
    opened = cv2.morphologyEx(tiled, cv2.MORPH_OPEN, np.ones((width, width), np.uint8))[64:128, 64:128]
    return 1 - opened.sum() / max(1, labels.sum())


def test_the_projection_rounds_fine_details_away_and_keeps_the_area():
    before = scattered()
    after = project(before, UnitLimits(5.0), weight=1.0, layout=Layout.STRAIGHT)
    assert thin_share(before, 5) > 0.9
    assert thin_share(after, 5) < 0.5
    assert float(after[:, 1].mean()) == pytest.approx(float(before[:, 1].mean()), abs=0.01)
    assert torch.allclose(after.sum(1), torch.ones(1, 64, 64), atol=1e-4)


def test_the_projection_cuts_the_ink_to_the_cap_and_leaves_what_keeps_the_limits_alone():
    capped = project(scattered(), UnitLimits(1.0, most_ink=0.2), weight=1.0, layout=Layout.HALF_DROP)
    assert float((capped.argmax(1) != 0).float().mean()) == pytest.approx(0.2, abs=0.02)  # equal pixels go together
    assert torch.equal(project(scattered(), UnitLimits(1.0), weight=1.0, layout=Layout.STRAIGHT), scattered())
    assert weight_at(0.95) == 0
    assert weight_at(0.5) == 1


def test_an_erased_design_is_no_cheaper_way_to_keep_the_limits():
    """The counter-term: without it an empty prediction would have the least loss of all."""
    clean = scattered()
    rounded = project(clean, UnitLimits(5.0), weight=1.0, layout=Layout.STRAIGHT)
    empty = torch.zeros_like(clean)
    empty[:, 0] = 1

    def loss(coverage):
        return float(broken_limits(coverage.clamp(min=1e-4).log(), clean, torch.tensor([5.0]), torch.tensor([1.0])))

    assert loss(rounded) < loss(clean)
    assert loss(rounded) < loss(empty)
    assert float(broken_limits(empty.clamp(min=1e-4).log(), clean, torch.tensor([0.0]), torch.tensor([1.0]))) == 0


def test_cross_entropy_of_a_perfect_prediction_is_the_entropy():
    clean = torch.rand(2, ROLES, 8, 8).softmax(1)
    assert torch.allclose(soft_cross_entropy(clean.log(), clean), entropy(clean), atol=1e-5)
    assert torch.equal(noisy(clean, torch.zeros_like(clean), torch.zeros(2)), 2 * clean - 1)


@pytest.fixture
def folder(unet, tmp_path):
    """A weights folder with a tiny network, manifest and card."""
    made = tmp_path / "tiny"
    drawing.save(copy.deepcopy(unet), made)
    (made / weights.CARD).write_text(json.dumps({"name": "tiny"}))
    weights.write_manifest(made)
    return made


def test_a_folder_that_is_whole_loads_through_diffusers_and_draws(folder):
    brief = Brief("flowers", Repeat(60, 60, Layout.STRAIGHT), 96, 96)
    (raster,) = EmbeddedGenerator(folder).generate(brief, [1], Limits())
    assert raster.indices.shape == (96, 96)


def changed_byte(folder):
    path = next(folder.rglob("*.safetensors"))
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


REFUSED = {
    "a changed byte": changed_byte,
    "a pickle": lambda folder: (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04."),
    "a checkpoint": lambda folder: (folder / "model.ckpt").write_bytes(b"x"),
    "a torch file": lambda folder: (folder / "unet" / "extra.pt").write_bytes(b"x"),
    "code": lambda folder: (folder / "pipeline.py").write_text("print('hello')"),
    "a file nobody named": lambda folder: (folder / "more.safetensors").write_bytes(b"x"),
    "a missing file": lambda folder: (folder / "model_index.json").unlink(),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "a broken manifest": lambda folder: (folder / "manifest.json").write_text("[]"),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_a_folder_that_was_touched_is_refused(folder, what):
    REFUSED[what](folder)
    with pytest.raises(WeightsRefused) as refused:
        weights.verify(folder)
    assert refused.value.fields["file"]
    with pytest.raises(WeightsRefused):
        EmbeddedGenerator(folder).fingerprint()


def test_a_link_in_place_of_a_file_is_refused(folder, tmp_path):
    real = tmp_path / "elsewhere.json"
    (folder / "model_index.json").rename(real)
    (folder / "model_index.json").symlink_to(real)
    with pytest.raises(WeightsRefused):
        weights.verify(folder)


def test_other_weights_have_another_fingerprint(folder):
    before = EmbeddedGenerator(folder).fingerprint()
    second = folder.parent / "second"
    folder.rename(second)
    (second / weights.CARD).write_text(json.dumps({"name": "other"}))
    weights.write_manifest(second)
    assert EmbeddedGenerator(second).fingerprint() != before
