"""One exchange with an Odoo server over HTTP, bounded in time and size, and what its failures mean.

Everything that can go wrong between us and an Odoo becomes one of the five ErpErrors here and nowhere else. The one
question that matters for a write is whether Odoo may have done it: nothing sent is ErpUnavailable, an answer that never
came is ErpAmbiguous.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from inventory_sync.errors import (
    ErpAmbiguous,
    ErpConflict,
    ErpError,
    ErpProtocol,
    ErpRejected,
    ErpUnavailable,
)

READ_TIMEOUT_S: Final = 30.0
WRITE_TIMEOUT_S: Final = 120.0
CONNECT_TIMEOUT_S: Final = 10.0
LARGEST_ANSWER: Final = 256 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


def exchange(
    url: str, body: bytes | None, headers: dict[str, str], *, writes: bool, timeout_s: float | None = None
) -> Answer:
    """Send one request and read its whole answer, both within the timeout. `writes`: doing it twice would matter.

    A request with a body is a POST, one without a GET.

    Raises ErpUnavailable where Odoo can't have done anything, ErpAmbiguous where a write may have been done, and
    ErpRejected for a key that can't be sent.
    """
    limit_s = timeout_s or (WRITE_TIMEOUT_S if writes else READ_TIMEOUT_S)
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise ErpRejected(
            "The key or the database's name has a character that no such name has: enter it again.",
            fields={"field": "key"},
        )
    started = time.monotonic()
    parts = urlsplit(url)
    where = parts.netloc
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=min(CONNECT_TIMEOUT_S, limit_s))
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        raise ErpUnavailable(f"{where} has no certificate that can be trusted: {error.verify_message}.") from error
    except (OSError, UnicodeError) as error:  # a host's name with a label of no or too many letters is a UnicodeError
        raise ErpUnavailable(f"{where} can't be reached: {_plainly(error)}.") from error
    sock = connection.sock
    left_s = max(limit_s - (time.monotonic() - started), 0.1)
    sock.settimeout(left_s)
    late = threading.Event()

    def give_up() -> None:
        late.set()
        # Wakes up whoever waits for the next byte: a timeout of the socket's own starts anew with every byte.
        _shut(sock)

    watch = threading.Timer(left_s, give_up)
    watch.daemon = True
    watch.start()
    try:
        connection.request("GET" if body is None else "POST", parts.path, body, {"Connection": "close", **headers})
        response = connection.getresponse()
        read = response.read(LARGEST_ANSWER + 1)
        if late.is_set():  # the end of the stream that it saw was ours
            raise TimeoutError
        if response.length and len(read) <= LARGEST_ANSWER:  # read(n) says nothing of a body that is cut
            raise http.client.IncompleteRead(read, response.length)
    except (OSError, http.client.HTTPException) as error:
        said = "did not answer in time" if late.is_set() or isinstance(error, TimeoutError) else _plainly(error)
        raise _lost(f"{where} {said}" if late.is_set() else f"{where}: {said}", writes=writes) from error
    finally:
        watch.cancel()
        connection.close()
    if len(read) > LARGEST_ANSWER:
        raise ErpProtocol(f"{where} answers with more than {LARGEST_ANSWER // 2**20} MB.")
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, read)


def _shut(sock: socket.socket) -> None:
    """Shut a socket down, unless it is closed already; a TLS socket too, from under whoever reads it."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return


def read_json(answer: Answer, where: str, *, writes: bool) -> Any:
    """The answer's JSON. Raises ErpUnavailable or ErpAmbiguous for a proxy's apology, ErpProtocol for anything else."""
    if answer.status > 500 and answer.status != 503:  # Odoo itself says 500 and no other of these
        raise _lost(f"{where}: the proxy before Odoo says {answer.status}", writes=writes)
    if answer.status in {429, 503}:
        raise ErpUnavailable(f"{where} is too busy ({answer.status}).")
    if answer.status == 413:
        raise ErpRejected(f"{where} takes no request of that size ({answer.status}): attach a link instead.")
    try:
        return json.loads(answer.body)
    except RecursionError as error:
        raise ErpProtocol(f"{where} answers with more brackets in brackets than can be read.") from error
    except ValueError as error:
        told = answer.headers.get("content-type", "").partition(";")[0] or "nothing that says what it is"
        if "json" in told or not answer.body:  # it was on its way, and was cut
            raise _lost(f"{where}: the answer is cut off", writes=writes) from error
        raise ErpProtocol(f"{where} answers {answer.status} with {told}: is that an Odoo?") from error


def refused(name: str, message: str) -> ErpError:
    """What an exception inside Odoo means, by the name of its class; the transaction there was rolled back."""
    short = " ".join(message.split())[:400] or name
    kind = name.rpartition(".")[2]
    fields = {"odoo": name}
    if kind in {"AccessDenied"}:
        return ErpRejected("Odoo does not accept the user or the key: enter a new key.", fields=fields)
    if kind == "AccessError":
        return ErpRejected(f"The user of the connection may not do that in Odoo: {short}", fields=fields)
    if kind in {"UserError", "ValidationError", "RedirectWarning", "CacheMiss"}:
        return ErpRejected(f"Odoo refuses: {short}", fields=fields)
    if kind == "MissingError":
        return ErpConflict(f"It is not there any more in Odoo: {short}", fields=fields)
    if kind in {"SerializationFailure", "TransactionRollbackError", "LockNotAvailable", "DeadlockDetected"}:
        return ErpConflict("Somebody else wrote the same record in Odoo at this moment: try again.", fields=fields)
    if "could not serialize access" in message:
        return ErpConflict("Somebody else wrote the same record in Odoo at this moment: try again.", fields=fields)
    if kind in {"OperationalError", "InterfaceError", "PoolError"}:
        return ErpUnavailable("Odoo can't reach its database: try again.", fields=fields)
    return ErpProtocol(f"Odoo failed inside: {short}", fields=fields)


def _lost(sentence: str, *, writes: bool) -> ErpError:
    if writes:
        return ErpAmbiguous(f"{sentence}: it may have been done, so it is looked up before it is tried again.")
    return ErpUnavailable(f"{sentence}.")


def _plainly(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "there is no such host"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the connection was cut"
