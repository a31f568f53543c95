"""What is known of one Odoo for a while: its version, who we are there, and the ids of what seldom changes.

A process asks for these once and keeps them for ten minutes, so that an order costs the calls that are its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from threading import local
from typing import Any, Final

from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors.odoo_rpc import Rpc
from inventory_sync.errors import ErpProtocol, ErpRejected

KEPT_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Product:
    """A material or a finished cloth of Odoo's."""

    id: int
    sku: str
    name: str
    unit: str  # ours; empty for one that is not known here
    unit_id: int
    unit_cost: Decimal
    by_lot: bool
    template: int


@dataclass(frozen=True)
class Centre:
    """A work centre's place in Odoo."""

    id: int
    code: str
    name: str


class Session:
    """One Odoo, as one user, seen from one shop."""

    def __init__(self, rpc: Rpc, company: str = "") -> None:
        self.rpc = rpc
        self.company_name = company
        self._products: dict[str, Product] = {}
        self.kept: dict[str, Any] = {}  # what a room of the connector asks for once

    @cached_property
    def names(self) -> mapping.Names:
        """What this version calls things."""
        return mapping.names_of(self.version)

    @cached_property
    def version(self) -> str:
        """Such as 19.0."""
        return self.rpc.version()

    @cached_property
    def user_id(self) -> int:
        """Who we are."""
        return self.rpc.user_id()

    @cached_property
    def company(self) -> dict[str, Any]:
        """The company that the shop is: the one named, or the user's own."""
        own = self.rpc.call("res.users", "read", [self.user_id], fields=["company_id", "company_ids"])[0]
        rows = self.rpc.read("res.company", [("id", "in", own["company_ids"])], ["name", "currency_id"])
        wanted = self.company_name or mapping.label(own["company_id"])
        for row in rows:
            if row["name"] == wanted:
                return row
        choices = ", ".join(row["name"] for row in rows)
        raise ErpRejected(
            f"The connection's user has no company {wanted!r} in Odoo; it has: {choices}.", fields={"company": wanted}
        )

    @property
    def context(self) -> dict[str, Any]:
        """Everything is done in the shop's own company."""
        return {"allowed_company_ids": [self.company["id"]]}

    def own(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """The records, which must be this company's. Raises ErpProtocol where one is another's."""
        if any(mapping.ident(row["company_id"]) not in {0, self.company["id"]} for row in rows):
            raise ErpProtocol("Odoo answers with a record of another company, so nothing was believed.")
        return rows

    @cached_property
    def units(self) -> dict[int, str]:
        """Odoo's id of a unit -> ours."""
        rows = self.rpc.read("uom.uom", [], ["name"])
        named = self.rpc.call("uom.uom", "get_external_id", [row["id"] for row in rows])
        known = set(mapping.UNITS.values())
        units = {}
        for row in rows:
            ours = mapping.UNITS.get(named.get(str(row["id"]), ""), row["name"].strip().lower())
            if ours in known:
                units[row["id"]] = ours
        return units

    def unit_id(self, unit: str) -> int | None:
        """Odoo's id of a unit of ours; None where it has none."""
        return next((id for id, ours in sorted(self.units.items()) if ours == unit), None)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where components come from and where they go: ids of `stock`, `production`, `company`."""
        types = self.rpc.read(
            "stock.picking.type",
            [("code", "=", "mrp_operation"), ("company_id", "=", self.company["id"])],
            ["default_location_src_id"],
            limit=1,
        )
        production = self.rpc.read(
            "stock.location",
            [("usage", "=", "production"), ("company_id", "in", [self.company["id"], False])],
            ["name"],
        )
        if not types or not production:
            raise ErpRejected("Odoo has no manufacturing operation type or no production location in this company.")
        return {
            "stock": mapping.ident(types[0]["default_location_src_id"]),
            "production": production[0]["id"],
            "company": self.company["id"],
        }

    @cached_property
    def centres(self) -> dict[str, Centre]:
        """Work centres by code; those without a code can't be named and are left out."""
        rows = self.rpc.read("mrp.workcenter", [("code", "!=", False)], ["code", "name"])
        return {row["code"]: Centre(row["id"], row["code"], row["name"]) for row in rows}

    def centre(self, code: str) -> Centre:
        """Raises ErpRejected for a code that Odoo doesn't have."""
        if code not in self.centres:
            raise ErpRejected(f"There is no work centre {code}.", fields={"work_centre": code})
        return self.centres[code]

    @cached_property
    def lead_days(self) -> dict[int, int]:
        """Product template -> days until its first supplier delivers."""
        rows = self.rpc.read(
            "product.supplierinfo", [], ["product_tmpl_id", "delay"], order="sequence, id", **self.bare
        )
        days: dict[int, int] = {}
        for row in rows:
            days.setdefault(mapping.ident(row["product_tmpl_id"]), int(row["delay"]))
        return days

    @property
    def bare(self) -> dict[str, Any]:
        """Ask for ids without display names, where that is possible: it takes a third of the time."""
        return {"load": ""} if self.names.keeps_bare_ids else {}

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Products by our sku, Odoo's internal reference, in the order asked. Raises ErpRejected for an unknown one."""
        wanted = list(dict.fromkeys(skus))
        if lacking := [sku for sku in wanted if sku not in self._products]:
            self._learn([("default_code", "in", lacking)])
        for sku in wanted:
            if sku not in self._products:
                raise ErpRejected(f"There is no product {sku}.", fields={"sku": sku})
        return {sku: self._products[sku] for sku in wanted}

    def all_materials(self) -> dict[str, Product]:
        """Every product that is kept in stock and has an internal reference."""
        field, value = self.names.storable
        return self._learn([("default_code", "!=", False), (field, "=", value)])

    def forget_products(self) -> None:
        """Ask again: a name, a price or a unit was changed."""
        self._products.clear()

    def _learn(self, domain: list[Any]) -> dict[str, Product]:
        fields = ["default_code", "name", "uom_id", "standard_price", "tracking", "product_tmpl_id"]
        named = {"context": self.context, **self.bare}
        found = {
            row["default_code"]: self._product(row) for row in self.rpc.read("product.product", domain, fields, **named)
        }
        self._products |= found
        return found

    def _product(self, row: Mapping[str, Any]) -> Product:
        unit_id = mapping.ident(row["uom_id"])
        return Product(
            id=row["id"],
            sku=row["default_code"],
            name=row["name"],
            unit=self.units.get(unit_id, ""),
            unit_id=unit_id,
            unit_cost=mapping.number(row["standard_price"]),
            by_lot=row["tracking"] != "none",
            template=mapping.ident(row["product_tmpl_id"]),
        )

    def problems(self) -> list[str]:
        """What this Odoo lacks or does not permit, in words that its administrator can act on."""
        found: list[str] = []
        for look in (self._missing_fields, self._missing_rights, self._missing_units, self._missing_entries):
            try:
                found += look()
            except (ErpRejected, ErpProtocol) as refusal:
                if not found:  # otherwise the right that it takes is among what was found
                    found.append(str(refusal))
        return found

    def _missing_fields(self) -> list[str]:
        found = []
        for model, fields in mapping.needed(self.names).items():
            try:
                there = self.rpc.call(model, "fields_get", allfields=list(fields), attributes=["type"])
            except (ErpRejected, ErpProtocol) as refusal:
                modules = {"mrp": "Manufacturing", "sale": "Sales"}
                module = modules.get(model.partition(".")[0], "Inventory")
                found.append(f"{model} can't be seen: is {module} installed, and may the user open it? {refusal}")
                continue
            if missing := [field for field in fields if field not in there]:
                found.append(
                    f"{model} has no field {', '.join(missing)} in this Odoo {self.version}: is a module not installed?"
                )
        return found

    def _missing_units(self) -> list[str]:
        found = []
        if missing := [unit for unit in ("m", "l", "kg") if self.unit_id(unit) is None]:
            found.append(f"There is no unit {', '.join(missing)}: switch units of measure on and add it.")
        return found + [
            f"{product.sku} is kept in a unit that is not known here: keep it in m, l, kg or pieces."
            for product in self.all_materials().values()
            if not product.unit
        ]

    def _missing_entries(self) -> list[str]:
        found = []
        if self.names.needs_email:
            me = self.rpc.call("res.users", "read", [self.user_id], fields=["email"])[0]
            if not me["email"]:
                found.append(
                    f"{self.rpc.login} has no e-mail address in Odoo: without one it logs no change. Give it one."
                )
        without = self.rpc.read("mrp.workcenter", [("code", "=", False)], ["name"])
        return found + [
            f"Work centre {row['name']} has no code: give it one, or it can't be planned." for row in without
        ]

    def _missing_rights(self) -> list[str]:
        """One sentence for each model that the user may not use as we must."""
        lacking = []
        for model, operations in mapping.RIGHTS.items():
            refused = [operation for operation in operations if not self._may(model, operation)]
            if refused:
                group = mapping.GROUPS.get(model, "Internal User")
                lacking.append(
                    f"{self.rpc.login} may not {' or '.join(refused)} {model}: give the user the group “{group}”."
                )
        return lacking

    def _may(self, model: str, operation: str) -> bool:
        try:
            if self.names.major >= 18:
                return bool(self.rpc.call(model, "has_access", [], operation=operation))
            return bool(self.rpc.call(model, "check_access_rights", operation=operation, raise_exception=False))
        except ErpRejected:
            return False


_kept = local()


def session_of(key: Sequence[Any], make: Callable[[], Session], *, now: datetime | None = None) -> Session:
    """This thread's session for `key`, at most ten minutes old. Threads share none: a transport is not for two."""
    at = now or datetime.now(UTC)
    sessions: dict[tuple[Any, ...], tuple[datetime, Session]] = _kept.__dict__.setdefault("sessions", {})
    kept = sessions.get(tuple(key))
    if kept is None or not timedelta(0) <= at - kept[0] < KEPT_FOR:
        kept = sessions[tuple(key)] = (at, make())
    return kept[1]


def forget_sessions() -> None:
    """Start anew: what was known of an Odoo may not be so any more."""
    _kept.__dict__.clear()
