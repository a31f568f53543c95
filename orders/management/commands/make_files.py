"""Make the production files of any picture: machine files, tickets, costing; checked, measured, priced, verified."""

import json
import sys
from argparse import BooleanOptionalAction
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from orders import work
from orders.making import Made, Wish, make_files
from orders.management import typed
from orders.management.commands.place_order import shop_named
from orders.services import Refusals
from production import services as production
from production.errors import DiskFull

BAD_INPUT = 2
LONGEST_REFERENCE, LONGEST_NAME = 64, 200  # as orders keep them
FIRST_YEAR, LAST_YEAR = 2000, 2199  # far from where a calendar ends
# Fields of a refusal that the command calls otherwise.
OPTIONS = {"quantity_m": "length_mm", "weave": "weave_spec", "ink_set": "inks"}


class Command(BaseCommand):
    """`manage.py make_files IMAGE --machine M --substrate S --repeat-mm WxH --length-mm L --out DIR`."""

    help = (
        "Make the files of a picture for a printer or a loom; nothing is ordered, nothing held. Ends with status "
        "0, and with 2 when they can't be made as asked: the sentence says which figure stands against it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        say = parser.add_argument
        say("image", metavar="IMAGE", type=Path, help="the picture of one repeat: PNG, TIFF, JPEG, WebP, BMP or PSD")
        say("--machine", help="the printer or loom, by its code; without it, the first that can make the cloth")
        say("--substrate", metavar="SKU", help="the fabric to print")
        say("--weave-spec", metavar="NAME", help="the weave, for a loom; without it, the loom's only one")
        say("--inks", metavar="CODE", help="the ink set; without it, the machine's standard one")
        say("--repeat-mm", required=True, metavar="WxH", help="finished size of the repeat")
        say("--layout", default="straight", help="straight, half_drop, third_drop, half_brick or mirror (straight)")
        say("--length-mm", default="1000", metavar="L", help="finished length of cloth (1000)")
        say("--formats", default="", metavar="A,B", help=f"which files: {', '.join(production.format_codes())}")
        say("--spots", default="", metavar="#F3EFE6=A,…", help="a spot channel's name for each colour of the picture")
        say("--out", required=True, metavar="DIR", help="where the files go")
        say("--reference", help="the name of the job; without it, the picture's file name")
        say("--revision", default="1", help="its revision (1)")
        say("--customer", default="", help="the customer's name, for the documents")
        say("--at", metavar="TIME", help="the time of release, ISO 8601: the same time gives the same bytes (now)")
        say("--shop", help="the shop's short name; needed when there are several")
        say("--progress", action=BooleanOptionalAction, default=None, help="show a bar (where somebody can see it)")
        say("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = self._make(options)
        except Refusals as refusal:
            self._refuse(refusal, as_json=options["json"])
            return
        answer = _answer(made)
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False))
            return
        for finding in made.findings:
            if finding.severity != "info":
                self.stdout.write(f"{finding.severity}: {finding.sentence} {finding.remedy}".rstrip())
        for change in answer["snapped"]:
            self.stdout.write(f"Note: {change}")
        for file in answer["files"]:
            self.stdout.write(f"{file['format']:<13}{file['bytes'] / 1e6:>9.2f} MB  {file['name']}")
        self.stdout.write(f"{answer['price']} {answer['currency']} in {answer['folder']}; every file was read back.")

    def _make(self, options: dict[str, Any]) -> Made:
        wish = _wish(options)
        folder = typed.folder("out", options["out"])
        try:
            shop = shop_named(options["shop"])
            with Bars(wanted=options["progress"], quiet=options["json"]) as bars:
                return make_files(shop, wish, folder=folder, on_progress=bars.show)
        except DatabaseError as error:
            sentence = "The catalogue can't be read: run `make demo`, or `manage.py migrate` and `manage.py seed FILE`."
            raise typed.refused("shop", options["shop"], sentence) from error

    def _refuse(self, refusal: Any, *, as_json: bool) -> None:
        fields = {key: work.plain(value) for key, value in refusal.fields.items()}
        field = fields.get("field", "") or ("out" if refusal.code == DiskFull.code else "")
        fields["field"] = OPTIONS.get(field, field)
        if as_json:
            body = {"code": refusal.code, "message": str(refusal), "fields": fields}
            self.stdout.write(json.dumps(body, indent=1, default=str))
        else:
            self.stderr.write(f"{fields['field'] or 'picture'}: {refusal} [{refusal.code}]")
            for finding in fields.get("findings", ()):
                self.stderr.write(
                    f"  {finding['sentence']} {finding['measured']}, limit {finding['limit']}. {finding['remedy']}"
                )
        sys.exit(BAD_INPUT)


