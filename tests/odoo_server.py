"""Real Odoo servers for the tests: brought up by a script beside the project, filled with the demo factory.

Where there is no such script the tests say so and are left out; ODOO names the versions that are to be tested.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import odoorpc

SCRIPTS = Path(os.environ.get("ODOO_SCRIPTS", Path(__file__).resolve().parents[1].parent / "shared" / "odoo"))
PASSWORD = "connector"
VERSIONS = tuple(filter(None, os.environ.get("ODOO", "").replace(",", " ").split()))
FACTORY = json.loads((Path(__file__).resolve().parents[1] / "orders/demo/factory.json").read_text(encoding="utf-8"))
# What is in stock when nothing has been consumed: by roll, or by material where there are none.
SEEDED = {
    **{roll["lot"]: float(roll["quantity"]) for fabric in FACTORY["fabrics"] for roll in fabric["rolls"]},
    **{material["sku"]: float(material["on_hand"]) for material in FACTORY["materials"]},
}
LEFT_OUT = "needs a real Odoo: `make test-odoo` runs it"


@dataclass
class Server:
    """A running Odoo with the demo factory in it, and its administrator's way in."""

    version: str
    url: str
    port: int
    database: str
    admin_key: str
    admin: odoorpc.ODOO
    connector_key: str

    def ask(self, model: str, method: str, *args: Any, **named: Any) -> Any:
        """What the administrator is told: by other code than the connector's."""
        return self.admin.execute_kw(model, method, list(args), named)

    def rows(self, model: str, domain: list[Any], fields: list[str], **named: Any) -> list[dict[str, Any]]:
        return self.ask(model, "search_read", domain, fields=fields, **named)

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def tidy(self) -> None:
        """Take back what a contract test left in progress, and put back what it consumed.

        Others' orders are left alone: who tests in a mill of its own (odoo_world.py) may do so at this moment.
        """
        mine = self.ask("res.users", "search", [("login", "=", "connector")])
        left = self.ask(
            "mrp.production", "search",
            [("create_uid", "in", mine), ("origin", "=like", "WL-%"), ("state", "not in", ["done", "cancel"])],
        )  # fmt: skip
        if left:
            self.ask("mrp.production", "action_cancel", left)
        rows = self.rows(
            "stock.quant", [("location_id.usage", "=", "internal")], ["product_id", "lot_id", "quantity"], order="id"
        )
        heaps: dict[str, list[dict[str, Any]]] = {}  # who reserves at the same moment leaves a heap in two rows
        for row in rows:
            name = row["lot_id"][1] if row["lot_id"] else row["product_id"][1].partition("]")[0].strip("[")
            heaps.setdefault(name, []).append(row)
        for name in SEEDED.keys() & heaps.keys():
            first, *others = heaps[name]
            right = SEEDED[name] - sum(row["quantity"] for row in others)
            if abs(first["quantity"] - right) > 0.001:
                self.put(first["id"], right)
                free_the_rolls(self.admin)  # what comes in is given to whoever waits for it

    def put(self, quant: int, quantity: float) -> None:
        """Count a heap anew, as a person does it in the stock's count."""
        self.admin.execute_kw(
            "stock.quant", "write", [[quant], {"inventory_quantity": quantity}], {"context": {"inventory_mode": True}}
        )
        if self.major >= 15:
            self.ask("stock.quant", "action_apply_inventory", [quant])


@cache
def server(version: str) -> Server:
    """The server of that version, started if it is not running. Raises SystemExit with the script's own words."""
    if not (SCRIPTS / "start-odoo").exists():
        raise SystemExit(
            f"A real Odoo is started by {SCRIPTS / 'start-odoo'}, which is not here: name its folder in ODOO_SCRIPTS."
        )
    running = _script("status", version, check=False)
    if not running.get("running"):
        running = _script("start", version, "--reset")
    return filled(running, int(version))


