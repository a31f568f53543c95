"""Lengths as the reader counts them: metres and millimetres, or yards and inches."""

from decimal import Decimal
from typing import Any, Final

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from orders.domain.asked import YARD_M
from orders.models import Preference

register = template.Library()

INCH_MM: Final = Decimal("25.4")


@register.filter
def length(metres: Any, units: str) -> str:
    """A length of cloth, given in metres, with its unit: two places at most.

    >>> length(Decimal("9.144"), "imperial")
    '10 yd'
    """
    if units == Preference.Units.IMPERIAL:
        return _("%(number)s yd") % {"number": _short(Decimal(str(metres)) / YARD_M, 2)}
    return _("%(number)s m") % {"number": _short(Decimal(str(metres)), 2)}


@register.filter
def typed(metres: Any, units: str) -> str:
    """A length of cloth, given in metres, as the number that stands in a field of who reads these units.

    >>> typed(Decimal("9.144"), "imperial")
    '10'
    """
    number = Decimal(str(metres)) / (YARD_M if units == Preference.Units.IMPERIAL else 1)
    return _short(number, 2)


@register.filter
def size(millimetres: Any, units: str) -> str:
    """A size of a design, given in millimetres, with its unit: a tenth of a millimetre, a hundredth of an inch.

    >>> size(320, "metric")
    '320 mm'
    """
    if units == Preference.Units.IMPERIAL:
        return _("%(number)s in") % {"number": _short(Decimal(str(millimetres)) / INCH_MM, 2)}
    return _("%(number)s mm") % {"number": _short(Decimal(str(millimetres)), 1)}


@register.filter
def in_metres(millimetres: Any) -> Decimal:
    """Millimetres along a roll as metres, for `length`.

    >>> in_metres(1250.0)
    Decimal('1.25')
    """
    return Decimal(str(millimetres)) / 1000


def _short(number: Decimal, places: int) -> str:
    rounded = number.quantize(Decimal(1).scaleb(-places))
    return number_format(rounded.normalize() if rounded % 1 else rounded.to_integral_value(), use_l10n=True)
