"""A tile that was cut short is told from one that closes, and what only looks like a cut is left alone."""

import numpy as np
import pytest

from generation.domain.finish import pad_by_layout
from generation.domain.pattern import Layout, Palette, Raster, Repeat, layout_tiling
from generation.domain.seam import LIMIT, lab_of_indices, lab_picture, measure_seams, worst_seam
from generation.evaluation.seams import auroc, seam_auroc, true_tile
from generation.services import at_size

CLOSED = [layout for layout in Layout if layout is not Layout.MIRROR]


def texture(layout, seed=1):
    """A true tile without flat ground, from the measure's own test bench."""
    for number in range(100):
        tile = true_tile(np.random.default_rng([seed, number]), layout)
        if tile.name == "texture":
            return tile.rgb
    raise AssertionError


def test_cut_tiles_are_told_from_true_ones_in_every_layout():
    told = seam_auroc(16, seed=6)
    assert set(told) == {layout.value for layout in Layout}
    for figures in told.values():
        assert figures["auroc"] >= 0.9  # of sixteen; over hundreds it lies between 0.97 and 0.99
        assert figures["left_out"] < 0.5


@pytest.mark.parametrize("layout", CLOSED)
def test_a_texture_closes_in_its_own_layout_and_in_no_other(layout):
    rgb = texture(layout)
    assert not worst_seam(lab_picture(rgb), layout).shows
    for other in CLOSED:
        if other is not layout:
            assert worst_seam(lab_picture(rgb), other).shows


@pytest.mark.parametrize("layout", CLOSED)
def test_a_texture_in_other_pixels_still_closes(layout):
    rgb = texture(layout)
    colours, indices = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
    across, down = layout.step
    height, width = (size + 6 * parts for size, parts in ((rgb.shape[0], down), (rgb.shape[1], across)))
    palette = Palette(tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours[:2]))
    drawn = Raster(indices.reshape(rgb.shape[:2]), palette, Repeat(64, 64, layout), seed=1)
    resized = at_size(drawn, width_px=width, height_px=height, repeat=drawn.repeat)
    assert resized.indices.shape == (height, width)
    assert not worst_seam(lab_picture(colours[resized.indices].astype(np.uint8)), layout).shows
    cut = colours[resized.indices][:, : -8 * across].astype(np.uint8)
    assert worst_seam(lab_picture(cut), layout).shows


@pytest.mark.parametrize("lines", [3, 8, 20])
def test_a_cut_of_a_few_lines_shows_in_its_own_direction(lines):
    across, down = measure_seams(lab_picture(texture(Layout.STRAIGHT)[:, :-lines]), Layout.STRAIGHT)
    assert across.shows
    assert not down.shows
    assert across.excess > LIMIT > down.excess


def test_plain_ground_and_stripes_along_the_seam_show_nothing():
    palette = Palette(("#f0e8d8", "#203050"))
    flat = np.zeros((96, 96), np.uint8)
    stripes = np.tile((np.arange(96) // 12 % 2).astype(np.uint8), (96, 1))  # one begins just at the edge
    for indices in (flat, stripes, stripes.T):
        assert not worst_seam(lab_of_indices(indices, palette), Layout.STRAIGHT).shows


def test_a_cut_by_a_whole_period_closes_again():
    x, y = np.meshgrid(np.arange(128), np.arange(128))
    indices = (np.sin(2 * np.pi * x / 16) + np.sin(2 * np.pi * y / 16) > 0.3).astype(np.uint8)
    palette = Palette(("#f0e8d8", "#203050"))
    assert not worst_seam(lab_of_indices(indices[:, :-16], palette), Layout.STRAIGHT).shows


def test_a_mirrored_tile_closes_however_it_is_cut_but_mirrored_cloth_does_not():
    tile = texture(Layout.STRAIGHT)[:-5, :-7]
    assert worst_seam(lab_picture(tile), Layout.MIRROR).excess == 0
    cloth = layout_tiling(tile, Layout.MIRROR, 2, 2)
    assert not worst_seam(lab_picture(cloth), Layout.STRAIGHT).shows
    assert worst_seam(lab_picture(cloth[:, :-7]), Layout.STRAIGHT).shows


def test_the_worst_place_is_named():
    rgb = texture(Layout.STRAIGHT).copy()
    beyond = pad_by_layout(rgb.transpose(2, 0, 1), 1, Layout.STRAIGHT)[:, 1:-1, 0].T
    height = len(rgb)
    rgb[height // 4 : height // 4 + 20, -1] = 255 - beyond[height // 4 : height // 4 + 20]
    across, _ = measure_seams(lab_picture(rgb), Layout.STRAIGHT)
    assert across.worst_at == pytest.approx(0.25 + 10 / height, abs=0.1)


def test_the_chance_of_telling_apart_counts_ties_by_half():
    assert auroc([0.0, 1.0], [1.0, 2.0]) == pytest.approx(0.875)
