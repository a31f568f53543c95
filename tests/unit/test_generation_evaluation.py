"""What measures the generator tells good from bad: each measure is given something that it has to find fault with."""

import json
import re

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import nn

from generation.backends.denoiser import Geometry, network, noise_shift
from generation.backends.pipeline import RepeatPipeline
from generation.domain.pattern import Layout, Limits, Palette, Raster, Repeat
from generation.evaluation import brand, encoder, figures, retrieval, sheet, tiling, violations
from generation.evaluation.briefs import CONTACT_SHEET, HELD_OUT
from generation.evaluation.diversity import mean_distance
from generation.evaluation.figures import Figure
from generation.evaluation.training import corpus_picture
from generation.training import corpus
from generation.training.corpus import captions

FAMILIES = {family.name for family in corpus.FAMILIES}


def raster_of(indices, *, repeat_mm=100.0, layout=Layout.STRAIGHT):
    shades = ("#ffffff", "#1d2f52", "#bf5b3c", "#8a8f63", "#e0a15f", "#7a3b2a", "#e8c4a4", "#4d4a3a")
    palette = Palette(shades[: int(indices.max()) + 1])
    return Raster(indices.astype(np.uint8), palette, Repeat(repeat_mm, repeat_mm, layout), seed=1)


# -- briefs


def test_there_are_48_briefs_and_64_captions_of_families_that_exist():
    assert len(CONTACT_SHEET) == 48
    assert len(HELD_OUT) == 64
    assert all(set(ask.families) <= FAMILIES for ask in (*CONTACT_SHEET, *HELD_OUT))
    assert all(ask.expected() is not None for ask in CONTACT_SHEET)
    assert len({ask.words for ask in (*CONTACT_SHEET, *HELD_OUT)}) == 112


def test_no_two_held_out_captions_mean_the_same_family():
    assert len({ask.families for ask in HELD_OUT}) == len(HELD_OUT)


def words_of(thing):
    if isinstance(thing, str):
        return set(re.findall(r"[a-z0-9]+", thing.lower()))
    if isinstance(thing, dict):
        thing = [*thing.keys(), *thing.values()]
    return set().union(*map(words_of, thing)) if isinstance(thing, (list, tuple, set, frozenset)) else set()


def test_no_template_can_make_a_held_out_caption():
    """Each has at least one word that neither the templates nor any family's nouns and adjectives know."""
    said = words_of([value for name, value in vars(captions).items() if not name.startswith("__")])
    for family in corpus.FAMILIES:
        said |= words_of(family.nouns)
        for seed in range(6):
            said |= words_of(corpus.adjectives_of(family, seed))
    assert {"floral", "curtains", "romantic"} <= said  # it was looked in the right place
    unseen = {ask.words: words_of(ask.words) - said for ask in HELD_OUT}
    assert not [words for words, new in unseen.items() if not new]


# -- the judge


@pytest.fixture(scope="module")
def judge():
    return encoder.load()


@pytest.fixture(scope="module")
def corpus_pictures():
    return [
        corpus_picture(corpus.family_named(ask.families[0]), retrieval.CORPUS_SEED + number, 2)
        for number, ask in enumerate(HELD_OUT)
    ]


def test_the_judge_finds_the_captions_of_corpus_pictures_and_not_those_of_others(judge, corpus_pictures):
    said = [ask.words for ask in HELD_OUT]
    first, among_five = retrieval.retrieved(judge, corpus_pictures, said)
    wrong, _ = retrieval.retrieved(judge, corpus_pictures, said[1:] + said[:1])
    assert first > 0.4
    assert among_five > 0.7
    assert wrong < 0.1


def test_the_judge_sees_neither_colours_nor_where_the_tile_is_cut(judge):
    indices = corpus.draw_unit(corpus.family_named("tulip"), 3, size_px=96).coverage.argmax(axis=0)
    turned = np.roll(indices, (24, 48), axis=(0, 1))
    renamed = indices.max() - indices
    one, moved, recoloured = (encoder.picture_of(raster_of(each)) for each in (indices, turned, renamed))
    assert (one == recoloured).all()
    alike = encoder.embed_pictures(judge, [one, moved])
    assert float(alike[0] @ alike[1]) > 0.97


