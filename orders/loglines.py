"""What log lines leave out: the key in the address of a customer's link, which opens the line to whoever reads it."""

import logging
import re
from collections.abc import Callable
from typing import Any

_KEY = re.compile(r"(/c/)[^/\s'\"]+")


def without_keys() -> Callable[[logging.LogRecord], bool]:
    """Return a filter for a handler that takes the keys of customers' links out of every line."""
    return _leave_out


def _leave_out(record: logging.LogRecord) -> bool:
    record.msg = _clean(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(map(_clean, record.args))
    return True


def _clean(said: Any) -> Any:
    """Text without keys; what is no text as it is.

    >>> _clean("Conflict: /c/dGhlIGtleQ.c2lnbmVk/approve/")
    'Conflict: /c/…/approve/'
    """
    return _KEY.sub(r"\1…", said) if isinstance(said, str) else said
