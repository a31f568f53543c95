"""What inspections find, made up: cloths of any length with any number of defects, and ones that can't be read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import numpy as np
from django.utils import timezone

from orders import floor, reporting
from production import inspections
from production.documents.inspection import Decided, InspectionSheet
from production.domain.grading import Decision, Grade, Rule, Seen, grade, propose
from production.inspection.flaws import KINDS, Kind
from production.inspection.outcome import Block, Channel, Colour, Defect, Inspected, Reason, Registration, Scanned
from production.inspection.pictures import Pictures, Strip
from production.models import Inspection
from tests.shop_floor import now, work_on

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
PX_PER_M = 400


def on_the_inspection_table(line, *, by):
    """The line with every operation reported as done but the inspection."""
    for each in floor.operations(now(line))[:-1]:
        for kind in ("start", "finish"):
            metres = now(line).making_m if kind == "finish" else None
            new = reporting.NewReport(
                once=uuid4(), run=now(line).run, operation=each.number, kind=kind, metres=metres, sure=True
            )
            reporting.report(line, new, by=by)
    return work_on(line)


def defects(count, *, length_mm, width_mm, seed=1):
    """So many defects of all kinds, spread over a cloth."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(1, count + 1):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        high, wide = (rng.uniform(1, 30), rng.uniform(1, 25))
        if kind is Kind.NOZZLE:
            high, wide = rng.uniform(60, 1800), 0.3
        elif kind in (Kind.BANDING, Kind.MISSING_PICK):
            high, wide = rng.uniform(0.5, 4), rng.uniform(100, 0.9 * width_mm)
        high, wide = min(high, length_mm / 2), min(wide, width_mm / 2)
        x, y = rng.uniform(0, width_mm - wide), rng.uniform(0, length_mm - high)
        found.append(Defect(number, kind, 0.8, 0.7, x, y, wide, high, wide * high * 0.7))
    return tuple(found)


def inspected(*, length_m=6.0, width_mm=1400.0, count=6, colours=4, synthetic=True, found=None, measured=True):
    """A trusted inspection."""
    length_mm = 1000 * length_m
    rng = np.random.default_rng(7)
    blocks = tuple(
        Block(x, y, float(rng.normal(0, 0.2)), float(rng.normal(0, 0.2)), float(rng.uniform(0.6, 1)))
        for y in np.arange(50, length_mm, 100.0)
        for x in np.arange(50, width_mm, 100.0)
    )
    seen = []
    for k in range(colours):
        asked = (30.0 + 60 * k / max(1, colours - 1), 20.0 - 9 * k % 41, -15.0 + 11 * k % 53)
        off = 0.4 + 0.9 * k
        seen.append(
            Colour(f"#{(k * 2654435 + 0x2B3A4A) % 0xFFFFFF:06x}", asked, (asked[0] - off, asked[1], asked[2] + off / 2),
                   off, off * 0.9, 0.9 / colours if k else 0.1)
        )  # fmt: skip
    pieces = max(1, round(length_m / 2))
    return Inspected(
        job="WL-000001-1", revision=1, trusted=True, reason=None,
        scans=tuple(
            Scanned(f"scan-{n + 1}.png", f"{n:064x}", 100.0, n * length_mm / pieces, (n + 1) * length_mm / pieces)
            for n in range(pieces)
        ),
        width_mm=width_mm, length_mm=length_mm, area_m2=length_m * width_mm / 1000,
        registration=Registration(0.14, 0.31, 0.21, -0.38, 0.4, 1.7, -3.2, 0.93, blocks),
        colours=tuple(seen) if measured else (),
        colours_unmeasured="" if measured else "There was no colour bar on the scan.",
        target_residual_de00=0.42 if measured else None,
        channels=(Channel("red", 12.0, -34.0), Channel("green", 0.0, 4.0), Channel("blue", -21.0, 9.0)),
        defects=defects(count, length_mm=length_mm, width_mm=width_mm) if found is None else found,
        synthetic=synthetic,
    )  # fmt: skip


