"""Plans, their runs and promises over HTTP. Views only translate."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders import planning, planruns, promising, work
from orders.api import serializers
from orders.api.permissions import EVERYONE
from orders.api.views import CLIENT_ERRORS, REFUSED_CHANGE, SELL, ShopScoped
from orders.models import PlanRun, Role
from production import plans
from production.models import PlanVersion
from production.planning.comparing import compare
from production.planning.explain import why, why_late
from production.planning.gantt import gantt

PLANNERS = frozenset({Role.PLANNER, Role.ADMIN})
ASK = PLANNERS | SELL


@extend_schema_view(list=extend_schema(responses={200: serializers.PlanBrief(many=True), **CLIENT_ERRORS}))
class PlanViewSet(mixins.ListModelMixin, ShopScoped):
    """Plans of the shop: immutable versions, of which one is published."""

    queryset = PlanVersion.objects.order_by("-number")
    serializer_class = serializers.PlanView
    list_serializer_class = serializers.PlanBrief
    lookup_field = "number"
    lookup_value_regex = r"[0-9]{1,9}"
    roles = {
        "list": EVERYONE, "retrieve": EVERYONE, "create": PLANNERS, "publish": PLANNERS, "difference": EVERYONE,
        "gantt": EVERYONE, "why": EVERYONE, "replan": PLANNERS, "what_if": PLANNERS,
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return PlanVersion.objects.none()
        return PlanVersion.objects.filter(shop=self.request.membership.shop.slug).order_by("-number")

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if not getattr(self, "swagger_fake_view", False):
            context["published"] = plans.published(self.request.membership.shop.slug)
        return context

    @extend_schema(responses={200: serializers.PlanView, **CLIENT_ERRORS})
    def retrieve(self, request: Request, number: str) -> Response:
        """One plan: its figures, its assignments, and how it differs from the one it was made from."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=serializers.PlanInput, responses={202: serializers.PlanRunView, **CLIENT_ERRORS})
    def create(self, request: Request) -> Response:
        """Ask for a better plan. It is looked for in the background; nothing is published."""
        return self._asked(PlanRun.Kind.PLAN, serializers.PlanInput)

    @extend_schema(
        request=serializers.ReplanInput,
        responses={202: serializers.PlanRunView, **CLIENT_ERRORS},
        examples=[
            OpenApiExample(name, value=value, request_only=True) for name, value in serializers.REPLAN_EXAMPLES.items()
        ],
    )
    @action(detail=False, methods=["post"])
    def replan(self, request: Request) -> Response:
        """Ask for a plan around what has happened, which moves little else; nothing is published."""
        return self._asked(PlanRun.Kind.REPLAN, serializers.ReplanInput)

    @extend_schema(
        request=serializers.WhatIfInput,
        responses={202: serializers.PlanRunView, **CLIENT_ERRORS},
        examples=[OpenApiExample("Two ways out", value=serializers.WHAT_IF_EXAMPLE, request_only=True)],
    )
    @action(detail=False, methods=["post"])
    def what_if(self, request: Request) -> Response:
        """Ask what branches of the plan would come to, side by side; nothing is kept."""
        return self._asked(PlanRun.Kind.WHAT_IF, serializers.WhatIfInput)

    @extend_schema(request=None, responses={200: serializers.PublishedView, **REFUSED_CHANGE})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, number: str) -> Response:
        """Let the plan hold: all lines get its times, or none does."""
        version = self.get_object()
        moved = planning.publish(request.membership.shop, version.number, by=request.user)
        return Response({"plan": version.number, "lines": [line.reference for line in moved]})

    @extend_schema(
        parameters=[OpenApiParameter("against", int, description="Another plan; left out: what it was made from.")],
        responses={200: OpenApiTypes.OBJECT, **CLIENT_ERRORS},
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def difference(self, request: Request, number: str) -> Response:
        """What moves, which orders get late or in time, and how all figures change."""
        version = self.get_object()
        if not (against := request.query_params.get("against", "")):
            return Response(version.difference)
        other = planning.version_of(request.membership.shop, serializers.plan_number(against))
        difference = compare(
            plans.problem_of(version), plans.plan_of(other).assignments, plans.plan_of(version).assignments
        )
        return Response(plans.difference_written(difference))

    @extend_schema(responses={(200, "text/html"): OpenApiTypes.STR, **CLIENT_ERRORS})
    @action(detail=True, methods=["get"])
    def gantt(self, request: Request, number: str) -> HttpResponse:
        """The plan as a page to look at or print."""
        version = self.get_object()
        title = f"{request.membership.shop.name}, plan {version.number}"
        page = gantt(plans.problem_of(version), plans.plan_of(version), title=title)
        headers = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}
        return HttpResponse(page, content_type="text/html; charset=utf-8", headers=headers)

    @extend_schema(
        parameters=[
            OpenApiParameter("operation", str, description="Why is it there and not earlier?"),
            OpenApiParameter("job", str, description="Or: why is this order line late?"),
        ],
        responses={200: OpenApiTypes.OBJECT, **CLIENT_ERRORS},
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def why(self, request: Request, number: str) -> Response:
        """The binding chain: why an operation is where it is, or why an order line is late."""
        version = self.get_object()
        problem, assignments = plans.problem_of(version), plans.plan_of(version).assignments
        if job := request.query_params.get("job", ""):
            return Response(work.plain(why_late(problem, assignments, job)))
        return Response(work.plain(why(problem, assignments, request.query_params.get("operation", ""))))

    def _asked(self, kind: PlanRun.Kind, serializer: type[serializers.PlanInput]) -> Response:
        wish = serializer(data=self.request.data)
        wish.is_valid(raise_exception=True)
        shop = self.request.membership.shop
        run = planruns.ask(shop, kind, work.plain(dict(wish.validated_data)), by=self.request.user)
        return Response(serializers.PlanRunView(run).data, status=status.HTTP_202_ACCEPTED)


@extend_schema_view(list=extend_schema(responses={200: serializers.PlanRunView(many=True), **CLIENT_ERRORS}))
class PlanRunViewSet(mixins.ListModelMixin, ShopScoped):
    """Plans that were asked for: whether they are found yet, and the best so far."""

    queryset = PlanRun.objects.select_related("by")
    serializer_class = serializers.PlanRunView
    lookup_value_regex = r"[0-9]{1,12}"
    lookup_url_kwarg = "run"
    roles = {"list": EVERYONE, "retrieve": EVERYONE, "cancel": PLANNERS}

    @extend_schema(responses={200: serializers.PlanRunView, **CLIENT_ERRORS})
    def retrieve(self, request: Request, run: str) -> Response:
        """How far a run is, and what it has found."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses={200: serializers.PlanRunView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, run: str) -> Response:
        """Enough: the best plan that was found until now is kept."""
        return Response(self.get_serializer(planruns.cancel(self.get_object())).data)


class PromiseView(APIView):
    """Dates for who asks."""

    roles = {"post": ASK}

    @extend_schema(
        request=serializers.PromiseInput,
        responses={200: OpenApiTypes.OBJECT, **REFUSED_CHANGE},
        examples=[OpenApiExample("A printed satin", value=serializers.PROMISE_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """When so much of a cloth could be ready, and what that waits for. Nothing is held."""
        wish = serializers.PromiseInput(data=request.data)
        wish.is_valid(raise_exception=True)
        answer = promising.inquire(request.membership.shop, **wish.validated_data)
        return Response(promising.written(answer))
