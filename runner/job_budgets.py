"""What jobs may cost: how the budget of each stands, and what follows when it is used up."""

from __future__ import annotations

from msgspec.structs import replace

from pools import (
    HOUR,
    JOB_OPTIONS,
    PRICE_GRACE,
    WARN_AT,
    Bill,
    BudgetAction,
    Context,
    FailureInfo,
    JobOptions,
    Level,
    charged,
    dearest_price,
    differences,
    evolve,
    options_of_job,
    standing,
)

from .job_errors import JobError
from .job_machine import JobMachine
from .model import Job
from .request_checks import check_options
from .schedule_machine import ScheduleMachine
from .spec import JobScheduleSpec, JobSpec, JobSpecification
from .states import JobState, TaskState

_FOLLOWS = {
    BudgetAction.WARN: "nothing follows (budgetAction warn)",
    BudgetAction.STOP: "no further task is started",
    BudgetAction.DRAIN: "the job is terminated",
}
_LEVELS = frozenset(level.value for level in Level)
_CURE = "A higher `budget` in the job's metadata lets it go on"


class JobBudgets:
    def __init__(self, context: Context, jobs: JobMachine, schedules: ScheduleMachine) -> None:
        self._ctx = context
        self._jobs = jobs
        self._schedules = schedules
        self._costs = jobs.tasks.costs
        jobs.on_closed.append(lambda job, now: context.timers.cancel("job-budget", job.id))

    def look_at(self, job_id: str) -> None:
        """Its budget may stand differently now."""
        self._costs.touched.add(job_id)

    def settle(self, now: float) -> None:
        """Draw the consequences of what has started, ended, or come to its time."""
        touched = sorted(self._costs.touched)  # the same order on every run
        self._costs.touched.clear()
        for job_id in touched:
            job = self._jobs.jobs.get(job_id)
            if job is not None and job.state is JobState.ACTIVE:
                asked = options_of_job(job.spec.metadata)
                if asked.budget is not None:
                    self._judge(job, asked, asked.budget, now)
                elif job.held or _is_ours(job.scheduling_error):
                    self._put(job, None, False, now)

    def _judge(self, job: Job, asked: JobOptions, budget: float, now: float) -> None:
        found = standing(budget, self._bill(job, now), now)
        if found.changes is not None:
            self._ctx.timers.set("job-budget", job.id, found.changes)
        over = found.level in (Level.REACHED, Level.UNKNOWN)
        error = None
        if found.level is not Level.FINE:
            error = FailureInfo("usererror", found.level.value, _text(asked, found.level))
        self._put(job, error, over and asked.budget_action is not BudgetAction.WARN, now)
        if found.level is Level.REACHED and asked.budget_action is BudgetAction.DRAIN:
            self._jobs.terminate(job.id, Level.REACHED.value, now)

    def _bill(self, job: Job, now: float) -> Bill:
        """What the job has spent, with what runs of it until now."""
        ctx = self._ctx
        pool = ctx.pools.get(job.pool_id)
        dearest = dearest_price(pool, ctx.nodes_of(pool.id), ctx.settings) if pool is not None else None
        ended = self._costs.ended(job.id)
        known, unpriced, rate, unpriced_rate, due = ended.known, ended.unpriced, 0.0, 0.0, list[float]()
        for start, share, price in self._costs.running(job.id):
            seconds = max(0.0, now - start) * share
            if price is not None:
                known, rate = known + price * seconds / HOUR, rate + price * share / HOUR
            elif dearest is None and now < start + PRICE_GRACE:
                due.append(start + PRICE_GRACE)  # its cloud may still say it
            else:
                unpriced, unpriced_rate = unpriced + seconds, unpriced_rate + share
        bill = charged(known, unpriced, rate, unpriced_rate, dearest)
        return Bill(bill.spent, bill.rate, bill.unknown, min(due, default=None))

    def _put(self, job: Job, error: FailureInfo | None, held: bool, now: float) -> None:
        if (error is None and not _is_ours(job.scheduling_error)) or (job.blocked and not held):
            error = job.scheduling_error
        if (error, held) == (job.scheduling_error, job.held):
            return
        changed = evolve(job, now, scheduling_error=error, held=held)
        if held == job.held:
            self._jobs.jobs.put(job.id, changed)
            return
        self._jobs.tasks.restate(changed)
        self._ctx.dirty.add(job.pool_id)
        tasks = self._jobs.tasks
        for task in tasks.placed_tasks(job.id) if held else ():
            if task.state is TaskState.ACTIVE and task.node_id is not None:
                tasks.take_back(task.node_id, (task,), now)  # sent ahead, and not begun

    # -- requests --------------------------------------------------------------------------------------------

    def update_job(self, spec: JobSpec, now: float) -> None:
        """Give a job another budget; `spec` is its own in all else. Raises JobError."""
        job = self._jobs.job(spec.id)
        _require(f"job {spec.id!r}", beside_budget(job.spec, spec), spec)
        self._jobs.jobs.put(job.id, evolve(job, now, spec=spec))
        self.look_at(job.id)

    def update_schedule(self, spec: JobScheduleSpec, now: float) -> None:
        """Give the jobs of a schedule, and the present one, another budget. Raises JobError."""
        schedule = self._schedules.schedules.get(spec.id)
        if schedule is None:
            raise JobError("JobScheduleNotFound", f"there is no job schedule {spec.id!r}")
        _require(f"job schedule {spec.id!r}", beside_budget(schedule.spec, spec), spec.job_specification)
        self._schedules.schedules.put(spec.id, evolve(schedule, now, spec=spec))
        job = self._jobs.jobs.get(schedule.recent_job_id or "")
        if job is not None and job.state is JobState.ACTIVE:
            self.update_job(replace(job.spec, metadata=spec.job_specification.metadata), now)

    # -- restart ---------------------------------------------------------------------------------------------

    def recover(self) -> None:
        for job in self._jobs.jobs:
            if job.state is JobState.ACTIVE:
                self.look_at(job.id)


def beside_budget(old: JobSpec | JobScheduleSpec, new: JobSpec | JobScheduleSpec) -> tuple[str, ...]:
    """The properties in which two jobs, or two schedules, differ, but for the budget."""
    return differences(old, new, items=JOB_OPTIONS)


def _is_ours(error: FailureInfo | None) -> bool:
    """Does it say how a budget stands?"""
    return error is not None and error.code in _LEVELS


def _require(what: str, fixed: tuple[str, ...], spec: JobSpecification) -> None:
    if fixed:
        raise JobError("InvalidPropertyValue", f"{what}: {', '.join(fixed)} cannot change, only the budget can")
    check_options(what, spec)


def _text(asked: JobOptions, level: Level) -> str:
    assert asked.budget is not None
    amount, follows = f"{asked.budget:.12g}", _FOLLOWS[asked.budget_action]
    if level is Level.UNKNOWN:
        if asked.budget_action is BudgetAction.DRAIN:
            follows = _FOLLOWS[BudgetAction.STOP]
        return (
            f"what its nodes cost is not known, so the budget of {amount} cannot be kept: {follows}. "
            "Say it in the settings, under `prices`"
        )
    if level is Level.REACHED:
        return f"the job's budget of {amount} is used up: {follows}. {_CURE}"
    return f"{WARN_AT:.0%} of the job's budget of {amount} is used; when all is: {follows}. {_CURE}"
