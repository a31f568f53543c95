"""Going on from earlier drawings, with a network that has learned nothing: what must hold whatever it draws."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from generation.backends.denoiser import Geometry, network, noise_shift
from generation.backends.drawing import Guard, draw
from generation.backends.pipeline import RepeatPipeline
from generation.domain.finish import coverage_of, fineness, with_ink_at_most
from generation.domain.pattern import Brief, Knobs, Layout, Limits, Palette, Raster, Repeat
from generation.domain.setting import cells_for
from generation.training import corpus

FLOWERS = Brief("poppies, midcentury palette", Repeat(160, 160, Layout.STRAIGHT), 200, 200)
LIMITS = Limits(min_feature_mm=0.5)


@pytest.fixture(scope="module")
def pipeline():
    torch.manual_seed(0)
    made = RepeatPipeline(
        unet=network(Geometry(64, 4), widths=(16, 16, 32)).eval().requires_grad_(False),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=noise_shift(64)),
    )
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def poppies(pipeline):
    return draw(pipeline, FLOWERS, seed=3, limits=LIMITS)


def test_an_artwork_says_what_was_proposed_and_how_much_the_model_drew(poppies):
    assert "poppy" in poppies.origin
    assert "the model redrew" in poppies.origin
    assert len(poppies.roles) == len(poppies.palette)


def test_no_strength_keeps_a_drawing_pixel_for_pixel_in_the_new_colours(pipeline, poppies):
    palette = ("#102030", *poppies.palette.colours[1:])
    kept = draw(pipeline, replace(FLOWERS, parents=(poppies,), strength=0.0, palette=palette), seed=9, limits=LIMITS)
    assert np.array_equal(kept.indices, poppies.indices)
    assert kept.palette.colours == palette
    assert kept.roles == poppies.roles


def test_more_strength_leaves_the_drawing_further_behind(pipeline, poppies):
    def changed(strength):
        brief = replace(FLOWERS, parents=(poppies,), strength=strength)
        child = draw(pipeline, brief, seed=9, limits=LIMITS)
        was = np.array([poppies.role_of(i) for i in range(len(poppies.palette))])[poppies.indices]
        now = np.array([child.role_of(i) for i in range(len(child.palette))])[child.indices]
        return float((was != now).mean())

    assert changed(0.02) < changed(0.3) < changed(0.9)


def test_a_colour_drawn_anew_leaves_every_other_colour_where_it_was(pipeline, poppies):
    anew = len(poppies.palette) - 1
    brief = replace(FLOWERS, parents=(poppies,), strength=0.9, redraw=(anew,))
    child = draw(pipeline, brief, seed=9, limits=LIMITS)
    for index, colour in enumerate(poppies.palette.colours):
        if index not in (0, anew):
            at = child.palette.colours.index(colour)
            assert np.array_equal(child.indices == at, poppies.indices == index)
    assert not np.array_equal(child.indices, poppies.indices)


def test_between_two_drawings_the_share_says_which_is_nearer(pipeline, poppies):
    """By the area of each role: one of the two may have been moved, to lie motif on motif."""
    other = draw(pipeline, replace(FLOWERS, words="camouflage, midcentury palette"), seed=4, limits=LIMITS)

    def areas(raster):
        counts = np.bincount(raster.indices.ravel(), minlength=len(raster.palette))
        return np.bincount([raster.role_of(i) for i in range(len(counts))], counts, minlength=8) / counts.sum()

    def distance(share, to):
        brief = replace(FLOWERS, parents=(poppies, other), strength=0.05, share=share)
        return float(np.abs(areas(draw(pipeline, brief, seed=9, limits=LIMITS)) - areas(to)).sum())

    assert distance(0.1, poppies) < distance(0.9, poppies)
    assert distance(0.9, other) < distance(0.1, other)


def test_scale_and_density_change_the_number_of_motifs_and_not_the_motif():
    plain = cells_for(FLOWERS.repeat, FLOWERS.words, islands=True)
    larger = cells_for(FLOWERS.repeat, FLOWERS.words, islands=True, knobs=Knobs(scale=2.0))
    denser = cells_for(FLOWERS.repeat, FLOWERS.words, islands=True, knobs=Knobs(density=2.0))
    count = [cells.columns * cells.rows for cells in (larger, plain, denser)]
    assert count == sorted(set(count))


def test_another_density_shows_the_same_proposal(pipeline):
    brief = replace(FLOWERS, words="only poppies, midcentury palette")
    plain, dense = (draw(pipeline, replace(brief, knobs=Knobs(density=by)), seed=3, limits=LIMITS) for by in (1.0, 2.0))
    assert dense.origin.split(",")[0] == plain.origin.split(",")[0]
    assert not np.array_equal(dense.indices, plain.indices)


def test_a_size_that_the_repeat_can_t_hold_is_told(pipeline):
    small = replace(FLOWERS, repeat=Repeat(90, 90, Layout.STRAIGHT))
    larger = draw(pipeline, replace(small, knobs=Knobs(scale=2.0)), seed=3, limits=LIMITS)
    assert any("Another size of the repeat" in note for note in larger.notes)
    plain = draw(pipeline, small, seed=3, limits=LIMITS)
    assert not any("Another size" in note for note in plain.notes)


def test_the_cap_on_ink_holds_in_what_is_delivered_and_not_without_the_guard(pipeline):
    brief = replace(FLOWERS, words="camouflage, earth palette", width_px=160, height_px=160)
    limits = Limits(min_feature_mm=0.5, max_ink=0.3)
    share = {
        guard: float((drawn.indices != drawn.roles.index(0)).mean())
        for guard in (Guard.NONE, Guard.DELIVERED)
        for drawn in [draw(pipeline, brief, seed=2, limits=limits, guard=guard)]
    }
    assert share[Guard.NONE] > 0.4
    assert 0.2 < share[Guard.DELIVERED] <= 0.31


def test_ink_is_cut_where_a_shape_is_least_decided():
    coverage = np.zeros((2, 4, 4), np.float32)
    coverage[1] = np.linspace(0.55, 0.95, 16).reshape(4, 4)
    coverage[0] = 1 - coverage[1]
    capped = with_ink_at_most(coverage, 0.5)
    kept = capped.argmax(axis=0) == 1
    assert kept.sum() == 8
    assert coverage[1][kept].min() > coverage[1][~kept].max()


def test_line_art_is_finer_than_poppies():
    toile, poppy = (corpus.draw_unit(corpus.family_named(name), 1, size_px=128).coverage for name in ("toile", "poppy"))
    assert fineness(toile) > 5 * fineness(poppy)


def test_what_each_colour_covers_sums_to_the_cloth():
    indices = np.random.default_rng(0).integers(0, 3, (40, 60)).astype(np.uint8)
    raster = Raster(indices, Palette(("#ffffff", "#000000", "#ff0000")), Repeat(60, 40), seed=1)
    coverage = coverage_of(raster, width_px=15, height_px=10)
    assert coverage.shape == (3, 10, 15)
    assert np.allclose(coverage.sum(axis=0), 1, atol=1e-5)


def test_the_brief_of_a_drawing_is_not_changed_by_drawing_it(pipeline, poppies):
    brief = replace(FLOWERS, parents=(poppies,), strength=0.5)
    before = copy.deepcopy(poppies)
    draw(pipeline, brief, seed=1, limits=LIMITS)
    assert np.array_equal(before.indices, poppies.indices)


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("size_mm", [(320, 320), (60, 2000), (2000, 60), (40, 40), (640, 300)])
def test_two_motifs_find_an_even_number_of_columns_in_every_repeat(layout, size_mm):
    cells = cells_for(Repeat(*size_mm, layout), "big poppies", islands=True, in_pairs=True)
    assert cells.columns % 2 == 0
    assert cells.columns * cells.rows <= (36 if layout is Layout.THIRD_DROP else 25)
    if size_mm == (320, 320):
        assert cells.columns - cells.rows == (layout is Layout.THIRD_DROP)  # square; pairs and threes meet at 4 by 3
