"""The SSH server of a local node: what a client may do, and that bytes, exit codes and ends arrive as they
are.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

from providers import Vm
from providers.processes import look_up

from .clouds.local import LocalCloud
from .conftest import wait_until
from .ssh import PATIENCE, connect, run, start


@pytest.fixture
def vm(local: LocalCloud) -> Vm:
    return local.create()


@pytest.fixture
def ssh(local: LocalCloud, vm: Vm) -> Iterator[paramiko.Transport]:
    transport = connect(vm, local.key)
    yield transport
    transport.close()


@pytest.mark.parametrize(
    ("command", "status", "out", "err"),
    [
        ("true", 0, b"", b""),
        ("exit 7", 7, b"", b""),
        ("exit 255", 255, b"", b""),
        ("kill -9 $$", 137, b"", b""),
        ("kill -TERM $$", 143, b"", b""),
        ("echo out; echo err >&2; exit 3", 3, b"out\n", b"err\n"),
        ("no-such-command 2>/dev/null", 127, b"", b""),
        ("printf 'a\\000b\\377\\r\\n'", 0, b"a\0b\xff\r\n", b""),
        (b"printf %s '\xff\xfe'", 0, b"\xff\xfe", b""),
        ("cat; echo end", 0, b"\0in\xffend\n", b""),
        ("kill -INT $$", 130, b"", b""),  # not ignored, as background processes of a shell have it
    ],
)
def test_a_command_answers_with_its_bytes_and_status(
    ssh: paramiko.Transport, command: str | bytes, status: int, out: bytes, err: bytes
) -> None:
    answer = run(ssh, command, b"\0in\xff" if command == "cat; echo end" else b"")
    assert (answer.status, answer.out, answer.err) == (status, out, err)


def test_large_data_arrives_whole_both_ways(ssh: paramiko.Transport) -> None:
    sent = os.urandom(1 << 16) * 80  # 5 MiB
    channel = start(ssh, "tee /dev/stderr")
    with ThreadPoolExecutor(3) as pool:
        out = pool.submit(channel.makefile("rb").read)
        err = pool.submit(channel.makefile_stderr("rb").read)
        channel.sendall(sent)
        channel.shutdown_write()
        digests = {hashlib.sha256(data).digest() for data in (sent, out.result(), err.result())}
    assert len(digests) == 1
    assert channel.recv_exit_status() == 0


def test_a_command_that_does_not_read_slows_its_sender_down(ssh: paramiko.Transport) -> None:
    channel = start(ssh, "mkfifo go; echo ready; read x <go; wc -c")
    assert channel.recv(100) == b"ready\n"
    channel.settimeout(0.5)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 1 << 28:
            sent += channel.send(bytes(1 << 15))
    assert sent < 1 << 26
    channel.settimeout(PATIENCE)
    run(ssh, "echo >go")
    channel.shutdown_write()
    assert int(channel.makefile("rb").read()) == sent


def test_a_sender_to_a_command_that_no_longer_reads_is_not_held_up(ssh: paramiko.Transport) -> None:
    channel = start(ssh, "exec 0</dev/null; mkfifo go; echo ready; read x <go; echo done")
    assert channel.recv(100) == b"ready\n"
    channel.sendall(bytes(1 << 24))
    run(ssh, "echo >go")
    assert channel.makefile("rb").read() == b"done\n"


def test_a_client_that_does_not_read_slows_the_command_down(ssh: paramiko.Transport) -> None:
    channel = start(ssh, "head -c 400000000 /dev/zero & echo $! >&2; wait")
    pid = int(channel.makefile_stderr("rb").readline())
    assert look_up(pid) is not None
    rest = run(ssh, "echo still here")  # the other channels of the connection are not held up
    assert rest.out == b"still here\n" and look_up(pid) is not None
    channel.close()
    wait_until(lambda: look_up(pid) is None)


def test_many_channels_at_once(ssh: paramiko.Transport) -> None:
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: run(ssh, f"cat; exit {n}", b"%d" % n), range(32)))
    assert [(a.status, a.out) for a in answers] == [(n, b"%d" % n) for n in range(32)]


def test_small_answers_are_not_delayed(ssh: paramiko.Transport) -> None:
    channel = start(ssh, "while read line; do echo out; echo err >&2; done")
    out, err = channel.makefile("rb"), channel.makefile_stderr("rb")
    times = []
    for _ in range(100):
        begin = time.monotonic()
        channel.sendall(b"go\n")
        assert (out.readline(), err.readline()) == (b"out\n", b"err\n")
        times.append(time.monotonic() - begin)
    assert sorted(times)[50] < 0.02  # with Nagle's algorithm the second packet takes 40 ms, every time
    channel.close()


def test_a_command_finds_a_plain_environment_without_secrets(
    local: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    vm = local.create()
    ssh = connect(vm, local.key)
    answer = run(ssh, "env -0; printf '#'; cat /proc/$PPID/environ; printf '#'; pwd; umask")
    ssh.close()
    own, node, rest = answer.out.split(b"#")
    environment = dict(item.split(b"=", 1) for item in own.split(b"\0") if item)
    assert environment[b"EBBTIDE_NODE"].decode() == vm.name
    assert environment[b"PATH"] and environment[b"HOME"] == os.fsencode(Path(vm.node_root).parent / "home")
    assert b"PYTHONPATH" not in environment
    assert b"hidden" not in own + node
    assert rest.decode().split("\n") == [environment[b"HOME"].decode(), "0022", ""]


@pytest.mark.parametrize("ending", ["channel", "connection"])
def test_a_closed_channel_ends_the_command_but_not_what_has_its_own_session(
    local: LocalCloud, vm: Vm, ending: str
) -> None:
    ssh = connect(vm, local.key)
    channel = start(ssh, "setsid sleep 600 & echo $!; sleep 601 & echo $!; echo $$; wait")
    detached, background, leader = (int(line) for line in _lines(channel, 3))
    wait_until(lambda: (row := look_up(detached)) is not None and row.group == detached)
    (channel if ending == "channel" else ssh).close()
    wait_until(lambda: look_up(leader) is None and look_up(background) is None)
    assert look_up(detached) is not None
    ssh.close()


def test_what_a_finished_command_left_in_the_background_goes_on(ssh: paramiko.Transport) -> None:
    answer = run(ssh, "nohup sleep 600 </dev/null >/dev/null 2>&1 & echo $!")
    assert answer.status == 0
    assert run(ssh, "true").status == 0
    assert look_up(int(answer.out)) is not None


def _lines(channel: paramiko.Channel, count: int) -> list[bytes]:
    file = channel.makefile("rb")
    return [file.readline() for _ in range(count)]


def test_only_the_right_key_and_user_log_in(local: LocalCloud, vm: Vm) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        connect(vm, paramiko.ECDSAKey.generate())
    with pytest.raises(paramiko.AuthenticationException):
        connect(vm, local.key, user="somebody")
    assert vm.address is not None and vm.port is not None
    for attempt in ("auth_none", "auth_password"):
        transport = paramiko.Transport(socket.create_connection((vm.address, vm.port)))
        transport.start_client(timeout=PATIENCE)
        with pytest.raises(paramiko.BadAuthenticationType):
            getattr(transport, attempt)(*([vm.user] if attempt == "auth_none" else [vm.user, "secret"]))
        with pytest.raises(paramiko.SSHException):
            transport.open_session(timeout=PATIENCE)
        transport.close()


def test_commands_are_all_that_is_served(ssh: paramiko.Transport, vm: Vm) -> None:
    assert vm.port is not None
    for request in ("invoke_shell", "get_pty"):
        with pytest.raises(paramiko.SSHException):
            getattr(ssh.open_session(timeout=PATIENCE), request)()
    with pytest.raises(paramiko.SSHException):
        ssh.open_session(timeout=PATIENCE).invoke_subsystem("sftp")
    with pytest.raises(paramiko.ChannelException):
        ssh.open_channel("direct-tcpip", ("127.0.0.1", vm.port), ("127.0.0.1", 1), timeout=PATIENCE)
    assert run(ssh, "echo fine").out == b"fine\n"


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no OpenSSH client on this machine")
def test_the_openssh_client_works(local: LocalCloud, vm: Vm, tmp_path: Path) -> None:
    key_file, known = tmp_path / "key", tmp_path / "known hosts"
    local.key.write_private_key_file(str(key_file))
    known.write_text(f"[{vm.address}]:{vm.port} {vm.host_key}\n")
    options = [f"UserKnownHostsFile={tmp_path}/known", "StrictHostKeyChecking=yes", "BatchMode=yes"]
    known.rename(tmp_path / "known")
    command = ["ssh", "-F", "none", "-p", str(vm.port), "-i", str(key_file)]
    command += [part for option in options for part in ("-o", option)] + [f"{vm.user}@{vm.address}"]
    data = os.urandom(300_000)
    done = subprocess.run(
        [*command, "cat; echo note >&2; exit 9"], input=data, check=False, capture_output=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout, done.stderr) == (9, data, b"note\n")
    killed = subprocess.run(
        [*command, "kill -9 $$"], stdin=subprocess.DEVNULL, check=False, capture_output=True, timeout=PATIENCE
    )
    assert killed.returncode == 137
