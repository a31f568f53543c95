"""Letters of any script on paper: the order they stand in, the font of each stretch, and its glyphs by HarfBuzz.

The house's own font has Latin, Greek and Cyrillic. What it has not is looked for in the Noto fonts (SIL Open Font
Licence 1.1) that come as packages and in the mill's own folders, and embedded by its glyphs alone.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import groupby, pairwise
from pathlib import Path

import pikepdf
import uharfbuzz
from django.conf import settings
from fontTools import subset
from fontTools.ttLib import TTFont, TTLibError
from fontTools.varLib import instancer

HOUSE = ""  # the family of what the house's own font has

# package and family, in the order in which they are asked
_FAMILIES = (
    ("justmytype_intl_rtl", "notosansarabic"),
    ("justmytype_intl_rtl", "notosanshebrew"),
    ("justmytype_intl_south_asia", "notosansdevanagari"),
    ("justmytype_intl_south_asia", "notosansbengali"),
    ("justmytype_intl_south_asia", "notosanstamil"),
    ("justmytype_intl_south_asia", "notosanstelugu"),
    ("justmytype_intl_sea", "notosansthai"),
    ("justmytype_intl_sea", "notosanslao"),
    ("justmytype_intl_sea", "notosanskhmer"),
    ("justmytype_intl_sea", "notosansmyanmar"),
    ("justmytype_intl_africa", "notosansethiopic"),
    ("justmytype_intl_cjk", "notosanssc"),
    ("justmytype_intl_cjk", "notosanstc"),
    ("justmytype_intl_cjk", "notosansjp"),
    ("justmytype_intl_cjk", "notosanskr"),
)
_PACKAGE_OF = {family: package for package, family in _FAMILIES}
_OWN = "own"  # families out of the mill's folders of fonts are called own0, own1 ...
_JAPANESE = "notosansjp"
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")


@dataclass(frozen=True)
class Stretch:
    """Neighbouring letters of one font and direction, in the order they are read."""

    text: str
    family: str  # HOUSE, or one of the Noto families
    backwards: bool  # written from right to left


@dataclass(frozen=True)
class Glyph:
    """One glyph as it stands: its number in the font, and where, in thousandths of the size."""

    number: int
    advance: float
    x: float
    y: float
    means: str  # the letters it stands for; empty for the later glyphs of one cluster


def known(character: str) -> bool:
    """Whether one of the fonts besides the house's has `character`."""
    return any(ord(character) in _letters(family) for family in _every_family())


def stretches(line: str, house: Mapping[int, int]) -> tuple[Stretch, ...]:
    """The stretches of a line from left to right as they stand on paper; `house`: what the house's font has."""
    levels = bidi_levels(line)
    families = _families(line, house)
    parts: list[tuple[int, Stretch]] = []
    for (level, family), group in groupby(enumerate(line), key=lambda each: (levels[each[0]], families[each[0]])):
        text = "".join(character for _, character in group)
        if family == HOUSE and level % 2:  # nothing but signs: letters that run backwards are in no house font
            text = text[::-1].translate(_MIRRORED)
        parts.append((level, Stretch(text, family, backwards=level % 2 == 1)))
    return tuple(part for _, part in _as_they_stand(parts))


def _as_they_stand(parts: list[tuple[int, Stretch]]) -> list[tuple[int, Stretch]]:
    """Rule L2 of UAX #9: from the highest level down to the lowest odd one, turn what is at that level or above."""
    for level in range(max((level for level, _ in parts), default=0), 0, -1):
        turned: list[tuple[int, Stretch]] = []
        for high, group in groupby(parts, key=lambda each: each[0] >= level):
            part = list(group)
            turned += part[::-1] if high else part
        parts = turned
    return parts


