"""Print files, seen by readers that did not write them: tifffile, libvips, Pillow, libtiff, psdtags, ImageMagick."""

import json
import shutil
import struct
import subprocess
from dataclasses import replace

import imagecodecs
import numpy as np
import psdtags
import pytest
import pyvips
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from production_samples import INKS, PROFILE, job_for, print_spec, raster_for

from generation.domain.pattern import Layout, layout_tiling
from production.cloth import rows
from production.domain.checks.seam import colour_difference, measure_ink_seams, measure_seams
from production.domain.colour import srgb_to_lab
from production.domain.edges import edges_of
from production.domain.finding import Severity
from production.domain.ink_tile import InkTile
from production.domain.sheet import Mark, Sheet
from production.domain.spec import Ink
from production.errors import (
    DiskFull,
    InkNameUnwritable,
    NoProcessInks,
    SpotNamesDoNotFit,
    SpotNeedsColours,
    TiffTooLarge,
    TooManySpots,
)
from production.formats.tiff.writing import Compression, Photometric, keep_classic, tags_of, write_tiff
from production.separation import ink_tile
from production.services import machine_format, manifest_of

IMAGEMAGICK = shutil.which("magick") or shutil.which("convert-im6.q16")  # `convert` may be anybody's
MORE = (Ink("O", "Orange", "INK-RE-O", 10.0), Ink("B", "Blue é 2", "INK-RE-B", 10.0))
SIX = replace(INKS, inks=(*INKS.inks, *MORE))
SIX_LAB = np.array([[55, -37, -50], [48, 74, -3], [89, -5, 93], [16, 0, 0], [62.25, 52.5, 60.75], [24, 22, -47.13]])
SPOTS = ("Ivory", "Ink Blue 7", "Mist", "Ochre")


@pytest.fixture
def four():
    """(tile, job) of a design in four process inks."""
    spec = print_spec()
    raster = raster_for(spec)
    job = job_for(spec, raster, spots=SPOTS)
    return ink_tile(raster, spec.inks, job.assessment.separation), job


@pytest.fixture
def six():
    """(tile, job) of a picture in tones and six inks."""
    spec = print_spec()
    raster = raster_for(spec)
    rng = np.random.default_rng(5)
    tones = rng.integers(0, 100, (spec.height_px, spec.width_px, 6)).astype(np.uint8)
    spec = replace(spec, inks=SIX)
    job = replace(job_for(print_spec(), raster), spec=spec)
    return InkTile(tones, SIX.inks, SIX_LAB), job


def narrow(job, length_m=0.12):
    """The job on little cloth: two repeats and a piece of a third across."""
    return replace(job, spec=replace(job.spec, quantity_m=length_m, width_mm=120.0, usable_width_mm=95.0))


def written(code, tile, job, folder):
    return machine_format(code).write(tile, job, folder, lambda done, of: None)


def said_of(tile, job):
    return json.loads(json.dumps(manifest_of(job, tile)))


def errors(code, path, said):
    return [f.code for f in machine_format(code).verify(path, said) if f.severity is Severity.ERROR]


def as_libtiff_sees(path):
    return imagecodecs.tiff_decode(path.read_bytes())


def resources_of(path):
    with tifffile.TiffFile(path) as file:
        blocks = psdtags.TiffImageResources.frombytes(bytes(file.pages[0].tags[34377].value)).blocks
    return {int(block.resourceid): block for block in blocks}


def brute_force(tile, sheet):
    """The whole sheet, built from whole repeats and the marks' dots."""
    across = sheet.pattern_width_px // tile.width_px + 2
    along = sheet.pattern_length_px // tile.height_px + 2
    cloth = layout_tiling(tile.planes, sheet.layout, across, along)
    built = np.zeros((sheet.length_px, sheet.width_px, tile.planes.shape[2]), np.uint8)
    inside = cloth[: sheet.pattern_length_px, : sheet.pattern_width_px]
    built[sheet.y_px : sheet.y_px + len(inside), sheet.x_px : sheet.x_px + inside.shape[1]] = inside
    for mark in sheet.marks:
        box = built[mark.y_px : mark.y_px + mark.height_px, mark.x_px : mark.x_px + mark.width_px]
        box[mark.dots()] = mark.ink
    return built


