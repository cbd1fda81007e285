"""What is let in: every refusal names the property, and changes nothing."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pools import (
    CreateVm,
    EnvironmentSetting,
    NetworkConfiguration,
    NodeDeallocationOption,
    NodeState,
    PoolError,
    PoolSpec,
    StartTask,
)
from providers import Profile

from .machine import machine, vm_of

FORMULA = "$TargetDedicatedNodes = 1;"
DAY = timedelta(days=1)


def auto(**changes):
    return {"enable_auto_scale": True, "auto_scale_formula": FORMULA} | changes


def start(**changes):
    return {"start_task": StartTask(command_line="true", **changes)}


REFUSED = {
    "empty id": ({"id": ""}, "id:"),
    "id with a path": ({"id": "../p"}, "id:"),
    "id with a newline": ({"id": "p\n"}, "id:"),
    "long id": ({"id": "p" * 65}, "id:"),
    "negative target": ({"target_dedicated_nodes": -1}, "targetDedicatedNodes"),
    "negative low-priority target": ({"target_low_priority_nodes": -1}, "targetLowPriorityNodes"),
    "no slots": ({"task_slots_per_node": 0}, "taskSlotsPerNode"),
    "too many slots": ({"task_slots_per_node": 257}, "taskSlotsPerNode"),
    "a formula without its flag": ({"auto_scale_formula": FORMULA}, "enableAutoScale"),
    "the flag without a formula": ({"enable_auto_scale": True}, "autoScaleFormula"),
    "a formula and a target": (auto(target_dedicated_nodes=1), "targetDedicatedNodes"),
    "a formula and a low-priority target": (auto(target_low_priority_nodes=0), "targetLowPriorityNodes"),
    "evaluated too often": (
        auto(auto_scale_evaluation_interval=timedelta(seconds=299)),
        "autoScaleEvaluationInterval",
    ),
    "evaluated too seldom": (auto(auto_scale_evaluation_interval=8 * DAY), "autoScaleEvaluationInterval"),
    "retries below -1": (start(max_task_retry_count=-2), "startTask.maxTaskRetryCount"),
    "a nameless variable": (
        start(environment_settings=(EnvironmentSetting(name=""),)),
        "startTask.environmentSettings",
    ),
    "a variable with =": (
        start(environment_settings=(EnvironmentSetting(name="a=b"),)),
        "startTask.environmentSettings",
    ),
    "a variable with NUL": (
        start(environment_settings=(EnvironmentSetting(name="a", value="\0"),)),
        "startTask.environmentSettings",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_pool_is_refused(case):
    changes, named = case
    pools, context = machine()
    with pytest.raises(PoolError, match=named) as refusal:
        pools.add(PoolSpec(**{"id": "p", "vm_size": "small"} | changes), "x", "image", 0.0)
    assert refusal.value.code == "InvalidPropertyValue"
    assert not len(context.pools) and not context.ledger.dirty and not context.commands


def test_a_formula_that_is_none_is_refused_with_its_diagnostics():
    pools, context = machine()
    spec = PoolSpec(id="p", vm_size="small", **auto(auto_scale_formula="$TargetDedicatedNodes = ;"))
    with pytest.raises(PoolError, match=r"1:\d+") as refusal:
        pools.add(spec, "x", "image", 0.0)
    assert refusal.value.code == "AutoScalingFormulaSyntaxError"
    assert not len(context.pools)


@pytest.mark.parametrize("spec", [{}, {"target_dedicated_nodes": 0}, auto(), start(max_task_retry_count=-1)])
def test_a_pool_is_let_in(spec):
    pools, context = machine()
    pools.add(PoolSpec(id="p", vm_size="small", **spec), "x", "image", 0.0)
    assert "p" in context.pools


def test_the_second_pool_of_an_id_is_refused():
    pools, _ = machine()
    pools.add(PoolSpec(id="p", vm_size="small"), "x", "image", 0.0)
    with pytest.raises(PoolError) as refusal:
        pools.add(PoolSpec(id="p", vm_size="small"), "x", "image", 0.0)
    assert refusal.value.code == "PoolExists"


def test_resizing():
    pools, context = machine()
    pools.add(PoolSpec(id="p", vm_size="small"), "x", "image", 0.0)
    pools.add(PoolSpec(id="a", vm_size="small", **auto()), "x", "image", 0.0)
    requeue = NodeDeallocationOption.REQUEUE
    for pool_id, targets, code in (
        ("none", (1, 1), "PoolNotFound"),
        ("a", (1, 1), "PoolHasAutoScaleEnabled"),
        ("p", (-1, 0), "InvalidPropertyValue"),
    ):
        with pytest.raises(PoolError) as refusal:
            pools.resize(pool_id, targets, requeue, 1.0)
        assert refusal.value.code == code
    pools.resize("p", (1, 2), requeue, 1.0)
    assert (context.pools["p"].target_dedicated, context.pools["p"].target_low_priority) == (1, 2)


def test_a_pool_gets_another_formula():
    pools, context = machine()
    spec = PoolSpec(id="pool", vm_size="s", enable_auto_scale=True, auto_scale_formula="$TargetDedicatedNodes = no;")
    pools.add(spec, "p", "image", 0.0)
    assert pools.autoscale("pool", 0.0).error is not None
    assert context.pools["pool"].failed_evaluations == 1
    pools.rescale(replace(spec, auto_scale_formula="$TargetDedicatedNodes = 2;"), 1.0)
    for kind, key in context.timers.due(1.0):
        pools.ring(kind, key, 1.0)
    assert context.pools["pool"].target_dedicated == 2
    assert context.pools["pool"].failed_evaluations == 0


def test_a_pool_of_fixed_size_gets_another_size():
    pools, context = machine()
    spec = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1)
    pools.add(spec, "p", "image", 0.0)
    pools.rescale(replace(spec, target_dedicated_nodes=None, target_low_priority_nodes=3), 1.0)
    assert (context.pools["pool"].target_dedicated, context.pools["pool"].target_low_priority) == (0, 3)


def test_nothing_else_of_a_pool_can_change():
    pools, context = machine()
    spec = PoolSpec(id="pool", vm_size="s")
    pools.add(spec, "p", "image", 0.0)
    with pytest.raises(PoolError, match="'pool': displayName, taskSlotsPerNode cannot change; only autoScaleFormula,"):
        pools.rescale(replace(spec, vm_size="t", task_slots_per_node=2, display_name="x"), 1.0)
    assert context.pools["pool"].spec == spec


def test_new_nodes_get_another_size_subnet_and_image():
    pools, context = machine()
    spec = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1)
    pools.add(spec, "p", "old", 0.0)
    pools.settle(0.0)
    (old,) = context.nodes
    context.commands.clear()
    network = NetworkConfiguration(subnet_id="subnet-2")
    changed = replace(spec, vm_size="t", network_configuration=network, target_dedicated_nodes=2)
    pools.rescale(changed, 1.0, "new")
    pools.settle(1.0)
    (asked,) = (command.spec for command in context.commands if isinstance(command, CreateVm))
    assert (asked.size, asked.subnet, asked.image) == ("t", "subnet-2", "new")
    assert context.nodes[old.id].size == "s" and context.nodes[old.id].state is NodeState.CREATING


def test_a_node_of_the_former_size_is_not_priced_as_the_new_one():
    prices = {"big": (3.0, None), "small": (1.0, None)}
    profiles = {"p": Profile(sizes={"small": ("xs",), "big": ("xl",)})}
    pools, context = machine(prices=prices, profiles=profiles)
    spec = PoolSpec(id="pool", vm_size="small", target_dedicated_nodes=1)
    pools.add(spec, "p", "image", 0.0)
    pools.settle(0.0)
    (old,) = context.nodes
    pools.rescale(replace(spec, vm_size="big"), 1.0)
    pools.nodes.vm_created(old.id, vm_of(old), 2.0)
    assert context.nodes[old.id].price_per_hour is None
