"""Place an order from a file: the same line as the API's, from a script."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import ValidationError

from orders import report, services, worker
from orders.api.problems import problem
from orders.api.serializers import OrderInput
from orders.domain.states import LineState
from orders.models import Order, OrderLine, Shop

BAD_INPUT, BLOCKED = 2, 3


class Command(BaseCommand):
    """`manage.py place_order FILE.json [--wait] [--approve best] [--json]`."""

    help = (
        "Place the order in FILE (JSON). Ends with status 0, with 2 when the order can't be taken as written, "
        "and with 3 when a line is blocked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="an order file, or - for standard input")
        parser.add_argument("--shop", help="the shop's short name; needed when there are several")
        parser.add_argument("--wait", action="store_true", help="work until the candidates, or the files, are there")
        parser.add_argument("--approve", choices=["best"], help="say yes to the best candidate (with --wait)")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["approve"] and not options["wait"]:
            sentence = "--approve needs --wait: there is nothing to approve before the candidates are there."
            raise CommandError(sentence, returncode=BAD_INPUT)
        shop = shop_named(options["shop"])
        order = self._place(shop, _read(options["file"], self._refuse), options)
        if options["wait"]:
            run(order, approve=options["approve"] == "best")
        answer = report.order(order)
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=2, default=str))
        else:
            self.stdout.write(f"Order {order.number} for {order.customer}")
            for line in answer["lines"]:
                self._tell(line)
        if any(line["state"] == LineState.BLOCKED for line in answer["lines"]):
            sys.exit(BLOCKED)

    def _place(self, shop: Shop, data: Any, options: dict[str, Any]) -> Order:
        try:
            wish = OrderInput(data=data)
            wish.is_valid(raise_exception=True)
            return services.place_and_submit(shop, **wish.validated_data, by=None)
        except (ValidationError, *services.Refusals) as error:
            known = problem(error)
            assert known is not None
            self._refuse(known[1], as_json=options["json"])
            raise

    def _refuse(self, body: dict[str, Any], *, as_json: bool = False) -> None:
        if as_json:
            self.stdout.write(json.dumps(body, indent=2, default=str))
        else:
            field = body["fields"].get("field")
            message = body["message"]
            named = f"{field}: {message}" if field and not message.startswith(field) else message
            self.stderr.write(f"{named} [{body['code']}]")
        sys.exit(BAD_INPUT)

    def _tell(self, line: dict[str, Any]) -> None:
        self.stdout.write(f"{line['reference']}: {line['state']}")
        for candidate in line["candidates"]:
            if candidate["passed"]:
                price = f"{candidate['price']} {candidate['currency']}"
                self.stdout.write(f"  {candidate['position']}  {price}, {candidate['promise']}: {candidate['binding']}")
            else:
                reasons = "; ".join(f["sentence"] for f in candidate["findings"] if f["severity"] == "error")
                self.stdout.write(f"  {candidate['position']}  can't be made: {reasons or 'not checked'}")
        if line["blocked"]:
            self.stdout.write(f"  blocked ({line['blocked']['code']}): {line['blocked']['sentence']}")
        for file in line["files"]:
            self.stdout.write(f"  {file['format']:<12} {file['path']}")


def run(order: Order, *, approve: bool, on_look: Any = lambda lines: None) -> None:
    """Work on the order's lines until they rest; approve the best candidate of each where asked."""
    lines = list(order.lines.all())
    worker.run_until_rest(lines, on_look=on_look)
    if not approve:
        return
    for line in OrderLine.objects.filter(order=order, state=LineState.PROOFING).select_related("order__shop"):
        best = services.best(line)
        if best is not None:
            services.approve(line, best.position, by=None)
    worker.run_until_rest(lines, on_look=on_look)


def _read(name: str, refuse: Any) -> Any:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return json.loads(text, parse_constant=_no_constant)
    except OSError as error:
        message = f"The order file {name} can't be read: {error.strerror}."
        return refuse({"code": "unreadable_file", "message": message, "fields": {"field": "file"}})
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        message = f"The order file {name} is not JSON: {error}."
        return refuse({"code": "not_json", "message": message, "fields": {"field": "file"}})


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number an order can hold")


def shop_named(slug: str | None) -> Shop:
    """Return the shop of that short name, or the only one. Raises CommandError."""
    shops = Shop.objects.filter(slug=slug) if slug else Shop.objects.all()
    found = list(shops[:2])
    if len(found) == 1:
        return found[0]
    if slug or found:
        known = ", ".join(Shop.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(f"Name the shop with --shop; there are: {known}.", returncode=BAD_INPUT)
    raise CommandError("There is no shop yet: run `make demo`, or `manage.py seed FILE`.", returncode=BAD_INPUT)
