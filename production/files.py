"""Files that are there whole or not at all: written under a temporary name, synced, renamed."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from production.errors import DiskFull

_CHUNK = 1 << 20


def write_whole(path: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a temporary file beside `path`, sync it to disk and rename it to `path`.

    What went wrong leaves no file behind. Raises DiskFull where there is no room.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process number keeps apart two workers that write the same job after a lost lease.
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        fill(temporary)
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(fields={"path": path.name}) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes_whole(path: Path, data: bytes) -> None:
    """Write `data` as the whole file at `path`."""
    write_whole(path, lambda temporary: _write(temporary, data))


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
