"""Giving a host back: everything of the node ends and goes, and nothing else does."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from providers import ProviderError, VmState
from providers.processes import look_up, marker_of

from ..clouds.static import StaticCloud
from ..conftest import running
from ..ssh import connect, run, start
from ..waiting import wait_until


@contextmanager
def node(static: StaticCloud) -> Iterator[tuple[paramiko.Transport, Path]]:
    vm = static.create()
    transport = connect(vm, static.key)
    try:
        yield transport, Path(vm.node_root)
    finally:
        transport.close()


def destroy(static: StaticCloud) -> None:
    static.provider.destroy(f"{static.deployment}-n1")


def test_every_process_of_the_node_ends(static: StaticCloud) -> None:
    with node(static) as (transport, root):
        shutil.copy("/bin/sleep", root / "program")
        script = f"""
cd '{root}'
sleep 600 >/dev/null 2>&1 & echo $!
setsid sleep 600 >/dev/null 2>&1 </dev/null & echo $!
env -i /bin/sh -c 'sleep 600 >/dev/null 2>&1 & echo $!' &
wait $!
(cd / && exec env -i '{root}/program' 600 >/dev/null 2>&1) & echo $!
"""
        pids = [int(line) for line in run(transport, script).out.split()]
        loop = start(transport, "while :; do (sleep 0.01 &) ; done")
        wait_until(lambda: all(look_up(pid) for pid in pids) and marker_of(pids[2]) is None)
        assert len(pids) == 4
        destroy(static)
        assert [pid for pid in pids if look_up(pid) is not None] == []
        loop.close()


def test_what_is_not_the_nodes_goes_on(static: StaticCloud) -> None:
    """Others of the same user: outside the folder, and with a terminal also inside."""
    with node(static) as (_, root):
        far = running(["sleep", "600"], cwd="/", env={**os.environ, "HINT": str(root)})
        near = running(["sleep", "600"], cwd=root.parent)
        master, slave = pty.openpty()
        take = "import fcntl, os, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp('sleep', ['sleep', '600'])"
        at_terminal = running([sys.executable, "-c", take], cwd=root, stdin=slave, start_new_session=True)
        with far as one, near as two, at_terminal as three:
            wait_until(lambda: b"sleep" in Path(f"/proc/{three.pid}/cmdline").read_bytes()[:6])
            destroy(static)
            assert [process.poll() for process in (one, two, three)] == [None] * 3
            assert not root.exists()
        os.close(master)
        os.close(slave)


def test_files_go_whatever_their_modes_and_links_are_not_followed(static: StaticCloud) -> None:
    precious = static.base.parent / "precious"
    (precious / "folder").mkdir(parents=True)
    (precious / "folder").chmod(0o500)
    with node(static) as (transport, root):
        deep = "/".join(["d" * 50] * 60)
        script = f"""
cd '{root}'
ln -s '{precious}' link; ln -s '{precious}/folder' folder
mkdir -p locked/inner '{deep}' && touch locked/inner/file && chmod 000 locked/inner && chmod 500 locked .
"""
        assert run(transport, script).status == 0
        destroy(static)
        assert not root.exists()
    assert (precious / "folder").stat().st_mode & 0o777 == 0o500


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
def test_what_is_mounted_in_the_folder_is_left_alone(static: StaticCloud) -> None:
    with node(static) as (_, root):
        (root / "a b").mkdir()
        mount = ["mount", "-t", "tmpfs", "tmpfs", str(root / "a b")]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("nothing can be mounted here")
        try:
            (root / "a b" / "file").touch()
            with pytest.raises(ProviderError, match=r"a b is mounted in the node's folder: unmount it"):
                destroy(static)
            assert (root / "a b" / "file").exists()
            assert static.states() == {"n1": VmState.RUNNING}  # it keeps its lease: nobody else gets this host
        finally:
            subprocess.run(["umount", str(root / "a b")], check=True)
        destroy(static)
        assert not root.exists()


def test_the_owners_keys_stay_as_they_were(static: StaticCloud) -> None:
    keys = static.hosts[0].keys
    keys.write_bytes(b"# caf\xe9 \\\n\n" + keys.read_bytes() + b"\r\nssh-rsa AAAA ebbtide-like\n")
    keys.chmod(0o640)
    before = keys.read_bytes()
    static.create()
    assert before in keys.read_bytes() and keys.stat().st_mode & 0o777 == 0o640
    destroy(static)
    assert keys.read_bytes() == before and keys.stat().st_mode & 0o777 == 0o640


def test_a_key_that_the_owner_has_let_in_already_carries_the_mark_all_the_same(static: StaticCloud) -> None:
    """sshd takes the first line that has the key."""
    host = static.hosts[0]
    host.keys.write_text(host.keys.read_text() + f"\n{static.spec().public_key} by hand\n")
    with node(static) as (transport, _):
        assert run(transport, "echo $EBBTIDE_NODE").out.decode().strip() == f"{static.deployment}-n1"
