"""`make demo ERP=odoo`: the demo order on a real Odoo 19, and then what Odoo itself shows of it.

What is looked at afterwards is asked by the administrator over odoorpc, with none of the connector's code.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from tests.odoo_server import Server, server

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--erp", default="odoo", choices=("odoo", "odoo_json2"))
    wanted = parser.parse_args().erp
    console = Console(highlight=False, soft_wrap=True)
    with console.status("starting Odoo 19, which takes some minutes the first time"):
        odoo = server("19")
    console.print(f"[bold]Odoo[/]     {odoo.version} on {odoo.url}, database {odoo.database}, as user connector")
    env = {
        **os.environ,
        "ODOO_URL": odoo.url,
        "ODOO_DATABASE": odoo.database,
        "ODOO_LOGIN": "connector",
        "ODOO_API_KEY": odoo.connector_key,
    }
    done = subprocess.run([sys.executable, "manage.py", "demo", "--erp", wanted], cwd=ROOT, env=env)
    if done.returncode:
        sys.exit(done.returncode)
    folder = Path(os.environ.get("WEFTLINE_VAR", ROOT / "var")) / "demo"
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    table = Table(title=f"What Odoo {odoo.version} itself shows of {summary['order']}", title_justify="left")
    for head in ("", "asked of Odoo", "found"):
        table.add_column(head)
    ok = True
    for holds, what, found in seen(odoo, summary):
        ok = ok and holds
        table.add_row("[green]✓[/]" if holds else "[bold red]✗[/]", what, found)
    console.print(table)
    sys.exit(0 if ok else 1)


def seen(odoo: Server, summary: dict[str, Any]) -> list[tuple[bool, str, str]]:
    """(holds, what was asked, what Odoo says) for each thing that must stand there after the demo order."""
    line = summary["lines"][0]
    plan = line["plan"]
    said: list[tuple[bool, str, str]] = []

    def look(holds: Any, what: str, found: Any) -> None:
        said.append((bool(holds), what, str(found)))

    sales = odoo.rows(
        "sale.order", [("client_order_ref", "=", summary["order"])],
        ["name", "state", "commitment_date", "order_line", "mrp_production_ids", "partner_id"], order="id desc",
    )  # fmt: skip
    newest = sales[:1]  # an earlier demo's database may be gone, its records are still there
    look(len(newest) == 1, "one sale order", ", ".join(sale["name"] for sale in sales))
    if not newest:
        return said
    sale = newest[0]
    look(sale["state"] == "sale", "it is confirmed", sale["state"])
    promise = _second(plan["promise"])
    look(_utc(sale["commitment_date"]) == promise, "its delivery date is the promise", sale["commitment_date"])
    orders = odoo.rows(
        "mrp.production", [("id", "in", sale["mrp_production_ids"])],
        ["name", "state", "product_qty", "sale_order_count", "move_raw_ids", "workorder_ids", "bom_id"],
    )  # fmt: skip
    look(len(orders) == 1, "its button shows one manufacturing order", ", ".join(each["name"] for each in orders))
    order = orders[0]
    look(order["sale_order_count"] == 1, "whose button shows the sale", order["sale_order_count"])
    look(
        order["state"] == "confirmed" and not order["bom_id"], "confirmed, without a bill of materials", order["state"]
    )
    look(order["product_qty"] == line["quantity_m"], "over the metres ordered", f"{order['product_qty']} m")
    moves = odoo.rows(
        "stock.move", [("id", "in", order["move_raw_ids"])], ["product_id", "product_uom_qty", "product_uom", "state"]
    )
    lines = odoo.rows(
        "stock.move.line", [("move_id", "in", order["move_raw_ids"])], ["product_id", "lot_id", "quantity"]
    )
    rolls = {each["product_id"][1]: each["lot_id"][1] for each in lines if each["lot_id"]}
    for material in plan["materials"]:
        move = next((each for each in moves if f"[{material['sku']}]" in each["product_id"][1]), None)
        quantity = float(material["quantity"])
        if move is None:
            look(False, f"{material['sku']} is a component", "missing")
            continue
        unit = move["product_uom"][1]
        written = quantity * (1000 if (material["unit"], unit) in {("l", "ml"), ("kg", "g")} else 1)
        roll = rolls.get(move["product_id"][1], "")
        holds = abs(move["product_uom_qty"] - written) <= 0.01 and move["state"] == "assigned"
        holds = holds and (not material["lot"] or roll == material["lot"])
        what = f"{material['sku']}: {written:g} {unit}" + (f" of roll {material['lot']}" if material["lot"] else "")
        look(holds, what, f"{move['product_uom_qty']:g} {unit} {roll} {move['state']}".replace("  ", " "))
    works = odoo.rows(
        "mrp.workorder", [("id", "in", order["workorder_ids"])],
        ["name", "workcenter_id", "date_start", "date_finished", "json_popover"], order="id",
    )  # fmt: skip
    codes = {row["id"]: row for row in odoo.rows("mrp.workcenter", [], ["code", "resource_calendar_id"])}
    for slot, work in zip(plan["slots"], works, strict=True):
        start, end = _utc(work["date_start"]), _utc(work["date_finished"])
        centre = codes[work["workcenter_id"][0]]
        planned = (slot["work_centre"], _second(slot["start"]), _second(slot["end"]))
        holds = (centre["code"], start, end) == planned and _open(odoo, centre["resource_calendar_id"][0], start, end)
        look(
            holds,
            f"{slot['name']} on {slot['work_centre']}, within its shifts",
            f"{centre['code']} {start:%a %d %b %H:%M} to {end:%H:%M} UTC",
        )
    attached = odoo.rows(
        "ir.attachment", [("res_model", "=", "mrp.production"), ("res_id", "=", order["id"])],
        ["name", "checksum", "type", "url"],
    )  # fmt: skip
    files = {Path(file["path"]).name: Path(file["path"]) for file in line["files"]}
    for each in attached:
        if each["type"] == "url":
            look(each["name"] in files and each["url"], f"{each['name']} is a link", each["url"])
        else:
            sha1 = hashlib.sha1(files[each["name"]].read_bytes(), usedforsecurity=False).hexdigest()
            look(each["checksum"] == sha1, f"{each['name']} has the SHA-1 of our file", each["checksum"])
    kinds = {Path(each["name"]).stem.rpartition("-")[2] for each in attached if each["type"] == "binary"}
    look(
        {"ticket", "costing", "preview"} <= kinds, "ticket, costing and preview are attached", ", ".join(sorted(kinds))
    )
    notes = odoo.rows(
        "mail.message", [("model", "=", "mrp.production"), ("res_id", "=", order["id"]), ("body", "ilike", "released")],
        ["body"],
    )  # fmt: skip
    look(len(notes) == 1, "one digest in the chatter", len(notes))
    return said


def _open(odoo: Server, calendar: int, start: datetime, end: datetime) -> bool:
    """True when both ends lie in shifts of the calendar, by Odoo's own attendance lines."""
    tz = ZoneInfo(odoo.rows("resource.calendar", [("id", "=", calendar)], ["tz"])[0]["tz"])
    shifts = odoo.rows(
        "resource.calendar.attendance", [("calendar_id", "=", calendar)], ["dayofweek", "hour_from", "hour_to"]
    )

    def inside(at: datetime) -> bool:
        local = at.astimezone(tz)
        hour = local.hour + local.minute / 60 + local.second / 3600
        return any(
            int(shift["dayofweek"]) == local.weekday() and shift["hour_from"] <= hour <= shift["hour_to"]
            for shift in shifts
        )

    return inside(start) and inside(end - timedelta(seconds=1))


def _second(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
