"""What every machine format keeps, run against each that is registered, and what each kind of file is."""

import json
import resource
import signal
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import pyvips
import tifffile
from django.conf import settings
from PIL import Image
from production_samples import PROFILE, flipped, job_for, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout
from production.domain.finding import Severity
from production.errors import DiskFull, ProductionError
from production.services import machine_format

SPECS = {"tile": print_spec, "loom": weave_spec}
CODES = sorted(settings.WEFTLINE["formats"])


def case(code, layout=None):
    spec = SPECS[code](**({"layout": layout} if layout else {}))
    raster = raster_for(spec)
    return machine_format(code), raster, job_for(spec, raster)


def errors(findings):
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def test_every_registered_format_is_tested_here():
    assert set(CODES) == set(SPECS)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("layout", list(Layout))
def test_what_was_written_reads_back_in_every_layout(code, layout, tmp_path):
    form, raster, job = case(code, layout)
    path = tmp_path / f"{job.name}{form.suffix}"
    form.write(raster, job, path)
    assert form.code == code
    assert errors(form.verify(path, raster, job)) == []
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("code", CODES)
def test_the_same_job_gives_the_same_bytes(code, tmp_path):
    form, raster, job = case(code)
    form.write(raster, job, tmp_path / f"a{form.suffix}")
    form.write(raster, job, tmp_path / f"b{form.suffix}")
    assert (tmp_path / f"a{form.suffix}").read_bytes() == (tmp_path / f"b{form.suffix}").read_bytes()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("part", [0.03, 0.3, 0.6, 0.9])
def test_a_flipped_bit_is_found(code, part, tmp_path):
    form, raster, job = case(code)
    path = tmp_path / f"whole{form.suffix}"
    form.write(raster, job, path)
    if code == "tile_tiff":  # in the picture's own bytes, wherever the profile lies
        with tifffile.TiffFile(path) as file:
            strips = list(zip(file.pages[0].dataoffsets, file.pages[0].databytecounts, strict=True))
        offset, count = strips[int(part * len(strips))]
        position = offset + count // 2
    else:
        position = int(path.stat().st_size * part)
    assert errors(form.verify(flipped(path, position), raster, job))