def test_a_changed_judge_is_refused(tmp_path):
    encoder.save(encoder.Judge(), tmp_path, {"name": "untrained"})
    assert encoder.load(tmp_path)
    encoder.load.cache_clear()
    file = tmp_path / "judge.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(encoder.weights.WeightsRefused):
        encoder.load(tmp_path)


# -- limits


def test_an_injected_thin_line_breaks_the_smallest_feature():
    indices = np.zeros((200, 200), np.uint8)
    indices[50:150, 50:150] = 1
    limits = Limits(max_colours=3, min_feature_mm=0.5, max_ink=0.4)
    clean = violations.read(raster_of(indices, repeat_mm=20.0), 0.5)  # 0.1 mm a pixel: five pixels are 0.5 mm
    assert clean.fine_share == 0
    assert clean.ink == pytest.approx(0.25)
    assert not any(clean.breaks(limits))
    indices[20, :] = 2
    indices[22, :] = 2
    thin = violations.read(raster_of(indices, repeat_mm=20.0), 0.5)
    assert thin.fine_share == pytest.approx(3 * 200 / 200**2)  # both lines and the gap between them
    assert thin.breaks(limits) == (True, False, False)


@pytest.mark.parametrize("smallest_px", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("layout", list(Layout))
def test_a_square_of_exactly_the_smallest_size_is_no_violation_and_one_pixel_less_is(smallest_px, layout):
    indices = np.zeros((40, 40), np.uint8)
    indices[9 : 9 + smallest_px, 13 : 13 + smallest_px] = 1
    assert violations.fine_share(indices, smallest_px, layout) == 0
    indices[9, 13 : 13 + smallest_px] = 0
    assert violations.fine_share(indices, smallest_px, layout) * 1600 == pytest.approx(smallest_px * (smallest_px - 1))


def test_a_motif_across_the_drop_is_measured_as_it_lies_on_the_cloth():
    indices = np.zeros((40, 40), np.uint8)
    indices[0:6, 37:] = 1
    indices[20:26, :3] = 1  # the other half, dropped by half a repeat
    assert violations.fine_share(indices, 6, Layout.HALF_DROP) == 0
    assert violations.fine_share(indices, 6, Layout.STRAIGHT) > 0


def test_too_many_colours_and_too_much_ink_are_found():
    indices = np.repeat(np.repeat(np.arange(16).reshape(4, 4) % 4, 10, axis=0), 10, axis=1)
    found = violations.read(raster_of(indices), 0.5).breaks(Limits(max_colours=3, min_feature_mm=0.5, max_ink=0.7))
    assert found == (False, True, True)


# -- tiling


@pytest.fixture(scope="module")
def pipeline():
    torch.manual_seed(0)
    geometry = Geometry(32, 4)
    unet = network(geometry, (16, 32, 32)).eval().requires_grad_(False)
    made = RepeatPipeline(unet=unet, scheduler=FlowMatchEulerDiscreteScheduler(shift=noise_shift(32)))
    made.set_progress_bar_config(disable=True)
    return made


@pytest.mark.parametrize("layout", list(tiling.CELLS))
def test_moved_noise_gives_the_moved_design(pipeline, layout):
    assert tiling.network_error(pipeline, layout) < 1e-4


def test_a_network_that_pads_with_zeros_is_found(pipeline):
    convolutions = [module for module in pipeline.unet.modules() if hasattr(module, "torus")]
    kinds = [module.__class__ for module in convolutions]
    try:
        for module in convolutions:
            module.__class__ = nn.Conv2d
        assert tiling.network_error(pipeline, Layout.STRAIGHT) > 1e-3
    finally:
        for module, kind in zip(convolutions, kinds, strict=True):
            module.__class__ = kind


@pytest.mark.parametrize("layout", list(Layout))
def test_what_lies_beyond_the_edge_is_the_cloth_and_enlarging_keeps_it_so(layout):
    assert tiling.beyond_edge_error(layout) == 0
    assert tiling.finishing_error(layout) == 0


@pytest.mark.parametrize("layout", list(tiling.CELLS))
def test_a_cloth_moved_by_whole_periods_comes_back_and_sooner_only_lower(layout):
    tile = np.arange(96).reshape(12, 8)
    moved = tile
    for _ in range(layout.period[0]):
        moved = tiling.moved(moved, layout, 0, 8)
        assert (np.sort(moved, axis=None) == tile.ravel()).all()
    assert (moved == tile).all()
    assert (tiling.moved(tile, layout, 0, 8) == np.roll(tile, -int(12 * layout.drop), axis=0)).all()


# -- diversity, colours, figures, pictures


def test_copies_have_no_distance_and_strangers_have():
    assert mean_distance(np.ones((4, 1), np.float32)) == pytest.approx(0)
    assert mean_distance(np.eye(4, dtype=np.float32)) == pytest.approx(1)


def test_a_colour_that_is_one_digit_off_or_in_another_role_is_not_the_pinned_one():
    raster = raster_of(np.eye(4, dtype=np.uint8))
    assert brand.is_exact(raster, ("#ffffff", "#1d2f52"))
    assert not brand.is_exact(raster, ("#ffffff", "#1d2f53"))
    assert not brand.is_exact(raster, ("#1d2f52", "#ffffff"))


def test_a_figure_says_whether_its_bound_holds_and_what_was_not_measured_holds_none():
    assert Figure("speed", 1.0, "s", at_most=2).holds is True
    assert Figure("share", 0.5, at_least=0.6).holds is False
    assert Figure("not measured", float("nan"), at_most=2).holds is False
    assert Figure("said beside it", 3.0).holds is None
    assert "DOES NOT HOLD" in figures.table("all", [Figure("share", 0.5, at_least=0.6)])
    grid = figures.table("limits", [Figure("stress: delivered: ink", 3.0, "%", at_most=2)])
    assert "!3.0%" in grid


def test_measuring_one_part_leaves_the_figures_of_the_others(tmp_path):
    file = tmp_path / "figures.json"
    figures.keep("speed", [Figure("first preview", 1.0, "s", at_most=2)], fingerprint="a", seconds=3, path=file)
    figures.keep("memory", [Figure("likeness", float("nan"))], fingerprint="b", seconds=1, path=file)
    said = json.loads(file.read_text())
    assert said["speed"]["figures"] == [
        {"what": "first preview", "value": 1.0, "unit": "s", "bound": "≤ 2", "holds": True}
    ]
    assert said["memory"]["figures"][0]["value"] is None


def test_the_sheet_shows_every_cloth_with_its_words_or_without():
    cloths = [np.full((60, 60, 3), shade, np.uint8) for shade in (10, 120, 200)]
    blind = sheet.laid_out(cloths, across=2)
    told = sheet.laid_out(cloths, ["one", "two", "a long line of words that has to be broken"], across=2)
    assert blind.shape[1] == told.shape[1]
    assert blind.shape[0] < told.shape[0]
    assert {10, 120, 200} <= set(np.unique(blind[..., 0]).tolist())


def test_named_colours_that_a_design_lacks_are_told():
    ask = next(ask for ask in CONTACT_SHEET if ask.colours == "navy, white")
    there = Raster(np.eye(4, dtype=np.uint8), Palette(("#ffffff", "#1d2f52")), Repeat(100, 100), 1)
    assert sheet.colours_missed(there, ask) == []
    lacking = Raster(np.eye(4, dtype=np.uint8), Palette(("#ffffff", "#bf2f36")), Repeat(100, 100), 1)
    assert sheet.colours_missed(lacking, ask) == ["#1d2f52"]
