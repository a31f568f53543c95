"""What goes in and out over HTTP; the order file of the command line has the same shape."""

import base64
import binascii
import math
import unicodedata
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation.domain.pattern import Layout
from generation.services import LONGEST_WORDS
from orders import clock, work
from orders.domain.asked import Asked, Unit
from orders.domain.exploring import PARENTS
from orders.models import Approval, Candidate, Exclusivity, Notice, Order, OrderLine, PlanRun, Priority, Round
from orders.services import Exploration, NewLine
from production.models import PlanVersion

ORDER_EXAMPLE = {
    "customer": "Atelier Nord",
    "lines": [
        {
            "substrate": "FAB-COT-SAT",
            "quantity_m": "12.5",
            "words": "minimalist floral design with a Nordic color palette",
            "palette": "nordic",
            "layout": "half_drop",
            "repeat_mm": [320, 320],
            "due_in_days": 10,
        }
    ],
}

LARGEST_PICTURE_BYTES = 8 * 1024 * 1024


class Strict(serializers.Serializer):
    """Refuses fields it does not know: a misspelt wish must not be dropped silently."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError({unknown[0][:64]: [f"There is no such field; known are {known}."]})
        return super().to_internal_value(data)


class _StrictSchema(OpenApiSerializerExtension):
    target_class = Strict
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class Text(serializers.CharField):
    """Words that can be printed: no control characters, no characters that turn the direction of writing."""

    turning = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Write this as text.")
        text: str = super().to_internal_value(data)
        if any(c in self.turning or (unicodedata.category(c) in {"Cc", "Cs"} and c not in "\t\r\n") for c in text):
            raise serializers.ValidationError("It holds characters that can't be printed. Type the words again.")
        if any(c.isprintable() and not c.isspace() for c in text):
            return text
        if not self.allow_blank:  # such as a space of no width alone
            self.fail("blank")
        return ""


class Words(Text):
    """What a design shows, as long as is read."""

    def __init__(self, **options: Any) -> None:
        too_long = "The words are %(show_value)d characters long; %(limit_value)d are read at most. Shorten them."
        super().__init__(max_length=LONGEST_WORDS, error_messages={"max_length": too_long}, **options)


@extend_schema_field({"type": "string", "enum": [layout.value for layout in Layout]})
class LayoutName(Text):
    """How repeats join; the choices are checked with the rest of the brief."""


@extend_schema_field(
    {
        "oneOf": [
            {"type": "number", "minimum": 0.01, "maximum": 999999.99},
            {"type": "string", "pattern": r"^\d{1,6}(\.\d{1,2})?$"},
        ]
    }
)
class Metres(serializers.DecimalField):
    """A length of cloth, to the centimetre."""

    default_error_messages = {
        "invalid": "Write the metres as a number, such as 12.5.",
        "max_digits": "That is more cloth than can be ordered. Write the metres as a number, such as 12.5.",
        "max_whole_digits": "That is more cloth than can be ordered. Write the metres as a number, such as 12.5.",
        "max_decimal_places": "Cloth is cut to the centimetre: write the metres with two decimals at most.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=8, decimal_places=2, **options)


class Finite(serializers.FloatField):
    """An ordinary number: no infinity, no NaN."""

    default_error_messages = {"invalid": "Give an ordinary number, such as 0.5."}

    def to_internal_value(self, data: Any) -> float:
        value: float = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class Millimetres(Finite):
    """A finite length in millimetres."""

    default_error_messages = {"invalid": "Give the size in millimetres as an ordinary number."}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": 40},
            {"type": "array", "items": {"type": "string", "maxLength": 40}, "minItems": 1, "maxItems": 8},
        ],
        "nullable": True,
    }
)
class PaletteField(serializers.Field):
    """A palette's name, or colours such as "#2b3a4a", ground first."""

    name = Text(max_length=40)

    def to_internal_value(self, data: Any) -> str | list[str]:
        if isinstance(data, str):
            return self.name.run_validation(data)
        if isinstance(data, list) and data and all(isinstance(colour, str) for colour in data):
            if len(data) > 8:
                raise serializers.ValidationError(f"{len(data)} colours are too many; 8 at most.")
            return [self.name.run_validation(colour) for colour in data]
        raise serializers.ValidationError('Write a palette\'s name or a list of colours such as "#2b3a4a".')

    def to_representation(self, value: Any) -> Any:
        return value