# ------------------------------------------------------------------------------------------------------------ the tile


def test_every_reader_sees_the_same_tile_pixel_for_pixel(four, tmp_path):
    tile, job = four
    [path] = written("tile", tile, job, tmp_path)
    vips = pyvips.Image.new_from_file(str(path))
    assert vips.interpretation == "cmyk"
    assert vips.get("icc-profile-data") == PROFILE.read_bytes()
    assert np.array_equal(vips.numpy(), tile.planes)
    assert np.array_equal(tifffile.imread(path), tile.planes)
    assert as_libtiff_sees(path).shape[:2] == tile.planes.shape[:2]
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        assert np.array_equal(np.asarray(image), tile.planes)
        assert image.info["icc_profile"] == PROFILE.read_bytes()
        assert image.info["dpi"] == pytest.approx((300, 300), abs=1e-3)


def test_the_tile_is_a_classic_lzw_tiff_in_strips_with_the_stated_size(four, tmp_path):
    tile, job = four
    [path] = written("tile", tile, job, tmp_path)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert (file.is_bigtiff, file.byteorder) == (False, "<")
        assert (page.compression.name, page.is_tiled, page.photometric.name) == ("LZW", False, "SEPARATED")
        assert page.predictor.name == "HORIZONTAL"
        assert page.imagelength % 2 == 0
        numerator, denominator = page.tags["XResolution"].value
        assert page.tags["ResolutionUnit"].value.name == "INCH"
        width_mm = page.imagewidth * 25.4 * denominator / numerator
    assert width_mm == pytest.approx(job.spec.printed_width_mm, abs=0.1)
    assert width_mm * (1 - job.spec.shrink_weft) == pytest.approx(40, abs=0.1)


def test_six_inks_are_cmyk_and_two_named_spots_to_every_reader(six, tmp_path):
    tile, job = six
    path, profile = written("tile", tile, job, tmp_path)
    vips = pyvips.Image.new_from_file(str(path))
    assert (vips.bands, vips.interpretation) == (6, "cmyk")
    assert np.array_equal(vips.numpy(), tile.planes)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert np.array_equal(page.asarray(), tile.planes)
        assert tuple(int(kind) for kind in page.extrasamples) == (0, 0)  # not alpha: no RIP takes an ink for a mask
        assert page.tags["InkSet"].value == 1
        assert 34675 not in page.tags
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        assert np.array_equal(np.asarray(image), tile.planes[..., :4])
    assert (profile.name, profile.read_bytes()) == (f"{job.name}.icc", PROFILE.read_bytes())


def test_the_spots_of_a_tile_carry_their_names_and_colours(six, tmp_path):
    tile, job = six
    path = written("tile", tile, job, tmp_path)[0]
    blocks = resources_of(path)
    assert list(blocks[1006].values) == ["Orange", "Blue é 2"]
    assert list(blocks[1045].values) == ["Orange", "Blue é 2"]
    shown = bytes(blocks[1077].value)
    assert int.from_bytes(shown[:4], "big") == 1
    entries = np.frombuffer(
        shown[4:], np.dtype([("space", ">u2"), ("lab", ">i2", 4), ("opacity", ">u2"), ("kind", "u1")])
    )
    assert entries["space"].tolist() == [7, 7]  # L*a*b*
    assert entries["kind"].tolist() == [2, 2]  # spot, neither kind of mask
    assert np.allclose(entries["lab"][:, :3] / 100, SIX_LAB[4:], atol=0.005)


