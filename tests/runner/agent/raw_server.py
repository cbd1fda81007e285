"""A server that answers byte for byte what it is told to, and what is asked of it by `transfer`."""

import io
import socket
import threading
from collections.abc import Callable

from runner.agent import transfer

Reply = bytes | Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\n"
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers one connection after the other with the next of `answers`; `asked` holds the heads of the requests, if
    they come in the clear."""

    def __init__(self, *answers: Reply, clear: bool = True) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[str] = []
        self._clear = clear
        self._answers = answers
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        for answer in self._answers:
            connection, _ = self._listener.accept()
            with connection:
                if self._clear:
                    self.asked.append(head(connection))
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)

    def close(self) -> None:
        self._thread.join(30)
        self._listener.close()
        assert not self._thread.is_alive(), "it was asked less often than it would have answered"


def head(connection: socket.socket) -> str:
    told = b""
    while not told.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, f"the request ended early: {told!r}"
        told += byte
    return told.decode("latin-1")


def takes(found: list[bytes], asks: bool) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        if asks:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        taken = b""
        while len(taken) < 5:
            taken += connection.recv(5)
        found.append(taken)
        connection.sendall(CREATED)

    return answer


def got(url: str, limit: int | None = None) -> bytes:
    sink = io.BytesIO()
    assert transfer.download(url, sink, limit) == len(sink.getvalue())
    return sink.getvalue()


def put(url: str, **headers: str) -> None:
    transfer.upload(url, io.BytesIO(b"hello"), 5, headers)
