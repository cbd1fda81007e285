"""Another start task, image or number of slots for a pool that is there, and what becomes of its nodes."""

import pytest
from msgspec.structs import replace

from pools import (
    CreateVm,
    MetadataItem,
    NodeState,
    PoolError,
    RunStartTask,
    StartTask,
    TaskSchedulingPolicy,
    UserAccount,
)
from providers import InvalidRequestError

from .machine import booted, pass_time, pool_of, refuse, said, vm_of

FIRST, OTHER = StartTask(command_line="first"), StartTask(command_line="other")


def update(pools, now=1.0, image=None, **changes):
    spec = pools.updated_spec(replace(pools.get("pool").spec, **changes), changes)
    return pools.update(spec, image, now)


def node_of(**spec):
    """A pool with one node, which answers, and has been told to make itself ready."""
    pools, context = pool_of(**spec)
    (node,) = context.nodes
    pools.nodes.vm_created(node.id, vm_of(node), 0.0)
    pools.nodes.connected(node.id, 0.0)
    assert said(context, RunStartTask) == [RunStartTask(node.id, 1)]
    return pools, context, node.id


def test_one_that_is_made_ready_meets_the_start_task_that_comes_meanwhile():
    pools, context, node_id = node_of()
    update(pools, start_task=FIRST)
    pools.nodes.prepared(node_id, None, 2.0)
    assert said(context, RunStartTask) == [RunStartTask(node_id, 2)]
    assert context.nodes[node_id].state is NodeState.WAITING_FOR_START_TASK
    pools.nodes.prepared(node_id, None, 3.0)
    assert said(context, RunStartTask) == [], "it runs once"
    pools.nodes.start_task_ended(node_id, 1, 0, None, 4.0)
    assert context.nodes[node_id].state is NodeState.WAITING_FOR_START_TASK, "of an attempt that was none"
    pools.nodes.start_task_ended(node_id, 2, 0, None, 5.0)
    assert context.nodes[node_id].state is NodeState.IDLE


@pytest.mark.parametrize("first", ["prepared", "ended"])
def test_one_whose_start_task_goes_is_ready(first):
    pools, context, node_id = node_of(start_task=FIRST)
    update(pools, start_task=None)
    if first == "prepared":
        pools.nodes.prepared(node_id, None, 2.0)
    else:
        pools.nodes.start_task_ended(node_id, 1, 0, None, 2.0)
    assert context.nodes[node_id].state is NodeState.IDLE


def test_one_that_is_ready_stays_as_it_is():
    pools, context = pool_of(start_task=None)
    (node,) = context.nodes
    booted(pools, node, 0.0)
    context.commands.clear()
    update(pools, start_task=OTHER, vm_size="huge", image="newer")
    pools.settle(2.0)
    assert context.commands == []
    assert context.nodes[node.id].state is NodeState.IDLE


def test_new_nodes_come_from_the_new_image():
    pools, context = pool_of(settings={"profiles": {}})
    said(context, CreateVm)
    update(pools, vm_size="huge", image="newer")
    pools.resize("pool", (2, None), pools.get("pool").node_deallocation_option, 2.0)
    pools.settle(2.0)
    (command,) = said(context, CreateVm)
    assert (command.spec.size, command.spec.image) == ("huge", "newer")


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({"start_task": OTHER}, True),
        ({"vm_size": "huge"}, True),
        ({"metadata": (MetadataItem(name="maxPrice", value="2"),)}, True),
        ({"metadata": (MetadataItem(name="mine", value="2"),)}, False),
        ({"display_name": "x"}, False),
        ({"start_task": None}, False),
        ({"task_scheduling_policy": TaskSchedulingPolicy(node_fill_type="pack")}, False),
    ],
)
def test_what_did_not_come_up_is_tried_again_at_once_if_it_may_now(changes, again):
    pools, context = pool_of()
    refuse(pools, context, InvalidRequestError("no such thing"))
    pass_time(pools, context, 1.0)
    failed = pools.get("pool").failures
    assert failed
    update(pools, 1.5, **changes)
    assert pools.get("pool").failures == (0 if again else failed)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"task_slots_per_node": 2}, "taskSlotsPerNode"),
        ({"user_accounts": (UserAccount(name="ann"),)}, "userAccounts"),
    ],
)
def test_what_all_nodes_have_in_common_changes_while_there_is_none(changes, name):
    pools, _ = pool_of()
    before = pools.get("pool")
    with pytest.raises(PoolError, match=name) as caught:
        update(pools, **changes)
    assert caught.value.code == "OperationInvalidForCurrentState"
    assert pools.get("pool") is before
    update(pools, **dict.fromkeys(changes, getattr(before.spec, next(iter(changes)))))
    pools, _ = pool_of(0)
    assert update(pools, **changes).version == 2


@pytest.mark.parametrize("name", ["target_dedicated_nodes", "enable_auto_scale", "resize_timeout"])
def test_sizes_do_not_change_so(name):
    pools, _ = pool_of()
    with pytest.raises(PoolError, match="cannot be changed in this way"):
        update(pools, **{name: getattr(pools.get("pool").spec, name)})
