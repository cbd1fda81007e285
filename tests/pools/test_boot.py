"""From the order to a node that can be reached: how closely the cloud is watched meanwhile, and what is told of it."""

from dataclasses import replace

import pytest

from pools import ConnectNode, ListVms, NodeState, PoolSpec
from providers import TransientError, Vm, VmState

from .machine import machine, pass_time, said

PENDING = Vm("", "i-1", VmState.PENDING, None, None, "root", None, False, "/mnt", 0.0)


def ordered(**settings):
    """A pool that has ordered one node, and that node."""
    pools, context = machine(**settings)
    pools.add(PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (node,) = context.nodes
    context.commands.clear()
    return pools, context, node


def listings(pools, context, until):
    """When the provider's list is asked for, up to `until`."""
    times = []
    while (due := context.timers.next()) is not None and due <= until:
        for kind, key in context.timers.due(due):
            pools.ring(kind, key, due)
        if any(isinstance(command, ListVms) for command in context.commands):
            times.append(due)
        context.commands.clear()
    return times


@pytest.mark.parametrize(
    ("state", "told", "asked"),
    [
        (VmState.PENDING, 0.0, [0.25]),
        (VmState.PENDING, 5.0, [6.0]),
        (VmState.PENDING, 100.0, [103.0]),
        (VmState.RUNNING, 0.0, []),
    ],
)
def test_a_vm_on_its_way_is_asked_after_the_sooner_the_newer_it_is(state, told, asked):
    pools, context, node = ordered(vm_poll_interval=1000.0, boot_poll_interval=3.0)
    vm = replace(PENDING, name=node.vm_name, state=state, address="127.0.0.1", port=22)
    pools.nodes.vm_created(node.id, vm, told)
    assert listings(pools, context, told + 20.0) == asked


def test_a_node_that_never_comes_up_says_what_was_heard_last():
    pools, context, node = ordered(boot_timeout=60.0)
    vm = replace(PENDING, name=node.vm_name, state=VmState.RUNNING, address="127.0.0.1", port=22)
    pools.nodes.vm_created(node.id, vm, 0.0)
    pools.nodes.disconnected(node.id, "connection refused", 1.0)
    pools.ring("boot", node.id, 60.0)
    assert context.nodes[node.id].state is NodeState.UNUSABLE
    (error,) = context.pools["pool"].resize_errors
    assert "not ready 60 s after its creation; last: connection refused" in error.message


def vm_pending(pools, node):
    pools.nodes.vm_created(node.id, replace(PENDING, name=node.vm_name), 1.0)


def vm_running(pools, node):
    pools.nodes.vm_created(node.id, reachable(node, VmState.RUNNING), 1.0)


def refused_then_running(pools, node):
    pools.nodes.vm_create_failed(node.id, TransientError("no answer"), 0.5)
    vm_running(pools, node)


def no_answer(pools, node):
    pools.nodes.vm_create_failed(node.id, TransientError("no answer"), 0.5)


def silent_while_pending(pools, node):
    pools.nodes.vm_created(node.id, reachable(node), 1.0)
    pools.nodes.disconnected(node.id, "no route", 2.0)


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (lambda pools, node: None, "its cloud has not answered the order"),
        (no_answer, "last: VM not created yet: no answer"),
        (lambda pools, node: pools.nodes.recover(node, 1.0), "last: VM not created yet: a controller ended before"),
        (vm_pending, "its cloud does not say that its VM runs"),
        (silent_while_pending, "last: no route"),
        (vm_running, "its VM runs, and no try to connect to it has ended"),
        (refused_then_running, "its VM runs, and no try to connect to it has ended"),
    ],
)
def test_a_node_that_never_comes_up_says_how_far_it_came_and_not_why_it_was_ordered(before, told):
    pools, context, node = ordered(boot_timeout=60.0)
    before(pools, node)
    pools.ring("boot", node.id, 60.0)
    (error,) = context.pools["pool"].resize_errors
    assert f"not ready 60 s after its creation; {told}" in error.message
    assert "target 1" not in error.message


def test_a_vm_that_comes_too_late_does_not_hide_why_its_node_goes():
    pools, context, node = ordered(boot_timeout=60.0)
    pools.ring("boot", node.id, 60.0)
    vm_pending(pools, node)
    gone = context.nodes[node.id]
    assert gone.state is NodeState.LEAVING_POOL and gone.vm_confirmed is not None
    assert gone.reason == "not ready 60 s after its creation; its cloud has not answered the order"


