"""TIFF as printers' RIPs take it: little-endian, 8 bits, interleaved, in strips, written strip by strip.

Adobe TIFF 6.0 (1992), its Photoshop supplement (image resources, tag 34377) and BigTIFF for files over 4 GB. More than
four inks go as Photoshop writes them: CMYK, then spot channels as unspecified extra samples, named in the resources.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from production.errors import InkNameUnwritable, TiffTooLarge
from production.ports import Progress

CLASSIC_BYTES = 2**32 - 1  # where 32-bit offsets end
PROCESS_INKS = 4
LONGEST_NAME = 63
_STRIP_BYTES = 1 << 18  # small strips: a reader need not hold more
_SHORT, _LONG, _RATIONAL, _BYTE, _UNDEFINED, _LONG8 = 3, 4, 5, 1, 7, 16
_PACKED = {_BYTE: "B", _SHORT: "H", _LONG: "I", _UNDEFINED: "B", _LONG8: "Q"}
_STRIP_OFFSETS, _STRIP_COUNTS = 273, 279
_LAB, _SPOT = 7, 2  # colour space and kind of a channel in Photoshop's DisplayInfo

Strip = bytes | memoryview  # of single bytes
Tags = Mapping[int, tuple[int, Sequence[int] | bytes]]  # tag -> (type, values)


class Compression(IntEnum):
    """Values of the tag of that name."""

    NONE = 1
    LZW = 5
    DEFLATE = 8


class Photometric(IntEnum):
    """Values of PhotometricInterpretation."""

    MIN_IS_BLACK = 1
    PALETTE = 3
    SEPARATED = 5


@dataclass(frozen=True)
class Spot:
    """A channel beside the process inks: its exact name, and the L*a*b* (D50) that it is shown in."""

    name: str
    lab: tuple[float, float, float]


def tags_of(
    *,
    size_px: tuple[int, int],
    samples: int,
    photometric: Photometric,
    dpi: float,
    compression: Compression,
    strip_rows: int,
    spots: Sequence[Spot] = (),
    profile: bytes = b"",
    colours: NDArray[np.uint8] | None = None,
) -> Tags:
    """Everything that a TIFF says before its strips.

    size_px: (width, height); colours: (n, 3) uint8 of a palette. Raises InkNameUnwritable for the name of a spot.
    """
    inch = Fraction(dpi).limit_denominator(1_000_000)
    tags: dict[int, tuple[int, Sequence[int] | bytes]] = {
        254: (_LONG, [0]),
        256: (_LONG, [size_px[0]]),
        257: (_LONG, [size_px[1]]),
        258: (_SHORT, [8] * samples),
        259: (_SHORT, [compression]),
        262: (_SHORT, [photometric]),
        277: (_SHORT, [samples]),
        278: (_LONG, [strip_rows]),
        282: (_RATIONAL, [inch.numerator, inch.denominator]),
        283: (_RATIONAL, [inch.numerator, inch.denominator]),
        284: (_SHORT, [1]),  # interleaved
        296: (_SHORT, [2]),  # resolution per inch
    }
    if photometric is Photometric.SEPARATED:
        tags[332] = (_SHORT, [1])  # the first four are C, M, Y, K
    if compression is not Compression.NONE and photometric is not Photometric.PALETTE:
        tags[317] = (_SHORT, [2])  # horizontal differences
    if colours is not None:
        table = np.zeros((256, 3), np.uint16)
        table[: len(colours)] = colours.astype(np.uint16) * 257
        tags[320] = (_SHORT, table.T.ravel().tolist())
    if spots:
        tags[338] = (_SHORT, [0] * len(spots))  # unspecified: neither kind of alpha, or a RIP would take it for a mask
        tags[34377] = (_BYTE, _resources(spots))
    if profile:
        tags[34675] = (_UNDEFINED, profile)
    return tags


def strip_rows_of(row_bytes: int) -> int:
    """Rows of a strip of about a quarter of a megabyte."""
    return max(1, _STRIP_BYTES // row_bytes)


def packed(rows: NDArray[np.uint8], compression: Compression) -> Strip:
    """Rows (n, W, C) or indices (n, W) as the bytes of one strip; (n, W, C) as horizontal differences if packed."""
    if compression is Compression.NONE:
        return np.ascontiguousarray(rows).reshape(-1).data
    if rows.ndim == 3:
        differences = np.empty(rows.shape, np.uint8)
        differences[:, 0] = rows[:, 0]
        np.subtract(rows[:, 1:], rows[:, :-1], out=differences[:, 1:])
        rows = differences
    data = np.ascontiguousarray(rows).tobytes()
    encoded: bytes
    if compression is Compression.LZW:
        encoded = imagecodecs.lzw_encode(data)
    else:
        encoded = imagecodecs.deflate_encode(data, level=1)
    return encoded


def write_tiff(path: Path, tags: Tags, strips: Iterable[Strip | int], *, big: bool = False) -> None:
    """Write a TIFF of `tags` and `strips` in their order; a number stands for the bytes of an earlier strip, again.

    Only one strip at a time is held. Raises TiffTooLarge where a classic TIFF would pass 4 GB, OSError for a full disk.
    """
    offsets: list[int] = []
    counts: list[int] = []
    with path.open("w+b") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if big else struct.pack("<2sHI", b"II", 42, 0))
        position = file.tell()
        for strip in strips:
            if isinstance(strip, int):
                file.seek(offsets[strip])
                strip = file.read(counts[strip])
                file.seek(position)
            if not big:
                _refuse_over(position + len(strip), path)
            file.write(strip)
            offsets.append(position)
            counts.append(len(strip))
            position += len(strip)
        wide = _LONG8 if big else _LONG
        whole = {**tags, _STRIP_OFFSETS: (wide, offsets), _STRIP_COUNTS: (wide, counts)}
        start = position + position % 2  # a directory begins at an even byte
        directory = _directory(whole, start, big)
        if not big:
            _refuse_over(start + len(directory), path)
        file.seek(start)
        file.write(directory)
        file.seek(8 if big else 4)
        file.write(struct.pack("<Q" if big else "<I", start))


def keep_classic(size: int) -> None:
    """Refuse a picture of more than 4 GB unpacked: readers that unpack it count in 32 bits too. Raises TiffTooLarge."""
    if size > CLASSIC_BYTES:
        raise TiffTooLarge(
            f"The picture has {size / 1e9:.1f} GB and a TIFF that every RIP reads holds 4.3 GB: make the repeat "
            "smaller or the resolution lower.",
            fields={"measured": f"{size} bytes", "limit": f"{CLASSIC_BYTES} bytes"},
        )


def _refuse_over(end: int, path: Path) -> None:
    if end > CLASSIC_BYTES:
        raise TiffTooLarge(fields={"path": path.name, "measured": f"{end} bytes", "limit": f"{CLASSIC_BYTES} bytes"})


def _directory(tags: Tags, start: int, big: bool) -> bytes:
    """The image file directory that begins at byte `start`, followed by the values that its entries don't hold."""
    room, count_code, entry = (8, "Q", 20) if big else (4, "I", 12)
    table = bytearray(struct.pack("<Q" if big else "<H", len(tags)))
    behind = start + len(table) + len(tags) * entry + room
    tail = bytearray()
    for tag, (kind, values) in sorted(tags.items()):
        data = _values(kind, values)
        count = len(values) // 2 if kind == _RATIONAL else len(values)
        table += struct.pack(f"<HH{count_code}", tag, kind, count)
        if len(data) <= room:
            table += data.ljust(room, b"\0")
        else:
            table += struct.pack(f"<{count_code}", behind + len(tail))
            tail += data.ljust(len(data) + len(data) % 2, b"\0")
    return bytes(table) + bytes(room) + bytes(tail)


