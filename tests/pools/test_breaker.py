"""The circuit breaker: a pool whose nodes fail again and again stops, keeps what one of them printed, and says so."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pools import (
    DestroyVm,
    FailureInfo,
    NetworkConfiguration,
    NodeDeallocationOption,
    NodeState,
    PoolSpec,
    ReadConsole,
    StartTask,
)
from pools.commands import CreateVm
from providers import VmState

from .machine import booted, errors, machine, pass_time, said, vm_of

SETTINGS = {
    "vm_poll_interval": 1e6,
    "boot_timeout": 60.0,
    "backoff_base": 5.0,
    "breaker_after": 3,
    "minimum_evaluation_interval": 1.0,
}
SPEC = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=2)
FAILURE = FailureInfo("usererror", "FailureExitCode", "the start task exited with code 7")


def pool_of(spec=SPEC, **settings):
    pools, context = machine(**SETTINGS | settings)
    pools.add(spec, "p", "image", 0.0)
    pools.settle(0.0)
    return pools, context


def gone(pools, context, now):
    """Every VM whose end was asked for is gone."""
    for command in said(context, DestroyVm):
        if command.node_id is not None:
            pools.nodes.departure.vm_destroyed(command.node_id, now)
    pools.settle(now)


def fail_boots(pools, context, now, waves):
    """Nodes that get a VM and never answer, wave after wave; returns the time then."""
    for _ in range(waves):
        for node in context.nodes:
            pools.nodes.vm_created(node.id, vm_of(node, VmState.PENDING), now)
        now += 60.0
        pass_time(pools, context, now)
        gone(pools, context, now)
        retry = context.pools["pool"].retry_at
        if retry is not None and context.pools["pool"].broken_since is None:
            now = retry
            pass_time(pools, context, now)
    return now


def test_it_opens_and_stays_open():
    pools, context = pool_of()
    now = fail_boots(pools, context, 0.0, 3)
    pool = context.pools["pool"]
    assert (pool.failures, pool.broken_since) == (3, now)
    assert pool.broken_node is not None
    text = errors(context)["CircuitBreakerOpen"]
    cure = "Correct the pool's vmSize, image, subnet or start task: the next `ebbtide run` takes that over"
    printed = f"What the node printed, if anything: `ebbtide node logs {pool.broken_node}`"
    for part in ("3 times in a row", "not ready 60 s", "ebbtide pool resume pool", cure, printed):
        assert part in text
    said(context, CreateVm)
    pass_time(pools, context, now + 1e5)
    assert not said(context, CreateVm) and not len(context.nodes)
    assert pools.growth_barred(pool, now) == text


def test_it_can_be_switched_off():
    pools, context = pool_of(breaker_after=0)
    fail_boots(pools, context, 0.0, 8)
    assert context.pools["pool"].failures == 8
    assert context.pools["pool"].broken_since is None


def rescale(pools, now):
    pools.rescale(replace(SPEC, target_dedicated_nodes=1), now)


def another_size(pools, now):
    pools.rescale(replace(SPEC, vm_size="t"), now)


def another_subnet(pools, now):
    pools.rescale(replace(SPEC, network_configuration=NetworkConfiguration(subnet_id="subnet-2")), now)


def resize(pools, now):
    pools.resize("pool", (1, 0), NodeDeallocationOption.REQUEUE, now)


@pytest.mark.parametrize(
    "act", [rescale, another_size, another_subnet, resize, lambda pools, now: pools.resume("pool", now)]
)
def test_somebody_closes_it(act):
    pools, context = pool_of()
    now = fail_boots(pools, context, 0.0, 3)
    act(pools, now + 1.0)
    pools.settle(now + 1.0)
    pool = context.pools["pool"]
    assert (pool.broken_since, pool.broken_node, pool.failures, pool.resize_errors) == (None, None, 0, ())
    assert len(said(context, CreateVm)) == context.pools["pool"].target_dedicated


def test_the_next_controller_does_not_close_it():
    _, before = pool_of()
    fail_boots(_, before, 0.0, 3)
    pools, context = machine(**SETTINGS)
    context.load({"pool": before.pools["pool"]}, {})
    pools.recover((), 5000.0, 5000.0)
    pass_time(pools, context, 1e5)
    assert not said(context, CreateVm)


def test_a_formula_that_moves_does_not_close_it_and_ends_no_back_off():
    spec = PoolSpec(
        id="pool",
        vm_size="s",
        enable_auto_scale=True,
        auto_scale_formula="$TargetDedicatedNodes = 1;",
        auto_scale_evaluation_interval=timedelta(seconds=30),
    )
    pools, context = pool_of(spec)
    pass_time(pools, context, 0.0)
    (node,) = context.nodes
    pools.nodes.vm_created(node.id, vm_of(node, VmState.PENDING), 0.0)
    pass_time(pools, context, 60.0)
    before = context.pools["pool"]
    assert before.failures == 1
    context.pools.put("pool", replace(before, spec=replace(spec, auto_scale_formula="$TargetDedicatedNodes = 4;")))
    pools.autoscale("pool", 61.0)
    after = context.pools["pool"]
    assert after.target_dedicated == 4
    assert (after.failures, after.retry_at, after.resize_errors) == (1, before.retry_at, before.resize_errors)


def test_nodes_that_were_on_their_way_do_not_close_it():
    pools, context = pool_of(replace(SPEC, target_dedicated_nodes=1), breaker_after=1)
    (node,) = context.nodes
    fail_boots(pools, context, 0.0, 1)
    assert context.pools["pool"].broken_since is not None
    pools.nodes.departure.setbacks.proven(node, 100.0)
    assert context.pools["pool"].broken_since is not None
    assert "CircuitBreakerOpen" in errors(context)


def test_start_tasks_that_fail_open_it():
    spec = replace(SPEC, target_dedicated_nodes=1, start_task=StartTask(command_line="false"))
    pools, context = pool_of(spec)
    now = 0.0
    for _ in range(3):
        (node,) = context.nodes
        pools.nodes.vm_created(node.id, vm_of(node), now)
        pools.nodes.connected(node.id, now + 1.0)
        pools.nodes.start_task_ended(node.id, 1, 7, FAILURE, now + 2.0)
        pools.settle(now + 2.0)
        now = context.pools["pool"].retry_at
        pass_time(pools, context, now)
        assert not any(n.state is NodeState.START_TASK_FAILED for n in context.nodes), "it costs, so it goes"
        gone(pools, context, now)
    assert context.pools["pool"].broken_since is not None
    assert "the start task exited with code 7" in errors(context)["CircuitBreakerOpen"]
    assert not len(context.nodes)


def die_young(pools, context, busy):
    context.workload.busy = lambda node_id: busy
    now = 0.0
    for _ in range(4):
        for node in tuple(context.nodes):
            booted(pools, node, now)
            pools.nodes.vms_listed("p", [vm_of(node, VmState.TERMINATED)], now + 40.0, now + 40.0)
            pools.settle(now + 40.0)
            pools.nodes.departure.vm_destroyed(node.id, now + 40.0)
        now = context.pools["pool"].retry_at
        pass_time(pools, context, now)
    return context.pools["pool"]


@pytest.mark.parametrize(("busy", "broken"), [(0, True), (1, False)])
def test_nodes_that_die_young_open_it_unless_a_task_may_have_killed_them(busy, broken):
    pools, context = pool_of(replace(SPEC, target_dedicated_nodes=1))
    assert (die_young(pools, context, busy).broken_since is not None) is broken


def test_the_console_is_read_before_the_vm_goes_once_per_wave():
    pools, context = pool_of()
    first, second = context.nodes
    for node in (first, second):
        pools.nodes.vm_created(node.id, vm_of(node, VmState.PENDING), 0.0)
    said(context, CreateVm)
    pass_time(pools, context, 60.0)
    commands = [c for c in context.commands if isinstance(c, ReadConsole | DestroyVm)]
    assert [type(c).__name__ for c in commands] == ["ReadConsole", "DestroyVm", "DestroyVm"]
    assert commands[0].vm_name == commands[1].vm_name == first.vm_name


def test_the_next_controller_reads_it_too():
    pools, before = pool_of()
    pools.nodes.vm_created(next(iter(before.nodes)).id, vm_of(next(iter(before.nodes)), VmState.PENDING), 0.0)
    pass_time(pools, before, 60.0)
    records = {node.id: node for node in before.nodes if node.keep_console}
    pools, context = machine(**SETTINGS)
    context.load({"pool": before.pools["pool"]}, records)
    pools.recover((), 100.0, 100.0)
    commands = [type(c).__name__ for c in context.commands if isinstance(c, ReadConsole | DestroyVm)]
    assert commands == ["ReadConsole", "DestroyVm"]
