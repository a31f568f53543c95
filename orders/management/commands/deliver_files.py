"""Put a job's files into the hot folder of its machine, whole and in order, and no more than once."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import Progress

from orders import sending
from orders.management.commands.place_order import shop_named
from orders.models import OrderLine, Shop
from orders.services import Refusals
from production import services as production
from production.models import Delivery
from production.ports import OnFile

BAD_INPUT, REFUSED = 2, 3


class Command(BaseCommand):
    """`manage.py deliver_files TICKET|DIR [--to FOLDER | --machine CODE] [--again]`."""

    help = (
        "Send released files to a machine's hot folder: pictures first, the ticket last. Repeat it after any break; "
        "the job starts once. Status 0: sent; 2: there is no such job; 3: refused, in a sentence."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        say = parser.add_argument
        say("job", metavar="TICKET|DIR", help="the reference of a released line, or a folder that make_files filled")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--to", metavar="FOLDER", type=Path, help="the hot folder")
        where.add_argument(
            "--machine", metavar="CODE", help="the machine whose hot folder is meant; else the planned one"
        )
        say("--again", action="store_true", help="send it although it was sent before: it will be made twice")
        say("--shop", help="the shop's short name; needed when there are several")
        say("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = shop_named(options["shop"])
        try:
            with Progress(console=Console(stderr=True), transient=True, disable=options["json"]) as bars:
                task = bars.add_task("Sending")
                done = self._send(
                    shop,
                    options,
                    lambda name, done, of: bars.update(task, description=name, completed=done, total=of),
                )
        except Refusals as refusal:
            body = {"code": refusal.code, "message": str(refusal), "fields": refusal.fields}
            if options["json"]:
                self.stdout.write(json.dumps(body, indent=1, default=str))
            else:
                self.stderr.write(f"{refusal} [{refusal.code}]")
            sys.exit(REFUSED)
        if options["json"]:
            said = {"job": done.job, "hot_folder": done.hot_folder, "files": done.files, "number": done.number}
            self.stdout.write(json.dumps(said, indent=1))
        else:
            self.stdout.write(f"{done.job} is in {done.hot_folder}: {', '.join(done.files)}.")

    def _send(self, shop: Shop, options: dict[str, Any], on_file: OnFile) -> Delivery:
        hot_folder: Path | None = options["to"]
        if options["machine"]:
            hot_folder = production.hot_folder_of(shop.slug, options["machine"])
        line = OrderLine.objects.filter(order__shop=shop, reference=options["job"]).first()
        if line is not None:
            return sending.send(line, by=None, again=options["again"], hot_folder=hot_folder, on_file=on_file)
        folder = Path(options["job"])
        manifests = sorted(folder.glob("*-manifest.json"))
        if len(manifests) != 1:
            found = "no manifest" if not manifests else f"{len(manifests)} manifests"
            self.stderr.write(f"{folder} is neither a released line nor the folder of one job: it has {found}.")
            sys.exit(BAD_INPUT)
        manifest = production.read_manifest(manifests[0])
        return production.deliver(
            manifest,
            folder=folder,
            hot_folder=hot_folder or production.hot_folder_of(shop.slug, manifest["machine"]["code"]),
            shop=shop.slug,
            again=options["again"],
            on_file=on_file,
        )
