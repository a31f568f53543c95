"""How a customer counts cloth: metres, yards, or panels with a gap between them. The mill counts in metres."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any, Final

from orders.errors import InvalidOrder

YARD_M: Final = Decimal("0.9144")
CENTIMETRE_M: Final = Decimal("0.01")


class Unit(StrEnum):
    """What a customer counts in."""

    METRES = "m"
    YARDS = "yd"
    PANELS = "panels"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """So much, as the customer said it. A panel has a height along the cloth, and a gap before the next, in mm."""

    quantity: Decimal
    unit: Unit
    height_mm: Decimal | None = None
    gap_mm: Decimal | None = None

    @property
    def metres(self) -> Decimal:
        """The length to deliver, up to the next whole centimetre: nobody gets less than they asked for.

        >>> Asked(quantity=Decimal(40), unit=Unit.YARDS).metres
        Decimal('36.58')
        >>> panels = Asked(quantity=Decimal(12), unit=Unit.PANELS, height_mm=Decimal(1400), gap_mm=Decimal(20))
        >>> panels.metres
        Decimal('17.04')
        """
        length = self.quantity
        if self.unit is Unit.YARDS:
            length = self.quantity * YARD_M
        elif self.unit is Unit.PANELS:
            length = self.quantity * ((self.height_mm or Decimal(0)) + (self.gap_mm or Decimal(0))) / 1000
        return length.quantize(CENTIMETRE_M, ROUND_CEILING)

    @property
    def words(self) -> str:
        """As it stands on a document.

        >>> Asked(quantity=Decimal("40.0"), unit=Unit.YARDS).words
        '40 yd'
        """
        number = plain(self.quantity)
        if self.unit is not Unit.PANELS:
            return f"{number} {self.unit.value}"
        panels = f"{number} {'panel' if self.quantity == 1 else 'panels'} of {plain(self.height_mm or Decimal(0))} mm"
        return f"{panels}, {plain(self.gap_mm)} mm apart" if self.gap_mm else panels

    def as_dict(self) -> dict[str, str]:
        """As a line keeps it."""
        said: dict[str, str] = {"quantity": plain(self.quantity), "unit": self.unit.value}
        if self.height_mm is not None:
            said["height_mm"] = plain(self.height_mm)
        if self.gap_mm is not None:
            said["gap_mm"] = plain(self.gap_mm)
        return said


def asked_of(kept: Mapping[str, Any]) -> Asked:
    """What a line keeps, read again."""
    sizes = {name: Decimal(kept[name]) for name in ("height_mm", "gap_mm") if kept.get(name) is not None}
    return Asked(quantity=Decimal(kept["quantity"]), unit=Unit(kept["unit"]), **sizes)


def refuse_unless_countable(asked: Asked) -> None:
    """Refuse what is no quantity. Raises InvalidOrder with `fields["field"]` set."""
    if not asked.quantity > 0:
        raise InvalidOrder("How much? Give a quantity above nothing.", fields={"field": "quantity"})
    if asked.unit is not Unit.PANELS:
        if asked.height_mm is not None or asked.gap_mm is not None:
            only_panels = "Only panels have a height and a gap: leave them out, or count in panels."
            raise InvalidOrder(only_panels, fields={"field": "height_mm"})
        return
    if asked.quantity % 1:
        halves = f"{plain(asked.quantity)} panels can't be cut: give a whole number."
        raise InvalidOrder(halves, fields={"field": "quantity", "value": str(asked.quantity)})
    if asked.height_mm is None or not asked.height_mm > 0:
        raise InvalidOrder("How high is a panel? Its height tells the metres.", fields={"field": "height_mm"})
    if asked.gap_mm is not None and asked.gap_mm < 0:
        raise InvalidOrder("The gap between panels can't be less than nothing.", fields={"field": "gap_mm"})


def plain(number: Decimal) -> str:
    """A number without needless zeros.

    >>> plain(Decimal("40.00")), plain(Decimal("1E+3"))
    ('40', '1000')
    """
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
