"""The artwork store: files named by the digest of their bytes, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from generation.errors import ArtworkMissing


def put(data: bytes) -> tuple[str, str]:
    """Keep the bytes; returns (sha256, place below the store). A killed writer leaves no half file under that name."""
    sha256 = hashlib.sha256(data).hexdigest()
    place = f"artworks/{sha256[:2]}/{sha256}.png"
    path = root() / place
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o444)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    return sha256, place


def get(place: str, *, sha256: str) -> bytes:
    """The bytes kept at `place`; ArtworkMissing when they are gone or are not the ones with that digest."""
    path = root() / place
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtworkMissing(f"The artwork {sha256[:12]} is not in the store.", fields={"sha256": sha256}) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ArtworkMissing(f"The artwork {sha256[:12]} has been changed in the store.", fields={"sha256": sha256})
    return data


def root() -> Path:
    """The store's folder."""
    return Path(settings.VAR_DIR) / "store"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
