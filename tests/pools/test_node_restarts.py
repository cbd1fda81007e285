"""Nodes that begin anew because somebody asked: rebooted with the VM that they have, reimaged with another."""

from dataclasses import replace as changed

import pytest

from pools import CreateVm, DestroyVm, DisconnectNode, NodeDeallocationOption, NodeState, RebootVm
from providers import InvalidRequestError, TransientError, VmState

from .asked_nodes import dedicated, run, stage_of_three
from .machine import machine, pass_time, said, vm_of

S, O = NodeState, NodeDeallocationOption  # noqa: E741 - as short as the states
PATIENT = (O.TASK_COMPLETION, O.RETAINED_DATA)

stage = pytest.fixture(stage_of_three)


# -- reboot ----------------------------------------------------------------------------------------------------


def reconnect(pools, context, node, boot, now):
    pools.nodes.connected(node.id, now, boot)
    pools.settle(now)
    return context.nodes[node.id]


def test_a_rebooted_node_prepares_itself_again(stage):
    pools, context, _ = stage
    node = reconnect(pools, context, dedicated(context), "first", 2.0)
    usable = node.usable_since
    pools.node_requests.reboot("pool", node.id, O.REQUEUE, 3.0)
    assert context.nodes[node.id].state is S.REBOOTING
    assert [type(each) for each in context.commands] == [DisconnectNode, RebootVm]
    [order] = said(context, RebootVm)
    pools.nodes.restart.rebooted(node.id, order.vm_name, None, 4.0)
    # its cloud has promised it, and has not done it yet
    assert reconnect(pools, context, node, "first", 5.0).state is S.REBOOTING
    assert node.id not in context.connected and said(context, DisconnectNode)
    back = reconnect(pools, context, node, "second", 8.0)
    assert (back.state, back.start_task_attempt, back.boot_time) == (S.WAITING_FOR_START_TASK, 2, 8.0)
    pools.nodes.prepared(node.id, None, 9.0)
    up = context.nodes[node.id]
    assert (up.state, up.usable_since, up.restart, up.reason) == (S.IDLE, usable, None, None)


@pytest.mark.parametrize("option", O)
def test_tasks_are_treated_as_asked_before_the_vm_is_touched(stage, option):
    pools, context, work = stage
    node = run(pools, context, work, 1, 2.0)
    context.connected.add(node.id)
    pools.node_requests.reboot("pool", node.id, option, 3.0)
    assert work.treated == [("stays", option)] and context.nodes[node.id].state is S.REBOOTING
    assert not said(context, RebootVm)
    run(pools, context, work, 0, 4.0)
    assert len(said(context, RebootVm)) == 1


@pytest.mark.parametrize(("option", "waits"), [(each, each in PATIENT) for each in O])
def test_one_out_of_reach_is_waited_for_only_if_its_tasks_shall_end(stage, option, waits):
    pools, context, work = stage
    node = run(pools, context, work, 1, 2.0)
    pools.nodes.disconnected(node.id, "cut", 2.5)
    pools.node_requests.reboot("pool", node.id, option, 3.0)
    assert bool(said(context, RebootVm)) is not waits


def test_one_that_does_not_come_back_is_replaced(stage):
    pools, context, _ = stage
    node = dedicated(context)
    pools.node_requests.reboot("pool", node.id, O.REQUEUE, 3.0)
    pools.nodes.restart.rebooted(node.id, node.vm_name, None, 4.0)
    pass_time(pools, context, 602.0)
    assert context.nodes[node.id].state is S.REBOOTING
    pass_time(pools, context, 604.0)
    assert context.nodes[node.id].state is S.LEAVING_POOL
    assert "not ready 600 s after its reboot" in context.nodes[node.id].reason
    assert [each.vm_name for each in said(context, DestroyVm)] == [node.vm_name]


