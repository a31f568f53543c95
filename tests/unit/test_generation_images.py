"""Reference pictures from outside: read with distrust, refused with a reason."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from generation.domain.pattern import Layout, Palette, Raster, Repeat
from generation.errors import UnreadableImage
from generation.images import indexed_png, read_indexed_png, read_master, read_reference


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(mode: str = "RGB") -> Image.Image:
    pixels = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    return Image.fromarray(np.stack([pixels, pixels * 2, 255 - pixels], axis=-1)).convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_the_four_formats_are_read_as_plain_pixels(kind):
    pixels = read_reference(encoded(gradient(), kind))
    assert pixels.shape == (40, 60, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("I;16", "PNG")]
)
def test_other_colour_modes_become_rgb(mode, kind):
    picture = gradient("L").convert("I").convert("I;16") if mode == "I;16" else gradient(mode)
    assert read_reference(encoded(picture, kind)).shape == (40, 60, 3)


def test_transparency_becomes_white():
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert (read_reference(encoded(clear, "PNG")) == 255).all()


def test_a_turned_photograph_is_turned_upright_and_its_metadata_forgotten():
    exif = Image.Exif()
    exif[274] = 6  # turn by a quarter
    assert read_reference(encoded(gradient(), "JPEG", exif=exif.tobytes())).shape == (60, 40, 3)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header_of(width: int, height: int) -> bytes:
    """A PNG whose header promises that size and whose data is next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def two_page_tiff() -> bytes:
    buffer = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(buffer, True) as writer:
        for _ in range(2):
            gradient().save(writer, "TIFF")
            writer.newFrame()
    return buffer.getvalue()


BAD = {
    "empty": b"",
    "text": b"this is not a picture at all",
    "truncated": encoded(gradient(), "PNG")[:90],
    "truncated_jpeg": encoded(gradient(), "JPEG")[:300],
    "bomb_header": png_header_of(60_000, 60_000),
    "just_over_the_limit": png_header_of(8_000, 6_000),
    "tiny": encoded(Image.new("RGB", (4, 4)), "PNG"),
    "gif_renamed": encoded(gradient("P"), "GIF"),
    "bmp_renamed": encoded(gradient(), "BMP"),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>",
    "script": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
    "several_frames": two_page_tiff(),
    "too_little_data": png_header_of(100, 100),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_what_can_not_be_read_is_refused_with_a_sentence_and_its_field(name):
    with pytest.raises(UnreadableImage) as refused:
        read_reference(BAD[name])
    assert refused.value.fields == {"field": "reference"}
    assert str(refused.value).endswith((".", ";"))
    assert refused.value.http_status == 400


@pytest.mark.parametrize("called", ["transparency", "xmp", "exif", "dpi", "icc_profile"])
def test_a_text_that_is_called_like_a_part_of_the_picture_misleads_nobody(called):
    about = PngInfo()
    about.add_text(called, "no such thing")
    for mode in ("RGB", "L", "P"):
        data = encoded(gradient(mode), "PNG", pnginfo=about)
        for read in (read_reference, read_master):
            with contextlib.suppress(UnreadableImage):
                assert read(data) is not None
    with_text = encoded(Image.fromarray(master().indices).convert("P"), "PNG", pnginfo=about)
    assert "dots per inch" in " ".join(read_master(with_text).notes)


def test_an_artwork_keeps_its_pixels_its_palette_and_its_size_in_the_file():
    indices = np.random.default_rng(0).integers(0, 3, (60, 50)).astype(np.uint8)
    raster = Raster(indices, Palette(("#f0e6d2", "#1e3c78", "#c85a28")), Repeat(50 * 25.4 / 300, 60 * 25.4 / 300), 1)
    data = indexed_png(raster)
    assert data == indexed_png(raster)
    back, palette = read_indexed_png(data)
    assert (back == indices).all()
    assert palette == raster.palette
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "P"
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def master(**more) -> Raster:
    indices = np.zeros((40, 60), np.uint8)
    indices[5:15], indices[20:23] = 1, 2
    palette = Palette(("#ffffff", "#203040", "#c03020"))
    return Raster(indices, palette, Repeat(60, 40, Layout.HALF_DROP), 1, **more)


def test_a_master_comes_back_with_colours_roles_layout_and_size():
    raster = read_master(indexed_png(master(roles=(0, 3, 1))))
    assert (raster.indices == master().indices).all()
    assert (raster.palette, raster.roles, raster.notes) == (master().palette, (0, 3, 1), ())
    assert raster.repeat.layout is Layout.HALF_DROP
    assert (raster.repeat.width_mm, raster.repeat.height_mm) == pytest.approx((60, 40), rel=0.01)


def test_a_master_that_lost_what_was_written_beside_it_is_read_by_area_and_says_so():
    with Image.open(io.BytesIO(indexed_png(master(roles=(1, 2, 0))))) as picture:
        bare = encoded(picture.copy(), "PNG", pnginfo=None, dpi=(0, 0))
    raster = read_master(bare)
    assert (raster.roles, raster.repeat.layout) == ((0, 1, 2), Layout.STRAIGHT)
    assert raster.repeat.width_mm == pytest.approx(60 / 300 * 25.4)
    assert len(raster.notes) == 3


def test_a_master_whose_pixels_have_no_colour_is_refused():
    whole = indexed_png(master())
    start = whole.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(whole[start : start + 4], "big")
    with pytest.raises(UnreadableImage):
        read_master(whole[:start] + chunk(b"PLTE", bytes(6)) + whole[end:])


def test_two_colours_that_say_they_play_one_role_are_told_apart_by_area():
    raster = read_master(indexed_png(master(roles=(0, 1, 1))))
    assert raster.roles == (0, 1, 2)
    assert "what each colour is for" in raster.notes[0]


@pytest.mark.parametrize(
    "picture",
    [
        gradient(),
        gradient("P"),
        Image.new("P", (20, 20)),
        Image.new("P", (20, 4)),
    ],
    ids=["photograph", "many colours", "one colour", "too small"],
)
def test_a_picture_that_is_no_master_is_refused(picture):
    with pytest.raises(UnreadableImage):
        read_master(encoded(picture, "PNG"))


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", indexed_png(master())[:-60], png_header_of(30_000, 30_000)],
    ids=["empty", "text", "cut off", "bomb"],
)
def test_a_broken_master_is_refused(data):
    with pytest.raises(UnreadableImage):
        read_master(data)