class PictureField(serializers.CharField):
    """A picture's bytes in base64, at most 8 MB."""

    default_error_messages = {"blank": "The picture's file is empty. Choose another, or leave it out."}

    def to_internal_value(self, data: Any) -> bytes:
        text = super().to_internal_value(data)
        if len(text) > 4 * math.ceil(LARGEST_PICTURE_BYTES / 3):
            raise serializers.ValidationError("The picture is larger than 8 MB. Send a smaller one.")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("The picture must be written in base64.") from None


class WishFields(Strict):
    """What a customer can wish for in a design."""

    words = Words(allow_blank=True, help_text="What the design shows, in the customer's words.")
    palette = PaletteField(required=False, allow_null=True)
    layout = LayoutName(max_length=16)
    repeat_mm = serializers.ListField(child=Millimetres(), min_length=2, max_length=2, help_text="width, height")
    quantity_m = Metres()
    generator = Text(max_length=32, required=False, help_text="What draws it; left out: the shop's own choice.")


class AskedInput(Strict):
    """How the customer counts: metres, yards, or panels so high with a gap between them."""

    quantity = serializers.DecimalField(max_digits=8, decimal_places=2)
    unit = serializers.ChoiceField(choices=[(unit.value, unit.value) for unit in Unit])
    height_mm = serializers.DecimalField(max_digits=7, decimal_places=1, required=False, help_text="Of a panel.")
    gap_mm = serializers.DecimalField(max_digits=7, decimal_places=1, required=False, help_text="Between panels.")

    def to_internal_value(self, data: Any) -> Asked:
        values = super().to_internal_value(data)
        return Asked(**{**values, "unit": Unit(values["unit"])})


class LineInput(WishFields):
    """One line of a new order: `substrate` for a printed cloth or `weave` for a woven one."""

    quantity_m = Metres(required=False, help_text="In metres; may be left out where `asked` says how much.")
    asked = AskedInput(required=False)
    end_use = Text(max_length=80, required=False, allow_blank=True, help_text="What the cloth is for.")
    scale = Finite(required=False, help_text="Length of the motifs against what the words ask for, 0.5 to 2.")
    density = Finite(required=False, help_text="Motifs per area against what the words ask for, 0.5 to 2.")
    substrate = Text(max_length=64, required=False)
    weave = Text(max_length=64, required=False)
    due_in_days = serializers.IntegerField(
        required=False, error_messages={"invalid": "Write the days as a whole number, such as 10."}
    )
    due_date = serializers.DateField(required=False)
    priority = serializers.ChoiceField(
        choices=Priority.choices, required=False, help_text="How much a day late weighs: 1 normal to 10 rush."
    )
    reference = PictureField(required=False, help_text="A reference picture, base64.")

    def to_internal_value(self, data: Any) -> NewLine:
        values = super().to_internal_value(data)
        values["repeat_mm"] = tuple(values["repeat_mm"])
        if "asked" in values:
            values.setdefault("quantity_m", values["asked"].metres)
        elif "quantity_m" not in values:
            raise serializers.ValidationError({"quantity_m": ["Say how much: quantity_m, or asked."]})
        return NewLine(**values)


class OrderInput(Strict):
    """A new order."""

    customer = Text(max_length=120, error_messages={"blank": "Who is it for? Give the customer's name."})
    lines = LineInput(many=True, max_length=50)
    once = serializers.UUIDField(
        required=False, help_text="A number of your own making: an order that is sent twice with it is placed once."
    )


class ApproveInput(Strict):
    """Which candidate of the newest round."""

    candidate = serializers.IntegerField(min_value=1, max_value=1000)


class SendInput(Strict):
    """Whether files that were sent before shall be sent again."""

    again = serializers.BooleanField(default=False)


