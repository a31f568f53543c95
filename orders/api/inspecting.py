"""Inspections over HTTP: scans in, what was found, what people say of it. Views only translate."""

import uuid
from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders import inspecting
from orders.api.bounds import Json
from orders.api.permissions import EVERYONE
from orders.api.serializers import Finite, Metres, Strict, Text
from orders.api.views import CLIENT_ERRORS
from orders.models import OrderLine, Role
from production.domain.grading import Decision
from production.errors import InvalidScans
from production.inspection.flaws import Kind
from production.inspections import MOST_BYTES
from production.models import DefectVerdict, Inspection

INSPECT = frozenset({Role.OPERATOR, Role.PLANNER, Role.ADMIN})
MOST_SENT = MOST_BYTES + 1_000_000  # in one request: what stands around the scans is small


class InspectionView(serializers.ModelSerializer):
    """One look at a line's cloth, and what came of it."""

    inspection = serializers.IntegerField(source="number")
    scans = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()

    class Meta:
        model = Inspection
        fields = (
            "inspection", "reference", "run", "revision", "machine", "ink_set", "article", "state", "reason", "scans",
            "by", "at", "measured_at", "synthetic", "threshold", "outcome", "grade", "rule", "proposal", "decision",
            "good_m", "scrap_m", "reprint_m", "overruled", "decided_by", "decided_at", "files",
        )  # fmt: skip

    def get_scans(self, inspection: Inspection) -> list[dict[str, Any]]:
        """Without where they lie on the server."""
        return [{key: each[key] for key in ("name", "sha256", "bytes")} for each in inspection.scans]

    def get_files(self, inspection: Inspection) -> list[dict[str, Any]]:
        """Without where they lie on the server."""
        return [{key: each[key] for key in ("kind", "name", "sha256")} for each in inspection.files]


class ScansInput(serializers.Serializer):
    """Scans of a length of cloth, from the head of the roll on."""

    scans = serializers.ListField(child=serializers.FileField(), allow_empty=False)
    once = serializers.UUIDField(required=False, help_text="Of the upload: sent twice, it is one inspection.")


class DecideInput(Strict):
    """What is done with the cloth. Metres that are left out are the proposal's."""

    decision = serializers.ChoiceField(choices=[each.value for each in Decision])
    good_m = Metres(required=False, min_value=Decimal(0))
    reprint_m = Metres(required=False, min_value=Decimal(0))
    why = Text(max_length=500, required=False, allow_blank=True, default="")

    def to_internal_value(self, data: Any) -> inspecting.Wish:
        return inspecting.Wish(**super().to_internal_value(data))


class VerdictInput(Strict):
    """What a person says of a defect; number 0 is one that was not found, at `place`."""

    defect = serializers.IntegerField(min_value=0, max_value=1_000_000)
    confirmed = serializers.BooleanField()
    kind = serializers.ChoiceField(choices=[each.value for each in Kind], required=False, allow_blank=True, default="")
    place = serializers.ListField(
        child=Finite(), required=False, min_length=4, max_length=4, help_text="x, y, width, height in mm on the cloth."
    )


class VerdictView(serializers.ModelSerializer):
    """What a person said of a defect."""

    defect = serializers.IntegerField(source="number")

    class Meta:
        model = DefectVerdict
        fields = ("defect", "confirmed", "kind", "found_kind", "crop", "by", "at")


class _OfLine(APIView):
    """Something of one line's cloth; another shop's line does not exist."""

    def line(self, reference: str) -> OrderLine:
        """The line. Raises Http404."""
        lines = OrderLine.objects.select_related("order__shop", "order__customer")
        return get_object_or_404(lines, reference=reference, order__shop=self.request.membership.shop)

    def inspection(self, line: OrderLine, number: int) -> Inspection:
        """One of its inspections. Raises Http404."""
        return get_object_or_404(inspecting.of(line), number=number)


