"""Words to colours: what is named, where it goes, what is refused, what is told when words contradict each other."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.domain.colour_names import COLOUR_NAMES
from generation.domain.colour_words import colour_of, mentions
from generation.domain.palette import MOODS, NAMED_PALETTES, parse_colour, read_palette, without_colours
from generation.domain.pattern import Palette, lab_of
from generation.evaluation.palettes import TEXTILE_NAMES, ciede2000, css_names, palette_figure
from production.domain.colour import delta_e_2000


def test_nine_in_ten_colour_names_come_out_as_the_lexicons_of_others_have_them():
    css, textile = css_names(), TEXTILE_NAMES
    both, missed = palette_figure({**css, **textile})
    assert len(css) > 130
    assert both >= 0.90, missed
    assert palette_figure(css)[0] >= 0.85
    assert palette_figure(textile)[0] >= 0.80


def test_the_measure_of_colour_difference_is_the_one_of_production():
    lab = lab_of(np.random.default_rng(1).integers(0, 256, (400, 3)).astype(np.uint8))
    assert np.abs(ciede2000(lab[:200], lab[200:]) - delta_e_2000(lab[:200], lab[200:])).max() < 1e-6


def test_there_are_hundreds_of_names_and_each_is_read_as_itself():
    assert len(COLOUR_NAMES) > 500
    for name, colour in COLOUR_NAMES.items():
        assert colour_of(name) == colour == parse_colour(name.upper())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("gold stars on navy", "gold, navy on the ground"),
        ("red flowers with green leaves on a cream ground", "red, green in the leaves, cream on the ground"),
        ("lemon print", ""),
        ("peach and coral stripes", "peach, coral"),
        ("birds in the ivy", ""),
        ("coral reef in petrol blue", "petrol blue"),
        ("red cherry pattern", "red"),
        ("blues and greens", "blues, greens"),
        ("very pale teal, no pink or red", "very pale teal, no pink, no red"),
        ("mushrooms", ""),
        ("old rose rosé", "old rose"),
        ("#1D2F52 dots", "#1d2f52"),
    ],
)
def test_colours_are_found_where_they_are_meant_and_for_what(words, told):
    parts = {"ground": " on the ground", "leaves": " in the leaves", "": ""}
    said = [f"{'no ' if m.refused else ''}{m.said}{parts[m.part]}" for m in mentions(words)]
    assert ", ".join(said) == told


def lightness_and_chroma(phrase: str) -> tuple[float, float]:
    lab = lab_of(Palette((colour_of(phrase),)).rgb())[0]
    return lab[0], float(np.hypot(lab[1], lab[2]))


def test_words_of_shade_move_a_colour_the_way_they_say():
    for name in ("teal", "ochre", "claret"):
        light, chroma = lightness_and_chroma(name)
        assert lightness_and_chroma(f"pale {name}")[0] > light + 15
        assert lightness_and_chroma(f"dark {name}")[0] < light - 8
        assert lightness_and_chroma(f"dusty {name}")[1] < chroma - 5
        assert lightness_and_chroma(f"very pale {name}")[0] > lightness_and_chroma(f"pale {name}")[0]


def test_a_ground_that_is_named_is_the_ground_however_dark():
    assert read_palette("gold stars on navy", 3).palette.colours[:2] == (parse_colour("navy"), parse_colour("gold"))


def test_leaves_get_the_colour_that_is_named_for_them():
    colours = read_palette("red flowers with green leaves on white", 5).palette.colours
    assert colours[:3] == (parse_colour("white"), parse_colour("red"), parse_colour("green"))


def test_a_colour_that_is_refused_is_kept_out():
    for words in ("autumn palette, no red", "floral in navy and cream without pink"):
        refused = mentions(words)[-1]
        assert refused.refused
        lab = read_palette(words, 8).palette.lab()
        assert np.linalg.norm(lab - lab_of(Palette((refused.colour,)).rgb()), axis=1).min() > 20


def test_words_that_exclude_each_other_are_told_of():
    reading = read_palette("monochrome rainbow", 5)
    assert "can't both be had" in reading.notes[0]
    assert reading.palette.colours == NAMED_PALETTES["monochrome"][:5]
    reading = read_palette("black and white in bright red", 4)
    assert "bright red" in reading.notes[0]
    assert {parse_colour(name) for name in ("black", "white", "bright red")} <= set(reading.palette.colours)


def test_one_colour_in_monochrome_means_its_tones():
    lab = read_palette("tonal blue waves", 5).palette.lab()
    hue = np.degrees(np.arctan2(lab[1:, 2], lab[1:, 1])) % 360
    assert hue.max() - hue.min() < 25
    assert np.ptp(lab[:, 0]) > 40


def test_more_colours_than_can_be_made_are_told_of():
    reading = read_palette("navy, red, sage, ochre and pink stripes", 3)
    assert "5 colours were named and 3 can be made" in reading.notes[0]
    assert len(reading.palette) == 3


def test_without_colour_words_the_moods_decide_or_the_house_palette_is_named():
    assert "nordic" in read_palette("cats", 5).notes[0]
    reading = read_palette("something for the beach bar", 5, moods={"tropical night": 0.6, "nordic": 0.2})
    assert reading.palette.colours == NAMED_PALETTES["tropical night"][:5]
    assert "tropical night" in reading.notes[0]
    assert set(MOODS) == set(NAMED_PALETTES)


def test_a_named_colour_leads_and_the_palette_beside_it_fills_up():
    colours = read_palette("bohemian cushions in petrol", 5).palette.colours
    assert colours[1] == parse_colour("petrol")
    assert set(colours[2:]) <= set(NAMED_PALETTES["desert"])


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("pale coral birds on a navy ground", "birds"),
        ("mushrooms in soft autumn colours", "mushrooms"),
        ("stripes in very pale teal and oxblood, no pink", "stripes"),
        ("lemon print", "lemon print"),
        ("tonal blue waves", "tonal waves"),
        ("botanical leaves", "botanical leaves"),
        ("roses, dusty pink, for curtains", "roses, for curtains"),
    ],
)
def test_the_motif_is_what_is_left_without_the_colours(words, rest):
    assert without_colours(words) == rest


NEAR_COLOURS = st.lists(
    st.sampled_from(
        [*list(COLOUR_NAMES)[::7], "no", "and", "on", "pale", "ground", "rainbow", "monochrome", "leaves", ","]
    ),
    max_size=12,
).map(" ".join)


@given(st.one_of(NEAR_COLOURS, st.text(max_size=60), st.text(string.printable, max_size=60)), st.integers(2, 8))
def test_any_words_give_a_palette_of_different_colours_within_the_limit(words, most):
    colours = read_palette(words, most).palette.colours
    assert 2 <= len(colours) <= most
    assert len(set(colours)) == len(colours)
    assert without_colours(words) or not words