BLURRED = "The scan is blurred: its edges are 4.2 px wide; at most 2.5 can be judged. Scan again, with the lid down."


def not_inspectable(sentence=BLURRED):
    """One that was refused."""
    return Inspected("WL-000001-1", 1, False, Reason("blurred", sentence), (), 1400.0, 0.0, 0.0)


def seen_of(found):
    """What is judged of it besides its defects."""
    at = found.registration
    return Seen(
        seen_m=found.length_mm / 1000,
        de00=[(each.colour, each.de00, each.share) for each in found.colours],
        size_pct=(at.size_error_across_pct, at.size_error_along_pct), bow_mm=at.bow_mm, skew_mm=at.skew_mm,
        unmeasured=found.colours_unmeasured,
    )  # fmt: skip


def strips(found, *, each_m=1.0, source=True):
    """Pictures of the whole length: stripes and dots, and the defects drawn on the scan."""
    made = []
    start = 0.0
    while start < found.length_mm - 1e-6:
        end = min(found.length_mm, start + 1000 * each_m)
        high, wide = round((end - start) * PX_PER_M / 1000), round(found.width_mm * PX_PER_M / 1000)
        y, x = np.mgrid[0:high, 0:wide]
        y = y + round(start * PX_PER_M / 1000)
        ground = np.where(((x // 24) % 2 == 0)[..., None], (43, 58, 74), (216, 196, 160))
        dots = ((x % 48 - 24) ** 2 + (y % 48 - 24) ** 2) < 90
        ground = np.where(dots[..., None], (158, 60, 48), ground).astype(np.uint8)
        scan = np.clip(ground * 0.94 + np.random.default_rng(3).normal(0, 5, ground.shape), 0, 255).astype(np.uint8)
        for each in found.defects:
            top, foot = (each.y_mm - start) * PX_PER_M / 1000, (each.y_mm + each.height_mm - start) * PX_PER_M / 1000
            left, right = each.x_mm * PX_PER_M / 1000, (each.x_mm + each.width_mm) * PX_PER_M / 1000
            part = np.s_[max(0, int(top)) : max(0, int(np.ceil(foot))), int(left) : int(np.ceil(right))]
            scan[part] = (250, 248, 240) if each.kind is Kind.HOLE else (scan[part] * 0.55).astype(np.uint8)
        made.append(Strip(start, end, 0.0, found.width_mm, scan, ground if source else None))
        start = end
    return tuple(made)


def close_ups(found, of):
    """Each defect with some cloth around it."""
    cut = {}
    for each in found.defects:
        strip = next(s for s in of if s.from_mm <= each.y_mm <= s.to_mm)
        side = round(max(40, min(120, 2 * max(each.width_mm, each.height_mm))) * PX_PER_M / 1000)
        y = int((each.y_mm + min(60, each.height_mm / 2) - strip.from_mm) * PX_PER_M / 1000)
        x = int((each.x_mm + each.width_mm / 2) * PX_PER_M / 1000)
        top, left = (
            max(0, min(y - side // 2, strip.scan.shape[0] - side)),
            max(0, min(x - side // 2, strip.scan.shape[1] - side)),
        )
        part = np.s_[top : top + side, left : left + side]
        mm = 1000 / PX_PER_M
        first, to = strip.from_mm + top * mm, strip.from_mm + (top + side) * mm
        cut[each.number] = Strip(
            first,
            to,
            left * mm,
            (left + side) * mm,
            strip.scan[part],
            None if strip.source is None else strip.source[part],
        )
    return cut


def graded(found, verdicts=None) -> Grade:
    """Its grade, without what a person overruled."""
    said = verdicts or {}
    left = [each for each in found.defects if each.number not in said or said[each.number].confirmed]
    return grade(left, width_mm=found.width_mm, length_mm=found.length_mm)


def sheet(found=None, *, quality="mid", pictures=True, decided=False, verdicts=None, **changes) -> InspectionSheet:
    """A report's values. What is not said is as usual."""
    found = inspected() if found is None else found
    rule = Rule.of(quality)
    said = verdicts or {}
    values = {
        "shop": "Weftline demo mill", "reference": "WL-000001-1", "revision": 1, "run": 1, "number": 1,
        "customer": "Atelier Nord", "article": "FAB-COT-SAT", "machine": "PRN-1", "ink_set": "REACTIVE-8",
        "ordered_m": Decimal(6), "by": "paul", "at": AT, "issued": AT, "tz": "Europe/Rome", "paper": "A4",
        "url": "https://mill.example/floor/WL-000001-1/inspection/", "found": found, "rule": rule, "verdicts": said,
    }  # fmt: skip
    if found.trusted:
        marks = graded(found, said)
        wanted = Decimal(str(round(found.length_mm / 1000, 2)))
        proposal = propose(marks, seen_of(found), rule, wanted_m=wanted)
        values |= {"grade": marks, "proposal": proposal}
        if pictures:
            values["strips"] = strips(found)
            values["close_ups"] = close_ups(found, values["strips"])
        if decided:
            values["decided"] = Decided(
                proposal.decision or Decision.PASS,
                proposal.good_m,
                proposal.scrap_m,
                proposal.reprint_m,
                "",
                "paul",
                AT,
            )
    return replace(InspectionSheet(**values), **changes)


def looked_at(line, found, *, quality="mid", pictures=True, **changes):
    """An inspection of a line as a worker leaves it behind: graded, with a proposal and pictures, not decided."""
    number = Inspection.objects.filter(shop=line.order.shop.slug, reference=line.reference).count() + 1
    found = replace(found, job=line.reference)
    values = inspections.judged(found, rule=Rule.of(quality), wanted_m=line.making_m)
    usual = {
        "shop": line.order.shop.slug, "reference": line.reference, "run": line.run, "revision": 1, "number": number,
        "once": uuid4(), "machine": "PRN-1", "ink_set": "REACTIVE-8", "article": line.substrate or line.weave,
        "by": "paul", "at": AT, "measured_at": AT,
        "scans": [{"name": each.name, "path": "", "sha256": each.sha256, "bytes": 1} for each in found.scans],
    }  # fmt: skip
    row = Inspection.objects.create(**{**usual, **values, **changes})
    if pictures and found.trusted:
        album = Pictures(inspections.folder_of(row) / inspections.PICTURES, about_mm2=found.area_m2 * 1e6)
        for strip in strips(found):
            album.take(strip)
        inspections.keep_file(row, inspections.PICTURES, album.finish(found.defects))
    return row


def measured_before(line, *, days, across=0.0, along=0.0):
    """An inspection of some days ago that was passed, with its point in the charts."""
    found = inspected(length_m=1, width_mm=300, count=0)
    rng = np.random.default_rng(days)
    off = replace(
        found.registration, size_error_across_pct=across + float(rng.normal(0, 0.03)),
        size_error_along_pct=along + float(rng.normal(0, 0.03)), blocks=(),
    )  # fmt: skip
    colours = tuple(
        replace(each, de00=0.6 + float(rng.uniform(0, 0.2)),
                seen_lab=tuple(value + float(rng.normal(0, 0.1)) for value in each.asked_lab))
        for each in found.colours
    )  # fmt: skip
    when = timezone.now() - timedelta(days=days)
    row = looked_at(
        line, replace(found, registration=off, colours=colours), pictures=False, at=when, measured_at=when,
        state="decided", decision="pass", good_m=1, scrap_m=0, reprint_m=0, decided_by="paul", decided_at=when,
    )  # fmt: skip
    return inspections.note_drift(row)
