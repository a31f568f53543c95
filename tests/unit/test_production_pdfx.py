"""The cloth as PDF/X-4: ripped by Ghostscript, opened by other programs, and broken on purpose."""

import json
import shutil
import subprocess
import zlib
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pikepdf
import pypdfium2
import pytest
import tifffile
import zxingcpp
from django.core.management import call_command
from production_samples import INKS, job_for, print_spec, raster_for

from generation.domain.pattern import Layout, layout_tiling
from production.colour_profiles import PROFILES
from production.domain.ink_tile import InkTile
from production.domain.sheet import qr_modules
from production.domain.spec import Ink, Profile
from production.files import sha256_of
from production.formats.pdf import file as pdf_file
from production.formats.pdf.pdfx import PdfX, PdfXPages
from production.formats.pdf.preflight import RULES, preflight
from production.separation import ink_tile
from production.services import manifest_of

SIX_PROFILE = PROFILES / "reactive-cmykov-cotton-synthetic.icc"
SPOTS = ("Orange", "Deep Violet")
PROCESS = ("Cyan", "Magenta", "Yellow", "Black")
SPOT_LAB = ((65.0, 50.0, 65.0), (25.0, 35.0, -45.0))


def short_job(layout=Layout.HALF_DROP, **changes):
    """(design, job) of 95 mm of pattern on 120 mm of cloth: three repeats and a piece of a fourth."""
    line = {"width_mm": 30, "height_mm": 22, "quantity_m": 0.1, "layout": layout, **changes}
    spec = replace(print_spec(**line), width_mm=120.0, usable_width_mm=95.0)
    raster = raster_for(spec)
    return raster, job_for(spec, raster)


def in_six_inks(raster, job):
    """The job and its tile in six inks, every colour of the design some of each."""
    inks = (*INKS.inks, *(Ink(one[0], one, f"INK-{one[0]}", 10.0) for one in SPOTS))
    profile = Profile("Test profile of six inks, SYNTHETIC", sha256_of(SIX_PROFILE), SIX_PROFILE, synthetic=True)
    six = replace(INKS, code="RE-6", inks=inks, profile=profile)
    values = np.random.default_rng(5).integers(0, 256, (256, 6)).astype(np.uint8)
    lab = np.array([[55, -37, -50], [48, 74, -3], [89, -5, 93], [16, 0, 0], *SPOT_LAB], np.float64)
    return replace(job, spec=replace(job.spec, inks=six)), InkTile(values[raster.indices], inks, lab)


def made(folder, *, layout=Layout.HALF_DROP, six=False, form=None, **changes):
    """(path, job, tile, manifest) of a small cloth that was written."""
    raster, job = short_job(layout, **changes)
    tile = ink_tile(raster, job.spec.inks, job.assessment.separation)
    if six:
        job, tile = in_six_inks(raster, job)
    path = (form or PdfX()).write(tile, job, folder, lambda done, of: None)[0]
    return path, job, tile, json.loads(json.dumps(manifest_of(job, tile)))


