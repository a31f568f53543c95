"""The HTTP interface: orders, their lines and candidates, files, stock, machines, health. Views only translate."""

from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory_sync import services as inventory
from orders import exclusivity, health, quoting, sending, services, watching, work
from orders.api import serializers
from orders.api.permissions import EVERYONE
from orders.models import Candidate, Order, OrderLine, Role, Round
from production import services as production

SELL = frozenset({Role.SALES, Role.ADMIN})
DESIGN = SELL | {Role.DESIGNER}
PLAN = frozenset({Role.SALES, Role.PLANNER, Role.ADMIN})
SEND = frozenset({Role.PLANNER, Role.ADMIN})
FILES = EVERYONE
CLIENT_ERRORS = {code: OpenApiResponse(serializers.ErrorView) for code in (400, 401, 403, 404, 409)}
BUSY = OpenApiResponse(serializers.ErrorView)
# What is asked of the ERP on the way may be refused by it, or not be answered.
REFUSED_CHANGE = {**CLIENT_ERRORS, **dict.fromkeys((422, 502, 503), OpenApiResponse(serializers.ErrorView))}
# What may be asked of a preview, as the schema says it.
SIZE_PX = {"type": "integer", "minimum": 64, "maximum": 2048, "default": 768}
REPEATS = {"type": "integer", "minimum": 1, "maximum": 4, "default": 2}

WHOLE_LINE = (
    Prefetch("rounds", Round.objects.prefetch_related(
        Prefetch("candidates", Candidate.objects.select_related("artwork")))),
    "approvals",
    "events",
    "links",
    "wishes",
)  # fmt: skip


class AlwaysJson(BaseContentNegotiation):
    """Answers a browser that asks for an event stream too: what is refused is refused in JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class ShopScoped(viewsets.GenericViewSet):
    """Shows a request only what belongs to its shop; another shop's things do not exist (404)."""

    roles: dict[str, frozenset[str]] = {}
    shop_path = "shop"
    list_serializer_class: type[Any] | None = None

    def get_serializer_class(self) -> type[Any]:
        if self.action == "list" and self.list_serializer_class is not None:
            return self.list_serializer_class
        return super().get_serializer_class()

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset().none()
        return super().get_queryset().filter(**{self.shop_path: self.request.membership.shop})


