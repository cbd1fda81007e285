"""The scheduler's pass at the end of a batch: waiting tasks to nodes with room. Pure.

A task that needs more room than there is keeps its place: what stands behind it gets none of the nodes that it might
have. One that none of the nodes may take, as they are, stands in nobody's way.
"""

from __future__ import annotations

from collections.abc import Iterator

from pools import Context

from .commands import RecallExecutions, StartExecution
from .execution import Executions
from .job_machine import JobMachine
from .open_nodes import takes_tasks
from .plain_placing import place_plain
from .preemption import Preemption
from .scheduler import NodeSlots, Stage, choose, choose_several
from .task_machine import TaskMachine
from .task_model import Task

#: A task that was sent ahead and has waited this long (seconds) is called back if another node has room.
RECALL_AFTER = 1.0


def open_nodes(ctx: Context, tasks: TaskMachine, pool_id: str) -> list[NodeSlots]:
    """The nodes of the pool that take tasks now."""
    return [
        tasks.slots[node.id]
        for node in ctx.nodes_of(pool_id)
        if node.id in tasks.slots and takes_tasks(ctx, node.id)
    ]


def place_tasks(
    ctx: Context, jobs: JobMachine, executions: Executions, now: float
) -> Iterator[StartExecution]:
    """Place waiting tasks; yields the start commands, to be issued after the commit."""
    jobs.tasks.open_nodes.refresh(ctx)
    if jobs.draining:
        return
    queue = jobs.tasks.queue
    for pool in ctx.pools:
        if pool.id in ctx.draining or not queue.wanted(pool.id):
            continue
        if (yield from place_plain(ctx, jobs, executions, pool, now)):
            continue
        nodes = open_nodes(ctx, jobs.tasks, pool.id)
        if nodes:
            one_pass = _Pass(ctx, jobs, executions, nodes, pool.id, now)
            try:
                yield from one_pass.fill(pool.spec.task_scheduling_policy.node_fill_type == "pack")
            finally:
                queue.bring_back()
            yield from one_pass.send_ahead()