def test_a_reboot_that_the_cloud_cannot_do_now_is_ordered_again(stage):
    pools, context, _ = stage
    node = dedicated(context)
    pools.node_requests.reboot("pool", node.id, O.REQUEUE, 3.0)
    said(context, RebootVm)
    pools.nodes.restart.reboot_failed(node.id, node.vm_name, TransientError("busy"), 4.0)
    pass_time(pools, context, 60.0)
    assert [each.vm_name for each in said(context, RebootVm)] == [node.vm_name]
    pools.nodes.restart.reboot_failed(node.id, node.vm_name, InvalidRequestError("never"), 61.0)
    pools.settle(61.0)
    assert context.nodes[node.id].state is S.LEAVING_POOL


def test_a_reboot_is_ordered_once_more_at_most_by_the_controllers_that_follow(stage):
    pools, context, _ = stage
    node = dedicated(context)
    pools.node_requests.reboot("pool", node.id, O.REQUEUE, 3.0)
    records = context.nodes[node.id]
    for orders in (1, 0, 0):
        later, again = machine(vm_poll_interval=1e6)
        again.load({"pool": context.pools["pool"]}, {node.id: records})
        later.recover((), 10.0, 10.0)
        assert len(said(again, RebootVm)) == orders
        records = again.nodes[node.id]
    assert records.state is S.REBOOTING and records.restart.ordered


def test_a_vm_that_is_said_to_be_off_while_it_starts_anew_is_not_over(stage):
    pools, context, _ = stage
    node = dedicated(context)
    pools.node_requests.reboot("pool", node.id, O.REQUEUE, 3.0)
    off = [vm_of(each, VmState.TERMINATED if each.id == node.id else VmState.RUNNING) for each in context.nodes]
    pools.nodes.vms_listed("p", off, 4.0, 4.0)
    assert context.nodes[node.id].state is S.REBOOTING
    pools.nodes.vms_listed("p", [], 1e4, 1e4)  # this it cannot be
    assert context.nodes[node.id].state is S.UNUSABLE


# -- reimage ---------------------------------------------------------------------------------------------------


def test_a_reimaged_node_gets_another_vm_when_the_old_one_is_gone(stage):
    pools, context, work = stage
    node = dedicated(context)
    for generation, now in ((2, 10.0), (3, 100.0)):
        old = context.nodes[node.id].vm_name
        pools.node_requests.reimage("pool", node.id, O.REQUEUE, now)
        pools.settle(now)
        assert [each.vm_name for each in said(context, DestroyVm)] == [old]
        assert context.nodes[node.id].state is S.REIMAGING and work.treated.pop() == ("goes", O.REQUEUE)
        paid = context.pools["pool"].usage.dedicated_seconds
        pools.nodes.vm_destroyed(node.id, now + 10, old)
        pools.settle(now + 10)
        [order] = said(context, CreateVm)
        assert (order.node_id, order.spec.name) == (node.id, f"{node.vm_name}-r{generation}")
        assert context.pools["pool"].usage.dedicated_seconds > paid
        # what is told once more of the one before comes too late
        pools.nodes.vm_destroyed(node.id, now + 11, old)
        pools.nodes.vm_create_failed(node.id, InvalidRequestError("late"), now + 11, old)
        pools.nodes.vm_created(node.id, vm_of(node), now + 11)
        fresh = context.nodes[node.id]
        assert (fresh.state, fresh.vm, fresh.generation) == (S.CREATING, None, generation)
        vm = changed(vm_of(fresh), created=None)
        pools.nodes.vm_created(node.id, vm, now + 12)
        pools.nodes.connected(node.id, now + 13)
        pools.nodes.prepared(node.id, None, now + 14)
        assert context.nodes[node.id].state is S.IDLE
        assert context.nodes[node.id].ordered == now + 10


def test_a_list_without_the_vm_that_was_destroyed_ends_no_node_that_is_reimaged(stage):
    pools, context, _ = stage
    node = dedicated(context)
    pools.node_requests.reimage("pool", node.id, O.REQUEUE, 10.0)
    others = [vm_of(each) for each in context.nodes if each.id != node.id]
    pools.nodes.vms_listed("p", others, 1e4, 1e4)
    assert context.nodes[node.id].state is S.REIMAGING
