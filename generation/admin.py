"""Artworks and model cards in the admin: to look at, never to edit."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from generation.models import Artwork, ModelCard


class _ReadOnly(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Artwork)
class ArtworkAdmin(_ReadOnly):
    list_display = ["words", "layout", "width_px", "height_px", "generator", "seed", "created_at"]
    search_fields = ["words", "sha256", "key"]
    list_filter = ["generator", "layout"]


@admin.register(ModelCard)
class ModelCardAdmin(_ReadOnly):
    list_display = ["generator", "fingerprint", "created_at"]
