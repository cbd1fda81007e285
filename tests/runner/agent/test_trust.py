"""Nodes of a pool log in to each other: with the real ssh, at a real sshd."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from runner import PoolKeys
from runner.agent import trust

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin:/bin")
KEYS = PoolKeys(bytes(32))
#: OpenSSH's form of a private key holds a number by chance.
PAIRS = {pool: KEYS.pair(pool) for pool in "pq"}


def test_the_pair_is_the_same_for_the_same_pool_and_deployment_alone() -> None:
    public = KEYS.pair("p")["public"]
    assert public == PoolKeys(bytes(32)).pair("p")["public"] and public.startswith("ssh-ed25519 AAAA")
    others = KEYS.pair("q"), PoolKeys(b"x" * 32).pair("p")
    assert public.split()[1] not in [other["public"].split()[1] for other in others]


def place(home: Path, pool: str = "p") -> None:
    trust.place(str(home), os.getuid(), os.getgid(), PAIRS[pool])


def test_what_is_there_stays_and_nothing_is_put_there_twice(tmp_path: Path) -> None:
    folder = tmp_path / ".ssh"
    folder.mkdir(0o700)
    (folder / "authorized_keys").write_text("ssh-ed25519 AAAA somebody")  # without an end of line
    (folder / "config").write_text("Host a\n    User b\n")
    place(tmp_path)
    once = {path.name: path.read_text() for path in folder.iterdir()}
    place(tmp_path)
    assert {path.name: path.read_text() for path in folder.iterdir()} == once
    assert once["authorized_keys"].startswith("ssh-ed25519 AAAA somebody\n")
    assert once["config"].startswith("Host a\n    User b\n")
    place(tmp_path, "q")
    keys = (folder / "authorized_keys").read_text()
    assert KEYS.pair("q")["public"] in keys and KEYS.pair("p")["public"] not in keys
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def made(kind: str, path: Path, other: Path) -> None:
    if kind == "link":
        path.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
        (path / "x").touch()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
@pytest.mark.parametrize("name", ["ebbtide", "authorized_keys", "config"])
def test_what_stands_in_the_way_of_a_file_goes(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / "other").write_text("mine")
    made(kind, tmp_path / ".ssh" / name, tmp_path / "other")
    place(tmp_path)
    assert (tmp_path / "other").read_text() == "mine"
    assert (tmp_path / ".ssh" / name).lstat().st_mode == 0o100600
    assert len(list((tmp_path / ".ssh").iterdir())) == (4 if kind == "folder" else 3)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_link_in_the_place_of_the_folder_leads_nowhere(tmp_path: Path, kind: str) -> None:
    """Else root would write where the user points it, and give that user what is there."""
    home, other = tmp_path / "home", tmp_path / "roots"
    home.mkdir()
    other.mkdir(0o700)
    (other / "authorized_keys").write_text("of root")
    uid = 1_899_990_000 if not os.getuid() else os.getuid()
    if not os.getuid():
        os.chown(home, uid, uid)
    made(kind, home / ".ssh", other)
    trust.place(str(home), uid, uid, PAIRS["p"])
    assert [path.name for path in other.iterdir()] == ["authorized_keys"]
    assert (other / "authorized_keys").read_text() == "of root" and other.stat().st_uid == os.getuid()
    assert {path.lstat().st_uid for path in [home / ".ssh", *(home / ".ssh").iterdir()]} == {uid}


@pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="needs OpenSSH's ssh and sshd")
def test_they_log_in(tmp_path: Path) -> None:
    assert SSHD is not None
    place(tmp_path)
    folder, me = tmp_path / ".ssh", pwd.getpwuid(os.getuid()).pw_name
    host_key = tmp_path / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"HostKey={host_key}", f"AuthorizedKeysFile={folder}/authorized_keys", "StrictModes=no", "UsePAM=no"]
    options += ["ListenAddress=127.0.0.1", f"Port={port}", "PasswordAuthentication=no", f"PidFile={tmp_path}/pid"]
    os.makedirs("/run/sshd", exist_ok=True) if not os.getuid() else None
    server = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", "/dev/null", *(word for each in options for word in ("-o", each))],
        stderr=subprocess.PIPE, text=True,
    )
    try:
        command = ["ssh", "-F", str(folder / "config"), "-o", "BatchMode=yes", "-p", str(port), f"{me}@127.0.0.1"]
        end = time.monotonic() + 30
        say = [*command, "echo in"]
        while (done := subprocess.run(say, capture_output=True, text=True, check=False)).returncode:
            assert time.monotonic() < end and server.poll() is None, done.stderr
            time.sleep(0.1)
        assert done.stdout == "in\n" and done.stderr == ""
    finally:
        server.terminate()
        server.communicate()
