"""Pictures that customers give as a reference: kept re-encoded, named by their sha256, never as they came."""

import hashlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np
from django.conf import settings
from PIL import Image

from generation import services as generation


def keep(data: bytes) -> str:
    """Read an untrusted picture, store its plain pixels as PNG and return the sha256 of that file.

    Raises generation.errors.UnreadableImage.
    """
    pixels = generation.read_reference(data)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    png = buffer.getvalue()
    sha256 = hashlib.sha256(png).hexdigest()
    path = _path(sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(png)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).rename(path)
    return sha256


def read(sha256: str) -> bytes:
    """Return a kept picture's bytes (PNG)."""
    return _path(sha256).read_bytes()


def pixels(sha256: str) -> np.ndarray:
    """Return a kept picture as (H, W, 3) uint8 sRGB."""
    return generation.read_reference(read(sha256))


def _path(sha256: str) -> Path:
    return Path(settings.VAR_DIR) / "store" / "references" / sha256[:2] / f"{sha256}.png"
