"""What things are called on the pages of those who order and sell, in the person's language."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy

from generation.domain.pattern import Layout
from orders.domain.states import LineState

STATES: Final[Mapping[LineState, Any]] = {
    LineState.DRAFT: gettext_lazy("draft"),
    LineState.GENERATING: gettext_lazy("being drawn"),
    LineState.PROOFING: gettext_lazy("to be chosen"),
    LineState.PLANNING: gettext_lazy("being planned"),
    LineState.RELEASING: gettext_lazy("files being written"),
    LineState.SYNCING: gettext_lazy("being told to the ERP"),
    LineState.RELEASED: gettext_lazy("released"),
    LineState.IN_PRODUCTION: gettext_lazy("in production"),
    LineState.INSPECTING: gettext_lazy("being inspected"),
    LineState.DONE: gettext_lazy("done"),
    LineState.BLOCKED: gettext_lazy("a person has to decide"),
    LineState.CANCELLING: gettext_lazy("being cancelled"),
    LineState.CANCELLED: gettext_lazy("cancelled"),
}
LAYOUTS: Final[Mapping[Layout, Any]] = {
    Layout.STRAIGHT: gettext_lazy("Straight"),
    Layout.HALF_DROP: gettext_lazy("Half drop"),
    Layout.HALF_BRICK: gettext_lazy("Half brick"),
    Layout.MIRROR: gettext_lazy("Mirror"),
    Layout.THIRD_DROP: gettext_lazy("Third drop"),
}