def cloth_of(job, tile):
    """(rows, columns, inks): the sheet by brute force, from the tile's planes and the marks' dots."""
    sheet = job.sheet
    cloth = np.zeros((sheet.length_px, sheet.width_px, len(tile.inks)), np.uint8)
    width, length = sheet.pattern_width_px, sheet.pattern_length_px
    columns, rows = -(-width // tile.width_px), -(-length // tile.height_px)
    pattern = layout_tiling(tile.planes, sheet.layout, columns, rows)[:length, :width]
    cloth[sheet.y_px : sheet.y_px + length, sheet.x_px : sheet.x_px + width] = pattern
    for mark in sheet.marks:
        across = slice(mark.x_px, mark.x_px + mark.width_px)
        cloth[mark.y_px : mark.y_px + mark.height_px, across][mark.dots()] = mark.ink
    return cloth


def program(name):
    if not (found := shutil.which(name)):
        pytest.skip(f"{name} is not installed: what it would read back from the PDF/X-4 is left out")
    return found


def ripped(path, names, folder, *, dpi=300):
    """(rows, columns, inks) of all pages below each other, as Ghostscript separates them; 255 is full ink."""
    folder.mkdir()
    subprocess.run(
        [
            *(program("gs"), "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=tiffsep", f"-r{dpi}"),
            *("-dPrintSpotCMYK", f"-dMaxSpots={max(0, len(names) - 4)}", "-sCompression=none"),
            *(f"-sOutputFile={folder}/page%d.tif", path),
        ],
        check=True,
        capture_output=True,
    )
    with pikepdf.open(path) as pdf:
        pages = []
        for count, page in enumerate(pdf.pages, 1):
            unit = Decimal(page.obj.get("/UserUnit", 1)) * dpi / 72
            foot, top, whole = (round(Decimal(v) * unit) for v in (page.TrimBox[1], page.TrimBox[3], page.MediaBox[3]))
            planes = [255 - tifffile.imread(folder / f"page{count}({name}).tif") for name in names]
            pages.append(np.stack(planes, axis=-1)[whole - top : whole - foot])
    return np.concatenate(pages)


# ------------------------------------------------------------------------------------------------------ on the press


@pytest.mark.parametrize("six", [False, True], ids=["CMYK", "six inks"])
@pytest.mark.parametrize("layout", list(Layout))
def test_a_rip_prints_the_very_pixels_of_the_tile_in_every_layout(layout, six, tmp_path):
    path, job, tile, _ = made(tmp_path, layout=layout, six=six)
    names = (*PROCESS, *(SPOTS if six else ()))
    printed, meant = ripped(path, names, tmp_path / "rip"), cloth_of(job, tile)
    assert printed.shape == meant.shape
    assert [int(np.count_nonzero(printed[..., k] != meant[..., k])) for k in range(len(names))] == [0] * len(names)


def test_the_comparison_with_the_rip_sees_one_pixel(tmp_path):
    path, job, tile, _ = made(tmp_path)
    tile.planes[3, 5, 1] ^= 1
    printed, meant = ripped(path, PROCESS, tmp_path / "rip"), cloth_of(job, tile)
    assert 0 < np.count_nonzero(printed != meant) < 100
    assert np.array_equal(printed[..., [0, 2, 3]], meant[..., [0, 2, 3]])


@pytest.mark.parametrize("form", [PdfX(), PdfXPages()], ids=["one page", "pages"])
def test_six_metres_rip_to_the_last_row_on_one_page_or_on_two(form, tmp_path):
    raster, job = short_job(Layout.THIRD_DROP, quantity_m=5.3)
    spec = replace(job.spec, dpi=75.0, width_mm=60.0, usable_width_mm=45.0)  # coarse: the RIP draws every pixel of it
    job = replace(job, spec=spec)
    tile = ink_tile(raster, spec.inks, job.assessment.separation)
    path = form.write(tile, job, tmp_path, lambda done, of: None)[0]
    with pikepdf.open(path) as pdf:
        units = [int(page.obj.get("/UserUnit", 1)) for page in pdf.pages]
        assert all(page.MediaBox[3] <= 14400 for page in pdf.pages)
        lengths = [
            float(page.TrimBox[3] - page.TrimBox[1]) * unit / 72 * 75
            for page, unit in zip(pdf.pages, units, strict=True)
        ]
    assert units == ([2] if form.code == "pdfx" else [1, 1])
    assert sum(lengths) == pytest.approx(job.sheet.length_px)
    if form.code == "pdfx_pages":
        assert (round(lengths[0]) - job.sheet.y_px) % tile.height_px == 0  # cut at the foot of a repeat
    assert np.array_equal(ripped(path, PROCESS, tmp_path / "rip", dpi=75), cloth_of(job, tile))
    found = form.verify(path, json.loads(json.dumps(manifest_of(job, tile))))
    assert {each.code for each in found} == {"pdfx_resolution"}  # 75 dpi is coarse for cloth; all else is as meant


def test_register_marks_print_in_every_ink_and_the_slug_stays_off_the_cloth(tmp_path):
    path, *_ = made(tmp_path, six=True)
    folder = tmp_path / "rip"
    ripped(path, (*PROCESS, *SPOTS), folder)
    head = round(36 / 25.4 * 300)
    corner = [tifffile.imread(folder / f"page1({each}).tif")[:head, :200] < 255 for each in (*PROCESS, *SPOTS)]
    assert corner[0].any()
    assert all(np.array_equal(corner[0], each) for each in corner)


# ---------------------------------------------------------------------------------------------- in other programs


@pytest.mark.parametrize("six", [False, True], ids=["CMYK", "six inks"])
def test_other_programs_find_nothing_wrong_and_every_font_inside(six, tmp_path):
    path, *_ = made(tmp_path, six=six)
    checked = subprocess.run([program("qpdf"), "--check", path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    fonts = subprocess.run([program("pdffonts"), path], capture_output=True, text=True, check=True).stdout
    rows = fonts.splitlines()[2:]
    assert rows
    assert all("yes yes yes" in row for row in rows)  # embedded, a subset, with its characters


def test_the_codes_of_the_slug_and_of_the_cloth_decode_at_200_dpi(tmp_path):
    path, job, *_ = made(tmp_path)
    with pypdfium2.PdfDocument(path) as document:
        shown = document[0].render(scale=200 / 72).to_pil()
        said = document[0].get_textpage().get_text_bounded()
    codes = {code.text for code in zxingcpp.read_barcodes(shown) if code.format == zxingcpp.BarcodeFormat.QRCode}
    assert job.url in codes
    assert "WL-000001-1 r1" in said


@pytest.mark.parametrize("number", range(1, 13))
def test_every_code_on_cloth_is_square_and_decodes(number):
    code = f"WL-{number}-r1"  # some have a row without a dark cell
    modules = qr_modules(code)
    assert modules.shape[0] == modules.shape[1]
    shown = np.pad(np.where(np.kron(modules, np.ones((6, 6), bool)), 0, 255).astype(np.uint8), 30, constant_values=255)
    assert [each.text for each in zxingcpp.read_barcodes(shown)] == [code]


def test_a_name_in_another_script_or_out_of_bounds_still_prints(tmp_path):
    raster, job = short_job()
    job = replace(job, reference="WL (1) \\ Ω", customer="漢字" * 400 + "\x00", lots=())
    tile = ink_tile(raster, job.spec.inks, job.assessment.separation)
    path = PdfX().write(tile, job, tmp_path, lambda done, of: None)[0]
    assert preflight(path) == []
    with pikepdf.open(path) as pdf:
        assert str(pdf.docinfo.Title) == "WL (1) \\ Ω r1"


# --------------------------------------------------------------------------------------- read back by other code


def test_a_large_picture_packed_in_bands_is_one_stream_and_comes_apart_as_it_was():
    planes = np.random.default_rng(3).integers(0, 5, (2300, 1250, 6)).astype(np.uint8)
    assert planes.nbytes > 2 * pdf_file._BAND_BYTES
    told = []
    packed = b"".join(pdf_file.picture(planes, lambda done, of: told.append((done, of))))
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(2300, -1)
    assert (rows[:, 0] == 2).all()  # PNG's filter Up
    assert np.array_equal(np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(planes.shape), planes)
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("six", [False, True], ids=["CMYK", "six inks"])
def test_six_inks_are_named_and_their_profile_lies_beside(six, tmp_path):
    path, job, _, manifest = made(tmp_path, six=six)
    with pikepdf.open(path) as pdf:
        space = pdf.pages[0].Resources.XObject.Repeat1.ColorSpace
        intent = pdf.Root.OutputIntents[0].DestOutputProfile.read_bytes()
        names = [str(each) for each in space[1]] if six else []
    assert intent[12:20] == b"prtrCMYK"
    beside = path.with_name(f"{job.name}-inks.icc")
    assert beside.exists() == six
    if six:
        assert names == [f"/{each}" for each in (*PROCESS, *SPOTS)]
        assert beside.read_bytes() == SIX_PROFILE.read_bytes()
        assert PdfX().verify(beside, manifest) == []
        beside.write_bytes(intent)
        assert [each.code for each in PdfX().verify(beside, manifest)] == ["file_profile"]


def moved_repeat(pdf):
    """The second repeat, one pixel to the right."""
    page = pdf.pages[0]
    lines = page.Contents.read_bytes().split(b"\n")
    at = [k for k, line in enumerate(lines) if b"/Repeat1 Do" in line][1]
    words = lines[at].split()
    words[5] = str(int(words[5]) + 1).encode()
    lines[at] = b" ".join(words)
    page.Contents = pdf.make_stream(b"\n".join(lines))


def one_repeat_less(pdf):
    page = pdf.pages[0]
    lines = page.Contents.read_bytes().split(b"\n")
    del lines[next(k for k, line in enumerate(lines) if b"/Repeat1 Do" in line)]
    page.Contents = pdf.make_stream(b"\n".join(lines))


def drawn_over(pdf):
    page = pdf.pages[0]
    page.Contents = pdf.make_stream(page.Contents.read_bytes() + b"\n0 0 0 1 k 700 700 3 3 re f\n")


def another_profile(pdf):
    stream = pdf.Root.OutputIntents[0].DestOutputProfile
    data = bytearray(stream.read_bytes())
    data[-1] ^= 1
    stream.write(bytes(data))


def longer(pdf):
    for box in ("/MediaBox", "/TrimBox", "/BleedBox"):
        pdf.pages[0].obj[box][3] += Decimal("0.24")


def half_a_pixel(pdf):
    for box in ("/MediaBox", "/TrimBox", "/BleedBox"):
        pdf.pages[0].obj[box][3] += Decimal("0.12")


def turned(pdf):
    pdf.pages[0].obj.Rotate = 180


def inverted(pdf):
    repeat = pdf.pages[0].obj.Resources.XObject["/Repeat1"]
    repeat.Decode = [1, 0] * (4 if repeat.ColorSpace == "/DeviceCMYK" else 6)


def without_the_darkest(pdf):
    repeat = pdf.pages[0].obj.Resources.XObject["/Repeat1"]
    repeat.Mask = [255, 255] * (4 if repeat.ColorSpace == "/DeviceCMYK" else 6)


def overprinted(pdf):
    pdf.pages[0].obj.Resources.ExtGState = pikepdf.Dictionary(G=pikepdf.Dictionary(op=True, OPM=1))


WRONG_CLOTH = {
    "upside down": (turned, "file_boxes"),
    "the inks the other way round": (inverted, "file_structure"),
    "a colour left out": (without_the_darkest, "file_structure"),
    "printed over what is there": (overprinted, "file_structure"),
    "a repeat one pixel aside": (moved_repeat, "file_placements"),
    "a repeat missing": (one_repeat_less, "file_placements"),
    "something drawn over the cloth": (drawn_over, "file_placements"),
    "another profile": (another_profile, "file_profile"),
    "one row more": (longer, "file_boxes"),
    "half a row more": (half_a_pixel, "file_boxes"),
}


@pytest.mark.parametrize("six", [False, True], ids=["CMYK", "six inks"])
@pytest.mark.parametrize("what", WRONG_CLOTH)
def test_a_cloth_that_is_not_the_one_meant_is_told(what, six, tmp_path):
    change, code = WRONG_CLOTH[what]
    path, _, _, manifest = made(tmp_path, six=six)
    assert PdfX().verify(path, manifest) == []
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        change(pdf)
        pdf.save(path)
    assert preflight(path) == []  # it is PDF/X-4 all the same
    assert code in [each.code for each in PdfX().verify(path, manifest)]


@pytest.mark.parametrize("key", ["px", "ink", "dots"])
def test_a_mark_that_is_not_the_one_meant_is_told(key, tmp_path):
    path, _, _, manifest = made(tmp_path)
    mark = manifest["sheet"]["marks"][3]
    mark[key] = mark[key] + 1 if key == "dots" else [mark[key][0] + 1, *mark[key][1:]]
    assert [each.code for each in PdfX().verify(path, manifest)] == ["file_marks"]


# ------------------------------------------------------------------------------------------------------- preflight


def stream_of(pdf, data=b"x", **entries):
    stream = pdf.make_stream(data)
    for key, value in entries.items():
        stream[f"/{key}"] = value
    return stream


def in_xmp(old, new):
    def change(pdf):
        data = pdf.Root.Metadata.read_bytes()
        assert old in data
        pdf.Root.Metadata = stream_of(pdf, data.replace(old, new), Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)

    return change


def on_page(key, value):
    def change(pdf):
        pdf.pages[0].obj[key] = value(pdf) if callable(value) else value

    return change


def in_repeat(key, value):
    def change(pdf):
        pdf.pages[0].Resources.XObject.Repeat1[key] = value(pdf) if callable(value) else value

    return change


def with_state(**entries):
    def change(pdf):
        state = pikepdf.Dictionary({f"/{key}": value for key, value in entries.items()})
        pdf.pages[0].Resources.ExtGState = pikepdf.Dictionary(G=state)

    return change


def with_content(added):
    def change(pdf):
        page = pdf.pages[0]
        page.Contents = pdf.make_stream(page.Contents.read_bytes() + added)

    return change


def no_program(pdf):
    font = pdf.pages[0].Resources.Font.F.DescendantFonts[0]
    del font.FontDescriptor.FontFile2


def no_version_key(pdf):
    del pdf.trailer.Info.Trapped


def rgb_profile(pdf):
    profile = pdf.Root.OutputIntents[0].DestOutputProfile
    data = profile.read_bytes()
    profile.write(data[:16] + b"6CLR" + data[20:])


def display_profile(pdf):
    profile = pdf.Root.OutputIntents[0].DestOutputProfile
    data = profile.read_bytes()
    profile.write(data[:12] + b"mntr" + data[16:])


def coarse(pdf):
    page = pdf.pages[0].obj
    page.UserUnit = 3


def lzw(pdf):
    repeat = pdf.pages[0].Resources.XObject.Repeat1
    repeat.write(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", filter=pikepdf.Name.LZWDecode)


def add_form(**entries):
    def change(pdf):
        form = stream_of(
            pdf,
            b"",
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=pikepdf.Array([0, 0, 1, 1]),
            **{key: value(pdf) if callable(value) else value for key, value in entries.items()},
        )
        pdf.pages[0].Resources.XObject["/Form"] = form

    return change


def undescribed(pdf):
    array = pikepdf.Array(
        [pikepdf.Name.DeviceN, pikepdf.Array([pikepdf.Name.Gold]), pikepdf.Name.DeviceCMYK, pikepdf.Dictionary()]
    )
    pdf.pages[0].Resources.ColorSpace["/Other"] = array


def action(kind):
    return pikepdf.Dictionary(S=pikepdf.Name(f"/{kind}"), JS=pikepdf.String("app.alert(1)"))


def trim_box(*sides):
    return on_page("/TrimBox", pikepdf.Array(sides))


NOTE = pikepdf.Array(
    [pikepdf.Dictionary(Subtype=pikepdf.Name.Text, Rect=pikepdf.Array([50, 200, 80, 230]), Contents="look")]
)
BROKEN = {
    "no name of the standard": (in_xmp(b"PDF/X-4", b"PDF/X-3"), "identification", "6.11"),
    "no document number": (in_xmp(b"xmpMM:DocumentID", b"xmpMM:Other"), "identification", "6.11"),
    "no metadata at all": (lambda pdf: pdf.Root.__delitem__("/Metadata"), "identification", "6.11"),
    "another title outside": (lambda pdf: pdf.trailer.Info.__setitem__("/Title", "x"), "information", "6.11"),
    "another date outside": (
        lambda pdf: pdf.trailer.Info.__setitem__("/ModDate", "D:20200101000000Z"), "information", "6.11",
    ),
    "no word on trapping": (no_version_key, "trapped", "6.9"),
    "trapped in one place only": (in_xmp(b"Trapped>False", b"Trapped>True"), "trapped", "6.9"),
    "no output intent": (lambda pdf: pdf.Root.__delitem__("/OutputIntents"), "output_intent", "6.4"),
    "two output intents": (
        lambda pdf: pdf.Root.OutputIntents.append(pdf.Root.OutputIntents[0]), "output_intent", "6.4",
    ),
    "an output intent of six inks": (rgb_profile, "output_intent", "6.4"),
    "a screen's profile": (display_profile, "output_intent", "6.4"),
    "no trim box": (lambda pdf: pdf.pages[0].obj.__delitem__("/TrimBox"), "boxes", "6.12"),
    "trim and art box": (on_page("/ArtBox", pikepdf.Array([1, 90, 9, 99])), "boxes", "6.12"),
    "a trim box outside": (trim_box(-5, 100, 50, 200), "boxes", "6.12"),
    "a crop box that cuts": (on_page("/CropBox", pikepdf.Array([10, 10, 50, 60])), "boxes", "6.12"),
    "a font that is not inside": (no_program, "fonts", "6.5"),
    "screen colours": (with_content(b" 1 0 0 rg 0 0 1 1 re f"), "colours", "6.4"),
    "a picture in RGB": (in_repeat("/ColorSpace", pikepdf.Name.DeviceRGB), "colours", "6.4"),
    "a spot that nothing describes": (undescribed, "colours", "6.4"),
    "a coarse picture": (coarse, "resolution", "house rule"),
    "a picture to be smoothed": (in_repeat("/Interpolate", True), "smoothing", "house rule"),
    "LZW": (lzw, "compression", "6.8"),
    "a stream elsewhere": (in_repeat("/F", pikepdf.String("picture.bin")), "outside_files", "6.7"),
    "OPI": (in_repeat("/OPI", pikepdf.Dictionary()), "outside_files", "6.7"),
    "a page of another file": (add_form(Ref=pikepdf.Dictionary()), "outside_files", "6.7"),
    "PostScript": (add_form(PS=lambda pdf: pdf.make_stream(b"showpage")), "postscript", "6.14"),
    "an alternate picture": (in_repeat("/Alternates", pikepdf.Array()), "alternates", "6.16"),
    "a transfer curve": (with_state(TR=pikepdf.Name.Identity), "graphics_state", "6.13"),
    "a newer transfer curve": (with_state(TR2=pikepdf.Name.Identity), "graphics_state", "6.13"),
    "a note on the cloth": (on_page("/Annots", NOTE), "notes", "6.17"),
    "JavaScript": (lambda pdf: pdf.Root.__setitem__("/OpenAction", action("JavaScript")), "actions", "6.18"),
    "an action on a page": (on_page("/AA", pikepdf.Dictionary(O=action("Named"))), "actions", "6.18"),
    "half transparent ink": (with_state(ca=Decimal("0.5")), "transparency", "6.20"),
    "a blend": (with_state(BM=pikepdf.Name.Multiply), "transparency", "6.20"),
    "a soft mask": (in_repeat("/SMask", lambda pdf: pdf.make_stream(b"")), "transparency", "6.20"),
    "layers that switch": (
        lambda pdf: pdf.Root.__setitem__(
            "/OCProperties", pikepdf.Dictionary(D=pikepdf.Dictionary(AS=pikepdf.Array()))
        ),
        "optional_content", "6.24",
    ),
    "an XFA form": (
        lambda pdf: pdf.Root.__setitem__("/AcroForm", pikepdf.Dictionary(XFA=pikepdf.Array())), "forms", "6.26",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A PDF/X-4 without fault in six inks."""
    return made(tmp_path_factory.mktemp("whole"), six=True)[0]


def test_a_file_of_ours_has_no_fault(whole):
    assert preflight(whole) == []


@pytest.mark.parametrize("what", BROKEN)
def test_what_makes_a_file_no_pdfx_is_found_with_its_clause(what, whole, tmp_path):
    change, rule, clause = BROKEN[what]
    path = tmp_path / "broken.pdf"
    with pikepdf.open(whole) as pdf:
        change(pdf)
        pdf.save(path, static_id=True, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    found = preflight(path)
    assert f"pdfx_{rule}" in [each.code for each in found]
    assert all(clause in each.sentence for each in found if each.code == f"pdfx_{rule}")


def test_a_file_that_is_newer_locked_spoilt_or_cut_off_is_told(whole, tmp_path):
    path = tmp_path / "broken.pdf"
    with pikepdf.open(whole) as pdf:
        pdf.save(path, min_version="1.7")
        assert [each.code for each in preflight(path)] == ["pdfx_version"]
        pdf.save(path, encryption=pikepdf.Encryption(owner="o", user=""))
        assert [each.code for each in preflight(path)] == ["pdfx_encryption"]
        pdf.save(path, encryption=pikepdf.Encryption(owner="o", user="u"))
        assert [each.code for each in preflight(path)] == ["pdfx_encryption"]
    data = bytearray(whole.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    assert [each.code for each in preflight(path)] == ["pdfx_readable"]
    data[2000] ^= 1  # in the picture
    path.write_bytes(data)
    assert "pdfx_readable" in [each.code for each in preflight(path)]


def test_every_rule_of_the_preflight_has_been_broken_here():
    tried = {rule for _, rule, _ in BROKEN.values()} | {"version", "readable", "encryption"}
    known = {"identification" if rule.__name__ == "identifiers" else rule.__name__ for rule in RULES}
    assert known | {"encryption"} == tried


def test_the_preflight_answers_on_the_command_line(whole, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("preflight", str(whole))
    assert ended.value.code == 0
    assert "nothing against it" in capsys.readouterr().out
    broken = tmp_path / "broken.pdf"
    with pikepdf.open(whole) as pdf:
        no_program(pdf)
        pdf.save(broken)
    with pytest.raises(SystemExit) as ended:
        call_command("preflight", str(whole), str(broken), "--json")
    assert ended.value.code == 3
    found = json.loads(capsys.readouterr().out)
    assert found[str(whole)] == []
    assert [each["code"] for each in found[str(broken)]] == ["pdfx_fonts"]
