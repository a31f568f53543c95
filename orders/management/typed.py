"""What people type after a command, read into values; what can't be read is refused by the option's name."""

import math
from pathlib import Path
from typing import Any

from generation.domain.pattern import Layout, Repeat
from orders.errors import InvalidOrder

LONGEST_NUMBER = 20  # characters; longer ones are not even read


def size(option: str, text: str) -> Repeat:
    """Return a size in mm, written width x height, as a straight repeat."""
    sides = text.lower().replace("×", "x").split("x")
    try:
        width_mm, height_mm = (float(side) for side in sides)
    except ValueError:
        raise refused(option, text, f"{text!r} is no size: write width x height, such as 320x320.") from None
    if not all(math.isfinite(side) and side > 0 for side in (width_mm, height_mm)):
        raise refused(option, text, f"A repeat of {text} mm can't be made: both sides are longer than nothing.")
    return Repeat(width_mm, height_mm)


def layout(option: str, text: str) -> Layout:
    """Return the layout of that name."""
    if text not in set(Layout):
        raise refused(option, text, f"There is no layout {text!r}; choose one of {', '.join(Layout)}.")
    return Layout(text)


def number(option: str, text: str) -> float:
    """Return a number; what is not finite is for the reader's own checks."""
    try:
        return float(text)
    except ValueError:
        raise refused(option, text, f"{text!r} is no number: write it like 0.5.") from None


def whole(option: str, text: str) -> int:
    """Return a whole number."""
    if len(text) > LONGEST_NUMBER:
        raise refused(option, text[:40], f"A number of {len(text)} digits can't be used: write a smaller one.")
    try:
        return int(text)
    except ValueError:
        raise refused(option, text[:40], f"{text[:40]!r} can't be used: write a whole number.") from None


def line(option: str, text: str, most: int) -> str:
    """Return one line of words, at most `most` letters long: what tickets, marks and file systems can all hold."""
    if not text.isprintable():
        raise refused(option, printable(text), f"--{option} holds signs that can't be printed: leave them out.")
    if len(text) > most:
        raise refused(option, text[:most], f"--{option} has {len(text)} letters; write at most {most}.")
    return text


def printable(text: str) -> str:
    """Return the text with a - for each sign that can't be printed, such as the bytes of an ill-named file."""
    return "".join(each if each.isprintable() else "-" for each in text)


def folder(option: str, name: str) -> Path:
    """Return a folder that can be written to, made where it is not there."""
    if not name.strip():
        raise refused(option, name, f"Say where the files shall go: --{option} DIR, or --{option} . for this folder.")
    there = Path(name).absolute()
    try:
        there.mkdir(parents=True, exist_ok=True)
        (there / ".weftline").touch()
        (there / ".weftline").unlink()
    except (OSError, ValueError) as error:
        raise unwritable(option, there, error) from error
    return there


def unwritable(option: str, there: Path, error: Exception) -> InvalidOrder:
    """Return the refusal of a folder that can't be written to."""
    why = getattr(error, "strerror", None) or str(error)
    return refused(option, str(there), f"Nothing can be written to {there}: {why}. Choose another folder.")


def refused(option: str, value: Any, sentence: str) -> InvalidOrder:
    """Return the refusal of what was typed after an option."""
    return InvalidOrder(sentence, fields={"field": option, "value": value})
