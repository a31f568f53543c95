"""Colours on a scan: differences against another implementation, light and print told apart, the target's fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.domain.pattern import Layout
from production.domain.colour import delta_e_2000
from production.inspection import measure
from production.inspection.measure import Sample, delta_e_cmc, fitted_to, light_of, true_light
from production.inspection.source import Source

lab = st.tuples(st.floats(5, 98), st.floats(-80, 80), st.floats(-80, 80))


@given(lab, lab)
@settings(max_examples=200, deadline=None)
def test_both_formulas_say_what_colour_science_says(one, other):
    colour = pytest.importorskip("colour", reason="colour-science is not there")
    first, second = np.array(one), np.array(other)
    assert float(delta_e_cmc(first, second)) == pytest.approx(
        float(colour.delta_E(first, second, method="CMC", l=2, c=1)), abs=1e-3
    )
    assert float(delta_e_2000(first, second)) == pytest.approx(
        float(colour.delta_E(first, second, method="CIE 2000")), abs=1e-3
    )


def test_a_colour_differs_from_itself_by_nothing_and_cmc_is_no_distance_both_ways():
    one, other = np.array([50.0, 40, 20]), np.array([52.0, 30, 25])
    assert delta_e_cmc(one, one) == 0
    assert abs(float(delta_e_cmc(one, other)) - float(delta_e_cmc(other, one))) > 0.05


PATCHES = np.array(
    [[L, a, b] for L in (25, 45, 65, 85) for a, b in ((0, 0), (30, 20), (-25, 15), (5, -30), (20, -15), (-10, 35))],
    float,
)
MIX = np.array([[0.82, 0.04, -0.02], [0.03, 0.9, 0.02], [-0.02, 0.05, 0.75]])


def test_a_scanner_that_mixes_light_is_seen_through_on_a_target_that_was_read():
    seen = true_light(PATCHES) @ MIX.T
    eye = fitted_to(seen, PATCHES)
    assert eye.residual_de00 < 0.02
    other = np.array([[55.0, 15, -20], [70, -15, 30]])
    assert delta_e_2000(eye.lab(true_light(other) @ MIX.T), other).max() < 0.05
    blind = fitted_to(seen + np.random.default_rng(1).normal(0, 0.05, seen.shape), PATCHES)
    assert blind.residual_de00 > 0.5, "a target that does not fit says so"


def test_one_patch_that_is_soiled_spoils_nothing():
    seen = true_light(PATCHES) @ MIX.T
    seen[7] *= 0.4
    eye = fitted_to(seen, PATCHES)
    good = np.delete(np.arange(len(PATCHES)), 7)
    assert delta_e_2000(eye.lab(seen[good]), PATCHES[good]).mean() < 0.5


def test_the_shine_of_yarns_is_no_lighter_ink():
    shine = np.array([0.012, 0.01, 0.011])
    eye = fitted_to(true_light(PATCHES) @ MIX.T + shine, PATCHES)
    dark = np.array([[12.0, 2, -3]])
    assert delta_e_2000(eye.lab(true_light(dark) @ MIX.T + shine), dark).max() < 0.1
    without = fitted_to(true_light(PATCHES) @ MIX.T + shine, PATCHES, shine=False)
    assert not without.offset.any()
    assert delta_e_2000(without.lab(true_light(dark) @ MIX.T + shine), dark).max() > 1


def test_a_colour_that_the_scanner_cuts_off_is_told_by_its_name_and_not_measured():
    raw = np.full((50, 3), 120, np.uint8)
    raw[:2, 0] = 255
    assert measure._cut_off(raw) == pytest.approx(0.04)
    raw[10:35, 2] = 0
    assert measure._cut_off(raw) == pytest.approx(0.04 + 0.05)
    whole = [
        Sample(number, (0.5, 0.5), (0.5, 0.5, 0.5), 100, share) for number, share in ((0, 0.0), (0, 0.03), (1, 0.5))
    ]
    assert measure.cut_off(whole, 3) == {1}


def samples(fall, means, *, odd=None, seed=3):
    rng = np.random.default_rng(seed)
    made = []
    for x in np.linspace(0.05, 0.95, 9):
        for y in np.linspace(0.05, 0.95, 9):
            for number in rng.permutation(len(means))[:2]:
                light = means[number] * fall(x, y) * np.exp(rng.normal(0, 0.003, 3))
                made.append(Sample(int(number), (x, y), tuple(light), 200))
    if odd is not None:
        made += [Sample(0, (0.5, 0.5), odd, 200)] * 4
    return made


def test_light_and_print_are_told_apart_wherever_a_colour_lies():
    means = np.array([[0.8, 0.78, 0.7], [0.1, 0.12, 0.2], [0.4, 0.1, 0.08]])

    def fall(x, y):
        return 1 + 0.1 * (x - 0.5) - 0.08 * (y - 0.5) - 0.1 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)

    light = light_of(samples(fall, means), 4)
    ratio = light.means[:3] / means
    assert np.ptp(ratio) / ratio.mean() < 0.01, "all colours are off by the same, which the target's fit takes away"
    assert np.isnan(light.means[3]).all(), "a colour that is nowhere has no mean"
    places = np.array([[0.1, 0.1], [0.9, 0.2], [0.3, 0.9]])
    told = light.at(places) / light.at(np.array([[0.5, 0.5]]))
    assert told == pytest.approx([fall(x, y) / fall(0.5, 0.5) for x, y in places], rel=0.01)


def test_a_stain_does_not_count_as_the_colour():
    means = np.array([[0.8, 0.78, 0.7], [0.1, 0.12, 0.2]])
    clean = light_of(samples(lambda x, y: 1.0, means), 2).means
    stained = light_of(samples(lambda x, y: 1.0, means, odd=(0.3, 0.2, 0.1)), 2).means
    assert np.abs(stained / clean - 1).max() < 0.01


def test_what_is_near_a_border_is_not_measured():
    from_left = np.zeros((60, 60), np.uint8)
    from_left[:, 30:] = 1
    tile = np.zeros((60, 60, 3), np.uint8)
    source = Source(
        tile, from_left, ("#000000", "#ffffff"), np.zeros((2, 3)), (15.24, 15.24), Layout.STRAIGHT, (0.254, 0.254)
    )
    pure = measure._pure(source)
    around = round(measure.ERODE_MM / 0.254)
    assert (pure[:, 30 - around : 30 + around] == measure.MIXED).all()
    assert (pure[:, around + 1 : 30 - around - 1] == 0).all()
    assert (pure[:, :around] == measure.MIXED).all(), "the next repeat begins there"
