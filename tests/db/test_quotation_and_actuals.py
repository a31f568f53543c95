"""What a customer is quoted before anything is planned, and what a job really took after it was made."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pikepdf
import pypdfium2
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from production_samples import job_for, print_spec, raster_for

from orders import services, work, worker
from orders.errors import CandidateNotPassed
from orders.models import Membership, Role
from production import services as production
from production.actuals import record_actuals, uses_in
from production.domain.costing import ActualUse, Costing
from production.errors import ActualsRefused
from production.models import ActualUse as UseRow
from production.models import CostSheet, JobTicket, PriceRate

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.fixture
def released(mill, tmp_path):
    """A small recorded job whose costing has cloth, print time and overhead."""
    spec = print_spec()
    raster = raster_for(spec)
    job = job_for(spec, raster)
    files = production.write_files(raster, job=job, folder=tmp_path, formats=("tile", "costing", "costing_json"))
    return production.record_release(job.reference, job.revision, files, job)


def text_of(content):
    with pypdfium2.PdfDocument(content) as document:
        return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


@pytest.mark.django_db(transaction=True)
def test_sales_download_a_quotation_of_a_design_that_nobody_approved(quick):
    quick.terms, quick.paper = "Payment within 30 days.", "Letter"
    quick.save()
    wish = services.NewLine(
        words="stripes", quantity_m=6, layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT", due_in_days=30
    )
    line = services.place_and_submit(quick, customer="織物 & Söhne", lines=[wish], by=None).lines.get()
    worker.run_until_rest([line])
    candidate = line.newest_round.candidates.filter(passed=True)[0]
    user = User.objects.create_user("anna")
    Membership.objects.create(shop=quick, user=user, role=Role.SALES)
    client = Client()
    client.force_login(user)
    page = client.get(f"/lines/{line.reference}/?design={candidate.pk}").content.decode()
    assert f"/api/candidates/{candidate.pk}/quotation/" in page
    answer = client.get(f"/api/candidates/{candidate.pk}/quotation/")
    said = text_of(answer.content)
    assert answer["Content-Type"] == "application/pdf"
    longest = candidate.cost["breaks"][-1]
    for needed in (
        "織物 & Söhne", f"{candidate.price} {candidate.currency}", f"{longest['price_per_m']} EUR per metre", "60 m",
        "Payment within 30 days.", candidate.binding.split()[0],
    ):  # fmt: skip
        assert needed in said, needed
    assert "Overhead" not in said
    assert str(candidate.cost["total"]) not in said
    with pikepdf.Pdf.open(io.BytesIO(answer.content)) as pdf:
        assert [float(v) for v in pdf.pages[0].mediabox[2:]] == [612, 792]
    assert work.quotation(candidate)[1] == answer.content
    candidate.passed = False
    with pytest.raises(CandidateNotPassed):
        work.quotation(candidate)


def test_what_a_job_took_is_recorded_and_its_costing_is_issued_again(released):
    cloth = CostSheet.objects.get(ticket=released).document["cost"]["lines"][0]
    used = [
        ActualUse("cloth", Decimal("4.55"), source="roll card"),
        ActualUse("reprint", Decimal(1), Decimal("4.2"), what="Printed again"),
    ]
    costing = record_actuals(released, used, at=NOW)
    assert cloth["amount"] == "17.64"
    assert [(row.code, row.planned, row.actual, row.variance) for row in costing.comparison.lines] == [
        ("cloth", Decimal("17.64"), Decimal("19.11"), Decimal("1.47")),
        ("reprint", Decimal("0.00"), Decimal("4.20"), Decimal("4.20")),
    ]
    sheet = CostSheet.objects.get(ticket=released)
    assert (sheet.issue, sheet.actual) == (2, Decimal("23.31"))
    assert Costing.from_dict(sheet.document) == costing
    names = [file.path.rsplit("/", 1)[1] for file in released.files.order_by("pk")]
    assert names[-2:] == ["WL-000001-1-r1-costing-2.pdf", "WL-000001-1-r1-costing-2.json"]
    said = text_of(released.files.get(path__endswith="costing-2.pdf").path)
    assert "+1.47" in said
    assert "issue 2" in said
    again = record_actuals(released, [ActualUse("cloth", Decimal("4.20"))], at=NOW)
    assert again.comparison.lines[0].variance == 0
    assert again.comparison.lines[1].actual == Decimal("4.20"), "what was reported before stays"
    assert list(UseRow.objects.values_list("issue", flat=True)) == [2, 2, 3]


@pytest.mark.parametrize(
    "uses",
    [
        [],
        [ActualUse("never planned", Decimal(1))],
        [ActualUse("cloth", Decimal(1)), ActualUse("never planned", Decimal(1))],
        [ActualUse("FABRIC", Decimal(1), Decimal("4.2"))],  # the cloth under another name: it would count twice
    ],
)
def test_what_cannot_be_recorded_leaves_nothing_behind(released, uses):
    with pytest.raises(ActualsRefused):
        record_actuals(released, uses, at=NOW)
    assert not UseRow.objects.exists()
    assert CostSheet.objects.get().issue == 1
    bare = JobTicket.objects.create(shop="demo", reference="X", revision=1, released_at=NOW, manifest={})
    with pytest.raises(ActualsRefused, match="no costing"):
        record_actuals(bare, [ActualUse("cloth", Decimal(1))], at=NOW)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "code,quantity\ncloth,4.5\n"),
        ("a.csv", "\ufeffcode,quantity,rate,source\ncloth,4.5,,meter\n"),
        ("a.csv", "\ufeffcode;quantity;rate;source\r\ncloth;4,5;;meter\r\n"),
        ("a.json", '[{"code": "cloth", "quantity": 4.5}]'),
    ],
)
def test_csv_and_json_report_the_same(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    (use,) = uses_in(path)
    assert (use.code, use.quantity, use.rate) == ("cloth", Decimal("4.5"), None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "{"),
        ("a.json", '{"code": "cloth"}'),
        ("a.json", '[{"code": "cloth", "quantity": NaN}]'),
        ("a.csv", "code,quantity\ncloth,-1\n"),
        ("a.csv", "code,quantity\ncloth,1e99\n"),
        ("a.csv", "code,quantity\ncloth,1.00001\n"),
        ("a.csv", "code,quantity\n,1\n"),
        ("a.csv", "code,quantity,colour\ncloth,1,red\n"),
        ("a.csv", "code,quantity\ncloth,1,2,3\n"),
        ("a.csv", b"\xff\xfe\x00"),
    ],
)
def test_a_report_that_cannot_be_right_is_refused_by_line_and_field(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ActualsRefused) as refused:
        uses_in(path)
    assert refused.value.fields["field"]


def test_one_command_records_what_a_job_took(released, tmp_path, capsys):
    (tmp_path / "used.csv").write_text("code,quantity\ncloth,5\n")
    call_command("record_actuals", "WL-000001-1", str(tmp_path / "used.csv"), "--shop", "test", "--json")
    assert json.loads(capsys.readouterr().out)["actual"] == "21.00"
    with pytest.raises(SystemExit) as refused:
        call_command("record_actuals", "WL-000009-1", str(tmp_path / "used.csv"))
    assert refused.value.code == 2


def test_lines_follow_the_rates_that_a_shop_has_set(mill):
    spec = production.specify(
        "demo", substrate="FAB-COT-SAT", quantity_m=12.5, repeat=replace(print_spec().asked, width_mm=60, height_mm=60)
    )
    found = production.assess(raster_for(spec), spec=spec)
    erp = work.inventory.connect("ledger", shop="demo")
    stock = {level.sku: level for level in erp.stock([material.sku for material in found.materials])}
    centres = {centre.code: centre for centre in erp.work_centres()}

    def priced():
        return production.cost(found, spec=spec, stock=stock, work_centres=centres, generation_s=Decimal("31.4"))

    full = priced()
    codes = {line.code for line in full.lines}
    assert {"generation", "labour", "water", "steam", "freight", "INK-RE-C:lost"} <= codes
    quantity = {line.code: line.quantity for line in full.lines}
    for material in found.materials:
        parts = [quantity[code] for code in (material.sku, f"{material.sku}:lost") if code in quantity]
        assert sum(parts) == material.quantity
    assert [float(step.quantity_m) for step in full.breaks] == [12.5, 25, 62.5, 125]
    assert [step.price_per_m for step in full.breaks] == sorted((s.price_per_m for s in full.breaks), reverse=True)
    twice = replace(spec, quantity_m=25.0)
    exact = production.cost(
        production.assess(raster_for(twice), spec=twice), spec=twice, stock=stock, work_centres=centres,
        generation_s=Decimal("31.4"),
    )  # fmt: skip
    assert abs(exact.price - full.breaks[1].price) <= Decimal("0.20"), "cut repeats at the end are all that differs"
    PriceRate.objects.filter(code__in=("labour", "freight", "water")).delete()
    bare = priced()
    assert not {"labour", "water", "freight"} & {line.code for line in bare.lines}
    (unset,) = [each.value for each in bare.assumptions if each.what == "Not costed"]
    assert unset == "labour, water, freight"
