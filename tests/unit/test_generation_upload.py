"""A file from outside is made as it is, or refused with the place and the remedy."""

import io

import numpy as np
import pytest
from PIL import Image

from generation.backends.upload import UploadGenerator
from generation.domain.pattern import Brief, Knobs, Layout, Limits, Repeat
from generation.domain.reduction import reduce_colours
from generation.errors import InvalidBrief, SeamTooVisible
from generation.images import read_reference

INK = np.array([[240, 230, 210], [30, 60, 120], [180, 40, 50]], np.uint8)


def closing_indices(size=240, waves=2):
    x, y = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    field = np.sin(2 * np.pi * waves * (x + 2 * y)) + np.cos(2 * np.pi * waves * (2 * x - y))
    return np.digitize(field, [0.2, 1.0]).astype(np.uint8)


def brief_of(picture, size=240, **more):
    return Brief("", Repeat(160, 160, Layout.STRAIGHT), size, size, reference=picture, **more)


def made(brief, limits=Limits()):  # noqa: B008
    return UploadGenerator().generate(brief, [1], limits)[0]


def test_an_indexed_png_keeps_its_colours_and_pixels_exactly():
    indices = closing_indices()
    picture = Image.frombytes("P", indices.shape, indices.tobytes())
    picture.putpalette(INK.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    raster = made(brief_of(read_reference(buffer.getvalue())), Limits(min_feature_mm=0.1))
    assert np.array_equal(raster.palette.rgb()[raster.indices], INK[indices])
    assert raster.notes == ()


def test_a_smaller_file_is_enlarged_in_its_own_colours_only():
    raster = made(brief_of(INK[closing_indices(120)], size=480))
    assert raster.indices.shape == (480, 480)
    assert sorted(raster.palette.colours) == sorted(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in INK.tolist())
    agreement = INK[closing_indices(480)] == raster.palette.rgb()[raster.indices]
    assert agreement.all(axis=2).mean() > 0.97


def test_a_photograph_is_brought_down_to_the_limit_and_it_is_said():
    noise = np.random.default_rng(1).normal(0, 6, (240, 240, 3))
    picture = (INK[closing_indices()] + noise).round().clip(0, 255).astype(np.uint8)
    raster = made(brief_of(picture), Limits(max_colours=3))
    assert len(raster.palette) == 3
    assert "brought down to 3" in raster.notes[0]


def test_a_file_of_other_proportions_than_the_repeat_is_stretched_and_it_is_said():
    twice_as_wide = np.repeat(INK[closing_indices()], 2, axis=1)
    assert "stretched 100% in height" in made(brief_of(twice_as_wide)).notes[0]
    assert "stretched 100% in width" in made(brief_of(twice_as_wide.transpose(1, 0, 2))).notes[0]


def test_a_file_that_does_not_close_is_refused_with_place_and_remedy():
    cut = INK[closing_indices()][:, :-17]
    with pytest.raises(SeamTooVisible, match="Use it as a reference") as refused:
        made(brief_of(cut))
    assert refused.value.fields["where"] == "side to side"
    assert refused.value.fields["measured"] > refused.value.fields["limit"]
    assert 0 <= refused.value.fields["at_mm"] <= 160


def test_details_too_fine_for_the_machine_give_way_and_it_is_said():
    indices = closing_indices()
    indices[100, 60:90] = 2
    raster = made(brief_of(INK[indices]), Limits(min_feature_mm=2.0))
    assert "too fine for the machine" in raster.notes[0]


@pytest.mark.parametrize(
    ("more", "told"), [({"reference": None}, "Add the file"), ({"knobs": Knobs(scale=2)}, "made as it is")]
)
def test_what_a_file_cannot_answer_is_said(more, told):
    brief = brief_of(INK[closing_indices()])
    with pytest.raises(InvalidBrief, match=told):
        made(Brief(brief.words, brief.repeat, 240, 240, **{"reference": brief.reference, **more}))


@pytest.mark.parametrize("quality", [95, 85])
def test_a_jpeg_of_a_three_colour_tile_is_three_inks_and_not_its_noise(quality):
    rgb = np.zeros((240, 240, 3), np.uint8)
    rgb[:] = (246, 236, 218)
    across, down = np.meshgrid(np.arange(240), np.arange(240))
    for x, y in ((60, 60), (180, 60), (60, 180), (180, 180)):
        rgb[np.hypot(across - x, down - y) < 40] = (31, 61, 122)
        rgb[np.hypot(across - x, down - y) < 18] = (200, 120, 40)
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "JPEG", quality=quality)
    assert len(reduce_colours(read_reference(data.getvalue()), 8).palette) == 3