def reachable(node, state=VmState.PENDING, address="10.0.0.7"):
    return replace(PENDING, name=node.vm_name, state=state, address=address, port=22, host_key="ssh-ed25519 AAAA")


def test_a_vm_is_connected_to_before_its_cloud_says_that_it_runs():
    pools, context, node = ordered(vm_poll_interval=1000.0)
    pools.nodes.vm_created(node.id, reachable(node), 1.0)
    assert [command.vm.address for command in said(context, ConnectNode)] == ["10.0.0.7"]
    pools.nodes.connected(node.id, 2.0)
    assert context.nodes[node.id].state is NodeState.WAITING_FOR_START_TASK
    pools.nodes.prepared(node.id, None, 3.0)
    up = context.nodes[node.id]
    assert (up.state, up.vm.state) == (NodeState.IDLE, VmState.RUNNING)
    assert (up.boot_time, up.answered_time, up.usable_since) == (2.0, 2.0, 3.0)
    context.commands.clear()
    pools.nodes.vms_listed("p", [reachable(node)], 3.5, 4.0)  # the cloud is behind
    assert said(context, ConnectNode) == [] and context.nodes[node.id].state is NodeState.IDLE


def test_what_is_being_connected_is_not_connected_again_when_it_runs():
    pools, context, node = ordered()
    pools.nodes.vm_created(node.id, reachable(node), 1.0)
    assert len(said(context, ConnectNode)) == 1
    pools.nodes.vms_listed("p", [reachable(node)], 1.5, 2.0)
    pools.nodes.vms_listed("p", [reachable(node, VmState.RUNNING)], 2.5, 3.0)
    assert said(context, ConnectNode) == []
    assert context.nodes[node.id].state is NodeState.STARTING
    assert context.nodes[node.id].boot_time == 3.0
    pools.nodes.connected(node.id, 4.0)
    assert context.nodes[node.id].state is NodeState.WAITING_FOR_START_TASK


@pytest.mark.parametrize("state", [VmState.PENDING, VmState.RUNNING])
def test_another_address_is_for_the_next_try(state):
    """Two connections at a time would be in each other's way."""
    pools, context, node = ordered()
    pools.nodes.vm_created(node.id, reachable(node), 1.0)
    context.commands.clear()
    pools.nodes.vms_listed("p", [reachable(node, state, "203.0.113.7")], 1.5, 2.0)
    assert said(context, ConnectNode) == []
    pools.nodes.disconnected(node.id, "silence", 11.0)
    pass_time(pools, context, 13.0)
    assert [command.vm.address for command in said(context, ConnectNode)] == ["203.0.113.7"]


@pytest.mark.parametrize("state", [VmState.PENDING, VmState.RUNNING])
def test_what_does_not_answer_yet_is_tried_again_by_its_own_timer(state):
    pools, context, node = ordered(vm_poll_interval=1000.0, boot_poll_interval=1000.0)
    pools.nodes.vm_created(node.id, reachable(node), 1.0)
    pools.nodes.disconnected(node.id, "another host key", 1.1, fatal=True, host_key=True)
    context.commands.clear()
    pools.nodes.vms_listed("p", [reachable(node, state)], 1.15, 1.2)
    assert said(context, ConnectNode) == []
    pass_time(pools, context, 1.3)
    assert len(said(context, ConnectNode)) == 1


def test_a_node_without_python_is_replaced_whatever_its_cloud_says_of_it():
    pools, context, node = ordered()
    pools.nodes.vm_created(node.id, reachable(node), 1.0)
    pools.nodes.disconnected(node.id, "the node has no python3", 2.0, fatal=True)
    assert context.nodes[node.id].state is NodeState.UNUSABLE


def test_the_next_controller_connects_to_what_it_finds_on_its_way():
    pools, context, node = ordered()
    pools.nodes.vm_created(node.id, reachable(node), 1.0)
    after, other = machine()
    other.load({"pool": context.pools["pool"]}, {node.id: context.nodes[node.id]})
    after.recover((), 10.0, 10.0)
    assert said(other, ConnectNode) == []
    after.nodes.vms_listed("p", [reachable(node)], 10.5, 11.0)
    assert [command.node_id for command in said(other, ConnectNode)] == [node.id]


def test_a_vm_that_will_answer_is_looked_at_more_seldom():
    pools, context, node = ordered(vm_poll_interval=1000.0, boot_poll_interval=3.0)
    pools.nodes.vm_created(node.id, reachable(node), 0.0)
    assert listings(pools, context, 20.0) == [1.0]