class ReviseInput(WishFields):
    """What shall be different; everything left out stays."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class ChangeWish(Strict):
    """What of an approved line shall be different; everything left out stays."""

    quantity_m = Metres(required=False)
    substrate = Text(max_length=64, required=False, help_text="The other cloth of a printed line.")
    due_date = serializers.DateField(required=False)


class ChangeInput(ChangeWish):
    """A change that is agreed to."""

    price = serializers.DecimalField(
        max_digits=12, decimal_places=2, required=False, help_text="The price agreed to; refused where it has moved."
    )


class KnobsInput(Strict):
    """How the motifs stand against what the words ask for, 1 as asked; left out: as they are."""

    scale = Finite(required=False, help_text="Length of the motifs, 0.5 to 2.")
    density = Finite(required=False, help_text="Motifs per area, 0.5 to 2.")


class WalkInput(Strict):
    """Where a design is moved in a space of the brand's designs."""

    space = Text(max_length=80, help_text="Its name.")
    version = serializers.IntegerField(required=False, min_value=1, max_value=10**6, help_text="Left out: the newest.")
    amounts = serializers.DictField(
        child=Finite(), allow_empty=False, help_text="By axis, in standard deviations of the approved designs."
    )


class ExploreInput(Strict):
    """How to go on from designs of the line; which fields a kind takes stands in the examples."""

    kind = Text(max_length=32, help_text=f"One of {', '.join(PARENTS)}.")
    candidates = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=10**12),
        min_length=1,
        max_length=2,
        help_text="Their ids, of any round of the line; two to interpolate, else one.",
    )
    strength = Finite(required=False, help_text="How far to leave the design: 0 keeps it, 1 forgets it.")
    share = Finite(required=False, help_text="Between two designs: 0 is the first, 1 the second.")
    colours = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=255),
        required=False,
        min_length=1,
        max_length=8,
        help_text="Which colours are drawn anew, by their place in the candidate's palette, from 0.",
    )
    palette = PaletteField(required=False, help_text="The other colours: one for each of the candidate's, or a name.")
    knobs = KnobsInput(required=False)
    words = Words(required=False, help_text="Other words for the same design.")
    walk = WalkInput(required=False, help_text="Where the design is moved before it is drawn anew.")
    generator = Text(max_length=32, required=False, help_text="What draws it; left out: what drew the design.")

    def to_internal_value(self, data: Any) -> Exploration:
        return Exploration(**super().to_internal_value(data))


EXPLORE_EXAMPLES = {
    "Variations of one design": {"kind": "more_like_this", "candidates": [3], "strength": 0.4},
    "Between two designs": {"kind": "interpolate", "candidates": [3, 4], "share": 0.5},
    "Two colours drawn anew": {"kind": "redraw", "candidates": [3], "colours": [2, 3]},
    "Larger motifs, fewer of them": {"kind": "resize", "candidates": [3], "knobs": {"scale": 1.4, "density": 0.8}},
    "Another colourway": {"kind": "recolour", "candidates": [3], "palette": "terracotta"},
    "Moved in the brand's space": {
        "kind": "walk",
        "candidates": [3],
        "walk": {"space": "nord", "amounts": {"density": 0.8}},
        "strength": 0.4,
    },
    "Other words for it": {"kind": "reword", "candidates": [3], "words": "the same with birds", "strength": 0.6},
}


class FindingView(serializers.Serializer):
    """One result of a check."""

    code = serializers.CharField()
    severity = serializers.CharField()
    where = serializers.CharField()
    measured = serializers.CharField()
    limit = serializers.CharField()
    remedy = serializers.CharField()
    sentence = serializers.CharField()


class CandidateView(serializers.ModelSerializer):
    """One answer to a brief."""

    artwork_sha256 = serializers.CharField(source="artwork.sha256")
    seed = serializers.IntegerField(source="artwork.seed")
    palette = serializers.JSONField(source="artwork.palette")
    origin = serializers.CharField(source="artwork.origin")
    roles = serializers.ListField(source="artwork.roles", child=serializers.IntegerField())
    notes = serializers.ListField(source="artwork.notes", child=serializers.CharField())
    generator = serializers.CharField(source="artwork.generator")
    fingerprint = serializers.CharField(source="artwork.fingerprint")
    findings = FindingView(many=True)
    preview = serializers.SerializerMethodField()

    class Meta:
        model = Candidate
        fields = (
            "id", "position", "artwork_sha256", "seed", "palette", "origin", "roles", "notes", "generator",
            "fingerprint", "passed", "findings", "usage", "cost",
            "price", "price_per_m", "currency", "promise", "binding", "preview",
        )  # fmt: skip

    def get_preview(self, candidate: Candidate) -> str:
        return f"/api/candidates/{candidate.pk}/preview/"


