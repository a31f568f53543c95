"""ICC printer profiles: writes version 2.4 with 16-bit tables to and from Lab (ICC.1:2001-04), reads any header.

Four inks make a CMYK profile; more make an nCLR one ('6CLR'), whose colorantTableTag (ICC.1:2004-10) names the inks in
the order of the channels.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from production.domain.colour import D50

PRINTER = "prtr"
LAB = "Lab "
_CMYK = "CMYK"
_HEADER_BYTES = 128
_COLORANT_NAME_BYTES = 32  # its closing zero included
_COLORANT_BYTES = _COLORANT_NAME_BYTES + 3 * 2
_LARGEST_TABLE_BYTES = 800_000
_STRAIGHT = np.array([0.0, 1.0])
# 258 entries stand 255 codes apart, so that code 65280, L = 100, is an entry
_LAB_CURVES = np.stack([np.minimum(np.arange(258) / 256, 1.0), *[np.arange(258) / 257] * 2])


@dataclass(frozen=True)
class Tables:
    """A printer's tables.

    a2b: (g, ..., g, 3) float, L*a*b* for ink on a regular grid, one axis per ink (C, M, Y, K first) from 0 to 1.
    b2a: (h, h, h, inks) float, ink 0 to 1 on a regular grid of encoded L*a*b*, axes L, a, b (see lab_grid).
    gamut: (h, h, h) bool, True where the printer can't make the colour.
    """

    a2b: NDArray[np.float64]
    b2a: NDArray[np.float64]
    gamut: NDArray[np.bool_]


def lab_grid(size: int) -> NDArray[np.float64]:
    """(size, size, size, 3) L*a*b* of the nodes of a B2A table: L 0 to 100, a and b as encoded (6.3.4.2).

    The encoding of L goes a little over 100; the table's input curve cuts that off, so that white is a node and the
    bare cloth stays bare.
    """
    code = np.linspace(0.0, 65535.0, size) / 256 - 128
    lightness, a, b = np.meshgrid(np.linspace(0, 100, size), code, code, indexing="ij")
    return np.stack([lightness, a, b], axis=-1)


@dataclass(frozen=True)
class Header:
    """What a profile says of itself before any of its tables is read."""

    device_class: str  # 'prtr', 'mntr', 'scnr', 'link' ...
    space: str  # 'CMYK', '6CLR', 'RGB ' ...
    pcs: str  # 'Lab ' or 'XYZ '
    description: str
    tags: tuple[str, ...]
    colorants: tuple[str, ...]  # names of the inks in the order of the channels; empty where it doesn't say


def device_space(inks: int) -> str:
    """The colour space signature of a device with `inks` inks: 'CMYK' for four, else 'nCLR' (ICC.1:2001-04, table 13).

    >>> device_space(4), device_space(6)
    ('CMYK', '6CLR')
    """
    return _CMYK if inks == len(_CMYK) else f"{inks:X}CLR"


def nodes_per_ink(inks: int) -> int:
    """How many nodes an A2B table has along each ink, so that it stays small.

    >>> nodes_per_ink(4), nodes_per_ink(6), nodes_per_ink(8)
    (9, 7, 4)
    """
    return next(nodes for nodes in range(9, 1, -1) if nodes**inks * 6 <= _LARGEST_TABLE_BYTES)


def read_header(data: bytes) -> Header:
    """Read the header, the tag table and the colorant table of a profile. Raises ValueError where it is none."""
    if len(data) < _HEADER_BYTES + 4 or data[36:40] != b"acsp":
        raise ValueError("it is no ICC profile")
    size, (count,) = struct.unpack(">I", data[:4])[0], struct.unpack(">I", data[128:132])
    if size > len(data) or _HEADER_BYTES + 4 + 12 * count > len(data):
        raise ValueError(f"it says it has {size} bytes and {count} tags, and {len(data)} bytes are there")
    rows = [struct.unpack(">4sII", data[at : at + 12]) for at in range(132, 132 + 12 * count, 12)]
    places = {_text(name): data[offset : offset + length] for name, offset, length in rows}
    return Header(
        device_class=_text(data[12:16]),
        space=_text(data[16:20]),
        pcs=_text(data[20:24]),
        description=_description(places.get("desc", b"")),
        tags=tuple(places),
        colorants=_colorant_names(places.get("clrt", b"")),
    )


def write_profile(
    tables: Tables,
    *,
    description: str,
    copyright_text: str,
    white_xyz: NDArray[np.float64],
    made: datetime,
    inks: Sequence[str] = (),
) -> bytes:
    """The profile's bytes; the same tables and words give the same bytes.

    white_xyz: the unprinted cloth under D50, Y of the perfect white 1. inks: their names in the order of the channels,
    at most 31 ASCII characters each; a CMYK profile needs none, its channels are named by the colour space.
    """
    count = tables.b2a.shape[-1]
    a2b = _lut16(_encode_lab(tables.a2b), curves=np.tile(_STRAIGHT, (count, 1)), outputs=3)
    b2a = _lut16(_encode_unit(tables.b2a), curves=_LAB_CURVES, outputs=count)
    gamut = _lut16(_encode_unit(tables.gamut[..., None].astype(np.float64)), curves=_LAB_CURVES, outputs=1)
    # One table serves every intent: the model has no separate perceptual rendering.
    blocks = [
        ((b"desc",), _text_description(description)),
        ((b"cprt",), b"text\0\0\0\0" + copyright_text.encode("ascii") + b"\0"),
        ((b"wtpt",), b"XYZ \0\0\0\0" + b"".join(_s15f16(v) for v in white_xyz)),
        ((b"A2B0", b"A2B1", b"A2B2"), a2b),
        ((b"B2A0", b"B2A1", b"B2A2"), b2a),
        ((b"gamt",), gamut),
    ]
    if inks:
        blocks.append(((b"clrt",), _colorant_table(inks, tables.a2b)))
    tags = sum(len(names) for names, _ in blocks)
    offset = _HEADER_BYTES + 4 + 12 * tags
    table, body = [], b""
    for names, data in blocks:
        table += [struct.pack(">4sII", name, offset + len(body), len(data)) for name in names]
        body += data + bytes(-len(data) % 4)
    size = offset + len(body)
    return _header(size, device_space(count), made) + struct.pack(">I", tags) + b"".join(table) + body


def _header(size: int, space: str, made: datetime) -> bytes:
    date = struct.pack(">6H", made.year, made.month, made.day, made.hour, made.minute, made.second)
    white = b"".join(_s15f16(v) for v in D50)
    names = PRINTER.encode(), space.encode(), LAB.encode()
    header = struct.pack(">I4sI4s4s4s12s4s", size, bytes(4), 0x02400000, *names, date, b"acsp")
    # platform, flags, manufacturer, model, attributes (8), relative colorimetric, illuminant, creator
    header += struct.pack(">4sI4s4sQI", bytes(4), 0, bytes(4), bytes(4), 0, 1) + white + bytes(4)
    return header + bytes(_HEADER_BYTES - len(header))


def _lut16(values: NDArray[np.uint16], *, curves: NDArray[np.float64], outputs: int) -> bytes:
    """A lut16Type with `curves` (inputs, entries) from 0 to 1 before the table and straight ones after it (6.5.7)."""
    inputs, entries = curves.shape
    identity = b"".join(_s15f16(v) for v in np.eye(3).ravel())
    shape = struct.pack(">4B", inputs, outputs, values.shape[0], 0)
    head = b"mft2" + bytes(4) + shape + identity + struct.pack(">2H", entries, len(_STRAIGHT))
    return (
        head
        + _encode_unit(curves).astype(">u2").tobytes()
        + values.astype(">u2").tobytes()
        + (_encode_unit(np.tile(_STRAIGHT, outputs)).astype(">u2").tobytes())
    )


def _encode_lab(lab: NDArray[np.float64]) -> NDArray[np.uint16]:
    """L*a*b* to the 16-bit encoding of version 2: L 0..100 to 0..65280, a and b -128..127.996 to 0..65535."""
    code = np.stack([lab[..., 0] * 652.8, (lab[..., 1] + 128) * 256, (lab[..., 2] + 128) * 256], axis=-1)
    encoded: NDArray[np.uint16] = np.rint(np.clip(code, 0, 65535)).astype(np.uint16)
    return encoded


def _encode_unit(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    encoded: NDArray[np.uint16] = np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16)
    return encoded


def _text_description(text: str) -> bytes:
    """textDescriptionType with its ASCII part only (6.5.17)."""
    ascii_text = text.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(4 + 4 + 2 + 1 + 67)


def _colorant_table(inks: Sequence[str], a2b: NDArray[np.float64]) -> bytes:
    """colorantTableType: each ink's name and its colour alone at 100 %, encoded as the tables are."""
    solids = [a2b[tuple(-1 if other == ink else 0 for other in range(len(inks)))] for ink in range(len(inks))]
    colours = _encode_lab(np.array(solids)).astype(">u2")
    if max(map(len, inks)) >= _COLORANT_NAME_BYTES:
        raise ValueError(f"the name of an ink has at most {_COLORANT_NAME_BYTES - 1} characters")
    rows = [
        name.encode("ascii").ljust(_COLORANT_NAME_BYTES, b"\0") + lab.tobytes()
        for name, lab in zip(inks, colours, strict=True)
    ]
    return b"clrt\0\0\0\0" + struct.pack(">I", len(rows)) + b"".join(rows)


def _colorant_names(data: bytes) -> tuple[str, ...]:
    if data[:4] != b"clrt" or len(data) < 12:
        return ()
    rows = [data[at : at + _COLORANT_NAME_BYTES] for at in range(12, len(data) - _COLORANT_BYTES + 1, _COLORANT_BYTES)]
    return tuple(_text(row.split(b"\0")[0]) for row in rows[: struct.unpack(">I", data[8:12])[0]])


def _description(data: bytes) -> str:
    """The words of a textDescriptionType (version 2) or the first of a multiLocalizedUnicodeType (version 4)."""
    if data[:4] == b"desc" and len(data) >= 12:
        return _text(data[12 : 12 + struct.unpack(">I", data[8:12])[0]].split(b"\0")[0])
    if data[:4] == b"mluc" and len(data) >= 28:
        length, offset = struct.unpack(">2I", data[20:28])
        return data[offset : offset + length].decode("utf-16-be", errors="replace")
    return ""


def _text(data: bytes) -> str:
    return data.decode("ascii", errors="replace")


def _s15f16(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))
