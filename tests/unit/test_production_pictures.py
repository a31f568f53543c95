"""Any picture file: read by the stated rules with a finding for each, or refused with a sentence."""

import io
import math
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from production_samples import PROFILE, petals, print_spec, weave_spec

from generation.domain.pattern import Layout, Limits, Palette, Raster, layout_tiling
from production.domain.colour import delta_e_2000, srgb_to_lab
from production.domain.finding import Severity
from production.domain.picture import Picture
from production.errors import (
    PictureColoursUnknown,
    PictureOutOfProportion,
    PictureProfileUnusable,
    PictureTooCoarse,
    PictureTooLarge,
    PictureTooSmall,
    PictureUnreadable,
    ProductionError,
    SeveralPictures,
)
from production.pictures import MOST_PIXELS, fit_to, read_picture

SPEC = print_spec(layout=Layout.STRAIGHT)
SIZE = (SPEC.width_px, SPEC.height_px)
CMYK_PROFILE = PROFILE.read_bytes()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def waves(width=SIZE[0], height=SIZE[1], dtype=np.uint8):
    """Tones that close in a straight repeat."""
    y, x = np.mgrid[:height, :width]
    across, down = 2 * np.pi * (x + 0.5) / width, 2 * np.pi * (y + 0.5) / height
    tones = [0.5 + 0.3 * np.sin(across + k) + 0.18 * np.cos(2 * down + k) for k in range(3)]
    return np.rint(np.stack(tones, axis=-1) * np.iinfo(dtype).max).astype(dtype)


def file_of(pixels, kind="PNG", mode=None, **save):
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode).save(buffer, kind, **save)
    return buffer.getvalue()


def tiff(pixels, **how):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **how)
    return buffer.getvalue()


def psd(channels, mode, *, depth=8, resources=b""):
    """A flat PSD of (C, H, W) uint8 in Photoshop's colour mode."""
    count, height, width = channels.shape
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", count, height, width, depth, mode)
    return head + bytes(4) + struct.pack(">I", len(resources)) + resources + bytes(4) + bytes(2) + channels.tobytes()


def matrix_profile(red, green, blue, gamma, *, kind=b"mntr", space=b"RGB "):
    """A small display profile with these primaries (XYZ under D50) and one gamma for all."""

    def curve():
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)

    def xyz(value):
        return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(v * 65536)) for v in value)

    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"Wide\0" + bytes(78)
    tags = [(b"desc", text + bytes(-len(text) % 4)), (b"wtpt", xyz((0.9642, 1.0, 0.8249)))]
    tags += [(name, xyz(value)) for name, value in ((b"rXYZ", red), (b"gXYZ", green), (b"bXYZ", blue))]
    tags += [(name, curve()) for name in (b"rTRC", b"gTRC", b"bTRC")]
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags:
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    head = struct.pack(">I4xI4s4s4s12x4s", offset + len(body), 0x02400000, kind, space, b"XYZ ", b"acsp")
    head += bytes(28) + b"".join(struct.pack(">i", round(v * 65536)) for v in (0.9642, 1.0, 0.8249))
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