class Bars:
    """A progress bar for each file while it is made, on the terminal only: what is piped stays clean."""

    def __init__(self, *, wanted: bool | None, quiet: bool = False) -> None:
        console = Console(stderr=True)
        shown = (console.is_terminal and not quiet) if wanted is None else wanted
        columns = (TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, disable=not shown)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, what: str, done: int, of: int) -> None:
        """Move the bar of `what` to `done` of `of`."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what)
        self._progress.update(self._tasks[what], completed=done, total=max(of, 1))


def _wish(options: dict[str, Any]) -> Wish:
    """Read the options. Raises InvalidOrder naming the option that can't be read."""
    picture: Path = options["image"]
    if not picture.is_file():
        raise typed.refused("image", str(picture), f"There is no picture {picture}.")
    repeat = typed.size("repeat_mm", options["repeat_mm"])
    words = typed.printable(picture.stem)
    given = options["reference"]
    reference = typed.line("reference", given, LONGEST_REFERENCE) if given is not None else words[:LONGEST_REFERENCE]
    if not reference.strip():
        raise typed.refused("reference", reference, "Give the job a name with --reference.")
    revision = typed.whole("revision", options["revision"])
    if not 1 <= revision <= 999:
        raise typed.refused("revision", revision, "Revisions are counted from 1 to 999.")
    substrate, weave, machine = options["substrate"], options["weave_spec"], options["machine"]
    return Wish(
        picture=picture,
        repeat=replace(repeat, layout=typed.layout("layout", options["layout"])),
        length_m=typed.number("length_mm", options["length_mm"]) / 1000,
        substrate=substrate,
        weave=machine if not substrate and not weave else weave,  # a loom is set up for one weave, of its own name
        machine=machine,
        ink_set=options["inks"],
        formats=_names(options["formats"]),
        spots=_names(options["spots"]),
        words=words,
        reference=reference,
        revision=revision,
        customer=typed.line("customer", options["customer"], LONGEST_NAME),
        at=_moment(options["at"]),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _moment(text: str | None) -> datetime:
    if text is None:
        return timezone.now().replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typed.refused("at", text, f"{text!r} is no time: write it like 2026-11-22T14:30+01:00.") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise typed.refused("at", text, f"Nothing is released in {moment.year}: {FIRST_YEAR} to {LAST_YEAR} is read.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _answer(made: Made) -> dict[str, Any]:
    job, usage = made.job, made.job.assessment.usage
    return {
        "reference": job.reference,
        "revision": job.revision,
        "folder": str(made.files[0].path.parent),
        "machine": job.spec.machines[0],
        "cloth": job.spec.sku,
        "repeat_mm": [round(job.spec.repeat.width_mm, 3), round(job.spec.repeat.height_mm, 3)],
        "pixels": [job.spec.width_px, job.spec.height_px],
        "snapped": list(job.spec.snapped),
        "usage": work.plain(usage),
        "price": str(job.cost.price),
        "currency": job.cost.currency,
        "findings": [finding.as_dict() for finding in made.findings],
        "files": [
            {"name": file.path.name, "format": file.format, "sha256": file.sha256, "bytes": file.size_bytes}
            for file in made.files
        ],
    }
