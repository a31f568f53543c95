"""From a design to priced, verified and recorded files, on the demo factory."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from production_samples import NORDIC, flipped, petals

from generation.domain.pattern import Layout, Palette, Raster, Repeat
from inventory_sync import services as inventory
from production import services as production
from production.errors import NotManufacturable, PriceMissing, RasterDoesNotFit, VerifyFailed
from production.models import CheckReport, CostSheet, JobTicket, OutputFile, PriceRate
from production.services import RenderJob

LINES = {
    "print": {"substrate": "FAB-COT-SAT", "repeat": Repeat(60, 60, Layout.HALF_DROP)},
    "weave": {"weave": "LOM1", "repeat": Repeat(70, 80, Layout.STRAIGHT)},
}


def make(kind):
    """A checked and priced job on the demo mill; small repeats keep it quick."""
    spec = production.specify("demo", quantity_m=12.5, words="flowers", **LINES[kind])
    indices = petals(spec.width_px, spec.height_px, layout=spec.repeat.layout)
    raster = Raster(indices, Palette(NORDIC[:4]), spec.repeat, seed=7)
    found = production.assess(raster, spec=spec)
    erp = inventory.connect("ledger", shop="demo")
    stock = {level.sku: level for level in erp.stock([material.sku for material in found.materials])}
    centres = {centre.code: centre for centre in erp.work_centres()}
    cost = production.cost(found, spec=spec, stock=stock, work_centres=centres)
    job = RenderJob(
        spec=spec,
        assessment=found,
        cost=cost,
        reference="WL-000001-1",
        revision=1,
        released_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    return raster, job


@pytest.fixture(params=["print", "weave"])
def made(request, mill):
    return make(request.param)


def test_the_cost_names_every_material_and_machine_with_its_source(made):
    _, job = made
    codes = {line.code for line in job.cost.lines}
    assert {material.sku for material in job.assessment.materials} <= codes
    assert {f"time:{step[0].machine}" for step in job.assessment.times} <= codes
    assert job.cost.total == sum(line.amount for line in job.cost.lines)
    assert job.cost.currency == "EUR"
    assert all(line.source for line in job.cost.lines)
    assert all(assumption.source for assumption in job.cost.assumptions)


def test_a_longer_line_costs_more(mill):
    _, job = make("print")
    spec = replace(job.spec, quantity_m=50.0)
    raster = Raster(petals(spec.width_px, spec.height_px), Palette(NORDIC[:4]), spec.repeat, seed=7)
    found = production.assess(raster, spec=spec)
    erp = inventory.connect("ledger", shop="demo")
    stock = {level.sku: level for level in erp.stock([material.sku for material in found.materials])}
    centres = {centre.code: centre for centre in erp.work_centres()}
    more = production.cost(found, spec=spec, stock=stock, work_centres=centres)
    assert more.total > job.cost.total
    assert more.price_per_m < job.cost.price_per_m


def test_a_missing_price_is_named(mill):
    _, job = make("print")
    with pytest.raises(PriceMissing) as refused:
        production.cost(job.assessment, spec=job.spec, stock={}, work_centres={})
    assert refused.value.fields["field"] == "FAB-COT-SAT"
    PriceRate.objects.filter(code="margin_pct").delete()
    with pytest.raises(PriceMissing, match="margin_pct"):
        make("print")


def test_all_files_of_a_line_are_written_and_the_manifest_holds_their_checksums(made, tmp_path):
    raster, job = made
    files = production.write_files(raster, job=job, folder=tmp_path)
    machine = ["tile", "xjdf"] if job.spec.kind == "print" else ["loom"]
    assert [file.format for file in files] == [
        *machine, "ticket", "costing", "costing_json", "strikeoff", "preview", "manifest",
    ]  # fmt: skip
    assert {file.path for file in files} == set(tmp_path.iterdir())
    manifest = json.loads(files[-1].path.read_text(encoding="utf-8"))
    named = {entry["name"]: entry["sha256"] for entry in manifest["files"]}
    assert named == {file.path.name: file.sha256 for file in files[:-1]}
    assert manifest["repeat"]["pixels"] == [job.spec.width_px, job.spec.height_px]
    assert Decimal(manifest["cost"]["total"]) == job.cost.total
    assert production.verify_files(files[-1].path) == []


def test_writing_again_gives_the_same_bytes_and_no_second_file(made, tmp_path):
    raster, job = made
    first = production.write_files(raster, job=job, folder=tmp_path)
    again = production.write_files(raster, job=job, folder=tmp_path)
    assert first == again
    assert sorted(file.path for file in first) == sorted(tmp_path.iterdir())


def test_a_file_that_was_changed_later_is_named(made, tmp_path):
    raster, job = made
    files = production.write_files(raster, job=job, folder=tmp_path)
    flipped(files[1].path, 2000).replace(files[1].path)
    files[3].path.unlink()
    assert [found.where for found in production.verify_files(files[-1].path)] == [
        files[1].path.name,
        files[3].path.name,
    ]


def test_a_machine_file_that_does_not_read_back_is_removed_and_nothing_else_is_written(made, tmp_path):
    raster, job = made
    if job.spec.kind == "print":  # the file can't be what another specification asks for
        broken = replace(job, spec=replace(job.spec, inks=replace(job.spec.inks, tac_pct=50.0)))
    else:
        broken = replace(job, spec=replace(job.spec, weaving=replace(job.spec.weaving, max_float=0)))
    with pytest.raises(VerifyFailed) as refused:
        production.write_files(raster, job=broken, folder=tmp_path)
    assert refused.value.fields["findings"]
    assert list(tmp_path.iterdir()) == []


def test_a_design_with_errors_is_not_released(made, tmp_path):
    raster, job = made
    failed = replace(job, assessment=replace(job.assessment, passed=False))
    with pytest.raises(NotManufacturable):
        production.write_files(raster, job=failed, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_size_is_not_released(made, tmp_path):
    raster, job = made
    with pytest.raises(RasterDoesNotFit):
        production.write_files(replace(raster, indices=raster.indices[:-2]), job=job, folder=tmp_path)


def test_a_release_is_recorded_with_files_costing_and_report(made, tmp_path):
    raster, job = made
    files = production.write_files(raster, job=job, folder=tmp_path)
    ticket = production.record_release(job.reference, job.revision, files, job)
    assert str(ticket) == "WL-000001-1 r1"
    assert ticket.files.count() == len(files)
    assert ticket.costing.total == job.cost.total
    assert ticket.report.passed
    assert ticket.manifest["files"][0]["sha256"] == files[0].sha256


def test_nothing_hides_a_second_release_of_one_revision(mill, tmp_path):
    raster, job = make("print")
    files = production.write_files(raster, job=job, folder=tmp_path)
    for _ in range(2):
        production.record_release(job.reference, job.revision, files, job)
    assert JobTicket.objects.filter(reference=job.reference, revision=1).count() == 2
    assert (OutputFile.objects.count(), CostSheet.objects.count(), CheckReport.objects.count()) == (
        2 * len(files),
        2,
        2,
    )