# Adobe RGB (1998), annex C: colorant XYZ under D50, gamma 2.19921875
WIDE_GAMUT = matrix_profile((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.2)


def header_of(width, height):
    """A PNG that says it has this size, with nothing in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def read(data, spec=SPEC):
    design, findings = read_picture(data, spec=spec)
    assert (design.width_px, design.height_px) == (spec.width_px, spec.height_px)
    assert all(each.sentence.endswith(".") and each.measured and each.limit for each in findings)
    assert design.notes == tuple(each.sentence for each in findings)
    return design, {each.code: each for each in findings}


def refused(data, error, spec=SPEC):
    with pytest.raises(error) as caught:
        read_picture(data, spec=spec)
    assert caught.value.fields["field"] in ("picture", "repeat_mm")
    assert caught.value.fields["measured"]
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "WEBP"])
def test_a_picture_in_tones_comes_through_every_lossless_kind_of_file_as_it_is(kind):
    rgb = waves()
    design, said = read(file_of(rgb, kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert isinstance(design, Picture)
    assert (design.rgb == rgb).all()
    assert set(said) == {"picture_srgb", "picture_colours"}
    assert said["picture_srgb"].severity is Severity.INFO


def test_a_jpeg_comes_through_nearly_as_it_is():
    rgb = waves()
    design, _ = read(file_of(rgb, "JPEG", quality=95))
    assert np.abs(design.rgb.astype(int) - rgb).mean() < 2


def test_a_psd_is_read_by_its_flattened_picture():
    rgb = waves()
    design, _ = read(psd(np.moveaxis(rgb, 2, 0).copy(), 3))
    assert (design.rgb == rgb).all()


def test_a_psd_without_its_flattened_picture_is_refused():
    layers_only = b"8BIM" + struct.pack(">H", 1057) + bytes(2) + struct.pack(">I", 6) + bytes(4) + b"\0" + b"\0"
    data = psd(np.moveaxis(waves(), 2, 0).copy(), 3, resources=layers_only)
    assert "layers" in refused(data, PictureUnreadable).message


@pytest.mark.parametrize(("mode", "depth"), [(7, 8), (8, 8), (3, 16)])
def test_a_psd_of_spot_channels_or_sixteen_bit_is_refused(mode, depth):
    refused(psd(np.moveaxis(waves(), 2, 0).copy(), mode, depth=depth), PictureColoursUnknown)


def test_a_psd_with_spot_channels_beside_its_colours_is_refused():
    five = np.concatenate([np.moveaxis(waves(), 2, 0), np.moveaxis(waves()[..., :2], 2, 0)])
    refused(psd(five, 3), PictureColoursUnknown)
    refused(psd(five, 4), PictureColoursUnknown)


def test_sixteen_bits_stay_sixteen():
    rgb = waves(dtype=np.uint16)
    assert (rgb % 257).any()
    design, said = read(tiff(rgb, photometric="rgb"))
    assert design.rgb.dtype == np.uint16
    assert (design.rgb == rgb).all()
    assert said["picture_depth"].measured == "16 bit"


def test_a_palette_picture_keeps_its_colours_exactly_and_has_the_most_common_first():
    palette = Palette(("#f3efe6", "#2b3a4a", "#b3543c", "#7d9aa5"))
    indices = petals(*SIZE, colours=4, layout=Layout.STRAIGHT)
    picture = Image.frombytes("P", SIZE, indices.tobytes())
    picture.putpalette(palette.rgb().tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    design, said = read(buffer.getvalue())
    assert isinstance(design, Raster)
    assert (design.palette.rgb()[design.indices] == palette.rgb()[indices]).all()
    assert (np.diff(np.bincount(design.indices.ravel())) <= 0).all()
    assert said["picture_colours"].measured == "4 colours"


def test_few_colours_in_any_kind_of_file_make_an_indexed_design_and_one_more_does_not():
    colours = np.random.default_rng(2).integers(0, 256, (9, 3), dtype=np.uint8)
    stripes = colours[np.arange(SIZE[0]) * 8 // SIZE[0]][None].repeat(SIZE[1], axis=0)
    assert isinstance(read(file_of(stripes, "BMP"))[0], Raster)
    wide = stripes.astype(np.uint16) * 257
    assert isinstance(read(tiff(wide, photometric="rgb"))[0], Raster)
    more = stripes.copy()
    more[5, 5] = colours[8]
    assert isinstance(read(file_of(more))[0], Picture)


def test_grey_is_taken_as_screen_grey_and_said():
    grey = waves()[..., 0]
    design, said = read(file_of(grey))
    assert (design.rgb == grey[..., None]).all()
    assert said["picture_srgb"].measured == "grey without a profile"


def test_transparent_places_are_laid_on_white_with_a_warning():
    rgb = waves()
    alpha = np.full(SIZE[::-1], 255, np.uint8)
    opaque, said = read(file_of(np.dstack([rgb, alpha])))
    assert "picture_alpha" not in said
    assert (opaque.rgb == rgb).all()
    alpha[:100] = 0
    alpha[100:200] = 128
    design, said = read(file_of(np.dstack([rgb, alpha])))
    assert (design.rgb[:100] == 255).all()
    assert np.abs(design.rgb[100:200] - (rgb[100:200] * 128.0 + 255 * 127.0) / 255).max() <= 0.51
    assert (design.rgb[200:] == rgb[200:]).all()
    assert said["picture_alpha"].severity is Severity.WARNING


def test_premultiplied_transparency_is_laid_on_white_once():
    rgb, alpha = waves(), np.full((*SIZE[::-1], 1), 128, np.uint8)
    half = np.concatenate([np.rint(rgb * (128 / 255)).astype(np.uint8), alpha], axis=2)
    design, _ = read(tiff(half, photometric="rgb", extrasamples=["assocalpha"]))
    assert np.abs(design.rgb - (rgb * 128.0 + 255 * 127.0) / 255).max() <= 2


def test_an_srgb_profile_changes_nothing_whatever_its_name():
    rgb = waves()
    design, said = read(file_of(rgb, icc_profile=SRGB))
    assert (design.rgb == rgb).all()
    assert set(said) == {"picture_colours"}


def test_a_wider_profile_is_converted_by_littlecms_and_said():
    rgb = waves()
    design, said = read(file_of(rgb, "TIFF", icc_profile=WIDE_GAMUT))
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE
    meant = ImageCms.profileToProfile(
        Image.fromarray(rgb),
        ImageCms.ImageCmsProfile(io.BytesIO(WIDE_GAMUT)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=flags,
    )
    assert np.abs(design.rgb.astype(int) - np.asarray(meant)).max() <= 2
    assert np.abs(design.rgb.astype(int) - rgb).max() > 10
    assert "Wide" in said["picture_profile"].sentence


def test_cmyk_with_its_profile_becomes_what_its_inks_look_like():
    cmyk = np.dstack([waves(), np.zeros(SIZE[::-1], np.uint8)])
    design, said = read(file_of(cmyk, "TIFF", mode="CMYK", icc_profile=CMYK_PROFILE))
    meant = ImageCms.profileToProfile(
        Image.fromarray(cmyk, "CMYK"),
        ImageCms.ImageCmsProfile(io.BytesIO(CMYK_PROFILE)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert np.abs(design.rgb.astype(int) - np.asarray(meant)).mean() < 1
    assert "SYNTHETIC" in said["picture_profile"].sentence


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_without_a_profile_is_refused(kind):
    cmyk = np.dstack([waves(), waves()[..., :1]])
    assert "RGB" in refused(file_of(cmyk, kind, mode="CMYK"), PictureColoursUnknown).message


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lab_is_taken_under_d50(dtype):
    rgb = np.clip(waves(), 60, 200)
    lab = srgb_to_lab(rgb)
    if dtype == np.uint8:
        code = np.rint(np.stack([lab[..., 0] * 2.55, lab[..., 1], lab[..., 2]], axis=-1)).astype(int) & 255
        data = tiff(code.astype(np.uint8), photometric="cielab")
    else:
        code = np.rint(np.stack([lab[..., 0] * 655.35, lab[..., 1] * 256, lab[..., 2] * 256], axis=-1)).astype(int)
        data = tiff((code & 65535).astype(np.uint16), photometric="cielab")
    design, said = read(data)
    shown = np.rint(design.rgb / (1 if dtype == np.uint8 else 257)).astype(np.uint8)
    assert delta_e_2000(srgb_to_lab(shown), lab).mean() < 0.6
    assert said["picture_profile"].measured == "Lab"


def test_a_psd_in_lab_is_read_by_its_own_offsets():
    rgb = np.clip(waves(), 60, 200)
    lab = srgb_to_lab(rgb)
    code = np.rint(np.stack([lab[..., 0] * 2.55, lab[..., 1] + 128, lab[..., 2] + 128])).astype(np.uint8)
    design, said = read(psd(code, 9))
    shown = np.rint(design.rgb / (257 if design.rgb.dtype == np.uint16 else 1)).astype(np.uint8)
    assert delta_e_2000(srgb_to_lab(shown), lab).mean() < 0.6
    assert said["picture_profile"].measured == "Lab"


def test_a_camera_s_turn_is_done_before_anything_else():
    rgb = waves()
    exif = Image.Exif()
    exif[0x0112] = 3
    design, said = read(file_of(rgb, "JPEG", quality=97, exif=exif))
    assert np.abs(design.rgb[::-1, ::-1].astype(int) - rgb).mean() < 2
    assert "picture_turned" in said


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(100), "another kind"),
        (b"%PDF-1.7\n" + bytes(100), "a document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "a header alone"),
        (b"II*\0" + bytes(200), "no directory"),
        (b"BM" + bytes(200), "nothing in it"),
        (b"8BPS\0\1" + bytes(200), "nothing in it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_picture_is_refused(data, why):
    with pytest.raises(PictureUnreadable):
        read_picture(data, spec=SPEC)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_file_that_breaks_off_is_refused(kind, part):
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
    data = file_of(noise, kind)
    refused(data[: int(part * len(data))], PictureUnreadable)


def test_one_pixel_is_refused():
    assert "1 x 1 px" in refused(file_of(np.zeros((1, 1, 3), np.uint8)), PictureTooSmall).message
    refused(file_of(np.zeros((15, 400, 3), np.uint8)), PictureTooSmall)


@pytest.mark.parametrize(("width", "height"), [(40_000, 40_000), (40_000, 16), (12_000, 12_000)])
def test_a_picture_that_is_too_large_is_refused_by_its_header(width, height):
    error = refused(header_of(width, height), PictureTooLarge)
    assert f"{width} x {height} px" in error.message


def test_a_size_that_is_allowed_gets_past_the_header():
    side = int(MOST_PIXELS**0.5) - 1
    refused(header_of(side, side), PictureUnreadable)  # there is nothing in it


def test_a_bitmap_that_claims_to_be_huge_is_refused_by_its_header():
    head = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 40_000, 40_000, 1, 24, *[0] * 6)
    refused(head + bytes(100), PictureTooLarge)


def test_several_pictures_in_one_file_are_refused():
    pages = np.stack([waves(), waves()])
    refused(tiff(pages, photometric="rgb"), SeveralPictures)
    buffer = io.BytesIO()
    first, second = Image.fromarray(waves()), Image.fromarray(waves()[::-1])
    first.save(buffer, "WEBP", save_all=True, append_images=[second], lossless=True)
    refused(buffer.getvalue(), SeveralPictures)
    buffer = io.BytesIO()
    first.save(buffer, "PNG", save_all=True, append_images=[second])
    refused(buffer.getvalue(), SeveralPictures)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint32, np.int16])
def test_numbers_that_are_no_tones_are_refused(dtype):
    refused(tiff(waves().astype(dtype), photometric="rgb"), PictureColoursUnknown)


def test_channels_that_nobody_explains_are_refused():
    five = np.dstack([waves(), waves()[..., :2]])
    refused(tiff(five, photometric="rgb", extrasamples=["unspecified", "unspecified"]), PictureColoursUnknown)
    spot = np.dstack([waves(), waves()[..., :2]])
    refused(tiff(spot, photometric="separated", extrasamples=["unspecified"]), PictureColoursUnknown)
    refused(tiff(waves(), photometric="itulab"), PictureColoursUnknown)


@pytest.mark.parametrize("kind", [b"link", b"nmcl", b"abst"])
def test_a_profile_of_the_wrong_class_is_refused(kind):
    profile = WIDE_GAMUT[:12] + kind + WIDE_GAMUT[16:]
    assert "profile" in refused(file_of(waves(), icc_profile=profile), PictureProfileUnusable).message


def test_a_profile_of_other_colours_than_the_picture_s_is_refused():
    error = refused(file_of(waves(), "TIFF", icc_profile=CMYK_PROFILE), PictureProfileUnusable)
    assert "for CMYK" in error.message
    cmyk = np.dstack([waves(), waves()[..., :1]])
    refused(file_of(cmyk, "TIFF", mode="CMYK", icc_profile=SRGB), PictureProfileUnusable)
    refused(file_of(waves()[..., 0], "TIFF", icc_profile=SRGB), PictureProfileUnusable)


def test_an_output_profile_that_only_goes_one_way_is_refused():
    count = struct.unpack(">I", CMYK_PROFILE[128:132])[0]
    profile = bytearray(CMYK_PROFILE)
    for k in range(count):
        at = 132 + 12 * k
        if profile[at : at + 3] == b"A2B":
            profile[at : at + 4] = b"zzz" + profile[at + 3 : at + 4]
    cmyk = np.dstack([waves(), waves()[..., :1]])
    refused(file_of(cmyk, "TIFF", mode="CMYK", icc_profile=bytes(profile)), PictureProfileUnusable)


def test_a_damaged_profile_is_refused():
    for profile in (b"no profile" * 30, WIDE_GAMUT[:200], WIDE_GAMUT[:36] + b"xxxx" + WIDE_GAMUT[40:]):
        refused(file_of(waves(), "TIFF", icc_profile=profile), PictureProfileUnusable)


@pytest.mark.parametrize("layout", list(Layout))
def test_a_resized_picture_still_closes_in_its_layout(layout):
    spec = print_spec(layout=layout)
    x = np.arange(6 * 60) / 60
    cloth = 127 + 100 * np.sin(2 * np.pi * x)[None] * np.cos(2 * np.pi * x)[:, None]  # straight: closes in steps of 60
    tile = np.rint(np.dstack([cloth] * 3)).astype(np.uint8)
    resized, found = fit_to(Picture(tile, spec.repeat), spec)
    built = layout_tiling(resized.rgb.astype(int), layout, 2, 2)
    height, width = spec.height_px, spec.width_px
    across = np.abs(np.diff(built, axis=1)).mean(axis=(0, 2))
    down = np.abs(np.diff(built, axis=0)).mean(axis=(1, 2))
    assert across[width - 1] <= 1.3 * across.max()
    assert down[height - 1] <= 1.3 * down.max()
    assert across[width - 1] <= np.percentile(across, 99) * 1.25 + 0.5
    assert [each.code for each in found] == ["picture_resized"]


def test_resizing_agrees_with_resizing_the_cloth():
    spec = print_spec(layout=Layout.HALF_DROP)
    noise = np.random.default_rng(4).integers(0, 256, (240, 240, 3), dtype=np.uint8)
    tile, _ = fit_to(Picture(noise, spec.repeat), spec)
    cloth = layout_tiling(noise, Layout.HALF_DROP, 3, 3).astype(np.uint8)
    large = Image.fromarray(cloth).resize((3 * spec.width_px, 3 * spec.height_px), Image.Resampling.LANCZOS)
    middle = np.asarray(large)[spec.height_px : 2 * spec.height_px, spec.width_px : 2 * spec.width_px]
    assert spec.height_px % 2 == 0
    expected = np.roll(middle, -spec.height_px // 2, axis=0)  # the middle column stands half a repeat lower
    assert np.abs(tile.rgb.astype(int) - expected).max() <= 2


def test_a_resized_indexed_design_keeps_its_colours_and_closes():
    spec = print_spec(layout=Layout.HALF_DROP)
    small = petals(240, 240, colours=4)
    raster, found = fit_to(Raster(small, Palette(("#ffffff", "#101010", "#aa3030", "#30aa30")), spec.repeat, 0), spec)
    assert set(np.unique(raster.indices)) == set(np.unique(small))
    assert np.bincount(raster.indices.ravel()) / raster.indices.size == pytest.approx(
        np.bincount(small.ravel()) / small.size, abs=0.005
    )
    built = layout_tiling(raster.indices, Layout.HALF_DROP, 2, 2)
    changes = (np.diff(built, axis=1) != 0).mean(axis=0)
    assert changes[spec.width_px - 1] <= np.percentile(changes, 99) + 0.01
    assert [each.code for each in found] == ["picture_resized"]


def test_how_sharp_a_resized_picture_is_decides_what_is_said():
    def sized(dpi):
        side = math.ceil(max(SPEC.printed_width_mm, SPEC.printed_height_mm) / 25.4 * dpi)
        return file_of(waves(side, side))

    assert read(sized(200))[1]["picture_resized"].severity is Severity.INFO
    soft = read(sized(100))[1]["picture_resized"]
    assert soft.severity is Severity.WARNING
    assert soft.measured == "100 dpi"
    assert "60 dpi" in refused(sized(60), PictureTooCoarse).message


def test_a_picture_of_another_shape_is_drawn_out_a_little_with_a_warning_and_no_further():
    width, height = SIZE
    assert "picture_proportion" not in read(file_of(waves(width, width + 2)))[1]
    assert read(file_of(waves(width, round(width * 1.05))))[1]["picture_proportion"].severity is Severity.WARNING
    error = refused(file_of(waves(width, height * 2)), PictureOutOfProportion)
    assert "repeat of" in error.message


def test_a_picture_of_the_exact_size_is_not_touched():
    spec = print_spec(layout=Layout.STRAIGHT, width_mm=40, height_mm=30)
    rgb = waves(spec.width_px, spec.height_px)
    design, said = read(file_of(rgb), spec)
    assert (design.rgb == rgb).all()
    assert "picture_resized" not in said


def test_a_loom_gets_the_main_colours_one_for_each_weave():
    spec = weave_spec()
    design, said = read(file_of(waves(spec.width_px, spec.height_px)), spec)
    assert isinstance(design, Raster)
    assert 2 <= len(design.palette) <= spec.limits.max_colours
    assert said["picture_reduced"].severity is Severity.WARNING
    shown = design.palette.rgb()[design.indices]
    rgb = waves(spec.width_px, spec.height_px)
    others = np.stack([delta_e_2000(srgb_to_lab(c), srgb_to_lab(rgb[::9, ::9])) for c in design.palette.rgb()])
    near = delta_e_2000(srgb_to_lab(shown[::9, ::9]), srgb_to_lab(rgb[::9, ::9]))
    assert (near <= others.min(axis=0) + 3).mean() > 0.9


def test_a_flat_design_for_a_loom_is_brought_to_one_pixel_for_each_crossing():
    spec = weave_spec()
    indices = petals(spec.width_px * 2, spec.height_px * 2, colours=3, layout=Layout.STRAIGHT)
    rgb = Palette(("#ffffff", "#203040", "#a04030")).rgb()[indices]
    spec = replace(spec, repeat=replace(spec.repeat, width_mm=40.0, height_mm=20.0))
    design, said = read(file_of(rgb), spec)
    assert len(design.palette) == 3
    assert said["picture_resized"].measured == "2.00 pixels for each thread"


def test_the_same_picture_gives_the_same_design_and_a_path_is_read_too(tmp_path):
    spec = replace(SPEC, limits=Limits(max_colours=4))
    path = tmp_path / "design.png"
    path.write_bytes(file_of(waves(400, 400)))
    first, second = read_picture(path, spec=spec)[0], read_picture(path.read_bytes(), spec=spec)[0]
    assert (first.rgb == second.rgb).all()


def test_every_refusal_is_of_the_house_and_names_what_was_measured():
    for data in (b"", header_of(40_000, 16), file_of(np.zeros((1, 1, 3), np.uint8))):
        with pytest.raises(ProductionError) as caught:
            read_picture(data, spec=SPEC)
        assert caught.value.http_status == 400
        assert not caught.value.retryable
