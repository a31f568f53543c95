"""What the documents share: paper, fonts, files inside, text that always fits, tables. Nothing here parses markup."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import pikepdf
from reportlab.graphics.barcode import code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.units import mm as _mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from production.documents import scripts

mm = float(_mm)  # in points

# Source Sans Pro, SIL Open Font Licence 1.1, beside this file with its licence.
REGULAR, STRONG, BOLD = "SourceSans", "SourceSans-Semibold", "SourceSans-Bold"
_FILES = {REGULAR: "Regular", STRONG: "Semibold", BOLD: "Bold"}
_WEIGHTS = {REGULAR: 400, STRONG: 600, BOLD: 600}  # of the fonts that stand in where these have no letter

INK = HexColor("#16212b")
QUIET = HexColor("#5c6b78")
LINE = HexColor("#c5ced6")
PANEL = HexColor("#f1f4f6")
ACCENT = HexColor("#1f5c70")

PAPERS = {"A4": A4, "Letter": LETTER}  # width and height in points
PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 13 * mm
MOST_CHARACTERS = 600  # of one text: more would not be read, and is not measured

FINEST_BAR = 0.19 * mm  # a module of Code 128 that office scanners and 200 dpi still read

_MISSING = "\N{WHITE SQUARE}"
_JOINERS = "\u200c\u200d"


class Page(Canvas):  # type: ignore[misc]  # reportlab tells no types
    """A canvas of one paper size that embeds the letters of every script, and files, when it is saved.

    The same drawing gives the same bytes, and no font stays outside.
    """

    def __init__(self, buffer: io.BytesIO, *, paper: str) -> None:
        super().__init__(
            buffer, pagesize=PAPERS[paper], invariant=1, pageCompression=1, initialFontName=REGULAR, lang="en"
        )
        self.width: float = PAPERS[paper][0]
        self.height: float = PAPERS[paper][1]
        self._buffer = buffer
        self._glyphs: dict[tuple[str, int], dict[int, str]] = {}
        self._attached: list[tuple[str, str, str, bytes, str]] = []

    @property
    def inner(self) -> float:
        """The width between the margins in points."""
        return self.width - 2 * MARGIN

    def attach(self, name: str, content: bytes, *, mime: str, relationship: str, description: str) -> None:
        """Put a file inside the document, as PDF/A-3 asks for it (ISO 19005-3, 6.8): "Data", "Source" and so on."""
        self._attached.append((name, mime, relationship, content, description))

    def draw_stretch(self, stretch: scripts.Stretch, x: float, y: float, font: str, size: float) -> float:
        """Draw letters of one font and direction with their left end at x; returns their width."""
        if stretch.family == scripts.HOUSE:
            self.setFont(font, size)
            self.drawString(x, y, stretch.text)
            return float(pdfmetrics.stringWidth(stretch.text, font, size))
        weight = _WEIGHTS[font]
        glyphs = scripts.shaped(stretch, weight)
        used = self._glyphs.setdefault((stretch.family, weight), {})
        for glyph in glyphs:
            if not used.get(glyph.number):
                used[glyph.number] = glyph.means
        name = _name_of(stretch.family, weight)
        self.addLiteral(scripts.literal(stretch, glyphs, font=name, size=size, x=x, y=y))
        return sum(glyph.advance for glyph in glyphs) * size / 1000

    def save(self) -> None:
        """Finish the document in its buffer."""
        super().save()
        with pikepdf.Pdf.open(io.BytesIO(self._buffer.getvalue())) as pdf:
            fonts = {
                _name_of(family, weight): scripts.embed(pdf, family, weight, glyphs)
                for (family, weight), glyphs in sorted(self._glyphs.items())
            }
            for page in pdf.pages:
                for name, font in fonts.items():
                    page.Resources.Font[f"/{name}"] = font
            self._put_files(pdf)
            self._buffer.seek(0)
            self._buffer.truncate()
            pdf.save(self._buffer, deterministic_id=True, compress_streams=True)

    def _put_files(self, pdf: pikepdf.Pdf) -> None:
        listed = pikepdf.Array()
        for name, mime, relationship, content, description in self._attached:
            spec = pikepdf.AttachedFileSpec(
                pdf,
                content,
                filename=name,
                mime_type=mime,
                description=description,
                creation_date="",  # no dates: the same job gives the same bytes
                mod_date="",
            )
            spec.relationship = pikepdf.Name(f"/{relationship}")
            pdf.attachments[name] = spec
            listed.append(spec.obj)
        if self._attached:
            pdf.Root.AF = listed


def _name_of(family: str, weight: int) -> str:
    return f"{family}{weight}"


def register_fonts() -> None:
    """Make the embedded fonts known to reportlab, once."""
    known = set(pdfmetrics.getRegisteredFontNames())
    for name, style in _FILES.items():
        if name not in known:
            path = Path(__file__).parent / "fonts" / f"SourceSansPro-{style}.ttf"
            pdfmetrics.registerFont(TTFont(name, str(path)))


def open_page(buffer: io.BytesIO, *, title: str, subject: str, paper: str = "A4") -> Page:
    """A page of `paper` (one of PAPERS) that gives the same bytes for the same drawing, every font embedded."""
    register_fonts()
    page = Page(buffer, paper=paper)
    page.setTitle(printable(title))
    page.setSubject(printable(subject))
    page.setAuthor("Weftline")
    page.setCreator("Weftline")
    return page


def printable(text: object) -> str:
    """`text` on one line with nothing but characters that stand on paper: no controls, no direction overrides.

    What no font has is shown as an empty square, so that nobody takes it for something else.

    >>> printable("a\\tb\\x00c")
    'a b c'
    """
    house = _house()
    line = unicodedata.normalize("NFC", str(text)[:MOST_CHARACTERS])
    shown: list[str] = []
    for character in line:
        kind = unicodedata.category(character)
        before = shown[-1] if shown else " "
        if character in _JOINERS and before not in (" ", _MISSING) and ord(before) not in house:
            shown.append(character)  # it changes how the letters beside it are written
        elif kind == "Cf":  # other joiners and direction marks print nothing themselves
            continue
        elif kind[0] in "CZ":
            shown.append(" ")
        else:
            shown.append(character if ord(character) in house or scripts.known(character) else _MISSING)
    return " ".join("".join(shown).split())


def _house() -> Mapping[int, int]:
    """What the house's own font has."""
    register_fonts()
    glyphs: Mapping[int, int] = pdfmetrics.getFont(REGULAR).face.charToGlyph
    return glyphs


