"""A port that takes connections before the machine behind it does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from runner import node_dialing
from runner.node_dialing import dial, greeted


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_dialing, "FIRST_PATIENCE", 0.05)


def reach(server: socket.socket, timeout: float, gone: Callable[[], bool] = lambda: False) -> socket.socket:
    address, port = server.getsockname()

    def again() -> socket.socket:
        return dial(address, port, timeout, gone)

    return greeted(again(), again, timeout, gone)


@pytest.mark.parametrize("silent", [0, 1, 3])
def test_the_connection_that_is_spoken_over_is_the_one(silent: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def answer() -> None:
            for number in range(silent + 1):
                held.append(server.accept()[0])
                if number == silent:
                    held[-1].sendall(b"SSH-2.0")

        thread = threading.Thread(target=answer)
        thread.start()
        with reach(server, 60.0) as sock:
            assert sock.recv(7) == b"SSH-2.0"
        thread.join()
        assert len(held) == silent + 1
        for early in held[:-1]:
            assert early.recv(1) == b"", "given up"
        for each in held:
            each.close()


def test_who_never_speaks_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        begun = time.monotonic()
        with pytest.raises(TimeoutError, match="says nothing"):
            reach(server, 0.5)
        assert time.monotonic() - begun >= 0.5


def test_nobody_waits_for_what_is_not_wanted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimeoutError):
        reach(server, 600.0, lambda: True)


@pytest.mark.parametrize("cut", [1, 3])
def test_who_hangs_up_is_asked_again(cut: int) -> None:
    """As an sshd does that begins anew with another host key."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def answer() -> None:
            for _ in range(cut):
                server.accept()[0].close()
            held.append(server.accept()[0])
            held[0].sendall(b"SSH-2.0")

        thread = threading.Thread(target=answer)
        thread.start()
        with reach(server, 60.0) as sock:
            assert sock.recv(7) == b"SSH-2.0"
        thread.join()
        held[0].close()


def test_who_always_hangs_up_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []

        def cut() -> None:
            try:
                while True:
                    server.accept()[0].close()
                    accepted.append(time.monotonic())
            except OSError:
                return

        thread = threading.Thread(target=cut)
        thread.start()
        with pytest.raises(ConnectionError, match="hangs up"):
            reach(server, 1.0)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        assert len(accepted) < 20, "not without a pause"
