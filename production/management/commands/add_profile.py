"""Add a mill's own colour profile to its catalogue."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from production.catalogue import fabric_named, ink_set_named, machine_named
from production.colour_profiles import Given, register
from production.errors import ProductionError

BAD_INPUT = 2


class Command(BaseCommand):
    """`manage.py add_profile FILE --ink-set CODE --owner NAME --valid-from DAY`."""

    help = (
        "Check a colour profile that was measured on cloth, keep a copy of it and let it count from a day on. Measured "
        "profiles go before synthetic ones, and those of one fabric or printer before those of all of them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        say = parser.add_argument
        say("file", metavar="FILE", type=Path, help="an ICC profile of a printer: CMYK, or 5CLR to 8CLR")
        say("--ink-set", required=True, metavar="CODE", help="the inks it was made with")
        say("--printer", metavar="CODE", help="the one printer it counts for; without it, all that have these inks")
        say("--substrate", metavar="SKU", help="the one fabric it counts for; without it, all of the class")
        say("--fabric-class", default="", metavar="CLASS", help="the ink class of the fabrics (that of the ink set)")
        say("--owner", required=True, help="whose it is")
        say("--valid-from", required=True, type=_day, metavar="DAY", help="the first day it counts, as 2026-11-30")
        say("--valid-until", type=_day, metavar="DAY", help="the last day; without it, it does not end")
        say("--code", help="its code in the catalogue; without it, the file's name")
        say("--name", help="its name in the catalogue; without it, the file's name")
        say("--note", default="", help="what else to know of it")
        say("--synthetic", action="store_true", help="it comes from a model and was not measured")
        say("--shop", default="demo", help="the shop's short name")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        shop, until = options["shop"], options["valid_until"]
        if until and until < options["valid_from"]:
            self._refuse(f"It would end on {until}, before it begins on {options['valid_from']}.")
        given = Given(
            code=(options["code"] or file.stem)[:64],
            name=(options["name"] or file.stem)[:200],
            owner=options["owner"],
            valid_from=options["valid_from"],
            valid_until=until,
            synthetic=options["synthetic"],
            note=options["note"],
        )
        try:
            row = register(
                file,
                given,
                ink_set=ink_set_named(shop, options["ink_set"]),
                fabric_class=options["fabric_class"],
                printer=machine_named(shop, options["printer"]) if options["printer"] else None,
                substrate=fabric_named(shop, options["substrate"]) if options["substrate"] else None,
            )
        except ProductionError as refusal:
            self._refuse(refusal.message)
            return
        ends = f" until {row.valid_until}" if row.valid_until else ""
        self.stdout.write(f"{row.code}: {row.name}, sha256 {row.sha256}, counts from {row.valid_from}{ends}.")

    def _refuse(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(BAD_INPUT)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-30") from None
