"""What can be asked of nodes: scheduling off and on, and to leave their pool; and who may ask for what."""

import pytest

from pools import AllocationState, CreateVm, NodeDeallocationOption, NodeState, PoolSpec

from .asked_nodes import dedicated, refused, run, stage_of_three
from .machine import booted, said

S, O = NodeState, NodeDeallocationOption  # noqa: E741 - as short as the states
IMPATIENT = (O.REQUEUE, O.TERMINATE)

stage = pytest.fixture(stage_of_three)


# -- scheduling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [*IMPATIENT, O.TASK_COMPLETION])
def test_a_disabled_node_is_offline_once_it_runs_nothing(stage, option):
    pools, context, work = stage
    node = run(pools, context, work, 1, 2.0)
    pools.node_requests.disable_scheduling("pool", node.id.upper(), option, 3.0)
    assert (context.nodes[node.id].state, context.nodes[node.id].scheduling_enabled) == (S.RUNNING, False)
    assert work.treated == [("stays", option)]
    assert run(pools, context, work, 0, 4.0).state is S.OFFLINE
    assert context.pools["pool"].allocation_state is AllocationState.STEADY and not said(context, CreateVm)
    pools.node_requests.enable_scheduling("pool", node.id, 5.0)
    assert context.nodes[node.id].state is S.IDLE and context.nodes[node.id].reason is None
    pools.node_requests.enable_scheduling("pool", node.id, 6.0)  # once more is no error


def test_one_that_is_disabled_while_it_boots_comes_up_offline(stage):
    pools, context, _ = stage
    pools.resize("pool", (3, None), O.REQUEUE, 2.0)
    pools.settle(2.0)
    [order] = said(context, CreateVm)
    pools.node_requests.disable_scheduling("pool", order.node_id, O.REQUEUE, 3.0)
    booted(pools, context.nodes[order.node_id], 4.0)
    assert context.nodes[order.node_id].state is S.OFFLINE


def test_data_is_not_retained_on_a_node_that_stays(stage):
    pools, context, _ = stage
    ask = pools.node_requests.disable_scheduling
    text = refused("InvalidPropertyValue", ask, "pool", dedicated(context).id, O.RETAINED_DATA, 2.0)
    assert "requeue, terminate, taskcompletion" in text


# -- who may ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["reboot", "reimage"])
def test_only_nodes_that_answer_begin_anew(stage, what):
    pools, context, _ = stage
    ask, node = getattr(pools.node_requests, what), dedicated(context)
    refused("PoolNotFound", ask, "nope", node.id, O.REQUEUE, 2.0)
    refused("NodeNotFound", ask, "pool", "nope", O.REQUEUE, 2.0)
    ask("pool", node.id, O.TASK_COMPLETION, 2.0)
    refused("NodeNotReady", ask, "pool", node.id, O.REQUEUE, 3.0)
    low = next(each for each in context.nodes if each.low_priority)
    pools.node_requests.remove("pool", [low.id], O.REQUEUE, 4.0)
    for again in (ask, pools.node_requests.disable_scheduling):
        assert "leavingpool" in refused("NodeNotReady", again, "pool", low.id, O.REQUEUE, 5.0)


def test_a_provider_that_cannot_says_what_to_do_instead(stage):
    pools, context, _ = stage
    pools.add(PoolSpec(id="lent", vm_size="s", target_dedicated_nodes=1), "fixed", "image", 2.0)
    pools.settle(2.0)
    [node] = context.nodes_of("lent")
    booted(pools, node, 3.0)
    text = refused("OperationNotSupported", pools.node_requests.reboot, "lent", node.id, O.REQUEUE, 4.0)
    assert "ask its owner" in text


# -- leaving ---------------------------------------------------------------------------------------------------


def test_the_targets_shrink_by_the_nodes_that_go(stage):
    pools, context, _ = stage
    names = [node.id for node in context.nodes_of("pool")]
    refused("NodeNotFound", pools.node_requests.remove, "pool", [*names, "nope"], O.REQUEUE, 2.0)
    assert {node.state for node in context.nodes} == {S.IDLE}
    gone = [dedicated(context).id, next(node.id for node in context.nodes if node.low_priority)]
    pools.node_requests.remove("pool", [*gone, gone[0]], O.TASK_COMPLETION, 3.0)
    pools.settle(3.0)
    pool = context.pools["pool"]
    assert (pool.target_dedicated, pool.target_low_priority) == (1, 0)
    assert pool.allocation_state is AllocationState.RESIZING and not said(context, CreateVm)
    pools.node_requests.remove("pool", gone, O.REQUEUE, 4.0)  # they leave already
    assert context.pools["pool"].target_dedicated == 1
    for node_id in gone:
        pools.nodes.vm_destroyed(node_id, 5.0)
    pools.settle(5.0)
    assert context.pools["pool"].allocation_state is AllocationState.STEADY
    assert [node.state for node in context.nodes] == [S.IDLE]


def test_a_formula_keeps_its_targets_and_has_nodes_replaced(stage):
    pools, context, _ = stage
    spec = PoolSpec(id="ebbing", vm_size="s", enable_auto_scale=True, auto_scale_formula="$TargetDedicatedNodes = 1;")
    pools.add(spec, "p", "image", 2.0)
    pools.autoscale("ebbing", 2.0)
    pools.settle(2.0)
    [node] = context.nodes_of("ebbing")
    booted(pools, node, 3.0)
    said(context, CreateVm)
    pools.node_requests.remove("ebbing", [node.id], O.REQUEUE, 4.0)
    pools.settle(4.0)
    assert context.pools["ebbing"].allocation_state is AllocationState.RESIZING
    pools.nodes.vm_destroyed(node.id, 5.0)
    pools.settle(5.0)
    assert context.pools["ebbing"].target_dedicated == 1 and len(said(context, CreateVm)) == 1


@pytest.mark.parametrize("count", [0, 101])
def test_one_request_names_one_to_a_hundred_nodes(stage, count):
    pools, _, _ = stage
    names = [f"n{number}" for number in range(count)]
    assert "1 to 100" in refused("InvalidPropertyValue", pools.node_requests.remove, "pool", names, O.REQUEUE, 2.0)
