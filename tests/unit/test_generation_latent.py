"""The axes of a brand's designs: found again the same, named, kept to, and walked along."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from generation.domain.latent import FEWEST_DESIGNS, SAMPLES, _sampled, fitted, moved, smaller
from generation.domain.pattern import Layout, Palette, Raster, Repeat
from generation.errors import OutsideAxis, TooFewDesigns, UnknownAxis

PALETTE = Palette(("#f4efe6", "#203050", "#c9663f"))
SIDE = 120


def discs(radius, *, at=(60, 60), core=0):
    """A disc of the main motif on the ground, with a core in a third colour."""
    indices = np.zeros((3 * SIDE, 3 * SIDE), np.uint8)
    for x in (0, 1, 2):
        for y in (0, 1, 2):
            cv2.circle(indices, (at[0] + x * SIDE, at[1] + y * SIDE), radius, 1, -1)
            if core:
                cv2.circle(indices, (at[0] + x * SIDE, at[1] + y * SIDE), core, 2, -1)
    tile = np.ascontiguousarray(indices[SIDE : 2 * SIDE, SIDE : 2 * SIDE])
    return Raster(tile, PALETTE, Repeat(80, 80, Layout.STRAIGHT), 1)


def test_a_design_at_the_size_it_is_made_at_is_made_small_from_samples_that_show_the_same():
    design = discs(40, core=20)
    indices = cv2.resize(design.indices, (3916, 3916), interpolation=cv2.INTER_NEAREST)
    made = replace(design, indices=indices, repeat=Repeat(320, 320, Layout.STRAIGHT))
    assert _sampled(made, 256 * SAMPLES, 256 * SAMPLES).indices.size < indices.size / 3
    small = smaller(made, longer_px=256)
    assert small.indices.shape == (256, 256)
    assert ink(small) == pytest.approx(ink(made), abs=0.005)
    area = np.stack(
        [cv2.resize((indices == k).astype(np.float32), (256, 256), interpolation=cv2.INTER_AREA) for k in range(3)]
    )
    assert (small.indices == area.argmax(axis=0)).mean() > 0.99


def ink(raster):
    return float((raster.indices != 0).mean())


GROWING = [discs(radius, at=(7 * radius % SIDE, 11 * radius % SIDE)) for radius in (18, 24, 30, 36, 42)]


def test_the_axis_of_designs_of_growing_density_is_called_density_and_explains_them():
    first = fitted(GROWING).axes[0]
    assert first.name == "density"
    assert first.share > 0.8
    assert first.least < 0 < first.most


def test_moving_by_nothing_gives_the_base_back():
    space = fitted(GROWING)
    assert moved(GROWING[2], space, {}) is GROWING[2]
    assert moved(GROWING[2], space, {"density": 0.0}) is GROWING[2]


def test_moving_along_density_puts_more_and_more_ink_on_the_cloth():
    space, base = fitted(GROWING), GROWING[2]
    axis = space.axes[0]
    inks = [ink(moved(base, space, {"density": amount})) for amount in np.linspace(axis.least, axis.most, 7)]
    assert all(more > less for less, more in pairwise(inks)), inks
    assert inks[0] < ink(base) - 0.05
    assert inks[-1] > ink(base) + 0.05


def test_a_moved_design_keeps_colours_roles_and_where_its_motif_stands():
    space = fitted(GROWING)
    base = discs(30, at=(17, 101))
    there = moved(base, space, {"density": 0.5})
    assert (there.palette, there.roles, there.repeat) == (base.palette, base.roles, base.repeat)
    assert "density +0.5" in there.origin
    both = (there.indices != 0) & (base.indices != 0)
    assert both.sum() > 0.98 * (base.indices != 0).sum()


def test_where_a_repeat_begins_does_not_matter():
    space, base = fitted(GROWING), GROWING[2]
    rolled = Raster(np.roll(base.indices, (45, 80), (0, 1)), base.palette, base.repeat, 1)
    there = moved(rolled, space, {"density": 1.0}).indices
    assert (np.roll(there, (-45, -80), (0, 1)) != moved(base, space, {"density": 1.0}).indices).mean() < 0.01


def test_farther_than_the_approved_designs_go_is_refused_with_the_range():
    space = fitted(GROWING)
    axis = space.axes[0]
    for amount in (axis.most + 0.1, axis.least - 0.1, float("nan"), float("inf")):
        with pytest.raises(OutsideAxis) as refused:
            moved(GROWING[2], space, {"density": amount})
        assert refused.value.fields["limit"] == [axis.least, axis.most]
        assert f"{axis.most:g}" in str(refused.value)


def test_an_axis_that_is_not_there_is_refused_naming_those_that_are():
    with pytest.raises(UnknownAxis, match="density"):
        moved(GROWING[2], fitted(GROWING), {"mood": 1.0})


def test_two_designs_are_too_few_and_three_times_the_same_too():
    with pytest.raises(TooFewDesigns) as refused:
        fitted(GROWING[: FEWEST_DESIGNS - 1])
    assert refused.value.fields["limit"] == FEWEST_DESIGNS
    with pytest.raises(TooFewDesigns, match="the same"):
        fitted([GROWING[0]] * 3)


def test_the_same_designs_give_the_same_axes():
    one, two = fitted(GROWING), fitted(list(GROWING))
    assert one.axes == two.axes
    assert (one.steps == two.steps).all()


def test_two_ways_of_differing_are_two_axes():
    designs = [discs(radius, core=core) for radius in (24, 30, 36) for core in (6, 12, 18)]
    space = fitted(designs)
    assert len(space.axes) >= 2
    assert len({axis.name for axis in space.axes}) == len(space.axes)


def test_the_edges_of_a_moved_repeat_meet():
    space = fitted(GROWING)
    there = moved(discs(40, at=(0, 0)), space, {"density": 0.6}).indices
    inside = (there[:, 1:] != there[:, :-1]).sum(axis=0).max()
    assert (there[:, 0] != there[:, -1]).sum() <= inside


@pytest.mark.parametrize("layout", list(Layout))
def test_a_large_design_that_is_moved_gets_sides_that_its_layout_can_be_cut_at(layout):
    base = discs(30)
    large = replace(base, indices=np.tile(base.indices, (6, 5)), repeat=replace(base.repeat, layout=layout))
    across, along = layout.step
    height, width = moved(large, fitted(GROWING), {"density": 0.5}).indices.shape
    assert (height % along, width % across) == (0, 0)
    assert abs(width / height - 5 / 6) < 0.01
