"""The space of a brand: build it from what was approved, look at its axes, walk along them from one design."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation import latent
from generation import services as generation
from generation.errors import GenerationError
from generation.images import indexed_png
from generation.models import Artwork, LatentSpace
from orders import exclusivity, work
from orders.management.commands.place_order import BAD_INPUT, shop_named
from orders.models import Candidate, Shop


class Command(BaseCommand):
    """`manage.py latent_space build|show|walk NAME [--shop SLUG] …`."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["build", "show", "walk"])
        parser.add_argument("name", help="the brand, or whatever the space is called")
        parser.add_argument("--shop", help="the shop's short name; needed when there are several")
        parser.add_argument("--customer", help="build: only from the designs of this customer")
        parser.add_argument("--version-number", type=int, help="show, walk: an earlier version")
        parser.add_argument("--candidate", type=int, help="walk: the id of the design to move")
        parser.add_argument("--move", nargs="+", default=[], metavar="AXIS=AMOUNT", help="walk: density=0.8 and so on")
        parser.add_argument("--out", type=Path, help="walk: where the moved design is written, an indexed PNG")
        parser.add_argument("--draw", type=int, metavar="SEED", help="walk: draw it anew by the candidate's generator")
        parser.add_argument("--strength", type=float, default=0.4, help="walk: how freely it is drawn anew, 0 to 1")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = shop_named(options["shop"])
        try:
            if options["what"] == "build":
                self._tell(latent.build(shop.slug, options["name"], _approved(shop, options["customer"])))
            else:
                kept = latent.found(shop.slug, options["name"], version=options["version_number"])
                self._tell(kept) if options["what"] == "show" else self._walk(shop, kept, options)
        except GenerationError as error:
            raise CommandError(f"{error} [{error.code}]", returncode=BAD_INPUT) from error

    def _tell(self, kept: LatentSpace) -> None:
        self.stdout.write(
            f"{kept.name} version {kept.version}, {len(kept.designs)} designs, fingerprint {kept.fingerprint[:16]}"
        )
        for axis in kept.axes:
            share = f"{100 * axis['share']:.0f} % of what differs"
            self.stdout.write(f"  {axis['name']:<12} {axis['least']:+.2f} to {axis['most']:+.2f}, {share}")

    def _walk(self, shop: Shop, kept: LatentSpace, options: dict[str, Any]) -> None:
        if options["candidate"] is None or options["out"] is None:
            raise CommandError("walk needs --candidate and --out.", returncode=BAD_INPUT)
        candidates = Candidate.objects.filter(round__line__order__shop=shop, pk=options["candidate"])
        candidate = candidates.select_related("round__line__order__shop", "artwork").first()
        if candidate is None:
            raise CommandError(f"This shop has no candidate {options['candidate']}.", returncode=BAD_INPUT)
        there = latent.walk(kept, generation.raster_of(candidate.artwork), dict(map(_amount, options["move"])))
        if options["draw"] is not None:
            line, brief = candidate.round.line, candidate.round
            spec = work.spec_of(line, brief)
            asked = latent.going_on(work.asked_of(brief, spec), there, strength=options["strength"])
            name = brief.generator or shop.generator
            there = next(generation.rasters(asked, seeds=[options["draw"]], limits=spec.limits, generator=name))
        options["out"].write_bytes(indexed_png(there))
        self.stdout.write(f"{options['out']}: {there.origin}")


def _approved(shop: Shop, customer: str | None) -> list[Artwork]:
    approvals = exclusivity.sold_by(shop)
    if customer:
        approvals = approvals.filter(line__order__customer__name=customer)
    return list(Artwork.objects.filter(pk__in=approvals.values("candidate__artwork")))


def _amount(written: str) -> tuple[str, float]:
    name, _, number = written.rpartition("=")
    try:
        return name, float(number)
    except ValueError:
        raise CommandError(f"{written!r}: write a move as density=0.8.", returncode=BAD_INPUT) from None