def _stretches(line: str) -> tuple[scripts.Stretch, ...]:
    house = _house()
    if all(ord(character) in house for character in line):
        return (scripts.Stretch(line, scripts.HOUSE, backwards=False),)
    return scripts.stretches(line, house)


def width_of(text: str, font: str, size: float) -> float:
    """Width of `text`, as `printable` gives it, in points."""
    width = 0.0
    for stretch in _stretches(text):
        if stretch.family == scripts.HOUSE:
            width += float(pdfmetrics.stringWidth(stretch.text, font, size))
        else:
            width += sum(glyph.advance for glyph in scripts.shaped(stretch, _WEIGHTS[font])) * size / 1000
    return width


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


def lines_of(content: object, font: str, size: float, width: float, *, most: int) -> list[str]:
    """`content` as at most `most` lines no wider than `width` points, broken at spaces, the last one cut if need be."""
    lines: list[str] = []
    words = printable(content).split()
    while words and len(lines) < most - 1:
        taken = 1
        while taken < len(words) and width_of(" ".join(words[: taken + 1]), font, size) <= width:
            taken += 1
        lines.append(fitted(" ".join(words[:taken]), font, size, width))
        words = words[taken:]
    return [*lines, fitted(" ".join(words), font, size, width)] if words else lines


def text(
    canvas: Page,
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
    canvas.setFillColor(colour)
    if align != "left":
        x -= width_of(line, font, size) * (1.0 if align == "right" else 0.5)
    for stretch in _stretches(line):
        x += canvas.draw_stretch(stretch, x, y, font, size)


def label(canvas: Page, x: float, y: float, content: str, *, align: str = "left", width: float | None = None) -> None:
    """A small quiet heading of a value."""
    text(canvas, x, y, content, font=STRONG, size=6.8, colour=QUIET, align=align, width=width)


def heading(canvas: Page, x: float, y: float, content: str, width: float) -> None:
    """A section's heading with its rule; y is the rule."""
    text(canvas, x, y + 1.6 * mm, content, font=BOLD, size=9.5, colour=ACCENT)
    rule(canvas, x, y, width, colour=ACCENT, weight=0.8)


def rule(canvas: Page, x: float, y: float, width: float, *, colour: Color = LINE, weight: float = 0.4) -> None:
    """A horizontal line."""
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(weight)
    canvas.line(x, y, x + width, y)


def box(canvas: Page, x: float, y: float, width: float, height: float, *, fill: Color | None = None) -> None:
    """A rectangle with a fine line, y at its foot."""
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    if fill is not None:
        canvas.setFillColor(fill)
    canvas.rect(x, y, width, height, stroke=1, fill=int(fill is not None))


def facts(
    canvas: Page,
    x: float,
    y: float,
    width: float,
    rows: Sequence[tuple[str, str]],
    *,
    step: float,
    split: float,
    size: float = 8.8,
) -> float:
    """Rows of name and value, `split` points between their left edges; returns the y below the last."""
    for name, value in rows:
        text(canvas, x, y, name, size=size - 0.5, colour=QUIET, width=split - 2)
        text(canvas, x + split, y, value, font=STRONG, size=size, width=width - split)
        y -= step
    return y


def code_128(canvas: Page, x: float, y: float, value: str, *, width: float, height: float) -> None:
    """A Code 128 barcode no wider than `width`, quiet zones inside; none where its bars would be too fine to scan."""
    probe = code128.Code128(value, barWidth=1, barHeight=height, quiet=True, lquiet=10, rquiet=10)
    bar = min(width / probe.width, 0.5 * mm)
    if bar < FINEST_BAR:
        return
    code = code128.Code128(value, barWidth=bar, barHeight=height, quiet=True, lquiet=10 * bar, rquiet=10 * bar)
    code.drawOn(canvas, x + width - code.width, y)


def qr_code(canvas: Page, x: float, y: float, value: str, *, size: float) -> None:
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
