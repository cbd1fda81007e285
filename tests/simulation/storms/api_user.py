"""Somebody who sends every command of the API, in any order, about things of his own: whether they are there or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace

from pools import MetadataItem, NodeDeallocationOption, PoolSpec, PoolSpecification
from runner import (
    AddApplication,
    AddJob,
    AddJobSchedule,
    AddPool,
    AddTasks,
    ApplicationPackage,
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DeleteTask,
    DisableJob,
    EnableJob,
    Event,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    ReactivateTask,
    RemoveApplication,
    ReplaceJob,
    ResizePool,
    ResumePool,
    Schedule,
    SetDefaultVersion,
    StopResize,
    TaskConstraints,
    TaskSpec,
    TerminateJob,
    TerminateTask,
    UpdateJob,
    UpdateTask,
)
from runner import events as ev
from runner import job_events as jev
from runner.pool_events import UpdatePool
from runner.simulation import Request
from runner.spec import AutoPoolSpecification
from runner.task_spec import JobPreparationTask, JobReleaseTask

from ..settings import FORMULA
from ..task_deeds import TOY
from .driver import StormSimulation
from .faults import StormFaults

JOBS = ("toy-a", "toy-b")
_TASKS = 5
_OPTIONS = tuple(NodeDeallocationOption)
_FORMULAS = (FORMULA, "$TargetDedicatedNodes = 1;", "$TargetDedicatedNodes = nonsense;", "")
TaskMaker = Callable[..., TaskSpec]


def is_own(id: str) -> bool:
    return id.startswith(TOY)


class ApiUser:
    def __init__(self, sim: StormSimulation, faults: StormFaults, task: TaskMaker) -> None:
        """`task`: makes the specification of a task that runs for so many seconds."""
        self._sim = sim
        self._faults = faults
        self._task = task
        self._rng = rng = faults.chances.stream("api")
        self._every = rng.choice((3.0, 10.0, 40.0))
        self.asked: list[Request] = []
        self._makers = self._commands()
        sim.at(sim.now + self._every, self._ask)

    def _ask(self, now: float) -> None:
        if self._faults.calm:
            self._clear_up(now)
            return
        event = self._rng.choice(self._makers)()
        if self._faults.strikes(f"api/{type(event).__name__}", 1.0, event):
            self._request(event)
        self._sim.at(now + self._every * self._rng.uniform(0.2, 2.0), self._ask)

    def _request(self, event: Event) -> None:
        self.asked.append(self._sim.request(event))

    def _clear_up(self, now: float) -> None:
        """What is his is to go, in the end."""
        tables = self._sim.journal.table
        self._request(ResumePool("ebbing"))
        for schedule_id in filter(is_own, tables("job_schedules")):
            self._request(DeleteJobSchedule(schedule_id))
        for job in tables("jobs").values():
            if is_own(job.id) or is_own(job.schedule_id or ""):
                self._request(DeleteJob(job.id))
        for pool_id in filter(is_own, tables("pools")):
            self._request(DeletePool(pool_id))
        for name in {name for name, _ in tables("applications")}:
            self._request(RemoveApplication(name))
        if not self.is_cleared or not all(request.answered for request in self.asked):
            self._sim.at(now + 20.0, self._clear_up)

    @property
    def is_cleared(self) -> bool:
        """Is nothing of his left?"""
        tables = self._sim.journal.table
        jobs = (is_own(job.id) or is_own(job.schedule_id or "") for job in tables("jobs").values())
        ids = (*tables("pools"), *tables("job_schedules"))
        return not any(jobs) and not any(map(is_own, ids)) and not tables("applications")

    # -- what can be asked -----------------------------------------------------------------------------------

    def _commands(self) -> list[Callable[[], Event]]:
        rng = self._rng
        pools: list[Callable[[], Event]] = [
            lambda: AddPool(self._pool(), "simulated", "simulated"),
            lambda: AddPool(self._pool(), "simulated", "simulated"),
            lambda: ResizePool(TOY, rng.randrange(3), rng.randrange(3), rng.choice(_OPTIONS)),
            lambda: StopResize(TOY),
            lambda: ev.EnableAutoScale(TOY, rng.choice(_FORMULAS), rng.choice((5.0, 60.0, None))),
            lambda: ev.DisableAutoScale(TOY),
            lambda: ev.EvaluateAutoScale(rng.choice((TOY, "ebbing")), rng.choice(_FORMULAS)),
            lambda: ev.AutoScaleNow(rng.choice((TOY, "ebbing"))),
            lambda: UpdatePool(self._pool(), frozenset(("metadata", "task_slots_per_node"))),
            lambda: ev.RescalePool(self._pool()),
            lambda: ResumePool(TOY),
            lambda: DeletePool(TOY),
        ]
        return [*pools, *self._about_jobs(), *self._about_tasks(), *self._about_schedules(), *self._about_packages()]

    def _about_jobs(self) -> list[Callable[[], Event]]:
        rng = self._rng
        name = partial(rng.choice, JOBS)
        return [
            lambda: AddJob(self._job(name()), self._tasks()),
            lambda: AddJob(self._job(name()), self._tasks()),
            lambda: AddJob(self._job(name()), self._tasks()),
            lambda: DisableJob(name(), rng.choice(("requeue", "terminate", "wait", "nothing"))),
            lambda: EnableJob(name()),
            lambda: TerminateJob(name()),
            lambda: DeleteJob(name()),
            lambda: ReplaceJob(self._job(name()), frozenset(("priority", "max_parallel_tasks"))),
            lambda: ReplaceJob(self._job(name()), frozenset(("pool_info",))),
            lambda: UpdateJob(self._job(name())),
        ]

    def _about_tasks(self) -> list[Callable[[], Event]]:
        rng = self._rng

        def key() -> tuple[str, str]:
            return rng.choice(JOBS), f"toy-task-{rng.randrange(_TASKS)}"

        return [
            lambda: AddTasks(rng.choice(JOBS), self._tasks()),
            lambda: jev.AddTaskCollection(rng.choice(JOBS), self._tasks()),
            lambda: TerminateTask(*key()),
            lambda: ReactivateTask(*key()),
            lambda: DeleteTask(*key()),
            lambda: UpdateTask(*key(), TaskConstraints(max_task_retry_count=rng.randrange(3))),
        ]

    def _about_schedules(self) -> list[Callable[[], Event]]:
        rng, name = self._rng, "toy-schedule"
        return [
            lambda: AddJobSchedule(self._schedule(name)),
            lambda: jev.DisableJobSchedule(name),
            lambda: jev.EnableJobSchedule(name),
            lambda: jev.TerminateJobSchedule(name),
            lambda: jev.RunJobSchedule(name, rng.random() < 0.5),
            lambda: jev.ReplaceJobSchedule(self._schedule(name), frozenset(("schedule",))),
            lambda: jev.UpdateJobSchedule(self._schedule(name)),
            lambda: DeleteJobSchedule(name),
        ]

    def _about_packages(self) -> list[Callable[[], Event]]:
        rng = self._rng
        version = partial(rng.choice, ("1", "2"))
        return [
            lambda: AddApplication(_package(version())),
            lambda: SetDefaultVersion("toy-tool", rng.choice((version(), None))),
            lambda: RemoveApplication("toy-tool", rng.choice((version(), None))),
        ]

    def _pool(self) -> PoolSpec:
        rng = self._rng
        metadata = rng.choice(((), (MetadataItem(name="budget", value=f"{rng.uniform(0.0001, 0.01):.6f}"),)))
        spec = PoolSpec(
            id=TOY, vm_size="simulated.small", task_slots_per_node=rng.choice((1, 2)), metadata=metadata,
            resize_timeout=timedelta(minutes=rng.choice((5, 15))),
        )  # fmt: skip
        if rng.random() < 0.5:
            return replace(spec, target_dedicated_nodes=rng.randrange(3), target_low_priority_nodes=rng.randrange(2))
        return replace(
            spec,
            enable_auto_scale=True,
            auto_scale_formula=rng.choice(_FORMULAS[:2]),
            auto_scale_evaluation_interval=timedelta(seconds=rng.choice((5, 30))),
        )

    def _where(self) -> PoolInfo:
        nodes = PoolSpecification(vm_size="simulated.small", target_dedicated_nodes=1)
        auto = AutoPoolSpecification(pool_lifetime_option="job", auto_pool_id_prefix=TOY, pool=nodes)
        choice = self._rng.choice((TOY, TOY, "fixed", "ebbing", "nowhere", None))
        return PoolInfo(pool_id=choice) if choice is not None else PoolInfo(auto_pool_specification=auto)

    def _job(self, job_id: str) -> JobSpec:
        rng = self._rng
        return JobSpec(
            id=job_id,
            pool_info=self._where(),
            priority=rng.randrange(-5, 5),
            max_parallel_tasks=rng.choice((-1, 1)),
            on_all_tasks_complete=rng.choice(("noaction", "terminatejob")),
            **(self._around() if rng.random() < 0.4 else {}),
        )

    def _around(self) -> dict[str, Any]:
        """What a job does on its nodes before and after its tasks."""
        rng = self._rng
        limits = TaskConstraints(max_task_retry_count=rng.choice((1, -1)))
        prepare = JobPreparationTask(command_line="prepare", constraints=limits, wait_for_success=rng.random() < 0.8)
        release = JobReleaseTask(command_line="tidy") if rng.random() < 0.5 else None
        return {"job_preparation_task": prepare, "job_release_task": release}

    def _tasks(self) -> tuple[TaskSpec, ...]:
        rng = self._rng
        numbers = rng.sample(range(_TASKS), rng.randrange(1, _TASKS))
        return tuple(
            self._task(f"toy-task-{number}", rng.choice((0.5, 20.0, 120.0)), [rng.choice((0, 0, 3))])
            for number in numbers
        )

    def _schedule(self, name: str) -> JobScheduleSpec:
        rng = self._rng
        manager = JobManagerTask(id="manager", command_line="manage")
        interval = timedelta(seconds=rng.choice((10, 45)))
        return JobScheduleSpec(
            id=name,
            schedule=Schedule(recurrence_interval=interval),
            job_specification=JobSpecification(pool_info=self._where(), job_manager_task=manager),
        )


def _package(version: str) -> ApplicationPackage:
    digest = version * 64
    return ApplicationPackage(
        application_id="toy-tool", version=version, sha256=digest, size=1, created=float(version)
    )
