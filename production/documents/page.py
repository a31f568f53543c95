"""What the documents share: embedded fonts, colours, text that always fits, tables. Nothing here parses markup."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from reportlab.graphics.barcode import code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

# Source Sans Pro, SIL Open Font Licence 1.1, beside this file with its licence.
REGULAR, STRONG, BOLD = "SourceSans", "SourceSans-Semibold", "SourceSans-Bold"
_FILES = {REGULAR: "Regular", STRONG: "Semibold", BOLD: "Bold"}

INK = HexColor("#16212b")
QUIET = HexColor("#5c6b78")
LINE = HexColor("#c5ced6")
PANEL = HexColor("#f1f4f6")
ACCENT = HexColor("#1f5c70")

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 13 * mm
MOST_CHARACTERS = 600  # of one text: more would not be read, and is not measured

FINEST_BAR = 0.19 * mm  # a module of Code 128 that office scanners and 200 dpi still read

_MISSING = "\N{WHITE SQUARE}"


def register_fonts() -> None:
    """Make the embedded fonts known to reportlab, once."""
    known = set(pdfmetrics.getRegisteredFontNames())
    for name, style in _FILES.items():
        if name not in known:
            path = Path(__file__).parent / "fonts" / f"SourceSansPro-{style}.ttf"
            pdfmetrics.registerFont(TTFont(name, str(path)))


def open_page(buffer: io.BytesIO, *, title: str, subject: str) -> Canvas:
    """An A4 canvas that gives the same bytes for the same drawing, with no font that is not embedded."""
    register_fonts()
    canvas = Canvas(buffer, pagesize=A4, invariant=1, pageCompression=1, initialFontName=REGULAR, lang="en")
    canvas.setTitle(printable(title))
    canvas.setSubject(printable(subject))
    canvas.setAuthor("Weftline")
    canvas.setCreator("Weftline")
    return canvas


def printable(text: object) -> str:
    """`text` on one line with nothing but characters that stand on paper: no controls, no direction overrides.

    What the font has not is shown as an empty square, so that nobody takes it for something else.

    >>> printable("a\\tb\\x00c")
    'a b c'
    """
    register_fonts()
    glyphs = pdfmetrics.getFont(REGULAR).face.charToGlyph
    shown = []
    for character in unicodedata.normalize("NFC", str(text)[:MOST_CHARACTERS]):
        kind = unicodedata.category(character)
        if kind == "Cf":  # joiners and direction marks print nothing themselves
            continue
        if kind[0] in "CZ":
            shown.append(" ")
        else:
            shown.append(character if ord(character) in glyphs else _MISSING)
    return " ".join("".join(shown).split())


def width_of(text: str, font: str, size: float) -> float:
    """Width of `text` in points."""
    return float(pdfmetrics.stringWidth(text, font, size))


def fitted(text: object, font: str, size: float, width: float) -> str:
    """`text` made printable and cut with an ellipsis where it is wider than `width` points."""
    line = printable(text)
    if width_of(line, font, size) <= width:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(line[:middle].rstrip() + "…", font, size) <= width:
            low = middle
        else:
            high = middle - 1
    return line[:low].rstrip() + "…"


def text(
    canvas: Canvas,
    x: float,
    y: float,
    content: object,
    *,
    font: str = REGULAR,
    size: float = 9,
    width: float | None = None,
    colour: Color = INK,
    align: str = "left",
) -> None:
    """One line of text with its baseline at y; `align` left, right or centre of x."""
    line = printable(content) if width is None else fitted(content, font, size, width)
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    if align == "right":
        canvas.drawRightString(x, y, line)
    elif align == "centre":
        canvas.drawCentredString(x, y, line)
    else:
        canvas.drawString(x, y, line)


def label(canvas: Canvas, x: float, y: float, content: str, *, align: str = "left", width: float | None = None) -> None:
    """A small quiet heading of a value."""
    text(canvas, x, y, content, font=STRONG, size=6.8, colour=QUIET, align=align, width=width)


def heading(canvas: Canvas, x: float, y: float, content: str, width: float) -> None:
    """A section's heading with its rule; y is the rule."""
    text(canvas, x, y + 1.6 * mm, content, font=BOLD, size=9.5, colour=ACCENT)
    rule(canvas, x, y, width, colour=ACCENT, weight=0.8)


def rule(canvas: Canvas, x: float, y: float, width: float, *, colour: Color = LINE, weight: float = 0.4) -> None:
    """A horizontal line."""
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(weight)
    canvas.line(x, y, x + width, y)


def box(canvas: Canvas, x: float, y: float, width: float, height: float, *, fill: Color | None = None) -> None:
    """A rectangle with a fine line, y at its foot."""
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    if fill is not None:
        canvas.setFillColor(fill)
    canvas.rect(x, y, width, height, stroke=1, fill=int(fill is not None))


def facts(
    canvas: Canvas, x: float, y: float, width: float, rows: Sequence[tuple[str, str]], *, step: float, split: float
) -> float:
    """Rows of name and value, `split` points between their left edges; returns the y below the last."""
    for name, value in rows:
        text(canvas, x, y, name, size=8.2, colour=QUIET, width=split - 2)
        text(canvas, x + split, y, value, font=STRONG, size=8.8, width=width - split)
        y -= step
    return y


def code_128(canvas: Canvas, x: float, y: float, value: str, *, width: float, height: float) -> None:
    """A Code 128 barcode no wider than `width`, quiet zones inside; none where its bars would be too fine to scan."""
    probe = code128.Code128(value, barWidth=1, barHeight=height, quiet=True, lquiet=10, rquiet=10)
    bar = min(width / probe.width, 0.5 * mm)
    if bar < FINEST_BAR:
        return
    code = code128.Code128(value, barWidth=bar, barHeight=height, quiet=True, lquiet=10 * bar, rquiet=10 * bar)
    code.drawOn(canvas, x + width - code.width, y)


def qr_code(canvas: Canvas, x: float, y: float, value: str, *, size: float) -> None:
    """A QR code in a square of `size` points, quiet zone of four modules inside, error correction M."""
    code = QrCodeWidget(value, barLevel="M").qr
    code.make()
    count = code.getModuleCount()
    module = size / (count + 8)
    canvas.setFillColor(black)
    for row in range(count):
        column = 0
        while column < count:  # runs, so that no hair line shows between modules
            run = 0
            while column + run < count and code.isDark(row, column + run):
                run += 1
            if run:
                left, foot = x + (column + 4) * module, y + size - (row + 5) * module
                canvas.rect(left, foot, run * module, module, stroke=0, fill=1)
            column += run + 1
