"""Reaching nodes that come up, that hang, that are dead, and that are somebody else."""

import errno
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from pools import DisconnectNode, SystemClock
from providers import Vm
from runner import NodeEffects, OpenNode, OutputStore, PackageStore
from runner.events import Event, NodeConnected, NodeDisconnected, NodeNotice
from runner.link_errors import HostKeyMismatch
from runner.node_dialing import await_word, dial
from runner.node_link import LinkTimeouts, NodeLink
from runner.node_session import NodeSession

from .link import KEY, NOWHERE, Ears, Proxy, Recorder, new_key
from .node import wait_until


def never() -> bool:
    return False


@pytest.fixture
def later() -> Iterator[Callable[[float, Callable[[], object]], None]]:
    """Does something in a while."""
    timers: list[threading.Timer] = []

    def later(seconds: float, action: Callable[[], object]) -> None:
        timers.append(threading.Timer(seconds, action))
        timers[-1].start()

    yield later
    for timer in timers:
        timer.join()


class Deaf:
    """A port that drops what comes to it, as a machine that is not up does: its queue is full until `hear`."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._queued = [socket.create_connection(("127.0.0.1", self.port), timeout=10)]

    def hear(self) -> None:
        self._listener.listen(100)
        self._queued.append(self._listener.accept()[0])

    def close(self) -> None:
        for sock in [*self._queued, self._listener]:
            sock.close()


@pytest.fixture
def deaf() -> Iterator[Deaf]:
    deaf = Deaf()
    yield deaf
    deaf.close()


def test_what_is_dropped_is_sent_again_soon(deaf: Deaf, later: Callable[..., None]) -> None:
    """TCP alone would come again one second after the first packet, and then after three."""
    begun = time.monotonic()
    later(1.2, deaf.hear)
    dial("127.0.0.1", deaf.port, 20.0, never).close()
    assert 1.2 <= time.monotonic() - begun < 2.8


def test_a_refused_connection_is_tried_again(later: Callable[..., None]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        later(0.5, listener.listen)
        connected = dial("127.0.0.1", listener.getsockname()[1], 20.0, never)
        assert connected.getpeername() == listener.getsockname() and connected.getblocking()
        assert 0.5 <= time.monotonic() - begun < 10.0
        connected.close()


def test_it_ends_in_time_and_tells_why(deaf: Deaf) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        for port, code in ((deaf.port, None), (bound.getsockname()[1], errno.ECONNREFUSED)):
            begun = time.monotonic()
            with pytest.raises(OSError, match="timed out" if code is None else "refused") as caught:
                dial("127.0.0.1", port, 0.5, never)
            assert caught.value.errno == code
            assert 0.5 <= time.monotonic() - begun < 10.0


def test_names_that_nobody_knows() -> None:
    with pytest.raises(OSError, match=r"[Nn]ame"):
        dial("no such name", 22, 5.0, never)


def test_who_is_not_wanted_any_more_is_left_alone(deaf: Deaf) -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        dial("127.0.0.1", deaf.port, 60.0, lambda: time.monotonic() - begun > 0.3)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        socket.create_connection(mute.getsockname()) as sock,
        pytest.raises(TimeoutError, match="nothing"),
    ):
        await_word(sock, 60.0, lambda: True)
    assert time.monotonic() - begun < 10.0


# -- many at once


class Effects:
    """Real effects; `posted` is what they report."""

    def __init__(self, folder: Path) -> None:
        self.posted: list[Event] = []
        self.effects = NodeEffects(
            self._link, self.posted.append, PackageStore(folder / "p"), OutputStore(folder / "o"), SystemClock()
        )

    def _link(self, command: OpenNode, session: NodeSession) -> NodeLink:
        return NodeLink(command.vm, KEY, session.messages, session.closed, LinkTimeouts(connect=30.0, handshake=30.0))

    def open(self, name: str, vm: Vm) -> None:
        self.effects.issue(OpenNode(name, vm, 1, 1, {}, 30.0))

    def wait(self, kind: type[Event], name: str) -> Event:
        found: Event = wait_until(
            lambda: next((e for e in list(self.posted) if type(e) is kind and getattr(e, "node_id", "") == name), None)
        )
        return found


@pytest.fixture
def effects(tmp_path: Path) -> Iterator[Effects]:
    effects = Effects(tmp_path)
    yield effects
    effects.effects.close()


def test_a_hundred_dead_nodes_and_a_hundred_that_hang_keep_no_living_one_waiting(
    effects: Effects, vm: Vm, deaf: Deaf
) -> None:
    with ExitStack() as stack:
        mute = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1000))
        for number in range(100):
            effects.open(f"dead{number}", replace(vm, port=deaf.port))
            effects.open(f"mute{number}", replace(vm, port=mute.getsockname()[1]))
        begun = time.monotonic()
        effects.open("living", vm)
        effects.wait(NodeConnected, "living")
        assert time.monotonic() - begun < 15.0, "half of the time that the others would take"
        assert [type(event) for event in effects.posted] == [NodeConnected]
        for number in range(100):
            effects.effects.issue(DisconnectNode(f"dead{number}"))
            effects.effects.issue(DisconnectNode(f"mute{number}"))
        begun = time.monotonic()
        effects.effects.close()
        assert time.monotonic() - begun < 15.0, "it waited for who never answers"


# -- somebody else


class Stranger(paramiko.ServerInterface):
    """An SSH server with a key of its own; notes every word about who wants to come in."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._keys = [paramiko.ECDSAKey.generate(), paramiko.Ed25519Key.from_private_key(io.StringIO(new_key()))]
        self.transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(sock)
            for key in self._keys:
                transport.add_server_key(key)
            self.transports.append(transport)
            transport.start_server(threading.Event(), server=self)

    def get_allowed_auths(self, username: str) -> str:
        self.told.append(username)
        return "publickey,password"

    def check_auth_none(self, username: str) -> int:
        self.told.append(username)
        return paramiko.common.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.told.append(username)
        return paramiko.common.AUTH_SUCCESSFUL

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join()
        for transport in self.transports:
            transport.close()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    stranger = Stranger()
    yield stranger
    stranger.close()


