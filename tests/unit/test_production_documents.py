"""Job ticket and costing as PDF: codes that scan, text that can't break them, the same bytes every time."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from bidi import get_display
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production_samples import NORDIC, job_for, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout, Palette, Raster
from production.documents import scripts
from production.documents.costing import costing_json, costing_of, costing_pdf
from production.documents.page import PAPERS, fitted, open_page, printable, text, width_of
from production.documents.parts import made_colours
from production.documents.quotation import quotation_pdf
from production.documents.reading import (
    check_costing,
    check_costing_json,
    check_quotation,
    check_strikeoff,
    check_ticket,
)
from production.documents.scripts import HOUSE, shaped, stretches
from production.documents.strikeoff import strikeoff_pdf
from production.documents.ticket import ticket_pdf
from production.domain.costing import Assumption, CostLine
from production.domain.picture import Picture
from production.domain.spec import Machine
from production.ports import LotUse, Provenance, WrittenFile

FILE = WrittenFile(Path("WL-000001-1-r1.tif"), "ab12" * 16, "tile", 1000)
FILES = (FILE,)
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (
    '<b>x</b><img src="/etc/passwd"/><para>&amp; </para> \x00\x07\x1b\r\n \u202eright to left \u05e9\u05dc\u05d5\u05dd '
    "\U0001f600\U0001f469\u200d\U0001f3a8 \u6f22\u5b57 \ud800 e\u0301 " + "w" * 10_000
)


@pytest.fixture(scope="module")
def printed():
    spec = print_spec()
    raster = raster_for(spec)
    return raster, job_for(spec, raster)


@pytest.fixture(scope="module")
def woven():
    spec = weave_spec(layout=Layout.HALF_DROP)
    raster = raster_for(spec)
    return raster, job_for(spec, raster)


def text_of(data):
    with pypdfium2.PdfDocument(data) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def fonts_of(data):
    """(name, embedded) of every font of a document."""
    with pikepdf.Pdf.open(io.BytesIO(data)) as pdf:
        for page in pdf.pages:
            for font in page.Resources.Font.values():
                whole = font.DescendantFonts[0] if "/DescendantFonts" in font else font
                yield str(font.BaseFont), "/FontFile2" in whole.FontDescriptor


def picture_of(data, *, dpi=200):
    with pypdfium2.PdfDocument(data) as document:
        return document[0].render(scale=dpi / 72).to_pil()


@pytest.mark.parametrize("kind", ["printed", "woven"])
def test_qr_and_code_128_decode_from_the_ticket_at_200_dpi(kind, request):
    raster, job = request.getfixturevalue(kind)
    found = {code.format.name: code.text for code in zxingcpp.read_barcodes(picture_of(ticket_pdf(raster, job, FILES)))}
    assert found == {"QRCode": job.url, "Code128": job.name}


def test_without_an_address_the_qr_code_holds_the_job(printed):
    raster, job = printed
    data = ticket_pdf(raster, replace(job, url=""), FILES)
    assert job.name in {code.text for code in zxingcpp.read_barcodes(picture_of(data)) if code.format.name == "QRCode"}


def test_the_ticket_says_everything_the_shop_floor_needs(printed):
    raster, job = printed
    said = " ".join(text_of(ticket_pdf(raster, job, FILES)).split())
    spec, usage = job.spec, job.assessment.usage
    for needed in (
        job.reference, "Revision 1", job.customer, job.order, spec.name, spec.sku, "R003", "PRT1", "Wed 2 Dec 2026",
        f"{spec.width_px} × {spec.height_px} px", f"{spec.repeat.width_mm:.2f} × {spec.repeat.height_mm:.2f} mm",
        "half-drop", f"{spec.scale_x:.4f}", "shrinkage".title(), "SYNTHETIC", spec.inks.profile.sha256[:24],
        FILE.path.name, FILE.sha256, job.provenance.sha256, job.provenance.fingerprint, "embedded, seed 7",
        f"{usage.fabric_length_m:.2f} m", "Pretreat", "Inspect and cut", "Tue 24 Nov 09:30", "page 1 of 1",
        *(colour.upper() for colour in raster.palette.colours), *(f"{ml:.1f} ml" for ml in usage.ink_ml.values()),
    ):  # fmt: skip
        assert needed in said, needed


def test_the_ink_percentages_on_the_ticket_are_those_of_the_separation(printed):
    raster, job = printed
    said = text_of(ticket_pdf(raster, job, FILES))
    for row in job.assessment.separation.percentages():
        assert " ".join(f"{value:.0f}" for value in row) in " ".join(said.split())


def test_a_woven_ticket_names_weaves_and_yarn(woven):
    raster, job = woven
    said = text_of(ticket_pdf(raster, job, FILES))
    assert all(weave.replace("_", " ") in said for weave in job.assessment.draft.weaves)
    assert all(f"{kg:.2f} kg" in said for kg in job.assessment.usage.yarn_kg.values())


@pytest.mark.parametrize("colours", [1, 8])
def test_one_or_eight_colours_stay_on_one_page_above_the_footer(colours, printed):
    _, job = printed
    palette = Palette((*NORDIC, "#101010", "#808080", "#d0d0d0")[:colours])
    indices = raster_for(job.spec).indices % colours
    raster = Raster(indices, palette, job.spec.repeat, 1)
    data = ticket_pdf(raster, job_for(job.spec, raster), FILES)
    with pypdfium2.PdfDocument(data) as document:
        assert len(document) == 1
        page = document[0].get_textpage()
        step = page.search("6.").get_next() or page.search("Inspect and cut").get_next()
        assert page.get_charbox(step[0])[1] > 31 * 72 / 25.4


@pytest.mark.parametrize("layout", list(Layout))
def test_every_layout_has_a_ticket(layout):
    spec = print_spec(layout=layout, width_mm=20, height_mm=30)
    raster = raster_for(spec)
    assert "20." in text_of(ticket_pdf(raster, job_for(spec, raster), FILES))


@pytest.mark.parametrize("kind", ["printed", "woven"])
def test_the_same_job_gives_the_same_bytes(kind, request):
    raster, job = request.getfixturevalue(kind)
    assert ticket_pdf(raster, job, FILES) == ticket_pdf(raster, job, FILES)
    assert costing_pdf(costing_of(job)) == costing_pdf(costing_of(job))


def test_all_fonts_are_embedded(printed):
    raster, job = printed
    for data in (
        ticket_pdf(raster, job, FILES), costing_pdf(costing_of(job)), quotation_pdf(raster, job),
        strikeoff_pdf(raster, job),
    ):  # fmt: skip
        fonts = dict(fonts_of(data))
        assert all(fonts.values()), fonts
        assert not any("Helvetica" in name for name in fonts)


def test_the_costing_shows_every_line_and_adds_up(printed):
    _, job = printed
    said = " ".join(text_of(costing_pdf(costing_of(job))).split())
    assert job.cost.lines[0].what in said
    assert "stock price" in said
    assert f"{job.cost.total:.2f}" in said
    assert f"{job.cost.price:.2f} EUR" in said
    assert "house default" in said


def test_a_long_costing_goes_over_pages_with_every_line_and_the_total_at_the_end(printed):
    _, job = printed
    lines = tuple(
        CostLine(f"l{k}", f"Line number {k}", Decimal(1), "m", Decimal(2), Decimal("2.00"), "stock") for k in range(90)
    )
    assumptions = tuple(Assumption(f"Assumption {k}", "1", "default") for k in range(12))
    data = costing_pdf(
        costing_of(replace(job, cost=replace(job.cost, lines=lines, total=Decimal(180), assumptions=assumptions)))
    )
    said = text_of(data)
    assert all(f"Line number {k}" in said for k in range(90))
    assert all(f"Assumption {k}" in said for k in range(12))
    with pypdfium2.PdfDocument(data) as document:
        assert len(document) == 3
        assert "Price in EUR" in document[2].get_textpage().get_text_range()


def hostile(job):
    return replace(
        job,
        reference=HOSTILE,
        shop=HOSTILE,
        customer=HOSTILE,
        order=HOSTILE,
        words=HOSTILE,
        spec=replace(job.spec, name=HOSTILE, fibre=HOSTILE),
        lots=(LotUse(HOSTILE, HOSTILE, HOSTILE, Decimal(1), HOSTILE),),
        provenance=Provenance(HOSTILE, HOSTILE, HOSTILE, 1),
        cost=replace(
            job.cost, lines=(CostLine("x", HOSTILE, Decimal(1), HOSTILE, Decimal(1), Decimal("1.00"), HOSTILE),)
        ),
    )


def test_hostile_text_in_every_field_is_printed_as_it_is(printed):
    raster, job = printed
    bad = hostile(job)
    for data in (ticket_pdf(raster, bad, FILES), costing_pdf(costing_of(bad))):
        with pypdfium2.PdfDocument(data) as document:
            assert len(document) == 1
        assert "<b>x</b>" in text_of(data)


_opened = []
sys.addaudithook(lambda event, args: _opened.append(args[0]) if event in {"open", "socket.connect"} else None)


def test_markup_opens_no_file_and_no_socket(printed):
    raster, job = printed
    ticket_pdf(raster, job, FILES)  # fonts are read once
    _opened.clear()
    ticket_pdf(raster, hostile(job), FILES)
    costing_pdf(costing_of(hostile(job)))
    assert [path for path in _opened if "passwd" in str(path) or not isinstance(path, (str, bytes, int))] == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_any_text_makes_a_costing(printed, words):
    _, job = printed
    assert costing_pdf(costing_of(replace(job, customer=words, order=words))).startswith(b"%PDF")


@given(st.text(max_size=200), st.floats(10, 400))
def test_fitted_text_never_sticks_out(words, width):
    assert width_of(fitted(words, "SourceSans", 9, width), "SourceSans", 9) <= max(width, 9)


def test_printable_drops_controls_and_marks_what_the_font_has_not():
    assert printable("a\x00b\u202ec\td") == "a bc d"
    assert printable("\U0001f600") == "\N{WHITE SQUARE}"
    assert printable("ŁódźΔ") == "ŁódźΔ"


def test_file_names_hold_nothing_a_hot_folder_stumbles_over(printed):
    _, job = printed
    odd = [
        "../../etc/passwd ü",
        "../../etc/passwd u",
        "-r1",
        "",
        "二",
        "三",
        "a b",
        "a-b",
        "x" * 40,
        "x" * 41,
        "x" * 400,
    ]
    names = [replace(job, reference=reference, revision=999).name for reference in odd]
    assert len(set(names)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{,44}", name) for name in names)
    assert replace(job, reference="WL-000001-1").name == "WL-000001-1-r1"


def test_a_woven_colour_is_shown_as_its_yarns_make_it(woven):
    _, job = woven
    light, dark = made_colours(job)[0], made_colours(job)[1]
    assert light > dark
    assert light != job.assessment.palette.colours[0]


NAMES = {
    "Arabic": "شركة النسيج العربي",
    "Hebrew": "בית הדפוס",
    "Devanagari": "हिन्दी वस्त्र",
    "Bengali": "বাংলা কাপড়",
    "Tamil": "தமிழ் நெசவு",
    "Telugu": "తెలుగు నేత",
    "Thai": "ผ้าไหมไทย",
    "Lao": "ຜ້າໄໝລາວ",
    "Khmer": "ក្រមាខ្មែរ",
    "Myanmar": "မြန်မာ",
    "Ethiopic": "ሸማ ጨርቅ",
    "Chinese": "苏州丝绸有限公司",
    "Traditional Chinese": "臺灣織品",
    "Japanese": "株式会社テキスタイル",
    "Korean": "주식회사 섬유",
    "Greek": "Υφαντουργία",
    "Cyrillic": "Ткацкая фабрика",
    "Vietnamese": "Vải lụa Hà Đông",
}


@pytest.mark.parametrize("script", NAMES)
def test_a_name_in_any_script_prints_with_its_letters_embedded(script):
    name = NAMES[script]
    assert printable(name) == name
    buffer = io.BytesIO()
    page = open_page(buffer, title=name, subject="")
    text(page, 50, 500, name, size=20)
    page.showPage()
    page.save()
    with pypdfium2.PdfDocument(buffer.getvalue()) as document:
        ink = document[0].render(scale=1).to_pil().convert("L").point(lambda value: value < 128).getbbox()
    assert ink is not None
    assert abs(ink[2] - ink[0] - width_of(name, "SourceSans", 20)) < 8
    assert all(embedded for _, embedded in fonts_of(buffer.getvalue()))
    assert "".join(text_of(buffer.getvalue()).split()) == "".join(name.split())
    with pikepdf.Pdf.open(buffer) as pdf:
        for font in pdf.pages[0].Resources.Font.values():
            if "/DescendantFonts" in font:
                check_glyphs(font, name)


def check_glyphs(font, name):
    """Every glyph that the page draws is in the embedded font, none is .notdef, and the rest was left out."""
    inside = TTFont(io.BytesIO(font.DescendantFonts[0].FontDescriptor.FontFile2.read_bytes()))
    numbers = [int(number) for number in list(font.DescendantFonts[0].W)[::2]]
    places = font.DescendantFonts[0].CIDToGIDMap.read_bytes()
    drawn = [int.from_bytes(places[2 * number : 2 * number + 2]) for number in numbers]
    order, outlines = inside.getGlyphOrder(), inside["glyf"]
    assert 0 not in drawn
    full = [number for number, glyph in enumerate(order) if outlines[glyph].numberOfContours != 0]
    blank = {number for number in drawn if outlines[order[number]].numberOfContours == 0}
    assert len(blank) <= 1 + name.count(" "), "a space, or a sign that is only a place"
    assert len(full) <= 3 * len(drawn) + 2


@pytest.mark.parametrize(
    "line",
    [
        "Acme [אבג (12)] x", "אבג (abc) דהו", "(אבג) abc", "a (b) אבג (ד",
        "Hotel شركة النسيج 12 بيت", "בית 2026, room 5", "Atelier אבג (דהו) Nord", "شركة 1,234.50 EUR", "abc אבג def",
        "אבג abc דהו", "12 אבג 34", "שלום!", "العربية: 100% قطن", "mixed עברית and العربية text",
    ],
)  # fmt: skip
def test_letters_of_both_directions_stand_as_the_unicode_algorithm_says(line):
    house = dict.fromkeys(range(32, 0x250), 1)
    shown = "".join(
        part.text[::-1].translate(str.maketrans("()", ")(")) if part.backwards and part.family != HOUSE else part.text
        for part in stretches(line, house)
    )
    brackets = str.maketrans("()[]", "||||")  # the reference leaves turning them over to the font
    assert shown.translate(brackets) == get_display(line).translate(brackets)


def test_letters_of_a_cursive_script_join_and_its_weight_follows_the_line():
    (part,) = stretches("بيت", {})
    alone = [shaped(stretches(letter, {})[0], 400)[0].number for letter in "بيت"]
    assert [glyph.number for glyph in shaped(part, 400)] != alone[::-1]
    assert sum(g.advance for g in shaped(part, 700)) > sum(g.advance for g in shaped(part, 400))


def test_what_no_font_has_shows_as_a_square_and_joiners_stay_only_where_they_join():
    assert printable("\U0001f469\u200d\U0001f3a8 \u0ab6") == "□□ □"
    assert printable("می\u200cخواهم") == "می\u200cخواهم"
    assert printable("a\u200db") == "ab"


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("kind", ["printed", "woven"])
def test_ticket_quotation_and_card_are_one_page_on_either_paper_and_their_codes_scan(kind, paper, request):
    raster, job = request.getfixturevalue(kind)
    job = replace(job, paper=paper)
    for data in (ticket_pdf(raster, job, FILES), quotation_pdf(raster, job), strikeoff_pdf(raster, job)):
        with pypdfium2.PdfDocument(data) as document:
            assert len(document) == 1
            assert document[0].get_size() == pytest.approx(PAPERS[paper], abs=0.01)
        codes = {code.format.name: code.text for code in zxingcpp.read_barcodes(picture_of(data))}
        assert codes in ({"QRCode": job.url, "Code128": job.name}, {})
    assert len(list(zxingcpp.read_barcodes(picture_of(ticket_pdf(raster, job, FILES))))) == 2
    assert len(list(zxingcpp.read_barcodes(picture_of(strikeoff_pdf(raster, job))))) == 2


def full_job(steps=6, inks=8):
    """The most that a ticket has to hold: eight inks, eight colours, a long route."""
    channels = "CMYKOVGB"[:inks]
    spec = print_spec(layout=Layout.THIRD_DROP)
    washes = tuple((Machine(f"WASH{k}", "w", f"Wash {k}", 5, 5, speed_m_min=3),) for k in range(steps - 3))
    spec = replace(spec, operations=(*spec.operations[:2], *washes, spec.operations[2]))
    raster = raster_for(spec)
    raster = replace(
        raster, indices=raster.indices % 8, palette=Palette((*NORDIC, "#101010", "#808080", "#d0d0d0")[:inks])
    )
    job = job_for(spec, raster)
    many = replace(
        spec.inks, inks=tuple(replace(spec.inks.inks[0], channel=one, name=f"Ink {one}") for one in channels)
    )
    found, separation = job.assessment, job.assessment.separation
    wide = np.zeros((len(raster.palette), inks), np.uint8)
    wide[:, : separation.values.shape[1]] = separation.values
    usage = replace(found.usage, ink_ml=dict.fromkeys(channels, 104.2), coverage_pct=dict.fromkeys(channels, 31.0))
    found = replace(found, usage=usage, separation=replace(separation, channels=tuple(channels), values=wide))
    return raster, replace(job, spec=replace(spec, inks=many), assessment=found)


@pytest.mark.parametrize("paper", PAPERS)
def test_eight_inks_eight_colours_and_eight_steps_fit_above_the_quality_block(paper):
    raster, job = full_job(steps=8)
    job = replace(job, paper=paper)
    data = ticket_pdf(raster, job, FILES)
    with pypdfium2.PdfDocument(data) as document:
        assert len(document) == 1
        page = document[0].get_textpage()
        low = {}
        for words in ("Ink B", "Route", "8. Inspect", "Quality", "by, on", "Generator"):
            found = page.search(words).get_next()
            assert found, words
            low[words] = page.get_charbox(found[0])[1]
    assert list(low.values()) == sorted(low.values(), reverse=True)


def test_the_ticket_holds_its_facts_and_the_xjdf_as_files(printed, tmp_path):
    raster, job = printed
    path = tmp_path / "job.xjdf"
    path.write_bytes(b"<XJDF/>")
    xjdf = WrittenFile(path, hashlib.sha256(b"<XJDF/>").hexdigest(), "xjdf", 7)
    with pikepdf.Pdf.open(io.BytesIO(ticket_pdf(raster, job, (FILE, xjdf)))) as pdf:
        assert set(pdf.attachments) == {"ticket.json", "job.xjdf"}
        assert pdf.attachments["job.xjdf"].get_file().read_bytes() == b"<XJDF/>"
        said = json.loads(pdf.attachments["ticket.json"].get_file().read_bytes())
        assert [str(spec.AFRelationship) for spec in pdf.Root.AF] == ["/Data", "/Source"]
    assert (said["reference"], said["revision"]) == (job.reference, job.revision)
    assert said["repeat"]["pixels"] == [job.spec.width_px, job.spec.height_px]
    assert [file["sha256"] for file in said["files"]] == [FILE.sha256, xjdf.sha256]
    assert not {"cost", "price", "margin"} & set(said), "what it costs does not go through everybody's hands"
    assert "job.xjdf" not in pikepdf.Pdf.open(io.BytesIO(ticket_pdf(raster, job, FILES))).attachments


def manifest_for(job):
    return {
        "reference": job.reference,
        "revision": job.revision,
        "cost": job.cost.as_dict(),
        "files": [{"name": FILE.path.name, "format": FILE.format, "sha256": FILE.sha256, "bytes": FILE.size_bytes}],
    }


def test_documents_read_back_and_one_of_another_job_or_sum_is_told(printed, tmp_path):
    raster, job = printed
    other = replace(job, reference="WL-000002-1", cost=replace(job.cost, total=Decimal("1.00")))
    manifest, foreign = manifest_for(job), manifest_for(other)
    written = {
        check_ticket: ticket_pdf(raster, job, FILES),
        check_costing: costing_pdf(costing_of(job)),
        check_costing_json: costing_json(costing_of(job)),
        check_quotation: quotation_pdf(raster, job),
        check_strikeoff: strikeoff_pdf(raster, job),
    }
    for check, data in written.items():
        path = tmp_path / "paper"
        path.write_bytes(data)
        assert check(path, manifest) == [], check
        assert check(path, foreign), check
        path.write_bytes(data[: len(data) // 3])
        assert check(path, manifest), check
    path.write_bytes(ticket_pdf(raster, job, ()))
    assert [found.where for found in check_ticket(path, manifest)] == ["paper, ticket.json"]
    false = replace(job.cost, lines=(replace(job.cost.lines[0], amount=Decimal("9.99")),))
    path.write_bytes(costing_json(costing_of(replace(job, cost=false))))
    assert check_costing_json(path, {**manifest, "cost": false.as_dict()})


SAME = """
import hashlib, sys, django
django.setup()
from production_samples import job_for, print_spec, raster_for
from production.documents.costing import costing_json, costing_of, costing_pdf
from production.documents.quotation import quotation_pdf
from production.documents.strikeoff import strikeoff_pdf
from production.documents.ticket import ticket_pdf
from dataclasses import replace
spec = print_spec(); raster = raster_for(spec); job = replace(job_for(spec, raster), customer="שלום 株式会社 شركة")
for data in (ticket_pdf(raster, job, ()), quotation_pdf(raster, job), strikeoff_pdf(raster, job),
             costing_pdf(costing_of(job)), costing_json(costing_of(job))):
    print(hashlib.sha256(data).hexdigest())
