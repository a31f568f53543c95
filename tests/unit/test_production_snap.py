"""From the repeat that was asked for to one that can be made."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.domain.pattern import Layout, Repeat
from production.domain.snap import MOST_PICKS, resolution_dpi, snap_print, snap_weave
from production.domain.weave import LIBRARY, weave_size
from production.errors import (
    RepeatDoesNotFitHarness,
    RepeatTooLarge,
    RepeatTooSmall,
    RepeatTooWide,
    WeavesDoNotFitHarness,
)

WEAVES = ("satin_8", "twill_2_2", "sateen_8")


def printed(width, height, layout=Layout.HALF_DROP, **changes):
    values = {"shrink_warp": 0.035, "shrink_weft": 0.035, "usable_width_mm": 1470.0, **changes}
    return snap_print(Repeat(width, height, layout), **values)


def woven(width, height, layout=Layout.STRAIGHT):
    return snap_weave(
        Repeat(width, height, layout), ends_per_cm=64, picks_per_cm=30, harness_ends=5376, hooks=5376, weaves=WEAVES
    )


@given(st.floats(10, 900), st.floats(10, 900), st.sampled_from(list(Layout)))
def test_a_printed_repeat_is_the_nearest_of_whole_pixels_that_its_layout_can_be_cut_at(width, height, layout):
    snapped = printed(width, height, layout)
    pixel_mm = 25.4 / snapped.dpi
    assert snapped.height_px % 2 == 0
    assert (snapped.width_px * layout.shift).denominator == 1
    assert (snapped.height_px * layout.drop).denominator == 1
    assert abs(snapped.repeat.width_mm - width) <= pixel_mm
    assert abs(snapped.repeat.height_mm - height) <= (3 if layout is Layout.THIRD_DROP else 1) * pixel_mm
    assert snapped.printed_width_mm == pytest.approx(snapped.width_px * pixel_mm)
    assert snapped.repeat.width_mm == pytest.approx(snapped.printed_width_mm * 0.965)
    assert snapped.width_px * snapped.height_px <= 65_000_000


def test_the_demo_repeat_is_printed_larger_by_its_shrinkage():
    snapped = printed(320, 320)
    assert (snapped.width_px, snapped.height_px, snapped.dpi) == (3917, 3916, 300.0)
    assert len(snapped.changes) == 2


@pytest.mark.parametrize(("side", "dpi"), [(320, 300), (670, 300), (700, 240), (1000, 200), (1350, 150)])
def test_resolution_falls_with_size(side, dpi):
    assert resolution_dpi(width_mm=side, height_mm=side) == dpi


def test_a_repeat_too_large_for_the_lowest_resolution_is_refused():
    with pytest.raises(RepeatTooLarge) as refused:
        printed(1400, 1500)
    assert refused.value.fields["field"] == "repeat_mm"


@pytest.mark.parametrize("size", [(9.9, 100), (100, 0), (-5, 100), (math.nan, 100), (100, math.nan)])
def test_a_repeat_that_is_too_small_or_no_number_is_refused(size):
    with pytest.raises(RepeatTooSmall):
        printed(*size)
    with pytest.raises(RepeatTooSmall):
        woven(*size)


def test_a_repeat_wider_than_the_usable_width_names_the_finished_limit():
    with pytest.raises(RepeatTooWide, match="1419 mm"):
        printed(1425, 300)
    assert printed(1418, 300).width_px > 0


def test_infinite_sizes_are_refused():
    with pytest.raises(RepeatTooWide):
        printed(math.inf, 100)
    with pytest.raises(RepeatTooLarge):
        printed(100, math.inf)
    with pytest.raises(RepeatTooLarge):
        woven(210, math.inf)


@given(st.floats(10, 900), st.floats(10, 900), st.sampled_from(list(Layout)))
def test_a_woven_repeat_divides_the_harness_and_its_weaves_divide_it_or_it_is_refused(width, height, layout):
    try:
        snapped = woven(width, height, layout)
    except (RepeatDoesNotFitHarness, RepeatTooWide):
        return
    across, along = layout.period
    assert 5376 % (snapped.width_px * across) == 0
    assert snapped.width_px * across % 8 == 0
    assert snapped.height_px * along % 8 == 0
    assert snapped.height_px % 2 == 0
    assert (snapped.height_px * layout.drop).denominator == 1
    assert (snapped.width_px * layout.shift).denominator == 1
    assert abs(snapped.repeat.width_mm - width) <= 0.0501 * width


def test_a_woven_width_between_two_divisors_names_the_nearest_that_fit():
    with pytest.raises(RepeatDoesNotFitHarness) as refused:
        woven(320, 320)
    assert refused.value.fields["widths_mm"] == [210.0, 280.0, 420.0]


def test_a_woven_repeat_is_counted_in_ends_and_picks():
    snapped = woven(280, 280)
    assert (snapped.width_px, snapped.height_px) == (1792, 840)


@pytest.mark.parametrize("weaves", [("satin_5", "satin_8"), ("satin_10",), ("plain", "satin_5")])
def test_weaves_whose_threads_do_not_divide_the_harness_are_refused_by_name(weaves):
    with pytest.raises(WeavesDoNotFitHarness, match=weaves[0].replace("_", " ")) as refused:
        snap_weave(Repeat(210, 210), ends_per_cm=64, picks_per_cm=30, harness_ends=5376, hooks=5376, weaves=weaves)
    assert refused.value.fields["limit"] == "5376 ends"


@given(
    st.floats(20, 400),
    st.sampled_from(list(Layout)),
    st.lists(st.sampled_from(sorted(LIBRARY)), min_size=1, max_size=4),
    st.booleans(),
)
def test_weaves_close_around_whatever_repeat_is_woven(height, layout, weaves, two_wefts):
    size = weave_size(tuple(weaves), two_wefts=two_wefts)
    harness = size * 96  # of plain weave, a third of it is still a repeat of 10 mm
    across, along = layout.period
    snapped = snap_weave(
        Repeat(harness / 64 * 10 / across, height, layout),
        ends_per_cm=64,
        picks_per_cm=30,
        harness_ends=harness,
        hooks=harness,
        weaves=tuple(weaves),
        two_wefts=two_wefts,
    )
    assert harness % (snapped.width_px * across) == 0
    assert snapped.width_px * across % size == 0
    assert snapped.height_px * along % size == 0
    assert snapped.height_px * layout.drop % 1 == 0
    assert snapped.width_px * layout.shift % 1 == 0
    assert 0 < snapped.height_px <= MOST_PICKS
