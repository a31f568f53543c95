"""The shapes of what the board's pages send: drafts of moves, and what is asked of planning."""

from typing import Any, Final

from rest_framework import serializers

from orders import byhand
from orders.api.serializers import Finite, Strict, Text
from orders.models import Priority

MOST_STEPS: Final = 400
MOST_TOGETHER: Final = 200
LAST_MIN: Final = 2**31


class _Minute(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=LAST_MIN, **options)


class WasInput(Strict):
    """Where an operation stood when it was moved."""

    machine = Text(max_length=64)
    start = _Minute()


class WishInput(Strict):
    """Where an operation shall be done, from which minute (since 1970, UTC) on."""

    operation = Text(max_length=64)
    machine = Text(max_length=64)
    start = _Minute()
    was = WasInput(required=False, allow_null=True)


class StepInput(Strict):
    """One thing that a planner did."""

    kind = serializers.ChoiceField(choices=[byhand.MOVE, byhand.PIN, byhand.UNPIN])
    wishes = serializers.ListField(child=WishInput(), required=False, default=list, max_length=MOST_TOGETHER)
    operations = serializers.ListField(
        child=Text(max_length=64), required=False, default=list, max_length=MOST_TOGETHER
    )

    def validate(self, step: dict[str, Any]) -> dict[str, Any]:
        if not (step["wishes"] if step["kind"] == byhand.MOVE else step["operations"]):
            raise serializers.ValidationError("A step names what it moves or pins.")
        return step


class DraftInput(Strict):
    """A planner's draft, from its first step on."""

    steps = serializers.ListField(child=StepInput(), max_length=MOST_STEPS)
    foresee = serializers.BooleanField(default=False, help_text="Its last step is still in the hand.")


class WhyInput(DraftInput):
    """Which bar is asked about, in which draft."""

    operation = Text(max_length=64)


class AbleInput(Strict):
    """Which operation is asked about."""

    operation = Text(max_length=64)


class PriorityInput(Strict):
    """How much a day late of a line weighs."""

    line = Text(max_length=40)
    priority = serializers.ChoiceField(choices=Priority.choices)
    seen = serializers.ChoiceField(choices=Priority.choices, help_text="What it weighed when that was decided.")


class PlaceInput(Strict):
    """The line that shall be planned once more."""

    line = Text(max_length=40)


class MoveInput(Strict):
    """What was typed beside a bar in the table: in the shop's own time."""

    operation = Text(max_length=64)
    machine = Text(max_length=64)
    start = serializers.DateTimeField()


class HappenedInput(Strict):
    """What has happened, or could: a machine down or with overtime, an order in a hurry; or how plans are weighed."""

    kind = serializers.ChoiceField(choices=["plan", "down", "rush", "overtime", "weights"])
    name = Text(max_length=60, required=False, allow_blank=True, default="")
    machine = Text(max_length=64, required=False, allow_blank=True, default="")
    since = serializers.DateTimeField(required=False, allow_null=True, default=None)
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    job = Text(max_length=40, required=False, allow_blank=True, default="")
    emphasis = serializers.ChoiceField(
        choices=["", "punctual", "changeovers", "calm"], required=False, allow_blank=True, default=""
    )
    per_hour = serializers.DecimalField(
        max_digits=8, decimal_places=2, min_value=0, required=False, allow_null=True, default=None
    )
    seconds = Finite(min_value=0.1, max_value=120, required=False, default=6.0)

    needed = {"down": ("machine", "since", "until"), "overtime": ("machine", "since", "until"), "rush": ("job",),
              "weights": ("emphasis",), "plan": ()}  # fmt: skip

    def validate(self, wish: dict[str, Any]) -> dict[str, Any]:
        for name in self.needed[wish["kind"]]:
            if not wish[name]:
                raise serializers.ValidationError({name: ["This is needed."]})
        if wish["since"] and wish["until"] and wish["until"] <= wish["since"]:
            raise serializers.ValidationError({"until": ["The end has to be after the start."]})
        return wish


def steps_of(wish: dict[str, Any]) -> list[byhand.Step]:
    """A draft as the story has it."""
    return [
        byhand.Step(
            step["kind"],
            tuple(
                byhand.Wish(
                    each["operation"],
                    each["machine"],
                    each["start"],
                    (each["was"]["machine"], each["was"]["start"]) if each.get("was") else None,
                )
                for each in step["wishes"]
            ),
            tuple(step["operations"]),
        )
        for step in wish["steps"]
    ]
