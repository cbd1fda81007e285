"""Life and death of local nodes: what outlives what, and that an end ends everything."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import paramiko
import pytest

from providers import InvalidRequestError, MarkedProcess, Vm, VmState, marked_processes, open_provider
from providers.processes import ProcessId, all_processes, is_alive, look_up

from .clouds.local import LocalCloud
from .conftest import forked, wait_until
from .ssh import PATIENCE, connect, run, start

Prepared = TypeVar("Prepared")

HOLD_THE_LIFELINE = """python3 -c '
import os, sys
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
print(os.getpid(), flush=True)
null = os.open("/dev/null", os.O_RDWR)
for fd in (0, 1, 2): os.dup2(null, fd)
os.read(int(os.environ["EBBTIDE_LIFELINE_FD"]), 1)
'"""


SLEEP = f"sleep 60.{os.getpid()}"  # found by its command line, for it hides its marker


def node_pid(vm: Vm) -> int:
    return int(json.loads((Path(vm.node_root).parent / "node.json").read_text())["pid"])


def living(pids: list[int]) -> list[int]:
    return [pid for pid in pids if look_up(pid) is not None]


def test_a_node_is_nobodys_child_and_outlives_its_controller(local: LocalCloud) -> None:
    assert forked(local.create) == 0
    [vm] = local.provider.list_owned()
    assert vm.state is VmState.RUNNING
    assert os.getsid(node_pid(vm)) == node_pid(vm)
    row = look_up(node_pid(vm))
    assert row is not None and row.parent != os.getpid()
    assert local.reopen().create(local.spec()).port == vm.port


def test_a_killed_node_takes_its_lifeline_holders_along_and_says_that_it_died(local: LocalCloud) -> None:
    vm = local.create()
    ssh = connect(vm, local.key)
    holder = int(run(ssh, HOLD_THE_LIFELINE).out)
    reader = start(ssh, "echo $$; exec cat")
    pids = [holder, int(reader.makefile("rb").readline())]
    stubborn = int(run(ssh, "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!").out)
    assert living([*pids, stubborn]) == [*pids, stubborn]
    os.kill(node_pid(vm), signal.SIGKILL)
    wait_until(lambda: not living(pids))  # nobody has looked yet
    wait_until(lambda: not living([node_pid(vm)]))  # its end of the lifeline is closed a little before it is gone
    gone = local.one(vm.name)
    assert gone.state is VmState.TERMINATED and gone.reason is not None and "died" in gone.reason
    # A look ends what is left, but does not wait for it for long; the next one goes on.
    wait_until(lambda: local.states() and not living([stubborn]))
    assert marked_processes(local.deployment) == []
    ssh.close()
    assert local.create().state is VmState.TERMINATED  # a name lives once


def test_destroy_ends_what_forks_and_what_hides(local: LocalCloud) -> None:
    vm = local.create()
    ssh = connect(vm, local.key)
    forks = start(ssh, f"while :; do env -i /bin/sh -c '{SLEEP} & {SLEEP}' & sleep 0.005; done")
    chain = start(ssh, "f() { sleep 0.002; setsid sleep 0.002 & f & }; f; sleep 600")  # always another process
    run(ssh, f"setsid env -i {SLEEP} </dev/null >/dev/null 2>&1 & exit")  # an orphan without the marker
    wait_until(lambda: len(_sleepers()) > 20)
    local.provider.destroy(vm.name)
    assert marked_processes(local.deployment) == []
    assert _sleepers() == []
    assert (forks.recv(1), chain.recv(1)) == (b"", b"")
    ssh.close()


def _sleepers() -> list[int]:
    found = []
    for row in all_processes():
        try:
            if Path(f"/proc/{row.id.pid}/cmdline").read_bytes() == SLEEP.replace(" ", "\0").encode() + b"\0":
                found.append(row.id.pid)
        except OSError:
            pass
    return found


