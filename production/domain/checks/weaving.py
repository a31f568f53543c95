"""Can it be woven: the repeat on the harness, and the floats after the weaves were put together."""

from __future__ import annotations

from collections.abc import Sequence

from production.domain.finding import Finding, Severity
from production.domain.floats import FloatLimits, FloatReport
from production.domain.spec import LineSpec, Weaving


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


def floats(reports: Sequence[FloatReport], *, limits: FloatLimits, repaired: int) -> Finding:
    """No thread lies loose over more than `limits` on either face, after `repaired` binding points were put in.

    reports: per weft.
    """
    worst = max(reports, key=lambda report: (report.over, report.longest))
    over = sum(report.over for report in reports)
    longest = max(report.longest for report in reports)
    most = f"{limits.weft}" if limits.weft == limits.warp else f"{limits.weft} ends or {limits.warp} picks"
    face = max(worst.weft_face.longest, worst.warp_face.longest) == worst.longest
    return Finding(
        code="floats",
        severity=Severity.ERROR if over else Severity.INFO,
        where="the face" if face else "the back",
        measured=f"{longest} threads",
        limit=f"{most} threads" if limits.weft == limits.warp else most,
        remedy="Draw broader shapes, so that fewer weaves meet, or allow longer floats." if over else "",
        sentence=f"{over} threads would lie loose over more than {most} others and catch."
        if over
        else f"The longest loose thread passes over {longest} others"
        + (f"; {repaired} binding points were added." if repaired else "."),
    )
