"""Weaves, lift plans and floats, against a count that walks every thread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.domain.pattern import Palette
from production.domain.weave import LIBRARY, assign, back_floats, compose, floats, repair, satin, warp_share

NAMES = ("satin_8", "twill_3_1", "twill_2_2", "twill_1_3", "sateen_8", "plain")


def walked(lift):
    """Every float's length on the face, thread by thread around the torus: warp up in columns, weft up in rows."""
    lengths = []
    for rows in (lift.T, ~lift):
        for row in rows:
            if row.all():
                lengths.append(len(row))
                continue
            turned = np.roll(row, -int(np.flatnonzero(~row)[0]))
            run = 0
            for crossing in [*turned, False]:
                if crossing:
                    run += 1
                elif run:
                    lengths.append(run)
                    run = 0
    return lengths


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 9999), st.integers(1, 6))
def test_floats_are_counted_around_the_edges(height, width, seed, limit):
    lift = np.random.default_rng(seed).random((height, width)) < 0.6
    lengths = walked(lift)
    found = floats(lift, limit)
    assert found.longest == max(lengths, default=0)
    assert found.over == sum(length > limit for length in lengths)


@pytest.mark.parametrize(
    ("name", "longest"),
    [("plain", 1), ("twill_2_2", 2), ("twill_3_1", 3), ("twill_1_3", 3), ("satin_8", 7), ("sateen_8", 7)],
)
def test_each_weave_has_its_known_float(name, longest):
    weave = LIBRARY[name]
    assert max(floats(weave, 1).longest, back_floats(weave, 1).longest) == longest
    assert (weave.sum(axis=0) == weave.sum(axis=0)[0]).all()


def test_a_satin_binds_every_end_and_pick_once():
    binding = satin(8, 3, warp_face=False)
    assert (binding.sum(axis=0) == 1).all()
    assert (binding.sum(axis=1) == 1).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9999), st.integers(8, 12))
def test_composed_weaves_are_repaired_until_no_float_is_over(seed, limit):
    rng = np.random.default_rng(seed)
    blobs = np.kron(rng.integers(0, 5, (6, 7)), np.ones((8, 8), int))
    indices = np.roll(blobs, rng.integers(0, 8), axis=1).astype(np.uint8)
    lift = compose(indices, NAMES[:5])
    repaired = repair(lift, limit)
    assert floats(repaired, limit).over == 0
    assert back_floats(repaired, limit).over == 0
    assert max(walked(repaired)) <= limit


def test_repair_leaves_a_plan_alone_that_needs_none():
    lift = compose(np.zeros((16, 16), np.uint8), ("twill_2_2",))
    assert np.array_equal(repair(lift, 7), lift)


def test_composing_keeps_every_colour_in_its_weave():
    indices = np.zeros((24, 24), np.uint8)
    indices[8:16, 8:16] = 1
    lift = compose(indices, ("satin_8", "plain"))
    assert np.array_equal(lift[:8, :8], LIBRARY["satin_8"])
    assert np.array_equal(lift[8:10, 8:10], LIBRARY["plain"])


def test_the_colour_nearest_the_warp_shows_most_warp():
    weaves = NAMES[:5]
    given_weaves = assign(Palette(("#ffffff", "#10204a", "#8890a0")), weaves, warp="#e9e0cc", weft="#1f2a4d")
    assert given_weaves == ("satin_8", "sateen_8", "twill_2_2")
    assert warp_share(given_weaves) == (0.875, 0.125, 0.5)


def test_no_two_colours_share_a_weave_while_there_are_enough():
    weaves = NAMES[:5]
    palette = Palette(("#ffffff", "#fefefe", "#000000", "#010101", "#7f7f7f"))
    assert len(set(assign(palette, weaves, warp="#ffffff", weft="#000000"))) == 5


def test_more_colours_than_weaves_are_refused():
    with pytest.raises(ValueError, match="3 colours"):
        assign(Palette(("#000000", "#ffffff", "#777777")), NAMES[:2], warp="#ffffff", weft="#000000")