def test_libtiff_takes_six_inks_without_a_warning(six, tmp_path):
    tile, job = six
    path = written("tile", tile, job, tmp_path)[0]
    if shutil.which("tiffinfo") is None:
        pytest.skip("tiffinfo is not installed: what libtiff reads of the tags is left out")
    told = subprocess.run(["tiffinfo", str(path)], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert "Samples/Pixel: 6" in told.stdout


def test_imagemagick_sees_the_tile_and_the_cloth_as_they_are(four, tmp_path):
    tile, job = four
    if IMAGEMAGICK is None:
        pytest.skip("ImageMagick is not installed")
    [path] = written("tile", tile, job, tmp_path)
    cloth = narrow(job)
    [long_path] = written("bigtiff", tile, cloth, tmp_path)
    for file, meant in ((path, tile.planes), (long_path, brute_force(tile, cloth.sheet))):
        run = [IMAGEMAGICK, str(file), "-depth", "8", "cmyk:-"]
        seen = subprocess.run(run, capture_output=True, check=True).stdout
        assert np.array_equal(np.frombuffer(seen, np.uint8).reshape(meant.shape), meant)


def test_a_tile_with_other_names_or_colours_of_its_spots_is_found(six, tmp_path):
    tile, job = six
    path = written("tile", tile, job, tmp_path)[0]
    for changed in ({"ink": "orange"}, {"lab": [62.25, 52.5, 60.0]}):
        said = said_of(tile, job)
        said["separations"][4] |= changed
        assert "file_channels" in errors("tile", path, said)
    assert errors("tile", path, said_of(tile, job)) in ([], ["seam_ink"])


def test_a_tile_that_vips_wrote_with_its_inks_as_alpha_is_found(six, tmp_path):
    tile, job = six
    image = pyvips.Image.new_from_array(tile.planes, interpretation="cmyk").copy(xres=300 / 25.4, yres=300 / 25.4)
    image.tiffsave(str(tmp_path / "alpha.tif"), compression="lzw", predictor="horizontal", resunit="inch")
    assert "file_structure" in errors("tile", tmp_path / "alpha.tif", said_of(tile, job))


def test_a_tile_over_the_ink_limit_is_found(four, tmp_path):
    tile, job = four
    [path] = written("tile", tile, job, tmp_path)
    assert tifffile.imread(path).sum(axis=-1, dtype=int).max() * 100 / 255 <= job.spec.inks.tac_pct
    strict = replace(job, spec=replace(job.spec, inks=replace(job.spec.inks, tac_pct=100.0)))
    assert "file_ink_limit" in errors("tile", path, said_of(tile, strict))


def test_a_tile_with_another_profile_resolution_or_colour_is_found(four, tmp_path):
    tile, job = four
    [path] = written("tile", tile, job, tmp_path)
    said = said_of(tile, job)
    with Image.open(path) as image:
        image.save(tmp_path / "profile.tif", compression="tiff_lzw", dpi=(300, 300), icc_profile=b"x" * 128)
        image.save(tmp_path / "dpi.tif", compression="tiff_lzw", dpi=(72, 72), icc_profile=PROFILE.read_bytes())
        image.convert("RGB").save(tmp_path / "rgb.tif", compression="tiff_lzw", dpi=(300, 300))
    for name, code in (("profile", "file_profile"), ("dpi", "file_size"), ("rgb", "file_structure")):
        assert code in errors("tile", tmp_path / f"{name}.tif", said), name


@pytest.mark.parametrize(
    ("tag", "value", "code"),
    [
        (254, 1, "file_structure"),  # a smaller copy of another picture
        (274, 3, "file_tags"),  # upside down
        (336, 255, "file_tags"),  # 255 is no ink
        (333, 0, "file_tags"),  # other names of the inks
    ],
)
@pytest.mark.parametrize("format_code", ["tile", "inks", "bigtiff"])
def test_a_tag_that_has_readers_print_something_else_is_found(tag, value, code, format_code, four, tmp_path):
    tile, job = four
    job = narrow(job)
    path, said = written(format_code, tile, job, tmp_path)[0], said_of(tile, job)
    assert errors(format_code, path, said) == []
    shape = "<HHQQ" if format_code == "bigtiff" else "<HHII"
    data, own = path.read_bytes(), struct.pack(shape, 254, 4, 1, 0)
    assert data.count(own) == 1
    path.write_bytes(data.replace(own, struct.pack(shape, tag, 4, 1, value)))
    assert errors(format_code, path, said) == [code]


@pytest.mark.parametrize("layout", list(Layout))
def test_the_seam_of_an_ink_in_tones_is_that_of_the_same_picture_in_levels(layout):
    plane = np.random.default_rng(2).integers(0, 40, (60, 48)).astype(np.uint8)
    levels = colour_difference(np.arange(40) * (100 / 255))
    for one, other in zip(
        measure_ink_seams(plane, layout), measure_seams(plane, layout, edges_of(plane, 40), levels), strict=True
    ):
        assert one.seam == pytest.approx(other.seam)
        assert one.interior == pytest.approx(other.interior)


def test_inks_that_do_not_begin_with_the_process_inks_are_refused(six, tmp_path):
    tile, job = six
    turned = replace(tile, inks=tile.inks[::-1])
    with pytest.raises(NoProcessInks) as refused:
        written("tile", turned, job, tmp_path)
    assert refused.value.fields["measured"][0] == "B"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Blau ", "藍", "x" * 64, "a\nb"])
def test_an_ink_whose_name_no_rip_would_read_again_is_refused(name, six, tmp_path):
    tile, job = six
    named = replace(tile, inks=(*tile.inks[:5], replace(tile.inks[5], name=name)))
    for code in ("tile", "inks"):
        with pytest.raises(InkNameUnwritable):
            written(code, named, job, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_more_than_four_gigabytes_are_refused_before_the_first_byte():
    keep_classic(2**32 - 1)
    with pytest.raises(TiffTooLarge) as refused:
        keep_classic(2**32)
    assert refused.value.fields["limit"] == "4294967295 bytes"


def test_strips_that_pack_badly_never_pass_four_gigabytes(tmp_path):
    class Huge(bytes):
        def __len__(self):
            return 2**32

    tags = tags_of(
        size_px=(1, 1),
        samples=1,
        photometric=Photometric.MIN_IS_BLACK,
        dpi=300,
        compression=Compression.NONE,
        strip_rows=1,
    )
    with pytest.raises(TiffTooLarge):
        write_tiff(tmp_path / "x.tif", tags, [Huge(b"")])
    write_tiff(tmp_path / "x.tif", tags, [Huge(b"")], big=True)


# ------------------------------------------------------------------------------------------------- one file per ink


def test_each_ink_is_a_film_with_the_ink_in_its_name_and_dark_where_it_prints(six, tmp_path):
    tile, job = six
    paths = written("inks", tile, job, tmp_path)
    assert [path.name for path in paths] == [
        f"{job.name}_({name}).tif" for name in ("Cyan", "Magenta", "Yellow", "Black", "Orange", "Blue é 2")
    ]
    for k, path in enumerate(paths):
        with Image.open(path) as image:
            assert image.mode == "L"
            assert image.tag_v2[262] == 1  # black is zero
            assert image.info["dpi"] == (300, 300)
            assert np.array_equal(255 - np.asarray(image), tile.planes[..., k])
        assert np.array_equal(255 - pyvips.Image.new_from_file(str(path)).numpy(), tile.planes[..., k])
        assert np.array_equal(255 - as_libtiff_sees(path), tile.planes[..., k])
        assert errors("inks", path, said_of(tile, job)) == []


def test_a_film_of_the_other_polarity_is_found(six, tmp_path):
    tile, job = six
    path = written("inks", tile, job, tmp_path)[0]
    tifffile.imwrite(
        path, tile.planes[..., 0], photometric="miniswhite", compression="lzw", resolution=(300, 300), resolutionunit=2
    )
    assert "file_structure" in errors("inks", path, said_of(tile, job))
    tifffile.imwrite(
        path, tile.planes[..., 0], photometric="minisblack", compression="lzw", resolution=(300, 300), resolutionunit=2
    )
    assert errors("inks", path, said_of(tile, job)) == ["file_pixels"]


def test_a_film_under_the_name_of_another_ink_is_found(six, tmp_path):
    tile, job = six
    cyan, magenta = written("inks", tile, job, tmp_path)[:2]
    cyan.replace(magenta)
    assert errors("inks", magenta, said_of(tile, job)) == ["file_pixels"]
    lost = magenta.rename(tmp_path / f"{job.name}_(Nobody).tif")
    assert errors("inks", lost, said_of(tile, job)) == ["file_channels"]


def test_two_inks_of_one_name_or_with_a_slash_are_refused(six, tmp_path):
    tile, job = six
    for name in ("Orange", "Blue/Green"):
        named = replace(tile, inks=(*tile.inks[:5], replace(tile.inks[5], name=name)))
        with pytest.raises(InkNameUnwritable):
            written("inks", named, job, tmp_path)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------ spot channels


def test_every_colour_has_its_own_spot_channel_and_the_process_inks_are_empty(four, tmp_path):
    tile, job = four
    spots, indexed = written("spot", tile, job, tmp_path)
    meant = np.zeros((*tile.indices.shape, 8), np.uint8)
    for k in range(4):
        meant[..., 4 + k] = 255 * (tile.indices == k)
    assert np.array_equal(tifffile.imread(spots), meant)
    assert np.array_equal(pyvips.Image.new_from_file(str(spots)).numpy(), meant)
    blocks = resources_of(spots)
    assert list(blocks[1006].values) == list(SPOTS) == list(blocks[1045].values)
    lab = np.frombuffer(bytes(blocks[1077].value)[4:], ">u2,>i2,>i2,>i2,>i2,>u2,u1")
    shown = np.array([[entry[1], entry[2], entry[3]] for entry in lab]) / 100
    assert np.allclose(shown, srgb_to_lab(tile.palette.rgb()), atol=0.006)
    with tifffile.TiffFile(spots) as file:
        assert 34675 not in file.pages[0].tags  # no ICC: the recipes decide
    with Image.open(indexed) as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), tile.indices)
        assert np.array_equal(np.asarray(image.convert("RGB")), tile.palette.rgb()[tile.indices])
    assert np.array_equal(pyvips.Image.new_from_file(str(indexed)).numpy()[..., :3], tile.palette.rgb()[tile.indices])


