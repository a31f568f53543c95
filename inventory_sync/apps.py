"""The app's start: every registered connector must resolve, or the start says which one doesn't."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string


class InventorySyncConfig(AppConfig):
    """Stock, machines and records, in the shop's ERP or in the embedded ledger."""

    name = "inventory_sync"
    verbose_name = "Stock and ERP"

    def ready(self) -> None:
        checks.register(check_connectors)


def check_connectors(**_: Any) -> list[checks.CheckMessage]:
    """One error for each connector in the settings that can't be imported."""
    errors: list[checks.CheckMessage] = []
    for name, path in settings.WEFTLINE["connectors"].items():
        try:
            import_string(path)
        except ImportError as error:
            errors.append(checks.Error(f"The ERP connector {name!r} names {path!r}: {error}", id="inventory_sync.E001"))
    return errors
