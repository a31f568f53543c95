"""Files that are there whole or not at all: written under a temporary name, synced, renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from production.errors import DiskFull

_CHUNK = 1 << 20


def write_whole(path: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a temporary file beside `path`, sync it to disk and rename it to `path`.

    What went wrong leaves no file behind. Raises DiskFull where there is no room.
    """
    write_together({path: fill})


def write_together(fills: Mapping[Path, Callable[[Path], None]]) -> None:
    """Like `write_whole` for files that belong together: none takes its place before all are written and synced."""
    # Two workers may write the same job after a lost lease, in containers where both have the same process number.
    mark = uuid.uuid4().hex[:12]
    temporaries = {path: path.with_name(f".{path.stem}.{mark}.tmp{path.suffix}") for path in fills}
    path = next(iter(fills))
    try:
        for path, fill in fills.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            fill(temporaries[path])
            sync(temporaries[path])
        for path, temporary in temporaries.items():
            os.replace(temporary, path)
        for folder in {path.parent for path in fills}:
            sync(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(fields={"path": path.name}) from error
        raise
    finally:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)


def write_bytes_whole(path: Path, data: bytes) -> None:
    """Write `data` as the whole file at `path`."""
    write_whole(path, partial(write_bytes, data=data))


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` at `path`, as what `write_together` calls to fill a file."""
    path.write_bytes(data)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