def test_spot_files_with_another_name_or_palette_are_found(four, tmp_path):
    tile, job = four
    spots, indexed = written("spot", tile, job, tmp_path)
    said = said_of(tile, job)
    said["spots"]["channels"][2]["name"] = "mist"
    assert "file_channels" in errors("spot", spots, said)
    said = said_of(tile, job)
    said["palette"][1] = "#000001"
    assert "file_channels" in errors("spot", indexed, said)


@pytest.mark.parametrize(
    "names", [(), SPOTS[:3], (*SPOTS, "One more"), ("Ivory", "Ivory", "Mist", "Ochre")], ids=["none", "3", "5", "twice"]
)
def test_spot_names_that_do_not_fit_the_colours_are_refused(names, four, tmp_path):
    tile, job = four
    with pytest.raises(SpotNamesDoNotFit) as refused:
        written("spot", tile, replace(job, spots=names), tmp_path)
    assert refused.value.fields["limit"] == "4 different names"
    assert list(tmp_path.iterdir()) == []


def test_spot_channels_of_tones_or_of_too_many_colours_are_refused(six, tmp_path):
    tile, job = six
    with pytest.raises(SpotNeedsColours):
        written("spot", tile, replace(job, spots=SPOTS), tmp_path)
    raster = raster_for(job.spec)
    nine = replace(raster.palette, colours=tuple(f"#00000{k}" for k in range(9)))
    many = replace(tile, indices=raster.indices, palette=nine)
    with pytest.raises(TooManySpots):
        written("spot", many, replace(job, spots=tuple("ABCDEFGHI")), tmp_path)


