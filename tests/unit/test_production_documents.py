"""Job ticket and costing as PDF: codes that scan, text that can't break them, the same bytes every time."""

import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production_samples import NORDIC, job_for, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout, Palette, Raster
from production.documents.costing import costing_json, costing_of, costing_pdf
from production.documents.page import fitted, printable, width_of
from production.documents.parts import made_colours
from production.documents.ticket import code_value, ticket_pdf
from production.domain.costing import Assumption, CostLine
from production.ports import LotUse, Provenance, WrittenFile

FILE = WrittenFile(Path("WL-000001-1-r1.tif"), "ab12" * 16, "tile", 1000)
FILES = (FILE,)
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


def picture_of(data, *, dpi=200):
    with pypdfium2.PdfDocument(data) as document:
        return document[0].render(scale=dpi / 72).to_pil()


@pytest.mark.parametrize("kind", ["printed", "woven"])
def test_qr_and_code_128_decode_from_the_ticket_at_200_dpi(kind, request):
    raster, job = request.getfixturevalue(kind)
    found = {code.format.name: code.text for code in zxingcpp.read_barcodes(picture_of(ticket_pdf(raster, job, FILES)))}
    assert found == {"QRCode": job.url, "Code128": code_value(job)}


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
    for data in (ticket_pdf(raster, job, FILES), costing_pdf(costing_of(job))):
        assert b"/FontFile2" in data
        assert b"Helvetica" not in data


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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    assert replace(job, reference="../../etc/passwd ü" + "x" * 100).name == f"------etc-passwd--{'x' * 32}-r1"
    assert len(replace(job, reference="x" * 400).name) <= 60
    assert replace(job, reference="").name == "job-r1"


def test_a_woven_colour_is_shown_as_its_yarns_make_it(woven):
    _, job = woven
    light, dark = made_colours(job)[0], made_colours(job)[1]
    assert light > dark
    assert light != job.assessment.palette.colours[0]
