"""Calling a method of a model in Odoo: what both transports have in common. Arguments go by name on both."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from inventory_sync.connectors.odoo_breaker import guarded
from inventory_sync.errors import ErpProtocol, ErpRejected
from inventory_sync.models import ErpConnection

T = TypeVar("T")

LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
# English, so that what Odoo refuses reads like the rest of the sentence; times are UTC on the wire whatever `tz` says.
CONTEXT: Final = {"lang": "en_US", "tz": "UTC"}
READINGS: Final = {"read", "search_read"}


class Rpc(ABC):
    """One shop's way to its Odoo. `calls` counts the round trips; `clock` says what time it is."""

    def __init__(
        self, connection: ErpConnection, secret: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.shop = connection.shop
        self.scope = f"{connection.shop}-{connection.scope}"
        self.url = checked_url(connection.url)
        self.database = connection.database
        self.login = connection.login
        self.secret = secret
        self.clock = clock
        self.calls = 0
        self.server_now = clock()  # by the server's own clock, when it answered last
        self.where = urlsplit(self.url).netloc

    def version(self) -> str:
        """The server's version, such as 19.0."""
        return self._guarded(self._version)

    def user_id(self) -> int:
        """Who we are there. Raises ErpRejected when user or key is not accepted."""
        return self._guarded(self._user_id)

    @abstractmethod
    def _version(self) -> str: ...

    @abstractmethod
    def _user_id(self) -> int: ...

    @abstractmethod
    def _send(self, model: str, method: str, ids: Sequence[int] | None, named: dict[str, Any], writes: bool) -> Any:
        """One round trip."""

    def call(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        *,
        writes: bool = False,
        context: dict[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """Call a method of a model, or of the records `ids`. `writes`: if the answer is lost, it may have been done.

        Raises ErpUnavailable, ErpAmbiguous, ErpConflict, ErpRejected, ErpProtocol and nothing else.
        """
        named["context"] = {**CONTEXT, **(context or {})}
        said = self._guarded(lambda: self._counted(model, method, ids, named, writes))
        if method in READINGS:
            self._check_rows(said, ids, named.get("fields", ()))
        return said

    def _guarded(self, ask: Callable[[], T]) -> T:
        return guarded(self.shop, ask, now=self.clock)

    def _counted(self, model: str, method: str, ids: Sequence[int] | None, named: dict[str, Any], writes: bool) -> Any:
        self.calls += 1
        return self._send(model, method, ids, named, writes)

    def _check_rows(self, said: Any, ids: Sequence[int] | None, fields: Sequence[str]) -> None:
        """Raises ErpProtocol for what can't be the answer to that question. JSON-2 numbers neither of them."""
        asked = {"id", *fields}
        if not isinstance(said, list) or not all(isinstance(row, dict) and asked <= row.keys() for row in said):
            raise ErpProtocol(f"{self.where} answers a reading with something that is no such rows.")
        if ids is not None and not {row["id"] for row in said} <= set(ids):
            raise ErpProtocol(f"{self.where} answers with records that were not asked for, so nothing was believed.")

    def heard(self, headers: Mapping[str, str]) -> None:
        """Note the server's time: cursors go by its clock, never by ours."""
        try:
            self.server_now = parsedate_to_datetime(headers["date"]).astimezone(UTC)
        except (KeyError, ValueError):
            self.server_now = self.clock()

    def read(self, model: str, domain: list[Any], fields: Sequence[str], **named: Any) -> list[dict[str, Any]]:
        """The records that the domain finds, with just these fields."""
        rows: list[dict[str, Any]] = self.call(model, "search_read", domain=domain, fields=list(fields), **named)
        return rows


def checked_url(url: str) -> str:
    """The address without a slash at its end. Raises ErpRejected for one that would send the key in clear."""
    try:
        parts = urlsplit(url.strip().rstrip("/"))
        bare = parts.hostname and not (parts.username or parts.password or parts.path or parts.query or parts.fragment)
        known = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # a port beyond 65535, half a pair of brackets
        bare = known = False
    if not bare or not known:
        told = url.rpartition("@")[2]  # a password may stand before it
        raise ErpRejected(
            f"{told!r} is no address of an Odoo: write it like https://erp.example.com, without a path or a user.",
            fields={"field": "url", "value": told},
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ErpRejected(
            f"{url} would send the key in clear over the network: use https.", fields={"field": "url", "value": url}
        )
    return parts.geturl()
