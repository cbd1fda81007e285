"""VMs that carry our tag and have no record, and those that come back from the dead."""

from dataclasses import replace

import pytest

from pools import DestroyVm, ListVms, PoolSpec
from pools.orphans import Orphans
from providers import Profile, VmState

from .machine import booted, machine, pass_time, said, vm_of
from .nodes import node

SETTINGS = {"orphan_grace": 60.0, "vm_poll_interval": 30.0, "boot_timeout": 1e6}


def names(found):
    return [vm.name for vm, _ in found[0]]


def test_an_orphan_is_destroyed_when_it_was_seen_for_long():
    orphans = Orphans(60.0)
    vm, other = vm_of(node("a")), vm_of(node("b"))
    assert orphans.seen("p", [vm], 0.0) == ([], 60.0)
    assert orphans.seen("p", [vm, other], 30.0) == ([], 60.0)
    due, soon = orphans.seen("p", [vm, other], 61.0)
    assert [(vm.name, "61 s" in reason) for vm, reason in due] == [("vm-a", True)]
    assert soon == 90.0
    assert names(orphans.seen("p", [vm, other], 91.0)) == ["vm-a", "vm-b"], "until it is gone"


def test_one_that_was_away_meanwhile_is_seen_anew():
    orphans = Orphans(60.0)
    vm = vm_of(node("a"))
    orphans.seen("p", [vm], 0.0)
    orphans.seen("q", [], 30.0)  # another cloud says nothing of it
    assert names(orphans.seen("p", [vm], 60.0)) == ["vm-a"]
    orphans.seen("p", [], 61.0)
    assert orphans.seen("p", [vm], 62.0) == ([], 122.0)


def test_the_clouds_list_is_asked_for_when_it_is_due():
    pools, context = machine(**SETTINGS | {"vm_poll_interval": 1e6})
    pools.add(PoolSpec(id="pool", vm_size="s"), "p", "image", 0.0)
    pools.settle(0.0)
    stranger = vm_of(node("stranger"))
    pools.nodes.vms_listed("p", [stranger], 5.0, 5.0)
    assert not said(context, DestroyVm)
    assert context.timers._when["poll", "p"] == 65.0
    pools.nodes.vms_listed("p", [stranger], 65.0, 65.0)
    (command,) = said(context, DestroyVm)
    assert (command.node_id, command.vm_name, command.provider_id) == (None, "vm-stranger", "i-1")
    assert "has had no record for 60 s" in command.reason


def test_a_vm_that_was_gone_and_is_listed_again_is_reaped():
    pools, context = machine(**SETTINGS)
    pools.add(PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (record,) = context.nodes
    booted(pools, record, 5.0)
    pools.delete("pool", 10.0)
    pools.add(PoolSpec(id="other", vm_size="s"), "p", "image", 10.0)
    pools.settle(10.0)
    pools.nodes.departure.vm_destroyed(record.id, 11.0)
    pools.settle(11.0)
    said(context, DestroyVm)
    for now in (30.0, 60.0, 91.0):
        pools.nodes.vms_listed("p", [vm_of(record)], now, now)
        pass_time(pools, context, now)
    assert [c.vm_name for c in said(context, DestroyVm)] == [record.vm_name]


def test_a_new_vm_may_be_missing_in_the_list_for_a_while():
    pools, context = machine(**SETTINGS | {"visibility": 30.0})
    pools.add(PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (record,) = context.nodes
    pools.nodes.vm_created(record.id, vm_of(record, VmState.PENDING), 1.0)
    pools.nodes.vms_listed("p", [], 31.0, 32.0)
    assert context.nodes[record.id].state == "creating"
    pools.nodes.vms_listed("p", [], 31.1, 33.0)
    assert context.nodes[record.id].state == "unusable"


@pytest.mark.parametrize("order", [1, -1])
def test_one_that_has_ended_does_not_speak_for_another_of_its_name(order):
    pools, context = machine(**SETTINGS)
    pools.add(PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (record,) = context.nodes
    booted(pools, record, 5.0)
    listed = [vm_of(record), replace(vm_of(record, VmState.TERMINATED), provider_id="i-2")]
    pools.nodes.vms_listed("p", listed[::order], 50.0, 50.0)
    assert context.nodes[record.id].state == "idle"


def test_the_next_controller_looks_where_no_pool_is_any_more():
    pools, context = machine(**SETTINGS, profiles={"p": Profile()})
    pools.recover((), 0.0, 0.0)
    assert [command.provider for command in said(context, ListVms)] == ["p"]
    for now in (1.0, 61.0):
        pools.nodes.vms_listed("p", [vm_of(node("a"))], now, now)
        pass_time(pools, context, now + 60.0)
    assert "vm-a" in [command.vm_name for command in said(context, DestroyVm)]
