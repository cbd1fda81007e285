"""Node users of a machine that is a node alone: real accounts, at a real sshd that takes keys only at first."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from runner.agent import PRIVATE, login_accounts, users
from runner.node_users import NodeUser, NodeUserError
from tests.providers.machine import unavailable

from .link import Ears
from .node import wait_until
from .test_node_users import FAR, SALT, by_password, key, line, output, public, ssh
from .test_openssh import ADMIN, Host

__all__ = ["key"]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    reason = unavailable()
    if reason is not None:
        pytest.skip(reason)
    host = Host(tmp_path_factory.mktemp("machines") / "machine", bootstrap=replace(ADMIN, user="root"))
    host.path(login_accounts.SUDOERS).mkdir(exist_ok=True)
    yield host
    host.machine.end()


@pytest.fixture
def node(host: Host) -> Iterator[Ears]:
    ears = host.ears()
    yield ears
    ears.link.close()


def test_an_account_with_a_key(host: Host, node: Ears, key: Path) -> None:
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    assert ssh(host.vm, "ann", key, "id -un; pwd; exit 4").stdout.split() == ["ann", "/home/ann"]
    assert ssh(host.vm, "ann", key, "exit 4").returncode == 4
    assert not list(host.path("/etc/sudoers.d").glob("*node-user*"))
    node.link.users.remove("ann")
    assert ssh(host.vm, "ann", key, "true").returncode == 255
    assert not host.path("/home/ann").exists() and "ann:" not in host.path("/etc/passwd").read_text()


def test_a_password_where_the_image_takes_keys_only(host: Host, node: Ears, key: Path) -> None:
    node.link.users.add(NodeUser("bea", FAR, password="a: b'$(x)"), SALT)
    node.link.users.add(NodeUser("cat", FAR, key=public(key)), SALT)

    def logged_in() -> paramiko.Transport | None:
        try:
            return by_password(host.vm, "bea", "a: b'$(x)")
        except (paramiko.SSHException, OSError, EOFError):
            return None  # sshd is about to read its configuration anew

    transport = wait_until(logged_in)
    assert output(transport, "id -un") == "bea\n"
    transport.close()
    configured = host.path("/etc/ssh/sshd_config").read_text()
    node.link.users.update(NodeUser("bea", FAR, password="other"), SALT)
    with pytest.raises(paramiko.AuthenticationException):
        by_password(host.vm, "bea", "a: b'$(x)")
    by_password(host.vm, "bea", "other").close()
    node.link.users.update(NodeUser("bea", FAR, key=public(key)), SALT)
    with pytest.raises(paramiko.AuthenticationException):
        by_password(host.vm, "bea", "other")
    assert ssh(host.vm, "bea", key, "true").returncode == 0
    assert host.path("/etc/ssh/sshd_config").read_text() == configured, "it is written once"
    with pytest.raises(paramiko.BadAuthenticationType):
        by_password(host.vm, "cat", "x")  # passwords are taken of nobody else
    for name in ("bea", "cat"):
        node.link.users.remove(name)


def test_rights_are_given_by_number_and_go_with_the_user(host: Host, node: Ears) -> None:
    """A name such as ALL would give them to everybody."""
    node.link.users.add(NodeUser("boss", FAR, True, "x"), SALT)
    uid = host.machine.run("id", "-u", "boss").stdout.strip()
    file = host.path(f"/etc/sudoers.d/ebbtide-node-user-{uid}")
    assert file.read_text() == f"#{uid} ALL=(ALL:ALL) NOPASSWD: ALL\n" and file.stat().st_mode & 0o777 == 0o440
    node.link.users.remove("boss")
    assert not file.exists()


def test_whose_time_is_over_is_removed_while_no_controller_is_there(host: Host, key: Path) -> None:
    ears = host.ears()
    # long enough to get in
    ears.link.users.add(NodeUser("dan", time.time() + 6.0, key=public(key)), SALT)
    ears.link.close()
    runs = subprocess.Popen(line(host.vm, "dan", key, "echo in; sleep 1000"), stdout=subprocess.PIPE)
    assert runs.stdout is not None and runs.stdout.readline() == b"in\n"
    assert runs.wait(60) != 0, "what it runs ends"
    runs.stdout.close()
    wait_until(lambda: "dan:" not in host.path("/etc/passwd").read_text())
    wait_until(lambda: host.path(f"/mnt/batch/tasks/{PRIVATE}/{users.LOGINS}").read_text() == "{}")


@pytest.mark.parametrize("name", ["root", "sshd", "_azbatch", "nogroup"])
def test_users_and_groups_of_the_machine_are_not_taken(host: Host, node: Ears, name: str) -> None:
    """With a group of theirs a user might have its rights."""
    with pytest.raises(NodeUserError) as refused:
        node.link.users.add(NodeUser(name, FAR, True, "x"), SALT)
    assert refused.value.code == "taken"
    assert "nogroup:" not in host.path("/etc/passwd").read_text()


def test_no_administrators_without_sudo(host: Host, node: Ears) -> None:
    host.path(login_accounts.SUDOERS).rename(host.path("/etc/no-sudoers"))
    try:
        with pytest.raises(NodeUserError, match="no sudo") as refused:
            node.link.users.add(NodeUser("eve", FAR, True, "x"), SALT)
    finally:
        host.path("/etc/no-sudoers").rename(host.path(login_accounts.SUDOERS))
    assert refused.value.code == "impossible" and host.machine.run("id", "eve").returncode == 1


def test_a_lent_machine_gets_no_accounts(host: Host, node: Ears) -> None:
    host.path(users.MACHINE).rename(host.path("/etc/not-a-node"))
    try:
        with pytest.raises(NodeUserError, match="not a node alone") as refused:
            node.link.users.add(NodeUser("eve", FAR, False, "x"), SALT)
    finally:
        host.path("/etc/not-a-node").rename(host.path(users.MACHINE))
    assert refused.value.code == "impossible"
