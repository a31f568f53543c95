"""Ask when a cloth could be ready; nothing is held."""

import json
import sys
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from inventory_sync import words
from orders import promising
from orders.management import typed
from orders.management.commands.place_order import shop_named
from orders.services import Refusals

BAD_INPUT = 2


class Command(BaseCommand):
    """`manage.py promise --fabric FAB-COT-SAT --metres 12`."""

    help = (
        "Say when so much of a cloth could be ready as the shop stands now; nothing is held. Ends with status 0, and "
        "with 2 when it can't be: the sentence says what stands against it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        say = parser.add_argument
        say("--fabric", default="", metavar="SKU", help="the fabric to print")
        say("--weave", default="", metavar="CODE", help="or the cloth to weave")
        say("--metres", required=True, metavar="M", help="how much of it")
        say("--repeat-mm", default="", metavar="WxH", help="finished size of the repeat, where it is known")
        say("--drawn", action="store_true", help="there is a design: none has to be drawn and looked at")
        say("--shop", help="the shop's short name; needed when there are several")
        say("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = shop_named(options["shop"])
        try:
            answer = promising.inquire(
                shop,
                substrate=options["fabric"],
                weave=options["weave"],
                quantity_m=_metres(options["metres"]),
                repeat=typed.size("repeat-mm", options["repeat_mm"]) if options["repeat_mm"] else None,
                drawn=options["drawn"],
            )
        except Refusals as refusal:
            if options["json"]:
                said = {"code": refusal.code, "message": str(refusal), "fields": refusal.fields}
                self.stdout.write(json.dumps(said, indent=1, default=str))
            else:
                self.stderr.write(str(refusal))
            sys.exit(BAD_INPUT)
        if options["json"]:
            self.stdout.write(json.dumps(promising.written(answer), indent=1))
            return
        tz, now = shop.time_zone, timezone.now()
        self.stdout.write(f"Ready {words.clock(answer.promise.date, tz, now=now)}: {answer.promise.binding}.")
        likely, safe = words.day(answer.likely, tz), words.day(answer.safe, tz)
        self.stdout.write(f"Half of such orders are ready by {likely}, 9 in 10 by {safe}.")
        if answer.resequenced is not None:
            self.stdout.write(
                f"Earliest if other work were planned anew: {words.clock(answer.resequenced, tz, now=now)}."
            )
        for step in answer.promise.steps:
            changeover = f", {step.changeover_min} min of it changing over" if step.changeover_min else ""
            begin, end = (words.clock(moment, tz, now=now) for moment in (step.begin, step.end))
            self.stdout.write(f"  {step.name:<18}{step.work_centre:<8}{begin:>18} to {end}{changeover}")


def _metres(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typed.refused("metres", text, f"{text[:40]!r} is no length: write it like 12.5.") from None