def bidi_levels(line: str) -> list[int]:
    """The embedding level of each character: even from left to right, odd from right to left.

    Unicode Bidirectional Algorithm (UAX #9), rules P2 to I2, for one line without explicit marks.
    """
    types = [unicodedata.bidirectional(character) or "L" for character in line]
    base = next((int(kind != "L") for kind in types if kind in ("L", "R", "AL")), 0)
    if not base and not any(kind in ("R", "AL", "AN") for kind in types):
        return [0] * len(line)
    outside = "R" if base else "L"
    types = _neutrals(_brackets(line, _numbers(types, outside), outside), outside)
    levels = []
    for kind in types:
        if base:
            levels.append(1 if kind == "R" else 2)
        else:
            levels.append({"L": 0, "R": 1}.get(kind, 2))
    return levels


def _numbers(types: list[str], outside: str) -> list[str]:
    """Rules W1 to W7: marks, numbers and what stands between numbers."""
    found: list[str] = []
    for kind in types:  # W1
        found.append((found[-1] if found else outside) if kind == "NSM" else kind)
    strong = outside
    for k, kind in enumerate(found):  # W2, W3
        if kind in ("L", "R", "AL"):
            strong = kind
        if kind == "EN" and strong == "AL":
            found[k] = "AN"
    found = ["R" if kind == "AL" else kind for kind in found]
    for k in range(1, len(found) - 1):  # W4
        before, after = found[k - 1], found[k + 1]
        if before == after and ((found[k] == "ES" and before == "EN") or (found[k] == "CS" and before in ("EN", "AN"))):
            found[k] = before
    start = 0
    for kind, group in groupby(list(found)):  # W5
        stop = start + len(list(group))
        if kind == "ET" and "EN" in (found[start - 1 : start] + found[stop : stop + 1]):
            found[start:stop] = ["EN"] * (stop - start)
        start = stop
    found = ["ON" if kind in ("ES", "ET", "CS") else kind for kind in found]  # W6
    strong = outside
    for k, kind in enumerate(found):  # W7
        if kind in ("L", "R"):
            strong = kind
        if kind == "EN" and strong == "L":
            found[k] = "L"
    return found


def _brackets(line: str, types: list[str], outside: str) -> list[str]:
    """Rule N0: a pair of brackets goes with what stands inside, or with what stands before where that is all inside."""
    found, opened = list(types), []
    for k, character in enumerate(line):
        if character in _CLOSING and types[k] == "ON":
            opened.append(k)
        while opened and character in _CLOSING.values() and types[k] == "ON":
            start = opened.pop()
            if _CLOSING[line[start]] != character:
                continue
            inside = {_direction(kind) for kind in found[start + 1 : k] if kind in ("L", "R", "EN", "AN")}
            if outside in inside:
                found[start] = found[k] = outside
            elif inside:
                before = next((_direction(e) for e in reversed(found[:start]) if e in ("L", "R", "EN", "AN")), outside)
                found[start] = found[k] = before
            break
    return found


def _neutrals(types: list[str], outside: str) -> list[str]:
    """Rules N1 and N2: what has no direction takes that of both its neighbours, else the line's."""
    found: list[str] = list(types)
    start = 0
    for neutral, group in groupby(types, key=lambda kind: kind not in ("L", "R", "EN", "AN")):
        stop = start + len(list(group))
        if neutral:
            before = _direction(types[start - 1]) if start else outside
            after = _direction(types[stop]) if stop < len(types) else outside
            found[start:stop] = [before if before == after else outside] * (stop - start)
        start = stop
    return found


