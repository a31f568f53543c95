"""From screen colours to ink: the limit without another hue, tones in 8 bit, any number of inks."""

from dataclasses import replace

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from production_samples import INKS, NORDIC, PROFILE

from generation.domain.pattern import Palette, Repeat
from production.domain.colour import delta_e_2000, srgb_to_lab
from production.domain.ink_tile import digest_of
from production.domain.inklimit import scaled_to, within_limit
from production.domain.picture import Picture
from production.domain.spec import Ink
from production.separation import dithered, most_of, separate, to_ink, to_lab, tone_tile, tones_to_ink

SIX = replace(
    INKS,
    inks=(*INKS.inks, Ink("O", "Orange", "INK-RE-O", 10.0), Ink("V", "Violet", "INK-RE-V", 10.0)),
    profile=replace(INKS.profile, path=PROFILE.with_name("reactive-cmykov-cotton-synthetic.icc")),
)
SETS = pytest.mark.parametrize("inks", [INKS, SIX], ids=["four", "six"])
SCREEN = np.stack(np.meshgrid(*[np.arange(0, 256, 17, dtype=np.uint8)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def dusk(height=120, width=160, dtype=np.uint8):
    """A picture in tones with deep colours in it."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    full = np.iinfo(dtype).max
    waves = [0.5 + 0.5 * np.sin(9 * x + phase + 7 * y * (phase + 1)) for phase in range(3)]
    return np.rint(np.stack(waves, axis=-1) * (0.15 + 0.85 * x[..., None]) * full).astype(dtype)


def hue_shift(before, after):
    """Degrees between the hues of L*a*b* colours, for those that have one."""
    coloured = np.minimum(np.hypot(*before.T[1:]), np.hypot(*after.T[1:])) > 5
    turn = [np.degrees(np.arctan2(lab[coloured, 2], lab[coloured, 1])) for lab in (before, after)]
    return np.abs((turn[1] - turn[0] + 180) % 360 - 180)


@SETS
@pytest.mark.parametrize("tac_pct", [250, 200])
def test_colours_that_are_cut_to_the_limit_keep_their_hue_and_stay_nearer_than_by_scaling(inks, tac_pct):
    wanted = to_ink(SCREEN[None], inks, scaled_black=False)[0] / 65535
    wanted = wanted[wanted.sum(axis=1) > tac_pct / 100]
    assert len(wanted) > 100

    def lab_of(ink):
        return to_lab(ink, inks)

    before = lab_of(wanted)
    kept = within_limit(wanted, tac_pct / 100, lab_of)
    assert kept.sum(axis=1).max() <= tac_pct / 100 + 1e-4
    assert kept.min() >= -1e-9
    assert kept.max() <= 1 + 1e-9
    after, scaled = lab_of(kept), lab_of(scaled_to(wanted, tac_pct / 100))
    shift = hue_shift(before, after)
    assert shift.mean() <= 1.0
    assert np.percentile(shift, 95) <= 5.0
    assert hue_shift(before, scaled).mean() > 2 * shift.mean()  # what scaling the inks alone would do
    assert delta_e_2000(before, after).mean() < delta_e_2000(before, scaled).mean()


def test_colours_within_the_limit_are_not_touched():
    wanted = np.array([[0.5, 0.2, 0.1, 0.0], [1.0, 1.0, 0.79, 0.0]])
    assert (within_limit(wanted, 2.8, lambda ink: to_lab(ink, INKS)) == wanted).all()


@pytest.mark.parametrize("tac_pct", [280.0, 200.0, 90.0])
def test_a_palette_is_never_over_the_limit_and_says_what_was_cut(tac_pct):
    separation = separate(Palette(("#ffffff", "#000000", "#101a40", "#401010")), replace(INKS, tac_pct=tac_pct))
    assert (separation.values.astype(int).sum(axis=1) * 100 <= tac_pct * 255).all()
    assert (1 in separation.limited) == (tac_pct < 280)
    assert 0 not in separation.limited


@SETS
@pytest.mark.parametrize("tac_pct", [280.0, 171.3])
def test_no_pixel_of_a_picture_in_tones_is_over_the_limit_after_dithering(inks, tac_pct):
    inks = replace(inks, tac_pct=tac_pct)
    tile = tone_tile(Picture(dusk(), Repeat(40, 30)), inks)
    assert tile.planes.shape == (120, 160, len(inks.inks))
    assert tile.heaviest <= most_of(inks)
    assert (tile.planes.astype(np.int64).sum(axis=2) * 100 <= tac_pct * 255).all()


def test_tones_that_are_cut_to_the_limit_keep_their_hue():
    limited = replace(INKS, tac_pct=200.0)
    rgb = SCREEN.reshape(64, 64, 3)
    wanted = to_ink(rgb, limited, scaled_black=True).reshape(-1, 4) / 65535
    over = wanted.sum(axis=1) > 2.0
    assert over.sum() > 300
    kept = tones_to_ink(rgb, limited).reshape(-1, 4) / 65535
    assert kept.sum(axis=1).max() <= 2.0 + 0.005
    shift = hue_shift(to_lab(wanted[over], limited), to_lab(kept[over], limited))
    assert shift.mean() <= 0.5
    assert np.percentile(shift, 95) <= 2.0


def test_a_deepening_tone_gets_no_edge_where_the_limit_begins():
    limited = replace(INKS, tac_pct=200.0)
    ramp = np.linspace(65535, 0, 4000).astype(np.uint16)[None, :, None] * np.array([1.0, 0.55, 0.4])
    rgb = ramp.astype(np.uint16)
    free = to_ink(rgb, limited, scaled_black=True)[0] / 65535
    assert (free.sum(axis=1) > 2.0).any()
    lab = to_lab(tones_to_ink(rgb, limited)[0] / 65535, limited)
    steps = delta_e_2000(lab[1:], lab[:-1])
    assert steps.max() < 0.25


def test_tones_print_as_the_profile_expects_them():
    rgb = dusk()
    printed = to_lab(tones_to_ink(rgb, INKS) / 65535, INKS)
    alone = to_lab(to_ink(rgb.reshape(1, -1, 3), INKS, scaled_black=True) / 65535, INKS).reshape(printed.shape)
    assert delta_e_2000(printed, alone).max() < 0.2
    grey = np.arange(150, 256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert delta_e_2000(to_lab(tones_to_ink(grey, INKS) / 65535, INKS), srgb_to_lab(grey)).mean() < 1.5


def test_black_point_compensation_keeps_deep_tones_apart():
    steps = np.arange(0, 40, 4, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    lightness = to_lab(tones_to_ink(steps, INKS)[0] / 65535, INKS)[:, 0]
    flat = to_lab(to_ink(steps, INKS, scaled_black=False)[0] / 65535, INKS)[:, 0]
    assert np.diff(lightness).min() > 0.15
    assert np.diff(flat).min() < 0.1


def test_sixteen_bits_come_out_as_the_mean_of_eight():
    ink = np.full((64, 4096, 1), 100 * 257 + 64, np.uint16)  # 100.249 of 255
    planes = dithered(ink, most=255, seed=0)
    assert set(np.unique(planes)) == {100, 101}
    assert planes.mean() == pytest.approx(100 + 64 / 257, abs=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(60, 1020), st.integers(3, 8))
@settings(max_examples=50, deadline=None)
def test_dithering_keeps_the_limit_whatever_the_ink(seed, most, count):
    rng = np.random.default_rng(seed)
    ink = rng.integers(0, 65536, (20, 20, count)).astype(np.float64)
    ink *= np.minimum(1, most * 257 / ink.sum(axis=2, keepdims=True))
    planes = dithered(ink.astype(np.uint16), most=most, seed=seed)
    assert planes.astype(int).sum(axis=2).max() <= most
    assert np.abs(planes - ink / 257).max() <= 1.0


def test_white_stays_bare_and_full_ink_stays_full():
    ink = np.array([[[0, 65535, 0, 65535]]], np.uint16)
    assert dithered(ink, most=1020, seed=5).tolist() == [[[0, 255, 0, 255]]]


def test_the_same_picture_gives_the_same_planes_and_another_other_ones():
    picture = Picture(dusk(600, 90), Repeat(40, 30))
    first, again = (tone_tile(picture, INKS).planes for _ in range(2))
    assert digest_of(first.reshape(600, -1)) == digest_of(again.reshape(600, -1))
    other = tone_tile(Picture(dusk(600, 90)[:, ::-1], Repeat(40, 30)), INKS).planes
    assert digest_of(first.reshape(600, -1)) != digest_of(other.reshape(600, -1))


def test_eight_and_sixteen_bits_of_the_same_picture_give_the_same_planes():
    rgb = dusk()
    wide = rgb.astype(np.uint16) * 257
    planes = [tone_tile(Picture(each, Repeat(40, 30)), INKS).planes for each in (rgb, wide)]
    assert (planes[0] == planes[1]).all()


def test_sixteen_bit_conversion_is_that_of_the_unoptimised_engine():
    from_grid = to_lab(to_ink(SCREEN[None], INKS, scaled_black=False)[0] / 65535, INKS)
    # One colour at a time in floating point, which LittleCMS never puts on a grid.
    lab = srgb_to_lab(SCREEN)
    alone = lab_exported(lab)
    difference = delta_e_2000(from_grid, to_lab(alone, INKS))
    assert difference.mean() < 0.1
    assert np.percentile(difference, 99) < 1.0


def lab_exported(lab):
    """Ink shares (n, 4) for L*a*b* (n, 3) by the profile, in floating point."""
    image = pyvips.Image.new_from_memory(lab.astype(np.float32).tobytes(), len(lab), 1, 3, "float")
    ink = image.copy(interpretation="lab").icc_export(output_profile=str(PROFILE), intent="relative", depth=16)
    return np.frombuffer(ink.write_to_memory(), np.uint16).reshape(-1, 4) / 65535


def test_flat_colours_are_looked_up_and_the_nordic_ones_come_out_as_asked():
    for inks in (INKS, SIX):
        separation = separate(Palette(NORDIC), inks)
        assert separation.limited == ()
        assert delta_e_2000(separation.lab, separation.printed).max() < 2.5
