"""Pictures of inspected cloth: all of it once, defects close up, colours where they differ, memory for one strip."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from production.inspection.pictures import HEAT, INDEX, Pictures, Strip, album_of, heat_map
from tests import inspected as made


@pytest.fixture(scope="module")
def found():
    return made.inspected(length_m=2.5, width_mm=500, count=6)


@pytest.fixture
def album(found, tmp_path):
    pictures = Pictures(tmp_path, about_mm2=2500 * 500)
    for strip in made.strips(found):
        pictures.take(strip)
    return album_of(pictures.finish(found.defects))


def test_the_whole_cloth_is_shown_once_as_it_should_be_and_as_it_is(album, found):
    edges = [(each.from_mm, each.to_mm) for each in album.strips]
    assert edges[0][0] == 0
    assert edges[-1][1] == pytest.approx(found.length_mm, abs=3)
    assert all(one[1] == other[0] for one, other in pairwise(edges))
    for shown in album.strips:
        strip = album.read(shown)
        assert strip.scan.shape == strip.source.shape
        assert strip.mm_per_px == pytest.approx(1000 / made.PX_PER_M)
        assert 50 <= album.read(shown, at_least_px=50).scan.shape[1] < strip.scan.shape[1]


def test_every_defect_is_close_up_and_in_the_middle_where_the_cloth_allows(album, found):
    assert set(album.close_ups) == {each.number for each in found.defects}
    for each in found.defects:
        shown = album.close_ups[each.number]
        assert shown.left_mm - 2 <= each.x_mm + each.width_mm / 2 <= shown.right_mm + 2
        assert shown.from_mm - 2 <= each.y_mm + each.height_mm / 2 <= shown.to_mm + 2
        assert 38 <= shown.to_mm - shown.from_mm <= 163
    hole = next(each for each in found.defects if each.kind == "hole")
    cut = album.read(album.close_ups[hole.number])
    differs = np.abs(cut.scan.astype(int) - cut.source).sum(axis=-1) > 100
    y, x = (np.argwhere(differs).mean(axis=0) * cut.mm_per_px).tolist()
    assert cut.from_mm + y == pytest.approx(hole.y_mm + hole.height_mm / 2, abs=6)
    assert cut.left_mm + x == pytest.approx(hole.x_mm + hole.width_mm / 2, abs=6)


def test_what_overlaps_is_shown_once(found, tmp_path):
    one, two, *_ = made.strips(found)
    pictures = Pictures(tmp_path, about_mm2=1e6)
    pictures.take(one)
    late = replace(two, from_mm=900.0, scan=np.vstack([one.scan[-40:], two.scan]),
                   source=np.vstack([one.source[-40:], two.source]))  # fmt: skip
    pictures.take(late)
    pictures.take(one)
    album = album_of(pictures.finish(()))
    assert [(each.from_mm, each.to_mm) for each in album.strips] == [(0, 1000), (1000, 2000)]


def test_a_long_strip_comes_in_parts_that_fit_a_screen(tmp_path):
    scan = np.full((1600, 40, 3), 128, np.uint8)
    pictures = Pictures(tmp_path, about_mm2=1e6)
    pictures.take(Strip(0, 4000, 0, 100, scan))
    album = album_of(pictures.finish(()))
    assert [round(each.to_mm) for each in album.strips] == [1000, 2000, 3000, 4000]
    assert not album.strips[0].source
    assert album.read(album.strips[0]).source is None


def test_a_long_roll_is_kept_coarser_and_nothing_fine_is_left_behind(found, tmp_path):
    pictures = Pictures(tmp_path, about_mm2=4e8)
    pictures.take(made.strips(found)[0])
    album = album_of(pictures.finish(()))
    assert album.read(album.strips[0]).scan.shape[1] < 500 * made.PX_PER_M / 1000
    assert {each.name for each in tmp_path.iterdir()} == {INDEX, *album.files}


def test_what_was_begun_before_is_made_anew(found, tmp_path):
    first = Pictures(tmp_path, about_mm2=1e6)
    for strip in made.strips(found):
        first.take(strip)
    assert album_of(tmp_path / INDEX) is None, "it is not whole yet"
    again = Pictures(tmp_path, about_mm2=1e6)
    again.take(made.strips(found)[0])
    assert len(album_of(again.finish(())).strips) == 1


def test_a_damaged_index_is_no_album(tmp_path):
    for text in ("", "{}", '{"strips": [{"x": 1}], "close_ups": {}, "files": {}}'):
        (tmp_path / INDEX).write_text(text)
        assert album_of(tmp_path / INDEX) is None


def test_the_map_of_colours_is_clear_where_nobody_sees_a_difference_and_strong_where_all_do():
    source = np.full((64, 64, 3), (150, 120, 90), np.uint8)
    scan = source.copy()
    scan[:32] = (151, 120, 90)
    scan[32:] = (190, 90, 60)
    heat = heat_map(source, scan, mm_per_px=0.5)
    assert heat.shape == (8, 8, 4)
    assert heat[0, 0, 3] == 0
    assert heat[7, 0, 3] >= HEAT[-2][1][3]
