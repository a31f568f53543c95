"""Everything that goes with a machine file, in the order it is written: sidecars first, then what people read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from generation.domain.pattern import Raster
from production.documents.costing import costing_json, costing_of, costing_pdf
from production.documents.quotation import quotation_pdf
from production.documents.reading import (
    check_costing,
    check_costing_json,
    check_preview,
    check_quotation,
    check_strikeoff,
    check_ticket,
)
from production.documents.strikeoff import strikeoff_pdf
from production.documents.ticket import ticket_pdf
from production.domain.colour import lab_to_srgb
from production.domain.picture import Picture
from production.formats.tickets.durst import check_durst, write_durst
from production.formats.tickets.ergosoft import check_ergosoft, fits_ergosoft, write_ergosoft
from production.formats.tickets.printfactory import check_printfactory, fits_printfactory, write_printfactory
from production.formats.tickets.ticket import fits
from production.formats.tickets.xjdf import write_xjdf
from production.formats.tickets.xjdf_reading import check_xjdf
from production.gamut_map import check_gamut, gamut_png
from production.ports import Paper, RenderJob, WrittenFile
from production.preview import preview_png


def _as_made(job: RenderJob, design: Raster | Picture) -> Raster | Picture:
    """The design for people to look at: one in tones as the colour profile expects it on the cloth."""
    return job.assessment.shown or design


def _ticket(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return ticket_pdf(_as_made(job, design), job, files)


def _costing(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return costing_pdf(costing_of(job))


def _costing_json(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return costing_json(costing_of(job))


def _quotation(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return quotation_pdf(_as_made(job, design), job)


def _strikeoff(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    return strikeoff_pdf(_as_made(job, design), job)


def _preview(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    made = lab_to_srgb(job.assessment.made_lab)
    return preview_png(_as_made(job, design), columns=2, rows=2, width_px=1200, colours=made)


PAPERS = {
    "xjdf": Paper(".xjdf", write_xjdf, check_xjdf, partial(fits, "xjdf")),
    "ergosoft": Paper("-ergosoft.xml", write_ergosoft, check_ergosoft, fits_ergosoft),
    "printfactory": Paper("-printfactory.xml", write_printfactory, check_printfactory, fits_printfactory),
    "durst": Paper("-durst.xml", write_durst, check_durst, partial(fits, "durst")),
    "ticket": Paper("-ticket.pdf", _ticket, check_ticket),
    "costing": Paper("-costing.pdf", _costing, check_costing),
    "costing_json": Paper("-costing.json", _costing_json, check_costing_json),
    "quotation": Paper("-quotation.pdf", _quotation, check_quotation),
    "strikeoff": Paper("-strikeoff.pdf", _strikeoff, check_strikeoff),
    "preview": Paper("-preview.png", _preview, check_preview),
    "gamut": Paper("-gamut.png", gamut_png, check_gamut),
}
