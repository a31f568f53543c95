"""The ledger in the admin, and what is kept of ERPs that live elsewhere.

What orders hold and what was recorded is for reading: the connectors alone write it.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import CharField, ModelForm, PasswordInput
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline

from inventory_sync import models, services
from inventory_sync.connectors.odoo_rpc import checked_url
from inventory_sync.credentials import keep_secret
from inventory_sync.errors import ErpError, ErpRejected


class ReadOnly:
    """Nothing is added, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LotInline(TabularInline):
    model = models.LedgerLot
    extra = 0
    readonly_fields = ("held",)


class IncomingInline(TabularInline):
    model = models.LedgerIncoming
    extra = 0


@admin.register(models.LedgerProduct)
class ProductAdmin(ModelAdmin):
    list_display = ("sku", "name", "kind", "unit", "supplier", "supplier_lead_days", "shop")
    list_filter = ("shop", "kind")
    search_fields = ("sku", "name")
    inlines = (LotInline, IncomingInline)


@admin.register(models.LedgerCalendar)
class CalendarAdmin(ModelAdmin):
    list_display = ("code", "name", "tz", "shop")
    list_filter = ("shop",)


@admin.register(models.LedgerWorkCentre)
class WorkCentreAdmin(ModelAdmin):
    list_display = ("code", "name", "kind", "calendar", "cost_per_hour", "shop")
    list_filter = ("shop", "kind")
    readonly_fields = ("calendar_version",)


@admin.register(models.LedgerLeave)
class LeaveAdmin(ModelAdmin):
    list_display = ("name", "calendar", "work_centre", "start", "end", "shop")
    list_filter = ("shop",)


class ReservationInline(ReadOnly, TabularInline):
    model = models.LedgerReservation
    extra = 0


class BookingInline(ReadOnly, TabularInline):
    model = models.LedgerBooking
    extra = 0


@admin.register(models.LedgerHold)
class HoldAdmin(ReadOnly, ModelAdmin):
    list_display = ("reference", "expires", "consumed", "shop")
    list_filter = ("shop", "consumed")
    search_fields = ("reference",)
    inlines = (ReservationInline, BookingInline)


@admin.register(models.LedgerBooking)
class BookingAdmin(ReadOnly, ModelAdmin):
    list_display = ("work_centre", "reference", "name", "start", "end")
    list_filter = ("work_centre__shop", "work_centre")


class ComponentInline(ReadOnly, TabularInline):
    model = models.LedgerComponent
    extra = 0


class WorkOrderInline(ReadOnly, TabularInline):
    model = models.LedgerWorkOrder
    extra = 0


@admin.register(models.LedgerWorkOrder)
class WorkOrderAdmin(ReadOnly, ModelAdmin):
    """Where an operator says what was started and finished, in a shop that has no ERP for it."""

    list_display = ("name", "order", "work_centre", "start", "end", "state")
    list_filter = ("order__shop", "state", "work_centre")
    search_fields = ("order__external_id",)
    actions = ("start", "finish")

    @admin.action(description="Start the work", permissions=["work"])
    def start(self, request: HttpRequest, chosen: QuerySet[models.LedgerWorkOrder]) -> None:
        self._work(request, chosen, "start")

    @admin.action(description="Finish the work", permissions=["work"])
    def finish(self, request: HttpRequest, chosen: QuerySet[models.LedgerWorkOrder]) -> None:
        self._work(request, chosen, "finish")

    def has_work_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inventory_sync.change_ledgerworkorder")

    def _work(self, request: HttpRequest, chosen: QuerySet[models.LedgerWorkOrder], action: str) -> None:
        for work in chosen.select_related("order"):
            erp = services.connect("ledger", shop=work.order.shop)
            try:
                services.work_on(erp, work.order.external_id, work.name, action)
            except ErpError as error:
                self.message_user(request, str(error), messages.ERROR)


class AttachmentInline(ReadOnly, TabularInline):
    model = models.LedgerAttachment
    extra = 0


