"""Record what a released job really took, and issue its costing again with planned, actual and variance."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from production.actuals import FIELDS, record_actuals, uses_in
from production.errors import ProductionError
from production.models import JobTicket

BAD_INPUT = 2


class Command(BaseCommand):
    """`manage.py record_actuals REFERENCE FILE [--shop SLUG] [--revision N] [--json]`."""

    help = (
        "Record what a job took, and issue its costing again. FILE is CSV with a head line, or a JSON list, of "
        f"{', '.join(FIELDS)}; code and quantity at least, such as FAB-COT-SAT,14.5. The codes of what was planned "
        "stand in the job's costing.json; a line left out is taken as planned, and something new needs a code of its "
        "own, its rate and what it is. Status 0: recorded; 2: refused, nothing is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="of the order line, such as WL-000001-1")
        parser.add_argument("file", type=Path, metavar="FILE", help="what was used")
        parser.add_argument("--shop", default="demo", help="whose job it is")
        parser.add_argument("--revision", type=int, help="of the ticket; left out: the newest")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, reference: str, file: Path, **options: Any) -> None:
        tickets = JobTicket.objects.filter(shop=options["shop"], reference=reference).order_by("-revision", "-pk")
        if options["revision"] is not None:
            tickets = tickets.filter(revision=options["revision"])
        ticket = tickets.first()
        if ticket is None:
            self.stderr.write(f"There is no released job {reference} in {options['shop']}. Name one that was released.")
            sys.exit(BAD_INPUT)
        try:
            costing = record_actuals(ticket, uses_in(file), at=timezone.now())
        except ProductionError as error:
            self.stderr.write(str(error))
            sys.exit(BAD_INPUT)
        compared = costing.comparison
        assert compared is not None, "something was recorded"
        if options["json"]:
            self.stdout.write(json.dumps({"job": str(ticket), "issue": costing.issue, **compared.as_dict()}, indent=1))
            return
        currency = costing.cost.currency
        self.stdout.write(
            f"{ticket}: planned {compared.planned} {currency}, actual {compared.actual}, "
            f"{compared.variance:+.2f}; costing issue {costing.issue} lies beside the other files."
        )
