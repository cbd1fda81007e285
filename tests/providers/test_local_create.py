"""Creating and destroying local nodes while controllers crash, race and run out of room."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from providers import CapacityError, InvalidRequestError, ProviderError, VmState, marked_processes
from providers.local.record import VmRecord
from providers.local.registry import Registry

from .clouds.local import LocalCloud
from .conftest import forked, running, wait_until
from .ssh import PATIENCE, connect, run

STEPS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "open", "subprocess.Popen", "os.chmod"}


def crash_at(step: int, action: Callable[[], object]) -> bool:
    """Do `action` in a child that is killed before its `step`-th step on disk or processes; False if it
    finished.
    """
    count = 0
    caller = threading.get_ident()

    def watch(event: str, _: object) -> None:
        nonlocal count
        if event in STEPS and threading.get_ident() == caller:
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched() -> None:
        sys.addaudithook(watch)
        action()

    status = forked(watched)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def test_a_create_that_crashed_anywhere_is_finished_by_the_next(local: LocalCloud) -> None:
    step = 1
    while crash_at(step, partial(local.create, f"n{step}")):
        assert set(local.states().values()) <= {VmState.PENDING, VmState.RUNNING}
        local.create(f"n{step}")
        vm = wait_until(lambda: next((v for v in local.provider.list_owned() if v.port), None))
        ssh = connect(vm, local.key)
        assert run(ssh, "echo up").out == b"up\n"
        ssh.close()
        wait_until(lambda: len(marked_processes(local.deployment)) == 1)  # a second one would find the lock
        local.provider.destroy(vm.name)
        assert marked_processes(local.deployment) == []
        step += 1
    assert step > 5, "no crash has happened"
    assert local.states() == {f"n{step}": VmState.RUNNING}


def test_a_destroy_that_crashed_anywhere_is_finished_by_the_next(local: LocalCloud) -> None:
    step = 1
    while True:
        vm = local.create(f"n{step}")
        # Each look at /proc is a step too; beyond the first few they all are the same crash.
        crashed = crash_at(step, partial(local.provider.destroy, vm.name))
        left = local.provider.list_owned()
        assert marked_processes(local.deployment) == [] or left
        assert all(each.state in (VmState.RUNNING, VmState.TERMINATED) for each in left)
        local.provider.destroy(vm.name)
        assert local.provider.list_owned() == [] and marked_processes(local.deployment) == []
        if not crashed:
            break
        step = step + 1 if step < 12 else step * 2
    assert step > 5, "no crash has happened"
    local.provider = local.reopen()  # opening removes the files that a crash left


def test_an_intent_that_was_never_followed_is_pending_and_can_be_ended(local: LocalCloud) -> None:
    intent(local)
    assert local.states() == {"n1": VmState.PENDING}
    assert local.create().state is VmState.RUNNING
    intent(local, "n2")
    local.provider.destroy(f"{local.deployment}-n2")
    assert local.states() == {"n1": VmState.RUNNING}


def intent(local: LocalCloud, node: str = "n1") -> Path:
    spec = local.spec(node)
    record = VmRecord(spec.name, spec.deployment, "p", node, spec.size, spec.image, True, spec.public_key, 600.0, 1.0)
    registry = Registry(local.base)
    assert registry.add(record, lambda entries: None)
    assert not registry.add(replace(record, created=2.0), lambda entries: None)
    return registry.path(spec.name)


def node_process(path: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    command: list[str | Path] = [sys.executable, "-P", "-m", "providers.local.node", str(path)]
    environment = {**os.environ, "EBBTIDE_NODE": path.name, "PYTHONPATH": str(Path(__file__).parents[2])}
    return running(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_of_two_node_processes_one_lives(local: LocalCloud) -> None:
    path = intent(local)
    with node_process(path) as first, node_process(path) as second:
        assert first.stdout is not None and second.stdout is not None
        assert sorted([first.stdout.readline(), second.stdout.readline()]) == [
            b'{"listening": false}\n',
            b'{"listening": true}\n',
        ]
        assert local.states() == {"n1": VmState.RUNNING}
        local.provider.destroy(path.name)


def test_a_node_process_that_comes_too_late_ends(local: LocalCloud) -> None:
    path = intent(local)
    local.provider.destroy(path.name)
    with node_process(path) as late:
        assert late.communicate(timeout=PATIENCE)[0] == b'{"listening": false}\n'
    assert local.provider.list_owned() == []


def test_a_dead_child_of_ours_is_dead_though_nobody_has_waited_for_it(local: LocalCloud) -> None:
    path = intent(local)
    with node_process(path) as node:
        assert node.stdout is not None and node.stdout.readline() == b'{"listening": true}\n'
        assert local.states() == {"n1": VmState.RUNNING}
        node.kill()
        os.waitid(os.P_PID, node.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
        assert local.states() == {"n1": VmState.TERMINATED}
        assert marked_processes(local.deployment) == []
        with node_process(path) as second:
            assert second.communicate(timeout=PATIENCE)[0] == b'{"listening": false}\n'  # a VM lives once
        assert local.states() == {"n1": VmState.TERMINATED}
        local.provider.destroy(path.name)


def test_create_and_destroy_race_without_leaving_anything(local: LocalCloud) -> None:
    for number in range(4):
        name = f"{local.deployment}-n{number}"
        creator = threading.Thread(target=_create_or_not, args=(local, f"n{number}"))
        creator.start()
        wait_until((local.base / name).exists)
        local.provider.destroy(name)
        creator.join()
        local.provider.destroy(name)
        assert marked_processes(local.deployment) == []


def _create_or_not(local: LocalCloud, node: str) -> None:
    try:
        local.create(node)
    except ProviderError:
        pass


def test_a_key_that_is_none_is_refused(local: LocalCloud) -> None:
    for wrong in ("", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !!", "ssh-xyz AAAAB3Nz"):
        with pytest.raises(InvalidRequestError, match="not a public key"):
            local.create(public_key=wrong)
    with pytest.raises(InvalidRequestError, match="user data"):
        local.create(user_data="#!/bin/sh\n")
    assert local.provider.list_owned() == []


@pytest.fixture
def small_disk(local: LocalCloud) -> Iterator[Callable[[str], None]]:
    local.base.mkdir(parents=True, exist_ok=True)

    def resize(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", local.base], check=True, capture_output=True)

    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", local.base], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield resize
    resize("size=1m,nr_inodes=1000")
    for vm in local.provider.list_owned():
        local.provider.destroy(vm.name)
    subprocess.run(["umount", "-l", local.base], check=True)


def test_a_full_disk_fails_with_the_cure_and_leaves_nothing(
    local: LocalCloud, small_disk: Callable[[str], None]
) -> None:
    local.provider.destroy(local.create("n0").name)
    used = os.statvfs(local.base).f_files - os.statvfs(local.base).f_ffree
    failures = 0
    for room in range(12):  # files that still fit: creating stops at another step each time
        small_disk(f"nr_inodes={used + room}")
        try:
            vm = local.create(f"n{room}")
        except CapacityError as exc:
            failures += 1
            assert "make room" in str(exc)
        else:
            local.provider.destroy(vm.name)
        assert local.provider.list_owned() == []
        assert marked_processes(local.deployment) == []
    assert 3 < failures < 12


def test_a_full_disk_does_not_prevent_a_destroy(local: LocalCloud, small_disk: Callable[[str], None]) -> None:
    vm = local.create()
    fill = local.base / "fill"
    with pytest.raises(OSError, match="No space"):
        fill.write_bytes(bytes(2 << 20))
    assert local.states() == {"n1": VmState.RUNNING}
    with pytest.raises(CapacityError):
        local.provider.preempt(vm.name)
    local.provider.destroy(vm.name)
    assert marked_processes(local.deployment) == []
    fill.unlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_base_that_may_not_be_written_is_named(local: LocalCloud) -> None:
    local.base.mkdir(parents=True, mode=0o500)
    with pytest.raises(ProviderError, match="must be writable"):
        local.create()
    local.base.chmod(0o700)