def test_preemption_is_abrupt(local: LocalCloud) -> None:
    vm = local.create()
    ssh = connect(vm, local.key)
    pid = int(run(ssh, "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!").out)
    channel = start(ssh, "sleep 600")
    local.provider.preempt(vm.name)
    assert not living([pid, node_pid(vm)])
    assert channel.recv(1) == b""
    wait_until(lambda: not ssh.is_active())
    ssh.close()


IDLE = (1, 6, 30)  # seconds: where the machine stands still for the first, it is tried again with the next


def in_time(local: LocalCloud, node: str, idle: int, prepare: Callable[[Vm], Prepared]) -> tuple[Vm, Prepared] | None:
    """A VM with this idle time-out, prepared; None if the node ended first, as it must, since we were too slow."""
    local.provider = local.reopen(idleTimeout=idle)
    vm = local.create(f"{node}{idle}")
    try:
        return vm, prepare(vm)
    except (OSError, EOFError, ValueError, paramiko.SSHException):
        wait_until(lambda: not living([node_pid(vm)]))
        assert has_idled(local, vm, idle)
        return None


def has_idled(local: LocalCloud, vm: Vm, idle: int) -> bool:
    gone = local.one(vm.name)
    return (gone.state, gone.reason) == (VmState.TERMINATED, f"no controller has spoken to it for {idle} s")


def test_an_idle_node_ends_itself_and_everything_on_it(local: LocalCloud) -> None:
    def detach(vm: Vm) -> int:
        ssh = connect(vm, local.key)
        try:
            return int(run(ssh, "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!").out)
        finally:
            ssh.close()

    vm, detached, idle = next((*ready, idle) for idle in IDLE if (ready := in_time(local, "n", idle, detach)))
    wait_until(lambda: not living([node_pid(vm)]))
    assert not living([detached])
    assert has_idled(local, vm, idle)


def test_silent_and_strange_connections_do_not_keep_a_node(local: LocalCloud) -> None:
    silent, connection = next(
        ready for idle in IDLE if (ready := in_time(local, "silent", idle, partial(connect, key=local.key)))
    )
    strangers = local.create("strangers")
    deadline = time.monotonic() + 2 * PATIENCE
    while living([node_pid(silent), node_pid(strangers)]):
        assert time.monotonic() < deadline, "a node lives on though no controller speaks to it"
        with pytest.raises((paramiko.SSHException, EOFError, OSError)):
            connect(strangers, paramiko.ECDSAKey.generate())
    connection.close()


def test_keep_alives_keep_a_node(local: LocalCloud) -> None:
    def outlives(idle: int) -> bool:
        ready = in_time(local, "spoken", idle, partial(connect, key=local.key))
        if ready is None:
            return False
        vm, ssh = ready
        ssh.packetizer.set_keepalive(0.2, lambda: ssh.global_request("keepalive@test", wait=False))
        end = time.monotonic() + 2.2 * idle
        wait_until(lambda: time.monotonic() > end or not living([node_pid(vm)]), within=3 * PATIENCE)
        lives = local.one(vm.name).state is VmState.RUNNING
        ssh.close()
        assert lives or has_idled(local, vm, idle)
        return lives

    assert any(map(outlives, IDLE))


def test_a_node_told_to_end_says_so(local: LocalCloud) -> None:
    vm = local.create()
    pid = node_pid(vm)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not living([pid]))
    gone = local.one(vm.name)
    assert gone.state is VmState.TERMINATED and gone.reason is not None and "SIGTERM" in gone.reason


def test_states_do_not_see_each_other(local: LocalCloud, tmp_path: Path) -> None:
    vm = local.create()
    elsewhere = open_provider("local", {"baseDir": str(tmp_path / "other")}, local.deployment)
    assert elsewhere.list_owned() == []
    stranger = open_provider("local", {"baseDir": str(local.base)}, local.deployment + "b")
    assert stranger.list_owned() == []
    assert marked_processes(local.deployment + "b") == []
    assert [(p.pid, p.vm_name) for p in marked_processes(local.deployment)] == [(node_pid(vm), vm.name)]
    assert local.states() == {"n1": VmState.RUNNING}


