"""The scheduler's pass at the end of a batch: waiting tasks to nodes with room. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pools import Context, NodeState

from .commands import RecallExecutions, StartExecution
from .execution import Executions
from .job_machine import JobMachine
from .model import Task
from .scheduler import NodeSlots, Stage, choose
from .task_machine import TaskMachine

#: A task that was sent ahead and has waited this long (seconds) is called back if another node has room.
RECALL_AFTER = 1.0


def open_nodes(ctx: Context, tasks: TaskMachine, pool_id: str) -> list[NodeSlots]:
    """The nodes of the pool that take tasks now."""
    return [
        tasks.slots[node.id]
        for node in ctx.nodes_of(pool_id)
        if node.state in (NodeState.IDLE, NodeState.RUNNING)
        and node.scheduling_enabled
        and node.id in ctx.connected
        and node.id in tasks.slots
    ]


def place_tasks(
    ctx: Context, jobs: JobMachine, executions: Executions, now: float
) -> Iterator[StartExecution]:
    """Place waiting tasks; yields the start commands, to be issued after the commit."""
    if jobs.draining:
        return
    for pool in ctx.pools:
        if pool.id in ctx.draining or jobs.tasks.queue.first(pool.id) is None:
            continue
        nodes = open_nodes(ctx, jobs.tasks, pool.id)
        if nodes:
            pack = pool.spec.task_scheduling_policy.node_fill_type == "pack"
            yield from _fill(ctx, jobs, executions, nodes, pool.id, pack, now)
            yield from _send_ahead(ctx, jobs.tasks, executions, nodes, pool.id, now)


def _takes_low_priority(jobs: JobMachine, task: Task) -> bool:
    manager = jobs.jobs[task.job_id].spec.job_manager_task
    return not task.is_job_manager or manager is None or manager.allow_low_priority_node


def _fill(
    ctx: Context,
    jobs: JobMachine,
    executions: Executions,
    nodes: list[NodeSlots],
    pool_id: str,
    pack: bool,
    now: float,
) -> Iterator[StartExecution]:
    tasks = jobs.tasks
    while (task := tasks.queue.first(pool_id)) is not None:
        suited = nodes
        if not _takes_low_priority(jobs, task):
            suited = [node for node in nodes if not ctx.nodes[node.node_id].low_priority]
        node = choose(suited, task.slots, task.exclusive, pack)
        if node is None:
            return
        tasks.queue.drop_first(pool_id)
        task = tasks.place(task, node, True, now)
        yield executions.start(task, ctx.nodes[node.node_id])


def _send_ahead(
    ctx: Context,
    tasks: TaskMachine,
    executions: Executions,
    nodes: list[NodeSlots],
    pool_id: str,
    now: float,
) -> Iterator[StartExecution]:
    for node in nodes:
        flowing: int | None = None
        while (task := tasks.queue.first(pool_id)) is not None:
            if task.is_job_manager or task.slots != 1:
                break
            ahead = tasks.durations.ahead(task.job_id)
            if not ahead:
                break
            if flowing is None:
                flowing = node.flowing(now - RECALL_AFTER)
            if node.queued >= ahead * flowing:
                break
            tasks.queue.drop_first(pool_id)
            task = tasks.place(task, node, False, now)
            ctx.timers.set_earlier("recall", node.node_id, now + RECALL_AFTER)
            yield executions.start(task, ctx.nodes[node.node_id])


def recall_waiting(ctx: Context, tasks: TaskMachine, node_id: str, now: float) -> None:
    """Call back what waits at the node for long, if another node of the pool has room."""
    node = tasks.slots.get(node_id)
    if node is None:
        return
    waiting = {
        execution_id: placement
        for execution_id, placement in node.placements.items()
        if placement.stage is Stage.QUEUED
    }
    if not waiting:
        return
    ctx.timers.set("recall", node_id, now + RECALL_AFTER)
    if node_id not in ctx.connected:
        return
    late = tuple(x for x, placement in waiting.items() if placement.since + RECALL_AFTER <= now)
    room = any(other.free > 0 for other in open_nodes(ctx, tasks, node.pool_id) if other.node_id != node_id)
    if late and room:
        ctx.say(RecallExecutions(node_id, late))
