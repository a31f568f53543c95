"""Colour: CIEDE2000 against the published pairs, the synthetic profile against its model, the ink limit."""

import io

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms
from production_samples import INKS, NORDIC, PROFILE

from generation.domain.pattern import Palette
from production.domain.colour import delta_e_2000, lab_to_srgb, srgb_to_lab
from production.domain.icc import Tables, lab_grid, write_profile
from production.domain.inkmodel import REACTIVE_ON_COTTON, black_target, cloth_xyz, lab_of_ink
from production.domain.inkmodel import separate as solve
from production.domain.shipped import MADE
from production.separation import separate

# Sharma, Wu and Dalal 2005, table 1: L1 a1 b1 L2 a2 b2 and the CIEDE2000 difference.
SHARMA = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
PAIRS = [tuple(map(float, row.split())) for row in SHARMA.split("\n") if row]


@pytest.mark.parametrize("pair", PAIRS)
def test_ciede2000_agrees_with_the_published_pairs_both_ways(pair):
    first, second = np.array(pair[:3]), np.array(pair[3:6])
    assert round(float(delta_e_2000(first, second)), 4) == pair[6]
    assert round(float(delta_e_2000(second, first)), 4) == pair[6]


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_screen_colours_survive_the_way_through_lab(rgb):
    colour = np.array(rgb, np.uint8)
    assert lab_to_srgb(srgb_to_lab(colour)).tolist() == list(rgb)


def lab_through_profile(ink):
    """L*a*b* of ink shares (n, 4) by the shipped profile, through LittleCMS at 16 bit."""
    image = pyvips.Image.new_from_memory(np.rint(ink * 65535).astype(np.uint16).tobytes(), len(ink), 1, 4, "ushort")
    lab = image.copy(interpretation="cmyk").icc_import(input_profile=str(PROFILE), intent="relative", pcs="lab")
    return np.frombuffer(lab.cast("float").write_to_memory(), np.float32).reshape(-1, 3).astype(float)


def ink_through_profile(lab):
    """Ink shares (n, 4) for L*a*b* by the shipped profile."""
    image = pyvips.Image.new_from_memory(lab.astype(np.float32).tobytes(), len(lab), 1, 3, "float")
    ink = image.copy(interpretation="lab").icc_export(output_profile=str(PROFILE), intent="relative", depth=16)
    return np.frombuffer(ink.write_to_memory(), np.uint16).reshape(-1, 4) / 65535


@pytest.fixture(scope="module")
def in_gamut():
    ink = np.random.default_rng(0).random((30_000, 4))
    return lab_of_ink(ink[ink.sum(axis=1) <= 2.6], REACTIVE_ON_COTTON)


def test_the_shipped_profile_brings_in_gamut_colours_back(in_gamut):
    difference = delta_e_2000(lab_through_profile(ink_through_profile(in_gamut)), in_gamut)
    assert difference.mean() <= 0.5
    assert np.percentile(difference, 95) <= 1.5


def test_the_shipped_profile_is_the_model_that_is_in_the_code(in_gamut):
    ink = np.random.default_rng(1).random((3000, 4))
    difference = delta_e_2000(lab_through_profile(ink), lab_of_ink(ink, REACTIVE_ON_COTTON))
    assert difference.mean() <= 0.2
    printed = lab_of_ink(ink_through_profile(in_gamut), REACTIVE_ON_COTTON)
    assert delta_e_2000(printed, in_gamut).mean() <= 0.5


def test_the_shipped_profile_never_asks_for_more_ink_than_the_cloth_takes():
    lab = lab_grid(17).reshape(-1, 3)
    assert ink_through_profile(lab).sum(axis=1).max() <= 2.8 + 1e-3


def test_the_shipped_profile_says_that_it_is_synthetic_and_other_readers_take_it():
    profile = ImageCms.ImageCmsProfile(str(PROFILE))
    assert ImageCms.getProfileDescription(profile).startswith("SYNTHETIC")
    assert (profile.profile.xcolor_space, profile.profile.connection_space.strip()) == ("CMYK", "Lab")
    assert profile.profile.version == 2.4
    ImageCms.buildTransform(ImageCms.createProfile("sRGB"), profile, "RGB", "CMYK")


def test_the_checksum_beside_the_profile_is_its_own():
    assert PROFILE.with_suffix(".icc.sha256").read_text().split()[0] == INKS.profile.sha256


def test_a_profile_is_built_the_same_every_time():
    steps = np.linspace(0, 1, 2)
    ink = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), axis=-1)
    grid = lab_grid(3)
    shares = solve(grid.reshape(-1, 3), REACTIVE_ON_COTTON, rounds=5).reshape(3, 3, 3, 4)
    tables = Tables(a2b=lab_of_ink(ink, REACTIVE_ON_COTTON), b2a=shares, gamut=np.zeros((3, 3, 3), bool))
    made = [
        write_profile(
            tables, description="x", copyright_text="free", white_xyz=cloth_xyz(REACTIVE_ON_COTTON), made=MADE
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    ImageCms.ImageCmsProfile(io.BytesIO(made[0]))


def test_white_leaves_the_cloth_bare():
    assert separate(Palette(("#ffffff",)), INKS).values.tolist() == [[0, 0, 0, 0]]


def test_palette_colours_print_as_the_profile_expects_them():
    separation = separate(Palette(NORDIC), INKS)
    assert delta_e_2000(separation.lab, separation.printed).max() < 2.0
    assert separation.limited == ()


def test_the_ink_solver_keeps_the_limit_and_meets_the_colour(in_gamut):
    wanted = in_gamut[:500]
    ink = solve(wanted, REACTIVE_ON_COTTON)
    assert ink.sum(axis=1).max() <= REACTIVE_ON_COTTON.tac + 1e-9
    assert ink.min() >= 0
    assert ink.max() <= 1
    assert delta_e_2000(lab_of_ink(ink, REACTIVE_ON_COTTON), wanted).mean() < 0.1


def test_black_stays_out_of_pure_colours_and_lights():
    lab = np.array([[90.0, 0, 0], [40.0, 70, 40], [5.0, 0, 0]])
    none, little, much = black_target(lab, REACTIVE_ON_COTTON)
    assert none == 0
    assert little < 0.05
    assert much > 0.8
