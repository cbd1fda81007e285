"""The controller's side, over a real OpenSSH server on a machine that our first-boot script has made a node."""

import io
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from providers import HostKeys, Vm
from providers.bootstrap import BOOTING_FILE, HEARD_FILE, MACHINE_FILE, Bootstrap
from runner import agent_bundle
from runner.agent import PRIVATE, heard, users
from runner.link_errors import AgentRefused, HostKeyMismatch, NoPython, Unreachable
from runner.node_link import LinkTimeouts
from tests.providers.machine import Machine, as_vm, free_port, unavailable

from .link import KEY, Ears
from .node import wait_until

HOST_KEYS = HostKeys(b"s" * 32)
PUBLIC = paramiko.Ed25519Key.from_private_key(io.StringIO(KEY))
ADMIN = Bootstrap(
    "admin", f"ssh-ed25519 {PUBLIC.get_base64()}", HOST_KEYS.private("vm"), "/mnt/batch/tasks", dead_man=1000.0
)


class Host:
    """A node. Its sshd has no PATH but /usr/bin and /bin, or what a test says."""

    def __init__(self, folder: Path, configuration: str = "", bootstrap: Bootstrap = ADMIN) -> None:
        self.machine = Machine(folder, "dash")
        self.bootstrap = bootstrap
        port = free_port()
        self.vm: Vm = as_vm(port, bootstrap.user, HOST_KEYS.public("vm"))
        try:
            self.machine.serve_ssh(port, configuration)
            booted = self.machine.boot(bootstrap.script())
            assert booted.returncode == 0, booted
        except BaseException:
            self.machine.end()
            raise

    def path(self, name: str) -> Path:
        return self.machine.path / name.lstrip("/")

    def ears(self, **change: object) -> Ears:
        """Connected, when sshd has begun anew with the pinned key."""

        def connected() -> Ears | None:
            ears = Ears(replace(self.vm, **change), timeouts=LinkTimeouts(start=20.0))  # type: ignore[arg-type]
            try:
                ears.link.connect()
            except (Unreachable, HostKeyMismatch):
                return None
            return ears

        ears: Ears = wait_until(connected)
        ears.link.send({"op": "configure", "slots": 1, "env": {}})
        return ears


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    reason = unavailable()
    if reason is not None:
        pytest.skip(reason)
    return tmp_path / "machine"


@pytest.fixture
def host(folder: Path) -> Iterator[Host]:
    host = Host(folder)
    yield host
    host.machine.end()


def test_both_packages_name_the_same_files() -> None:
    assert f"{PRIVATE}/{heard.NAME}" == HEARD_FILE
    assert agent_bundle.BOOTING_FILE == BOOTING_FILE
    assert agent_bundle.MACHINE_FILE == users.MACHINE == MACHINE_FILE


@pytest.mark.parametrize("user", ["admin", "root"])
def test_a_task_on_a_node_that_the_script_has_made(folder: Path, user: str) -> None:
    host = Host(folder, bootstrap=replace(ADMIN, user=user))
    try:
        ears = host.ears()
        ears.sh("t", "id -un; pwd; echo $HOME; touch x")
        done = ears.wait(lambda m: m["op"] == "finished")
        # root can become the user of the pool's tasks, and has made it
        runs_as, home = ("_azbatch", "/mnt/batch/tasks/home/_azbatch") if user == "root" else (user, "/home/admin")
        told = done["stdout"]["text"].splitlines()
        assert (done["exit"], told) == (0, [runs_as, "/mnt/batch/tasks/workitems/j/job-1/t/wd", home])
        ears.link.close()
    finally:
        host.machine.end()


def test_what_the_controller_says_keeps_the_dead_man_timer_waiting(host: Host) -> None:
    """Also when it has nothing to say: it asks whether the node lives, which is a word too."""
    ears = Ears(host.vm, timeouts=replace(LinkTimeouts(), ping=0.2))

    def connected() -> bool:
        try:
            ears.link.connect()
        except (Unreachable, HostKeyMismatch):
            return False
        return True

    wait_until(connected)
    file = host.path(f"/mnt/batch/tasks/{HEARD_FILE}")
    first = file.stat().st_mtime_ns
    assert abs(first / 1e9 - time.time()) < 60.0
    ears.link.send({"op": "configure", "slots": 1, "env": {}, "usage": 0.1})  # the node is never quiet
    wait_until(lambda: file.stat().st_mtime_ns > first)
    ears.link.close()


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash", "/fakes/sh"])
def test_no_python(folder: Path, shell: str) -> None:
    """`/fakes/sh` is busybox."""
    host = Host(folder, "SetEnv PATH=/nowhere\n")
    try:
        host.path("/fakes/sh").unlink()
        host.path("/fakes/sh").symlink_to("/usr/bin/busybox")
        users = host.path("/etc/passwd")
        users.write_text(users.read_text().replace(":/home/admin:/bin/sh", f":/home/admin:{shell}"))
        with pytest.raises(NoPython, match=r"install Python 3\.8") as caught:
            host.ears()
        assert caught.value.fatal
    finally:
        host.machine.end()


def test_a_root_that_cannot_be_made_is_refused_with_the_cure(host: Host) -> None:
    with pytest.raises(AgentRefused, match="as root: install -d -o admin /opt/tasks") as caught:
        host.ears(node_root="/opt/tasks")
    assert "Permission denied" in str(caught.value) and caught.value.fatal


def test_nothing_starts_before_the_first_boot_has_come_to_its_end(host: Host) -> None:
    """The user's own script may be about to install Python, or what the tasks need."""
    host.ears().link.close()
    booting = host.path(BOOTING_FILE)
    booting.touch()
    with pytest.raises(Unreachable, match="first boot"):
        Ears(host.vm, timeouts=LinkTimeouts(start=0.5)).link.connect()
    waiting = [p for p in Path("/proc").iterdir() if p.name.isdigit() and _waits(p)]
    assert waiting, "who waits?"
    booting.unlink()
    host.ears().link.close()
    wait_until(lambda: not any(_waits(p) for p in waiting))


def _waits(process: Path) -> bool:
    try:
        waits = BOOTING_FILE.encode() in (process / "cmdline").read_bytes()
        return waits and (process / "root").readlink() != Path("/")
    except OSError:
        return False


def test_an_agent_that_dies_is_told_as_such_also_while_it_is_written_to(host: Host) -> None:
    ears = host.ears()
    ears.hello()
    pid = int(host.path(f"/mnt/batch/tasks/{PRIVATE}/lock").read_text())
    inside = next(p for p in Path("/proc").iterdir() if p.name.isdigit() and _is(p, pid, host.machine.path))
    os.kill(int(inside.name), signal.SIGKILL)
    while not ears.reasons:
        try:
            ears.link.send({"op": "ping", "n": 1, "filler": "x" * 10_000})
        except Unreachable:
            break
        time.sleep(0.001)
    wait_until(lambda: ears.reasons)
    assert ears.reasons[0].startswith("the agent ended")


def _is(process: Path, pid: int, root: Path) -> bool:
    """Whether it is process `pid` of the machine whose root is there."""
    try:
        status = (process / "status").read_text()
        return f"\t{pid}\n" in next(x for x in status.splitlines(True) if x.startswith("NSpid:")) and (
            process / "root"
        ).readlink() == root
    except OSError:
        return False
