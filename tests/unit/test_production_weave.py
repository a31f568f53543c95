"""Weaves, lift plans and floats, against a count that walks every thread."""

import re
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.domain.pattern import Palette
from production.domain.floats import FloatLimits, can_bind, count_floats, repair
from production.domain.weave import (
    BACK,
    LIBRARY,
    assign,
    compose,
    lattice_of,
    refuse_unweavable,
    satin,
    shaded_satin,
    toned,
    warp_share,
    weave_named,
    weave_size,
    woven_lab,
)
from production.errors import FloatLimitTooShort, FloatsCannotBeBound, UnknownWeaveName, WeavesDoNotGoTogether

NAMES = ("satin_8", "twill_3_1", "twill_2_2", "twill_1_3", "sateen_8", "plain")
SETS = (
    ("satin_8", "twill_3_1", "twill_2_2", "twill_1_3", "sateen_8"),
    ("satin_5", "twill_2_1", "plain", "twill_1_2", "sateen_5_3"),
    ("damask_8_ground", "damask_8_figure"),
    ("damask_5_ground", "basket_2_2", "twill_2_2_s", "damask_5_figure"),
    tuple(f"shade_8_{n}" for n in range(8, 0, -1)),
    ("satin_8_5", "basket_4_4", "twill_3_1_s", "twill_1_3", "shade_5_2", "sateen_8"),
)


def walked(lift):
    """Every float's length as text: (along picks, along ends), a thread that is never bound counting as endless."""
    lengths = ([], [])
    for which, rows in enumerate((lift, lift.T)):
        for row in rows:
            word = "".join("#" if up else "." for up in row)
            if len(set(word)) == 1:
                lengths[which].append(10**6)
                continue
            turn = next(k for k in range(len(word)) if word[k - 1] != word[k])
            lengths[which].extend(len(run) for run in re.findall(r"#+|\.+", word[turn:] + word[:turn]))
    return lengths


def artwork(rng, height=96, width=96, colours=5):
    """Blobs, thin lines and specks: whatever a design may have at its weaves' borders."""
    size = int(rng.integers(3, 17))
    blocks = rng.integers(0, colours, (height // size + 1, width // size + 1))
    indices = np.kron(blocks, np.ones((size, size), int))[:height, :width]
    indices = np.roll(indices, rng.integers(0, 16, 2), axis=(0, 1))
    y, x = np.mgrid[:height, :width]
    for _ in range(3):
        a, b = rng.normal(size=2)
        indices[np.abs(np.sin((a * x + b * y) / 9)) < 0.08] = rng.integers(colours)
    specks = rng.random((height, width)) < rng.choice([0, 0.01, 0.1])
    indices[specks] = rng.integers(0, colours, specks.sum())
    return indices.astype(np.uint8)


def as_it_reads(lengths, limits):
    return sum(n > limits.weft for n in lengths[0]) + sum(n > limits.warp for n in lengths[1])


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 19), st.integers(1, 19), st.integers(0, 9999), st.integers(0, 6), st.integers(0, 6))
def test_floats_are_counted_around_the_edges(height, width, seed, weft, warp):
    rng = np.random.default_rng(seed)
    lift = rng.random((height, width)) < rng.choice([0.1, 0.6, 0.95])
    limits, lengths = FloatLimits(weft, warp), walked(lift)
    found = count_floats(lift, limits)
    assert found.over == as_it_reads(lengths, limits)
    bound = [n for n in [*lengths[0], *lengths[1]] if n < 10**6]
    assert found.longest >= max(bound, default=0)
    assert found.longest == max(bound, default=0) or max(*lengths[0], *lengths[1]) == 10**6


def test_each_face_and_direction_is_counted_by_itself():
    lift = np.ones((12, 12), bool)
    lift[np.arange(12), np.arange(12)] = False  # warp-faced, bound once in twelve
    found = count_floats(lift, FloatLimits(12, 12))
    assert (found.warp_face.longest, found.weft_back.longest) == (11, 11)
    assert (found.weft_face.longest, found.warp_back.longest) == (1, 1)


