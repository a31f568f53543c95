"""What comes by a customer's link, and what sales says when it makes one: shapes, with sentences for who typed it."""

from typing import Any

from rest_framework import serializers

from orders.api.serializers import Finite, Strict, Text
from orders.linking import LONGEST_DAYS, MOST_ROUNDS
from orders.turning import WIDEST, Limits, Turning

LONGEST_COMMENT = 500


def _words(empty: str, *, longest: int = LONGEST_COMMENT) -> Text:
    too_long = "That is %(show_value)d characters long; %(limit_value)d are kept at most. Shorten it."
    said = {"blank": empty, "required": empty, "max_length": too_long}
    return Text(max_length=longest, error_messages=said)


def _design() -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=1, max_value=10**12, error_messages={"invalid": "Choose a design first.", "min_value": "Choose one."}
    )


def _once() -> serializers.UUIDField:
    return serializers.UUIDField(error_messages={"invalid": "This page is not whole: load it again, then send."})


class TurnInput(Strict):
    """A knob that was turned at a design."""

    kind = serializers.ChoiceField(choices=[each.value for each in Turning])
    design = _design()
    strength = Finite(required=False)
    scale = Finite(required=False)
    density = Finite(required=False)
    palette = Text(max_length=40, required=False)
    colours = serializers.ListField(child=Text(max_length=40), required=False, max_length=32)
    axes = serializers.DictField(child=Finite(), required=False)


class PinInput(Strict):
    """A comment at a place of a design, in millimetres within its repeat."""

    design = _design()
    x_mm = Finite(error_messages={"invalid": "Where? Press on the design at the place that you mean."})
    y_mm = Finite(error_messages={"invalid": "Where? Press on the design at the place that you mean."})
    words = _words("What would you like to say about this place? Write a few words.")
    once = _once()


class WishInput(Strict):
    """What is asked for in words."""

    words = _words("What should be otherwise? Write a few words.")
    once = _once()


class ApprovalInput(Strict):
    """A yes: to which design, to which specification, in whose name."""

    design = _design()
    digest = serializers.RegexField(
        r"\A[0-9a-f]{64}\Z", error_messages={"invalid": "This page is not whole: load it again, then approve."}
    )
    name = _words("Who approves? Write your name.", longest=120)
    scale = serializers.BooleanField()
    seen = Text(max_length=4000, allow_blank=True, required=False, default="")

    def validate_scale(self, ticked: bool) -> bool:
        """Refuse a yes to a size that was not looked at: cloth in a wrong scale is the dearest mistake."""
        if not ticked:
            raise serializers.ValidationError("Confirm the size first: tick that you have looked at it in true scale.")
        return ticked


class AnswerInput(Strict):
    """An answer to a customer; empty: it has been dealt with."""

    answer = Text(max_length=LONGEST_COMMENT, allow_blank=True, default="")


class LinkInput(Strict):
    """A new link: how long it holds, how often designs may be drawn by it, and how far each knob goes."""

    once = _once()
    days = serializers.IntegerField(
        min_value=1, max_value=LONGEST_DAYS, required=False,
        error_messages={"invalid": "For how many days? Write a whole number."},
    )  # fmt: skip
    most_rounds = serializers.IntegerField(
        min_value=0, max_value=MOST_ROUNDS, required=False,
        error_messages={"invalid": "How often may designs be drawn? Write a whole number."},
    )  # fmt: skip
    shows_price = serializers.BooleanField(default=False)
    strength = serializers.ListField(child=Finite(), min_length=2, max_length=2, required=False)
    scale = serializers.ListField(child=Finite(), min_length=2, max_length=2, required=False)
    density = serializers.ListField(child=Finite(), min_length=2, max_length=2, required=False)
    palettes = serializers.ListField(child=Text(max_length=40), max_length=64, required=False)
    colours = serializers.ListField(child=Text(max_length=40), max_length=64, required=False)
    space = Text(max_length=80, required=False, allow_blank=True)
    axes = serializers.DictField(
        child=serializers.ListField(child=Finite(), min_length=2, max_length=2), required=False
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        knobs = {name: tuple(values.pop(name)) if name in values else None for name in WIDEST}
        axes = values.pop("axes", None)
        values["limits"] = Limits(
            **knobs,
            palettes=tuple(values.pop("palettes", ())),
            colours=tuple(values.pop("colours", ())),
            space=values.pop("space", ""),
            axes=None if axes is None else {name: (least, most) for name, (least, most) in axes.items()},
        )
        return values