class ScansView(_OfLine):
    """Where scans of a line's cloth go."""

    roles = {"post": INSPECT}
    parser_classes = [MultiPartParser, Json]

    @extend_schema(
        request={"multipart/form-data": ScansInput}, responses={202: InspectionView, **CLIENT_ERRORS, 415: None}
    )
    def post(self, request: Request, reference: str) -> Response:
        """Give scans of the cloth, from the head of the roll on. They are looked at in the background."""
        line = self.line(reference)
        refuse_too_large(request.META.get("CONTENT_LENGTH"))
        wish = ScansInput(data={"scans": request.FILES.getlist("scans"), **_once(request.data)})
        wish.is_valid(raise_exception=True)
        once = wish.validated_data.get("once") or uuid.uuid4()
        taken = inspecting.begin(line, wish.validated_data["scans"], by=request.user, once=once)
        return Response(InspectionView(taken).data, status=status.HTTP_202_ACCEPTED)


def _once(data: Any) -> dict[str, Any]:
    return {"once": data["once"]} if data.get("once") else {}


def refuse_too_large(length: str | None) -> None:
    """Refuse a request by what it says of its length, before anything of it is read. Raises InvalidScans."""
    size = int(length) if length and length.isascii() and length.isdigit() else 0
    if size > MOST_SENT:
        raise InvalidScans(
            f"{size / 1e9:.1f} GB were sent; {MOST_BYTES / 1e9:.1f} GB are read at most. Scan at 100 dpi, or in parts.",
            fields={"field": "scans", "measured": size, "limit": MOST_BYTES},
        )


class InspectionsView(_OfLine):
    """The looks at a line's cloth."""

    roles = {"get": EVERYONE}

    @extend_schema(responses={200: InspectionView(many=True), **CLIENT_ERRORS})
    def get(self, request: Request, reference: str) -> Response:
        """All of them, the newest first, without what was measured in detail."""
        shown = InspectionView(inspecting.of(self.line(reference)), many=True).data
        return Response([{key: value for key, value in each.items() if key != "outcome"} for each in shown])


class OneInspectionView(_OfLine):
    """One look at a line's cloth."""

    roles = {"get": EVERYONE}

    @extend_schema(
        parameters=[OpenApiParameter("number", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses={200: InspectionView, **CLIENT_ERRORS},
    )
    def get(self, request: Request, reference: str, number: int) -> Response:
        """What was measured, graded, proposed and decided."""
        line = self.line(reference)
        return Response(InspectionView(self.inspection(line, number)).data)


class DecideView(_OfLine):
    """What is done with the cloth."""

    roles = {"post": INSPECT}

    @extend_schema(request=DecideInput, responses={200: InspectionView, **CLIENT_ERRORS})
    def post(self, request: Request, reference: str, number: int) -> Response:
        """Decide, once: pass, seconds, cut out, or so many metres made once more. Of two, the second gets 409."""
        line = self.line(reference)
        inspection = self.inspection(line, number)
        wish = DecideInput(data=request.data)
        wish.is_valid(raise_exception=True)
        decided = inspecting.decide(line, inspection, wish.validated_data, by=request.user)
        return Response(InspectionView(decided).data)


class VerdictsView(_OfLine):
    """What people said of the defects."""

    roles = {"get": EVERYONE, "post": INSPECT}

    @extend_schema(responses={200: VerdictView(many=True), **CLIENT_ERRORS})
    def get(self, request: Request, reference: str, number: int) -> Response:
        """All that was said, the oldest first."""
        inspection = self.inspection(self.line(reference), number)
        return Response(VerdictView(inspection.verdicts.all(), many=True).data)

    @extend_schema(request=VerdictInput, responses={201: VerdictView, **CLIENT_ERRORS})
    def post(self, request: Request, reference: str, number: int) -> Response:
        """Confirm a defect, name it otherwise, say that it is none, or mark one that was not found."""
        line = self.line(reference)
        inspection = self.inspection(line, number)
        wish = VerdictInput(data=request.data)
        wish.is_valid(raise_exception=True)
        values = dict(wish.validated_data)
        place = tuple(values["place"]) if "place" in values else None
        said = inspecting.say_of_defect(
            line, inspection, values["defect"], confirmed=values["confirmed"], kind=values["kind"], place=place,
            by=request.user,
        )  # fmt: skip
        return Response(VerdictView(said).data, status=status.HTTP_201_CREATED)
