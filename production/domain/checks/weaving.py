"""Can it be woven: the repeat on the harness, and the floats after the weaves were put together."""

from __future__ import annotations

from production.domain.finding import Finding, Severity
from production.domain.spec import LineSpec, Weaving
from production.domain.weave import Floats


def harness(spec: LineSpec, weaving: Weaving) -> Finding:
    """The repeat, with the copies its layout needs, divides the harness."""
    ends = spec.width_px * weaving.copies[0]
    fine = ends <= weaving.hooks and weaving.harness_ends % ends == 0
    return Finding(
        code="harness",
        severity=Severity.INFO if fine else Severity.ERROR,
        where="across the loom",
        measured=f"{ends} ends",
        limit=f"a part of {weaving.harness_ends} ends, at most {weaving.hooks} hooks",
        remedy="" if fine else "Choose one of the widths this loom can repeat.",
        sentence=f"The loom's harness holds {weaving.harness_ends // ends} of this repeat."
        if fine
        else "The loom can't repeat a design of this width.",
    )


def floats(face: Floats, back: Floats, *, most: int, repaired: int) -> Finding:
    """No thread lies loose over more than `most` others on either face, after `repaired` binding points were put in."""
    longest = max(face.longest, back.longest)
    over = face.over + back.over
    fine = over == 0
    return Finding(
        code="floats",
        severity=Severity.INFO if fine else Severity.ERROR,
        where="the face" if face.longest >= back.longest else "the back",
        measured=f"{longest} threads",
        limit=f"{most} threads",
        remedy="" if fine else "Draw broader shapes, so that fewer weaves meet.",
        sentence=f"The longest loose thread passes over {longest} others"
        + (f"; {repaired} binding points were added." if repaired else ".")
        if fine
        else f"{over} threads would lie loose over more than {most} others and catch.",
    )
