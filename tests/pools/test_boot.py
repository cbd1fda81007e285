"""From the order to a node that can be reached: how closely the cloud is watched meanwhile, and what is told of it."""

from dataclasses import replace

import pytest

from pools import ListVms, NodeState, PoolSpec
from providers import Vm, VmState

from .machine import machine

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
