"""Words as dots, for what is printed on the cloth itself."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_FONT = Path(__file__).parent / "documents" / "fonts" / "SourceSansPro-Semibold.ttf"


def dots_of(words: str, height_px: int) -> NDArray[np.bool_]:
    """(height, width) bool: `words` in one line, `height_px` high from the top of an accent to the foot of a g.

    What is no letter, sign or space, such as a line break, stands as a space.
    """
    words = "".join(each if each.isprintable() else " " for each in words)
    font = _font(max(6, round(height_px * 0.8)))
    left, _, right, _ = font.getbbox(words)
    if right <= left:
        return np.zeros((height_px, 0), bool)
    paper = Image.new("1", (int(right - left) + 1, height_px))
    ImageDraw.Draw(paper).text((-left, height_px * 0.78), words, font=font, fill=1, anchor="ls")
    return np.asarray(paper)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size)
