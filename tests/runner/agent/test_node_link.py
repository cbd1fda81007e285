"""The controller's side, over SSH to a real local node."""

import hashlib
import io
import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from providers import Vm
from runner.agent_bundle import AgentBundle
from runner.link_errors import (
    AgentRefused,
    AuthFailed,
    FileMissing,
    HostKeyMismatch,
    LinkError,
    NoPython,
    Unreachable,
)

from .link import QUICK, Ears, Proxy, new_key
from .node import wait_until


def test_a_task_from_start_to_ack(ears: Ears) -> None:
    assert ears.hello()["op"] == "hello"
    ears.sh("t", "echo $X; echo err >&2; exit 5")
    done = ears.wait(lambda m: m["op"] == "finished")
    assert (done["exit"], done["stdout"]["text"], done["stderr"]["text"]) == (5, "é\n", "err\n")
    ears.link.send({"op": "ack", "ids": ["t"]})
    ears.link.close()
    ears.link.close()
    with pytest.raises(LinkError, match="closed"):
        ears.link.send({"op": "ping"})
    assert ears.reasons == [], "close() is no news to who called it"


def test_files(ears: Ears, tmp_path: Path) -> None:
    data = os.urandom(5 << 20)
    sha256 = hashlib.sha256(data).hexdigest()
    ears.link.upload("applications/a/big.bin", io.BytesIO(data), len(data), sha256, 0o600)
    ears.link.upload("applications/a/empty", io.BytesIO(), 0, hashlib.sha256().hexdigest())
    for offset, length in (
        (0, None),
        (0, len(data)),
        (7, 100),
        (len(data) - 5, 100),
        (len(data) + 5, 1),
        (3, 0),
    ):
        into = io.BytesIO()
        ears.link.fetch("applications/a/big.bin", offset, length, into)
        assert into.getvalue() == data[offset:][: len(data) if length is None else length]
    described = ears.link.files.stat("applications/a/big.bin")
    assert (described["size"], described["mode"], described["dir"]) == (len(data), 0o600, False)
    assert [e["path"] for e in ears.link.files.list("applications", True)[0]] == ["a", "a/big.bin", "a/empty"]
    with pytest.raises(LinkError, match="checksum"):
        ears.link.upload("applications/a/bad", io.BytesIO(b"x"), 1, sha256)
    with pytest.raises(LinkError, match="early"):
        ears.link.upload("applications/a/bad", io.BytesIO(b"x"), 9, sha256)
    names = [e["path"] for e in ears.link.files.list("applications/a")[0]]
    assert names == ["big.bin", "empty"], "half a file is there"


def test_file_paths_are_confined(ears: Ears, vm: Vm, tmp_path: Path) -> None:
    root = Path(vm.node_root)
    (tmp_path / "secret").write_text("secret")
    (root / "workitems/out").symlink_to(tmp_path)
    (root / "workitems/file").symlink_to(tmp_path / "secret")
    (root / "workitems/own").symlink_to(root / "workitems/real")
    (root / "workitems/real").write_text("fine")
    os.mkfifo(root / "workitems/fifo")
    (private,) = (root / ".ebbtide").glob("agent-*")
    into = io.BytesIO()
    for path in (
        "../x",
        "/etc/passwd",
        "workitems/out/secret",
        "workitems/file",
        "workitems/fifo",
        "workitems",
        "workitems/none",
        "workitems/own/below",
        "workitems/" + "x" * 300,
        "workitems/" + "x/" * 2500 + "x",
        f".ebbtide/{private.name}",
        "",
        "a\0b",
    ):
        with pytest.raises(FileMissing) as caught:
            ears.link.fetch(path, 0, None, into)
        assert caught.value.missing and not caught.value.fatal
    assert into.getvalue() == b""
    ears.link.fetch("workitems/own", 0, None, into)
    assert into.getvalue() == b"fine"
    for path in ("../x", "workitems/out/x", "/tmp/x", ".ebbtide/lock", "workitems/real/x", "workitems/out"):
        sha256 = hashlib.sha256(b"x").hexdigest()
        try:
            ears.link.upload(path, io.BytesIO(b"x"), 1, sha256)
        except FileMissing:
            continue
        assert path == "workitems/out", path  # the link itself was replaced by a file, which is no escape
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]


def test_a_large_transfer_delays_no_outcome(ears: Ears) -> None:
    data = bytes(30 << 20)
    sha256 = hashlib.sha256(data).hexdigest()
    came, uploaded = threading.Event(), threading.Event()

    class Held(io.BytesIO):
        """Gives its last piece away only after the outcome came."""

        def read(self, size: int | None = -1) -> bytes:
            piece = super().read(size)
            if self.tell() == len(data):
                came.wait()
            return piece

    def transfer() -> None:
        ears.link.upload("shared/large", Held(data), len(data), sha256)
        uploaded.set()

    thread = threading.Thread(target=transfer)
    thread.start()
    try:
        ears.sh("t", "true")
        ears.wait(lambda m: m["op"] == "finished")
        assert not uploaded.is_set()
    finally:
        came.set()
        thread.join()
    assert uploaded.is_set()


