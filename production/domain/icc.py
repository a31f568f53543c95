"""Writes an ICC version 2 printer profile: CMYK device, Lab connection space, 16-bit tables (ICC.1:2001-04)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from production.domain.colour import D50

_DEVICE = b"CMYK"
_HEADER_BYTES = 128
_STRAIGHT = np.array([0.0, 1.0])
# 258 entries stand 255 codes apart, so that code 65280, L = 100, is an entry
_LAB_CURVES = np.stack([np.minimum(np.arange(258) / 256, 1.0), *[np.arange(258) / 257] * 2])


@dataclass(frozen=True)
class Tables:
    """A printer's tables.

    a2b: (g, g, g, g, 3) float, L*a*b* for ink on a regular grid, axes C, M, Y, K from 0 to 1.
    b2a: (h, h, h, 4) float, ink 0 to 1 on a regular grid of encoded L*a*b*, axes L, a, b (see lab_grid).
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


def write_profile(
    tables: Tables, *, description: str, copyright_text: str, white_xyz: NDArray[np.float64], made: datetime
) -> bytes:
    """The profile's bytes; the same tables and words give the same bytes.

    white_xyz: the unprinted cloth under D50, Y of the perfect white 1.
    """
    a2b = _lut16(_encode_lab(tables.a2b), curves=np.tile(_STRAIGHT, (4, 1)), outputs=3)
    b2a = _lut16(_encode_unit(tables.b2a), curves=_LAB_CURVES, outputs=4)
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
    count = sum(len(names) for names, _ in blocks)
    offset = _HEADER_BYTES + 4 + 12 * count
    table, body = [], b""
    for names, data in blocks:
        table += [struct.pack(">4sII", name, offset + len(body), len(data)) for name in names]
        body += data + bytes(-len(data) % 4)
    size = offset + len(body)
    return _header(size, made) + struct.pack(">I", count) + b"".join(table) + body


def _header(size: int, made: datetime) -> bytes:
    date = struct.pack(">6H", made.year, made.month, made.day, made.hour, made.minute, made.second)
    white = b"".join(_s15f16(v) for v in D50)
    header = struct.pack(">I4sI4s4s4s12s4s", size, bytes(4), 0x02400000, b"prtr", _DEVICE, b"Lab ", date, b"acsp")
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


def _s15f16(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))