def _values(kind: int, values: Sequence[int] | bytes) -> bytes:
    if isinstance(values, bytes):
        return values
    return struct.pack(f"<{len(values)}{'I' if kind == _RATIONAL else _PACKED[kind]}", *values)


def _resources(spots: Sequence[Spot]) -> bytes:
    """Photoshop's image resources that name the channels after the fourth and say which colour each shows in."""
    pascal, unicode = b"", b""
    display = struct.pack(">I", 1)
    for spot in spots:
        letters = mac_letters(spot.name)
        pascal += struct.pack("B", len(letters)) + letters
        wide = (spot.name + "\0").encode("utf-16-be")
        unicode += struct.pack(">I", len(wide) // 2) + wide
        lightness, a, b = (round(100 * value) for value in spot.lab)
        # Solidity 0: textile inks are transparent.
        display += struct.pack(">HHhhhHB", _LAB, lightness, a, b, 0, 0, _SPOT)
    return b"".join(_resource(number, data) for number, data in ((1006, pascal), (1045, unicode), (1077, display)))


def _resource(number: int, data: bytes) -> bytes:
    return struct.pack(">4sHHI", b"8BIM", number, 0, len(data)) + data.ljust(len(data) + len(data) % 2, b"\0")


def mac_letters(name: str) -> bytes:
    """A channel's name in the letters that every reader of Photoshop's channels knows.

    Raises InkNameUnwritable for one that is empty, too long, or has others: a RIP matches names letter by letter.
    """
    try:
        letters = name.encode("mac_roman")
    except UnicodeEncodeError:
        letters = b""
    if not letters or len(letters) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InkNameUnwritable(
            f"The channel's name {name!r} can't be written: give one of 1 to {LONGEST_NAME} western letters.",
            fields={"field": "name", "measured": name, "limit": f"1 to {LONGEST_NAME} western letters"},
        )
    return letters


def strips_of(rows: NDArray[np.uint8], compression: Compression, strip_rows: int) -> Iterator[Strip]:
    """The packed strips of a picture that is held as a whole: (H, W, C), or (H, W) indices."""
    for top in range(0, len(rows), strip_rows):
        yield packed(rows[top : top + strip_rows], compression)


def told(strips: Iterable[Strip | int], count: int, on_progress: Progress) -> Iterator[Strip | int]:
    """The strips as they are; `on_progress` is told after each, or after each half percent of many."""
    every = max(1, count // 200)
    for done, strip in enumerate(strips, start=1):
        yield strip
        if done % every == 0 or done == count:
            on_progress(done, count)