class ChangeView(serializers.Serializer):
    """What a change would come to, beside what was agreed before."""

    quantity_m = serializers.DecimalField(max_digits=8, decimal_places=2)
    substrate = serializers.CharField(allow_blank=True)
    due_date = serializers.DateField()
    passed = serializers.BooleanField(help_text="It can be made like this.")
    findings = FindingView(many=True)
    currency = serializers.CharField(allow_blank=True)
    price_before = serializers.DecimalField(max_digits=12, decimal_places=2)
    price = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    price_difference = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    promise_before = serializers.DateTimeField()
    promise = serializers.DateTimeField(allow_null=True)
    days_later = serializers.IntegerField(allow_null=True, help_text="Negative: earlier.")
    binding = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField()


class RoundView(serializers.ModelSerializer):
    """One brief and what was drawn for it."""

    candidates = CandidateView(many=True)
    repeat_mm = serializers.SerializerMethodField()

    class Meta:
        model = Round
        fields = (
            "number", "words", "palette", "layout", "repeat_mm", "generator", "way", "same_as", "parent",
            "other_parent", "strength", "share", "redraw", "scale", "density", "batch", "created_at", "candidates",
        )  # fmt: skip

    def get_repeat_mm(self, brief: Round) -> list[float]:
        return [brief.repeat_width_mm, brief.repeat_height_mm]


class ApprovalView(serializers.ModelSerializer):
    """What was said yes to."""

    candidate = serializers.IntegerField(source="candidate.position")

    class Meta:
        model = Approval
        fields = ("number", "candidate", "at", "sha256")


class FileView(serializers.Serializer):
    """A file that was made for a line."""

    name = serializers.CharField()
    format = serializers.CharField()
    sha256 = serializers.CharField()
    url = serializers.CharField()


class BlockedView(serializers.Serializer):
    """Why a person has to decide."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    findings = serializers.ListField(child=serializers.JSONField())


class LineBrief(serializers.ModelSerializer):
    """A line as it stands in a list: what it is and where it is."""

    repeat_mm = serializers.SerializerMethodField()
    words = serializers.SerializerMethodField()
    layout = serializers.SerializerMethodField()
    blocked = BlockedView(allow_null=True)

    class Meta:
        model = OrderLine
        fields: tuple[str, ...] = (
            "reference", "position", "substrate", "weave", "quantity_m", "due_date", "state", "progress", "blocked",
            "words", "layout", "repeat_mm", "version", "priority", "asked", "end_use",
        )  # fmt: skip

    def get_repeat_mm(self, line: OrderLine) -> list[float]:
        newest = _newest(line)
        return [newest.repeat_width_mm, newest.repeat_height_mm] if newest else []

    def get_words(self, line: OrderLine) -> str:
        newest = _newest(line)
        return newest.words if newest else ""

    def get_layout(self, line: OrderLine) -> str:
        newest = _newest(line)
        return newest.layout if newest else ""


class LineView(LineBrief):
    """A line with its rounds, the newest round's candidates, its plan, files and clock."""

    candidates = serializers.SerializerMethodField()
    rounds = RoundView(many=True)
    approvals = ApprovalView(many=True)
    files = serializers.SerializerMethodField()
    clock = serializers.SerializerMethodField()

    class Meta(LineBrief.Meta):
        fields = (*LineBrief.Meta.fields, "candidates", "rounds", "approvals", "plan", "quote", "files", "clock")

    @extend_schema_field(CandidateView(many=True))
    def get_candidates(self, line: OrderLine) -> Any:
        newest = _newest(line)
        return CandidateView(newest.candidates.all() if newest else (), many=True).data

    @extend_schema_field(FileView(many=True))
    def get_files(self, line: OrderLine) -> Any:
        return FileView(work.files_of(line), many=True).data

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_clock(self, line: OrderLine) -> dict[str, Any]:
        return clock.read(line)


class OrderBrief(serializers.ModelSerializer):
    """An order as it stands in a list."""

    customer = serializers.CharField(source="customer.name")
    lines = LineBrief(many=True)

    class Meta:
        model = Order
        fields = ("number", "customer", "created_at", "lines")


