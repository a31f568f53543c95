"""What the checks of programs' requests say of a field, as people who typed it read it."""

import re
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from orders.api.serializers import Millimetres

# What rest_framework says where a field says nothing of its own, and what a page says instead.
_SAID: Final[tuple[tuple[type[serializers.Field], str, Any], ...]] = (
    (serializers.Field, "required", _("Fill this in.")),
    (serializers.Field, "null", _("Fill this in.")),
    (serializers.CharField, "blank", _("Fill this in.")),
    (serializers.CharField, "max_length", _("It is longer than %(max_length)s characters: shorten it.")),
    (Millimetres, "invalid", _("Write the size as a number, such as 320.")),
    (serializers.IntegerField, "invalid", _("Write a whole number.")),
    (serializers.IntegerField, "min_value", _("It has to be %(min_value)s at least.")),
    (serializers.IntegerField, "max_value", _("It can be %(max_value)s at most.")),
    (serializers.DecimalField, "invalid", _("Write a number, such as 12.5.")),
    (serializers.DecimalField, "max_string_length", _("Write a number, such as 12.5.")),
    (serializers.DecimalField, "max_digits", _("The number is too long: write one such as 12.5.")),
    (serializers.DecimalField, "max_whole_digits", _("The number is too long: write one such as 12.5.")),
    (serializers.DecimalField, "max_decimal_places", _("Write it with %(max_decimal_places)s decimals at most.")),
    (serializers.ChoiceField, "invalid_choice", _("“%(input)s” is not on the list: choose one that is.")),
    (serializers.BooleanField, "invalid", _("Tick it, or leave it without a tick.")),
    (serializers.UUIDField, "invalid", _("This page is not whole: load it again, then send it.")),
    (serializers.DateField, "invalid", _("Write the day.")),
    (serializers.DateTimeField, "invalid", _("Write the day and the time.")),
    (serializers.ListField, "min_length", _("Choose %(min_length)s at least.")),
    (serializers.ListField, "max_length", _("Choose %(max_length)s at most.")),
)


def plainly(sentence: str) -> str:
    """Return a complaint as people read it, in the language that is read; one that is plain already stays as it is."""
    for field, code, instead in _SAID:
        template = str(field.default_error_messages[code])
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*)", re.escape(template))
        if found := re.fullmatch(pattern, sentence, re.DOTALL):
            return str(instead) % found.groupdict()
    return sentence