def _direction(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _families(line: str, house: Mapping[int, int]) -> list[str]:
    """The family of each character; spaces, signs and marks stay with the letters before them where those have them."""
    order = list(_every_family())
    if any("぀" <= character <= "ヿ" for character in line):  # with kana, Han is written the Japanese way
        order.remove(_JAPANESE)
        order.insert(0, _JAPANESE)
    found: list[str] = []
    for character in line:
        before = found[-1] if found else HOUSE
        follows = unicodedata.category(character)[0] in "MZPC"
        if before != HOUSE and follows and ord(character) in _letters(before):
            found.append(before)
        elif ord(character) in house:
            found.append(HOUSE)
        else:
            found.append(next((family for family in order if ord(character) in _letters(family)), HOUSE))
    return found


def shaped(stretch: Stretch, weight: int) -> tuple[Glyph, ...]:
    """The glyphs of a stretch of a Noto font at `weight` (100 to 900), from left to right."""
    return _shaped(stretch.text, stretch.family, weight, stretch.backwards)


@lru_cache(maxsize=2000)
def _shaped(text: str, family: str, weight: int, backwards: bool) -> tuple[Glyph, ...]:
    font = uharfbuzz.Font(_face(family))
    font.set_variations({"wght": weight})
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if backwards else "ltr"
    uharfbuzz.shape(font, buffer)
    scale = 1000 / _face(family).upem
    end_of = dict(pairwise([*sorted({info.cluster for info in buffer.glyph_infos}), len(text)]))
    told: set[int] = set()
    glyphs = []
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        means = "" if info.cluster in told else text[info.cluster : end_of[info.cluster]]
        told.add(info.cluster)
        glyphs.append(
            Glyph(
                info.codepoint,
                position.x_advance * scale,
                position.x_offset * scale,
                position.y_offset * scale,
                means,
            )
        )
    return tuple(glyphs)


def embed(pdf: pikepdf.Pdf, family: str, weight: int, glyphs: Mapping[int, str]) -> pikepdf.Object:
    """A composite font of `pdf` that holds only `glyphs` (number -> letters it stands for), numbered as in the whole.

    ISO 32000-1, 9.7: Type 0, CIDFontType2, Identity-H, with a map to the glyphs that are left and with ToUnicode.
    """
    content, places = _subset(family, weight, glyphs)
    tag = "".join(chr(65 + byte % 26) for byte in hashlib.sha256(content).digest()[:6])
    plain = "".join(c for c in _file(family).stem.split("[")[0] if c.isascii() and c.isalnum())
    name = pikepdf.Name(f"/{tag}+{plain}-{weight}")
    with TTFont(io.BytesIO(content)) as font:
        head, lines, widths = font["head"], font["hhea"], font["hmtx"]
        scale = 1000 / head.unitsPerEm
        wide = pikepdf.Array()
        for number in sorted(glyphs):
            wide.append(number)
            wide.append(pikepdf.Array([round(widths[font.getGlyphName(places[number])][0] * scale)]))
        descriptor = pikepdf.Dictionary(
            Type=pikepdf.Name.FontDescriptor,
            FontName=name,
            Flags=4,
            FontBBox=[round(value * scale) for value in (head.xMin, head.yMin, head.xMax, head.yMax)],
            ItalicAngle=0,
            Ascent=round(lines.ascent * scale),
            Descent=round(lines.descent * scale),
            CapHeight=round(lines.ascent * scale),
            StemV=round(weight / 5),
            FontFile2=pdf.make_stream(content, Length1=len(content)),
        )
    left = bytearray(2 * (max(glyphs) + 1))
    for number in glyphs:
        left[2 * number : 2 * number + 2] = places[number].to_bytes(2, "big")
    descendant = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=pikepdf.Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        FontDescriptor=pdf.make_indirect(descriptor),
        W=wide,
        CIDToGIDMap=pdf.make_stream(bytes(left)),
    )
    whole = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type0,
        BaseFont=name,
        Encoding=pikepdf.Name("/Identity-H"),
        DescendantFonts=[pdf.make_indirect(descendant)],
        ToUnicode=pdf.make_stream(_to_unicode(glyphs)),
    )
    return pdf.make_indirect(whole)