def test_a_thread_that_is_never_bound_is_over_whatever_the_limit():
    lift = np.indices((6, 4)).sum(axis=0) % 2 == 0
    lift[:, 2] = True
    assert count_floats(lift, FloatLimits(99, 99)).over == 1


@pytest.mark.parametrize("weaves", SETS, ids=lambda weaves: weaves[0])
def test_no_float_is_over_after_repair_on_200_artworks(weaves):
    longest = max(count_floats(LIBRARY[name].lift, FloatLimits(99, 99)).longest for name in weaves)
    needed = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        # Sides that all these weaves divide; limits around what each weave keeps by itself, alike or not.
        indices = artwork(rng, 80, 96 if weave_size(weaves) % 5 else 80, len(weaves))
        limits = FloatLimits(*(longest + rng.integers(-1, 3, 2)).tolist())
        lift = compose(indices, weaves)
        needed += as_it_reads(walked(lift), limits)
        lengths = walked(repair(lift, limits, lattice_of(indices, weaves)))
        assert as_it_reads(lengths, limits) == 0, seed
    assert needed > 200  # else nothing was tried


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 25),
    st.integers(2, 25),
    st.integers(0, 9999),
    st.integers(1, 7),
    st.integers(1, 7),
    st.sampled_from([0, 0.03, 0.5, 0.97, 1]),
)
def test_whatever_the_plan_repair_comes_to_an_end(height, width, seed, weft, warp, share):
    lift = np.random.default_rng(seed).random((height, width)) < share
    limits = FloatLimits(weft, warp)
    if can_bind(lift.shape, limits):
        assert as_it_reads(walked(repair(lift, limits)), limits) == 0
    else:
        with pytest.raises(FloatsCannotBeBound):
            repair(lift, limits)


@pytest.mark.parametrize(("shape", "limits"), [((7, 8), (3, 1)), ((8, 7), (1, 3)), ((8, 8), (0, 4)), ((1, 8), (9, 9))])
def test_limits_that_no_weave_keeps_are_refused_by_name(shape, limits):
    with pytest.raises(FloatsCannotBeBound, match=f"{shape[1]} ends and {shape[0]} picks"):
        repair(np.zeros(shape, bool), FloatLimits(*limits))


def test_repair_leaves_a_plan_alone_that_needs_none():
    lift = compose(np.zeros((16, 16), np.uint8), ("twill_2_2",))
    assert np.array_equal(repair(lift, FloatLimits(7, 7)), lift)


@pytest.mark.parametrize(("limit", "places"), [(12, {4}), (8, {1, 3, 5, 7})])
def test_binding_points_stand_half_way_between_the_satins_own_where_the_limit_lets_them(limit, places):
    indices = np.zeros((48, 48), np.uint8)
    lift = compose(indices, ("satin_8",))
    lift[:, 20] |= np.arange(48) // 8 == 2  # one point is left out: a float of 15 picks
    added = repair(lift, FloatLimits(limit, limit), lattice_of(indices, ("satin_8",))) != lift
    points = np.argwhere(added)
    assert len(points) == 2  # one in that end, one in the pick that it bound
    assert 20 in points[:, 1]
    assert {(end - 3 * pick) % 8 for pick, end in points} <= places


def test_few_points_are_added_where_few_floats_are_over():
    rng = np.random.default_rng(5)
    indices = artwork(rng, 192, 192)
    lift = compose(indices, SETS[0])
    limits = FloatLimits(9, 9)
    changed = np.count_nonzero(repair(lift, limits, lattice_of(indices, SETS[0])) != lift)
    assert 0 < changed <= 1.2 * count_floats(lift, limits).over


@pytest.mark.parametrize("name", LIBRARY)
def test_every_weave_binds_its_ends_and_picks_equally_often(name):
    weave = LIBRARY[name]
    for lift in (weave.lift, weave.lift if weave.figure is None else weave.figure):
        assert lift.shape[0] == lift.shape[1]
        assert len(set(lift.sum(axis=0)) | set(lift.sum(axis=1))) == 1
    assert gcd(weave.step, len(weave.lift)) == 1  # else its lattice has gaps
    assert weave.size % len(weave.lift) == 0


