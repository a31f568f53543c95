"""The weights folder: written with a manifest of digests, refused when a single byte is not the one that shipped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from generation.errors import WeightsRefused

MANIFEST = "manifest.json"
CARD = "model_card.json"
_ALLOWED = (".safetensors", ".json", ".md")


def write_manifest(folder: Path) -> None:
    """Write the digest of every other file of the folder."""
    files = {name: _digest(folder / name) for name in _files(folder) if name != MANIFEST}
    (folder / MANIFEST).write_text(json.dumps({"files": files}, indent=1, sort_keys=True) + "\n")


def verify(folder: Path) -> str:
    """Check every file against the manifest, without loading any; returns the manifest's own digest.

    Only safetensors, JSON and text are let in: formats that can carry code are refused before they are opened, and so
    are files that the manifest does not name. Raises WeightsRefused.
    """
    try:
        listed: dict[str, str] = json.loads((folder / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refused(folder, MANIFEST, "it is missing or can't be read") from error
    present = set(_files(folder)) - {MANIFEST}
    for name in sorted(present | set(listed)):
        if not name.endswith(_ALLOWED):
            raise _refused(folder, name, "only safetensors, JSON and text files are let in")
        if name not in listed:
            raise _refused(folder, name, "the manifest does not name it")
        if name not in present or (folder / name).is_symlink():
            raise _refused(folder, name, "it is missing")
        if _digest(folder / name) != listed[name]:
            raise _refused(folder, name, "its bytes are not the ones in the manifest")
    return _digest(folder / MANIFEST)


def read_card(folder: Path) -> dict[str, Any]:
    """The model card as data."""
    card: dict[str, Any] = json.loads((folder / CARD).read_text())
    return card


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _refused(folder: Path, name: str, why: str) -> WeightsRefused:
    return WeightsRefused(
        f"The model in '{folder.name}' was not loaded because of {name}: {why}. "
        "Put the shipped files back, or train anew.",
        fields={"file": name, "reason": why},
    )
