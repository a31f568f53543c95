"""A server that says it is an Odoo and falls ill: what a network, a proxy or a broken Odoo makes of an answer.

Its first `well` answers are those of a healthy Odoo, over /jsonrpc and over JSON-2; every later one is the illness's.
"""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = {"server_version": "19.0", "version": "19.0"}
USER = 7
# The one record that it has, of whatever model; its other fields are empty.
ROW = {"id": 1, "name": "WL-000001", "state": "draft", "company_id": [1, "My Company"]}


@dataclass(frozen=True)
class Request:
    """What was asked."""

    path: str
    body: dict[str, Any]

    @property
    def method(self) -> str:
        """The method of a model; empty for anything else."""
        if self.path.startswith("/json/2/"):
            return self.path.rpartition("/")[2]
        return next(iter(self._arguments[4:5]), "")

    @property
    def named(self) -> dict[str, Any]:
        """The method's arguments by name."""
        return self.body if self.path.startswith("/json/2/") else next(iter(self._arguments[6:7]), {})

    @property
    def _arguments(self) -> list[Any]:
        return self.body.get("params", {}).get("args", [])

    @property
    def answer(self) -> Any:
        """What a healthy Odoo says."""
        if self.method in {"read", "search_read"}:
            return [{**dict.fromkeys(self.named["fields"], False), **ROW}]
        if self.method == "check_object_reference":
            return ["sale.order", ROW["id"]]
        if self.method == "context_get":
            return {"lang": "en_US", "uid": USER}
        if self.method:
            return True
        return USER if self.body.get("params", {}).get("method") == "login" else VERSION

    def told(self, said: Any, **changes: Any) -> bytes:
        """A value as the answer to this, in the way it was asked."""
        if self.path.startswith("/json/"):
            return json.dumps(said).encode()
        return json.dumps({"jsonrpc": "2.0", "id": self.body.get("id"), "result": said, **changes}).encode()


def http(body: bytes, *, status: str = "200 OK", kind: str = "application/json", length: int | None = None) -> bytes:
    """A whole answer; `length`: what it says of itself, whatever comes."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n".encode() + body


Ill = Callable[[socket.socket, Request], None]


@dataclass
class SickServer:
    """Listens on a port of its own from the start of the block to its end."""

    ill: Ill
    well: int = 0
    certificate: tuple[Path, Path] | None = None  # its file and its key's: it speaks TLS
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> "SickServer":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._over.set()
        for thread in self._threads:
            thread.join(10)

    def hang_up(self) -> None:
        """Listen no longer: from now on a connection is refused."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        self._socket.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def wait(self, seconds: float) -> bool:
        """Wait, unless the block has ended; True when it has."""
        return self._over.wait(seconds)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.certificate)
                connection = context.wrap_socket(connection, server_side=True)
            request = _read(connection)
            if request is None:
                return
            self.requests.append(request)
            if len(self.requests) <= self.well:
                connection.sendall(http(request.told(request.answer)))
            else:
                self.ill(connection, request)
        except OSError:
            return  # who asked has gone, or does not trust us
        finally:
            connection.close()


def _read(connection: socket.socket) -> Request | None:
    with connection.makefile("rb") as stream:
        first = stream.readline().split()
        if len(first) < 2:
            return None
        length = 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return Request(first[1].decode(), json.loads(stream.read(length) or b"{}"))


# ------------------------------------------------------------------------------------------------ illnesses


def reset(connection: socket.socket, request: Request) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closed(connection: socket.socket, request: Request) -> None:
    """Nothing is said, and the connection ends."""


def silent(connection: socket.socket, request: Request) -> None:
    connection.settimeout(20)
    connection.recv(1)  # until who asked gives up


def sends(make: Callable[[Request], bytes]) -> Ill:
    """An illness that is all in what is sent."""

    def ill(connection: socket.socket, request: Request) -> None:
        connection.sendall(make(request))

    return ill


def trickles(*, every_s: float, headers: bool = True) -> Ill:
    """A good answer, a byte at a time: from its first on, or from the first of its body."""

    def ill(connection: socket.socket, request: Request) -> None:
        whole = http(b" " * 20 + request.told(request.answer))
        sound = 0 if headers else whole.index(b"\r\n\r\n") + 4
        connection.sendall(whole[:sound])
        for byte in whole[sound:]:
            connection.sendall(bytes([byte]))
            time.sleep(every_s)

    return ill


def healthy(request: Request) -> bytes:
    return http(request.told(request.answer))


def cut(by: int) -> Callable[[Request], bytes]:
    """The last bytes of the body never come."""
    return lambda request: healthy(request)[:-by]


def page(status: str) -> Callable[[Request], bytes]:
    body = b"<html><body><h1>Sorry</h1></body></html>"
    return lambda request: http(body, status=status, kind="text/html")


def failing(error: Any, *, status: str = "500 Internal Server Error") -> Callable[[Request], bytes]:
    """An error as either transport says it, with no more of it than this."""

    def make(request: Request) -> bytes:
        if request.path.startswith("/json/"):
            return http(json.dumps(error).encode(), status=status)
        return http(json.dumps({"jsonrpc": "2.0", "id": request.body.get("id"), "error": error}).encode())

    return make
