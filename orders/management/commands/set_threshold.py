"""Set how closely a fabric quality is looked at, on clean cloth of it, to a budget of false alarms."""

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders import calibrating
from orders.calibrating import Cloth
from orders.management import typed
from orders.management.commands.inspect_scan import job_named
from orders.management.commands.place_order import shop_named
from orders.models import Shop
from orders.services import Refusals
from production.models import DefectThreshold, Inspection

BAD_INPUT = 2


class Command(BaseCommand):
    """`manage.py set_threshold --article FAB [--inspection WL-000001-1/2]… [--false-alarms 5]`."""

    help = (
        "Set from which score on a place of a fabric is called a defect, so that clean cloth of it has so many false "
        "alarms per m². Clean is cloth that passed and on which no defect was left once a person had looked: all of it "
        "is taken, or the inspections that you name, or scans of clean cloth of one job."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        say = parser.add_argument
        say("--article", metavar="SKU", required=True, help="the fabric, or the weave")
        say("--false-alarms", default="5", help="per m² of clean cloth")
        say("--inspection", metavar="LINE/NUMBER", action="append", default=[], help="one whose cloth was clean")
        say("--job", metavar="NUMBER", help="instead: the job whose clean cloth the scans show")
        say("--scan", metavar="FILE", type=Path, action="append", default=[], help="with --job: a scan of clean cloth")
        say("--shop", help="the shop's short name; needed when there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = shop_named(options["shop"])
        try:
            found = calibrating.set_threshold(
                shop, options["article"], _cloths(shop, options),
                false_alarms_per_m2=typed.number("false-alarms", options["false_alarms"]), by=getpass.getuser(),
            )  # fmt: skip
        except Refusals as refusal:
            self.stderr.write(f"Not set: {refusal} [{refusal.code}]")
            sys.exit(BAD_INPUT)
        for sentence in in_words(found):
            self.stdout.write(sentence)


def in_words(found: DefectThreshold) -> list[str]:
    """Return what was set, and on what, a line each."""
    said = [
        f"{found.article}: from {found.high:.2f} on a place is a defect, and reaches as far as {found.low:.2f}.",
        f"Set on {found.clean_m2:.2f} m² of clean cloth ({', '.join(found.inspections)}), to "
        f"{found.false_alarms_per_m2:g} false alarms per m². It holds for what is inspected from now on.",
    ]
    if found.synthetic:
        said.insert(0, "SYNTHETIC: some of these scans are simulated; set it again on cloth of your own.")
    return said


def _cloths(shop: Shop, options: dict[str, Any]) -> list[Cloth]:
    if bool(options["job"]) != bool(options["scan"]):
        raise typed.refused("scan", "", "Give --job and --scan together: what the scans should show.")
    if options["job"]:
        ticket, raster = job_named(options["job"], shop)
        files = tuple((path, typed.printable(path.name)) for path in options["scan"])
        name, article = f"scans of {ticket.reference}", ticket.manifest["article"]
        return [Cloth(name, article, ticket.shop, ticket.manifest, ticket.released_at.date(), raster, files)]
    named = [_named(shop, each) for each in options["inspection"]]
    return [calibrating.cloth_of(each) for each in named or calibrating.clean_inspections(shop, options["article"])]


def _named(shop: Shop, text: str) -> Inspection:
    reference, _, number = text.rpartition("/")
    found = Inspection.objects.filter(
        shop=shop.slug, reference=reference, number=typed.whole("inspection", number)
    ).first()
    if found is None:
        raise typed.refused("inspection", text[:80], f"There is no inspection {text[:80]}: write it as WL-000001-1/2.")
    return found