"""


def test_another_process_in_another_time_zone_writes_the_same_bytes(capsys):
    environment = {
        **os.environ,
        "TZ": "Asia/Tokyo",
        "PYTHONHASHSEED": "2",
        "LC_ALL": "C",
        "DJANGO_SETTINGS_MODULE": "orders.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
    }
    done = subprocess.run([sys.executable, "-c", SAME], env=environment, cwd=ROOT, capture_output=True, check=True)
    exec(SAME, {})  # here, with this process's zone and seed
    here = capsys.readouterr().out
    assert done.stdout.decode() == here
    assert len(set(here.split())) == 5


def test_a_design_in_tones_shows_its_main_colours_and_inks():
    spec = print_spec()
    tones = np.linspace(0, 2 * np.pi, spec.width_px, endpoint=False)
    rgb = np.stack([127 + 90 * np.sin(tones + phase) for phase in (0.0, 2.0, 4.0)], axis=-1).astype(np.uint8)
    picture = Picture(np.repeat(rgb[None], spec.height_px, axis=0), spec.repeat)
    job = job_for(spec, picture)
    shown = job.assessment.shown
    said = text_of(ticket_pdf(shown, job, FILES))
    assert "Main colours of a design in tones" in said
    assert "black point scaled" in said
    assert all(colour.upper() in said for colour in job.assessment.palette.colours)
    assert all(f"{ml:.1f} ml" in said for ml in job.assessment.usage.ink_ml.values())
    for data in (quotation_pdf(shown, job), strikeoff_pdf(shown, job)):
        assert len(text_of(data)) > 300


@pytest.fixture
def own_fonts(tmp_path, settings):
    """A mill's folder with a font of two Georgian letters, one of another weight, and files that are no fonts."""
    build = FontBuilder(1000)
    build.setupGlyphOrder([".notdef", "an", "ban"])
    build.setupCharacterMap({0x10D0: "an", 0x10D1: "ban"})
    pen = TTGlyphPen(None)
    for point, move in (((0, 0), pen.moveTo), ((500, 0), pen.lineTo), ((250, 700), pen.lineTo)):
        move(point)
    pen.closePath()
    build.setupGlyf(dict.fromkeys((".notdef", "an", "ban"), pen.glyph()))
    build.setupHorizontalMetrics(dict.fromkeys((".notdef", "an", "ban"), (600, 0)))
    build.setupHorizontalHeader(ascent=800, descent=-200)
    build.setupNameTable({"familyName": "Own", "styleName": "Regular"})
    build.setupOS2()
    build.setupPost()
    build.save(tmp_path / "Own-Regular.ttf")
    build.save(tmp_path / "Own-Bold.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    settings.WEFTLINE = {**settings.WEFTLINE, "fonts": {"own": tmp_path}}
    caches = (scripts._every_family, scripts._own_files, scripts._file, scripts._face, scripts._letters)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_a_mill_s_own_fonts_print_what_the_packaged_ones_have_not(own_fonts):
    assert printable("\u10d0\u10d1\u10d2") == "\u10d0\u10d1□"
    buffer = io.BytesIO()
    page = open_page(buffer, title="", subject="")
    text(page, 50, 500, "\u10d0\u10d1", size=20)
    page.showPage()
    page.save()
    assert text_of(buffer.getvalue()) == "\u10d0\u10d1"
    assert all(embedded for _, embedded in fonts_of(buffer.getvalue()))


def test_without_them_the_same_letters_are_squares():
    assert printable("\u10d0\u10d1") == "□□"
