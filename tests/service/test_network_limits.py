"""Clients from the network that say nothing, too little or too much, or take nothing, keep nobody else out."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service import network_protocol
from service.listening import Listening
from service.network_protocol import LARGEST_HEAD
from tests.providers.waiting import wait_until

from .network import GET, MOST, PATIENCE, PUT, Network, drip, opened, serves, whole


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with opened(tmp_path_factory.mktemp("network"), Listening("127.0.0.1", 0)) as network:
        yield network


@pytest.fixture
def network(shared: Network) -> Network:
    """With nobody there."""
    wait_until(lambda: shared.open == 0)
    return shared


@pytest.mark.parametrize(
    ("said", "piece"),
    [
        (b"", b""),
        (GET, b""),
        (GET, b"A: b\r\n"),
        (b"", b"\r\n"),
        (PUT + b"Content-Length: 1000000\r\n\r\n", b""),
        (PUT + b"Content-Length: 1000000\r\n\r\n", b"x"),
        (PUT + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (GET + b"\r\nGET /si", b""),  # the next request on a connection has its time too
        (b"PUT /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000000\r\n\r\n", b"x" * 1000),
        (b"PUT /unread HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
    ],
)
def test_one_that_says_too_little_is_cut_off(network: Network, said: bytes, piece: bytes) -> None:
    with network.connect(said) as sock:
        if piece:
            drip(sock, piece)
        answer = whole(sock)
    assert answer.count(b"HTTP/1.1") == (b"GET /size HTTP/1.1\r\nHost: h\r\n\r\n" in said) + (b"unread" in said)
    wait_until(lambda: network.open == 0)
    assert serves(network)


@pytest.mark.parametrize(
    "said",
    [
        GET + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
        GET + b"A: b\r\n" * 50_000,
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        GET + b"A: " + b"x" * 10_000_000,
        b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n" + GET + b"A: " + b"x" * 10_000_000,  # behind one that is answered
    ],
)
def test_a_head_that_is_too_large(network: Network, said: bytes) -> None:
    with network.connect() as sock:
        try:
            sock.sendall(said)
            answer = whole(sock)
        except ConnectionError:  # hung up on, or what it said was not read to its end
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n")
    assert serves(network)


@pytest.mark.parametrize(
    "said",
    [
        b"GET",
        b"\0" * 100_000,
        b"X" * 1_000_000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        PUT + b"Content-Length: -1\r\n\r\n",
        PUT + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        PUT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    ],
)
def test_what_is_no_http_hurts_nobody(network: Network, said: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with network.connect() as sock:
        try:
            sock.sendall(said)
            sock.shutdown(socket.SHUT_WR)
            answer = whole(sock)
        except OSError:
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 5")
    assert serves(network)
    assert not [record for record in caplog.records if record.name.startswith("service")]


def test_bodies_that_come_are_waited_for(network: Network) -> None:
    with network.connect(PUT + b"Content-Length: 100000\r\nConnection: close\r\n\r\n") as sock:
        ended = threading.Event()
        for _ in range(20):  # for twice as long as one that falls silent has
            sock.sendall(b"x" * 5000)
            ended.wait(0.05)
        assert whole(sock).endswith(b"<100000>")


def test_a_request_that_comes_whole_has_a_small_head_still(network: Network) -> None:
    """Its body is no head of the next one, however much is read at once."""
    with network.connect() as sock, sock.makefile("rb") as answers:
        for size in range(LARGEST_HEAD - 200, 3 * LARGEST_HEAD, 5_000):
            sock.sendall(PUT + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
            found, line = b"<%d>" % size, b""
            while line != b"\r\n":
                line = answers.readline()
                assert line, "hung up"
            assert answers.read(len(found)) == found


def test_answers_may_take_their_time(network: Network) -> None:
    with network.connect(b"GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") as sock:
        assert whole(sock).endswith(b"<slow>")


def test_who_takes_nothing_of_an_answer(network: Network) -> None:
    with network.connect(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n") as sock:
        wait_until(lambda: network.open == 1)
        wait_until(lambda: network.open == 0)
        assert sock.recv(100).startswith(b"HTTP/1.1 200")


def test_who_reads_slowly_gets_all_of_it(network: Network) -> None:
    with network.connect(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n") as sock:
        size, ended = 0, threading.Event()
        for _ in range(100):  # for longer than one may take nothing
            size += len(sock.recv(1 << 20))
            ended.wait(0.02)
        assert size and network.open == 1


def test_silent_ones_make_room_for_others(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_protocol, "HEAD", 10 * PATIENCE)  # their time is not over before the test is
    with ExitStack() as silent:
        for _ in range(MOST):
            silent.enter_context(network.connect(GET))
        wait_until(lambda: network.open == MOST)
        assert all(serves(network) for _ in range(3))


def test_who_has_shown_a_key_makes_room_last(network: Network) -> None:
    def keyed(sock: socket.socket) -> bool:
        sock.sendall(b"GET /keyed HTTP/1.1\r\nHost: h\r\n\r\n")
        found = b""
        while not found.endswith(b"<keyed>") and (more := sock.recv(1000)):
            found += more
        return found.endswith(b"<keyed>")

    with network.connect() as good, ExitStack() as silent:
        assert keyed(good)
        for _ in range(2 * MOST):
            silent.enter_context(network.connect(GET))
        assert keyed(good), "on the same connection"


def test_when_all_are_at_work_others_wait(network: Network) -> None:
    said = b"GET /held HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    with ExitStack() as sockets:
        sockets.callback(network.held.free.set)
        working = [sockets.enter_context(network.connect(said)) for _ in range(MOST)]
        wait_until(lambda: network.held.at_work == MOST)
        other = sockets.enter_context(network.connect(GET + b"Connection: close\r\n\r\n"))
        assert select.select([other], [], [], 0.2)[0] == [], "it waits"
        network.held.free.set()
        assert whole(other).endswith(b"<0>")
        assert all(whole(sock).endswith(b"<held>") for sock in working)


def test_who_comes_as_it_ends_is_turned_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path, Listening("127.0.0.1", 0)) as network, ExitStack() as late:
        loop: Any = network.web._loop
        door: Any = network.web._door

        async def end() -> socket.socket:
            sock = late.enter_context(network.connect(GET))
            await asyncio.create_task(door.close(PATIENCE))  # begins in the very round that finds somebody at the door
            return sock

        assert whole(asyncio.run_coroutine_threadsafe(end(), loop).result(PATIENCE)) == b""
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_connections_that_come_and_go_leave_nothing(network: Network) -> None:
    for number in range(300):
        with network.connect(b"" if number % 2 else GET):
            pass
    wait_until(lambda: network.open == 0)
    assert serves(network) and not network.broken.is_set()


def test_the_body_of_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head(network: Network) -> None:
    with network.connect() as sock:
        wait_until(lambda: network.open == 1)
        door: Any = network.web._door
        (connection,) = door._open
        theirs = connection.transport.get_extra_info("socket")
        assert theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        sock.sendall(GET + b"Connection: close\r\n\r\n")
        assert whole(sock).endswith(b"<0>")
