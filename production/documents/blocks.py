"""A document that runs over several pages: blocks in the order in which they are read, broken by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from production.documents.page import MARGIN, QUIET, REGULAR, Page, heading, lines_of, mm, text

FOOT: Final = 16 * mm  # what every page keeps free for its footer
SIZE, LINE_HEIGHT = 8.8, 4.4 * mm

Draw = Callable[[Page, float], None]
Block = tuple[float, Draw]  # its height in points, and what draws it below y


def broken(blocks: Sequence[Block], *, first: float, others: float) -> list[list[Block]]:
    """The blocks by page; a heading is never left alone, because it is one block with what follows it.

    first, others: what stands below the head of the first page and of the others, in points, foot included.
    """
    pages: list[list[Block]] = [[]]
    left = first - FOOT
    for block in blocks:
        if block[0] > left and pages[-1]:
            pages.append([])
            left = others - FOOT
        pages[-1].append(block)
        left -= block[0]
    return pages


def rows(page: Page, title: str, named: Sequence[tuple[str, str]], *, split: float, most: int) -> list[Block]:
    """Rows of name and value; the heading stands with the first row.

    split: the width of the names in points. most: lines of one value.
    """
    blocks: list[Block] = []
    for number, (name, value) in enumerate(named):
        lines = lines_of(value, REGULAR, SIZE, page.inner - split, most=most)
        blocks.append(paragraph(title if number == 0 else "", name, lines, split, last=number == len(named) - 1))
    return blocks


def paragraph(title: str, name: str, lines: Sequence[str], split: float, *, last: bool) -> Block:
    """Lines beside their name, below a heading where there is one; after the last of several there is more room."""
    above = 9.5 * mm if title else 0.0
    height = above + LINE_HEIGHT * max(1, len(lines)) + (4 * mm if last else 0.4 * mm)

    def draw(page: Page, top: float) -> None:
        if title:
            heading(page, MARGIN, top - 3.5 * mm, title, page.inner)
        y = top - above
        text(page, MARGIN, y, name, size=8.4, colour=QUIET, width=split - 2 * mm)
        for line in lines:
            text(page, MARGIN + (split if name or split else 0), y, line, size=SIZE)
            y -= LINE_HEIGHT

    return height, draw
