"""Every check, with a design that passes and one that does not."""

from dataclasses import replace

import numpy as np
import pytest
from production_samples import NORDIC, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout, Limits, Palette, Raster
from production.assessment import assess
from production.domain.checks import colours, repeat
from production.domain.finding import Severity
from production.domain.floats import FloatLimits

SPEC = print_spec()


def finding(assessment, code):
    [found] = [each for each in assessment.findings if each.code == code]
    return found


def test_a_good_design_passes_with_one_finding_per_check():
    found = assess(raster_for(SPEC), spec=SPEC)
    codes = [each.code for each in found.findings]
    assert found.passed
    assert len(codes) == len(set(codes)) == 11
    assert all(each.sentence.endswith(".") and each.measured and each.limit for each in found.findings)


def test_a_picture_with_too_few_pixels_is_too_coarse():
    raster = raster_for(SPEC)
    small = replace(raster, indices=raster.indices[::4, ::4])
    found = assess(small, spec=SPEC)
    assert finding(found, "resolution").severity is Severity.ERROR
    assert finding(found, "repeat_size").severity is Severity.ERROR
    assert not found.passed


def test_one_pixel_too_many_is_not_the_snapped_repeat():
    raster = raster_for(SPEC)
    wide = replace(raster, indices=np.pad(raster.indices, ((0, 0), (0, 1)), mode="edge"))
    assert finding(assess(wide, spec=SPEC), "repeat_size").severity is Severity.ERROR


@pytest.mark.parametrize("layout", list(Layout))
def test_a_repeat_that_closes_in_its_layout_passes_the_seam(layout):
    spec = print_spec(layout=layout)
    found = assess(raster_for(spec), spec=spec)
    assert finding(found, "seam").severity is Severity.INFO
    assert finding(found, "seam_ink").severity is Severity.INFO


@pytest.mark.parametrize(
    ("drawn", "set_as"), [(Layout.HALF_DROP, Layout.STRAIGHT), (Layout.STRAIGHT, Layout.HALF_DROP)]
)
def test_a_repeat_drawn_for_another_layout_shows_its_seam(drawn, set_as):
    raster = raster_for(print_spec(layout=drawn))
    spec = print_spec(layout=set_as)
    found = assess(replace(raster, repeat=spec.repeat), spec=spec)
    assert finding(found, "seam").severity is Severity.ERROR
    assert "side to side" in finding(found, "seam").where


def test_a_single_off_colour_row_at_the_edge_is_found():
    raster = raster_for(SPEC)
    indices = raster.indices.copy()
    indices[-1] = 3
    found = assess(replace(raster, indices=indices), spec=SPEC)
    assert finding(found, "seam").severity is Severity.ERROR
    assert "top to bottom" in finding(found, "seam").where


def test_a_seam_is_found_in_the_inks_too():
    raster = raster_for(SPEC)
    indices = raster.indices.copy()
    indices[:, 0] = 2
    found = assess(replace(raster, indices=indices), spec=SPEC)
    assert finding(found, "seam_ink").severity is Severity.ERROR


def test_more_colours_than_the_limit_are_refused():
    spec = replace(SPEC, limits=Limits(max_colours=3))
    found = assess(raster_for(spec, colours=4), spec=spec)
    assert finding(found, "colours").severity is Severity.ERROR
    assert finding(found, "colours").measured == "4 colours"


def test_a_design_that_shows_nothing_but_its_ground_is_refused():
    blank = np.zeros_like(raster_for(SPEC).indices)
    found = assess(Raster(blank, Palette(NORDIC), SPEC.repeat, 1), spec=SPEC)
    assert finding(found, "drawn").severity is Severity.ERROR
    assert not found.passed


def test_a_motif_in_a_colour_that_nobody_can_tell_from_the_ground_is_refused():
    alike = Palette(("#f1eee7", "#f0eee7"))
    indices = (raster_for(SPEC).indices > 0).astype(np.uint8)
    assert indices.any()
    assert finding(assess(Raster(indices, alike, SPEC.repeat, 1), spec=SPEC), "drawn").severity is Severity.ERROR
    told_apart = Palette(("#f1eee7", "#34506b"))
    assert finding(assess(Raster(indices, told_apart, SPEC.repeat, 1), spec=SPEC), "drawn").severity is Severity.INFO


def test_colours_that_are_not_used_do_not_count():
    spec = replace(SPEC, limits=Limits(max_colours=4))
    raster = replace(raster_for(spec, colours=4), palette=Palette((*NORDIC[:4], "#123456")))
    assert finding(assess(raster, spec=spec), "colours").severity is Severity.INFO


def test_hair_lines_are_too_fine_to_print():
    raster = raster_for(SPEC)
    indices = raster.indices.copy()
    indices[:, ::12] = 1  # one pixel wide: 0.08 mm
    found = assess(replace(raster, indices=indices), spec=SPEC)
    assert finding(found, "smallest_detail").severity is Severity.ERROR
    assert "0.5 mm" in finding(found, "smallest_detail").limit


