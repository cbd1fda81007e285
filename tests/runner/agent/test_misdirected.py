"""A door that is another deployment's, where ours was while the controller is away."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from runner.agent import transfer
from runner.agent.transfer import TransferError

#: More than the tries that anything else has.
AWAY = transfer.TRIES + 2


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Another's for some time, then ours."""
    asked = count()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._say(201)

        def _say(self, status: int) -> None:
            ours = next(asked) >= AWAY
            self.send_response(status if ours else 421)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"ours" if ours else b"none")

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(transfer, "PAUSE", 0.01)
    monkeypatch.setattr(transfer, "CONTINUE_WITHIN", 0.01)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/storage/box/a"
    server.shutdown()
    server.server_close()


def test_who_is_patient_waits_for_the_right_one(door: str) -> None:
    sink = io.BytesIO()
    assert transfer.download(door, sink, patient=True) == 4 and sink.getvalue() == b"ours"


def test_what_is_brought_away_waits_as_well(door: str) -> None:
    transfer.upload(door, io.BytesIO(b"content"), 7, {}, patient=True)


def test_nobody_waits_for_others(door: str) -> None:
    with pytest.raises(TransferError, match="421"):
        transfer.download(door, io.BytesIO())
