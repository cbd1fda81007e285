"""A node's door: a loopback port of the node that leads to the controller, over the node's SSH connection."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from providers import Vm
from runner import node_door
from runner.door import door_url, guarded_ports, likely_ports
from runner.node_link import LinkTimeouts
from tests.simulation.containers import sizes

from .door import FarEnd, knock, say, whole
from .link import Ears, Proxy
from .node import wait_until

NODE = "node_0123456789ab_d"


def opened(vm: Vm, end: FarEnd, timeouts: LinkTimeouts | None = None, node_id: str = NODE) -> Ears:
    ears = Ears(vm, timeouts=timeouts, door=end.doors.of(node_id))
    ears.link.connect()
    return ears


def answers(url: str | None) -> bool:
    try:
        with knock(url) as sock:
            sock.sendall(b"word")
            sock.shutdown(socket.SHUT_WR)
            return whole(sock) == b"word"
    except OSError:
        return False


def ports_of(node_id: str) -> tuple[int, ...]:
    """Those that are tried, where root is logged in or, as in tests that are not root, somebody else."""
    return likely_ports(node_id) if os.getuid() else (*guarded_ports(node_id), *likely_ports(node_id))


def free_of_others(start: int = 0) -> str:
    """A node whose ports are all free here, and different."""
    for n in range(start, start + 1000):
        node_id = f"node_{n:012x}_d"
        if len(set(ports_of(node_id))) < len(ports_of(node_id)):
            continue
        try:
            for port in ports_of(node_id):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return node_id
    raise AssertionError("no likely port is free")


def test_bytes_come_back_and_the_end_of_each_direction_is_passed_on(vm: Vm, tmp_path: Path) -> None:
    ears = opened(vm, FarEnd(tmp_path))
    data = random.Random(1).randbytes(5_000_000)
    with knock(ears.link.door) as sock:
        threading.Thread(target=say, args=(sock, data), daemon=True).start()
        assert hashlib.sha256(whole(sock)).digest() == hashlib.sha256(data).digest()
    ears.link.close()


def test_the_port_is_the_same_on_the_next_connection_and_for_the_next_controller(vm: Vm, tmp_path: Path) -> None:
    node_id = free_of_others()
    urls = []
    for end in (FarEnd(tmp_path), FarEnd(tmp_path)):
        for _ in range(2):
            ears = opened(vm, end, node_id=node_id)
            urls.append(ears.link.door)
            assert answers(urls[-1])
            ears.link.close()
            wait_until(lambda: not answers(urls[-1]))  # the node has let go of it
    assert set(urls) == {door_url(ports_of(node_id)[0])}
    assert list(tmp_path.iterdir()) == []  # nothing unusual, nothing to remember


def test_a_port_that_a_dead_connection_still_has_is_got_back(vm: Vm, tmp_path: Path) -> None:
    """The node's SSH server does not know yet that the former connection is dead; tasks know its port."""
    node_id, end, proxy = free_of_others(), FarEnd(tmp_path), Proxy(vm)
    first, second, *_ = map(door_url, ports_of(node_id))
    former = opened(proxy.vm, end, node_id=node_id)
    assert former.link.door == first
    proxy.silent = True
    former.link.close()
    ears = opened(vm, end, node_id=node_id)
    assert ears.link.door == second and answers(second)
    proxy.close()  # now the node finds out
    wait_until(lambda: answers(first))
    assert answers(second)
    ears.link.close()
    wait_until(lambda: not answers(first))
    ears = opened(vm, FarEnd(tmp_path), node_id=node_id)  # another controller, and tasks that know either
    assert ears.link.door == first
    wait_until(lambda: answers(first) and answers(second))
    ears.link.close()


def test_ports_that_others_have_are_left_to_them(vm: Vm, tmp_path: Path) -> None:
    node_id = free_of_others()
    taken = [socket.create_server(("127.0.0.1", port)) for port in ports_of(node_id)]
    ears = opened(vm, FarEnd(tmp_path), node_id=node_id)
    assert ears.link.door not in [door_url(port) for port in ports_of(node_id)] and answers(ears.link.door)
    for listener in taken:
        listener.close()
    ears.link.close()


