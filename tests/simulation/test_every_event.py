"""Whatever happens, in whatever state, the core neither raises nor turns without end: a report that raises would end
the controller, and the next one, and the next."""

import itertools
from datetime import timedelta

import pytest

from pools import CountingIds, CreateVm, Deployment, DestroyVm, NodeDeallocationOption, PoolError, PoolSpec
from runner import (
    AddPool,
    Core,
    CoreSettings,
    DisableScheduling,
    EnableScheduling,
    RebootNode,
    ReimageNode,
    RemoveNodes,
)
from runner import events as ev
from runner.events import Event
from runner.stored import Stored

from .every_event import NODE, NOW, POOLS, TIMERS, events, nodes

HAPPENINGS = [*events(), *TIMERS]
#: Requests may come after the pool's end; some only make sense at times.
LATE = ("PoolNotFound", "PoolBeingDeleted")
NOT_NOW = ("NodeNotFound", "NodeNotReady")
REFUSALS: dict[type[Event], tuple[str, ...]] = {
    ev.ResizePool: (*LATE, "PoolHasAutoScaleEnabled"),
    ev.StopResize: (*LATE, "OperationInvalidForCurrentState"),
    **dict.fromkeys((DisableScheduling, EnableScheduling, RebootNode, ReimageNode), (*LATE, *NOT_NOW)),
    RemoveNodes: (*LATE, "NodeNotFound"),
}
#: Turns of the loop that an hour without any answer may take: timers ring every few seconds while nodes boot.
MOST_TURNS = 3000


def started(pool, node):
    """A controller that finds these records."""
    core = Core(CoreSettings(), Deployment("d", "key"), CountingIds(1000))
    core.load(Stored(pools={"p": pool}, nodes={NODE: node}), NOW)
    return core


def happen(core, happening):
    if not isinstance(happening, Event):
        core.timers.set(*happening, NOW + 1)
        return
    try:
        core.handle(happening, NOW + 1)
    except PoolError as exc:
        assert exc.code in REFUSALS.get(type(happening), LATE), "a report is never refused"


def turned(core, now):
    core.settle(now)
    core.take()


def pass_time(core, until):
    turns, now = 0, NOW + 1
    while (due := core.next_due()) is not None and due <= until:
        now = max(now, due)
        turned(core, now)
        turns += 1
        assert turns < MOST_TURNS, (now - NOW, core.timers.next())


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("node", nodes().values(), ids=nodes())
def test_nothing_is_refused_in_any_state(pool, node):
    for happening in HAPPENINGS:
        for met in (True, False):  # in the first batch of a controller, or in a later one
            core = started(pool, node)
            try:
                if met:
                    turned(core, NOW)
                happen(core, happening)
                turned(core, NOW + 1)
                turned(core, NOW + 2)
            except Exception as exc:
                raise AssertionError(f"{happening} in {node}") from exc


@pytest.mark.parametrize("pools", [{}, {"p": POOLS["steady"]}], ids=["no pool", "a later pool of that name"])
def test_nor_is_what_nobody_has_a_record_of_any_more(pools):
    """Answers may come after the end of the node that asked, and of its pool."""
    for happening in HAPPENINGS:
        core = Core(CoreSettings(), Deployment("d", "key"), CountingIds(1000))
        core.load(Stored(pools=pools), NOW)
        turned(core, NOW)
        try:
            happen(core, happening)
            turned(core, NOW + 1)
            turned(core, NOW + 2)
        except Exception as exc:
            raise AssertionError(f"{happening}") from exc
        assert NODE not in core.ctx.nodes and NODE not in core.ctx.connections and NODE not in core.ctx.connected


@pytest.mark.parametrize("node", nodes().values(), ids=nodes())
def test_nor_are_two_at_once(node):
    """Within a batch a node may be in states that no planner has seen yet."""
    for first, second in itertools.product(HAPPENINGS[::3], HAPPENINGS[1::4]):
        core = started(POOLS["steady"], node)
        try:
            turned(core, NOW)
            happen(core, first)
            happen(core, second)
            turned(core, NOW + 1)
        except Exception as exc:
            raise AssertionError(f"{first}, then {second} in {node}") from exc


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("node", nodes().values(), ids=nodes())
def test_an_hour_without_answers_passes(pool, node):
    core = started(pool, node)
    turned(core, NOW)
    pass_time(core, NOW + 3600)


@pytest.mark.parametrize("minutes", [5, 60])
def test_a_pool_that_run_has_ended_waits_in_peace(minutes):
    """What it waited for is past: a timer for it would ring for ever."""
    core = Core(CoreSettings(end_idle_pools=True), Deployment("d", "key"), CountingIds())
    spec = PoolSpec(
        id="p",
        vm_size="s",
        enable_auto_scale=True,
        auto_scale_formula="$TargetDedicatedNodes = 1;",
        auto_scale_evaluation_interval=timedelta(minutes=minutes),
    )
    core.handle(AddPool(spec, "x", "image"), NOW)
    turned(core, NOW)
    pass_time(core, NOW + 4 * 60 * minutes + 600)
    assert core.pools.effective_targets(core.ctx.pools["p"], NOW + 4 * 60 * minutes + 600)[0] == (0, 0)


@pytest.mark.parametrize("node", ["ordered", "ordered in vain"])
def test_no_vm_is_asked_for_only_to_be_ended(node):
    """A controller that finds an order under way and is told to end everything: its time may be short."""
    core = started(POOLS["steady"], nodes()[node])
    core.handle(ev.Drain(NodeDeallocationOption.REQUEUE), NOW + 1)
    core.settle(NOW + 1)
    commands = [command for command in core.take()[1] if isinstance(command, CreateVm | DestroyVm)]
    assert [(type(command), command.node_id) for command in commands] == [(DestroyVm, NODE)]