@pytest.mark.parametrize(
    ("name", "longest", "share"),
    [
        ("plain", 1, 1 / 2),
        ("basket_2_2", 2, 1 / 2),
        ("basket_4_4", 4, 1 / 2),
        ("twill_2_1", 2, 2 / 3),
        ("twill_1_2", 2, 1 / 3),
        ("twill_2_2", 2, 1 / 2),
        ("twill_3_1", 3, 3 / 4),
        ("twill_1_3_s", 3, 1 / 4),
        ("satin_5", 4, 4 / 5),
        ("sateen_5_3", 4, 1 / 5),
        ("satin_8", 7, 7 / 8),
        ("sateen_8_5", 7, 1 / 8),
        ("satin_10", 9, 9 / 10),
        ("sateen_12", 11, 1 / 12),
        ("shade_8_1", 7, 1 / 8),
        ("shade_8_4", 5, 7 / 16),
        ("shade_5_2", 3, 2 / 5),
    ],
)
def test_each_weave_has_its_known_float_and_face(name, longest, share):
    assert count_floats(LIBRARY[name].lift, FloatLimits(99, 99)).longest == longest
    assert warp_share((name,)) == (pytest.approx(share),)


def test_twills_rise_to_the_side_that_their_letter_says():
    z, s = LIBRARY["twill_3_1"].lift, LIBRARY["twill_3_1_s"].lift
    assert np.array_equal(z[1], np.roll(z[0], 1))  # the next pick has it one end to the right
    assert np.array_equal(s[1], np.roll(s[0], -1))


def test_a_satin_binds_every_end_and_pick_once_with_no_two_points_side_by_side():
    for size, step in ((5, 2), (8, 3), (10, 3), (12, 5)):
        binding = satin(size, step, warp_face=False).lift
        assert (binding.sum(axis=0) == 1).all()
        assert (binding.sum(axis=1) == 1).all()
        around = [np.roll(binding, by, axis=(0, 1)) for by in ((1, 1), (1, -1), (1, 0), (0, 1))]
        assert not any((binding & other).any() for other in around)


@pytest.mark.parametrize(("size", "step"), [(8, 2), (8, 1), (8, 7), (6, 5)])
def test_steps_that_make_no_satin_are_refused(size, step):
    with pytest.raises(ValueError, match="no step"):
        satin(size, step, warp_face=True)


def test_a_damask_pair_has_its_points_on_one_lattice_half_a_repeat_apart():
    ground, figure = LIBRARY["damask_8_ground"].lift, LIBRARY["damask_8_figure"].lift
    assert np.array_equal(np.roll(~ground, 4, axis=1), figure)


def test_shaded_satins_climb_in_even_steps():
    for prefix, count in (("shade_8", 8), ("shade_5", 4)):
        shares = warp_share(tuple(f"{prefix}_{n}" for n in range(1, count + 1)))
        steps = np.diff(shares)
        assert steps.min() > 0
        assert steps.max() <= 2.01 * steps.min()
    assert np.array_equal(shaded_satin(8, 3, 14).lift.sum(axis=0), np.full(8, 7))


def test_composing_keeps_every_colour_in_its_weave():
    indices = np.zeros((24, 24), np.uint8)
    indices[8:16, 8:16] = 1
    lift = compose(indices, ("satin_8", "plain"))
    assert np.array_equal(lift[:8, :8], LIBRARY["satin_8"].lift)
    assert np.array_equal(lift[8:10, 8:10], LIBRARY["plain"].lift)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 9999), st.sampled_from(SETS), st.booleans())
def test_every_crossing_is_that_of_its_colours_weave(seed, weaves, figure):
    rng = np.random.default_rng(seed)
    indices = artwork(rng, 37, 53, len(weaves))
    lift = compose(indices, weaves, figure=figure)
    for y, x in rng.integers(0, (37, 53), (40, 2)):
        weave = BACK.lift if figure else LIBRARY[weaves[indices[y, x]]].lift
        assert lift[y, x] == weave[y % len(weave), x % len(weave)]