def test_ink_over_the_limit_is_an_error_and_ink_that_was_cut_a_warning():
    palette = Palette(("#ffffff", "#101010"))
    heavy = np.array([[0, 0, 0, 0], [255, 255, 255, 100]], np.uint8)
    light = np.array([[0, 0, 0, 0], [200, 200, 200, 100]], np.uint8)
    assert colours.ink_limit(heavy, tac_pct=280, palette=palette, limited=()).severity is Severity.ERROR
    assert colours.ink_limit(light, tac_pct=280, palette=palette, limited=()).severity is Severity.INFO
    cut = colours.ink_limit(light, tac_pct=280, palette=palette, limited=(1,))
    assert cut.severity is Severity.WARNING
    assert "#101010" in cut.sentence


def test_a_colour_no_ink_can_make_is_told_before_it_is_printed():
    palette = Palette(("#ffffff", "#0000ff"))
    raster = replace(raster_for(SPEC, colours=2), palette=palette)
    found = finding(assess(raster, spec=SPEC), "colour_accuracy")
    assert found.severity is Severity.WARNING
    assert found.where == "#0000ff"
    calm = assess(raster_for(SPEC), spec=SPEC)
    assert finding(calm, "colour_accuracy").severity is Severity.INFO


def test_the_width_tells_how_many_repeats_stand_on_it_and_whether_one_is_cut():
    found = repeat.across_width(SPEC)
    assert found.severity is Severity.INFO
    assert "11 whole repeats" in found.sentence
    assert "is cut at" in found.sentence
    exact = replace(SPEC, usable_width_mm=SPEC.printed_width_mm * 4 + 0.001)
    assert repeat.across_width(exact).sentence == "4 whole repeats stand side by side, without a cut."


def test_the_width_that_is_advised_fits_without_a_cut():
    for usable_width_mm in (1418.5, 1470.0, 1372.25):
        spec = replace(SPEC, usable_width_mm=usable_width_mm)
        words = repeat.across_width(spec).remedy.split()
        advised_mm, times = int(words[words.index("mm") - 1]), int(words[words.index("times") - 1])
        assert advised_mm * times <= usable_width_mm * (1 - spec.shrink_weft)


def test_a_repeat_wider_than_the_cloth_is_an_error():
    assert repeat.across_width(replace(SPEC, usable_width_mm=30)).severity is Severity.ERROR


def test_a_woven_design_passes_and_its_floats_are_within_the_limit():
    spec = weave_spec()
    found = assess(raster_for(spec), spec=spec)
    assert found.passed, [each.sentence for each in found.findings if each.severity is Severity.ERROR]
    assert finding(found, "floats").limit == "9 threads"
    assert len(found.draft.weaves) == 4
    assert sum(report.over for report in found.draft.floats) == 0


def test_floats_are_held_to_the_stricter_of_threads_and_millimetres_in_each_direction():
    spec = weave_spec()
    weaving = replace(spec.weaving, max_float_mm=3.0)  # 32 ends and 24 picks per cm: 9.6 ends, 7.2 picks
    assert weaving.float_limits == FloatLimits(weft=9, warp=7)
    found = assess(raster_for(spec), spec=replace(spec, weaving=weaving))
    assert found.passed
    assert finding(found, "floats").limit == "9 ends or 7 picks"
    report = found.draft.floats[0]
    assert max(report.warp_face.longest, report.warp_back.longest) <= 7
    assert 7 < max(report.weft_face.longest, report.weft_back.longest) <= 9


def test_a_float_limit_no_weave_can_keep_is_refused():
    spec = weave_spec()
    spec = replace(spec, weaving=replace(spec.weaving, max_float=0))
    assert finding(assess(raster_for(spec), spec=spec), "floats").severity is Severity.ERROR


def test_ends_that_do_not_divide_the_harness_are_refused():
    spec = weave_spec()
    spec = replace(spec, weaving=replace(spec.weaving, harness_ends=400))
    assert finding(assess(raster_for(spec), spec=spec), "harness").severity is Severity.ERROR


def test_a_woven_picture_has_one_pixel_per_crossing():
    spec = weave_spec()
    raster = raster_for(spec)
    assert finding(assess(raster, spec=spec), "resolution").severity is Severity.INFO
    half = replace(raster, indices=raster.indices[::2])
    assert finding(assess(half, spec=spec), "resolution").severity is Severity.ERROR


def test_more_colours_than_weaves_is_a_finding_not_a_crash():
    spec = weave_spec()
    palette = Palette((*NORDIC, "#445566"))
    indices = raster_for(spec).indices.copy()
    indices[:100, :100] = 4
    indices[100:, 100:] = 5
    found = assess(Raster(indices, palette, spec.repeat, 1), spec=spec)
    assert finding(found, "colours").severity is Severity.ERROR
    assert not found.passed
