"""An inspector that sees what it is told: for tests of what follows from an inspection."""

from dataclasses import replace

from production.inspection.outcome import Colour, Defect, Inspected, Reason, Registration, Scanned


class QuickInspector:
    """Says of any scan what `sees` is; an exception is raised."""

    fingerprint = "quick"
    sees = None
    shows = ()  # strips of its cloth

    def inspect(self, raster, ticket, scans, *, rule, threshold, on_progress, on_strip):
        on_progress("defects", 1, 2)
        if isinstance(self.sees, Exception):
            raise self.sees
        for strip in self.shows:
            on_strip(strip)
        length_mm = self.sees.length_mm / len(scans)
        shown = tuple(
            Scanned(each.name, each.sha256, 100.0, number * length_mm, (number + 1) * length_mm)
            for number, each in enumerate(scans)
        )
        return replace(self.sees, job=ticket.reference, revision=ticket.revision, scans=shown)


def cloth(*defects, length_m=6.0, de00=0.6, size_pct=(0.1, 0.1), **changes):
    """A cloth as it is seen; a defect is (kind, x mm, y mm, width mm, height mm)."""
    values = {
        "job": "", "revision": 1, "trusted": True, "reason": None, "scans": (), "width_mm": 1400.0,
        "length_mm": 1000.0 * length_m, "area_m2": 1.4 * length_m,
        "registration": Registration(0.1, 0.2, *size_pct, 0.3, 1.0, 1.5, 0.95),
        "colours": (Colour("#203040", (20.0, 0.0, -10.0), (20.5, 0.2, -9.8), de00, 0.8 * de00, 0.6),),
        "defects": tuple(
            Defect(number, kind, 0.9, 5.0, *place, place[2] * place[3])
            for number, (kind, *place) in enumerate(defects, start=1)
        ),
        "synthetic": True, **changes,
    }  # fmt: skip
    return Inspected(**values)


def refused(code="no_marks", sentence="No marks were found: scan the cloth with its edges."):
    """A scan that can't be inspected."""
    return Inspected("", 1, False, Reason(code, sentence), (), 0.0, 0.0, 0.0, synthetic=True)