def test_a_repeat_that_its_weaves_divide_has_no_seam():
    names = ("satin_5", "satin_8", "basket_2_2")
    size = weave_size(names)
    assert size == 40
    indices = np.zeros((size, size), np.uint8)
    indices[:, 10:] = 1
    four = compose(np.tile(indices, (2, 2)), names)
    assert np.array_equal(four, np.tile(compose(indices, names), (2, 2)))


def test_a_figure_weft_lies_on_the_face_where_its_colour_is_and_at_the_back_elsewhere():
    indices = np.zeros((16, 16), np.uint8)
    indices[:, 8:] = 1
    figure = compose(indices, ("satin_8", "figure_1_3"), figure=True)
    assert (~figure[:, 8:]).mean() == 3 / 4  # over three ends of four
    assert (~figure[:, :8]).mean() == 1 / 8  # bound under one end of eight
    assert weave_size(("plain",), two_wefts=True) == 8


def test_a_weave_that_floats_too_long_by_itself_is_refused_by_name():
    refuse_unweavable(("satin_8", "plain"), FloatLimits(7, 7))
    with pytest.raises(FloatLimitTooShort, match="satin 8 floats over 7 threads"):
        refuse_unweavable(("plain", "satin_8"), FloatLimits(7, 6))
    with pytest.raises(FloatLimitTooShort, match="plain"):  # the figure weft at its back floats over seven ends
        refuse_unweavable(("plain",), FloatLimits(6, 6), two_wefts=True)


def test_a_figure_weave_without_its_weft_or_a_ground_is_refused():
    with pytest.raises(WeavesDoNotGoTogether, match="figure 1 3 needs a figure weft"):
        refuse_unweavable(("satin_8", "figure_1_3"), FloatLimits(9, 9))
    with pytest.raises(WeavesDoNotGoTogether, match="needs a ground weave"):
        refuse_unweavable(("figure_1_3",), FloatLimits(9, 9), two_wefts=True)
    refuse_unweavable(("satin_8", "figure_1_3"), FloatLimits(9, 9), two_wefts=True)


def test_an_unknown_weave_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownWeaveName, match="satin_8"):
        weave_named("sattin")


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


def test_the_colour_of_the_figure_weft_is_woven_with_it():
    weaves = ("satin_8", "twill_2_2", "sateen_8", "figure_1_3")
    palette = Palette(("#f3efe6", "#c9a66b", "#2b3a4a"))
    found = assign(palette, weaves, warp="#e9e0cc", weft="#1f2a4d", extra="#c8a050")
    assert found == ("satin_8", "figure_1_3", "sateen_8")
    assert assign(Palette(palette.colours[::2]), weaves, warp="#e9e0cc", weft="#1f2a4d", extra="#c8a050") == (
        "satin_8",
        "sateen_8",
    )
    full = Palette((*palette.colours, "#8890a0"))
    assert len(set(assign(full, weaves, warp="#e9e0cc", weft="#1f2a4d", extra="#ff00ff"))) == 4


def test_a_picture_in_tones_is_woven_as_light_as_it_is():
    names = tuple(f"shade_8_{n}" for n in range(8, 0, -1))
    ramp = np.repeat(np.linspace(0, 255, 256).astype(np.uint8)[None, :], 64, axis=0)
    indices, palette = toned(np.repeat(ramp[..., None], 3, axis=2), names, warp="#e9e0cc", weft="#1f2a4d")
    assert len(palette) == 8
    light = np.sort(woven_lab(names, warp="#e9e0cc", weft="#1f2a4d")[:, 0])
    steps = light[indices].reshape(64, 16, 16).mean(axis=(0, 2))
    assert (np.diff(steps) > 0).all()  # as the ramp climbs, so does the cloth, between two weaves too
    assert steps[0] == pytest.approx(light[0], abs=1)
    assert steps[-1] == pytest.approx(light[-1], abs=1)
    weaves = assign(palette, names, warp="#e9e0cc", weft="#1f2a4d")
    assert [woven_lab((name,), warp="#e9e0cc", weft="#1f2a4d")[0, 0] for name in weaves] == pytest.approx(light)
