"""The artwork store: files named by the digest of their bytes, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from generation.errors import ArtworkMissing


def put(data: bytes, *, shelf: str = "artworks", suffix: str = "png") -> tuple[str, str]:
    """Keep the bytes; returns (sha256, place below the store). A killed writer leaves no half file under that name."""
    sha256 = hashlib.sha256(data).hexdigest()
    place = f"{shelf}/{sha256[:2]}/{sha256}.{suffix}"
    if not (root() / place).exists():
        _write_whole(root() / place, data)
    return sha256, place


def derived(sha256: str, kind: str, make: Callable[[], bytes]) -> bytes:
    """What can be made again from an artwork, such as a preview: made once, then read. May be deleted at any time."""
    path = _derived_path(sha256, kind)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        data = make()
        _write_whole(path, data)
        return data


def is_derived(sha256: str, kind: str) -> bool:
    """True when it was made before and is still there."""
    return _derived_path(sha256, kind).exists()


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


def drop(place: str, *, sha256: str) -> None:
    """Remove what nobody refers to any more, with all that was made from it."""
    (root() / place).unlink(missing_ok=True)
    for path in _derived_path(sha256, "").parent.glob(f"{sha256}-*"):
        path.unlink(missing_ok=True)


def root() -> Path:
    """The store's folder."""
    return Path(settings.VAR_DIR) / "store"


def _derived_path(sha256: str, kind: str) -> Path:
    return root() / "derived" / sha256[:2] / f"{sha256}-{kind}"


def _write_whole(path: Path, data: bytes) -> None:
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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
