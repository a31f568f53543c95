"""The app's start: every registered generator must resolve, or the start says which one doesn't."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from generation.backends import weights
from generation.errors import WeightsRefused


class GenerationConfig(AppConfig):
    """Briefs to artworks."""

    name = "generation"
    verbose_name = "Generation"

    def ready(self) -> None:
        checks.register(check_generators)


def check_generators(**_: Any) -> list[checks.CheckMessage]:
    """One error for each generator in the settings that can't be imported or whose folder is refused."""
    errors: list[checks.CheckMessage] = []
    for name, path in settings.WEFTLINE["generators"].items():
        path, _, folder = path.partition(":")
        try:
            import_string(path)
            if folder:
                weights.inspect(Path(folder), pinned=True)
        except (ImportError, WeightsRefused) as error:
            errors.append(
                checks.Error(f"The generator {name!r} names {folder or path!r}: {error}", id="generation.E001")
            )
    return errors
