"""Creating a VM: found again after a crash at any step, never twice, and nothing is left of what could not start."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers import CapacityError, InvalidRequestError, ProviderError, VmState, marked_processes
from providers.local.record import write
from providers.qemu import machine
from providers.qemu.seed import write_seed
from providers.sweep import end_all

from ..clouds.qemu import QemuCloud
from ..conftest import forked, running
from ..waiting import wait_until

pytestmark = pytest.mark.slow  # because the image has to be made, and its kernel fetched, once


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(action: Callable[..., Any]) -> Callable[..., None]:
    def act(*args: Any, **kwargs: Any) -> None:
        action(*args, **kwargs)
        die()

    return act


def die_while_qemu_starts(command: list[str], **options: Any) -> None:
    options = {key: value for key, value in options.items() if key in ("cwd", "env", "start_new_session")}
    subprocess.Popen(command, **options)
    die()


REGISTRY, MACHINE = "providers.local.registry", "providers.qemu.machine"

CREATE_STEPS = {
    "before the intent": (f"{REGISTRY}.write", die),
    "intent written, not in place": (f"{REGISTRY}.write", then_die(write)),
    "admitted": ("providers.qemu.driver.start", die),
    "before the seed": (f"{MACHINE}.write_seed", die),
    "seed written": (f"{MACHINE}.write_seed", then_die(write_seed)),
    "qemu is starting": ("subprocess.run", die_while_qemu_starts),
    "qemu runs": (f"{MACHINE}._run", then_die(machine._run)),
    "qemu found": (f"{MACHINE}.write", die),
    "recorded": (f"{MACHINE}.write", then_die(write)),
}


@pytest.mark.parametrize(("place", "fate"), CREATE_STEPS.values(), ids=CREATE_STEPS)
@pytest.mark.parametrize("after", ["create", "destroy"])
def test_the_controller_is_killed_in_the_middle_of_a_create(
    qemu: QemuCloud, monkeypatch: pytest.MonkeyPatch, place: str, fate: Any, after: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(place, fate)
        assert forked(qemu.create) == -signal.SIGKILL
    qemu.provider = qemu.reopen()
    if after == "create":
        vm = qemu.create()
        assert vm.state is VmState.RUNNING
        # what the killed one started may be the VM already, while what put it into the background still ends
        wait_until(lambda: [process.vm_name for process in marked_processes(qemu.deployment)] == [vm.name])
        assert qemu.provider.list_owned() == [vm]
    else:  # without a record, too: the caller's own intent is enough
        qemu.provider.destroy(f"{qemu.deployment}-n1")
        assert qemu.provider.list_owned() == []


DESTROY_STEPS = {
    "renamed away": (f"{REGISTRY}.end_all", die),
    "qemu ended": (f"{REGISTRY}.end_all", then_die(end_all)),
    "files are going": (f"{REGISTRY}._remove_tree", die),
}


@pytest.mark.parametrize(("place", "fate"), DESTROY_STEPS.values(), ids=DESTROY_STEPS)
def test_the_controller_is_killed_in_the_middle_of_a_destroy(
    qemu: QemuCloud, monkeypatch: pytest.MonkeyPatch, place: str, fate: Any
) -> None:
    vm = qemu.create()
    with monkeypatch.context() as patched:
        patched.setattr(place, fate)
        assert forked(lambda: qemu.provider.destroy(vm.name)) == -signal.SIGKILL
    qemu.provider = qemu.reopen()
    assert set(qemu.states().values()) <= {VmState.TERMINATED}
    qemu.provider.destroy(vm.name)
    assert qemu.provider.list_owned() == []


@pytest.mark.parametrize("claims", ["node.json", "qemu.pid"])
def test_a_foreign_process_is_left_alone(qemu: QemuCloud, claims: str) -> None:
    """The process id of a VM that has ended may be anybody's now."""
    vm = qemu.create()
    [process] = marked_processes(qemu.deployment)
    with running(["sleep", "600"]) as foreign:
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: qemu.states() == {"n1": VmState.TERMINATED})
        folder = qemu.base / vm.name
        record = (folder / "node.json").read_text()
        assert f'"pid": {process.pid}' in record
        if claims == "node.json":
            (folder / "node.json").write_text(record.replace(f'"pid": {process.pid}', f'"pid": {foreign.pid}'))
            assert qemu.states() == {"n1": VmState.TERMINATED}
        else:
            (folder / "node.json").unlink()
            (folder / "qemu.pid").write_text(f"{foreign.pid}\n")
            assert qemu.create().state is VmState.RUNNING
            [process] = marked_processes(qemu.deployment)
            assert process.pid != foreign.pid
        qemu.provider.destroy(vm.name)
        assert foreign.poll() is None


