"""Enlargement and repair: exact tiling in every layout, no colour that is not in the palette."""

import numpy as np
import pytest

from generation.domain.finish import (
    best_shift,
    calmest_phase,
    drop_specks,
    enlarge,
    pad_by_layout,
    repair_details,
    smooth,
    used_colours,
)
from generation.domain.pattern import Layout, layout_tiling


def coverage_of(seed: int, size: int = 32, roles: int = 4) -> np.ndarray:
    """Soft random coverage with features of a few pixels."""
    rng = np.random.default_rng(seed)
    field = smooth(rng.random((roles, size, size)).astype(np.float32), 1.5, Layout.STRAIGHT)
    sharp = np.exp(60 * field)
    return (sharp / sharp.sum(axis=0)).astype(np.float32)


@pytest.mark.parametrize("layout", list(Layout))
def test_what_lies_beyond_the_edge_is_what_the_cloth_shows_there(layout):
    tile = np.random.default_rng(0).integers(0, 9, (12, 8))
    across, along = layout.period  # so many repeats on, the tile lies as it was given
    cloth = layout_tiling(tile, layout, across + 2, along + 2)
    top, left = 12 * along, 8 * across
    assert (cloth[top : top + 12, left : left + 8] == tile).all()
    assert (pad_by_layout(tile, 3, layout) == cloth[top - 3 : top + 15, left - 3 : left + 11]).all()


@pytest.mark.parametrize("layout", list(Layout))
def test_the_enlarged_tile_equals_the_enlarged_cloth(layout):
    """Drawing one repeat, or the cloth of two and more each way as a whole, gives the same pixels: so no seam shows."""
    coverage = coverage_of(1, size=48)
    tile = enlarge(coverage, width_px=96, height_px=96, layout=layout)
    columns, rows = (max(2, repeats) for repeats in layout.period)
    cloth = np.stack([layout_tiling(plane, layout, columns, rows) for plane in coverage])
    whole = enlarge(cloth, width_px=96 * columns, height_px=96 * rows, layout=Layout.STRAIGHT)
    assert (layout_tiling(tile, layout, columns, rows) == whole).all()


@pytest.mark.parametrize("shift", [(8, 0), (0, 8), (16, 24)])
def test_rolling_the_design_rolls_the_raster(shift):
    coverage = coverage_of(2)
    rolled = enlarge(np.roll(coverage, shift, axis=(1, 2)), width_px=128, height_px=128, layout=Layout.STRAIGHT)
    straight = enlarge(coverage, width_px=128, height_px=128, layout=Layout.STRAIGHT)
    assert (rolled == np.roll(straight, (4 * shift[0], 4 * shift[1]), axis=(0, 1))).all()


@pytest.mark.parametrize(("width", "height"), [(96, 96), (97, 130), (37, 50), (32, 32)])
def test_the_raster_has_exactly_the_size_asked_for_and_only_the_roles_there_are(width, height):
    coverage = np.concatenate([coverage_of(3, roles=3), np.zeros((5, 32, 32), np.float32)])
    raster = enlarge(coverage, width_px=width, height_px=height, layout=Layout.STRAIGHT)
    assert raster.shape == (height, width)
    assert set(np.unique(raster)) <= {0, 1, 2}


@pytest.mark.parametrize("layout", list(Layout))
def test_details_under_the_limit_go_and_the_others_stay(layout):
    raster = np.zeros((64, 64), np.uint8)
    raster[10:30, 10:30] = 1  # stays
    raster[40, 5:50] = 2  # a hair
    raster[50:53, 50:53] = 3  # a speck
    repaired = repair_details(raster, smallest_px=5, layout=layout)
    assert (repaired[10:30, 10:30] == 1).all()
    assert set(np.unique(repaired)) == {0, 1}


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("smallest_px", [3, 6, 9])
def test_after_the_repair_hardly_a_pixel_is_too_fine(smallest_px, layout):
    raster = enlarge(coverage_of(5), width_px=160, height_px=160, layout=layout)
    before = 1 - covered_by_squares(raster, smallest_px, layout).mean()
    repaired = repair_details(raster, smallest_px=smallest_px, layout=layout)
    assert 1 - covered_by_squares(repaired, smallest_px, layout).mean() <= min(0.002, before)
    assert len(np.unique(repaired)) > 1


