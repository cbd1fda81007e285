"""Hosts that do not answer: nothing is forgotten, nothing is given up, and nobody waits for long."""

import time
from pathlib import Path

import pytest

from providers import CapacityError, TransientError, VmState

from ..clouds.static import StaticCloud
from ..waiting import wait_until


def test_a_host_that_is_down_is_unknown_and_keeps_its_lease(static: StaticCloud) -> None:
    static.provider = static.reopen(checkInterval=1)
    vm, _ = static.create("n1"), static.create("n2")
    static.hosts[0].down()
    wait_until(lambda: static.states() == {"n1": VmState.UNKNOWN, "n2": VmState.RUNNING})
    lost = static.one(vm.name)
    assert lost.reason and str(vm.port) in lost.reason
    assert (lost.address, lost.port, lost.host_key) == (vm.address, vm.port, vm.host_key)
    with pytest.raises(TransientError, match=r"keeps its lease until its host answers: .* remove .*n1\.json"):
        static.provider.destroy(vm.name)
    static.provider = static.reopen(checkInterval=1)  # the next controller does not know more
    assert static.states() == {"n1": VmState.UNKNOWN, "n2": VmState.RUNNING}
    static.hosts[0].up()
    wait_until(lambda: static.states() == {"n1": VmState.RUNNING, "n2": VmState.RUNNING})


def test_a_host_that_is_silent_holds_nobody_up_for_long(static: StaticCloud) -> None:
    static.provider = static.reopen(checkInterval=1, timeout=1)
    for number in range(4):
        static.create(f"n{number}")
    for number in (1, 2, 3):
        static.hosts[number].freeze()
    began = time.monotonic()
    wait_until(lambda: list(static.states().values()) == [VmState.RUNNING, *[VmState.UNKNOWN] * 3])
    assert time.monotonic() - began < 20  # one second to answer, one to connect, and again: for all at the same time
    began = time.monotonic()
    with pytest.raises(TransientError):
        static.provider.destroy(f"{static.deployment}-n1")
    assert time.monotonic() - began < 20
    for number in (1, 2, 3):
        static.hosts[number].down()
        static.hosts[number].up()


def test_a_steady_listing_asks_nobody(static: StaticCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    static.create("n1")
    static.create("n2")
    before = static.provider.list_owned()
    with monkeypatch.context() as patch:
        patch.setattr("providers.static.link.HostLink.ask", None)
        patch.setattr("socket.create_connection", None)
        began = time.process_time()
        for _ in range(100):
            assert static.provider.list_owned() == before
        assert (time.process_time() - began) / 100 < 0.02


def test_a_kept_connection_answers_the_next_look(static: StaticCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    static.provider = static.reopen(checkInterval=1)
    static.create()
    with monkeypatch.context() as patch:
        patch.setattr("socket.create_connection", None)
        (static.hosts[0].home / ".ebbtide" / "lease.json").rename(static.base.parent / "aside")
        wait_until(lambda: static.states() == {"n1": VmState.TERMINATED})
    assert "its lease was removed" in (static.one(f"{static.deployment}-n1").reason or "")
    static.provider.destroy(f"{static.deployment}-n1")
    assert static.states() == {}


def test_a_lease_without_a_record_is_found_again(static: StaticCloud) -> None:
    """The records are lost; the hosts tell."""
    vm = static.create(tags={"a": "b"})
    for path in static.base.glob("*.json"):
        path.unlink()
    static.provider = static.reopen()
    assert static.create().provider_id == vm.provider_id  # not on another host
    assert static.provider.list_owned() == [vm]
    for path in static.base.glob("*.json"):
        path.write_text("{")
    static.provider = static.reopen()
    assert static.provider.list_owned() == [vm]
    static.base.joinpath(f"{vm.name}.json").unlink()
    static.provider = static.reopen()
    static.provider.destroy(vm.name)
    assert static.hosts[0].left() == []


def test_a_vm_on_a_host_that_left_the_inventory_can_still_be_ended(static: StaticCloud) -> None:
    vm = static.create()
    static.provider = static.reopen(hosts=[host.entry() for host in static.hosts[1:]])
    assert static.provider.list_owned() == [vm]
    static.provider.destroy(vm.name)
    assert static.hosts[0].left() == [] and static.provider.list_owned() == []


def test_a_second_lease_of_one_vm_is_ended(static: StaticCloud) -> None:
    """The request of a controller that was killed came through after the next had chosen another host."""
    vm = static.create()
    static.disturb(vm.name)
    assert static.states() == {"n1": VmState.RUNNING}
    [found] = static.provider.sweep()
    assert found.startswith(f"a second lease of {vm.name}, on ") and str(static.hosts[-1].port) in found
    assert static.hosts[-1].left() == [] and static.hosts[0].left() != []
    assert static.provider.sweep() == [] and static.provider.list_owned() == [vm]


def test_a_host_that_was_down_is_used_once_it_is_up(static: StaticCloud) -> None:
    static.provider = static.reopen(hosts=[static.hosts[0].entry()], checkInterval=1)
    static.hosts[0].down()
    with pytest.raises(CapacityError):
        static.create()
    static.hosts[0].up()

    def created() -> bool:
        try:
            return static.create().state is VmState.RUNNING
        except CapacityError:
            return False

    wait_until(created, pause=0.1)


def test_what_another_controller_gave_back_is_not_listed(static: StaticCloud) -> None:
    vm = static.create()
    static.reopen().destroy(vm.name)
    assert static.provider.list_owned() == []


def test_a_machine_that_is_gone_for_good_is_given_up_by_its_record(static: StaticCloud) -> None:
    """The cure that the message names, taken while the controller runs that has said it."""
    vm = static.create()
    host = static.hosts[0]
    host.down()
    with pytest.raises(TransientError, match="if the machine is gone for good, remove ") as told:
        static.provider.destroy(vm.name, vm.provider_id)
    assert static.states() == {"n1": VmState.UNKNOWN}
    Path(str(told.value).rpartition("remove ")[2].rstrip(")")).unlink()
    assert static.provider.list_owned() == []
    static.provider.destroy(vm.name, vm.provider_id)
    assert static.create("n2").port == static.hosts[1].port
    host.up()  # it was not gone after all
    static.provider = static.reopen()
    assert set(static.states()) == {"n1", "n2"}
