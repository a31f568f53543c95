"""What each version of Odoo calls things, and how its values read."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.errors import ErpProtocol


@pytest.mark.parametrize("version", ["13.0", "8.0", "", "sixteen"])
def test_an_odoo_that_is_too_old_or_can_not_be_read_is_refused(version):
    with pytest.raises(ErpProtocol, match="14 or later"):
        mapping.names_of(version)


def test_every_version_names_the_fields_it_is_checked_for():
    for version in ("14.0", "15.0", "16.0", "17.0", "18.0", "19.0", "saas~19.1"):
        names = mapping.names_of(version)
        fields = mapping.needed(names)
        assert names.lot in fields
        assert {names.start, names.end} <= set(fields["mrp.workorder"]) & set(fields["mrp.production"])
        assert names.reserved in fields["stock.move.line"]
        assert all(len(set(each)) == len(each) for each in fields.values())


@pytest.mark.parametrize(
    ("note", "facts"),
    [
        ("kind=loom; hooks=5376; width_cm=170", {"kind": "loom", "hooks": "5376", "width_cm": "170"}),
        ("<p>Ask Marco.<br>kind=printer;inks=C,M,Y,K</p>", {"kind": "printer", "inks": "C,M,Y,K"}),
        ("<p>dpi = 600x1200 ;\n note=R&amp;D</p>", {"dpi": "600x1200", "note": "R&D"}),
        (False, {}),
        ("no facts here", {}),
    ],
)
def test_facts_are_read_out_of_an_internal_note(note, facts):
    assert mapping.facts(note) == facts


def test_times_are_utc_both_ways_and_to_the_second():
    paris = timezone(timedelta(hours=1))
    at = datetime(2026, 12, 1, 9, 30, 15, 999_999, tzinfo=paris)
    assert mapping.said(at) == "2026-12-01 08:30:15"
    assert mapping.moment(mapping.said(at)) == datetime(2026, 12, 1, 8, 30, 15, tzinfo=UTC)
    assert mapping.moment(False) is None


def test_quantities_lose_the_dust_of_floats_and_nothing_else():
    for exact in ("0", "0.01", "61.8", "12.9", "100", "12500", "0.000001"):
        assert mapping.number(float(exact)) == Decimal(exact)
    assert str(mapping.number(100.0)) == "100"


def test_a_shop_s_records_have_names_that_no_other_shop_s_have():
    names = {
        mapping.external_name(shop, external_id)
        for shop in ("a", "a_b", "a-b")
        for external_id in ("b:c", "b_c", "b.c", "c", "ä" * 150, "ä" * 151)
    }
    assert len(names) == 18
    assert all(len(name) < 128 and name.isascii() and "." not in name for name in names)


def test_a_lunch_break_is_no_shift_and_shifts_come_in_order():
    lines = [
        {"dayofweek": "0", "hour_from": 13.0, "hour_to": 17.0, "day_period": "afternoon"},
        {"dayofweek": "0", "hour_from": 12.0, "hour_to": 13.0, "day_period": "lunch"},
        {"dayofweek": "0", "hour_from": 8.0, "hour_to": 12.0, "day_period": "morning"},
    ]
    calendar = mapping.calendar_of("Europe/Paris", lines, [])
    assert calendar.shifts[0] == ((8.0, 12.0), (13.0, 17.0))
    assert calendar.shifts[1:] == ((),) * 6
