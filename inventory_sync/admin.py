"""The ledger in the admin. What orders hold and what was recorded is for reading: the connector alone writes it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from inventory_sync import models


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


class AttachmentInline(ReadOnly, TabularInline):
    model = models.LedgerAttachment
    extra = 0


@admin.register(models.LedgerOrder)
class OrderAdmin(ReadOnly, ModelAdmin):
    list_display = ("external_id", "product", "quantity", "state", "due", "shop")
    list_filter = ("shop", "state")
    search_fields = ("external_id", "reference")
    inlines = (ComponentInline, WorkOrderInline, AttachmentInline)


@admin.register(models.LedgerChange)
class ChangeAdmin(ReadOnly, ModelAdmin):
    list_display = ("number", "kind", "key", "at", "shop")
    list_filter = ("shop", "kind")