# ------------------------------------------------------------------------------------------------------- full length


@settings(max_examples=60, deadline=None)
@given(
    layout=st.sampled_from(list(Layout)),
    pattern_px=st.tuples(st.integers(1, 70), st.integers(1, 90)),
    cut=st.tuples(st.integers(0, 100), st.integers(1, 100)),
    seed=st.integers(0, 999),
)
def test_any_band_of_the_cloth_is_that_of_the_built_one(layout, pattern_px, cut, seed):
    rng = np.random.default_rng(seed)
    tile = InkTile(rng.integers(1, 256, (18, 14, 3)).astype(np.uint8), INKS.inks[:3], np.zeros((3, 3)))
    marks = (
        Mark("patch", "C", 9, 2, 3, 3, (9, 0, 0)),
        Mark("qr", "code", 1, 5, 6, 6, (0, 0, 7), rng.integers(0, 2, (3, 3)).astype(bool)),
    )
    width, length = pattern_px
    sheet = Sheet(300.0, width + 16, length + 20, 8, 12, width, length, (14, 18), layout, marks)
    top = min(cut[0], sheet.length_px - 1)
    bottom = min(top + cut[1], sheet.length_px)
    assert np.array_equal(rows(tile, sheet, top, bottom), brute_force(tile, sheet)[top:bottom])