def test_a_cut_connection_is_told_once_and_the_task_runs_on(vm: Vm) -> None:
    proxy = Proxy(vm)
    first = Ears(proxy.vm)
    first.link.connect()
    first.link.send({"op": "configure", "slots": 1, "env": {}})
    first.sh("t", "echo x >> ran; while ! test -e go; do sleep 0.02; done; echo went")
    first.wait(lambda m: m["op"] == "started")
    proxy.cut()
    wait_until(lambda: first.reasons)
    with pytest.raises(LinkError):
        first.link.send({"op": "ping"})
    with pytest.raises(LinkError):
        first.link.fetch("startup", 0, None, io.BytesIO())
    first.link.close()
    assert len(first.reasons) == 1
    second = Ears(vm)
    second.link.connect()
    assert [e["id"] for e in second.hello()["executions"]] == ["t"]
    (Path(vm.node_root) / "workitems/j/job-1/t/wd/go").touch()
    assert second.wait(lambda m: m["op"] == "finished")["stdout"]["text"] == "went\n"
    assert (Path(vm.node_root) / "workitems/j/job-1/t/wd/ran").read_text() == "x\n"
    second.link.close()
    proxy.close()


def test_a_silent_peer_is_noticed(vm: Vm) -> None:
    proxy = Proxy(vm)
    ears = Ears(proxy.vm, timeouts=QUICK)
    ears.link.connect()
    proxy.silent = True
    wait_until(lambda: ears.reasons)
    assert "heard" in ears.reasons[0]
    proxy.close()


@pytest.mark.slow
def test_a_quiet_peer_is_not_cut(vm: Vm) -> None:
    timeouts = replace(QUICK, silence=6)  # so long that a busy machine does not look like a dead one
    ears = Ears(vm, timeouts=timeouts)
    ears.link.connect()
    until = time.monotonic() + timeouts.silence * 1.1

    def pongs() -> int:
        return sum(message["op"] == "pong" for message in list(ears.messages))

    wait_until(lambda: (time.monotonic() > until and pongs() >= 6) or ears.reasons)
    assert ears.reasons == []
    ears.link.close()


def test_a_link_that_broke_unnoticed_can_be_closed(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: bytes) -> None:
        raise EOFError

    assert ears.link.files.list("")[0] != []  # the channel for files is open
    transport = ears.link._transport
    assert transport is not None
    monkeypatch.setattr(transport.packetizer, "write_all", broken)
    ears.link.close()
    assert not transport.is_active()


def test_an_agent_that_dies_is_told(ears: Ears, vm: Vm) -> None:
    os.kill(int((Path(vm.node_root) / ".ebbtide/lock").read_text()), 9)
    wait_until(lambda: ears.reasons)
    assert "agent ended" in ears.reasons[0]


def test_who_answers_must_be_who_was_pinned(vm: Vm) -> None:
    assert vm.host_key is not None
    other = paramiko.Ed25519Key.from_private_key(io.StringIO(new_key()))
    pins = [f"ssh-ed25519 {other.get_base64()}", "ecdsa-sha2-nistp256 " + vm.host_key.split()[1], None, ""]
    for pin in pins:
        with pytest.raises(HostKeyMismatch) as caught:
            Ears(replace(vm, host_key=pin)).link.connect()
        assert caught.value.fatal
    link = Ears(replace(vm, host_key=vm.host_key + " comment")).link
    link.connect()
    link.close()


def test_typed_errors(vm: Vm, tmp_path: Path) -> None:
    with pytest.raises(AuthFailed, match="refuses"):
        Ears(vm, new_key()).link.connect()
    with pytest.raises(AgentRefused, match="writable"):
        Ears(replace(vm, node_root="/proc/nowhere")).link.connect()
    with pytest.raises(Unreachable):
        Ears(replace(vm, address=None)).link.connect()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(Unreachable):
            Ears(replace(vm, port=port), timeouts=replace(QUICK, handshake=0.5)).link.connect()
    with socket.socket() as bound:  # so nobody else gets the port; connections to it are refused
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="answer"):
            Ears(replace(vm, port=bound.getsockname()[1]), timeouts=replace(QUICK, connect=0.3)).link.connect()
    with pytest.raises(ValueError, match="private key"):
        Ears(vm, "no key")


def login_prints(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The login shell runs `script` before any command."""
    original = AgentBundle.bootstrap

    def bootstrap(self: AgentBundle, root: str) -> tuple[str, bytes]:
        command, loader = original(self, root)
        return f"{script}; {command}", loader

    monkeypatch.setattr(AgentBundle, "bootstrap", bootstrap)


def test_a_node_without_python(vm: Vm, monkeypatch: pytest.MonkeyPatch) -> None:
    login_prints(monkeypatch, "echo noise of a login shell; PATH=/nowhere")
    with pytest.raises(NoPython, match="install"):
        Ears(vm).link.connect()


def test_noise_of_the_login_shell_is_passed_over(vm: Vm, monkeypatch: pytest.MonkeyPatch) -> None:
    login_prints(monkeypatch, "echo Welcome; echo")
    ears = Ears(vm)
    ears.link.connect()
    assert ears.hello()["op"] == "hello"
    ears.link.close()
