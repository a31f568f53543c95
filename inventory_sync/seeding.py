"""Fill the ledger of one shop from a factory file such as orders/demo/factory.json. What is there stays as it is."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from inventory_sync.errors import ErpRejected
from inventory_sync.models import (
    LedgerBooking,
    LedgerCalendar,
    LedgerIncoming,
    LedgerLeave,
    LedgerLot,
    LedgerProduct,
    LedgerWorkCentre,
)

Row = Mapping[str, Any]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOMENT: Final = re.compile(r"(today|next monday) \+(\d{1,4}) ([01]\d|2[0-3]):([0-5]\d)")


def moment(text: str, today: date) -> datetime:
    """A moment of a factory file, in UTC, seen from `today`. Raises ErpRejected on anything else.

    >>> moment("next monday +1 06:00", date(2026, 11, 22))
    datetime.datetime(2026, 11, 24, 6, 0, tzinfo=datetime.timezone.utc)
    """
    match = _MOMENT.fullmatch(text)
    if not match:
        raise ErpRejected(
            f"{text!r} is no moment: write 'today +9 12:00' or 'next monday +0 07:30'.", fields={"moment": text}
        )
    start, days, hour, minute = match.groups()
    first = today if start == "today" else today + timedelta(days=7 - today.weekday())
    day = first + timedelta(days=int(days))
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=UTC)


def shifts(row: Row) -> list[list[list[float]]]:
    """Shifts by weekday, Monday first, from {"mon": ["06:00-14:00", …]}. Raises ErpRejected naming the calendar."""
    week: list[list[list[float]]] = []
    for weekday in WEEKDAYS:
        day = []
        for text in row["shifts"].get(weekday, []):
            hours = [int(h) + int(m) / 60 for h, m in re.findall(r"(\d\d):(\d\d)", text)]
            if len(hours) != 2 or not hours[0] < hours[1] <= 48:
                raise ErpRejected(
                    f"{text!r} is no shift of {row['code']}: write '06:00-14:00'.", fields={"calendar": row["code"]}
                )
            day.append(hours)
        week.append(day)
    return week


@transaction.atomic
def seed_ledger(shop: str, factory: Row, *, today: date) -> dict[str, int]:
    """Make what the shop's ledger lacks of the factory; returns how many rows were new, by section.

    Running it again makes nothing twice and changes nothing that was sold, held or edited since.
    Raises ErpRejected when a row names a supplier, calendar, work centre or fabric that the file doesn't have.
    """
    suppliers = {row["code"]: row for row in factory.get("suppliers", [])}
    made: dict[str, int] = {}

    def each(section: str, make: Callable[[Row], bool | int]) -> None:
        made[section] = sum(make(row) for row in factory.get(section, []))

    def product(row: Row, *, kind: str, by_lot: bool) -> tuple[LedgerProduct, bool]:
        supplier = _named(suppliers, row["supplier"], "supplier", row["sku"]) if row.get("supplier") else {}
        return LedgerProduct.objects.get_or_create(
            shop=shop,
            sku=row["sku"],
            defaults={
                "name": row["name"],
                "kind": kind,
                "unit": row["unit"],
                "unit_cost": _decimal(row.get("cost", 0)),
                "by_lot": by_lot,
                "supplier": supplier.get("name", ""),
                "supplier_lead_days": supplier.get("lead_days"),
                "supplier_min_quantity": _decimal(row.get("min_order", 0)),
            },
        )

    def fabric(row: Row) -> bool:
        fabric, new = product(row, kind="fabric", by_lot=True)
        if new:
            LedgerLot.objects.bulk_create(
                LedgerLot(product=fabric, lot=roll["lot"], on_hand=_decimal(roll["quantity"])) for roll in row["rolls"]
            )
            made["rolls"] = made.get("rolls", 0) + len(row["rolls"])
        return new

    def material(row: Row) -> bool:
        material, new = product(row, kind=row["kind"], by_lot=False)
        if new:
            LedgerLot.objects.create(product=material, lot="", on_hand=_decimal(row["on_hand"]))
        return new

    def finished(row: Row) -> bool:
        return product(row, kind="finished", by_lot=False)[1]

    def calendar(row: Row) -> bool:
        try:
            ZoneInfo(row["tz"])
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ErpRejected(
                f"Calendar {row['code']}: there is no time zone {row['tz']!r}.", fields={"tz": row["tz"]}
            ) from error
        values = {"name": row["name"], "tz": row["tz"], "shifts": shifts(row)}
        return LedgerCalendar.objects.get_or_create(shop=shop, code=row["code"], defaults=values)[1]

    def work_centre(row: Row) -> bool:
        values = {
            "name": row["name"],
            "kind": row["kind"],
            "calendar": _named(calendars, row["calendar"], "calendar", row["code"]),
            "cost_per_hour": _decimal(row["cost_per_hour"]),
            "setup_min": row["setup_min"],
            "cleanup_min": row["cleanup_min"],
            "alternatives": row["alternatives"],
            "attributes": row["attributes"],
        }
        return LedgerWorkCentre.objects.get_or_create(shop=shop, code=row["code"], defaults=values)[1]

    def leave(row: Row) -> bool:
        values = {
            "name": row["name"],
            "calendar": _named(calendars, row["calendar"], "calendar", row["code"]) if "calendar" in row else None,
            "work_centre": _named(centres, row["work_centre"], "work_centre", row["code"])
            if "work_centre" in row
            else None,
            "start": moment(row["start"], today),
            "end": moment(row["end"], today),
        }
        return LedgerLeave.objects.get_or_create(shop=shop, code=row["code"], defaults=values)[1]

    def incoming(row: Row) -> bool:
        products = {one.sku: one for one in LedgerProduct.objects.filter(shop=shop, sku=row["sku"])}
        values = {"quantity": _decimal(row["quantity"]), "due": moment(row["due"], today)}
        return LedgerIncoming.objects.get_or_create(
            product=_named(products, row["sku"], "sku", row["code"]), reference=row["code"], defaults=values
        )[1]

    def booking(row: Row) -> bool:
        centre = _named(centres, row["work_centre"], "work_centre", row["reference"])
        values = {"name": row["name"], "start": moment(row["start"], today), "end": moment(row["end"], today)}
        return LedgerBooking.objects.get_or_create(
            work_centre=centre, hold=None, reference=row["reference"], defaults=values
        )[1]

    each("fabrics", fabric)
    each("materials", material)
    each("finished", finished)
    each("calendars", calendar)
    calendars = {one.code: one for one in LedgerCalendar.objects.filter(shop=shop)}
    each("work_centres", work_centre)
    centres = {one.code: one for one in LedgerWorkCentre.objects.filter(shop=shop)}
    each("leaves", leave)
    each("incoming", incoming)
    each("bookings", booking)
    return made


def _named(rows: Mapping[str, Any], code: str, field: str, where: str) -> Any:
    if code not in rows:
        raise ErpRejected(f"{where} names the {field} {code!r}, which the factory doesn't have.", fields={field: code})
    return rows[code]


def _decimal(value: float | str) -> Decimal:
    return Decimal(str(value))