class OrderView(serializers.ModelSerializer):
    """An order with its lines."""

    customer = serializers.CharField(source="customer.name")
    lines = LineView(many=True)

    class Meta:
        model = Order
        fields = ("number", "customer", "created_at", "lines")


class SoldView(serializers.Serializer):
    """An order that was made in nearly the same design."""

    order = serializers.CharField()
    on = serializers.DateField()
    likeness = serializers.FloatField(help_text="0 nothing in common, 1 the same.")
    own = serializers.BooleanField(help_text="By the same customer.")


class ExclusiveInput(Strict):
    """How long and where a design is made for one customer alone; left out: for ever, everywhere."""

    until = serializers.DateField(required=False, allow_null=True, help_text="The last day.")
    territory = Text(max_length=120, required=False, allow_blank=True)


class ExclusivityView(serializers.ModelSerializer):
    """A promise that a design is made for one customer alone."""

    customer = serializers.CharField(source="customer.name")

    class Meta:
        model = Exclusivity
        fields = ("customer", "territory", "valid_from", "until")


class OutboxEntry(serializers.Serializer):
    """One thing that has not been said to the ERP yet."""

    step = serializers.IntegerField()
    line = serializers.CharField(source="line.reference")
    customer = serializers.CharField(source="line.order.customer.name")
    kind = serializers.CharField()
    what = serializers.CharField(help_text="What is to be said, in words.")
    state = serializers.CharField(help_text="pending, running or failed.")
    error_code = serializers.CharField(help_text="Why the last try failed; empty before the first.")
    sentence = serializers.CharField()
    tries = serializers.IntegerField()
    of_tries = serializers.IntegerField()
    since = serializers.DateTimeField()
    next_try = serializers.DateTimeField(allow_null=True)
    address = serializers.CharField(help_text="Where a person opens the record in the ERP; empty: it is not there yet.")


class NoticeView(serializers.ModelSerializer):
    """What was changed in the ERP and could not be followed."""

    line = serializers.CharField(source="line.reference", allow_null=True, default=None)
    fields = serializers.JSONField()

    class Meta:
        model = Notice
        fields = ("id", "line", "code", "sentence", "fields", "at", "settled_at", "settled_by")


class PlanBrief(serializers.ModelSerializer):
    """A plan as it stands in a list."""

    published = serializers.SerializerMethodField(help_text="Whether it is the plan that holds.")
    sentence = serializers.CharField(source="difference.sentence", help_text="How it differs from what held.")
    figures = serializers.JSONField()

    class Meta:
        model = PlanVersion
        fields: tuple[str, ...] = (
            "number", "base", "published", "reason", "by", "at", "found_by", "figures", "sentence",
        )  # fmt: skip

    def get_published(self, version: PlanVersion) -> bool:
        return bool(self.context.get("published") == version.number)


class PlanView(PlanBrief):
    """A plan with all that it says."""

    assignments = serializers.ListField(child=serializers.JSONField())
    difference = serializers.JSONField()

    class Meta(PlanBrief.Meta):
        fields = (*PlanBrief.Meta.fields, "seed", "effort", "assignments", "difference")


class PlanRunView(serializers.ModelSerializer):
    """A plan that was asked for."""

    by = serializers.CharField(source="by.username", allow_null=True, default=None)
    asked = serializers.JSONField()
    best = serializers.JSONField(allow_null=True, help_text="Figures of the best plan so far.")
    result = serializers.JSONField(allow_null=True, help_text="The plan that was kept, by number; or the branches.")
    error = serializers.JSONField(allow_null=True)

    class Meta:
        model = PlanRun
        fields = ("id", "kind", "asked", "by", "state", "best", "result", "error", "created_at", "ended_at")


class PublishedView(serializers.Serializer):
    """What publishing a plan has moved."""

    plan = serializers.IntegerField()
    lines = serializers.ListField(child=serializers.CharField())


class WeightsInput(Strict):
    """What each unit costs beside a minute of changeover."""

    tardiness = serializers.FloatField(required=False, min_value=0, max_value=1e6, help_text="Per minute late.")
    changeover = serializers.FloatField(required=False, min_value=0, max_value=1e6, help_text="Per minute.")
    money = serializers.FloatField(required=False, min_value=0, max_value=1e6, help_text="Per unit of money.")
    moved = serializers.FloatField(required=False, min_value=0, max_value=1e6, help_text="Per operation moved.")
    overtime = serializers.FloatField(required=False, min_value=0, max_value=1e6, help_text="Per minute.")
    makespan = serializers.FloatField(required=False, min_value=0, max_value=1e6, help_text="Per minute until the end.")