@pytest.mark.parametrize("layout", list(Layout))
def test_the_whole_cloth_is_the_built_one_to_every_reader_and_its_ink_is_the_figure(layout, tmp_path):
    spec = print_spec(layout=layout, width_mm=30, height_mm=30)
    raster = raster_for(spec)
    job = narrow(job_for(spec, raster))
    tile = ink_tile(raster, spec.inks, job.assessment.separation)
    [packed_path] = written("bigtiff", tile, job, tmp_path)
    [plain_path] = written("bigtiff_raw", tile, job, tmp_path)
    built = brute_force(tile, job.sheet)
    for path in (packed_path, plain_path):
        with tifffile.TiffFile(path) as file:
            assert file.is_bigtiff
            assert np.array_equal(file.asarray(), built)
        assert np.array_equal(pyvips.Image.new_from_file(str(path)).numpy(), built)
    with Image.open(plain_path) as image:
        assert np.array_equal(np.asarray(image), built)
    ink = manifest_of(job, tile)["ink"]
    assert [each["pattern_sum"] + each["marks_sum"] for each in ink] == built.sum(axis=(0, 1), dtype=np.int64).tolist()
    pixel_m2 = (0.0254 / job.spec.dpi) ** 2
    for each, total in zip(ink, built.sum(axis=(0, 1), dtype=np.int64), strict=True):
        assert each["pattern_ml"] + each["marks_ml"] == pytest.approx(total / 255 * pixel_m2 * 10.0)
        assert each["ml"] == pytest.approx(each["pattern_ml"] + each["waste_ml"] + each["purge_ml"])


def test_no_strip_of_the_whole_cloth_is_shared(four, tmp_path):
    tile, job = four
    [path] = written("bigtiff", tile, narrow(job, 0.8), tmp_path)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        offsets, counts = np.array(page.dataoffsets), np.array(page.databytecounts)
    whole = path.read_bytes()
    data = [whole[offset : offset + count] for offset, count in zip(offsets, counts, strict=True)]
    assert (offsets[1:] >= offsets[:-1] + counts[:-1]).all()
    assert len(set(data)) < len(data)  # while the same bytes come back