def _subset(family: str, weight: int, glyphs: Iterable[int]) -> tuple[bytes, dict[int, int]]:
    """The font file of these glyphs at one weight, and where in it each of them stands."""
    options = subset.Options(layout_features=[], notdef_outline=True, name_IDs=[1, 2, 13], hinting=False)
    # Shaping is done, and widths come with the outlines.
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "HVAR", "VVAR", "STAT", "MVAR"]
    subsetter = subset.Subsetter(options)
    wanted = sorted({0, *glyphs})
    subsetter.populate(gids=wanted)
    buffer = io.BytesIO()
    with TTFont(str(_file(family)), lazy=True, recalcTimestamp=False) as font:
        names = {number: font.getGlyphName(number) for number in wanted}
        subsetter.subset(font)
        if "fvar" in font:
            axes = {axis.axisTag: weight if axis.axisTag == "wght" else None for axis in font["fvar"].axes}
            instancer.instantiateVariableFont(font, axes, inplace=True)
        places = {number: font.getGlyphID(name) for number, name in names.items()}
        font.save(buffer)
    return buffer.getvalue(), places


def _to_unicode(glyphs: Mapping[int, str]) -> bytes:
    """The CMap from glyph numbers to letters (ISO 32000-1, 9.10.3)."""
    rows = [f"<{number:04x}> <{means.encode('utf-16-be').hex()}>" for number, means in sorted(glyphs.items()) if means]
    head = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
    )
    body = "".join(
        f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar\n"
        for part in (rows[k : k + 100] for k in range(0, len(rows), 100))
    )
    return (head + body + "endcmap CMapName currentdict /CMap defineresource pop end end\n").encode("ascii")


def literal(stretch: Stretch, glyphs: Sequence[Glyph], *, font: str, size: float, x: float, y: float) -> str:
    """The page content that draws `glyphs` from (x, y) in points.

    Words whose glyphs are not their letters one by one have the letters beside them (ActualText), for who searches.
    """
    parts = []
    for blank, group in groupby(glyphs, key=lambda glyph: glyph.means.isspace()):
        word = list(group)
        drawn = [f"BT /{font} {size:.4g} Tf"]
        for glyph in word:
            left, low = x + glyph.x * size / 1000, y + glyph.y * size / 1000
            drawn.append(f"1 0 0 1 {left:.3f} {low:.3f} Tm <{glyph.number:04x}> Tj")
            x += glyph.advance * size / 1000
        drawn.append("ET")
        if not blank and any(len(glyph.means) != 1 for glyph in word):
            letters = "".join(glyph.means for glyph in (reversed(word) if stretch.backwards else word))
            said = b"\xfe\xff" + letters.encode("utf-16-be")
            drawn = [f"/Span <</ActualText <{said.hex()}>>> BDC", *drawn, "EMC"]
        parts += drawn
    return " ".join(parts)


@lru_cache
def _every_family() -> tuple[str, ...]:
    """The packaged families, then the mill's own."""
    return (*(family for _, family in _FAMILIES), *(f"{_OWN}{n}" for n in range(len(_own_files()))))


@lru_cache
def _own_files() -> tuple[Path, ...]:
    """TrueType fonts of the regular weight, or of all weights in one, in the folders that the settings name."""
    found = [path for folder in settings.WEFTLINE["fonts"].values() for path in sorted(folder.rglob("*.ttf"))]
    return tuple(path for path in found if path.stem.endswith("Regular") or "[" in path.stem or "-" not in path.stem)


@lru_cache
def _file(family: str) -> Path:
    if family not in _PACKAGE_OF:
        return _own_files()[int(family.removeprefix(_OWN))]
    folder = Path(str(resources.files(_PACKAGE_OF[family]))) / "fonts" / "ofl" / family
    return next(folder.glob("*.ttf"))


@lru_cache
def _face(family: str) -> uharfbuzz.Face:
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(_file(family))))


@lru_cache
def _letters(family: str) -> frozenset[int]:
    """The characters that a family has; none of a file that is no font with outlines that can be embedded."""
    try:
        with _file(family).open("rb") as file, TTFont(file, lazy=True) as font:
            if "glyf" not in font:
                return frozenset()
    except (TTLibError, OSError):
        return frozenset()
    return frozenset(_face(family).unicodes)
