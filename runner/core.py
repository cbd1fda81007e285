"""The core: events in, changes and commands out. No cloud, SSH, SQL, sleep or clock in here.

`handle` takes one event; `settle` ends a batch (planner, scheduler); `take` hands out what is to be
committed, and what is to be done after the commit. The same class runs in the product, in the simulator and
in the fault test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pools import (
    Changes,
    Command,
    Context,
    Deployment,
    Ids,
    Ledger,
    NodeDeallocationOption,
    NodeState,
    PoolError,
    PoolMachine,
    PoolSpec,
    Table,
    TaskCounts,
    Timers,
)

from .auto_pools import AutoPools, PlacePool
from .commands import acknowledged_together
from .core_settings import CoreSettings
from .events import Event, Tick, TimeLost
from .execution import Executions
from .job_budgets import JobBudgets
from .job_machine import JobMachine
from .job_nodes import JobNodes
from .model import ApplicationPackage
from .placing import place_tasks, recall_waiting
from .reconciliation import Reconciliation
from .reports import Reports
from .requests import Handler, Requests
from .schedule_machine import ScheduleMachine
from .spelling import Spelling
from .start_tasks import StartTasks
from .stored import Stored
from .task_model import Task, TaskKey
from .task_requests import TaskRequests
from .translation import Translation
from .unsatisfiable import Unsatisfiable


def _nowhere(spec: PoolSpec) -> tuple[str, str]:
    raise PoolError("InvalidPropertyValue", "there are no auto pools here: nothing says where they are to be")


class Core:
    """Implements the `Workload` that pools ask."""

    def __init__(
        self, settings: CoreSettings, deployment: Deployment, ids: Ids, place_pool: PlacePool = _nowhere
    ) -> None:
        """`place_pool`: says where the auto pools of jobs are to be."""
        self.settings = settings
        self._now, self._quiet = 0.0, False  # of the batch; has nothing happened since the last one?
        self._followed = -1  # what was noted of jobs, schedules and pools when auto pools were looked at
        self._ledger = Ledger()
        self.ctx = Context(self._ledger, settings.pools, ids, deployment)
        self.ctx.workload = self
        self.pools = PoolMachine(self.ctx, end_idle_pools=settings.end_idle_pools)
        self._auto_pools = AutoPools(self.ctx, self.pools, place_pool)
        ctx, kept = self.ctx, settings.pools.kept_attempts
        self.jobs = JobMachine(self._ledger, ids, ctx.timers, self._auto_pools, ctx.say, ctx.nodes.get, kept)
        self.schedules = ScheduleMachine(self._ledger, self.ctx.timers, self.jobs, settings.occurrences)
        self.tasks = self.jobs.tasks
        self.tasks.is_connected = self.pools.nodes.is_connected
        self.budgets = JobBudgets(self.ctx, self.jobs, self.schedules)
        self.applications: Table[tuple[str, str], ApplicationPackage] = Table(self._ledger, "applications")
        self.spelling = Spelling(ctx.pools, self.jobs.jobs, self.schedules.schedules, self.tasks, self.applications)
        self.executions = Executions(settings.account, self.ctx, self.jobs, self.applications)
        self.job_nodes = JobNodes(self.ctx, self._ledger, self.jobs, self.executions)
        self._translation = Translation(self.ctx, settings, self.tasks, self.executions)
        requests = Requests(
            *(ctx, self.pools, self.jobs, self.schedules, self.budgets, self.executions, self._auto_pools),
            *(self.applications, settings.minimum_recurrence_interval),
        )
        reports = Reports(
            self.pools.nodes,
            self.tasks,
            self.job_nodes,
            StartTasks(self.ctx, self.pools.nodes, self.tasks.outputs),
            Reconciliation(self.ctx, self.tasks, self.job_nodes, self.executions),
        )
        self._unsatisfiable = Unsatisfiable(self.ctx, self.jobs, self.pools.growth_barred, self.job_nodes)
        of_tasks = TaskRequests(self.jobs, self.executions.check_packages)
        self._handlers: Mapping[type[Event], Handler] = {
            **self.spelling.before({**requests.handlers(), **of_tasks.handlers()}),
            **reports.handlers(),
            Tick: lambda event, now: None,
            TimeLost: lambda event, now: self.pools.nodes.reach.time_lost(event.seconds, now),
        }

    # -- a batch ---------------------------------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> object:
        """Let one event happen. A request that is refused raises (PoolError, JobError) and changes nothing."""
        self._quiet = False
        return self._handlers[type(event)](event, now)

    def mark(self) -> tuple[int, int]:
        """Another one as soon as anything is changed or is to be done."""
        return (self._ledger.noted, len(self.ctx.commands))

    def missing(self, event: Event) -> TaskKey | None:
        """The completed task that the event asks something of, and that is in the store alone: to be read there and
        given to `recall` before the event is handled."""
        key = self.spelling.task(event.task_key) if event.task_key is not None else None
        return None if key in self.tasks.tasks else key

    def recall(self, task: Task) -> None:
        """See `missing`. What goes with this batch is in the store yet, and is not found again."""
        if task.key not in self.tasks.tasks and not self._ledger.drops("tasks", task.key):
            self.tasks.recall(task)

    def unfinished(self) -> bool:
        """Does any task run, may one start, does any job end, or is a further one to come, without anybody's help?"""
        going = map(self.jobs.goes_on, self.jobs.jobs), map(self.schedules.goes_on, self.schedules.schedules)
        return not self.tasks.is_settled or any(map(any, going))

    def settle(self, now: float) -> bool:
        """End of a batch: timers, consequences, the planner's pass, the scheduler's pass. True: samples were taken, and
        nothing follows from these."""
        self._now, quiet, self._quiet = now, self._quiet, True
        for kind, key in self.ctx.timers.due(now):
            quiet = quiet and kind == "sample"
            if kind == "schedule":
                self.schedules.ring(key, now)
            elif kind == "job":
                self.jobs.expire(key, now)
            elif kind == "job-budget":
                self.budgets.look_at(key)
            elif kind == "recall":
                recall_waiting(self.ctx, self.tasks, key, now)
            elif kind != "outlook":  # that one is for `Unsatisfiable`
                self.pools.ring(kind, key, now)
        if quiet and not self.ctx.dirty and self.tasks.is_settled:
            return True
        self.budgets.settle(now)
        self._unsatisfiable.settle(now)  # before nodes are ordered for what cannot be done
        self._draw_consequences(now)
        jobs = -1
        while jobs != len(self.jobs.jobs):  # a job that ends may bring its schedule's next one
            jobs, before = len(self.jobs.jobs), self.mark()
            for command in place_tasks(self.ctx, self.jobs, self.executions, now):
                self.ctx.say(command)
            if self.mark() != before or not self.tasks.is_settled:
                self._draw_consequences(now)
        return False

    def _draw_consequences(self, now: float) -> None:
        """Of tasks for tasks and jobs, of tasks for nodes, of nodes for pools, until nothing follows any more."""
        self.tasks.settle_waiting(now)
        self.job_nodes.settle(now)
        self.after_jobs(now)
        while self.tasks.completed or self.tasks.touched or self.ctx.dirty:
            self.jobs.settle(now)
            touched, self.tasks.touched = self.tasks.touched, set()
            for node_id in sorted(touched):  # the same order on every run
                self.pools.nodes.work_changed(node_id, now)
                if self.settings.end_idle_pools and (node := self.ctx.nodes.get(node_id)) is not None:
                    self.ctx.dirty.add(node.pool_id)
            self.pools.settle(now)
            self.job_nodes.settle(now)
            self.after_jobs(now)

    def after_jobs(self, now: float) -> None:  # for schedules, and for pools that end with jobs
        self.schedules.settle(now)
        of = self.jobs.jobs, self.schedules.schedules, self.ctx.pools
        noted = sum([table.noted for table in of])
        if noted != self._followed:
            self._auto_pools.settle(self.jobs.jobs, self.schedules.schedules, now)
            self._followed = sum([table.noted for table in of])

    def take(self) -> tuple[Changes, tuple[Command, ...]]:
        """What to commit, and what to do once it is committed."""
        commands = self._translation.of_all(self.ctx.commands, self._now)
        self.ctx.commands.clear()
        self.tasks.let_go()
        return self._ledger.take(), acknowledged_together(commands)

    def next_due(self) -> float | None:
        """When `settle` wants to be called next, whatever happens."""
        return self.ctx.timers.next() if self.tasks.is_settled else self._now

    # -- Workload: what pools ask ----------------------------------------------------------------------------

    def counts(self, pool_id: str) -> TaskCounts:
        return self.tasks.counts(pool_id)

    def has_work(self, pool_id: str) -> bool:
        """Is there, or will there be, anything to do for the pool?"""
        counts = self.tasks.counts(pool_id)
        if counts.active or counts.running or self.schedules.need(pool_id):
            return True
        schedule = self.schedules.schedules.get(self._auto_pools.owner(pool_id) or "")
        return schedule is not None and self.schedules.goes_on(schedule)

    def busy(self, node_id: str) -> int:
        return self.tasks.busy(node_id) + self.job_nodes.busy(node_id)

    def node_usable(self, node_id: str, now: float) -> None:
        node = self.ctx.nodes[node_id]
        pool = self.ctx.pools[node.pool_id]
        self.tasks.node_known(node_id, pool.id, pool.spec.task_slots_per_node)
        self.ctx.dirty.add(pool.id)

    def evict(self, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        self.tasks.evict(node_id, option, now)
        self.job_nodes.evict(node_id)

    def stay(self, node_id: str, now: float) -> bool:
        if not self.job_nodes.stay(node_id):
            return False
        self.node_usable(node_id, now)
        return True

    def tasks_on(self, node_id: str) -> int:
        return self.tasks.busy(node_id)

    def vacate(self, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        self.tasks.evict(node_id, option, now)

    def node_gone(self, node_id: str, now: float) -> None:
        node = self.ctx.nodes.get(node_id)
        failed = node is not None and node.previous_state == NodeState.UNUSABLE
        died = (node.reason or "") if node is not None and failed else None
        # without a connection it ran on: until its VM was seen to have ended, or until it was taken away
        ended = now if node is None or node.vm_ended is None else node.vm_ended
        unheard = self.tasks.unheard(node_id, ended)

        def begun(task: Task) -> bool:
            return task.execution_at(node_id) in unheard and self.executions.is_ready(task.job_id, node_id)

        self.tasks.node_gone(node_id, died, now, begun)
        self.job_nodes.node_gone(node_id, now)

    # -- restart ---------------------------------------------------------------------------------------------

    def load(self, stored: Stored, now: float) -> None:
        """Take over the stored state and issue again every command whose outcome is unknown."""
        self.ctx.load(stored.pools, stored.nodes)
        self.applications.load(stored.applications)
        self.jobs.jobs.load(stored.jobs)
        self.schedules.schedules.load(stored.job_schedules)
        self.job_nodes.load(stored.job_nodes)
        self.tasks.gone.load(stored.gone)
        for node in stored.nodes.values():
            if node.vm_gone:
                continue
            slots = stored.pools[node.pool_id].spec.task_slots_per_node
            self.tasks.node_known(node.id, node.pool_id, slots)
        self.tasks.load(stored.tasks, stored.done, stored.sequence)
        for job_id, totals in stored.totals.items():
            self.tasks.known_totals(job_id, totals)
        self.tasks.costs.recover(stored.jobs.values())
        for placed in self.tasks.slots.values():
            if placed.queued:
                self.ctx.timers.set("recall", placed.node_id, now)
        self.pools.recover(stored.samples, stored.latest(), now)
        self.jobs.recover(now)
        self.schedules.recover(now)
        self.budgets.recover()

    @property
    def timers(self) -> Timers:
        return self.ctx.timers

    def tables(self) -> Mapping[str, Iterable[object]]:
        """All records in memory by table, for views and invariants."""
        return {
            "pools": self.ctx.pools,
            "nodes": self.ctx.nodes,
            "jobs": self.jobs.jobs,
            "tasks": self.tasks.tasks,
            "job_schedules": self.schedules.schedules,
            "job_nodes": self.job_nodes.records,
            "gone": self.tasks.gone,
            "applications": self.applications,
        }
