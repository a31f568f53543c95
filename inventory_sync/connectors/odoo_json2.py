"""Odoo 19 and later over JSON-2, the interface that stays when /jsonrpc goes. See odoo_erp.py for what is said."""

import json
from collections.abc import Sequence
from typing import Any

from inventory_sync.connectors.odoo_erp import OdooErp
from inventory_sync.connectors.odoo_http import Answer, exchange, read_json, refused
from inventory_sync.connectors.odoo_rpc import Rpc
from inventory_sync.errors import ErpProtocol, ErpRejected


class Json2(Rpc):
    """POST /json/2/MODEL/METHOD with the key as bearer; every argument has its name, the answer is the bare value."""

    def _version(self) -> str:
        said = self._answered(self._ask("/json/version", None, writes=False), writes=False)
        if not isinstance(said, dict) or "version" not in said:
            raise ErpProtocol(f"{self.where} does not say which Odoo it is: JSON-2 needs Odoo 19 or later.")
        return str(said["version"])

    def _user_id(self) -> int:
        said = self._send("res.users", "context_get", None, {}, writes=False)
        if not isinstance(said, dict) or not isinstance(said.get("uid"), int):
            raise ErpProtocol(f"{self.where} does not say who we are there.")
        return int(said["uid"])

    def _send(self, model: str, method: str, ids: Sequence[int] | None, named: dict[str, Any], writes: bool) -> Any:
        body = named if ids is None else {"ids": list(ids), **named}
        return self._answered(self._ask(f"/json/2/{model}/{method}", body, writes=writes), writes=writes)

    def _ask(self, path: str, body: dict[str, Any] | None, *, writes: bool) -> Answer:
        headers = {
            "Authorization": f"bearer {self.secret}",
            "X-Odoo-Database": self.database,
            "Content-Type": "application/json",
        }
        sent = None if body is None else json.dumps(body).encode()
        answer = exchange(self.url + path, sent, headers, writes=writes)
        self.heard(answer.headers)
        return answer

    def _answered(self, answer: Answer, *, writes: bool) -> Any:
        if answer.status == 401:
            raise ErpRejected(
                f"Odoo does not accept this key on {self.database}: enter a new key.",
                fields={"field": "key", "database": self.database},
            )
        said = read_json(answer, self.where, writes=writes)
        if answer.status == 200:
            return said
        if not isinstance(said, dict) or not said.get("name"):
            raise ErpProtocol(f"{self.where} answers {answer.status}, and does not say why.")
        raise refused(str(said["name"]), str(said.get("message", "")))


class OdooJson2(OdooErp):
    """The Erp port on an Odoo 19 or later."""

    name = "odoo_json2"
    rpc_class = Json2
