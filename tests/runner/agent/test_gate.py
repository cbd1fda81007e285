"""The port that tasks know is one that none of them can take, and nobody keeps it from the others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from providers import Vm
from runner.agent import loopback
from runner.agent.interpreter import of_everybody
from runner.agent_bundle import agent_bundle
from runner.door import door_url, guarded_ports

from .door import FarEnd, knock, whole
from .node import wait_until
from .test_node_door import answers, free_of_others, opened
from .test_openssh import ADMIN, Host, folder
from .test_openssh_door import connected

__all__ = ["folder"]
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, who may have those ports")

STRANGER = 1_900_000_001
#: Listens as another user, and says who came.
THIEF = """
import os, socket, sys
os.setresuid({uid}, {uid}, {uid})
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while {accepts}:
    sock, _ = listener.accept()
    print(len(sock.recv(100)), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/.ebbtide").mkdir(parents=True)
    return tmp_path / "root"


class Gate:
    def __init__(self, root: Path, port: int, *wanted: int) -> None:
        archive = root / "agent.pyz"
        archive.write_bytes(agent_bundle().data)
        argv = [sys.executable, "-I", "-S", str(archive), "door", str(root), str(port), *map(str, wanted)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._read()["port"]

    def _read(self) -> dict[str, int]:
        assert self.process.stdout is not None
        found: dict[str, int] = json.loads(self.process.stdout.readline())
        return found

    def sources(self, *ports: int) -> dict[int, int]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"ports": ports}) + "\n")
        self.process.stdin.flush()
        found = self._read()["sources"]
        assert isinstance(found, dict)
        return {int(port): uid for port, uid in found.items()}

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def free_guarded() -> int:
    for port in guarded_ports("test", 50):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("none is free")


@pytest.fixture
def target() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_it_passes_on_and_ends_with_its_channel(root: Path, target: socket.socket) -> None:
    wanted = free_guarded()
    gate = Gate(root, target.getsockname()[1], wanted)
    assert gate.port == wanted
    with knock(door_url(wanted)) as ours:
        inner, origin = target.accept()
        with inner:
            ours.sendall(b"ask")
            ours.shutdown(socket.SHUT_WR)
            assert whole(inner) == b"ask"
            inner.sendall(b"answer")
            assert gate.sources(origin[1]) == {origin[1]: 0}
        assert whole(ours) == b"answer"
    gate.end()
    assert not answers(door_url(wanted))


def test_another_one_takes_the_port_over(root: Path, target: socket.socket) -> None:
    """That of a connection of which the node does not know yet that it is dead."""
    wanted, port = free_guarded(), target.getsockname()[1]
    former = Gate(root, port, wanted)
    gate = Gate(root, port, wanted)
    assert gate.port == wanted
    assert former.process.wait(60)
    gate.end()
    former.end()


@pytest.mark.parametrize("accepts", [True, False])
def test_nothing_is_told_to_who_has_taken_the_port_of_the_ssh_server(root: Path, accepts: bool) -> None:
    wanted = free_guarded()
    script = THIEF.format(uid=STRANGER, accepts=accepts)
    with subprocess.Popen(
        [of_everybody(), "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as thief:
        assert thief.stdin is not None and thief.stdout is not None
        gate = Gate(root, int(thief.stdout.readline()), wanted)
        with knock(door_url(wanted)) as sock:
            try:
                sock.sendall(b"secret")
                assert whole(sock) == b""
            except OSError:
                pass  # it was hung up before
        if accepts:
            assert thief.stdout.readline() == "0\n"
        gate.end()
        thief.kill()


def test_whose_connections_are_whose(target: socket.socket) -> None:
    port = target.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as over, target.accept()[0] as end:
        ended = over.getsockname()[1]
        over.close()
        assert end.recv(1) == b""
    assert ended not in loopback.clients({port}), "the system still lists it"
    script = f"import os, socket, sys; os.setresuid({STRANGER}, {STRANGER}, {STRANGER})"
    script += f"; sock = socket.create_connection(('127.0.0.1', {port})); print(sock.getsockname()[1], flush=True)"
    script += "; sys.stdin.read()"
    with subprocess.Popen(
        [of_everybody(), "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout is not None and stranger.stdin is not None
        theirs = int(stranger.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as ours:
            own = ours.getsockname()[1]
            assert loopback.clients({port}) == {theirs: STRANGER, own: 0}
            assert loopback.is_of({0}, own, port) and not loopback.is_of({STRANGER}, own, port)
            assert not loopback.is_of({0}, own + 1, port)
        stranger.stdin.close()


def test_whose_the_ssh_servers_sockets_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "1000")
    assert loopback.trusted() == {0, 1000}
    monkeypatch.delenv("SUDO_UID")
    assert loopback.trusted() == {0}


def test_a_node_whose_login_is_not_root_has_a_guarded_port_too(
    vm: Vm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its agent is root, by sudo; its SSH server does not forward such a port for who has logged in."""
    node_id = free_of_others(3000)
    ears = opened(vm, FarEnd(tmp_path), node_id=node_id)
    direct = ears.link.door
    ears.link.close()
    wait_until(lambda: not answers(direct))
    monkeypatch.setattr(paramiko.Transport, "get_username", lambda self: "admin")
    for _ in range(2):
        ears = opened(vm, FarEnd(tmp_path), node_id=node_id)
        assert ears.link.door == direct == door_url(guarded_ports(node_id)[0])
        assert answers(direct)
        ears.link.close()
        wait_until(lambda: not answers(direct))
    assert list(tmp_path.iterdir()) == []


def test_root_over_a_real_ssh_server(folder: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    host, node_id = Host(folder, bootstrap=replace(ADMIN, user="root")), free_of_others(4000)
    try:
        ears = connected(host, FarEnd(tmp_path / "doors"), node_id)
        assert ears.link.door == door_url(guarded_ports(node_id)[0]) and answers(ears.link.door)
        ears.link.close()
    finally:
        host.machine.end()


def test_a_flood_of_one_user_does_not_keep_another_out(vm: Vm, tmp_path: Path) -> None:
    """Connections that say nothing, of another user, more than are served at a time."""
    end = FarEnd(tmp_path)
    ears = opened(vm, end)
    assert ears.link.door is not None
    port = int(ears.link.door.rpartition(":")[2])
    script = f"import os, socket, sys; os.setresuid({STRANGER}, {STRANGER}, {STRANGER})"
    script += f"; held = [socket.create_connection(('127.0.0.1', {port})) for _ in range(150)]"
    script += "; print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [of_everybody(), "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout is not None and stranger.stdin is not None
        assert stranger.stdout.readline() == "held\n"
        wait_until(lambda: end.entered >= 48)
        assert all(answers(ears.link.door) for _ in range(20))
        assert end.entered == 48 + 20
        stranger.stdin.close()
    ears.link.close()
