"""What drawings need of numbers."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def unlocalized(number: Any) -> str:
    """A number as SVG reads it, whatever the reader's language.

    >>> unlocalized(2.5)
    '2.5'
    """
    return f"{number:g}"


@register.filter
def add_to(number: Any, more: Any) -> float:
    """A number moved a little."""
    return float(number) + float(more)


@register.filter
def twice(number: Any) -> float:
    """Per cent on a drawing that is 200 high."""
    return float(number) * 2