class _Pass:
    """Over the queue of one pool."""

    def __init__(
        self,
        ctx: Context,
        jobs: JobMachine,
        executions: Executions,
        nodes: list[NodeSlots],
        pool_id: str,
        now: float,
    ) -> None:
        self._ctx = ctx
        self._jobs = jobs
        self._tasks = jobs.tasks
        self._queue = jobs.tasks.queue
        self._executions = executions
        self._nodes = nodes
        self._pool_id = pool_id
        self._now = now
        self._admitting: dict[str, list[NodeSlots]] = {}
        #: what stands further behind gets none of these; and those of them where room is made
        self._claimed: set[str] = set()
        self._cleared: set[str] = set()
        self._preempting: Preemption | None = None

    def fill(self, pack: bool) -> Iterator[StartExecution]:
        """Give waiting tasks the room that there is."""
        present = tuple((node.node_id, node.slots) for node in self._nodes)
        self._queue.unpark(self._pool_id, present)
        while (task := self._queue.first(self._pool_id)) is not None:
            admitting = self._admitted(task.job_id)
            if not admitting:
                self._queue.set_job_aside(task.job_id)
                continue
            able, needed = self._able(task, admitting), task.size or 1
            if len(able) < needed:
                if len(self._able(task, self._nodes)) >= needed:
                    self._queue.set_aside(task)
                else:
                    self._queue.park(self._pool_id, task, present)
                continue
            open_ones = [node for node in able if node.node_id not in self._claimed] if self._claimed else able
            nodes = self._chosen(task, open_ones, pack)
            if nodes:
                yield from self._start(task, nodes, True)
            elif task.size:
                if self._claim_several(task, open_ones):
                    return
                self._queue.set_aside(task, claims=True)
            elif self._claim(task, able, admitting):
                return

    def _chosen(self, task: Task, open_ones: list[NodeSlots], pack: bool) -> list[NodeSlots]:
        """Those that have room for the task; none, if it has to wait."""
        if task.size:
            return choose_several(open_ones, task.slots, task.size, pack, task.affinity)
        node = self._preferred(task, open_ones) or choose(open_ones, task.slots, task.exclusive, pack)
        return [node] if node is not None else []

    def _claim(self, task: Task, able: list[NodeSlots], admitting: list[NodeSlots]) -> bool:
        """What stands behind the task gets none of the nodes that it might have. True: so there is none left."""
        claimed = self._preemption.claim(task, able)
        if claimed is not None:
            self._cleared.add(claimed)
        self._claimed.update((claimed,) if claimed is not None else (node.node_id for node in able))
        if claimed is None and all(node.node_id in self._claimed for node in self._nodes):
            return True
        if claimed is None and all(node.node_id in self._claimed for node in admitting):
            self._queue.set_job_aside(task.job_id)
        else:
            self._queue.set_aside(task, claims=claimed is not None)
        return False

    @property
    def _preemption(self) -> Preemption:
        """Worked out when it is needed."""
        if self._preempting is None:
            self._preempting = self._new_preemption()
        return self._preempting

    def _new_preemption(self) -> Preemption:
        return Preemption(self._jobs.jobs, self._tasks, self._ctx.say, self._pool_id, self._now)

    def _claim_several(self, task: Task, open_ones: list[NodeSlots]) -> bool:
        """What stands behind a multi-instance task gets none of as many nodes as it needs: first of those that have
        room, which stay free for it until there are enough. Two such tasks never hold parts of what the other needs:
        nothing is placed before all can be, and the claims of the one that comes first are made first. True: so none
        is left."""
        count = task.size
        free = [node for node in open_ones if node.free >= task.slots]
        others = [node for node in open_ones if node.free < task.slots]
        made = self._preemption.claim_several(task, free, others, count - len(free))
        if made is not None:
            self._cleared.update(made)
            self._claimed.update(made)
            self._claimed.update(node.node_id for node in free)
            return False
        # those with the least to wait for: the same again in the next pass, unless others come free earlier
        others.sort(key=lambda node: (-node.free, node.node_id))
        self._claimed.update(node.node_id for node in (*free, *others)[:count])
        # if it can make no room anywhere, what stands behind it has no higher priority, and cannot either
        return len(self._claimed) == len(self._nodes) and self._preemption.claim_several(task, (), (), 0) is None

    def _admitted(self, job_id: str) -> list[NodeSlots]:
        """The nodes on which tasks of the job may run at present."""
        rules = self._jobs.admitting
        if not rules:
            return self._nodes
        known = self._admitting.get(job_id)
        if known is None:
            job = self._jobs.jobs[job_id]
            known = [node for node in self._nodes if all(rule(job, node.node_id) for rule in rules)]
            self._admitting[job_id] = known
        return known

    def _admits(self, job_id: str, node: NodeSlots) -> bool:
        return any(each is node for each in self._admitted(job_id))

    def _able(self, task: Task, nodes: list[NodeSlots]) -> list[NodeSlots]:
        """Those that have enough slots for the task, and are of its kind."""
        if task.slots > 1:
            nodes = [node for node in nodes if node.slots >= task.slots]
        if task.is_job_manager:
            manager = self._jobs.jobs[task.job_id].spec.job_manager_task
            if manager is not None and not manager.allow_low_priority_node:
                nodes = [node for node in nodes if not self._ctx.nodes[node.node_id].low_priority]
        return nodes

    def _preferred(self, task: Task, nodes: list[NodeSlots]) -> NodeSlots | None:
        """The node that the task would like best, if it has room."""
        if task.affinity is None:
            return None
        liked = [node for node in nodes if node.node_id == task.affinity]
        return choose(liked, task.slots, task.exclusive, False)

    def _start(self, task: Task, nodes: list[NodeSlots], holds: bool) -> Iterator[StartExecution]:
        if task.size:
            task = self._tasks.place_together(task, nodes, self._now)
        else:
            task = self._tasks.place(task, nodes[0], holds, self._now)
        for node in nodes:
            if self._preempting is not None:
                self._preempting.changed(node.node_id)
            yield from self._executions.begin(task, self._ctx.nodes[node.node_id], self._now)

    def send_ahead(self) -> Iterator[StartExecution]:
        """Let short tasks wait at busy nodes: no more at one than its part of all that are left."""
        most = -(-self._tasks.counts(self._pool_id).active // len(self._nodes))
        for node in self._nodes:
            flowing: int | None = None
            while (task := self._queue.first(self._pool_id)) is not None:
                if task.is_job_manager or task.slots != 1 or task.size or not self._admits(task.job_id, node):
                    break
                ahead = self._tasks.durations.ahead(task.job_id)
                if not ahead or not self._executions.is_ready(task.job_id, node.node_id):
                    break
                if flowing is None:
                    flowing = node.flowing(self._now - RECALL_AFTER)
                if node.queued >= min(most, ahead * flowing) or node.node_id in self._cleared:
                    break
                self._ctx.timers.set_earlier("recall", node.node_id, self._now + RECALL_AFTER)
                yield from self._start(task, [node], False)


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
    tasks.open_nodes.refresh(ctx)  # this is asked of each node once a second: none may look at all the others
    if late and tasks.open_nodes.has_room_beside(node):
        ctx.say(RecallExecutions(node_id, late))
