"""VMs with real hosts behind them: what our user data makes of an image, and how a host's end is seen."""

import time
from collections.abc import Iterator

import paramiko
import pytest

from providers import Vm, VmState
from providers.ec2 import Ec2Provider
from tests.rig import CloudRig

from .. import ssh
from ..waiting import wait_until
from .conftest import Account, states

pytestmark = pytest.mark.skipif(CloudRig.unavailable() is not None, reason=str(CloudRig.unavailable()))


@pytest.fixture
def hosts() -> Iterator[Account]:
    with CloudRig(hosts=True) as rig:
        yield Account(rig)
        assert rig.mishaps == []


def public(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def running(provider: Ec2Provider, name: str) -> Vm:
    def one() -> Vm | None:
        vm = next(vm for vm in provider.list_owned() if vm.name == name)
        return vm if vm.state is VmState.RUNNING else None

    found: Vm = wait_until(one, pause=0.05)
    return found


def logged_in(vm: Vm, key: paramiko.PKey) -> paramiko.Transport:
    """As soon as it has the host key that it was given; until then it is somebody else."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return ssh.connect(vm, key)
        except (OSError, EOFError, paramiko.SSHException, AssertionError):
            assert time.monotonic() < deadline, "the host did not come up"
            time.sleep(0.1)


def test_a_host_is_pinned_and_has_what_was_asked_for(hosts: Account, key: paramiko.PKey) -> None:
    provider = hosts.open(userData="#!/bin/sh\ntouch /srv/own-script\n")
    name = provider.create(hosts.spec(public_key=public(key))).name
    vm = running(provider, name)
    transport = logged_in(vm, key)
    try:
        assert ssh.run(transport, "id -un").out == b"admin\n"
        assert ssh.run(transport, f"test -w {vm.node_root} && python3 -c 'print(1)'").out == b"1\n"
        wait_until(lambda: ssh.run(transport, "test -e /srv/own-script").status == 0, pause=0.1)
    finally:
        transport.close()
    provider.destroy(name)
    assert provider.list_owned() == [] and hosts.living() == []


def test_a_host_that_powers_itself_off_is_terminated(hosts: Account, key: paramiko.PKey) -> None:
    provider = hosts.open(idleTimeout=2)
    name = provider.create(hosts.spec(public_key=public(key), low_priority=False)).name
    logged_in(running(provider, name), key).close()
    wait_until(lambda: states(provider.list_owned()) == {"n1": VmState.TERMINATED}, pause=0.1)
    [vm] = provider.list_owned()
    assert vm.reason == "the VM powered itself off (Client.InstanceInitiatedShutdown)"
    assert hosts.living() == []  # the bill has ended without any controller


def test_a_dead_host_that_ec2_calls_running_is_listed_and_ended(hosts: Account, key: paramiko.PKey) -> None:
    provider = hosts.open()
    vm = provider.create(hosts.spec(public_key=public(key)))
    logged_in(running(provider, vm.name), key).close()
    hosts.rig.kill_host(vm.provider_id)
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}
    provider.destroy(vm.name)
    assert hosts.living() == []