def test_a_cloth_in_six_inks_reads_back_with_its_spots(six, tmp_path):
    tile, job = six
    path, profile = written("bigtiff", tile, narrow(job), tmp_path)
    assert np.array_equal(tifffile.imread(path), brute_force(tile, narrow(job).sheet))
    assert list(resources_of(path)[1045].values) == ["Orange", "Blue é 2"]
    said = said_of(tile, narrow(job))
    assert errors("bigtiff", path, said) == errors("bigtiff", profile, said) == []


@pytest.mark.parametrize(
    "change", ["pattern", "far_pattern", "bare", "mark", "moved_dot"], ids=lambda change: change.replace("_", " ")
)
def test_one_wrong_dot_anywhere_on_the_cloth_is_found(change, four, tmp_path):
    tile, job = four
    job = narrow(job)
    sheet = job.sheet
    built = brute_force(tile, sheet)
    qr = next(mark for mark in sheet.marks if mark.kind == "qr")
    y, x = {
        "pattern": (sheet.y_px + 3, sheet.x_px + 5),
        "far_pattern": (sheet.y_px + sheet.pattern_length_px - 2, sheet.x_px + sheet.pattern_width_px - 2),
        "bare": (sheet.length_px - 3, 7),
        "mark": (qr.y_px, qr.x_px),  # the corner of a finder pattern is dark
        "moved_dot": (qr.y_px, qr.x_px),
    }[change]
    built[y, x] = 0 if change == "moved_dot" else built[y, x] ^ 1
    path = tmp_path / f"{job.name}-full.tif"
    tifffile.imwrite(
        path,
        built,
        bigtiff=True,
        byteorder="<",
        photometric="separated",
        compression="zlib",
        predictor=True,
        rowsperstrip=64,
        resolution=(300, 300),
        resolutionunit=2,
        iccprofile=PROFILE.read_bytes(),
        metadata=None,
    )
    assert errors("bigtiff", path, said_of(tile, job))[0] == "file_pixels"


def test_a_cloth_that_another_program_wrote_passes_if_it_is_the_same(four, tmp_path):
    tile, job = four
    job = narrow(job)
    path = tmp_path / f"{job.name}-full.tif"
    image = pyvips.Image.new_from_array(brute_force(tile, job.sheet), interpretation="cmyk")
    image = image.copy(xres=300 / 25.4, yres=300 / 25.4)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", PROFILE.read_bytes())
    image.tiffsave(str(path), bigtiff=True, compression="deflate", predictor="horizontal", resunit="inch")
    assert errors("bigtiff", path, said_of(tile, job)) == []


@pytest.mark.parametrize("code", ["bigtiff", "bigtiff_raw"])
def test_a_cloth_longer_than_the_free_disk_is_refused_with_figure_limit_and_remedy(code, six, tmp_path):
    _, job = six
    noise = np.random.default_rng(7).integers(0, 256, (36, 12_000, 6)).astype(np.uint8)  # it does not pack
    tile = InkTile(noise, SIX.inks, SIX_LAB)
    job = replace(job, spec=replace(job.spec, width_px=12_000, height_px=36))
    row_bytes = round(5000 / 25.4 * 300) * 6
    metres = 2 * shutil.disk_usage(tmp_path).free / row_bytes * 25.4 / 300 / 1000
    long = replace(job, spec=replace(job.spec, quantity_m=metres, width_mm=5000.0, usable_width_mm=4900.0))
    told = []
    with pytest.raises(DiskFull, match="make room") as refused:
        machine_format(code).write(tile, long, tmp_path, lambda done, of: told.append(done))
    assert int(refused.value.fields["measured"].split()[0]) > int(refused.value.fields["limit"].split()[0])
    assert list(tmp_path.iterdir()) == []
    assert code == "bigtiff" or told == []  # nothing was written
