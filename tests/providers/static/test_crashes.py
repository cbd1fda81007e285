"""kill -9 of the controller, and of what it started on a host, at every step: nothing is lost and nothing stays."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from providers import TransientError, VmState
from providers.static import on_host

from ..clouds.static import StaticCloud
from ..conftest import forked
from ..waiting import wait_until

CONTROLLER = {"open", "os.rename", "os.remove", "os.mkdir", "socket.connect"}
ON_HOST = {"open", "os.rename", "os.remove", "os.mkdir", "os.link", "os.rmdir", "subprocess.Popen"}


def crash_at(step: int, steps: set[str], action: Callable[[], object], below: str = "/") -> bool:
    """Do `action` in a child that is killed before its `step`-th step on disk or network; False if it finished."""
    count = 0
    caller = threading.get_ident()

    def watch(event: str, details: tuple[Any, ...]) -> None:
        nonlocal count
        if event in steps and threading.get_ident() == caller:
            writes = event != "open" or details[2] & (os.O_WRONLY | os.O_RDWR)
            if not writes or (event == "open" and not str(details[0]).startswith(below)):
                return  # reading changes nothing
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched() -> None:
        sys.addaudithook(watch)
        action()

    status = forked(watched)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def asked_at(point: int, action: Callable[[], object]) -> bool:
    """Do `action` in a child that is killed before (even) or after (odd) a question to a host; False if it finished.

    After it means: the answer never came, and what was asked goes on.
    """

    def watched() -> None:
        from providers.static.link import HostLink

        count = 0
        ask = HostLink.ask

        def cut(self: HostLink, request: dict[str, Any], within: float) -> dict[str, Any]:
            nonlocal count
            if request["op"] == "look":
                return ask(self, request, within)
            count += 2
            if count - 2 == point:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = ask(self, request, within)
            if count - 1 == point:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        HostLink.ask = cut  # type: ignore[method-assign] # in this child only
        action()

    status = forked(watched)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def leased(static: StaticCloud) -> int:
    return sum(bool(host.left()) for host in static.hosts)


STEPS = pytest.param(partial(crash_at, steps=CONTROLLER), id="step", marks=pytest.mark.slow)
QUESTIONS = pytest.param(asked_at, id="question")


@pytest.mark.parametrize("crash", [STEPS, QUESTIONS])
def test_a_create_that_crashed_anywhere_is_finished_or_ended(static: StaticCloud, crash: Any) -> None:
    point, crashes = 0, 0
    while True:
        point += 1
        number = point - 1 if crash is asked_at else point
        died = crash(number, action=lambda: static.reopen().create(static.spec()))
        crashes += died
        static.provider = static.reopen()
        assert set(static.states().values()) <= {VmState.PENDING, VmState.RUNNING}
        if point % 2:
            vm = static.create()
            assert (vm.state, leased(static)) == (VmState.RUNNING, 1)
        static.provider.destroy(f"{static.deployment}-n1")
        assert static.inventory() == []
        if not died:
            break
    assert crashes >= (2 if crash is asked_at else 5), "no crash has happened"


@pytest.mark.parametrize("crash", [STEPS, QUESTIONS])
def test_a_destroy_that_crashed_anywhere_is_finished_by_the_next(static: StaticCloud, crash: Any) -> None:
    point, crashes = 0, 0
    while True:
        point += 1
        number = point - 1 if crash is asked_at else point
        vm = static.create()
        died = crash(number, action=lambda name=vm.name: static.reopen().destroy(name))
        crashes += died
        static.provider = static.reopen()
        static.provider.list_owned()
        static.provider.destroy(vm.name)
        assert static.inventory() == []
        if not died:
            break
    assert crashes >= 2, "no crash has happened"


def test_a_host_that_may_have_the_lease_is_waited_for(static: StaticCloud) -> None:
    """The controller was killed after it had asked, and now the host is down: another host would be a second one."""
    assert asked_at(1, lambda: static.reopen().create(static.spec()))
    static.hosts[0].down()
    static.provider = static.reopen()
    with pytest.raises(TransientError, match="may be on a host"):
        static.create()
    assert static.states() == {"n1": VmState.PENDING}
    static.hosts[0].up()
    assert static.create().port == static.hosts[0].port
    assert leased(static) == 1


DEPLOYMENT = f"test{os.getpid()}"  # what carries its mark is ended: nobody else's may be called so
NAME = f"{DEPLOYMENT}-n1"
LEASE = {"name": NAME, "deployment": DEPLOYMENT, "pool_id": "p", "node_id": "n1", "size": "s", "low_priority": False}
PLACE = {"root": "nodes", "keys": ".ssh/authorized_keys"}


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "authorized_keys").write_text("ssh-ed25519 AAAA owner\n")
    return tmp_path


def lease() -> None:
    answer = on_host.lease({**PLACE, "lease": {**LEASE, "created": 1.0, "tags": {}}, "public_key": "ssh-ed25519 BBBB"})
    assert "lease" in answer, answer


def release() -> None:
    on_host.release({**PLACE, "name": NAME, "deployment": DEPLOYMENT})


def left(account: Path) -> list[str]:
    files = [str(path) for path in account.rglob("*") if path.is_file() and path.name != "lock"]
    ours = f'restrict,pty,command="/bin/sh {account}/.ebbtide/enter" ssh-ed25519 BBBB ebbtide:{NAME}\n'
    owners = "ssh-ed25519 AAAA owner\n"
    assert (account / ".ssh" / "authorized_keys").read_text() in (owners, ours + owners)
    return files + [str(path) for path in account.glob("nodes/*")]


@pytest.mark.parametrize("what", [lease, release])
def test_a_host_that_lost_power_at_any_step_comes_clean(account: Path, what: Callable[[], None]) -> None:
    step = 1
    while True:
        if what is release:
            lease()
        died = crash_at(step, ON_HOST, what, below=str(account))
        found = on_host.read_lease()
        assert found is None or found["name"] == NAME
        left(account)
        if step % 2:
            lease()
        release()
        assert left(account) == [str(account / ".ssh" / "authorized_keys")]
        assert on_host.read_lease() is None
        if not died:
            break
        step += 1
    assert step > 4, "no crash has happened"


def test_of_many_who_want_a_lease_one_gets_it(account: Path) -> None:
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            try:
                spec = {**LEASE, "name": f"{NAME}{number}", "deployment": DEPLOYMENT, "created": 1.0, "tags": {}}
                answer = on_host.lease({**PLACE, "lease": spec, "public_key": "ssh-ed25519 BBBB"})
                os._exit(0 if "lease" in answer else 1 if answer["taken"] else 2)
            finally:
                os._exit(3)
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0] + [1] * 7
    wait_until(lambda: on_host.read_lease() is not None)
