"""Node users of a local node: they log in with the real `ssh`, by key or password, for as long as they are users."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from providers import Vm
from providers.local import logins as local_logins
from runner.agent import PRIVATE, users
from runner.node_users import NodeUser, NodeUserError

from .link import KEY, Ears
from .node import wait_until

SALT = bytes(16)
FAR = 4e9
#: What may be said of one who is let in: root has all rights, and only root can give them.
ROOT = not os.getuid()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("ssh") is None:
        pytest.skip("needs ssh")
    path = tmp_path_factory.mktemp("keys") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def node(vm: Vm) -> Iterator[Ears]:
    ears = Ears(vm)
    ears.link.connect()
    yield ears
    ears.link.close()


def public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def line(vm: Vm, name: str, key: Path, *more: str) -> list[str]:
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"]
    told = [part for option in options for part in ("-o", option)]
    return ["ssh", "-F", "/dev/null", *told, "-i", str(key), "-p", str(vm.port), f"{name}@{vm.address}", *more]


def ssh(vm: Vm, name: str, key: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line(vm, name, key, *command), capture_output=True, text=True, check=False, timeout=60)


def by_password(vm: Vm, name: str, password: str) -> paramiko.Transport:
    """Raises paramiko.AuthenticationException."""
    transport = paramiko.Transport((vm.address or "", vm.port or 0))
    try:
        transport.connect(username=name, password=password)
    except BaseException:
        transport.close()
        raise
    return transport


def output(transport: paramiko.Transport, command: str) -> str:
    channel = transport.open_session(timeout=60)
    channel.settimeout(60)
    channel.exec_command(command)
    return channel.makefile("r").read().decode()


def test_both_packages_name_the_same_file() -> None:
    assert f"{PRIVATE}/{users.LOGINS}" == local_logins.LOGINS_FILE


def test_a_user_with_a_key_runs_commands(node: Ears, vm: Vm, key: Path) -> None:
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    done = ssh(vm, "ann", key, "id -u; echo $USER $HOME; echo bad >&2; exit 7")
    uid, told = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (7, "bad\n")
    assert int(uid) > 1_000_000 if ROOT else int(uid) == os.getuid(), "root's rights are not given to everybody"
    assert told in ("ann /", f"ann {vm.node_root}/home/ann")
    fed = subprocess.run(line(vm, "ann", key, "cat"), input=b"\0\xff" * 70_000, capture_output=True, check=False)
    assert fed.stdout == b"\0\xff" * 70_000
    assert ssh(vm, "bob", key, "true").returncode == 255, "another name"
    assert "Permission denied" in ssh(vm, vm.user, key, "true").stderr, "the controller's name"


@pytest.mark.parametrize(
    ("command", "shown", "typed"),
    [
        ((), b"$ ", b"exit 9\n"),  # a shell, and its prompt
        (("tty; trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done",), b"ready", b"\3"),
        (("stty -echo; tty; echo ready; read line; exit $line",), b"ready", b"9\n"),
    ],
    ids=["shell", "interrupt", "input"],
)
def test_a_terminal(node: Ears, vm: Vm, key: Path, command: tuple[str, ...], shown: bytes, typed: bytes) -> None:
    admin = ROOT  # whose prompt differs
    node.link.users.add(NodeUser("ann", FAR, admin, key=public(key)), SALT)
    told = line(vm, "ann", key, *command)
    master, side = pty.openpty()
    runs = subprocess.Popen(
        [told[0], "-tt", *told[1:]], stdin=side, stdout=side, stderr=subprocess.STDOUT, start_new_session=True
    )
    os.close(side)
    seen = b""
    while (b"# " if admin and not command else shown) not in seen:
        seen += os.read(master, 4096)
    assert not command or b"/dev/pts/" in seen
    os.write(master, typed)
    try:
        while os.read(master, 4096):
            pass
    except OSError:
        pass  # it is over
    assert runs.wait(60) == 9
    os.close(master)


def test_a_password_lets_in_and_no_other_does(node: Ears, vm: Vm) -> None:
    node.link.users.add(NodeUser("ann", FAR, password="a: b'$(x)é"), SALT)
    transport = by_password(vm, "ann", "a: b'$(x)é")
    assert output(transport, "echo $USER") == "ann\n"
    with pytest.raises(paramiko.SSHException):
        transport.request_port_forward("127.0.0.1", 0)
    transport.close()
    for name, password in (("ann", ""), ("ann", "a"), ("bob", "a: b'$(x)é"), (vm.user, "a: b'$(x)é")):
        with pytest.raises(paramiko.AuthenticationException):
            by_password(vm, name, password)
    for file in Path(vm.node_root, PRIVATE).glob("logins*"):
        assert "a: b'" not in file.read_text() and file.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not ROOT, reason="only root can give its rights")
def test_an_administrator_is_root_where_the_node_is(node: Ears, vm: Vm, key: Path) -> None:
    node.link.users.add(NodeUser("boss", FAR, True, key=public(key)), SALT)
    assert ssh(vm, "boss", key, "id -u").stdout == "0\n"


@pytest.mark.skipif(ROOT, reason="root can give its rights")
def test_a_node_without_rights_has_no_administrators(node: Ears) -> None:
    with pytest.raises(NodeUserError, match="leave isAdmin out") as refused:
        node.link.users.add(NodeUser("boss", FAR, True, "x"), SALT)
    assert refused.value.code == "impossible"


def test_who_is_removed_is_out_at_once(node: Ears, vm: Vm, key: Path) -> None:
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    runs = subprocess.Popen(line(vm, "ann", key, "echo in; sleep 1000"), stdout=subprocess.PIPE)
    assert runs.stdout is not None and runs.stdout.readline() == b"in\n"
    node.link.users.remove("ann")
    assert runs.wait(60) == 255, "its connection is closed"
    assert ssh(vm, "ann", key, "true").returncode == 255
    runs.stdout.close()
    with pytest.raises(NodeUserError) as refused:
        node.link.users.remove("ann")
    assert refused.value.code == "missing"
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    assert ssh(vm, "ann", key, "true").returncode == 0


def test_whose_time_is_over_is_out_and_its_name_is_free(node: Ears, vm: Vm, key: Path) -> None:
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    runs = subprocess.Popen(line(vm, "ann", key, "echo in; sleep 1000"), stdout=subprocess.PIPE)
    assert runs.stdout is not None and runs.stdout.readline() == b"in\n"
    over = time.time() + 0.5
    node.link.users.update(NodeUser("ann", over, key=public(key)), SALT)
    assert runs.wait(60) == 255 and time.time() >= over
    runs.stdout.close()
    with pytest.raises(NodeUserError) as refused:
        node.link.users.update(NodeUser("ann", FAR, password="x"), SALT)
    assert refused.value.code == "missing"
    node.link.users.add(NodeUser("ann", FAR, password="x"), SALT)
    assert ssh(vm, "ann", key, "true").returncode == 255, "the key went with the one before"


def test_a_change_takes_away_what_it_does_not_name(node: Ears, vm: Vm, key: Path) -> None:
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    node.link.users.update(NodeUser("ann", FAR, password="new"), SALT)
    assert ssh(vm, "ann", key, "true").returncode == 255
    by_password(vm, "ann", "new").close()
    node.link.users.update(NodeUser("ann", FAR, key=public(key)), SALT)
    assert ssh(vm, "ann", key, "true").returncode == 0
    with pytest.raises(paramiko.AuthenticationException):
        by_password(vm, "ann", "new")


@pytest.mark.parametrize("name", ["root", "daemon", "_azbatch", "OWN"])
def test_users_of_the_machine_are_not_taken(node: Ears, vm: Vm, name: str) -> None:
    with pytest.raises(NodeUserError, match="take another name") as refused:
        node.link.users.add(NodeUser(vm.user if name == "OWN" else name, FAR, password="x"), SALT)
    assert refused.value.code == "taken"


def test_of_several_at_once_one_makes_the_user(node: Ears) -> None:
    def add(number: int) -> str:
        try:
            node.link.users.add(NodeUser("ann", FAR, password=f"p{number}"), SALT)
        except NodeUserError as error:
            return error.code
        return "made"

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(add, range(6))) == ["exists"] * 5 + ["made"]


def test_they_stay_when_the_controller_goes_and_keep_no_node_alive(vm: Vm, key: Path) -> None:
    ears = Ears(vm)
    ears.link.connect()
    ears.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    ears.link.close()
    assert ssh(vm, "ann", key, "true").returncode == 0
    again = Ears(vm)
    again.link.connect()
    with pytest.raises(NodeUserError, match="already"):
        again.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    again.link.close()


def test_what_was_cut_off_in_the_middle_is_made_anew(node: Ears, vm: Vm, key: Path) -> None:
    """A process that is killed between the two writes leaves a user that is not complete: nobody gets in as that."""
    path = Path(vm.node_root, PRIVATE, users.LOGINS)
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    path.write_text(path.read_text().replace('"made": true', '"made": false'))
    assert ssh(vm, "ann", key, "true").returncode == 255
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    assert ssh(vm, "ann", key, "true").returncode == 0


def test_a_login_ends_with_the_node(node: Ears, vm: Vm, key: Path) -> None:
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    runs = subprocess.Popen(line(vm, "ann", key, "echo $$; sleep 1000"), stdout=subprocess.PIPE)
    assert runs.stdout is not None
    pid = int(runs.stdout.readline())
    server = int(Path(f"/proc/{pid}/status").read_text().split("PPid:")[1].split()[0])
    os.kill(server, signal.SIGTERM)
    assert runs.wait(60)
    runs.stdout.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_the_key_of_the_controller_opens_no_users_door(node: Ears, vm: Vm, key: Path, tmp_path: Path) -> None:
    node.link.users.add(NodeUser("ann", FAR, key=public(key)), SALT)
    other = tmp_path / "controller"
    other.write_text(KEY)
    other.chmod(0o600)
    assert ssh(vm, "ann", other, "true").returncode == 255
    assert ssh(replace(vm), vm.user, other, "echo hi").stdout == "hi\n", "and is good for its own"