def filled(running: dict[str, Any], major: int) -> Server:
    """The server that the script says is running, with the demo factory in it."""
    key = Path(running["api_key_file"]).read_text(encoding="ascii").strip()
    seeded = subprocess.run(
        [sys.executable, str(SCRIPTS / "seed_demo_factory.py"), "--port", str(running["port"]), "--db", running["db"],
         "--connector-password", PASSWORD],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(seeded.stdout)
    admin = odoorpc.ODOO("127.0.0.1", port=running["port"], timeout=300)
    admin.login(running["db"], "admin", key)
    _sell_in_euros(admin)
    connector = admin.execute_kw("res.users", "search", [[("login", "=", "connector")]], {})
    admin.execute_kw("res.users", "write", [connector, {"email": "connector@example.com"}], {})
    free_the_rolls(admin)
    return Server(
        version=running["server_version"],
        url=running["url"],
        port=running["port"],
        database=running["db"],
        admin_key=key,
        admin=admin,
        connector_key=_key_of_connector(running["url"], running["db"], major),
    )


def free_the_rolls(admin: odoorpc.ODOO) -> None:
    """The seeded orders keep their machines; what they take is free, as it is in the ledger's factory."""
    others = admin.execute_kw("mrp.production", "search", [[("origin", "=", "demo")]], {})
    admin.execute_kw("mrp.production", "do_unreserve", [others], {})


def main() -> None:
    """Start the versions that are named, with the demo factory in them."""
    for version in sys.argv[1:]:
        found = server(version)
        print(f"Odoo {found.version} answers on {found.url}, database {found.database}.")


def _script(verb: str, version: str, *options: str, check: bool = True) -> dict[str, Any]:
    said = subprocess.run(
        [str(SCRIPTS / "start-odoo"), verb, "--version", version, *options], capture_output=True, text=True
    )
    if said.returncode and check:
        raise SystemExit(f"Odoo {version} does not start:\n{said.stderr}")
    return json.loads(said.stdout) if said.stdout.strip() else {}


def _sell_in_euros(admin: odoorpc.ODOO) -> None:
    """The demo mill sells in euros; a new Odoo sells in dollars."""
    euro = admin.execute_kw("res.currency", "search", [[("name", "=", "EUR")]], {"context": {"active_test": False}})
    admin.execute_kw("res.currency", "write", [euro, {"active": True}], {})
    company = admin.execute_kw("res.company", "search_read", [[]], {"fields": ["currency_id"], "limit": 1})[0]
    if company["currency_id"][1] != "EUR":
        admin.execute_kw("res.company", "write", [[company["id"]], {"currency_id": euro[0]}], {})
    lists = admin.execute_kw("product.pricelist", "search", [[]], {})
    if lists:
        admin.execute_kw("product.pricelist", "write", [lists, {"currency_id": euro[0]}], {})


@cache
def _key_of_connector(url: str, database: str, version: int) -> str:
    """An API key of the connector's user, made the way a person makes one: in the preferences, password asked again."""
    import http.cookiejar
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def post(path: str, params: dict[str, Any]) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}).encode()
        request = urllib.request.Request(url + path, body, {"Content-Type": "application/json"})
        with opener.open(request, timeout=60) as answer:
            said = json.load(answer)
        assert "error" not in said, said["error"]
        return said["result"]

    def call(model: str, method: str, args: list[Any], **named: Any) -> Any:
        path = f"/web/dataset/call_kw/{model}/{method}"
        return post(path, {"model": model, "method": method, "args": args, "kwargs": named})

    post("/web/session/authenticate", {"db": database, "login": "connector", "password": PASSWORD})
    wish = {"name": "weftline tests"} | ({"duration": "1"} if version >= 17 else {})
    wizard = call("res.users.apikeys.description", "create", [wish])
    action = call("res.users.apikeys.description", "make_key", [[wizard]])
    if action.get("res_model") == "res.users.identitycheck":
        check = action["res_id"]
        if version < 17:
            call("res.users.identitycheck", "write", [[check], {"password": PASSWORD}])
            action = call("res.users.identitycheck", "run_check", [[check]])
        else:
            action = call("res.users.identitycheck", "run_check", [[check]], context={"password": PASSWORD})
    return str(action["context"]["default_key"])


if __name__ == "__main__":
    main()
