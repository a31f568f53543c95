"""A proxy before a real Odoo that carries everything on, and cuts one answer: Odoo has done it, and nobody was told."""

import socket
import struct
import threading
from dataclasses import dataclass, field


@dataclass
class CuttingProxy:
    """Listens on a port of its own from the start of the block to its end. `port`: of the Odoo behind it."""

    behind: int
    answered: int = 0  # since `cut_answer` was told last
    cuts: int = 0
    _cut_at: int = 0
    _only: bytes = b""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "CuttingProxy":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def cut_answer(self, number: int, *, only: bytes = b"") -> None:
        """Cut the answer to the request of that number from now on; `only`: of those that have this in them."""
        with self._lock:
            self.answered, self.cuts, self._cut_at, self._only = 0, 0, number, only

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(connection,), daemon=True).start()

    def _carry(self, connection: socket.socket) -> None:
        with connection, socket.create_connection(("127.0.0.1", self.behind)) as odoo:
            request = _request(connection)
            odoo.sendall(request)
            answer = b"".join(iter(lambda: odoo.recv(65536), b""))  # every exchange has its own connection
            with self._lock:
                self.answered += self._only in request
                cut = self._only in request and self.answered == self._cut_at
                self.cuts += cut
            if cut:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.sendall(answer)


def _request(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        read += (more := connection.recv(65536))
        if not more:
            return read
    head, _, body = read.partition(b"\r\n\r\n")
    sizes = [int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while len(body) < sum(sizes):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
