"""The sheet: where the repeats and the marks stand on the printed cloth, in whole pixels."""

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.domain.pattern import Layout, layout_tiling
from production.domain.sheet import FIDUCIAL_IDS, PATCHES, lay_out, patches
from production.domain.usage import FULL
from production.lettering import dots_of


def sheet_of(
    *, layout=Layout.STRAIGHT, pattern_px=(1000, 9000), tile_px=(240, 240), channels="CMYK", dpi=100.0, **more
):
    given = {"fabric_width_mm": 300, "tac_pct": 280, "words": "WL-000001-1 r1 · cotton", "code": "WL-000001-1-r1"}
    return lay_out(
        dpi=dpi,
        pattern_px=pattern_px,
        tile_px=tile_px,
        layout=layout,
        channels=channels,
        lettering=dots_of,
        **{**given, **more},
    )


def printed(sheet):
    """The marks of a CMYK sheet in grey, 255 is bare cloth."""
    paper = np.full((sheet.length_px, sheet.width_px), 255, np.uint8)
    for mark in sheet.marks:
        area = paper[mark.y_px : mark.y_px + mark.height_px, mark.x_px : mark.x_px + mark.width_px]
        area[mark.dots()] = 255 - min(FULL, sum(mark.ink))
    return paper


@given(
    layout=st.sampled_from(Layout),
    tile=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    pattern=st.tuples(st.integers(60, 150), st.integers(1, 90)),
)
@settings(max_examples=150, deadline=None)
def test_the_placements_set_the_cloth_as_the_layout_says_every_pixel_once(layout, tile, pattern):
    width, height = 6 * tile[0], 6 * tile[1]
    indices = np.arange(width * height).reshape(height, width)
    sheet = sheet_of(layout=layout, pattern_px=pattern, tile_px=(width, height), fabric_width_mm=100)
    cloth = np.full((pattern[1], pattern[0]), -1)
    for place in sheet.placements():
        turned = indices[:: -1 if place.flipped_y else 1, :: -1 if place.flipped_x else 1]
        x, y = place.x_px - sheet.x_px, place.y_px - sheet.y_px
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, pattern[0]), min(y + height, pattern[1])
        assert left < right, "a repeat that does not show is not placed"
        assert top < bottom, "a repeat that does not show is not placed"
        assert (cloth[top:bottom, left:right] == -1).all(), "two repeats lie over each other"
        cloth[top:bottom, left:right] = turned[top - y : bottom - y, left - x : right - x]
    across, along = -(-pattern[0] // width), -(-pattern[1] // height)
    assert np.array_equal(cloth, layout_tiling(indices, layout, across, along)[: pattern[1], : pattern[0]])


def test_marks_lie_on_the_cloth_and_never_on_the_pattern_or_each_other():
    sheet = sheet_of()
    taken = np.zeros((sheet.length_px, sheet.width_px), np.uint8)
    taken[sheet.y_px : sheet.y_px + sheet.pattern_length_px, sheet.x_px : sheet.x_px + sheet.pattern_width_px] = 1
    for mark in sheet.marks:
        assert mark.x_px >= 0
        assert mark.y_px >= 0
        area = taken[mark.y_px : mark.y_px + mark.height_px, mark.x_px : mark.x_px + mark.width_px]
        assert area.shape == (mark.height_px, mark.width_px), f"{mark.kind} {mark.name} is cut"
        assert not area.any(), f"{mark.kind} {mark.name} lies on something"
        area[:] = 1


def test_a_mark_s_count_is_the_number_of_its_dots():
    for mark in sheet_of().marks:
        assert mark.dots().shape == (mark.height_px, mark.width_px)
        assert mark.count() == np.count_nonzero(mark.dots())


def test_a_camera_finds_every_marker_where_the_geometry_says_it_is():
    sheet = sheet_of(pattern_px=(1000, 2400))
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000)
    corners, found, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(printed(sheet))
    seen = {int(number): quad[0].mean(axis=0) for number, quad in zip(found.ravel(), corners, strict=True)}
    meant = {
        int(m.name): (m.x_px + m.width_px / 2, m.y_px + m.height_px / 2) for m in sheet.marks if m.kind == "fiducial"
    }
    assert seen.keys() == meant.keys()
    assert len(seen) == 2 * len({y for _, y in meant.values()})
    for number, (x, y) in meant.items():
        assert np.hypot(*(seen[number] - (x, y))) < 1.5


def test_markers_tell_left_from_right_and_do_not_repeat_within_a_hundred_metres():
    names = [int(m.name) for m in sheet_of(dpi=20.0, pattern_px=(200, 80_000)).marks if m.kind == "fiducial"]
    assert len(set(names[:800])) == 800, "every 250 mm on both sides: 800 markers are 100 m"
    assert max(names) < FIDUCIAL_IDS
    left = {int(m.name) % 2 for m in sheet_of().marks if m.kind == "fiducial" and m.x_px < 60}
    assert left == {0}


def test_the_code_at_the_head_is_read_from_the_cloth():
    sheet = sheet_of()
    head = np.kron(printed(sheet)[: sheet.y_px], np.ones((2, 2), np.uint8))
    assert [each.text for each in zxingcpp.read_barcodes(head)] == ["WL-000001-1-r1"]


@pytest.mark.parametrize("channels", ["CMYK", "CMYKO", "CMYKOV", "CMYKOVRB"])
def test_a_colour_bar_has_24_patches_within_the_ink_limit_with_every_ink_at_full_and_bare_cloth(channels):
    bar = patches(channels, 240)
    assert len(bar) == PATCHES
    assert max(sum(ink) for _, ink in bar) <= 240 * FULL / 100
    for k in range(len(channels)):
        assert any(ink[k] == FULL and sum(ink) == FULL for _, ink in bar)
    assert bar[-1] == ("cloth", (0,) * len(channels))


def test_a_selvedge_too_narrow_for_markers_stays_bare():
    kinds = {mark.kind for mark in sheet_of(fabric_width_mm=260, pattern_px=(1000, 3000)).marks}
    assert kinds == {"patch", "qr", "text"}


def test_what_a_scan_is_held_against_is_in_the_manifest_in_pixels_and_millimetres():
    said = sheet_of().as_dict()
    assert sum(mark["kind"] == "patch" for mark in said["marks"]) == PATCHES
    for mark in said["marks"]:
        assert np.allclose(np.array(mark["px"]) * 25.4 / said["dpi"], mark["mm"], atol=5e-4)