def test_a_stranger_is_told_nothing(stranger: Stranger, vm: Vm) -> None:
    with pytest.raises(HostKeyMismatch, match="another host key"):
        Ears(replace(vm, port=stranger.port)).link.connect()
    (transport,) = stranger.transports
    wait_until(lambda: not transport.is_active())
    assert stranger.told == [] and transport.get_username() is None, "it asked to be let in"


def test_another_host_key_is_reported_as_such(stranger: Stranger, effects: Effects, vm: Vm) -> None:
    effects.open("n", replace(vm, port=stranger.port))
    event = effects.wait(NodeDisconnected, "n")
    assert isinstance(event, NodeDisconnected) and event.host_key and event.fatal
    assert "another host key" in event.reason


def test_what_breaks_otherwise_is_not(effects: Effects, vm: Vm) -> None:
    proxy = Proxy(vm)
    effects.open("n", proxy.vm)
    effects.wait(NodeConnected, "n")
    proxy.cut()
    event = effects.wait(NodeDisconnected, "n")
    assert isinstance(event, NodeDisconnected) and not event.host_key and not event.fatal
    proxy.close()


# -- what an agent says of interruptions


@pytest.mark.parametrize(
    ("at", "events"),
    [
        (12.5, [NodeNotice("n", 12.5)]),
        (12, [NodeNotice("n", 12.0)]),
        ("soon", []),
        (None, []),
        (float("nan"), []),
        (float("inf"), []),
    ],
)
def test_a_notice_becomes_an_event(at: object, events: list[Event], tmp_path: Path) -> None:
    posted: list[Event] = []
    stores = PackageStore(tmp_path), OutputStore(tmp_path)
    command = OpenNode("n", NOWHERE, 1, 1, {}, 30.0)
    session = NodeSession(command, posted.append, lambda work: None, *stores, SystemClock())
    session.messages([{"op": "notice", "at": at}])
    assert posted == events


@pytest.mark.parametrize("notices", [None, "ec2"])
def test_the_agent_is_told_what_to_watch(notices: str | None, tmp_path: Path) -> None:
    stores = PackageStore(tmp_path), OutputStore(tmp_path)
    command = OpenNode("n", NOWHERE, 1, 2, {}, 30.0, notices=notices)
    session = NodeSession(command, lambda event: None, lambda work: None, *stores, SystemClock())
    link = Recorder()
    session.open(link)
    session.messages([{"op": "hello", "executions": []}])
    assert [message.get("notices") for message in link.sent] == [notices]