@pytest.mark.parametrize("code", CODES)
def test_half_a_file_is_found(code, tmp_path):
    form, raster, job = case(code)
    path = tmp_path / f"whole{form.suffix}"
    form.write(raster, job, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert errors(form.verify(path, raster, job))


@pytest.mark.parametrize("code", CODES)
def test_another_design_under_this_name_is_found(code, tmp_path):
    form, raster, job = case(code)
    path = tmp_path / f"whole{form.suffix}"
    form.write(raster, job, path)
    other = raster.indices.copy()
    other[5, 5] = (other[5, 5] + 1) % 4
    assert errors(form.verify(path, replace(raster, indices=other), job))


@pytest.mark.parametrize("code", CODES)
def test_a_full_disk_leaves_no_half_file(code, tmp_path):
    form, raster, job = case(code)
    path = tmp_path / f"whole{form.suffix}"
    limits, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(ProductionError) as refused:
            form.write(raster, job, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert refused.value.retryable
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", CODES)
def test_the_file_before_stays_whole_when_writing_it_again_fails(code, tmp_path):
    form, raster, job = case(code)
    path = tmp_path / f"whole{form.suffix}"
    form.write(raster, job, path)
    before = path.read_bytes()
    limits, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises((DiskFull, ProductionError)):
            form.write(raster, job, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before


# ------------------------------------------------------------------------------------------------ the print tile


@pytest.fixture
def tile(tmp_path):
    form, raster, job = case("tile_tiff")
    path = tmp_path / "tile.tif"
    form.write(raster, job, path)
    return path, raster, job


def test_three_readers_see_the_same_tile_pixel_for_pixel(tile):
    path, raster, job = tile
    expected = job.assessment.separation.values[raster.indices]
    vips = pyvips.Image.new_from_file(str(path))
    assert vips.interpretation == "cmyk"
    assert np.array_equal(vips.numpy(), expected)
    assert np.array_equal(tifffile.imread(path), expected)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        assert np.array_equal(np.asarray(image), expected)
        assert image.info["icc_profile"] == PROFILE.read_bytes()
        assert image.info["dpi"] == pytest.approx((300, 300), abs=1e-3)


def test_the_tile_is_a_classic_lzw_tiff_in_strips_with_the_stated_size(tile):
    path, _, job = tile
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert not file.is_bigtiff
        assert (page.compression.name, page.is_tiled, page.photometric.name) == ("LZW", False, "SEPARATED")
        assert page.imagelength % 2 == 0
        numerator, denominator = page.tags["XResolution"].value
        width_mm = page.imagewidth * 25.4 * denominator / numerator
    assert width_mm == pytest.approx(job.spec.printed_width_mm, abs=0.1)
    assert width_mm * (1 - job.spec.shrink_weft) == pytest.approx(40, abs=0.1)


def test_no_pixel_of_the_tile_is_over_the_ink_limit(tile):
    path, _, job = tile
    assert tifffile.imread(path).sum(axis=-1, dtype=int).max() * 100 / 255 <= job.spec.inks.tac_pct


def test_a_tile_over_the_ink_limit_is_refused(tile):
    path, raster, job = tile
    form = machine_format("tile_tiff")
    strict = replace(job, spec=replace(job.spec, inks=replace(job.spec.inks, tac_pct=100.0)))
    assert "file_ink_limit" in [finding.code for finding in form.verify(path, raster, strict)]


def test_a_tile_with_another_profile_resolution_or_colour_is_refused(tile, tmp_path):
    path, raster, job = tile
    form = machine_format("tile_tiff")
    with Image.open(path) as image:
        image.save(tmp_path / "profile.tif", compression="tiff_lzw", dpi=(300, 300), icc_profile=b"x" * 128)
        image.save(tmp_path / "dpi.tif", compression="tiff_lzw", dpi=(72, 72), icc_profile=PROFILE.read_bytes())
        image.convert("RGB").save(tmp_path / "rgb.tif", compression="tiff_lzw", dpi=(300, 300))
    for name, code in (("profile", "file_profile"), ("dpi", "file_size"), ("rgb", "file_structure")):
        found = form.verify(tmp_path / f"{name}.tif", raster, job)
        assert code in [finding.code for finding in found], name


# ------------------------------------------------------------------------------------------------ the loom package


def test_the_loom_package_holds_one_pixel_per_crossing(tmp_path):
    form, raster, job = case("point_paper", Layout.HALF_DROP)
    path = tmp_path / "loom.zip"
    form.write(raster, job, path)
    with zipfile.ZipFile(path) as package:
        specification = json.loads(package.read("spec.json"))
        with package.open("pointpaper.png") as file, Image.open(file) as paper:
            assert (paper.mode, paper.size) == ("P", (384, 192))
            assert paper.info["dpi"] == pytest.approx((32 * 2.54, 24 * 2.54), abs=0.1)
            pixels = np.asarray(paper)
        with package.open("lift.tif") as file, Image.open(file) as lift:
            assert (lift.mode, lift.size) == ("1", (384, 192))
    assert specification["repeat"]["ends"] == 384
    assert specification["repeat"]["design_repeats"] == [2, 1]
    half = pixels.shape[0] // 2
    assert np.array_equal(pixels[:, 192:], np.roll(pixels[:, :192], half, axis=0))
    assert [effect["colour"] for effect in specification["effects"]] == list(raster.palette.colours)


def test_black_in_the_lift_plan_is_warp_up(tmp_path):
    form, raster, job = case("point_paper")
    path = tmp_path / "loom.zip"
    form.write(raster, job, path)
    with zipfile.ZipFile(path) as package, package.open("lift.tif") as file, Image.open(file) as lift:
        up = ~np.asarray(lift)
    ground = up[raster.indices == 0].mean()  # the light ground is warp-faced satin: seven ends of eight on top
    assert ground == pytest.approx(7 / 8, abs=0.02)