def covered_by_squares(raster, side, layout):
    """Which pixels lie in a square of their own colour, looked up square by square on the cloth."""
    cloth = np.pad(layout_tiling(raster, layout, 2, 2), side, mode="wrap")
    windows = np.lib.stride_tricks.sliding_window_view(cloth, (side, side))
    whole = windows.max(axis=(2, 3)) == windows.min(axis=(2, 3))
    covered = np.zeros(cloth.shape, bool)
    for dy, dx in np.ndindex(side, side):
        covered[dy : dy + whole.shape[0], dx : dx + whole.shape[1]] |= whole
    return covered[side : side + raster.shape[0], side : side + raster.shape[1]]


@pytest.mark.parametrize("smallest_px", [2, 3, 4, 5, 6])
def test_a_detail_of_exactly_the_smallest_size_stays_as_it_is(smallest_px):
    raster = np.zeros((24, 24), np.uint8)
    raster[8 : 8 + smallest_px, 6 : 6 + smallest_px] = 1
    assert (repair_details(raster, smallest_px=smallest_px, layout=Layout.STRAIGHT) == raster).all()


def test_a_detail_that_crosses_the_seam_is_measured_whole():
    raster = np.zeros((40, 40), np.uint8)
    raster[10:20, :3] = 1
    raster[10:20, -3:] = 1  # six wide on the cloth, three on each side of the seam
    assert (repair_details(raster, smallest_px=6, layout=Layout.STRAIGHT) == raster).all()
    assert repair_details(raster, smallest_px=7, layout=Layout.STRAIGHT).max() == 0


@pytest.mark.parametrize("layout", list(Layout))
def test_specks_and_holes_take_the_colour_around_them(layout):
    labels = np.zeros((32, 32), int)
    labels[8:20, 8:20] = 1
    labels[12:14, 12:14] = 0  # a hole
    labels[26, 26:28] = 2  # a speck
    labels[22:26, 2:6] = 2  # large enough
    coverage = (labels[None] == np.arange(3)[:, None, None]).astype(np.float32)
    cleaned = drop_specks(coverage, smallest_area_px=6, layout=layout)
    labels[12:14, 12:14] = 1
    labels[26, 26:28] = 0
    assert (cleaned.argmax(axis=0) == labels).all()
    assert np.allclose(cleaned.sum(axis=0), 1, atol=1e-5)


def test_unused_colours_are_dropped_and_the_order_kept():
    raster, present = used_colours(np.array([[0, 3], [5, 3]], np.uint8))
    assert present == [0, 3, 5]
    assert raster.tolist() == [[0, 1], [2, 1]]


def test_the_calmest_phase_puts_no_stripe_edge_on_the_seam():
    coverage = np.zeros((2, 32, 32), np.float32)
    coverage[1, :, :16] = 1
    coverage[0] = 1 - coverage[1]
    rolled = np.roll(coverage, calmest_phase(coverage), axis=(1, 2))
    assert np.abs(rolled[:, :, 0] - rolled[:, :, -1]).sum() == 0


@pytest.mark.parametrize(
    ("layout", "rolled", "found"),
    [
        (Layout.STRAIGHT, (5, 9), (-5, -9)),
        (Layout.HALF_DROP, (5, 0), (-5, 0)),
        (Layout.THIRD_DROP, (5, 0), (-5, 0)),
        (Layout.HALF_BRICK, (0, 9), (0, -9)),
        (Layout.MIRROR, (5, 9), (0, 0)),  # a mirrored sheet can't be rolled
    ],
)
def test_two_designs_are_laid_motif_on_motif_as_far_as_the_layout_rolls(layout, rolled, found):
    still = coverage_of(3)
    shift = best_shift(still, np.roll(still, rolled, axis=(1, 2)), layout)
    assert tuple(np.mod(shift, 32)) == tuple(np.mod(found, 32))
