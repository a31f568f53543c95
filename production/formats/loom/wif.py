"""WIF 1.1 for shaft looms: a lift plan as threading and dobby lifts, where it takes no more shafts than a dobby has.

Lines end with CR LF, no spaces stand around `=`, yes and no are `true` and `false`, and `Date` is that of the format's
description, as its readers expect.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from production.domain.floats import Lift
from production.domain.spec import Yarn

MOST_SHAFTS = 32  # of a dobby

_Ints = NDArray[np.int64]


def shafts_of(lift: Lift) -> tuple[_Ints, Lift] | None:
    """(threading, lifts) of a lift plan, or None where it takes more than 32 shafts.

    threading: (ends,) the shaft of each end from 0, in the order they first occur; lifts: (picks, shafts) bool, True
    where the shaft is raised.
    """
    columns = np.ascontiguousarray(np.packbits(lift, axis=0).T)
    as_one = columns.view(np.dtype((np.void, columns.shape[1]))).ravel()
    _, first, which = np.unique(as_one, return_index=True, return_inverse=True)
    if len(first) > MOST_SHAFTS:
        return None
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[which.ravel()], lift[:, first[order]]


def wif_bytes(
    lift: Lift, *, title: str, warp: Yarn, wefts: Sequence[Yarn], ends_per_cm: float, picks_per_cm: float
) -> bytes | None:
    """The draft as WIF, or None where it takes more than 32 shafts or has a pick that raises none.

    lift: (picks, ends); where there are two wefts their picks take turns. Ends and picks are counted from 1.
    """
    found = shafts_of(lift)
    if found is None or not lift.any(axis=1).all():
        return None
    threading, lifts = found
    picks, ends = lift.shape
    colours = [warp.colour, *(weft.colour for weft in wefts)]
    two = len(wefts) > 1
    lines = [
        "[WIF]",
        "Version=1.1",
        "Date=April 20, 1997",
        "Developers=wif@mhsoft.com",
        "Source Program=Weftline",
        "Source Version=1",
        "[CONTENTS]",
        *(f"{name}=true" for name in ("COLOR PALETTE", "TEXT", "WEAVING", "WARP", "WEFT", "COLOR TABLE")),
        *(f"{name}=true" for name in ("THREADING", "LIFTPLAN", *(("WEFT COLORS",) if two else ()))),
        "[COLOR PALETTE]",
        "Form=RGB",
        f"Entries={len(colours)}",
        "Range=0,255",
        "[TEXT]",
        f"Title={_line(title)}",
        "[WEAVING]",
        "Rising Shed=true",
        "Treadles=0",
        f"Shafts={lifts.shape[1]}",
        "[WARP]",
        *_threads(ends, 1, ends_per_cm),
        "[WEFT]",
        *_threads(picks, 2, picks_per_cm * len(wefts)),
        "[COLOR TABLE]",
        *(f"{n}={int(c[1:3], 16)},{int(c[3:5], 16)},{int(c[5:7], 16)}" for n, c in enumerate(colours, 1)),
        "[THREADING]",
        *(f"{end}={shaft + 1}" for end, shaft in enumerate(threading.tolist(), 1)),
        "[LIFTPLAN]",
        *(f"{n}={','.join(map(str, (np.flatnonzero(row) + 1).tolist()))}" for n, row in enumerate(lifts, 1)),
    ]
    if two:
        lines += ["[WEFT COLORS]", *(f"{pick + 1}={pick % len(wefts) + 2}" for pick in range(picks))]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def _threads(count: int, colour: int, per_cm: float) -> list[str]:
    return [f"Threads={count}", f"Color={colour}", "Units=Centimeters", f"Spacing={1 / per_cm:.6f}"]


def _line(text: str) -> str:
    """`text` on one line of an INI file."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:80]
