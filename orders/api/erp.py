"""The outbox to the ERP and the notices from it over HTTP. Views only translate."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from orders import following, outbox
from orders.api import serializers
from orders.api.permissions import EVERYONE
from orders.api.views import CLIENT_ERRORS, PLAN, ShopScoped
from orders.models import Notice, Step


@extend_schema_view(list=extend_schema(responses={200: serializers.OutboxEntry(many=True), **CLIENT_ERRORS}))
class OutboxViewSet(mixins.ListModelMixin, ShopScoped):
    """What is still to be said to the ERP, or could not be."""

    queryset = Step.objects.all()
    serializer_class = serializers.OutboxEntry
    shop_path = "line__order__shop"
    lookup_url_kwarg = "step"
    lookup_value_regex = r"[0-9]{1,12}"
    roles = {"list": EVERYONE, "retry": PLAN}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What waits, what is being said, and what failed and why, oldest first."""
        shop = request.membership.shop
        page = self.paginate_queryset(outbox.waiting().filter(line__order__shop=shop))
        entries = outbox.entries(shop, page or ())
        return self.get_paginated_response(self.get_serializer(entries, many=True).data)

    @extend_schema(request=None, responses={200: serializers.LineBrief, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, step: str) -> Response:
        """Try again now; a line that was blocked by it goes on from where it stopped."""
        line = outbox.retry(self.get_object(), by=request.user)
        return Response(serializers.LineBrief(line).data)


@extend_schema_view(list=extend_schema(responses={200: serializers.NoticeView(many=True), **CLIENT_ERRORS}))
class NoticeViewSet(mixins.ListModelMixin, ShopScoped):
    """What was changed in the ERP and could not be followed: for a person to deal with. The newest first."""

    queryset = Notice.objects.select_related("line")
    serializer_class = serializers.NoticeView
    lookup_url_kwarg = "notice"
    lookup_value_regex = r"[0-9]{1,12}"
    roles = {"list": EVERYONE, "settle": PLAN}

    def get_queryset(self) -> QuerySet[Any]:
        found = super().get_queryset()
        return found.filter(settled_at=None) if self.action == "list" else found

    @extend_schema(request=None, responses={200: serializers.NoticeView, **CLIENT_ERRORS})
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, notice: str) -> Response:
        """Note that it has been dealt with."""
        return Response(self.get_serializer(following.settle(self.get_object(), by=request.user)).data)
