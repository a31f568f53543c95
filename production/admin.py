"""The admin's pages of the catalogue; what was released is read-only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from production import models
from production.services import format_codes


class CatalogueAdmin(ModelAdmin):
    list_display = ("code", "name", "shop")
    list_filter = ("shop",)
    search_fields = ("code", "name")


class MachineForm(forms.ModelForm):
    """A machine with files that can be written, and a hot folder that is there."""

    def clean_files(self) -> list[str]:
        """Refuse a kind of file that does not exist."""
        files, known = self.cleaned_data["files"] or [], format_codes()
        if not isinstance(files, list) or not set(map(str, files)) <= set(known):
            raise forms.ValidationError(f'Write a list such as ["tile", "ticket"], of: {", ".join(known)}.')
        return files

    def clean_hot_folder(self) -> str:
        """Refuse a folder that is not there; one that is not absolute is made when it is needed."""
        folder: str = self.cleaned_data["hot_folder"]
        if folder and Path(folder).is_absolute() and not Path(folder).is_dir():
            raise forms.ValidationError("There is no such folder on this server: mount it first.")
        return folder


class MachineAdmin(CatalogueAdmin):
    form = MachineForm


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
    models.WeaveSpec,
    models.IccProfile,
    models.PriceRate,
):
    admin.site.register(row, CatalogueAdmin)
admin.site.register(models.MachineProfile, MachineAdmin)


@admin.register(models.Changeover)
class ChangeoverAdmin(ModelAdmin):
    """What it takes to set a machine for something else."""

    list_display = ("work_centre", "attribute", "before", "after", "minutes", "cost", "shop")
    list_filter = ("shop", "work_centre", "attribute")


@admin.register(models.Downtime)
class DowntimeAdmin(ModelAdmin):
    """Breakdowns; end one here when the machine runs again sooner or later than was thought."""

    list_display = ("work_centre", "start", "end", "reason", "shop")
    list_filter = ("shop", "work_centre")


@admin.register(models.PlanVersion)
class PlanVersionAdmin(ReleasedAdmin):
    """Plans, as they were found."""

    list_display = ("number", "reason", "by", "at", "found_by", "shop")
    list_filter = ("shop",)
    exclude = ("problem", "assignments")


for row in (
    models.JobTicket,
    models.OutputFile,
    models.Delivery,
    models.CostSheet,
    models.ActualUse,
    models.CheckReport,
    models.Inspection,
    models.DefectVerdict,
    models.DefectThreshold,
    models.DriftReading,
    models.Correction,
):
    admin.site.register(row, ReleasedAdmin)
