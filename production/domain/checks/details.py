"""Are the details large enough to stand on the cloth."""

from __future__ import annotations

from production.domain.edges import Edges
from production.domain.finding import Finding, Severity

# Share of the picture that may lie in thinner details: pointed tips of leaves always do.
WARN_SHARE, STOP_SHARE = 0.005, 0.02


def smallest_detail(edges: Edges, *, least_mm: float, pixel_mm: tuple[float, float]) -> Finding:
    """How much of the picture lies in stripes of one colour thinner than `least_mm`, across or down.

    pixel_mm: (width, height) of a pixel on the finished cloth. Runs that touch the edge of the picture go on in the
    next repeat and are not counted.
    """
    area = edges.across.lines * edges.across.length_px
    shares = []
    for changes, size_mm in ((edges.across, pixel_mm[0]), (edges.down, pixel_mm[1])):
        lengths = changes.run_lengths()
        shares.append(float(lengths[lengths * size_mm < least_mm - 1e-9].sum()) / area)
    share = max(shares)
    severity = Severity.ERROR if share > STOP_SHARE else Severity.WARNING if share > WARN_SHARE else Severity.INFO
    return Finding(
        code="smallest_detail",
        severity=severity,
        where="across the cloth" if shares[0] >= shares[1] else "along the cloth",
        measured=f"{share:.2%} of the area",
        limit=f"{STOP_SHARE:.0%} of the area in details under {least_mm:g} mm",
        remedy="" if severity is Severity.INFO else "Make the repeat larger, or draw the design with broader shapes.",
        sentence=f"Details are at least {least_mm:g} mm wide."
        if severity is Severity.INFO
        else f"Some details are thinner than {least_mm:g} mm and may not stand on this cloth.",
    )
