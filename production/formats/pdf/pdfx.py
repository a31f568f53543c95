"""The whole cloth as PDF/X-4 (ISO 15930-7): the repeat once, as one picture, placed as often as the length asks for.

Everything on the cloth stands on whole pixels: boxes, repeats and marks. The trim box is the fabric as it is printed,
head and selvedges included; the strips before and behind it carry what only people and the press need, as wide as the
cloth, so that nothing is ever printed beside it. Written by hand; read back with pikepdf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import ClassVar
from xml.sax.saxutils import escape

import numpy as np
import pyvips
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH
from production.colour_profiles import PROFILES
from production.documents.slug import Typeset, typeset
from production.domain.finding import Finding
from production.domain.ink_tile import InkTile
from production.domain.sheet import Mark, Sheet, qr_modules
from production.domain.spec import PRINT, Ink
from production.domain.usage import FULL
from production.files import write_bytes, write_together
from production.formats.pdf import reading as pdfx_reading
from production.formats.pdf.file import PdfFile, name, number, picture, words
from production.ports import Manifest, Progress, RenderJob

POINTS_PER_INCH = 72
MOST_UNITS = 14_400  # of a page's side (ISO 32000-1, annex C): 5.08 m where a unit is a point
STANDARD_CMYK = PROFILES / "reactive-cmyk-cotton-synthetic.icc"  # where the inks' own profile can't be an output intent
PROCESS = {"C": "Cyan", "M": "Magenta", "Y": "Yellow", "K": "Black"}
INKS_PROFILE = "-inks.icc"

HEAD_MM = 36.0  # the strip before the cloth
FOOT_MM = 14.0
CODE_MM = 24.0
STEP_MM = 4.0
STEPS = 10  # of each ink, to 100 %
TEXT_POINTS = 9.0
LINE_MM = 4.6
LEAST_TEXT_MM = 60.0
SIDE_MM = 20.0  # from the strip's end to its code and words; the register marks stand there
_CIRCLE = 0.5523  # control points of a quarter of a circle


@dataclass(frozen=True)
class Piece:
    """A sheet in its place on the cloth. Its repeat's planes (H, W, C) are asked for once, when they are written."""

    sheet: Sheet
    top_px: int  # of its head, from the head of the cloth
    planes: Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True)
class Cloth:
    """What is printed in one go: pieces of one width and resolution behind each other, and marks between them.

    solid_lab: (C, 3) L*a*b* D50 of each ink alone; intent: the profile of the output intent, CMYK; condition: its name.
    """

    pieces: tuple[Piece, ...]
    marks: tuple[Mark, ...]  # beside those of the pieces, from the head of the cloth
    length_px: int
    inks: tuple[Ink, ...]
    solid_lab: NDArray[np.float64]
    intent: bytes
    condition: str
    title: str
    revision: int
    released_at: datetime
    lines: tuple[str, ...]  # what the strip before it says
    code: str  # what the QR code in that strip says

    @property
    def dpi(self) -> float:
        return self.pieces[0].sheet.dpi

    @property
    def width_px(self) -> int:
        return self.pieces[0].sheet.width_px

    def px(self, mm: float) -> int:
        """Printed millimetres in whole pixels."""
        return round(mm * self.dpi / MM_PER_INCH)

    def mm(self, px: float) -> float:
        """Pixels in printed millimetres."""
        return px * MM_PER_INCH / self.dpi