@extend_schema_view(
    list=extend_schema(responses={200: serializers.OrderBrief(many=True), **CLIENT_ERRORS}),
    retrieve=extend_schema(responses={200: serializers.OrderView, **CLIENT_ERRORS}),
)
class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ShopScoped):
    """Customers' orders."""

    queryset = Order.objects.select_related("customer", "shop").prefetch_related(
        Prefetch("lines", OrderLine.objects.select_related("order__shop").prefetch_related(*WHOLE_LINE))
    )
    serializer_class = serializers.OrderView
    list_serializer_class = serializers.OrderBrief
    lookup_field = "number"
    lookup_value_regex = r"[A-Za-z0-9-]{1,24}"
    roles = {"list": EVERYONE, "retrieve": EVERYONE, "create": SELL}

    @extend_schema(
        request=serializers.OrderInput,
        responses={201: serializers.OrderView, **CLIENT_ERRORS},
        examples=[OpenApiExample("A printed cotton satin", value=serializers.ORDER_EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Place an order and hand its lines to the line at once."""
        wish = serializers.OrderInput(data=request.data)
        wish.is_valid(raise_exception=True)
        shop = request.membership.shop
        order = services.place_and_submit(shop, **wish.validated_data, by=request.user)
        return Response(self._shown(order.number), status=status.HTTP_201_CREATED)

    def get_queryset(self) -> QuerySet[Order]:
        found = super().get_queryset()
        if self.action != "list":
            return found
        return found.prefetch_related(None).prefetch_related("lines__rounds")

    def _shown(self, number: str) -> Any:
        return self.get_serializer(self.get_queryset().get(number=number)).data


@extend_schema_view(
    list=extend_schema(responses={200: serializers.LineBrief(many=True), **CLIENT_ERRORS}),
    retrieve=extend_schema(responses={200: serializers.LineView, **CLIENT_ERRORS}),
)
class LineViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ShopScoped):
    """Lines of orders, and what can be done with them."""

    queryset = OrderLine.objects.select_related("order__shop", "order__customer").prefetch_related(*WHOLE_LINE)
    serializer_class = serializers.LineView
    list_serializer_class = serializers.LineBrief
    shop_path = "order__shop"
    lookup_field = "reference"
    lookup_value_regex = r"[A-Za-z0-9-]{1,40}"
    roles = {
        "list": EVERYONE, "retrieve": EVERYONE, "approve": DESIGN, "revise": DESIGN, "explore": DESIGN, "cancel": SELL,
        "resume": PLAN, "send": SEND, "stream": EVERYONE, "change": SELL, "propose_change": SELL,
        "release_quote": SELL, "prioritise": PLAN,
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[OrderLine]:
        found = super().get_queryset()
        return found.prefetch_related(None).prefetch_related("rounds") if self.action == "list" else found

    @extend_schema(request=serializers.ApproveInput, responses={200: serializers.LineView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, reference: str) -> Response:
        """Say yes to one candidate of the newest round."""
        wish = serializers.ApproveInput(data=request.data)
        wish.is_valid(raise_exception=True)
        services.approve(self.get_object(), wish.validated_data["candidate"], by=request.user)
        return self._shown()

    @extend_schema(request=serializers.ReviseInput, responses={200: serializers.LineView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def revise(self, request: Request, reference: str) -> Response:
        """Ask for something else: a new round is drawn, the old ones stay."""
        wish = serializers.ReviseInput(data=request.data)
        wish.is_valid(raise_exception=True)
        changes = dict(wish.validated_data)
        services.revise(self.get_object(), by=request.user, **changes)
        return self._shown()

    @extend_schema(
        request=serializers.ExploreInput,
        responses={200: serializers.LineView, **CLIENT_ERRORS},
        examples=[
            OpenApiExample(name, value=value, request_only=True) for name, value in serializers.EXPLORE_EXAMPLES.items()
        ],
    )
    @action(detail=True, methods=["post"])
    def explore(self, request: Request, reference: str) -> Response:
        """Go on from one design or two: a new round is drawn, the old ones stay."""
        wish = serializers.ExploreInput(data=request.data)
        wish.is_valid(raise_exception=True)
        services.explore(self.get_object(), wish.validated_data, by=request.user)
        return self._shown()

    @extend_schema(responses={(200, "text/event-stream"): OpenApiTypes.STR, **CLIENT_ERRORS, 503: BUSY})
    @action(
        detail=True, methods=["get"], url_path="designs/stream", content_negotiation_class=AlwaysJson,
        pagination_class=None,
    )  # fmt: skip
    def stream(self, request: Request, reference: str) -> HttpResponseBase:
        """Watch the newest round being drawn, as server-sent events that end when it is checked or after a minute.

        `progress` {state, progress, round, drawn, wanted}; `candidate` {id, round, position, preview, palette, origin,
        notes}, as soon as it is drawn; `checked` {id, passed, price, currency}; `end` {state, over}.
        """
        line = self.get_object()
        told = () if request.method == "HEAD" else watching.designs(line)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(told, content_type="text/event-stream", headers=headers)

    @extend_schema(request=serializers.ChangeWish, responses={200: serializers.ChangeView, **REFUSED_CHANGE})
    @action(detail=True, methods=["post"], url_path="change/proposal", pagination_class=None, filter_backends=[])
    def propose_change(self, request: Request, reference: str) -> Response:
        """What another quantity, cloth or date of an approved line would cost, and when it would be ready.

        Nothing is changed.
        """
        wish = serializers.ChangeWish(data=request.data)
        wish.is_valid(raise_exception=True)
        found = services.propose_change(self.get_object(), **wish.validated_data)
        return Response(serializers.ChangeView(found).data)

    @extend_schema(request=serializers.ChangeInput, responses={200: serializers.LineView, **REFUSED_CHANGE})
    @action(detail=True, methods=["post"])
    def change(self, request: Request, reference: str) -> Response:
        """Make an approved line in another quantity, on another cloth or for another date; the design stays."""
        wish = serializers.ChangeInput(data=request.data)
        wish.is_valid(raise_exception=True)
        services.change(self.get_object(), **wish.validated_data, by=request.user)
        return self._shown()

    @extend_schema(request=None, responses={200: serializers.LineView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, reference: str) -> Response:
        """Stop the line and give back what was held for it."""
        services.cancel(self.get_object(), by=request.user)
        return self._shown()

    @extend_schema(request=None, responses={200: serializers.LineView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, reference: str) -> Response:
        """Try a blocked line again from where it stopped."""
        services.resume(self.get_object(), by=request.user)
        return self._shown()

    @extend_schema(request=None, responses={200: serializers.LineView, **REFUSED_CHANGE})
    @action(detail=True, methods=["post"], url_path="quote/release")
    def release_quote(self, request: Request, reference: str) -> Response:
        """Free what a quote holds before it expires."""
        quoting.give_back(self.get_object(), by=request.user)
        return self._shown()

    @extend_schema(request=serializers.PriorityInput, responses={200: serializers.LineView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def prioritise(self, request: Request, reference: str) -> Response:
        """Say how much a day late of this line weighs for the planner."""
        wish = serializers.PriorityInput(data=request.data)
        wish.is_valid(raise_exception=True)
        services.prioritise(self.get_object(), by=request.user, **wish.validated_data)
        return self._shown()

    @extend_schema(request=serializers.SendInput, responses={200: serializers.LineView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def send(self, request: Request, reference: str) -> Response:
        """Put the released files into the machine's hot folder, once; `again` only where they were not printed."""
        wish = serializers.SendInput(data=request.data)
        wish.is_valid(raise_exception=True)
        sending.send(self.get_object(), by=request.user, **wish.validated_data)
        return self._shown()

    def _shown(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


class CandidateViewSet(ShopScoped):
    """Candidates' pictures."""

    queryset = Candidate.objects.select_related("artwork")
    serializer_class = serializers.CandidateView
    shop_path = "round__line__order__shop"
    lookup_value_regex = r"[0-9]{1,12}"
    roles = {
        "retrieve": EVERYONE, "preview": EVERYONE, "alike": SELL, "exclusive": SELL, "quotation": SELL,
        "quote": SELL,
    }  # fmt: skip

    @extend_schema(responses={200: serializers.CandidateView, **CLIENT_ERRORS})
    def retrieve(self, request: Request, pk: str) -> Response:
        """One candidate with its findings, price and promise."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("size", SIZE_PX, description="Pixels of the longer side."),
            OpenApiParameter("repeats", REPEATS, description="How many repeats each way."),
        ],
        responses={(200, "image/png"): OpenApiTypes.BINARY, **CLIENT_ERRORS},
    )
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> HttpResponse:
        """The design as a PNG, set in its layout, in the colours that the cloth will show once it is checked."""
        size_px = _bounded(request, "size", SIZE_PX)
        repeats = _bounded(request, "repeats", REPEATS)
        candidate = self.get_object()
        png = work.preview(candidate, size_px=size_px, repeats=repeats)
        keep = "private, max-age=86400" if candidate.checked_at else "no-store"
        return HttpResponse(png, content_type="image/png", headers={"Cache-Control": keep})

    @extend_schema(request=serializers.QuoteInput, responses={200: serializers.LineView, **REFUSED_CHANGE})
    @action(detail=True, methods=["post"])
    def quote(self, request: Request, pk: str) -> Response:
        """Hold fabric, inks and machine time for this design until the quote expires; of a line, one at a time."""
        wish = serializers.QuoteInput(data=request.data)
        wish.is_valid(raise_exception=True)
        line = quoting.quote(self.get_object(), by=request.user, **wish.validated_data)
        return Response(serializers.LineView(line, context=self.get_serializer_context()).data)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY, **CLIENT_ERRORS})
    @action(detail=True, methods=["get"])
    def quotation(self, request: Request, pk: str) -> HttpResponse:
        """The quotation for the customer as PDF: design, price and promise, longer lengths, and until when it holds."""
        name, pdf = work.quotation(self.get_object())
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": "sandbox"}
        return HttpResponse(pdf, content_type="application/pdf", headers=headers)

    @extend_schema(responses={200: serializers.SoldView(many=True), **CLIENT_ERRORS})
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def alike(self, request: Request, pk: str) -> Response:
        """The shop's other orders that were made in nearly the same design, the most alike first."""
        candidate = self.get_object()
        sold = exclusivity.sold_before(candidate.round.line, candidate.artwork)
        return Response(serializers.SoldView(sold, many=True).data)

    @extend_schema(request=serializers.ExclusiveInput, responses={201: serializers.ExclusivityView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def exclusive(self, request: Request, pk: str) -> Response:
        """Promise the design to the customer it was drawn for; who sold it to others before is told by `alike`."""
        wish = serializers.ExclusiveInput(data=request.data)
        wish.is_valid(raise_exception=True)
        promise = exclusivity.grant(self.get_object(), by=request.user, **wish.validated_data)
        return Response(serializers.ExclusivityView(promise).data, status=status.HTTP_201_CREATED)


class FileView(APIView):
    """The files of a line."""

    roles = {"get": FILES}

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **CLIENT_ERRORS})
    def get(self, request: Request, reference: str, name: str) -> FileResponse:
        """Download one file of a line's newest release."""
        line = get_object_or_404(OrderLine, reference=reference, order__shop=request.membership.shop)
        path = work.file_named(line, name)
        response = FileResponse(path.open("rb"), as_attachment=True, filename=name)
        response["Content-Security-Policy"] = "sandbox"
        return response


class StockView(APIView):
    """What the shop has."""

    roles = {"get": EVERYONE}

    @extend_schema(responses={200: OpenApiTypes.OBJECT, **CLIENT_ERRORS})
    def get(self, request: Request) -> Response:
        """Fabrics, inks and yarns: free quantity by lot, what is coming, and how old the figures are."""
        shop = request.membership.shop
        levels = inventory.stock_of(inventory.connect(shop.connector, shop=shop.slug), production.skus(shop.slug))
        now = timezone.now()
        ages = {sku: max(0, round((now - level.as_of).total_seconds())) for sku, level in levels.items()}
        return Response({"stock": [{**work.plain(level), "age_s": ages[sku]} for sku, level in levels.items()]})


class WorkCentreView(APIView):
    """The machines."""

    roles = {"get": EVERYONE}

    @extend_schema(responses={200: OpenApiTypes.OBJECT, **CLIENT_ERRORS})
    def get(self, request: Request) -> Response:
        """Work centres with their calendars, costs and attributes."""
        shop = request.membership.shop
        erp = inventory.connect(shop.connector, shop=shop.slug)
        centres = list(inventory.work_centres_of(erp).values())
        return Response({"work_centres": work.plain(centres), "time_zone": str(ZoneInfo(shop.time_zone))})


class LiveView(APIView):
    """Is the process there?"""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]

    @extend_schema(responses=serializers.HealthView)
    def get(self, request: Request) -> Response:
        """Answer as long as the server runs."""
        return Response({"ok": True, "checks": {}})


class ReadyView(APIView):
    """Can the line run?"""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]

    @extend_schema(responses={200: serializers.HealthView, 503: serializers.HealthView})
    def get(self, request: Request) -> Response:
        """Database, storage, sweeper and oldest due step; 503 when one of them is not well."""
        checks = health.checks()
        ok = all(said.startswith("ok") for said in checks.values())
        return Response({"ok": ok, "checks": checks}, status=200 if ok else 503)


def _bounded(request: Request, name: str, bounds: dict[str, Any]) -> int:
    text = request.query_params.get(name, str(bounds["default"]))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
    if not bounds["minimum"] <= number <= bounds["maximum"]:
        raise services.InvalidOrder(
            f"{name} is {text[:20]!r}; give a whole number from {bounds['minimum']} to {bounds['maximum']}.",
            fields={"field": name},
        )
    return number