def test_files_of_nodes_that_are_gone_are_removed_and_damaged_ones_do_no_harm(vm: Vm, tmp_path: Path) -> None:
    for name, text in {"node_a": "20000 x 99999999 -1 0", "node_b": "20001", "node_c": "\0é"}.items():
        (tmp_path / name).write_text(text)
    FarEnd(tmp_path).doors.sweep(lambda: {"node_a", "node_c"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["node_a", "node_c"]
    for node_id in ("node_a", "node_c"):
        ears = opened(vm, FarEnd(tmp_path), node_id=node_id)
        assert ears.link.door is not None
        ears.link.close()
    FarEnd(tmp_path / "none").doors.sweep(set)


def test_nothing_is_remembered_of_nodes_that_are_gone(vm: Vm, tmp_path: Path) -> None:
    end, staying = FarEnd(tmp_path), free_of_others()
    for node_id in (staying, *(f"node_{number}" for number in range(5))):
        (tmp_path / node_id).write_text("20000")
        opened(vm, end, node_id=node_id).link.close()
    end.doors.sweep(lambda: {staying})
    assert sizes(end.doors)["core._ports"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [staying]


def test_more_connections_than_are_served_at_a_time_wait_and_more_than_that_are_refused(
    vm: Vm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_door, "SERVED", 2)
    monkeypatch.setattr(node_door, "WAITING", 3)
    end = FarEnd(tmp_path)
    ears = opened(vm, end)
    sockets = [knock(ears.link.door) for _ in range(2)]
    wait_until(lambda: end.entered == 2)
    sockets += [knock(ears.link.door) for _ in range(8)]
    for sock in sockets:
        sock.sendall(b"word")
    wait_until(lambda: sum(map(_is_over, sockets[2:])) == 5)
    assert end.entered == 2 and _waiting(ears) == 3
    served = [sock for sock in sockets if not _is_over(sock)]
    assert len(served) == 5
    for sock in served:  # whichever of them have their turn now
        sock.shutdown(socket.SHUT_WR)
    for sock in served:
        assert whole(sock) == b"word"
    assert end.entered == 5
    for sock in sockets:
        sock.close()
    ears.link.close()


def _waiting(ears: Ears) -> int:
    door = ears.link._door
    assert door is not None
    return door._queue.waiting


def _is_over(sock: socket.socket) -> bool:
    """Has the other side hung up?"""
    try:
        sock.settimeout(0.0)
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(30.0)


def test_a_sender_whose_bytes_nobody_takes_is_stopped(vm: Vm, tmp_path: Path) -> None:
    wake = threading.Event()
    ears = opened(vm, FarEnd(tmp_path, serve=lambda sock: (wake.wait(60.0), None)[1]))
    with knock(ears.link.door, timeout=2.0) as sock:
        sent, piece = 0, b"x" * (1 << 16)
        with pytest.raises(TimeoutError):
            while sent < 1 << 27:
                sent += sock.send(piece)
        assert sent < 1 << 25
    wake.set()
    ears.link.close()


def test_whoever_hangs_up_is_noticed_on_the_other_side(vm: Vm, tmp_path: Path) -> None:
    ended: list[str] = []

    def serve(sock: socket.socket) -> None:
        sock.sendall(b"hello")
        try:
            while sock.recv(1 << 16):
                pass
        finally:
            ended.append("served")

    ears = opened(vm, FarEnd(tmp_path, serve))
    with knock(ears.link.door) as sock:
        assert sock.recv(5) == b"hello"
    wait_until(lambda: ended == ["served"])  # the task closed its socket
    with knock(ears.link.door) as sock:
        assert sock.recv(5) == b"hello"
        ears.link.close()
        assert whole(sock) == b""  # the connection to the node ended
    wait_until(lambda: ended == ["served"] * 2)


def test_a_far_end_that_is_not_there_closes_the_connection(vm: Vm, tmp_path: Path) -> None:
    end = FarEnd(tmp_path)

    def nobody(node_id: str) -> socket.socket:
        raise OSError("closed")

    end.doors._enter = nobody
    ears = opened(vm, end)
    with knock(ears.link.door) as sock:
        assert whole(sock) == b""
    ears.link.close()


@pytest.mark.parametrize("hostile", [b"", b"\r\n" * 10, b"\0" * 10_000])
def test_connections_that_say_nonsense_hurt_nobody(vm: Vm, tmp_path: Path, hostile: bytes) -> None:
    ears = opened(vm, FarEnd(tmp_path))
    socks: list[Callable[[], None]] = []
    for _ in range(20):
        sock = knock(ears.link.door)
        sock.sendall(hostile)
        socks.append(sock.close)
    for close in socks:
        close()
    assert answers(ears.link.door)
    ears.sh("t", "echo fine")
    ears.link.send({"op": "configure", "slots": 1, "env": {}})
    assert ears.wait(lambda m: m["op"] == "finished")["exit"] == 0
    ears.link.close()