def test_a_create_that_meets_a_destroy_leaves_nothing(qemu: QemuCloud) -> None:
    def create() -> None:
        try:
            qemu.create()
        except ProviderError:
            pass  # it was destroyed meanwhile

    def meet(creating: threading.Thread) -> None:
        wait_until(lambda: qemu.provider.list_owned() or not creating.is_alive())

    for _ in range(5):
        thread = threading.Thread(target=create)
        thread.start()
        meet(thread)
        qemu.provider.destroy(f"{qemu.deployment}-n1")
        thread.join()
        qemu.provider.destroy(f"{qemu.deployment}-n1")
        assert qemu.inventory() == []


def test_vms_get_ports_of_their_own(qemu: QemuCloud) -> None:
    ports = {qemu.create(f"n{number}").port for number in range(5)}
    assert len(ports) == 5 and None not in ports


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"images": {"tiny": {"kernel": "/no/kernel"}}}, InvalidRequestError, "/no/kernel.*correct the image"),
        ({"images": {"tiny": "/no/disk.qcow2"}}, InvalidRequestError, "/no/disk.qcow2.*correct the image"),
        ({"qemu": "qemu-system-none"}, InvalidRequestError, "no qemu-system-none here; install it"),
        ({"sizes": {"tiny.small": {"cpus": 1, "memory": 1 << 30}}}, CapacityError, "one more of size tiny.small needs"),
        ({"sizes": {"tiny.small": {"cpus": 5000, "memory": 64}}}, ProviderError, "CPUs"),
        ({"userData": "echo no script"}, InvalidRequestError, "begins with #!"),
        ({"userData": "#!/bin/sh\n" + "#" * 20_000}, InvalidRequestError, "too long"),
    ],
)
def test_what_cannot_start_leaves_nothing(
    qemu: QemuCloud, settings: dict[str, Any], error: type[ProviderError], said: str
) -> None:
    provider = qemu.reopen(**settings)
    if any("disk" in str(value) for value in settings.values()) and not _there("qemu-img"):
        pytest.skip("qemu-img is not installed (cure: apt-get install qemu-utils)")
    with pytest.raises(error, match=f"(?s){said}"):
        provider.create(qemu.spec())
    assert qemu.inventory() == []


def _there(program: str) -> bool:
    return any(Path(folder, program).exists() for folder in os.environ["PATH"].split(os.pathsep))


def as_written(file: Path) -> tuple[int, ...]:
    """What changes when somebody writes it; to read it changes the time of that alone."""
    stat = file.stat()
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_mode, stat.st_ino, stat.st_nlink


def test_a_disk_is_written_beside_its_image(qemu: QemuCloud, tmp_path: Path) -> None:
    if not _there("qemu-img"):
        pytest.skip("qemu-img is not installed (cure: apt-get install qemu-utils)")
    image = tmp_path / "an image, raw.img"
    image.write_bytes(b"\0" * (1 << 20))
    before = as_written(image)
    kernel = qemu.settings()["images"]["tiny"]
    qemu.provider = qemu.reopen(images={"tiny": {**kernel, "disk": str(image)}})
    vms = [qemu.create(node) for node in ("n1", "n2")]
    assert [vm.state for vm in vms] == [VmState.RUNNING] * 2
    assert as_written(image) == before
    for vm in vms:
        disk = qemu.base / vm.name / "disk.qcow2"
        info = subprocess.run(["qemu-img", "info", "-U", disk], capture_output=True, text=True, check=True).stdout
        assert "virtual size: 20 GiB" in info and str(image) in info
