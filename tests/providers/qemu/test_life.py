"""The life of a VM: it boots as the node that it was asked to be, and ends in each of the ways that there are."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
import pytest

from providers import Severity, Vm, VmState, marked_processes

from .. import ssh
from ..clouds.qemu import QemuCloud
from ..waiting import wait_until

pytestmark = pytest.mark.slow  # VMs boot; and the image has to be made once


def connected(cloud: QemuCloud, vm: Vm) -> paramiko.Transport:
    """As soon as the VM shows the pinned host key and knows the user's."""
    assert vm.address is not None and vm.port is not None
    place = vm.address, vm.port

    def attempt() -> paramiko.Transport | None:
        try:
            # qemu accepts at once, and passes on to a VM that does not listen yet more and more seldom
            with socket.create_connection(place, timeout=0.5) as early:
                if not early.recv(1):
                    return None
            return ssh.connect(vm, cloud.key)
        except (paramiko.SSHException, EOFError, OSError, AssertionError):
            return None

    return wait_until(attempt, within=180.0, pause=0.1)


def qemu_of(cloud: QemuCloud) -> int:
    [process] = marked_processes(cloud.deployment)
    return process.pid


def test_a_vm_boots_as_a_node_and_is_switched_off_from_within(qemu: QemuCloud) -> None:
    vm = qemu.create(user_data="#!/bin/sh\necho $0 ran as $(id -u) > /root/proof\necho I am up > /dev/console\n")
    node = connected(qemu, vm)
    assert (node.getpeername()[0], vm.user) == (vm.address, "root")
    wait_until(lambda: b"ran as 0" in ssh.run(node, "cat /root/proof").out)
    assert ssh.run(node, "hostname").out.decode().strip() == vm.name
    assert ssh.run(node, f"test -d {vm.node_root}").status == 0
    wait_until(lambda: "I am up" in (qemu.provider.console(vm.name) or ""))

    ssh.start(node, "/sbin/poweroff")
    wait_until(lambda: qemu.states() == {"n1": VmState.TERMINATED})
    reason = qemu.one(vm.name).reason
    assert reason is not None and "has ended" in reason and "Power down" in reason
    assert qemu.create().state is VmState.TERMINATED, "a name lives once"
    assert "I am up" in (qemu.provider.console(vm.name) or ""), "the console outlives the VM"
    qemu.provider.destroy(vm.name)
    assert qemu.provider.console(vm.name) is None


def test_a_reboot_ends_the_vm(qemu: QemuCloud) -> None:
    """It would come up again with whatever its tasks have left."""
    ssh.start(connected(qemu, qemu.create()), "/bin/busybox reboot -f")
    wait_until(lambda: qemu.states() == {"n1": VmState.TERMINATED})


def test_a_vm_that_no_controller_speaks_to_switches_itself_off(qemu: QemuCloud) -> None:
    qemu.provider = qemu.reopen(idleTimeout=20)
    vm = qemu.create()
    wait_until(lambda: qemu.states() == {"n1": VmState.TERMINATED}, within=180.0)
    assert "no controller has spoken to this node for" in (qemu.provider.console(vm.name) or "")


@contextmanager
def listening() -> Iterator[int]:
    """A port of this machine's loopback, where whoever comes is greeted."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            try:
                while True:
                    with server.accept()[0] as caller:
                        caller.sendall(b"reached")
            except OSError:
                pass  # closed

        thread = threading.Thread(target=greet)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("restrict", [False, True])
def test_a_restricted_vm_reaches_nobody(qemu: QemuCloud, restrict: bool) -> None:
    qemu.provider = qemu.reopen(restrict=restrict)
    assert qemu.provider.capabilities().isolation is restrict
    node = connected(qemu, qemu.create())
    with listening() as port:
        assert ssh.run(node, f"nc -w 5 10.0.2.2 {port} < /dev/null").out == (b"" if restrict else b"reached")


def test_a_killed_vm_is_over(qemu: QemuCloud) -> None:
    vm = qemu.create()
    os.kill(qemu_of(qemu), signal.SIGKILL)
    wait_until(lambda: qemu.states() == {"n1": VmState.TERMINATED})
    assert "qemu was killed" in str(qemu.one(vm.name).reason)


def test_a_preempted_vm_is_gone_at_once(qemu: QemuCloud) -> None:
    vm = qemu.create()
    qemu.provider.preempt(vm.name)
    assert marked_processes(qemu.deployment) == []
    assert qemu.one(vm.name).reason == "preempted on command"


def test_after_a_reboot_of_this_machine_all_vms_are_over(qemu: QemuCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    vm = qemu.create()
    with monkeypatch.context() as patched:
        patched.setattr("providers.local.record.boot_id", lambda: "another")
        assert qemu.states() == {"n1": VmState.TERMINATED}
    assert qemu.one(vm.name).state is VmState.RUNNING


def test_what_a_vm_costs_is_told(qemu: QemuCloud) -> None:
    qemu.provider = qemu.reopen(prices={qemu.size: 0.5}, lowPriorityPrices={qemu.size: 0.1})
    dedicated, low = qemu.create("n1", low_priority=False), qemu.create("n2", low_priority=True)
    assert (dedicated.size, dedicated.price_per_hour, low.price_per_hour) == (qemu.size, 0.5, 0.1)


def test_a_check_names_what_it_looked_at(qemu: QemuCloud) -> None:
    topics = [finding.topic for finding in qemu.provider.check()]
    assert topics == ["qemu", "accelerator", "image", "image", "network", "memory", "quota"]
    wrong = qemu.reopen(images={"gone": "/no/such.qcow2"}, qemu="qemu-system-none", restrict=True)
    bad = {finding.topic: finding for finding in wrong.check() if finding.severity is Severity.ERROR}
    assert set(bad) == {"qemu", "image"}
    assert "qemu-system-none" in bad["qemu"].text and "/no/such.qcow2" in bad["image"].text
    assert all(finding.cure for finding in bad.values())
