"""Repeats, layouts and palettes as plain values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.domain.palette import (
    NAMED_PALETTES,
    palette_from_picture,
    palette_from_words,
    palette_named,
    parse_colour,
    without_colours,
)
from generation.domain.pattern import Layout, Palette, Repeat, lab_of, layout_tiling
from generation.domain.setting import cells_for
from generation.errors import NotAColour, UnknownPalette

sizes = st.floats(20, 1500, allow_nan=False)
layouts = st.sampled_from(list(Layout))


@given(sizes, sizes, layouts, st.sampled_from([150.0, 300.0, 360.0]))
def test_a_repeat_snaps_to_whole_pixels_its_layout_can_be_cut_at(width_mm, height_mm, layout, dpi):
    width, height = Repeat(width_mm, height_mm, layout).pixels(dpi)
    assert height % 2 == 0
    assert (height * layout.drop).denominator == 1
    assert (width * layout.shift).denominator == 1
    assert abs(width - width_mm * dpi / 25.4) <= 1
    assert abs(height - height_mm * dpi / 25.4) <= (3 if layout is Layout.THIRD_DROP else 1)


def test_half_drop_moves_every_second_column_by_half_the_height():
    tile = np.arange(12).reshape(4, 3)
    cloth = layout_tiling(tile, Layout.HALF_DROP, 2, 1)
    assert (cloth[:, 3:] == np.roll(tile, 2, axis=0)).all()


def test_third_drop_comes_back_to_where_it_began_after_three_columns():
    tile = np.arange(18).reshape(6, 3)
    cloth = layout_tiling(tile, Layout.THIRD_DROP, 4, 1)
    for column, lower in enumerate((0, 2, 4, 0)):
        assert (cloth[:, 3 * column : 3 * column + 3] == np.roll(tile, lower, axis=0)).all()


def test_half_brick_moves_every_second_row_by_half_the_width():
    tile = np.arange(8).reshape(2, 4)
    cloth = layout_tiling(tile, Layout.HALF_BRICK, 1, 2)
    assert (cloth[2:] == np.roll(tile, 2, axis=1)).all()


def test_mirror_turns_every_second_repeat_over():
    tile = np.arange(6).reshape(2, 3)
    cloth = layout_tiling(tile, Layout.MIRROR, 2, 2)
    assert (cloth[:2, 3:] == tile[:, ::-1]).all()
    assert (cloth[2:, :3] == tile[::-1]).all()


def test_layouts_keep_colour_channels_apart():
    assert layout_tiling(np.zeros((4, 6, 3), np.uint8), Layout.HALF_DROP, 3, 2).shape == (8, 18, 3)


@given(sizes, sizes, layouts, st.booleans(), st.sampled_from(["flowers", "large scale flowers", "tiny dots"]))
def test_motif_units_close_over_the_repeat_in_every_layout(width_mm, height_mm, layout, islands, words):
    cells = cells_for(Repeat(width_mm, height_mm, layout), words, islands=islands)
    assert cells.columns >= 1
    assert cells.rows >= 1
    assert not islands or cells.columns * cells.rows <= (36 if layout is Layout.THIRD_DROP else 25)
    beyond_x, beyond_y = cells.rows * layout.drop, cells.columns * layout.shift  # where column and row 0 come again
    assert (cells.columns * cells.dropped.drop - beyond_x) % 1 == 0
    assert (cells.rows * cells.dropped.shift - beyond_y) % 1 == 0


@given(sizes, sizes, st.booleans(), st.booleans())
def test_a_third_drop_of_the_units_is_whole_patches_of_the_network(width_mm, height_mm, islands, in_pairs):
    cells = cells_for(Repeat(width_mm, height_mm, Layout.THIRD_DROP), "", islands=islands, in_pairs=in_pairs)
    assert cells.rows % 3 == 0
    assert not in_pairs or cells.columns % 2 == 0


def test_lab_of_the_srgb_primaries_agrees_with_published_values():
    lab = lab_of(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]], np.uint8))
    assert lab == pytest.approx(
        np.array([[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [53.59, 0, 0]]), abs=0.05
    )


def test_a_palette_refuses_what_is_not_a_colour():
    with pytest.raises(ValueError, match="rrggbb"):
        Palette(("#12345",))


@pytest.mark.parametrize(
    ("text", "colour"), [("#2b3a4a", "#2b3a4a"), ("2B3A4A", "#2b3a4a"), ("#abc", "#aabbcc"), (" Sky  Blue ", "#9cc4e2")]
)
def test_colours_are_read_from_hex_and_names(text, colour):
    assert parse_colour(text) == colour


@pytest.mark.parametrize("text", ["", "#12345", "not a colour", "rgb(1,2,3)", "#12345g", "##123456"])
def test_what_is_not_a_colour_is_refused_with_its_field(text):
    with pytest.raises(NotAColour) as refused:
        parse_colour(text)
    assert refused.value.fields["field"] == "palette"


def test_an_unknown_palette_names_the_choices():
    with pytest.raises(UnknownPalette, match="nordic") as refused:
        palette_named("unicorn")
    assert "terracotta" in refused.value.fields["choices"]


@pytest.mark.parametrize("name", sorted(NAMED_PALETTES))
def test_every_named_palette_has_a_ground_that_stands_off_its_motif(name):
    lab = Palette(palette_named(name)).lab()
    assert len(set(palette_named(name))) == 8
    assert np.linalg.norm(lab[0] - lab[1]) > 30


def test_the_words_of_the_demo_ask_for_the_nordic_palette():
    assert palette_from_words("minimalist floral design with a Nordic color palette", 8).colours == palette_named(
        "nordic"
    )


def test_colour_names_come_in_their_order_on_a_light_ground():
    ground, first, second = palette_from_words("stripes in navy and mustard", 3).colours
    assert lab_of(Palette((ground,)).rgb())[0, 0] > 80
    assert (first, second) == (parse_colour("navy"), parse_colour("mustard"))


def test_a_light_colour_that_is_named_becomes_the_ground():
    assert palette_from_words("sage leaves on cream", 2).colours == (parse_colour("cream"), parse_colour("sage"))


@given(st.text(max_size=80), st.integers(2, 8))
def test_any_words_give_a_palette_within_the_limit(words, most):
    assert 2 <= len(palette_from_words(words, most)) <= most


@pytest.mark.parametrize(
    ("words", "design"),
    [
        ("minimalist floral design with a Nordic color palette", "minimalist floral design"),
        ("navy and mustard stripes", "stripes"),
        ("tartan in red", "tartan"),
        ("navy", "navy"),
    ],
)
def test_what_the_words_say_of_colour_is_kept_from_the_motif(words, design):
    assert without_colours(words + "" if words != "tartan in red" else "tartan in red.").rstrip(".").strip() == design


def test_a_picture_gives_its_own_colours_the_most_common_first():
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[:] = (240, 230, 210)
    picture[:20] = (30, 60, 120)
    picture[:8, :30] = (200, 90, 40)
    assert palette_from_picture(picture, 3).colours == ("#f0e6d2", "#1e3c78", "#c85a28")
