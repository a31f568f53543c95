"""Words for the strip beside the cloth: glyphs of the house's font, cut down to those used, for a file to embed."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.pdfbase import pdfmetrics

from production.documents.page import STRONG, fitted, register_fonts

_TAG_LETTERS = 6  # of the prefix that says that a font is a subset (ISO 32000-1, 9.6.4)
_UNKNOWN = ord("?")  # for what this one font has not


@dataclass(frozen=True)
class Typeset:
    """Lines as glyph numbers of one TrueType subset.

    widths, characters: per glyph number from 0, in thousandths of an em, and the character it shows; box: of the
    largest glyph, in thousandths of an em.
    """

    font_name: str
    program: bytes
    lines: tuple[tuple[int, ...], ...]
    widths: tuple[int, ...]
    characters: tuple[str, ...]
    box: tuple[int, int, int, int]
    ascent: int
    descent: int
    cap_height: int
    stem: int


def typeset(lines: Sequence[str], *, size: float, width: float) -> Typeset:
    """`lines` made printable and cut to `width` points at `size` points, with the font they need."""
    register_fonts()
    face = pdfmetrics.getFont(STRONG).face
    known = face.charToGlyph
    shown = [fitted(line, STRONG, size, width) for line in lines]
    codes = [[ord(c) if ord(c) in known else _UNKNOWN for c in line] for line in shown]
    used = sorted({code for line in codes for code in line})
    # reportlab numbers the glyphs of a subset in the order of the characters, from 1, each glyph once
    numbers: dict[int, int] = {0: 0}
    for code in used:
        numbers.setdefault(known[code], len(numbers))
    first = {numbers[known[code]]: code for code in reversed(used)}
    digest = hashlib.sha256(",".join(map(str, used)).encode()).digest()
    tag = "".join(string.ascii_uppercase[byte % 26] for byte in digest[:_TAG_LETTERS])
    return Typeset(
        font_name=f"{tag}+{face.name.decode('ascii') if isinstance(face.name, bytes) else face.name}",
        program=face.makeSubset(used),
        lines=tuple(tuple(numbers[known[code]] for code in line) for line in codes),
        widths=tuple(round(face.charWidths[first[n]] if n else face.defaultWidth) for n in range(len(numbers))),
        characters=tuple(chr(first[n]) if n else "\N{REPLACEMENT CHARACTER}" for n in range(len(numbers))),
        box=tuple(round(value) for value in face.bbox),
        ascent=round(face.ascent),
        descent=round(face.descent),
        cap_height=round(face.capHeight),
        stem=round(face.stemV),
    )
