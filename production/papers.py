"""Everything that goes with a machine file, in the order it is written: sidecars first, then what people read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generation.domain.pattern import Raster
from production.documents.costing import costing_pdf
from production.documents.ticket import ticket_pdf
from production.domain.colour import lab_to_srgb
from production.domain.finding import Finding
from production.domain.picture import Picture
from production.formats.durst import check_durst, write_durst
from production.formats.ergosoft import check_ergosoft, write_ergosoft
from production.formats.printfactory import check_printfactory, write_printfactory
from production.formats.xjdf import check_xjdf, write_xjdf
from production.ports import Manifest, Paper, RenderJob, WrittenFile
from production.preview import preview_png


def _ticket(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return ticket_pdf(design, job, files[0])


def _costing(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return costing_pdf(job)


def _preview(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return preview_png(design, columns=2, rows=2, width_px=1200, colours=lab_to_srgb(job.assessment.made_lab))


def _unread(path: Path, manifest: Manifest) -> Sequence[Finding]:
    return []


PAPERS = {
    "xjdf": Paper(".xjdf", write_xjdf, check_xjdf),
    "ergosoft": Paper("-ergosoft.xml", write_ergosoft, check_ergosoft),
    "printfactory": Paper("-printfactory.xml", write_printfactory, check_printfactory),
    "durst": Paper("-durst.xml", write_durst, check_durst),
    "ticket": Paper("-ticket.pdf", _ticket, _unread),
    "costing": Paper("-costing.pdf", _costing, _unread),
    "preview": Paper("-preview.png", _preview, _unread),
}
