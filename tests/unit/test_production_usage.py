"""What a job uses, against counts on cloth that is really built."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from production_samples import INKS, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout, Palette, Raster, layout_tiling
from production.assessment import assess
from production.domain.usage import (
    cloth_sums,
    fabric_length_m,
    indexed_bands,
    ink_ml,
    ink_taken,
    pattern_length_m,
    plane_bands,
    yarn_kg,
)


@settings(max_examples=120, deadline=None)
@given(
    layout=st.sampled_from(list(Layout)),
    half_width=st.integers(1, 9),
    sixth_height=st.integers(1, 4),
    cloth_width=st.integers(1, 90),
    cloth_height=st.integers(1, 90),
    seed=st.integers(0, 9999),
)
def test_ink_equals_a_count_on_the_built_cloth_in_every_layout(
    layout, half_width, sixth_height, cloth_width, cloth_height, seed
):
    rng = np.random.default_rng(seed)
    width, height = 2 * half_width, 6 * sixth_height
    indices = rng.integers(0, 4, (height, width)).astype(np.uint8)
    values = rng.integers(0, 256, (4, 3)).astype(np.uint8)
    cloth = layout_tiling(indices, layout, cloth_width // width + 1, cloth_height // height + 1)
    counted = values[cloth[:cloth_height, :cloth_width]].sum(axis=(0, 1), dtype=np.int64).tolist()
    for bands in (indexed_bands(indices, values), plane_bands(values[indices])):
        assert (
            cloth_sums(bands, layout=layout, tile_px=(width, height), cloth_px=(cloth_width, cloth_height)) == counted
        )


@settings(max_examples=80, deadline=None)
@given(
    layout=st.sampled_from(list(Layout)),
    channels=st.integers(1, 12),
    cloth_px=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    seed=st.integers(0, 9999),
)
def test_ink_of_a_design_in_tones_equals_a_count_on_the_built_cloth_with_any_number_of_inks(
    layout, channels, cloth_px, seed
):
    planes = np.random.default_rng(seed).integers(0, 256, (36, 22, channels)).astype(np.uint8)
    cloth = layout_tiling(planes, layout, cloth_px[0] // 22 + 1, cloth_px[1] // 36 + 1)[: cloth_px[1], : cloth_px[0]]
    assert cloth_sums(plane_bands(planes), layout=layout, tile_px=(22, 36), cloth_px=cloth_px) == [
        int(total) for total in cloth.sum(axis=(0, 1), dtype=np.int64)
    ]


def test_an_odd_width_is_cut_right_in_half_drop():
    indices = np.arange(14, dtype=np.uint8).reshape(2, 7) % 4
    values = np.array([[0], [1], [10], [100]], np.uint8)
    cloth = values[layout_tiling(indices, Layout.HALF_DROP, 4, 3)[:5, :17]].sum()
    sums = cloth_sums(indexed_bands(indices, values), layout=Layout.HALF_DROP, tile_px=(7, 2), cloth_px=(17, 5))
    assert sums == [int(cloth)]


def test_a_hundred_metres_sum_without_overflow():
    indices = np.zeros((4000, 4000), np.uint8)
    values = np.full((1, 4), 255, np.uint8)
    bands = indexed_bands(indices, values)
    sums = cloth_sums(bands, layout=Layout.STRAIGHT, tile_px=(4000, 4000), cloth_px=(17_717, 1_181_100))
    assert sums == [255 * 17_717 * 1_181_100] * 4


def test_a_square_metre_of_full_ink_takes_what_the_ink_set_says():
    side_px = 10_000
    ml = ink_ml([side_px * side_px * 255, 0, 0, 0], inks=INKS, dpi=254.0)  # 0.1 mm pixels: one square metre
    assert ml["C"] == pytest.approx(10.0)
    assert ml["K"] == 0.0


def test_the_ink_of_a_job_is_pattern_waste_and_purge_each_shown():
    taken = ink_taken([10_000 * 10_000 * 255, 0, 0, 0], inks=INKS, dpi=254.0, waste=0.2)
    assert taken["pattern_ml"]["C"] == pytest.approx(10.0)
    assert taken["waste_ml"]["C"] == pytest.approx(2.5)  # of five metres printed, one is lost
    assert taken["purge_ml"] == dict.fromkeys("CMYK", 6.0)
    assert taken["ink_ml"] == pytest.approx({"C": 18.5, "M": 6.0, "Y": 6.0, "K": 6.0})
    assert taken["ink_sums"] == {"C": 25_500_000_000, "M": 0, "Y": 0, "K": 0}


def test_fabric_length_counts_shrinkage_head_tail_and_waste():
    assert pattern_length_m(12.5, 0.035) == pytest.approx(12.953368)
    assert fabric_length_m(12.5, shrink_warp=0.035, head_m=1, tail_m=0.5, waste=0.02) == pytest.approx(14.748335)


@settings(max_examples=25, deadline=None)
@given(metres=st.floats(0.1, 200), more=st.floats(0.05, 50))
def test_usage_grows_with_length(metres, more):
    raster = raster_for(SPEC)
    short = assess(raster, spec=replace(SPEC, quantity_m=metres)).usage
    long = assess(raster, spec=replace(SPEC, quantity_m=metres + more)).usage
    assert long.fabric_length_m > short.fabric_length_m
    assert all(long.ink_ml[channel] >= short.ink_ml[channel] for channel in "CMYK")
    assert all(long.minutes[name] >= short.minutes[name] for name in short.minutes)


SPEC = print_spec(width_mm=20, height_mm=20)


def test_usage_grows_with_coverage():
    few = np.zeros((SPEC.height_px, SPEC.width_px), np.uint8)
    many = few.copy()
    few[:40, :40], many[:120, :120] = 1, 1
    light = assess(Raster(few, Palette(("#ffffff", "#203040")), SPEC.repeat, 1), spec=SPEC).usage
    dark = assess(Raster(many, Palette(("#ffffff", "#203040")), SPEC.repeat, 1), spec=SPEC).usage
    assert all(dark.ink_ml[channel] > light.ink_ml[channel] for channel in "CMYK")


def test_bare_cloth_takes_no_ink_but_the_purge():
    bare = np.zeros((SPEC.height_px, SPEC.width_px), np.uint8)
    usage = assess(Raster(bare, Palette(("#ffffff",)), SPEC.repeat, 1), spec=SPEC).usage
    assert usage.ink_ml == dict.fromkeys("CMYK", 6.0)


def test_materials_are_rounded_up_and_the_fabric_comes_from_one_roll():
    found = assess(raster_for(SPEC), spec=SPEC)
    fabric = found.materials[0]
    assert fabric.sku == "FAB-TEST"
    assert fabric.one_lot
    assert float(fabric.quantity) >= found.usage.fabric_length_m
    litres = {material.sku: float(material.quantity) for material in found.materials}
    assert all(litres[f"INK-RE-{c}"] * 1000 >= found.usage.ink_ml[c] for c in "CMYK")


def test_yarn_is_ends_and_picks_times_length_crimp_and_count():
    weaving = weave_spec().weaving
    need = yarn_kg(fabric_m=10, weaving=weaving)
    assert need["YRN-A"] == pytest.approx(4800 * 10 * 1.06 * 19.7 / 1e6 * 1.03)
    assert need["YRN-B"] == pytest.approx(1.5 * 2400 * 10 * 1.04 * 39.4 / 1e6 * 1.03)


def test_a_loom_takes_the_minutes_of_its_picks():
    spec = weave_spec()
    usage = assess(raster_for(spec), spec=spec).usage
    assert usage.minutes["Weave"] == pytest.approx(60 + usage.fabric_length_m * 2400 / (480 * 0.85), abs=0.01)


def test_every_printer_that_can_is_in_the_route():
    found = assess(raster_for(SPEC), spec=SPEC)
    assert [step.name for step in found.route] == ["Pretreat", "Print", "Inspect and cut"]
    assert found.route[1].work_centres == ("PRT1", "PRT2")
    run = found.usage.fabric_length_m * 0.5 * 60 / (90 * 0.7)
    assert found.route[1].minutes["PRT1"] == pytest.approx(15 + run, abs=0.01)