class PlanInput(Strict):
    """How long to look for a plan, and what counts."""

    seconds = serializers.FloatField(required=False, min_value=0.1, max_value=300, default=10)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1, default=0)
    weights = WeightsInput(required=False)


REPLAN_EXAMPLES = {
    "A printer is down": {
        "changes": [
            {"change": "breakdown", "machine": "PRT1", "span": ["2026-12-01T08:00:00Z", "2026-12-01T18:00:00Z"]}
        ]
    },
    "A rush order": {"changes": [{"change": "rush", "job": "WL-000012-1", "weight": 10}]},
    "Fabric comes late": {"changes": [{"change": "late", "job": "WL-000012-1", "release": "2026-12-02T10:00:00Z"}]},
}
WHAT_IF_EXAMPLE = {
    "branches": {
        "Saturday shift": [
            {
                "change": "overtime",
                "machine": "PRT1",
                "spans": [["2026-12-05T06:00:00Z", "2026-12-05T14:00:00Z"]],
                "per_hour": "38",
            }
        ],
        "Printed elsewhere": [{"change": "outsource", "job": "WL-000012-1", "days": 5, "money": "340"}],
    }
}
PROMISE_EXAMPLE = {"substrate": "FAB-COT-SAT", "quantity_m": "12.5"}


class Changes(serializers.ListField):
    """What has happened, or could: breakdown, booked, late, rush; overtime, outsource, no_maintenance, postpone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.DictField(), min_length=1, max_length=50, **options)


class ReplanInput(PlanInput):
    """What has happened: machines that stand still or are booked, deliveries that are late, orders in a hurry."""

    changes = Changes()
    seconds = serializers.FloatField(required=False, min_value=0.1, max_value=300, default=4)


class WhatIfInput(PlanInput):
    """Branches to compare, by name: what would be otherwise in each."""

    branches = serializers.DictField(child=Changes(), allow_empty=False)
    seconds = serializers.FloatField(required=False, min_value=0.1, max_value=60, default=5, help_text="For each.")

    def validate_branches(self, branches: dict[str, Any]) -> dict[str, Any]:
        if len(branches) > 8:
            raise serializers.ValidationError(f"These are {len(branches)} branches; 8 are compared at most.")
        return branches


class PromiseInput(Strict):
    """What is asked for: so much of a fabric to print, or of a cloth to weave."""

    substrate = Text(max_length=64, required=False)
    weave = Text(max_length=64, required=False)
    quantity_m = serializers.DecimalField(max_digits=8, decimal_places=2, min_value=0)
    drawn = serializers.BooleanField(required=False, default=False, help_text="There is a design already.")
    resequence = serializers.BooleanField(
        required=False, default=False, help_text="Also how early if other work were planned anew: half a second more."
    )


class PriorityInput(Strict):
    """How much a day late of a line weighs against a day of another."""

    priority = serializers.ChoiceField(choices=Priority.choices)


class QuoteInput(Strict):
    """For how long to hold."""

    hours = serializers.IntegerField(required=False, min_value=1, max_value=24 * 30)


def plan_number(text: str) -> int:
    """Return a plan's number from a query."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise serializers.ValidationError({"against": ["Give the number of a plan."]})
    return int(text)


class HealthView(serializers.Serializer):
    """What the server says of itself."""

    ok = serializers.BooleanField()
    checks = serializers.DictField(child=serializers.CharField())


class ErrorView(serializers.Serializer):
    """Everything that goes wrong has this shape."""

    def get_fields(self) -> dict[str, serializers.Field]:
        # Declared here because a class attribute named `fields` would hide the serializer's own.
        return {
            "code": serializers.CharField(),
            "message": serializers.CharField(),
            "fields": serializers.DictField(),
            "trace_id": serializers.CharField(),
        }


def _newest(line: OrderLine) -> Round | None:
    """The brief that is being worked on; None: nobody has said yet what shall be drawn."""
    return max(line.rounds.all(), key=lambda brief: brief.number, default=None)
