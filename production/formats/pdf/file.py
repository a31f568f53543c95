"""Writes a PDF object by object, straight into its file: no more of it than one stream's next piece is in memory.

Sections are those of ISO 32000-1:2008.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

HEADER = b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n"
_BAND_BYTES = 8 << 20  # of a picture, deflated at a time by one thread
_UP = 2  # the PNG filter that says each row less the one above (RFC 2083, 6.4)


class PdfFile:
    """A PDF being written: numbers are given out first, objects put under them in any order, the table comes last."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._offsets: list[int] = []  # of object 1 and so on
        self._at = 0
        self._digest = hashlib.sha256()
        self._write(HEADER)

    def reserve(self) -> int:
        """The next object number."""
        self._offsets.append(0)
        return len(self._offsets)

    def put(self, body: str, number: int = 0) -> int:
        """Write an object (under a number that was reserved, or the next) and return its number."""
        number = number or self.reserve()
        self._offsets[number - 1] = self._at
        self._write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))
        return number

    def stream(self, entries: str, pieces: Iterable[bytes], number: int = 0) -> int:
        """Write a stream with these dictionary entries; its length follows it, for it is known only then."""
        number, length = number or self.reserve(), self.reserve()
        self._offsets[number - 1] = self._at
        self._write(f"{number} 0 obj\n<< {entries} /Length {length} 0 R >>\nstream\n".encode("latin-1"))
        began = self._at
        for piece in pieces:
            self._write(piece)
        size = self._at - began
        self._write(b"\nendstream\nendobj\n")
        self.put(str(size), length)
        return number

    def packed(self, entries: str, pieces: Iterable[bytes], number: int = 0) -> int:
        """Like `stream`, deflated."""
        return self.stream(f"{entries} /Filter /FlateDecode", deflated(pieces), number)

    def name_so_far(self) -> bytes:
        """16 bytes that the same content before always gives."""
        return self._digest.digest()[:16]

    def close(self, *, root: int, info: int, first_id: bytes) -> None:
        """Write the cross-reference table and the trailer (7.5.4, 7.5.5)."""
        last_id, began = self.name_so_far(), self._at
        rows = "".join(f"{offset:010d} 00000 n \n" for offset in self._offsets)
        self._write(f"xref\n0 {len(self._offsets) + 1}\n0000000000 65535 f \n{rows}".encode("ascii"))
        trailer = f"/Size {len(self._offsets) + 1} /Root {root} 0 R /Info {info} 0 R"
        ids = f"/ID [<{first_id.hex()}> <{last_id.hex()}>]"
        self._write(f"trailer\n<< {trailer} {ids} >>\nstartxref\n{began}\n%%EOF\n".encode("ascii"))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._at += len(data)


def number(value: float) -> str:
    """A number as PDF writes it, no exponent, to a millionth or nine digits (7.3.3).

    >>> number(0.24), number(3), number(0.0096)
    ('0.24', '3', '0.0096')
    """
    return f"{value:.9f}".rstrip("0").rstrip(".")


def name(text: str) -> str:
    """A name object (7.3.5).

    >>> name("Light Cyan")
    '/Light#20Cyan'
    """
    plain = bytes(c for c in range(0x21, 0x7F) if c not in b"#()<>[]{}/%")
    return "/" + "".join(chr(byte) if byte in plain else f"#{byte:02X}" for byte in text.encode("utf-8"))


def words(text: str) -> str:
    """A text string object (7.9.2.2): ASCII where that does, else UTF-16 with its mark."""
    if text.isascii() and text.isprintable():
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        return f"({escaped})"
    return f"<FEFF{text.encode('utf-16-be', 'replace').hex().upper()}>"


def deflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as one zlib stream."""
    packer = zlib.compressobj(6)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def picture(planes: NDArray[np.uint8], on_band: Callable[[int, int], None]) -> Iterator[bytes]:
    """A picture (H, W, C) as one zlib stream, level 1, each row less the one above it; bands deflated side by side.

    Whatever the number of threads, the bytes are the same: the bands are flushed apart (RFC 1951), then chained.
    """
    height, row_bytes = planes.shape[0], planes.shape[1] * planes.shape[2]
    rows = planes.reshape(height, row_bytes)
    step = max(1, _BAND_BYTES // row_bytes)
    tops = iter(range(0, height, step))
    checksum, done = 1, 0
    yield b"\x78\x01"  # deflate, 32 KB window, fastest (RFC 1950, 2.2)
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        while batch := list(islice(tops, workers)):  # as many at a time as work at once: that bounds the memory
            for packed, part, size in pool.map(lambda top: _packed_band(rows, top, step), batch):
                checksum = _joined(checksum, part, size)
                yield packed
                done += 1
                on_band(done, -(-height // step))
    yield b"\x03\x00" + struct.pack(">I", checksum)  # an empty last block, then the checksum of it all


def _packed_band(rows: NDArray[np.uint8], top: int, step: int) -> tuple[bytes, int, int]:
    """(deflated, Adler-32, size) of the rows from `top` with their filter bytes."""
    band = rows[top : top + step]
    filtered = np.empty((len(band), band.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    np.subtract(band[1:], band[:-1], out=filtered[1:, 1:])
    np.subtract(band[0], rows[top - 1] if top else np.uint8(0), out=filtered[0, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(filtered.data) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed, zlib.adler32(filtered.data), filtered.size


def _joined(first: int, second: int, second_size: int) -> int:
    """The Adler-32 of two pieces one after the other, from those of each (RFC 1950, 8.2)."""
    base = 65521
    low, other_low = first & 0xFFFF, second & 0xFFFF
    high = (first >> 16) + (second >> 16) + second_size % base * (low - 1)
    return (high % base) << 16 | (low + other_low - 1) % base
