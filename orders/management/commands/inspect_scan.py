"""Inspect scans of finished cloth: of a job, or against any picture of one repeat."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandParser

from generation import services as generation
from generation.domain.pattern import Raster
from orders import floor, work
from orders.errors import InvalidOrder
from orders.management import typed
from orders.management.commands.place_order import shop_named
from orders.models import OrderLine, Shop
from orders.services import Refusals
from production import inspector
from production.inspection.outcome import AS_ASKED, Inspected
from production.inspection.source import Source, of_picture
from production.models import JobTicket
from production.pictures import plain_picture

BAD_INPUT = 2


class Command(BaseCommand):
    """`manage.py inspect_scan --job NUMBER | --source IMAGE --repeat-mm WxH --scan FILE…`."""

    help = (
        "Lay scans of finished cloth on what it should look like, measure size, bow and colours, find defects. Ends "
        "with status 0, and with 2 when the scans can't be inspected: the sentence says why, and what to do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        say = parser.add_argument
        say("--job", metavar="NUMBER", help="the order line whose cloth it is, or what its ticket's code says")
        say("--source", metavar="IMAGE", type=Path, help="instead: the picture of one repeat")
        say("--repeat-mm", metavar="WxH", help="with --source: finished size of the repeat")
        say("--layout", default="straight", help="with --source: straight, half_drop, third_drop, half_brick or mirror")
        say("--dpi", help="resolution of the scans, where their files don't say it")
        say("--scan", metavar="FILE", type=Path, action="append", default=[], help="a scan; several from the head on")
        say(
            "--target",
            metavar="FILE",
            type=Path,
            help="JSON of the colour bar's patches as they were measured: name, L*a*b*",
        )
        say("--shop", help="the shop's short name; needed when there are several")
        say("--synthetic", action="store_true", help="the scans are simulated: the answer says that no cloth was seen")
        say("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = self._inspect(options)
        except Refusals as refusal:
            fields = {key: work.plain(value) for key, value in refusal.fields.items()}
            self._refuse(refusal.code, str(refusal), fields, as_json=options["json"])
            return
        if found.reason is not None:
            self._refuse(found.reason.code, found.reason.sentence, {}, as_json=options["json"])
            return
        if options["json"]:
            self.stdout.write(json.dumps(found.as_dict(), indent=1, ensure_ascii=False))
            return
        for sentence in in_words(found):
            self.stdout.write(sentence)

    def _inspect(self, options: dict[str, Any]) -> Inspected:
        if bool(options["job"]) == bool(options["source"]):
            raise typed.refused("job", options["job"], "Say what the cloth should be: either --job or --source.")
        if not options["scan"]:
            raise typed.refused("scan", "", "Say which scan to inspect, with --scan FILE.")
        dpi = typed.number("dpi", options["dpi"]) if options["dpi"] else None
        source = _of_job(options) if options["job"] else _of_picture(options)
        files = [(path, typed.printable(path.name)) for path in options["scan"]]
        return inspector.inspected(
            source,
            files,
            dpi=dpi,
            readings=_readings(options["target"]),
            synthetic=options["synthetic"],
        )

    def _refuse(self, code: str, sentence: str, fields: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"code": code, "message": sentence, "fields": fields}, indent=1, default=str))
        else:
            self.stderr.write(f"Not inspected: {sentence} [{code}]")
        sys.exit(BAD_INPUT)


def in_words(found: Inspected) -> list[str]:
    """Return what was found, a line each."""
    lies = found.registration
    assert lies is not None, "what is trusted lies on its source"
    said = [
        f"{found.width_mm:.0f} mm wide, {found.length_mm / 1000:.2f} m long; {found.area_m2:.2f} m² were looked at.",
        f"Size of the repeat: {lies.size_error_across_pct:+.2f} % across, {lies.size_error_along_pct:+.2f} % along. "
        f"Bow {lies.bow_mm:+.1f} mm, skew {lies.skew_mm:+.1f} mm. It lies on its source "
        f"to {lies.residual_mean_mm:.2f} mm.",
    ]
    said += [
        f"{each.channel} lies aside: {each.dx_um:+.0f} µm across, {each.dy_um:+.0f} µm along."
        for each in found.channels
    ]
    said += [
        f"{each.colour}, {100 * each.share:.0f} % of the area: ΔE2000 {each.de00:.1f}, CMC(2:1) {each.cmc:.1f}."
        for each in found.colours
    ]
    if found.colour_basis == AS_ASKED:
        said.append("The colour bar is taken to be as it was asked: what all of the print has in common does not show.")
    if found.synthetic:
        said.insert(0, "SYNTHETIC: a simulated scan; no cloth was seen.")
    if found.colours_unmeasured:
        said.append(found.colours_unmeasured)
    if not found.defects:
        said.append("No defects were found.")
    for each in found.defects:
        name = each.kind.value.replace("_", " ") if each.kind else "defect"
        said.append(
            f"{each.number}. {name}, {each.width_mm:.1f} x {each.height_mm:.1f} mm, at {each.x_mm:.0f} mm from the "
            f"left, {each.y_mm / 1000:.2f} m from the head."
        )
    return said


def _of_job(options: dict[str, Any]) -> Source:
    ticket, raster = job_named(options["job"], shop_named(options["shop"]))
    return inspector.source_of(raster, ticket.shop, ticket.manifest, released=ticket.released_at.date())


def job_named(job: str, shop: Shop) -> tuple[JobTicket, Raster]:
    """Return a job's ticket, the newest or the one whose paper it is, and its design as its files have it.

    Raises InvalidOrder for what was never released.
    """
    asked = floor.ticket_of(job)
    line = OrderLine.objects.filter(order__shop=shop, reference=asked.reference).select_related("order__shop").first()
    tickets = JobTicket.objects.filter(shop=shop.slug, reference=asked.reference)
    ticket = (tickets.filter(revision=asked.revision) if asked.revision else tickets).order_by("-revision").first()
    if line is None or ticket is None:
        raise typed.refused("job", asked.reference, f"There is no job {asked.reference} that was released.")
    approval = line.approvals.filter(number=ticket.revision).select_related("candidate__artwork").first()
    if approval is None:
        raise typed.refused(
            "job", asked.reference, f"What {asked.reference} r{ticket.revision} should be is not known."
        )
    raster = generation.raster_of(approval.candidate.artwork)
    width_px, height_px = ticket.manifest["repeat"]["pixels"]
    return ticket, generation.at_size(raster, width_px=width_px, height_px=height_px, repeat=raster.repeat)


def _of_picture(options: dict[str, Any]) -> Source:
    if not options["repeat_mm"]:
        raise typed.refused("repeat_mm", "", "Say how large the repeat is, with --repeat-mm WxH.")
    repeat = typed.size("repeat_mm", options["repeat_mm"])
    layout = typed.layout("layout", options["layout"])
    path: Path = options["source"]
    if not path.is_file():
        raise typed.refused("source", str(path), f"There is no picture {path}.")
    rgb = plain_picture(path)
    return of_picture(np.ascontiguousarray(rgb), repeat_mm=(repeat.width_mm, repeat.height_mm), layout=layout)


def _readings(path: Path | None) -> dict[str, tuple[float, float, float]] | None:
    """Return the measured patches of a colour bar: {"C 100": [L, a, b], …}. Raises InvalidOrder."""
    if path is None:
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        read = {str(name): tuple(float(value) for value in lab) for name, lab in said.items()}
        if any(len(lab) != 3 for lab in read.values()):
            raise ValueError("three numbers each")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidOrder(
            f"{path} can't be read as a measured target: JSON of the patches' names, each with its L*, a* and b*.",
            fields={"field": "target", "value": str(path)},
        ) from error
    return read  # type: ignore[return-value]
