"""What is typed in the studio, with its bounds."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from generation.images import MOST_BYTES
from orders import deciding, learning, reviewing
from orders.api import views as api
from orders.api.permissions import EVERYONE
from orders.api.serializers import Finite, Strict, Text, Words
from orders.models import Role

LOOK = EVERYONE  # the queue and a line's designs, as on every other page
DESIGN = api.DESIGN  # who may have something drawn
STUDIO = frozenset({Role.DESIGNER, Role.ADMIN})  # who decides, edits by hand and sets the brand's bounds
MOST_ID = 10**12


class QueueWish(Strict):
    """What of the queue is shown, and in which order."""

    show = serializers.ChoiceField(choices=reviewing.SHOWS, default="waiting")
    order = serializers.ChoiceField(choices=reviewing.ORDERS, default="due")
    words = Text(max_length=80, required=False, allow_blank=True, default="")
    page = serializers.IntegerField(min_value=1, max_value=10_000, default=1)


class LearnedWish(Strict):
    """By what the acceptance is told apart."""

    by = serializers.ChoiceField(choices=learning.GROUPS, default="family")


class DecisionInput(Strict):
    """What a designer says of one design."""

    candidate = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    verdict = serializers.ChoiceField(choices=("accept", "reject"))
    reasons = serializers.ListField(child=Text(max_length=40), max_length=len(deciding.Reason), default=list)
    words = Text(max_length=deciding.LONGEST_WORDS, required=False, allow_blank=True, default="")
    seen = serializers.IntegerField(min_value=0, max_value=MOST_ID)


class AgainInput(Strict):
    """What shall be drawn instead."""

    words = Words(allow_blank=True)
    lock = serializers.IntegerField(required=False, min_value=1, max_value=MOST_ID)


class RecolourInput(Strict):
    """The other colours of a design."""

    candidate = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    colour = serializers.ListField(child=Text(max_length=40), min_length=1, max_length=8)


class UploadInput(Strict):
    """A design that was edited elsewhere."""

    candidate = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    author = Text(max_length=120, required=False, allow_blank=True, default="")
    keep_colours = serializers.BooleanField(default=False)
    name = Text(max_length=255, required=False, allow_blank=True, default="")
    size = serializers.IntegerField(
        min_value=1,
        max_value=MOST_BYTES,
        error_messages={
            "min_value": _("The file is empty. Choose another."),
            "max_value": _("The file is larger than 40 MB. Send a smaller one."),
        },
    )


class SpaceInput(Strict):
    """A space to be built."""

    name = Text(max_length=80)
    customer = Text(max_length=120, required=False, allow_blank=True, default="")


class AxisInput(Strict):
    """What an axis is called and how far it may be gone along."""

    axis = Text(max_length=40)
    called = Text(max_length=80, required=False, allow_blank=True)
    least = Finite(required=False)
    most = Finite(required=False)


class WalkWish(Strict):
    """A design, and how far along each axis it is moved."""

    candidate = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    amounts = serializers.DictField(child=Finite())
    strength = Finite(default=0.4)
