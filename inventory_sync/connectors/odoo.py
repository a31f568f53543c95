"""Odoo 14 to 19 over /jsonrpc, through odoorpc. See odoo_erp.py for what is said, this is how."""

import io
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import Request

import odoorpc
from odoorpc.error import RPCError

from inventory_sync.connectors.odoo_erp import OdooErp
from inventory_sync.connectors.odoo_http import exchange, read_json, refused
from inventory_sync.connectors.odoo_rpc import Rpc
from inventory_sync.errors import ErpProtocol, ErpRejected
from inventory_sync.models import ErpConnection

# What odoorpc fails with on an answer that is JSON-RPC and still none of Odoo's.
MISREAD: Final = (KeyError, TypeError, ValueError, AttributeError)

# At DEBUG level odoorpc writes the whole request with the key in it, whatever the level of the root logger.
for _name in ("odoorpc", "odoorpc.rpc", "odoorpc.rpc.jsonrpclib"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno > logging.DEBUG)


class JsonRpc(Rpc):
    """Odoo's JSON-RPC, with every answer held against its question."""

    def __init__(self, connection: ErpConnection, secret: str, **clock: Callable[[], datetime]) -> None:
        super().__init__(connection, secret, **clock)
        self._server: odoorpc.ODOO | None = None
        self._opener = _Opener(self)

    def _version(self) -> str:
        return str(self._odoo().version)

    def _user_id(self) -> int:
        return int(self._logged_in().env.uid)

    def _send(self, model: str, method: str, ids: Sequence[int] | None, named: dict[str, Any], writes: bool) -> Any:
        server = self._logged_in()
        self._opener.writes = writes
        try:
            return server.execute_kw(model, method, [] if ids is None else [list(ids)], named)
        except RPCError as error:
            raise _translated(error) from error
        finally:
            self._opener.writes = False

    def _odoo(self) -> odoorpc.ODOO:
        if self._server is None:
            parts = urlsplit(self.url)
            secure = parts.scheme == "https"
            host = parts.hostname or ""
            try:
                self._server = odoorpc.ODOO(
                    f"[{host}]" if ":" in host else host,
                    protocol="jsonrpc+ssl" if secure else "jsonrpc",
                    port=parts.port or (443 if secure else 80),
                    opener=self._opener,
                )
            except MISREAD as error:
                raise ErpProtocol(f"{self.where} does not say which Odoo it is.") from error
        return self._server

    def _logged_in(self) -> odoorpc.ODOO:
        server = self._odoo()
        if server._env is None:
            try:
                server.login(self.database, self.login, self.secret)
            except RPCError as error:
                if error.info:
                    raise _translated(error) from error
                raise ErpRejected(
                    f"Odoo does not accept {self.login} with this key on {self.database}: enter a new key.",
                    fields={"field": "key", "login": self.login, "database": self.database},
                ) from error
            except MISREAD as error:
                raise ErpProtocol(f"{self.where} does not say who we are there.") from error
            if not isinstance(server.env.uid, int):
                server.logout()  # forgets who we are, and tells nobody
                raise ErpProtocol(f"{self.where} does not say who we are there.")
        return server


class _Opener:
    """What odoorpc asks the network through: one exchange of ours, whose answer must carry the question's number."""

    def __init__(self, rpc: Rpc) -> None:
        self.where = rpc.where
        self.heard = rpc.heard
        self.writes = False

    def open(self, request: Request, timeout: float | None = None) -> io.BytesIO:
        sent = request.data
        assert isinstance(sent, bytes)
        answer = exchange(request.full_url, sent, {"Content-Type": "application/json"}, writes=self.writes)
        self.heard(answer.headers)
        said = read_json(answer, self.where, writes=self.writes)
        if not isinstance(said, dict) or said.get("jsonrpc") != "2.0":
            raise ErpProtocol(f"{self.where} answers {answer.status} with something that is no JSON-RPC.")
        if said.get("id") != json.loads(sent)["id"]:
            raise ErpProtocol(f"{self.where} answered another question than was asked, so nothing was believed.")
        if said.get("error") is not None and not _says_how(said["error"]):
            raise ErpProtocol(f"{self.where} says that it failed, and not how.")
        return io.BytesIO(answer.body)


def _says_how(failure: Any) -> bool:
    data = failure.get("data") if isinstance(failure, dict) else None
    return isinstance(data, dict) and isinstance(data.get("name"), str) and "message" in data


def _translated(error: RPCError) -> Exception:
    data = error.info["data"]
    return refused(data["name"], str(data["message"] or error))


class OdooJsonRpc(OdooErp):
    """The Erp port on an Odoo 14 to 19."""

    name = "odoo"
    rpc_class = JsonRpc
