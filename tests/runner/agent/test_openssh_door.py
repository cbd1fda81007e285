"""The door over a real OpenSSH server, and over one that forwards nothing."""

from __future__ import annotations

import hashlib
import logging
import random
import socket
import threading
from pathlib import Path

import pytest

from runner.door import door_url, likely_ports
from runner.link_errors import HostKeyMismatch, Unreachable
from runner.node_link import LinkTimeouts

from .door import FarEnd, knock, say, whole
from .link import Ears
from .node import wait_until
from .test_node_door import answers, free_of_others
from .test_openssh import Host, folder

__all__ = ["folder"]


def connected(host: Host, end: FarEnd, node_id: str) -> Ears:
    """When sshd has begun anew with the pinned key."""

    def once() -> Ears | None:
        ears = Ears(host.vm, timeouts=LinkTimeouts(start=20.0), door=end.doors.of(node_id))
        try:
            ears.link.connect()
        except (Unreachable, HostKeyMismatch):
            return None
        return ears

    ears: Ears = wait_until(once)
    return ears


def test_bytes_both_ways_and_the_same_port_again(folder: Path, tmp_path: Path) -> None:
    host, node_id = Host(folder), free_of_others(2000)
    try:
        ears = connected(host, FarEnd(tmp_path / "doors"), node_id)
        url = ears.link.door
        assert url == door_url(likely_ports(node_id)[0])
        data = random.Random(1).randbytes(20_000_000)
        with knock(url) as sock:
            threading.Thread(target=say, args=(sock, data), daemon=True).start()
            assert hashlib.sha256(whole(sock)).digest() == hashlib.sha256(data).digest()
        sockets = [knock(url) for _ in range(200)]
        for sock in sockets:
            sock.sendall(b"word")
            sock.shutdown(socket.SHUT_WR)
        assert all(whole(sock) == b"word" for sock in sockets)
        for sock in sockets:
            sock.close()
        ears.link.close()
        wait_until(lambda: not answers(url))
        again = connected(host, FarEnd(tmp_path / "doors"), node_id)
        assert again.link.door == url and answers(url)
        again.link.close()
    finally:
        host.machine.end()


@pytest.mark.parametrize("configuration", ["AllowTcpForwarding no\n", "PermitListen none\n", "DisableForwarding yes\n"])
def test_a_server_that_forwards_nothing_is_a_node_all_the_same(
    folder: Path, tmp_path: Path, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(folder, configuration)
    try:
        with caplog.at_level(logging.WARNING):
            ears = connected(host, FarEnd(tmp_path / "doors"), "node_x")
        assert ears.link.door is None
        assert "AllowTcpForwarding" in caplog.text
        ears.link.send({"op": "configure", "slots": 1, "env": {}})
        ears.sh("t", "echo fine")
        assert ears.wait(lambda m: m["op"] == "finished")["exit"] == 0
        ears.link.close()
    finally:
        host.machine.end()


@pytest.mark.parametrize("configuration", ["AllowTcpForwarding remote\n", "PermitListen 127.0.0.1:*\n"])
def test_the_least_that_a_server_must_allow(folder: Path, tmp_path: Path, configuration: str) -> None:
    host = Host(folder, configuration)
    try:
        ears = connected(host, FarEnd(tmp_path / "doors"), "node_y")
        assert answers(ears.link.door)
        ears.link.close()
    finally:
        host.machine.end()
