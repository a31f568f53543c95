"""Designs in tones on their cloth: findings, ink, seams, the map of differences, previews as printed."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from production_samples import INKS, NORDIC, job_for, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout, Palette, layout_tiling
from production.assessment import assess
from production.domain.checks import seam
from production.domain.colour import delta_e_2000, srgb_to_lab
from production.domain.finding import Severity
from production.domain.gamut import SEEN_DELTA_E, STEPS, heat, measure
from production.domain.picture import Picture
from production.errors import MapForPrintOnly
from production.gamut_map import check_gamut, gamut_png
from production.preview import cloth_picture, preview_png
from production.proof import as_printed, differences
from production.services import manifest_of, verify_files, write_files

SIDE_MM = 24
SPEC = print_spec(width_mm=SIDE_MM, height_mm=SIDE_MM, layout=Layout.STRAIGHT)


def tones(spec=SPEC, *, low=150, high=245, layout=None, cut_px=0):
    """A watercolour that closes in the layout of `spec`, unless it is cut short."""
    layout = layout or spec.repeat.layout
    width, height = spec.width_px, spec.height_px
    y, x = np.mgrid[:height, :width]
    period = width + cut_px
    rng = np.random.default_rng(5)
    value = np.zeros((height, width, 3))
    for _ in range(14):
        across, down = rng.integers(-4, 5, 2)
        if layout is Layout.MIRROR:
            part = np.cos(2 * np.pi * across * (x + 0.5) / period) * np.cos(2 * np.pi * down * (y + 0.5) / height)
            value += part[..., None] * rng.normal(size=3)
            continue
        # A wave that goes on in the neighbours: one turn for each drop or shift is made good along the other side.
        turn = float(layout.drop) * down * x / period + float(layout.shift) * across * y / height
        phase = 2 * np.pi * (across * x / period + down * y / height - turn + rng.random())
        value += np.sin(phase)[..., None] * rng.normal(size=3)
    value = (value - value.min()) / (value.max() - value.min())
    return Picture(np.rint(low + value * (high - low)).astype(np.uint8), spec.repeat)


def finding(assessment, code):
    [found] = [each for each in assessment.findings if each.code == code]
    return found


@pytest.fixture(scope="module")
def design():
    return tones()


@pytest.fixture(scope="module")
def assessed(design):
    return assess(design, spec=SPEC)


def test_a_watercolour_passes_with_one_finding_per_check(assessed):
    codes = [each.code for each in assessed.findings]
    assert assessed.passed, [each.sentence for each in assessed.findings if each.severity is Severity.ERROR]
    assert len(codes) == len(set(codes)) == 8
    assert {"seam", "seam_ink", "ink_limit", "gamut", "drawn"} <= set(codes)
    assert all(each.sentence.endswith(".") and each.measured and each.limit for each in assessed.findings)
    json.dumps(assessed.as_dict())


def test_its_ink_is_that_of_its_planes_on_the_built_cloth(design, assessed):
    width, length = SPEC.pattern_px
    columns, rows = -(-width // SPEC.width_px), -(-length // SPEC.height_px)
    for k, channel in enumerate(INKS.channels):
        plane = assessed.tile.planes[..., k]
        band = layout_tiling(plane, SPEC.repeat.layout, columns, 1)[:, :width]
        whole, rest = divmod(length, SPEC.height_px)
        total = whole * int(band.sum(dtype=np.int64)) + int(band[:rest].sum(dtype=np.int64))
        assert assessed.usage.ink_sums[channel] == total
        assert rows * SPEC.height_px >= length


def test_its_main_colours_stand_for_it(design, assessed):
    assert 2 <= len(assessed.palette) <= 8
    assert sum(assessed.shares) == pytest.approx(1)
    assert len(assessed.shares) == len(assessed.palette) == len(assessed.made_lab)
    assert assessed.separation.values.shape == (len(assessed.palette), 4)
    places = srgb_to_lab(design.rgb[::20, ::20].reshape(-1, 3))
    nearest = np.stack([delta_e_2000(places, colour) for colour in assessed.separation.lab]).min(axis=0)
    assert np.median(nearest) < 8


@pytest.mark.parametrize("layout", list(Layout))
def test_a_picture_that_closes_in_its_layout_passes_both_seams(layout):
    spec = print_spec(width_mm=SIDE_MM, height_mm=SIDE_MM, layout=layout)
    found = assess(tones(spec), spec=spec)
    assert finding(found, "seam").severity is Severity.INFO, finding(found, "seam")
    assert finding(found, "seam_ink").severity is Severity.INFO


@pytest.mark.parametrize(
    ("drawn", "set_as"),
    [
        (Layout.HALF_DROP, Layout.STRAIGHT),
        (Layout.STRAIGHT, Layout.THIRD_DROP),
        (Layout.HALF_BRICK, Layout.STRAIGHT),
        (Layout.STRAIGHT, Layout.HALF_BRICK),
    ],
)
def test_a_picture_made_for_another_layout_shows_its_seam(drawn, set_as):
    spec = print_spec(width_mm=SIDE_MM, height_mm=SIDE_MM, layout=set_as)
    found = assess(tones(spec, layout=drawn), spec=spec)
    assert finding(found, "seam").severity is Severity.ERROR
    assert finding(found, "seam_ink").severity is Severity.ERROR
    across = drawn is not Layout.HALF_BRICK and set_as is not Layout.HALF_BRICK
    assert ("side to side" if across else "top to bottom") in finding(found, "seam").where


def test_a_photograph_cut_five_millimetres_short_shows_its_seam():
    short = tones(cut_px=round(5 / 25.4 * SPEC.dpi))
    found = assess(short, spec=SPEC)
    assert finding(found, "seam").severity is Severity.ERROR
    assert not found.passed


@pytest.mark.parametrize("quality", [95, 60])
def test_what_a_jpeg_does_to_an_edge_that_closed_is_no_seam_and_hides_none(quality):
    spec = print_spec(layout=Layout.STRAIGHT)
    for cut_px, severity in ((0, Severity.INFO), (round(5 / 25.4 * spec.dpi), Severity.ERROR)):
        buffer = io.BytesIO()
        Image.fromarray(tones(spec, low=20, high=250, cut_px=cut_px).rgb).save(buffer, "JPEG", quality=quality)
        rgb = np.asarray(Image.open(buffer))
        found = seam.seam(seam.measure_tone_seams(rgb, Layout.STRAIGHT), code="seam", where="the design", unit="ΔE")
        assert found.severity is severity


def test_one_off_colour_row_at_the_edge_is_found_in_tones(design):
    rgb = design.rgb.copy()
    rgb[-1] = rgb[-1] // 2
    across, down = seam.measure_tone_seams(rgb, Layout.STRAIGHT)
    assert down.excess > 1
    assert across.excess <= 0
    wide = seam.measure_tone_seams(rgb.astype(np.uint16) * 257, Layout.STRAIGHT)
    assert wide[1].seam == pytest.approx(down.seam)


def test_a_plain_picture_and_one_of_the_wrong_size_are_refused():
    plain = Picture(np.full((SPEC.height_px, SPEC.width_px, 3), 200, np.uint8), SPEC.repeat)
    assert finding(assess(plain, spec=SPEC), "drawn").severity is Severity.ERROR
    small = Picture(tones().rgb[:, :-1], SPEC.repeat)
    found = assess(small, spec=SPEC)
    assert finding(found, "repeat_size").severity is Severity.ERROR
    assert found.tile is None
    assert not found.passed


def test_deep_tones_are_cut_to_the_limit_with_a_warning():
    spec = replace(SPEC, inks=replace(INKS, tac_pct=180.0))
    found = assess(tones(spec, low=0, high=255), spec=spec)
    limit = finding(found, "ink_limit")
    assert limit.severity is Severity.WARNING
    assert found.tile.heaviest * 100 <= 180 * 255
    assert finding(assess(tones(), spec=SPEC), "ink_limit").severity is Severity.INFO


def test_a_loom_takes_no_tones_as_they_are():
    spec = weave_spec()
    found = assess(tones(spec), spec=spec)
    assert finding(found, "colours").severity is Severity.ERROR
    assert not found.passed


def test_the_gamut_is_judged_by_its_95th_percentile_and_weighed_by_area():
    calm = measure(np.r_[np.full(96, 1.0), np.full(4, 12.0)])
    assert (calm.p95, calm.beyond) == (1.0, 0.04)
    assert measure(np.r_[np.full(94, 1.0), np.full(6, 12.0)]).p95 == 12.0
    weighed = measure(np.array([12.0, 1.0]), np.array([6.0, 94.0]))
    assert (weighed.p95, weighed.beyond, weighed.mean) == (12.0, 0.06, pytest.approx(1.66))


def test_colours_no_ink_can_make_are_counted_over_the_whole_design(assessed):
    vivid = Picture(np.full((SPEC.height_px, SPEC.width_px, 3), (0, 0, 255), np.uint8), SPEC.repeat)
    vivid.rgb[:60] = 255
    found = finding(assess(vivid, spec=SPEC), "gamut")
    assert found.severity is Severity.WARNING
    assert float(found.measured.rsplit("; ", 1)[1].split("%")[0]) == pytest.approx(
        100 * (1 - 60 / SPEC.height_px), abs=0.5
    )
    raster = raster_for(SPEC)
    calm = finding(assess(raster, spec=SPEC), "gamut")
    assert calm.severity is Severity.INFO
    blue = replace(raster, palette=Palette((*NORDIC[:3], "#0000ff")))
    share = (blue.indices == 3).mean()
    told = finding(assess(blue, spec=SPEC), "gamut")
    assert float(told.measured.rsplit("; ", 1)[1].split("%")[0]) == pytest.approx(100 * share, abs=0.1)


def test_the_map_shows_every_step_of_difference_in_its_own_colour():
    steps = np.array([start + 0.5 for start, *_ in STEPS])
    assert len({tuple(colour) for colour in heat(steps).tolist()}) == len(STEPS)
    assert (heat(np.array([0.0, SEEN_DELTA_E])) == heat(np.array([1.0]))).all()
    lightness = srgb_to_lab(heat(steps))[:, 0]
    assert (np.diff(lightness) < -8).all()  # can be told without seeing hue


@pytest.mark.parametrize("kind", ["tones", "colours"])
def test_the_map_reads_back_and_one_of_another_design_is_told(tmp_path, kind, design):
    design = design if kind == "tones" else raster_for(SPEC)
    job = job_for(SPEC, design)
    assert job.assessment.passed
    files = write_files(design, job=job, folder=tmp_path, formats=("gamut", "preview"))
    assert verify_files(files[-1].path) == []
    path = tmp_path / f"{job.name}-gamut.png"
    assert path.read_bytes() == gamut_png(job, design)
    manifest = json.loads(files[-1].path.read_text())
    with Image.open(path) as picture:
        assert (picture.mode, picture.width) == ("RGB", 1000)
        wrong = picture.copy()
    wrong.paste((106, 16, 52), (0, 0, 1000, 300))  # says that a third of it prints as another colour
    wrong.save(path)
    assert [each.code for each in check_gamut(path, manifest)] == ["document_wrong"]
    wrong.paste((1, 2, 3), (0, 0, 50, 50))
    wrong.save(path)
    assert "legend" in check_gamut(path, manifest)[0].sentence
    wrong.crop((0, 0, 1000, 500)).save(path)
    assert check_gamut(path, manifest)
    path.write_bytes(b"no picture")
    assert check_gamut(path, manifest)


def test_a_map_in_its_legends_colours_passes_however_its_shares_round(tmp_path):
    colours = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for *_, colour in STEPS], np.uint8)
    rng = np.random.default_rng(0)
    draws = (rng.multinomial(1_000_000, rng.dirichlet(np.ones(len(STEPS)))) for _ in range(100))
    counts = next(drawn for drawn in draws if sum(float(count / 1e6) for count in drawn) < 1)
    path = tmp_path / "map.png"
    pixels = np.concatenate([np.repeat(colours, counts, axis=0), np.full((1000, 3), 255, np.uint8)])
    Image.fromarray(pixels.reshape(1001, 1000, 3)).save(path)
    said = {"code": "gamut", "measured": f"ΔE2000 9.0 mean, 9.0 at 95 %; {1 - counts[0] / 1e6:.1%} over 3"}
    manifest = {"repeat": {"finished_mm": [24, 24]}, "assessment": {"findings": [said]}}
    assert check_gamut(path, manifest) == []


def test_the_map_shows_what_was_asked_for_once_only_the_picture_as_printed_is_left(tmp_path, design):
    vivid = replace(design, rgb=design.rgb // np.array([4, 4, 1], np.uint8))  # blues that no ink makes
    job = job_for(SPEC, vivid)
    of_all = gamut_png(job, vivid)
    files = write_files(job.assessment.shown, job=job, folder=tmp_path, formats=("gamut",))
    assert verify_files(files[-1].path) == []
    with Image.open(tmp_path / f"{job.name}-gamut.png") as left, Image.open(io.BytesIO(of_all)) as whole:
        assert left.size == whole.size
        side = (0, 0, 1000, 1000)
        assert left.crop(side).tobytes() == whole.crop(side).tobytes()


def test_sixteen_bits_are_assessed_and_shown_like_eight(design, assessed):
    wide = Picture(np.tile(design.rgb, (4, 4, 1)).astype(np.uint16) * 257, SPEC.repeat)
    shown = as_printed(wide, INKS)
    assert max(shown.width_px, shown.height_px) == 1000
    same = assess(replace(design, rgb=design.rgb.astype(np.uint16) * 257), spec=SPEC)
    assert (same.tile.planes == assessed.tile.planes).all()
    assert same.findings == assessed.findings
    assert (same.shown.rgb == assessed.shown.rgb).all()


def test_a_woven_job_has_no_colour_map():
    spec = weave_spec()
    design = raster_for(spec)
    with pytest.raises(MapForPrintOnly):
        gamut_png(job_for(spec, design), design)


def test_a_design_in_tones_is_shown_as_it_prints(design, assessed):
    shown = assessed.shown
    assert max(shown.width_px, shown.height_px) <= 1000
    dark = tones(low=0, high=120)
    printed = as_printed(dark, INKS)
    assert srgb_to_lab(printed.rgb)[..., 0].min() > srgb_to_lab(dark.rgb)[..., 0].min() + 5  # cloth's black is lighter
    picture = cloth_picture(shown, columns=2, rows=2, width_px=400, colours=np.zeros((0, 3), np.uint8))
    assert picture.shape[1] == 400
    large = as_printed(Picture(np.tile(design.rgb, (5, 5, 1)), SPEC.repeat), INKS)
    assert max(large.width_px, large.height_px) == 1000
    png = preview_png(shown, columns=1, rows=1, width_px=200, colours=np.zeros((0, 3), np.uint8))
    assert Image.open(io.BytesIO(png)).size[0] == 200


def test_the_differences_are_those_of_the_printed_colours(design, assessed):
    found = differences(design, INKS, assessed.separation)
    shown = delta_e_2000(srgb_to_lab(design.rgb), srgb_to_lab(assessed.shown.rgb))
    assert found.mean() == pytest.approx(shown.mean(), abs=0.6)  # a screen shows whole steps only
    assert finding(assessed, "gamut").measured.startswith(f"ΔE2000 {found.mean():.1f} mean")


def test_the_files_of_a_design_in_tones_carry_its_planes(tmp_path, design):
    job = job_for(SPEC, design)
    files = write_files(design, job=job, folder=tmp_path, formats=("tile", "ticket", "costing"))
    assert verify_files(files[-1].path) == []
    said = manifest_of(job, job.assessment.tile)["separations"]
    assert [each["sum"] for each in said] == [
        int(job.assessment.tile.planes[..., k].sum(dtype=np.int64)) for k in range(4)
    ]