def test_a_marked_process_shows_its_command(local: LocalCloud) -> None:
    vm = local.create()
    [process] = marked_processes(local.deployment)
    assert process == MarkedProcess(node_pid(vm), vm.name, process.command)
    assert "providers.local.node" in process.command and str(local.base) in process.command


@pytest.mark.parametrize("change", [{"start": 1}, {"boot_id": "another boot"}])
def test_another_process_with_the_same_pid_is_not_the_node(local: LocalCloud, change: dict[str, object]) -> None:
    vm = local.create()
    file = Path(vm.node_root).parent / "node.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    assert local.states() == {"n1": VmState.TERMINATED}


def test_a_damaged_record_is_shown_and_can_be_destroyed(local: LocalCloud) -> None:
    vm = local.create()
    (Path(vm.node_root).parent / "vm.json").write_text("{")
    shown = local.one(vm.name)
    assert shown.state is VmState.UNKNOWN and shown.reason is not None and "vm.json" not in shown.name
    (local.base / "notes.txt").write_text("somebody's own")
    stranger = open_provider("local", {"baseDir": str(local.base)}, local.deployment + "b")
    assert stranger.list_owned() == [] and local.one(vm.name) == shown
    local.provider.destroy(vm.name)
    assert local.provider.list_owned() == [] and marked_processes(local.deployment) == []


def test_a_node_whose_directory_was_deleted_by_hand_is_still_ended(local: LocalCloud) -> None:
    vm = local.create()
    directory = Path(vm.node_root).parent
    shutil.rmtree(directory)
    assert local.provider.list_owned() == []
    assert len(marked_processes(local.deployment)) == 1
    local.provider.destroy(vm.name)
    assert marked_processes(local.deployment) == []


def test_files_that_resist_are_removed(local: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir(mode=0o500)
    vm = local.create()
    ssh = connect(vm, local.key)
    run(
        ssh,
        f'cd "{vm.node_root}"; mkdir -p a/b; touch a/b/c; chmod 0 a/b; chmod 500 a',
    )
    run(ssh, f'cd "{vm.node_root}"; mkdir d; ln -s "{tmp_path}/outside" d/l')
    ssh.close()
    local.provider.destroy(vm.name)
    assert list((local.base / ".ending").iterdir()) == []
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o500


def test_folders_without_end_are_removed(local: LocalCloud) -> None:
    vm = local.create()
    script = "import os\nfor _ in range(1100): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0)"
    subprocess.run([sys.executable, "-c", script], cwd=vm.node_root, check=True)
    local.provider.destroy(vm.name)
    assert list((local.base / ".ending").iterdir()) == []


def test_others_can_neither_hold_nor_read_what_is_beside_the_nodes(local: LocalCloud) -> None:
    vm = local.create()
    assert (local.base / ".lock").stat().st_mode & 0o077 == 0
    left = [path.name for path in (local.base / vm.name).iterdir() if path.stat().st_mode & 0o077]
    assert left in ([], ["root"]), "the agent may open the node's folder"


@pytest.mark.parametrize("said", ["self", "poolUser", None])
def test_who_tasks_run_as(local: LocalCloud, said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 0)
    options = {"baseDir": str(local.base), **({} if said is None else {"runAs": said})}
    profile = open_provider("local", options, local.deployment).profile()
    assert (profile.pool_user, profile.unasked_root) == (said == "poolUser", said is None)
    monkeypatch.setattr("os.getuid", lambda: 1000)
    if said == "poolUser":
        with pytest.raises(InvalidRequestError, match="poolUser needs root"):
            open_provider("local", options, local.deployment)
    else:
        assert not open_provider("local", options, local.deployment).profile().unasked_root


def test_a_process_is_told_from_a_later_one_with_its_id() -> None:
    row = look_up(os.getpid())
    assert row is not None and is_alive(row.id)
    assert not is_alive(ProcessId(row.id.pid, row.id.start + 1))
