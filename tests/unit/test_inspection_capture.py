"""Scans as files: what is read, and what is refused, with a reason and a remedy, before anything is measured on it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import pyvips

from generation.domain.pattern import Layout
from production.inspection import capture, inspect
from production.inspection.capture import NotInspectable, Scan, read_scan
from production.inspection.outcome import Inspected
from production.inspection.source import Marks, of_picture

SIDE = 480


def picture(side=SIDE, seed=1):
    """Spots of three colours, all over."""
    rng = np.random.default_rng(seed)
    out = np.full((side, side, 3), (238, 230, 212), np.uint8)
    for _ in range(side * side // 1500):
        x, y = (int(value) for value in rng.integers(0, side, 2))
        cv2.circle(out, (x, y), int(rng.integers(6, 14)), [(40, 60, 90), (180, 70, 50), (90, 130, 80)][x % 3], -1)
    return out


def written(tmp_path, rgb, *, dpi=100.0, name="scan.tif"):
    path = tmp_path / name
    bands = 1 if rgb.ndim == 2 else rgb.shape[2]
    kind = "ushort" if rgb.dtype == np.uint16 else "uchar"
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(rgb).tobytes(), rgb.shape[1], rgb.shape[0], bands, kind)
    interpretation = {1: "b-w", 3: "srgb", 4: "srgb"}[bands] if kind == "uchar" else {1: "grey16", 3: "rgb16"}[bands]
    image.copy(interpretation=interpretation, xres=dpi / 25.4, yres=dpi / 25.4).write_to_file(str(path))
    return path


def code_of(action):
    with pytest.raises(NotInspectable) as refused:
        action()
    reason = refused.value.reason
    assert reason.sentence.endswith((".", "?"))
    assert len(reason.sentence) > 30, "what is wrong, and what to do"
    return reason.code


@pytest.mark.parametrize("name", ["scan.tif", "scan.png"])
def test_a_scan_is_read_as_it_is(tmp_path, name):
    rgb = picture(200)
    scan = read_scan(written(tmp_path, rgb, name=name))
    assert np.array_equal(scan.rgb, rgb)
    assert scan.dpi == pytest.approx(100, abs=0.1)
    assert len(scan.sha256) == 64
    assert not scan.synthetic


def test_sixteen_bits_become_eight_and_that_is_said(tmp_path):
    rgb = picture(200)
    scan = read_scan(written(tmp_path, rgb.astype(np.uint16) * 257))
    assert np.array_equal(scan.rgb, rgb)
    assert any("16 bits" in note for note in scan.notes)


def test_a_fine_scan_is_brought_near_to_a_hundred_dpi(tmp_path):
    large = cv2.resize(picture(200), None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    scan = read_scan(written(tmp_path, large, dpi=300))
    assert scan.rgb.shape == (200, 200, 3)
    assert scan.dpi == pytest.approx(100, abs=0.1)


def test_a_simulated_scan_says_so_in_its_description(tmp_path):
    path = tmp_path / "scan.tif"
    image = pyvips.Image.new_from_memory(picture(200).tobytes(), 200, 200, 3, "uchar").copy(interpretation="srgb")
    image = image.copy(xres=100 / 25.4, yres=100 / 25.4)
    image.set_type(pyvips.GValue.gstr_type, "image-description", "SYNTHETIC: simulated, no cloth was seen")
    image.write_to_file(str(path))
    assert read_scan(path).synthetic


def test_a_file_that_is_none_or_is_cut_off_is_refused(tmp_path):
    whole = written(tmp_path, picture(), name="whole.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    words = tmp_path / "words.tif"
    words.write_text("this is no picture")
    empty = tmp_path / "empty.tif"
    empty.touch()
    for path in (cut, words, empty, tmp_path / "missing.tif"):
        assert code_of(lambda path=path: read_scan(path, dpi=100)) == "scan_unreadable"


def test_a_file_of_two_gigabytes_is_refused_before_it_is_opened(tmp_path):
    path = tmp_path / "huge.tif"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)  # a hole: nothing is written
    assert code_of(lambda: read_scan(path)) == "scan_too_large"


def test_more_cloth_than_is_looked_at_together_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(capture, "MOST_PIXELS", 100_000)
    assert code_of(lambda: read_scan(written(tmp_path, picture()))) == "scan_too_large"


@pytest.mark.parametrize(("dpi", "code"), [(72, "too_coarse"), (89.4, "too_coarse"), (4800, "too_fine")])
def test_a_scan_too_coarse_or_too_fine_is_refused(tmp_path, dpi, code):
    assert code_of(lambda: read_scan(written(tmp_path, picture(200), dpi=dpi))) == code


@pytest.mark.parametrize("dpi", [0.0, -100.0, float("nan")])
def test_a_resolution_that_is_no_number_of_dots_is_refused(tmp_path, dpi):
    path = written(tmp_path, picture(200))
    assert code_of(lambda: read_scan(path, dpi=dpi)) == "too_coarse"


def test_a_scan_that_does_not_say_its_resolution_is_refused_until_it_is_said(tmp_path):
    path = tmp_path / "plain.png"
    cv2.imwrite(str(path), picture(200))
    assert code_of(lambda: read_scan(path)) == "resolution_unknown"
    assert read_scan(path, dpi=100).dpi == 100


def test_a_grey_scan_is_refused(tmp_path):
    assert code_of(lambda: read_scan(written(tmp_path, picture(200)[..., 0]))) == "scan_grey"


def scan_of(rgb, name="scan.tif"):
    return Scan(name, "", np.ascontiguousarray(rgb), 100.0)


def test_a_white_sheet_and_a_scan_that_is_cut_off_at_white_are_refused():
    white = np.full((SIDE, SIDE, 3), 250, np.uint8)
    assert code_of(lambda: capture.refuse_empty(scan_of(white), plain=False)) == "no_cloth"
    burnt = picture()
    burnt[burnt.mean(axis=2) > 150] = 255
    assert code_of(lambda: capture.refuse_empty(scan_of(burnt), plain=False)) == "clipped"
    capture.refuse_empty(scan_of(picture()), plain=False)


def source(seed=1, **changes):
    return of_picture(picture(160, seed), repeat_mm=(160 * 0.254, 160 * 0.254), layout=Layout.STRAIGHT, **changes)


def cloth(of=None, side=SIDE):
    """A scan of cloth as its source says, with a little light and noise of its own."""
    rgb = (of or source()).reference(side, side)[:, :].astype(np.float32)
    noise = np.random.default_rng(3).normal(0, 3, rgb.shape)
    return np.clip(cv2.GaussianBlur(rgb, (0, 0), 0.6) * 0.92 + noise, 0, 255).astype(np.uint8)


def test_half_a_repeat_is_refused_and_a_whole_one_is_not():
    large = replace(source(), repeat_mm=(SIDE * 0.254, 2 * SIDE * 0.254))
    assert code_of(lambda: inspect.lay(large, scan_of(cloth()))) == "part_of_repeat"
    assert inspect.lay(source(), scan_of(cloth())).registered.agreement.whole > 0.8


def test_cloth_that_is_upside_down_of_another_design_or_of_twice_the_size_is_refused_by_what_it_is():
    right = source()
    assert code_of(lambda: inspect.lay(right, scan_of(cloth()[::-1, ::-1]))) == "upside_down"
    assert code_of(lambda: inspect.lay(right, scan_of(cloth(source(seed=7))))) == "other_design"
    twice = cv2.resize(cloth(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert code_of(lambda: inspect.lay(right, scan_of(twice))) == "other_scale"


def counterchanged():
    """A repeat of two colours that is its own negative half a repeat on, as a houndstooth is."""
    half = np.zeros((80, 160), bool)
    for y, x, high, wide in ((0, 0, 40, 70), (40, 20, 30, 40), (10, 90, 50, 30), (60, 120, 20, 40)):
        half[y : y + high, x : x + wide] = True
    tile = np.where(np.vstack([half, ~half])[..., None], (236, 228, 208), (60, 70, 110)).astype(np.uint8)
    return of_picture(tile, repeat_mm=(160 * 0.254, 160 * 0.254), layout=Layout.STRAIGHT)


def test_a_design_that_is_its_own_negative_half_a_repeat_on_is_not_laid_there(monkeypatch):
    right = counterchanged()
    rgb = cloth(right, 2 * SIDE)
    assert inspect.lay(right, scan_of(rgb[:SIDE, :SIDE])).registered.agreement.colours > 0.9
    half_on = scan_of(np.ascontiguousarray(rgb[80 : 80 + SIDE, :SIDE]))
    assert code_of(lambda: inspect.lay(right, half_on)) == "other_design"
    monkeypatch.setattr(inspect, "LEAST_ALIKE_IN_COLOUR", -1.0)
    assert inspect.lay(right, half_on).registered.agreement.agreeing > 0.9, "by its outlines alone it would be taken"


def test_a_blurred_scan_is_refused():
    assert code_of(lambda: inspect.lay(source(), scan_of(cv2.GaussianBlur(cloth(), (0, 0), 4.5)))) == "blurred"


def plain_source(colour):
    return of_picture(np.full((160, 160, 3), colour, np.uint8), repeat_mm=(40.64, 40.64), layout=Layout.STRAIGHT)


def test_a_design_of_one_colour_is_refused_by_a_pattern_and_by_another_colour():
    red = plain_source((180, 50, 40))
    assert inspect.lay(red, scan_of(cloth(red))).top == 0
    assert code_of(lambda: inspect.lay(red, scan_of(cloth()))) == "other_design"
    assert code_of(lambda: inspect.lay(red, scan_of(cloth(plain_source((40, 90, 160)))))) == "other_colour"


# ------------------------------------------------------------------------------------------------ marks of a sheet

PX = 0.254
PATTERN = (360, 400)  # columns and rows
MARGIN = 60


def marks_and_sheet(code="WL-1-1-r1"):
    """(marks, picture) of a small sheet: markers on both selvedges, a QR code at the head."""
    width, height = PATTERN[0] + 2 * MARGIN, PATTERN[1] + 2 * MARGIN + 60
    sheet = np.full((height, width, 3), 245, np.uint8)
    top = MARGIN + 60
    sheet[top : top + PATTERN[1], MARGIN : MARGIN + PATTERN[0]] = source().reference(PATTERN[1], PATTERN[0])[:, :]
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000)
    fiducials, side = {}, 36
    for number, (x, y) in enumerate(
        (x, y) for x in (10, width - 46) for y in (top + 10, top + 180, top + PATTERN[1] - 50)
    ):
        sheet[y : y + side, x : x + side] = cv2.aruco.generateImageMarker(dictionary, number, side)[..., None]
        fiducials[number] = ((x - MARGIN) * PX, (y - top) * PX, side * PX, side * PX)
    qr = cv2.resize(cv2.QRCodeEncoder.create().encode(code), (84, 84), interpolation=cv2.INTER_NEAREST)
    sheet[14:98, 200:284] = qr[..., None]
    box = ((200 - MARGIN) * PX, (14 - top) * PX, 84 * PX, 84 * PX)
    whole = (-MARGIN * PX, -top * PX, width * PX, height * PX)
    return Marks(fiducials, (), box, code, whole), sheet


def sheet_source(code="WL-1-1-r1"):
    marks, sheet = marks_and_sheet(code)
    of = replace(source(), marks=marks, width_mm=PATTERN[0] * PX, length_mm=PATTERN[1] * PX, job=code[:-3], revision=1)
    return of, sheet


def test_a_sheet_is_found_by_its_marks_and_tells_whose_it_is():
    of, sheet = sheet_source()
    laid = inspect.lay(of, scan_of(sheet))
    assert laid.start.sure
    assert laid.start.matrix[:, 2] == pytest.approx([MARGIN, MARGIN + 60], abs=1.0)
    assert capture.code_on(scan_of(sheet), of.marks.code_box, laid.start, of.pitch_mm) == "WL-1-1-r1"


def on_wide_glass(sheet, left_px, right_px):
    return scan_of(np.pad(sheet, ((0, 0), (left_px, right_px), (0, 0)), constant_values=34))


@pytest.mark.parametrize(("left_px", "right_px"), [(900, 500), (137, 700), (1000, 0)])
def test_a_sheet_with_much_bare_glass_beside_it_is_found_by_all_its_marks(left_px, right_px):
    of, sheet = sheet_source()
    there = capture.find_marks(scan_of(sheet), of.marks).corners
    seen = capture.find_marks(on_wide_glass(sheet, left_px, right_px), of.marks).corners
    assert seen.keys() == there.keys() == of.marks.fiducials.keys()
    for number, corners in there.items():
        assert seen[number] == pytest.approx(corners + np.array([left_px, 0]), abs=0.6)


def long_cloth_with_a_look_alike():
    """(source, scan of its head, number): on the pattern a figure like the marker that lies ten metres on."""
    of, sheet = sheet_source()
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000)
    number, side, (y, x) = 77, 36, (300, 200)
    sheet[y - 8 : y + side + 8, x - 8 : x + side + 8] = 245
    sheet[y : y + side, x : x + side] = cv2.aruco.generateImageMarker(dictionary, number, side)[..., None]
    there = {**of.marks.fiducials, number: (-50 * PX, 10_000.0, side * PX, side * PX)}
    return replace(of, marks=replace(of.marks, fiducials=there), length_mm=11_000.0), scan_of(sheet), number


def test_what_looks_like_a_marker_and_lies_where_none_should_be_is_none():
    of, scan, number = long_cloth_with_a_look_alike()
    seen = capture.find_marks(scan, of.marks).corners
    assert seen.keys() == of.marks.fiducials.keys() - {number}
    assert inspect.lay(of, scan).start.matrix[:, 2] == pytest.approx([MARGIN, MARGIN + 60], abs=1.0)


def test_taken_for_a_marker_it_would_lay_the_scan_wrongly(monkeypatch):
    monkeypatch.setattr(capture, "_agreeing", lambda dpi, known, found: found)
    of, scan, number = long_cloth_with_a_look_alike()
    assert number in capture.find_marks(scan, of.marks).corners
    assert code_of(lambda: inspect.lay(of, scan)) == "marks_apart"


def test_of_two_markers_that_disagree_neither_is_thrown_away():
    of, sheet = sheet_source()
    found = dict(list(capture.find_marks(scan_of(sheet), of.marks).corners.items())[:2])
    first, second = found
    moved = {first: found[first], second: found[second] + 500}
    assert capture._agreeing(100.0, of.marks.fiducials, moved) == moved


def test_at_the_sides_alone_it_would_not_be_found(monkeypatch):
    of, sheet = sheet_source()
    once = iter([capture._look_in])
    monkeypatch.setattr(capture, "_look_in", lambda *args: next(once, lambda *_: None)(*args))
    with pytest.raises(capture.NotInspectable, match="None of the sheet's markers"):
        capture.find_marks(on_wide_glass(sheet, 900, 500), of.marks)


def test_the_scan_of_another_job_is_refused_by_its_code():
    of, _ = sheet_source()
    _, other = marks_and_sheet("WL-2-1-r1")
    assert code_of(lambda: inspect.lay(of, scan_of(other))) == "wrong_job"


def test_a_sheet_that_is_upside_down_or_on_its_side_is_refused():
    of, sheet = sheet_source()
    assert code_of(lambda: inspect.lay(of, scan_of(sheet[::-1, ::-1]))) == "upside_down"
    assert code_of(lambda: inspect.lay(of, scan_of(np.rot90(sheet)))) == "turned"


def test_a_sheet_without_its_markers_is_refused():
    of, sheet = sheet_source()
    assert code_of(lambda: inspect.lay(of, scan_of(sheet[:, MARGIN:-MARGIN]))) == "no_marks"


def test_a_photograph_taken_at_an_angle_and_a_sheet_that_lies_askew_are_refused():
    of, sheet = sheet_source()
    height, width = sheet.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    aslant = np.float32([[40, 0], [width - 40, 0], [width, height], [0, height]])
    angled = cv2.warpPerspective(
        sheet, cv2.getPerspectiveTransform(corners, aslant), (width, height), borderValue=(200,) * 3
    )
    assert code_of(lambda: inspect.lay(of, scan_of(angled))) == "at_an_angle"
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 9, 0.8)
    askew = cv2.warpAffine(sheet, turn, (width, height), borderValue=(200,) * 3)
    assert code_of(lambda: inspect.lay(of, scan_of(askew))) == "askew"


def test_what_is_refused_has_a_reason_and_nothing_else():
    found = inspect.inspect(source(), [scan_of(cloth()[::-1, ::-1])], network=None, threshold=None, synthetic=True)
    assert not found.trusted
    assert found.reason.code == "upside_down"
    assert (found.colours, found.defects, found.registration, found.area_m2) == ((), (), None, 0.0)
    assert found.synthetic
    assert Inspected.of(found.as_dict()) == found
