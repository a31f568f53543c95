"""What a released job really took: recorded line by line, its costing issued again with plan, actual and variance."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.db import transaction

from production.documents.costing import costing_json, costing_pdf
from production.domain.costing import ActualUse, Costing
from production.errors import ActualsRefused
from production.files import sha256_of, write_bytes_whole
from production.models import ActualUse as UseRow
from production.models import CostSheet, JobTicket, OutputFile

FIELDS = ("code", "quantity", "rate", "what", "unit", "source")
MOST_LINES = 1000
MOST_DIGITS = 9  # before the decimal point of a quantity or rate
_MORE = "more fields than the head line"
_LENGTHS = {"code": 80, "what": 200, "unit": 32, "source": 300}


def uses_in(path: Path) -> list[ActualUse]:
    """What a file reports, by FIELDS: CSV with a head line, or a JSON list of objects; code and quantity at least.

    Raises ActualsRefused naming the row and the field.
    """
    try:
        if path.suffix.lower() == ".json":
            rows = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=str, parse_int=str)
        else:
            rows = _rows(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, csv.Error) as error:
        raise ActualsRefused(f"{path.name} can't be read: write CSV or JSON.", fields={"field": "file"}) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ActualsRefused(f"{path.name} is no list of lines.", fields={"field": "file"})
    return [use_of(row, number) for number, row in enumerate(rows, start=1)]


def _rows(text: str) -> list[dict[str, Any]]:
    """The lines of a CSV; with semicolons between its fields, as many spreadsheets write it, 14,5 is 14.5."""
    apart = ";" if ";" in text.partition("\n")[0] else ","
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=apart, restkey=_MORE))
    for number, row in enumerate(rows, start=1):
        if _MORE in row:
            raise ActualsRefused(
                f"Line {number} has more fields than the head line: write 14.5, or put semicolons between the fields.",
                fields={"field": "line", "measured": number},
            )
        if apart == ";":
            row.update({key: str(row[key]).replace(",", ".") for key in ("quantity", "rate") if row.get(key)})
    return rows


def use_of(row: Mapping[str, Any], number: int) -> ActualUse:
    """One reported line from its fields as text. Raises ActualsRefused."""
    if unknown := sorted(str(key) for key in set(row) - set(FIELDS)):
        raise ActualsRefused(
            f"Line {number} has the field {unknown[0][:40]!r}; known are {', '.join(FIELDS)}.",
            fields={"field": unknown[0][:40], "choices": list(FIELDS)},
        )
    texts = {key: str(row.get(key) or "").strip() for key in _LENGTHS}
    for key, most in _LENGTHS.items():
        if len(texts[key]) > most or (key == "code" and not texts[key]):
            raise ActualsRefused(
                f"Line {number}: give the {key} in 1 to {most} characters.",
                fields={"field": key, "measured": len(texts[key]), "limit": most},
            )
    rate = row.get("rate")
    return ActualUse(
        quantity=_number(row.get("quantity"), "quantity", number),
        rate=None if rate is None or str(rate).strip() == "" else _number(rate, "rate", number),
        **texts,
    )


@transaction.atomic
def record_actuals(ticket: JobTicket, uses: Iterable[ActualUse], *, at: datetime) -> Costing:
    """Record what `ticket` took and issue its costing again, PDF and JSON, beside its other files.

    What is reported twice counts as reported last. Raises ActualsRefused for a ticket without a costing, for nothing,
    for too much, for a percentage, and for something unplanned without rate; then nothing is recorded.
    """
    sheet = CostSheet.objects.select_for_update().select_related("ticket").filter(ticket=ticket).first()
    if sheet is None or not sheet.document:
        raise ActualsRefused(
            f"{ticket} has no costing that could be issued again. Release the line once more.",
            fields={"field": "ticket", "measured": str(ticket)},
        )
    new = list(uses)
    if not 1 <= len(new) <= MOST_LINES:
        raise ActualsRefused(
            f"{len(new)} lines were reported; between 1 and {MOST_LINES} can be recorded at once.",
            fields={"field": "lines", "measured": len(new), "limit": MOST_LINES},
        )
    kept = Costing.from_dict(sheet.document)
    _refuse_unfit(kept, new)
    merged = {use.code: use for use in (*kept.uses, *new)}
    issue = sheet.issue + 1
    costing = Costing(**{**vars(kept), "issue": issue, "issued_at": at.isoformat(), "uses": tuple(merged.values())})
    compared = costing.comparison
    assert compared is not None, "something was reported"
    UseRow.objects.bulk_create(UseRow(ticket=ticket, issue=issue, recorded_at=at, **vars(use)) for use in new)
    for path, kind, content in _files(ticket, issue, costing):
        write_bytes_whole(path, content)
        OutputFile.objects.update_or_create(
            ticket=ticket,
            path=str(path),
            defaults={"format": kind, "sha256": sha256_of(path), "size_bytes": len(content)},
        )
    sheet.issue, sheet.actual, sheet.document = issue, compared.actual, costing.as_dict()
    sheet.save(update_fields=["issue", "actual", "document"])
    return costing


def _refuse_unfit(costing: Costing, uses: Iterable[ActualUse]) -> None:
    planned = {line.code: line for line in costing.cost.lines}
    for use in uses:
        line = planned.get(use.code)
        if line is not None and line.pct is not None:
            raise ActualsRefused(
                f"{line.what} follows from the other lines and is not reported.", fields={"field": use.code}
            )
        # Something new has a name and a rate; a planned line under a wrong code would be counted twice.
        if line is None and (use.rate is None or not use.what):
            codes = sorted(code for code in planned if planned[code].pct is None)
            raise ActualsRefused(
                f"{use.code} was not planned: give its rate, and what it is. Planned are {', '.join(codes)}.",
                fields={"field": use.code, "choices": codes},
            )


def _files(ticket: JobTicket, issue: int, costing: Costing) -> list[tuple[Path, str, bytes]]:
    """Where the new issue is written: beside the first one, under a name of its own."""
    first = ticket.files.filter(format__in=("costing", "costing_json", "manifest")).order_by("pk").first()
    if first is None:
        return []
    folder = Path(first.path).parent
    stem = f"{ticket.manifest.get('name') or Path(first.path).name.rsplit('-', 1)[0]}-costing-{issue}"
    return [
        (folder / f"{stem}.pdf", "costing", costing_pdf(costing)),
        (folder / f"{stem}.json", "costing_json", costing_json(costing)),
    ]


def _number(value: object, field: str, number: int) -> Decimal:
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0 or found >= 10**MOST_DIGITS or found != round(found, 4):
        raise ActualsRefused(
            f"Line {number}: {field} is {str(value)[:40]!r}; give a number from 0 with four decimals at most.",
            fields={"field": field, "measured": str(value)[:40]},
        )
    return found
