"""The admin's pages of the catalogue; what was released is read-only there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from production import models


class CatalogueAdmin(ModelAdmin):
    list_display = ("code", "name", "shop")
    list_filter = ("shop",)
    search_fields = ("code", "name")


class ReleasedAdmin(ModelAdmin):
    """Released rows: a new revision supersedes them, nobody edits them."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


for row in (
    models.Substrate,
    models.InkSet,
    models.MachineProfile,
    models.WeaveSpec,
    models.IccProfile,
    models.PriceRate,
):
    admin.site.register(row, CatalogueAdmin)
for row in (
    models.JobTicket,
    models.OutputFile,
    models.Delivery,
    models.CostSheet,
    models.ActualUse,
    models.CheckReport,
):
    admin.site.register(row, ReleasedAdmin)
