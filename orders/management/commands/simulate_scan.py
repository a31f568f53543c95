"""Write a simulated scan of a released job's cloth: to try inspection where there is no scanner."""

import math
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders.management import typed
from orders.management.commands.inspect_scan import job_named
from orders.management.commands.place_order import shop_named
from orders.services import Refusals
from production import inspector
from production.inspection.flaws import Kind
from production.inspection.simulate import FILES, write_scan
from production.inspection.source import Source
from production.simulated import scan_of_job

BAD_INPUT = 2
MOST_SEED = 2**31
MOST_M2 = 3.0  # about two gigabytes of memory for each


class Command(BaseCommand):
    """`manage.py simulate_scan --job NUMBER --out FILE [--defects hole,stain | none] [--seed N] [--metres M]`."""

    help = (
        "Draw what a scanner would see of a job's finished cloth, yarn by yarn, with defects. No cloth is seen: the "
        "file says SYNTHETIC of itself, and so does every page and report of what is found on it. Takes about a minute "
        "of a processor for each square metre."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        say = parser.add_argument
        say("--job", metavar="NUMBER", required=True, help="the order line, or what its ticket's code says")
        say("--out", metavar="FILE", type=Path, required=True, help="PNG, TIFF or JPEG")
        say("--defects", help=f"none, or of {', '.join(Kind)}, parted by commas; left out: none to four, drawn")
        say("--seed", default="1", help="the same number gives the same scan")
        say("--errors", default="1", help="how far off in colour, size and shape it is, of what is usual: 0 to 3")
        say("--metres", help="how much of the cloth, from its head on; left out: all of it")
        say("--shop", help="the shop's short name; needed when there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            said = self._write(options)
        except Refusals as refusal:
            self.stderr.write(f"No scan: {refusal} [{refusal.code}]")
            sys.exit(BAD_INPUT)
        self.stdout.write(said)

    def _write(self, options: dict[str, Any]) -> str:
        out: Path = options["out"]
        kinds, seed, errors = _kinds(options["defects"]), typed.whole("seed", options["seed"]), _errors(options)
        if out.suffix.lower() not in FILES or not out.resolve().parent.is_dir():
            raise typed.refused(
                "out", str(out), f"{out} can't be written: give a PNG, TIFF or JPEG in a folder there is."
            )
        if not 0 <= seed < MOST_SEED:
            raise typed.refused("seed", options["seed"], f"Give a seed from 0 to {MOST_SEED - 1}.")
        ticket, raster = job_named(options["job"], shop_named(options["shop"]))
        day = ticket.released_at.date()
        source = inspector.source_of(raster, ticket.shop, ticket.manifest, released=day)
        inks = inspector.spec_of(ticket.shop, ticket.manifest, released=day).inks
        metres = _metres(options["metres"], source)
        scan, truth = scan_of_job(source, ticket.manifest, inks, seed=seed, kinds=kinds, errors=errors, metres=metres)
        write_scan(out, scan, of=f"{ticket.reference} r{ticket.revision}, seed {seed}")
        there = ", ".join(each.flaw.kind.replace("_", " ") for each in truth.seen) or "none"
        return f"SYNTHETIC: {out}, {scan.shape[1]} x {scan.shape[0]} pixels at 100 dpi. Defects on it: {there}."


def _kinds(text: str | None) -> list[Kind] | None:
    if text is None:
        return None
    names = [each.strip() for each in text.split(",") if each.strip() and each.strip() != "none"]
    wrong = [each for each in names if each not in set(Kind)]
    if wrong:
        raise typed.refused("defects", wrong[0][:40], f"{wrong[0][:40]!r} is none of {', '.join(Kind)}.")
    return [Kind(each) for each in names]


def _metres(text: str | None, source: Source) -> float | None:
    assert source.width_mm is not None, "a job's cloth has a width"
    assert source.length_mm is not None, "a job's cloth has a length"
    metres = None if text is None else typed.number("metres", text)
    if metres is not None and not 0.2 <= metres <= source.length_mm / 1000:
        raise typed.refused(
            "metres", text or "", f"Give from 0.2 to {source.length_mm / 1000:.2f} m: so much was made."
        )
    most = MOST_M2 / (source.width_mm / 1000)
    much = source.length_mm / 1000 if metres is None else metres
    if much > most:
        area_m2 = much * source.width_mm / 1000
        raise typed.refused(
            "metres",
            f"{much:g}",
            f"{much:g} m of this cloth are {area_m2:.1f} m², and all yarns are held in memory at once: at most "
            f"{MOST_M2:g} m². Give --metres {math.floor(most * 10) / 10:g} or less.",
        )
    return metres


def _errors(options: dict[str, Any]) -> float:
    errors = typed.number("errors", options["errors"])
    if not 0 <= errors <= 3:
        raise typed.refused("errors", options["errors"], "Give from 0 to 3 times the usual errors.")
    return errors
