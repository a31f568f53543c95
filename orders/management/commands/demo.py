"""One real order through the whole line, from words to verified files."""

import hashlib
import json
import os
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.status import Status
from rich.table import Table

from orders import report, services, work
from orders.api.serializers import OrderInput
from orders.domain.states import LineState
from orders.management.commands.place_order import run
from orders.models import Order, OrderLine, Shop
from orders.seeding import DEMO_FACTORY, seed

ORDER = DEMO_FACTORY.parent / "nordic_floral.json"


class Command(BaseCommand):
    """`manage.py demo`."""

    help = "Prepare the embedded database and the demo factory, take an order and bring it to files under var/demo/."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--erp",
            default="ledger",
            choices=("ledger", "odoo", "odoo_json2"),
            help="the embedded ledger, or the Odoo that ODOO_URL, ODOO_DATABASE, ODOO_LOGIN and ODOO_API_KEY name",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(highlight=False, soft_wrap=True)
        began = time.monotonic()
        call_command("migrate", verbosity=0)
        own_erp = options["erp"] != "ledger"
        slug, name = ("demo-odoo", "Weftline demo mill on Odoo") if own_erp else ("demo", "Weftline demo mill")
        counts = seed(DEMO_FACTORY, slug=slug, name=name, own_erp=own_erp)
        new = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        console.print(f"[bold]Factory[/]  {new or 'everything was already there'}")
        if own_erp:
            where = {name: os.environ.get(f"ODOO_{name.upper()}", "") for name in ("url", "database", "login")}
            if lacking := [f"ODOO_{name.upper()}" for name, value in where.items() if not value]:
                raise CommandError(f"Which Odoo? Set {', '.join(lacking)}, and ODOO_API_KEY.", returncode=2)
            call_command("connect_erp", shop=slug, connector=options["erp"], **where)
        shop = Shop.objects.get(slug=slug)
        earlier = Order.objects.filter(shop=shop).count()
        if earlier:
            console.print(f"[bold]Orders[/]   {earlier} already there; this is one more")

        wish = OrderInput(data=json.loads(ORDER.read_text(encoding="utf-8")))
        wish.is_valid(raise_exception=True)
        order = services.place_and_submit(shop, **wish.validated_data, by=None)
        line = order.lines.get()
        console.print(
            f"[bold]Order[/]    {order.number} for {order.customer}: {float(line.quantity_m):g} m {line.substrate}, "
            f"“{line.newest_round.words}”"
        )
        with console.status("submitted") as status:
            run(order, approve=True, on_look=lambda lines: _show(status, lines))
        folder = Path(settings.VAR_DIR) / "demo"
        summary = _deliver(order, folder)
        path = folder / "summary.json"
        path.write_text(json.dumps(summary, indent=2, default=str) + "\n", encoding="utf-8")
        _print(console, summary, ZoneInfo(shop.time_zone))
        console.print(f"[bold]Summary[/]  {path}")
        if any(line["state"] != LineState.RELEASED for line in summary["lines"]):
            console.print("[bold red]The order did not reach its files.[/]")
            sys.exit(3)
        console.print(f"Done in {time.monotonic() - began:.1f} s. `make serve` shows it in a browser.")


def _show(status: Status, lines: list[OrderLine]) -> None:
    status.update("   ".join(f"{line.reference} {line.state}: {line.progress}".rstrip(": ") for line in lines))


def _deliver(order: Order, folder: Path) -> dict[str, Any]:
    """Copy the order's files and previews to its folder and return the report with the paths there."""
    summary = report.order(order)
    for line in summary["lines"]:
        place = folder / line["reference"]
        place.mkdir(parents=True, exist_ok=True)
        for file in line["files"]:
            file["path"] = str(shutil.copy2(file["path"], place))
        for candidate in OrderLine.objects.get(reference=line["reference"], order=order).newest_round.candidates.all():
            preview = place / f"candidate_{candidate.position}.png"
            preview.write_bytes(work.preview(candidate, size_px=1024, repeats=3))
            line["candidates"][candidate.position - 1] |= {
                "preview": str(preview),
                "preview_sha256": hashlib.sha256(preview.read_bytes()).hexdigest(),
            }
    return summary


def _print(console: Console, summary: dict[str, Any], zone: ZoneInfo) -> None:
    for line in summary["lines"]:
        table = Table(title=f"{line['reference']}: {line['state']}", title_justify="left")
        for head in ("", "findings", "price", "per m", "promise", "because"):
            table.add_column(head)
        for candidate in line["candidates"]:
            chosen = "➜" if candidate["position"] == line["approved"] else ""
            said = [f["sentence"] for f in candidate["findings"] if f["severity"] != "info"] or ["passes every check"]
            promise = candidate["promise"]
            table.add_row(
                f"{chosen}{candidate['position']}",
                "\n".join(said),
                f"{candidate['price']} {candidate['currency']}" if candidate["price"] else "–",
                candidate["price_per_m"] or "–",
                f"{datetime.fromisoformat(promise).astimezone(zone):%a %d %b %H:%M}" if promise else "–",
                candidate["binding"],
            )
        console.print(table)
        if line["blocked"]:
            console.print(f"[bold red]Blocked[/]  {line['blocked']['sentence']}")
        clock = Table(title="Speed to customisation", title_justify="left")
        clock.add_column("stage")
        clock.add_column("seconds", justify="right")
        for stage, seconds in line["clock"]["stages_s"].items():
            clock.add_row(stage.replace("_", " "), f"{seconds:.1f}")
        if line["clock"]["speed_to_customisation_s"] is not None:
            clock.add_row("[bold]request to print file", f"[bold]{line['clock']['speed_to_customisation_s']:.1f}")
        console.print(clock)
        for file in line["files"]:
            console.print(f"  {file['format']:<14} {file['path']}")
        for candidate in line["candidates"]:
            console.print(f"  {'preview':<14} {candidate['preview']}")
