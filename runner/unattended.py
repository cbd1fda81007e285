"""Requests while no controller works on a state: they are recorded, with what follows from them for records alone."""

from __future__ import annotations

from msgspec.structs import replace

from pools import Changes, PoolError, PoolState

from .core import Core
from .events import Event
from .job_events import RunJobSchedule
from .node_events import NodeRequest


def handle_unattended(core: Core, event: Event, now: float) -> Changes:
    """See `answer_unattended`: the changes alone."""
    return answer_unattended(core, event, now)[1]


def answer_unattended(core: Core, event: Event, now: float) -> tuple[object, Changes]:
    """What the core answers, and what to commit so that the event has happened. Raises PoolError or JobError if it is
    refused.

    Nodes and clouds are left alone, and no node, task or job is ordered, placed or made: that would be claimed hours
    before somebody does it. The commands are dropped: the next controller finds in the records what is intended, and
    says it (again), as it does after a crash.
    """
    if isinstance(event, NodeRequest):
        text = "no controller works on the state, so no node hears of it; `ebbtide run` and `ebbtide serve` are one"
        raise PoolError("OperationInvalidForCurrentState", text)
    if isinstance(event, RunJobSchedule):
        event = replace(event, at_once=False)
    answer = core.handle(event, now)
    core.tasks.settle_waiting(now)
    core.jobs.settle(now)
    core.after_jobs(now)
    for pool in tuple(core.ctx.pools):
        if pool.state is PoolState.DELETING and not core.ctx.node_count(pool.id):
            core.pools.forget(pool)
    return answer, unattended_changes(core)


def unattended_changes(core: Core) -> Changes:
    """What to commit."""
    changes, _ = core.take()
    # of nodes, only what loading them has noted: that the next controller notes at its own time
    return Changes({name: records for name, records in changes.by_table.items() if name != "nodes"})