class ScrapInline(ReadOnly, TabularInline):
    model = models.LedgerScrap
    extra = 0


@admin.register(models.LedgerOrder)
class OrderAdmin(ReadOnly, ModelAdmin):
    list_display = ("external_id", "product", "quantity", "state", "due", "shop")
    list_filter = ("shop", "state")
    search_fields = ("external_id", "reference")
    inlines = (ComponentInline, WorkOrderInline, ScrapInline, AttachmentInline)


class SaleLineInline(ReadOnly, TabularInline):
    model = models.LedgerSaleLine
    extra = 0


@admin.register(models.LedgerSale)
class SaleAdmin(ReadOnly, ModelAdmin):
    list_display = ("external_id", "customer", "state", "promise", "shop")
    list_filter = ("shop", "state")
    search_fields = ("external_id", "customer")
    inlines = (SaleLineInline,)


@admin.register(models.LedgerNote)
class NoteAdmin(ReadOnly, ModelAdmin):
    list_display = ("external_id", "text", "at", "shop")
    list_filter = ("shop",)
    search_fields = ("external_id",)


@admin.register(models.LedgerTask)
class TaskAdmin(ReadOnly, ModelAdmin):
    list_display = ("summary", "external_id", "at", "done_at", "shop")
    list_filter = ("shop", ("done_at", admin.EmptyFieldListFilter))
    search_fields = ("external_id",)
    actions = ("done",)

    @admin.action(description="It is done", permissions=["settle"])
    def done(self, request: HttpRequest, chosen: QuerySet[models.LedgerTask]) -> None:
        chosen.filter(done_at=None).update(done_at=timezone.now())

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inventory_sync.change_ledgertask")


@admin.register(models.LedgerChange)
class ChangeAdmin(ReadOnly, ModelAdmin):
    list_display = ("number", "kind", "key", "at", "shop")
    list_filter = ("shop", "kind")


class ConnectionForm(ModelForm):
    """The key is typed once and never shown again."""

    key = CharField(
        required=False,
        label="API key",
        widget=PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept encrypted. Leave empty to keep the key that is there.",
    )

    class Meta:
        model = models.ErpConnection
        fields = ("shop", "url", "database", "login", "company")

    def clean_url(self) -> str:
        try:
            return checked_url(self.cleaned_data["url"])
        except ErpRejected as refusal:
            raise ValidationError(str(refusal)) from refusal

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["key"]:
            keep_secret(self.instance, self.cleaned_data["key"])
        return super().save(commit)


@admin.register(models.ErpConnection)
class ErpConnectionAdmin(ModelAdmin):
    form = ConnectionForm
    list_display = ("shop", "url", "database", "login", "company")


@admin.register(models.MachineFacts)
class MachineFactsAdmin(ModelAdmin):
    """What the ERP has no field for, such as a machine's width and inks."""

    list_display = ("work_centre", "attributes", "shop")
    list_filter = ("shop",)


@admin.register(models.ErpLink)
class LinkAdmin(ReadOnly, ModelAdmin):
    list_display = ("external_id", "kind", "remote_id", "at", "shop")
    list_filter = ("shop", "kind")
    search_fields = ("external_id",)


@admin.register(models.RemoteHold)
class RemoteHoldAdmin(ReadOnly, ModelAdmin):
    list_display = ("reference", "record", "expires", "consumed", "shop")
    list_filter = ("shop", "consumed")
    search_fields = ("reference",)


@admin.register(models.Breaker)
class BreakerAdmin(ReadOnly, ModelAdmin):
    list_display = ("shop", "failures", "ask_again_at", "last_error")


@admin.register(models.MirrorOf)
class MirrorAdmin(ReadOnly, ModelAdmin):
    list_display = ("shop", "as_of", "whole_at")


@admin.register(models.MirrorStock)
class MirrorStockAdmin(ReadOnly, ModelAdmin):
    list_display = ("sku", "shop")
    list_filter = ("shop",)
    search_fields = ("sku",)
