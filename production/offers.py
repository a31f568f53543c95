"""What can be ordered of a shop, with what a person chooses by: fibre, weight, and the width of the finished cloth."""

from __future__ import annotations

from dataclasses import dataclass

from production.models import InkSet, Substrate, WeaveSpec


@dataclass(frozen=True)
class Offer:
    """A fabric to print, or a cloth to weave."""

    kind: str  # substrate or weave, as an order names it
    code: str
    name: str
    fibre: str
    gsm: float
    usable_width_mm: float  # of the finished cloth: between the selvedges, and shrunk

    @property
    def key(self) -> str:
        """By which a list of choices knows it."""
        return f"{self.kind}:{self.code}"


def offers(shop: str) -> list[Offer]:
    """What can be ordered, by name: fabrics that the shop's inks suit, then weaves."""
    ink_classes = InkSet.objects.filter(shop=shop).values("ink_class")
    fabrics = Substrate.objects.filter(shop=shop, ink_class__in=ink_classes).order_by("name")
    weaves = WeaveSpec.objects.filter(shop=shop).order_by("name")
    return [*(_offer("substrate", row) for row in fabrics), *(_offer("weave", row) for row in weaves)]


def _offer(kind: str, row: Substrate | WeaveSpec) -> Offer:
    usable_mm = row.usable_width_mm * (1 - row.shrink_weft_pct / 100)
    return Offer(kind, row.code, row.name, row.fibre, row.gsm, usable_mm)