class PdfX:
    """The cloth as one page, however long."""

    code: ClassVar[str] = "pdfx"
    kind: ClassVar[str] = PRINT
    suffix: ClassVar[str] = ".pdf"

    def write(self, master: InkTile, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write the PDF, and beside it the inks' profile where they are not CMYK: PDF/X-4 does not let it in."""
        cloth = _cloth(master, job)
        assert job.spec.inks is not None, "a printed line has inks"
        profile = job.spec.inks.profile.path.read_bytes()
        stem = f"{job.name}{self.suffix.removesuffix('.pdf')}"
        fills = {folder / f"{stem}.pdf": partial(write_cloth, cloth=cloth, cuts=self.cuts(cloth), tell=on_progress)}
        if cloth.intent != profile:
            fills[folder / f"{stem}{INKS_PROFILE}"] = partial(write_bytes, data=profile)
        write_together(fills)
        return list(fills)

    def cuts(self, cloth: Cloth) -> list[int]:
        """Where the pages part, in pixels from the head of the cloth; its beginning and its end among them."""
        return [0, cloth.length_px]

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Preflight it, then read every picture, placement, mark and box back and compare them with the manifest."""
        return pdfx_reading.findings(path, manifest)


class PdfXPages(PdfX):
    """The cloth as pages of at most 5 m, for a RIP that does not know how to measure longer ones.

    They are printed one after the other without a gap; each is cut after a whole repeat where one is short enough.
    """

    code: ClassVar[str] = "pdfx_pages"
    suffix: ClassVar[str] = "-pages.pdf"

    def cuts(self, cloth: Cloth) -> list[int]:
        """At the feet of repeats, the last that a page has room for."""
        sheet = cloth.pieces[0].sheet
        most = math.floor(MOST_UNITS * cloth.dpi / POINTS_PER_INCH) - cloth.px(HEAD_MM) - cloth.px(FOOT_MM)
        period = sheet.tile_px[1] * sheet.layout.period[1]
        found = [0]
        while cloth.length_px - found[-1] > most:
            whole = (found[-1] + most - sheet.y_px) // period * period + sheet.y_px
            found.append(whole if whole > found[-1] else found[-1] + most)
        return [*found, cloth.length_px]


def output_intent(profile: bytes, its_name: str) -> tuple[bytes, str]:
    """(profile, name) of the output intent: the inks' own profile where it is CMYK, else the house's."""
    if profile[16:20] == b"CMYK":
        return profile, its_name
    return STANDARD_CMYK.read_bytes(), STANDARD_CMYK.stem


def write_cloth(path: Path, *, cloth: Cloth, cuts: Sequence[int], tell: Progress) -> None:
    """Write the cloth as PDF/X-4, a page from each cut to the next; tell(done, of how many) follows the pictures."""
    with path.open("wb") as file:
        pdf = PdfFile(file)
        space = _space(pdf, cloth)
        # The pictures come first: they are nearly all of the file, and what follows is named after them.
        repeats = [_repeat(pdf, piece, space, k, len(cloth.pieces), tell) for k, piece in enumerate(cloth.pieces)]
        masks = _Masks(pdf)
        marks = [
            (replace(mark, y_px=mark.y_px + piece.top_px), masks.of(mark.mask))
            for piece in cloth.pieces
            for mark in piece.sheet.marks
        ]
        marks += [(mark, masks.of(mark.mask)) for mark in cloth.marks]
        lines = typeset(cloth.lines, size=TEXT_POINTS, width=_text_points(cloth))
        code = masks.of(qr_modules(cloth.code))
        head = list(_head_strip(cloth, space, code, masks.of(None), lines))
        foot = list(_register(cloth, FOOT_MM))
        font = _font(pdf, lines)
        names = [*(f"/Repeat{k} {each} 0 R" for k, each in enumerate(repeats, 1))]
        names += [f"/M{each} {each} 0 R" for each in masks.numbers]
        spaces = f"/All [/Separation /All /DeviceCMYK {_tint(np.ones(len(PROCESS)))}]"
        spaces += f" /Inks {space.entry}" if space.named else ""
        resources = pdf.put(
            f"<< /XObject << {' '.join(names)} >> /ColorSpace << {spaces} >> /Font << /F {font} 0 R >> >>"
        )
        tree = pdf.reserve()
        strips_px = cloth.px(HEAD_MM) + cloth.px(FOOT_MM)
        unit = _unit(max(below - above for above, below in pairwise(cuts)) + strips_px, cloth.dpi)
        kids = []
        for above, below in pairwise(cuts):
            room = (cloth.px(HEAD_MM) if above == 0 else 0, cloth.px(FOOT_MM) if below == cloth.length_px else 0)
            page = _Page(cloth, above, below, *room, unit)
            content = pdf.packed("", page.content(space, marks, head, foot))
            kids.append(
                pdf.put(
                    f"<< /Type /Page /Parent {tree} 0 R {page.boxes()} /Resources {resources} 0 R "
                    f"/Contents {content} 0 R >>"
                )
            )
        pdf.put(f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(kids)} >>", tree)
        _finish(pdf, cloth, tree)


@dataclass(frozen=True)
class _Space:
    """How ink is said: in process colours, or in a space of this many colourants."""

    entry: str  # for the dictionary of a picture
    inks: int
    named: bool

    def fill(self, ink: Sequence[int]) -> str:
        """The operators that choose these inks, 0 to 255 each."""
        values = " ".join(number(value / FULL) for value in ink)
        return f"/Inks cs {values} scn" if self.named else f"{values} k"


def _cloth(tile: InkTile, job: RenderJob) -> Cloth:
    """The cloth of a single job."""
    inks = job.spec.inks
    assert inks is not None, "a printed line has inks"
    intent, condition = output_intent(inks.profile.path.read_bytes(), inks.profile.name)
    return Cloth(
        pieces=(Piece(job.sheet, 0, lambda: tile.planes),),
        marks=(),
        length_px=job.sheet.length_px,
        inks=tile.inks,
        solid_lab=tile.solid_lab,
        intent=intent,
        condition=condition,
        title=f"{job.reference} r{job.revision}",
        revision=job.revision,
        released_at=job.released_at,
        lines=tuple(_lines(job)),
        code=job.url or job.reference,
    )


def _repeat(pdf: PdfFile, piece: Piece, space: _Space, done: int, of: int, tell: Progress) -> int:
    """The picture of a piece's repeat; `done` of `of` pictures are written."""
    width, height = piece.sheet.tile_px
    return pdf.stream(
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8 "
        f"/ColorSpace {space.entry} /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors {space.inks} "
        f"/BitsPerComponent 8 /Columns {width} >>",
        picture(piece.planes(), lambda bands, of_bands: tell(done * of_bands + bands, of * of_bands)),
    )


def _finish(pdf: PdfFile, cloth: Cloth, tree: int) -> None:
    """Output intent, metadata, catalogue and trailer."""
    profile, condition = pdf.packed("/N 4", [cloth.intent]), words(cloth.condition)
    intents = pdf.put(
        f"<< /Type /OutputIntent /S /GTS_PDFX /OutputConditionIdentifier {condition} /Info {condition} "
        f"/DestOutputProfile {profile} 0 R >>"
    )
    first_id = pdf.name_so_far()
    title = "".join(c if c.isprintable() else " " for c in cloth.title)
    when = cloth.released_at.astimezone(UTC)
    packet = _metadata(title, when.strftime("%Y-%m-%dT%H:%M:%S+00:00"), first_id.hex(), cloth.revision)
    # Not deflated: who searches files for their metadata looks for plain XML.
    metadata = pdf.stream("/Type /Metadata /Subtype /XML", [packet.encode("utf-8", "replace")])
    date = when.strftime("(D:%Y%m%d%H%M%S+00'00')")
    info = pdf.put(
        f"<< /Title {words(title)} /Creator (Weftline) /Producer (Weftline) /CreationDate {date} /ModDate {date} "
        "/Trapped /False >>"
    )
    root = pdf.put(f"<< /Type /Catalog /Pages {tree} 0 R /OutputIntents [{intents} 0 R] /Metadata {metadata} 0 R >>")
    pdf.close(root=root, info=info, first_id=first_id)


@dataclass(frozen=True)
class _Page:
    """A stretch of cloth from row `above` to row `below`, with the strips before and behind it, all in pixels."""

    cloth: Cloth
    above: int
    below: int
    head: int
    foot: int
    unit: int  # points in one unit of the page

    @property
    def _scale(self) -> float:
        return POINTS_PER_INCH / self.cloth.dpi / self.unit

    def boxes(self) -> str:
        """The page's boxes, and its unit where it is not a point."""
        wide = number(self.cloth.width_px * self._scale)
        lengths = (self.foot, self.foot + self.below - self.above, self.foot + self.below - self.above + self.head)
        foot, top, whole = (number(length * self._scale) for length in lengths)
        trim = f"[0 {foot} {wide} {top}]"
        unit = f" /UserUnit {self.unit}" if self.unit != 1 else ""
        return f"/MediaBox [0 0 {wide} {whole}] /BleedBox {trim} /TrimBox {trim}{unit}"

    def content(
        self, space: _Space, marks: Sequence[tuple[Mark, int]], head: Sequence[str], foot: Sequence[str]
    ) -> Iterator[bytes]:
        """The page's operators, one unit a pixel, y up from the foot of the page."""
        scale, wide = number(self._scale), self.cloth.width_px
        yield f"{scale} 0 0 {scale} 0 0 cm\n".encode()
        if self.head:
            yield _strip(self._y(self.above), wide, self.head, head)
        if self.foot:
            yield _strip(0, wide, self.foot, foot)
        for count, piece in enumerate(self.cloth.pieces, 1):
            yield from self._pattern(piece, f"/Repeat{count}")
        for mark, mask in marks:
            if mark.y_px < self.below and mark.y_px + mark.height_px > self.above:
                box = (mark.x_px, self._y(mark.y_px + mark.height_px), mark.width_px, mark.height_px)
                yield _stamp(space.fill(mark.ink), box, mask).encode()

    def _pattern(self, piece: Piece, repeat: str) -> Iterator[bytes]:
        """The repeats of a piece, cut at the pattern's edges and the page's."""
        sheet = piece.sheet
        wide, tall = sheet.tile_px
        first = max(self.above, piece.top_px + sheet.y_px)
        last = min(self.below, piece.top_px + sheet.y_px + sheet.pattern_length_px)
        if last <= first:
            return
        yield f"q {sheet.x_px} {self._y(last)} {sheet.pattern_width_px} {last - first} re W n\n".encode()
        for at in sheet.placements():
            top = piece.top_px + at.y_px
            if top >= last or top + tall <= first:
                continue
            x = (-wide, at.x_px + wide) if at.flipped_x else (wide, at.x_px)
            y = (-tall, self._y(top)) if at.flipped_y else (tall, self._y(top + tall))
            yield f"q {x[0]} 0 0 {y[0]} {x[1]} {y[1]} cm {repeat} Do Q\n".encode()
        yield b"Q\n"

    def _y(self, row: int) -> int:
        """A row of the cloth, counted from its head, as height over the foot of the page."""
        return self.foot + self.below - row


class _Masks:
    """The shapes that ink is stamped through, each written once."""

    def __init__(self, pdf: PdfFile) -> None:
        self._pdf = pdf
        self._known: dict[tuple[tuple[int, ...], bytes], int] = {}

    @property
    def numbers(self) -> list[int]:
        """The object numbers of all shapes so far."""
        return list(self._known.values())

    def of(self, mask: NDArray[np.bool_] | None) -> int:
        """The object number of a shape (rows, columns); None is a full rectangle."""
        # Four cells for a full rectangle: RIPs draw a single one as an outline, which may grow by a pixel.
        cells = np.ones((2, 2), bool) if mask is None else mask
        packed = np.packbits(cells, axis=1).tobytes()
        key = (cells.shape, packed)
        if key not in self._known:
            rows, columns = cells.shape
            entries = f"/Type /XObject /Subtype /Image /Width {columns} /Height {rows} /ImageMask true"
            self._known[key] = self._pdf.packed(f"{entries} /BitsPerComponent 1 /Decode [1 0]", [packed])
        return self._known[key]


def _stamp(fill: str, box: tuple[int, int, int, int], mask: int) -> str:
    """A shape stretched over a box (x, y of its foot, width, height). A picture: rectangles may grow by a pixel."""
    x, y, width, height = box
    return f"q {fill} {width} 0 0 {height} {x} {y} cm /M{mask} Do Q\n"


def _strip(y: int, width: int, height: int, inside: Iterable[str]) -> bytes:
    """Operators that can't reach out of their strip; inside, y counts up from the strip's foot."""
    return f"q 0 {y} {width} {height} re W n 1 0 0 1 0 {y} cm\n{''.join(inside)}Q\n".encode()


def _head_strip(cloth: Cloth, space: _Space, code: int, solid: int, lines: Typeset) -> Iterator[str]:
    """Register marks, the code, the words, and the steps of every ink where there is room for them."""
    yield from _register(cloth, HEAD_MM)
    side, foot = cloth.px(CODE_MM), cloth.px((HEAD_MM - CODE_MM) / 2)
    yield _stamp("0 0 0 1 k", (cloth.px(SIDE_MM), foot, side, side), code)
    left = cloth.px(SIDE_MM + CODE_MM + STEP_MM)
    if _has_steps(cloth):
        tall = min(cloth.px(STEP_MM), cloth.px(HEAD_MM - 2 * STEP_MM) // space.inks)
        wide = cloth.px(STEP_MM)
        for ink in range(space.inks):
            for step in range(STEPS):
                values = [0] * space.inks
                values[ink] = round(FULL * (step + 1) / STEPS)
                box = (left + step * wide, cloth.px(HEAD_MM - STEP_MM) - (ink + 1) * tall, wide, tall)
                yield _stamp(space.fill(values), box, solid)
        left += (STEPS + 1) * wide
    size = number(TEXT_POINTS * cloth.dpi / POINTS_PER_INCH)
    yield f"0 0 0 1 k BT /F {size} Tf\n"
    for row, glyphs in enumerate(lines.lines):
        base = cloth.px(HEAD_MM - STEP_MM - LINE_MM * (row + 0.75))
        written = "".join(f"{glyph:04X}" for glyph in glyphs)
        yield f"1 0 0 1 {left} {base} Tm <{written}> Tj\n"
    yield "ET\n"


def _register(cloth: Cloth, strip_mm: float) -> Iterator[str]:
    """Crosses in a circle, in all inks at once, at both ends of a strip."""
    radius, arm, y = cloth.px(2.5), cloth.px(4.5), cloth.px(strip_mm / 2)
    bow = round(radius * _CIRCLE)
    for x in (cloth.px(SIDE_MM / 2), cloth.width_px - cloth.px(SIDE_MM / 2)):
        yield (
            f"q /All CS 1 SCN {cloth.px(0.25)} w 1 0 0 1 {x} {y} cm "
            f"-{arm} 0 m {arm} 0 l 0 -{arm} m 0 {arm} l {radius} 0 m "
            f"{radius} {bow} {bow} {radius} 0 {radius} c -{bow} {radius} -{radius} {bow} -{radius} 0 c "
            f"-{radius} -{bow} -{bow} -{radius} 0 -{radius} c {bow} -{radius} {radius} -{bow} {radius} 0 c S Q\n"
        )


def _lines(job: RenderJob) -> list[str]:
    """What the strip before the cloth says."""
    spec, sheet = job.spec, job.sheet
    assert spec.inks is not None
    lots = " ".join(use.lot for use in job.lots if use.sku == spec.sku and use.lot)
    pattern = f"{sheet.mm(sheet.pattern_width_px):.1f} × {sheet.mm(sheet.pattern_length_px):.1f} mm"
    repeat = f"{spec.printed_width_mm:.2f} × {spec.printed_height_mm:.2f} mm = {spec.width_px} × {spec.height_px} px"
    return [
        " · ".join(filter(None, (f"{job.reference} r{job.revision}", job.order, job.customer, job.shop))),
        " · ".join(filter(None, (spec.sku, spec.name, f"lot {lots}" if lots else "", f"on {job.machine.code}"))),
        f"Pattern {pattern} printed, {spec.quantity_m:g} m finished, cloth {spec.width_mm:g} mm wide",
        f"Repeat {repeat}, {spec.repeat.layout.value.replace('_', '-')}, scale {spec.scale_x:.2%} × {spec.scale_y:.2%}",
        f"{spec.dpi:g} dpi · {', '.join(ink.name for ink in spec.inks.inks)}, at most {spec.inks.tac_pct:g} %"
        f" · {spec.inks.profile.name}",
        f"Released {job.released_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC · print at 100 %: this strip is not cloth",
    ]


def _has_steps(cloth: Cloth) -> bool:
    taken = 2 * SIDE_MM + CODE_MM + STEP_MM * (STEPS + 2)
    return cloth.mm(cloth.width_px) >= taken + LEAST_TEXT_MM


def _text_points(cloth: Cloth) -> float:
    """How wide the words may be."""
    taken = 2 * SIDE_MM + CODE_MM + STEP_MM * (STEPS + 2 if _has_steps(cloth) else 1)
    return max(0.0, cloth.mm(cloth.width_px) - taken) * POINTS_PER_INCH / MM_PER_INCH


def _space(pdf: PdfFile, cloth: Cloth) -> _Space:
    """Process colours for CMYK; for every other set a DeviceN space that names each ink (ISO 32000-1, 8.6.6.5)."""
    channels = [ink.channel for ink in cloth.inks]
    if channels == list(PROCESS):
        return _Space("/DeviceCMYK", len(channels), named=False)
    names = [PROCESS.get(ink.channel, ink.name) for ink in cloth.inks]
    spots = [k for k, channel in enumerate(channels) if channel not in PROCESS]
    shown = np.zeros((len(channels), len(PROCESS)))
    for k, channel in enumerate(channels):
        if channel in PROCESS:
            shown[k, list(PROCESS).index(channel)] = 1.0
    shown[spots] = _in_cmyk(cloth.solid_lab[spots], cloth.intent)
    single = " ".join(f"{name(names[k])} [/Separation {name(names[k])} /DeviceCMYK {_tint(shown[k])}]" for k in spots)
    process = " ".join(name(each) for each in PROCESS.values())
    transform = pdf.packed(
        f"/FunctionType 4 /Domain [{'0 1 ' * len(names)}] /Range [{'0 1 ' * len(PROCESS)}]", [_calculator(shown)]
    )
    attributes = (
        f"<< /Subtype /NChannel /Process << /ColorSpace /DeviceCMYK /Components [{process}] >> "
        f"/Colorants << {single} >> >>"
    )
    named = " ".join(name(each) for each in names)
    space = pdf.put(f"[/DeviceN [{named}] /DeviceCMYK {transform} 0 R {attributes}]")
    return _Space(f"{space} 0 R", len(names), named=True)


def _tint(solid: NDArray[np.float64]) -> str:
    """A function from no ink to `solid`, straight."""
    none = " ".join("0" for _ in solid)
    return f"<< /FunctionType 2 /Domain [0 1] /N 1 /C0 [{none}] /C1 [{' '.join(number(v) for v in solid)}] >>"


def _calculator(shown: NDArray[np.float64]) -> bytes:
    """For readers without these inks: each of C, M, Y, K is what all inks together leave no gap for.

    shown: (inks, 4) from 0 to 1. A PostScript calculator function (ISO 32000-1, 7.10.5): 1 - prod(1 - ink * shown).
    """
    inks, outputs = shown.shape
    steps = []
    for output in range(outputs):
        steps.append("1")
        for ink in range(inks):
            if shown[ink, output]:
                share = "" if shown[ink, output] == 1 else f"{number(round(shown[ink, output], 4))} mul "
                steps.append(f"{inks + output - ink} index {share}1 exch sub mul")
        steps.append("1 exch sub")
    steps.append(f"{inks + outputs} {outputs} roll " + "pop " * inks)
    return f"{{ {' '.join(steps)} }}".encode()


def _in_cmyk(lab: NDArray[np.float64], profile: bytes) -> NDArray[np.float64]:
    """L*a*b* D50 (n, 3) as CMYK (n, 4) from 0 to 1 by an ICC profile, relative colorimetric."""
    if not len(lab):
        return np.zeros((0, len(PROCESS)))
    flat = np.ascontiguousarray(lab, np.float32)
    image = pyvips.Image.new_from_memory(flat.tobytes(), len(flat), 1, 3, "float").copy(interpretation="lab")
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    ink = image.icc_export(intent="relative", depth=16)
    return np.frombuffer(ink.write_to_memory(), np.uint16).reshape(len(flat), -1) / 65535.0


def _font(pdf: PdfFile, text: Typeset) -> int:
    """The words' font, embedded (ISO 32000-1, 9.7.4 and 9.8)."""
    program = pdf.packed(f"/Length1 {len(text.program)}", [text.program])
    title = name(text.font_name)
    descriptor = pdf.put(
        f"<< /Type /FontDescriptor /FontName {title} /Flags 4 /FontBBox [{' '.join(map(str, text.box))}] "
        f"/ItalicAngle 0 /Ascent {text.ascent} /Descent {text.descent} /CapHeight {text.cap_height} "
        f"/StemV {text.stem} /FontFile2 {program} 0 R >>"
    )
    glyphs = pdf.put(
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont {title} /CIDSystemInfo << /Registry (Adobe) "
        f"/Ordering (Identity) /Supplement 0 >> /FontDescriptor {descriptor} 0 R /CIDToGIDMap /Identity "
        f"/W [0 [{' '.join(map(str, text.widths))}]] >>"
    )
    unicode = pdf.packed("", [_to_unicode(text.characters)])
    return pdf.put(
        f"<< /Type /Font /Subtype /Type0 /BaseFont {title} /Encoding /Identity-H "
        f"/DescendantFonts [{glyphs} 0 R] /ToUnicode {unicode} 0 R >>"
    )


def _to_unicode(characters: Sequence[str]) -> bytes:
    """What each glyph number means, for who searches or copies the words (ISO 32000-1, 9.10.3)."""
    rows = [f"<{n:04X}> <{c.encode('utf-16-be').hex().upper()}>" for n, c in enumerate(characters)]
    blocks = [rows[first : first + 100] for first in range(0, len(rows), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{body}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode("ascii")


def _metadata(title: str, when: str, document: str, revision: int) -> str:
    """The XMP packet (ISO 16684-1) that names the file as PDF/X-4 and agrees with its information dictionary."""
    spaces = {
        "dc": "http://purl.org/dc/elements/1.1/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
        "pdf": "http://ns.adobe.com/pdf/1.3/",
        "pdfxid": "http://www.npes.org/pdfx/ns/id/",
    }
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in spaces.items())
    uuid = "-".join((document[:8], document[8:12], document[12:16], document[16:20], document[20:]))
    values = {
        "pdfxid:GTS_PDFXVersion": "PDF/X-4",
        "pdf:Trapped": "False",
        "pdf:Producer": "Weftline",
        "xmp:CreatorTool": "Weftline",
        "xmp:CreateDate": when,
        "xmp:ModifyDate": when,
        "xmp:MetadataDate": when,
        "xmpMM:DocumentID": f"uuid:{uuid}",
        "xmpMM:VersionID": str(revision),
        "xmpMM:RenditionClass": "default",
    }
    said = "\n".join(f"<{key}>{escape(value)}</{key}>" for key, value in values.items())
    named = f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>'
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'<rdf:Description rdf:about="" {declared}>\n{said}\n<dc:format>application/pdf</dc:format>\n{named}\n'
        '</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="r"?>'
    )


def _unit(length_px: int, dpi: float) -> int:
    """The points in a unit of the page: the least number of twos and fives that keeps its length in bounds.

    Only such a number leaves a pixel a short decimal, so that nothing is ever rounded.
    """
    points = length_px * POINTS_PER_INCH / dpi
    unit = max(1, math.ceil(points / MOST_UNITS))
    while 10**9 % unit:
        unit += 1
    return unit
