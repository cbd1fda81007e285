"""A controller that works for months holds what there is, and nothing of what there was."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

import pytest
from msgspec.structs import replace

from pools import Context, MetadataItem, PoolSpec, PoolSpecification, StartTask, Timers
from pools.sampling import History
from runner import (
    AddJob,
    AddJobSchedule,
    AddPool,
    AddTasks,
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DeleteTask,
    Event,
    ForgetJob,
    JobConstraints,
    JobForgotten,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    ResizePool,
    Schedule,
    TaskDependencies,
    TaskSpec,
)
from runner.job_costs import JobCosts
from runner.simulated_node import Plan
from runner.simulation import START, Simulation
from runner.spec import AutoPoolSpecification
from runner.task_spec import JobPreparationTask, JobReleaseTask, MultiInstanceSettings
from runner.task_tally import TaskTally

from .containers import sizes
from .scenario import Scenario
from .settings import FORMULA, SETTINGS

#: Seconds that samples are kept, and jobs that are over.
KEPT = 600.0
CORE = replace(
    SETTINGS,
    occurrences=None,
    pools=replace(SETTINGS.pools, sample_retention=KEPT, profiles={}, prices={"simulated.small": (1.0, 1.0)}),
)
#: Seconds between two rounds of requests, and between two runs of the schedules.
EVERY = 120.0
RECORDS = ("pools", "nodes", "jobs", "tasks", "job_nodes", "job_schedules")
BUDGET = (MetadataItem(name="budget", value="1000"),)
OWN = PoolSpecification(vm_size="simulated.small", target_dedicated_nodes=1)
WAYS = {
    "a pool that is there": PoolInfo(pool_id="fixed"),
    "a pool that grows": PoolInfo(pool_id="Ebbing"),
    "a pool of its own": PoolInfo(
        auto_pool_specification=AutoPoolSpecification(pool_lifetime_option="job", pool=OWN)
    ),
}


class Months:
    """The same again and again, every time under other names; what is over is forgotten."""

    def __init__(self) -> None:
        self._executions = self._round = 0
        self.sim = Simulation(CORE, self._behave)
        fixed = PoolSpec(
            id="fixed",
            vm_size="simulated.small",
            target_dedicated_nodes=2,
            task_slots_per_node=2,
            enable_inter_node_communication=True,
        )
        ebbing = PoolSpec(
            id="Ebbing",
            vm_size="simulated.small",
            enable_auto_scale=True,
            auto_scale_formula=FORMULA,
            auto_scale_evaluation_interval=timedelta(seconds=15),
            start_task=StartTask(command_line="x"),
        )
        for spec in (fixed, ebbing):
            self.sim.request(AddPool(spec, "simulated", "simulated"))
        self.sim.request(AddJob(JobSpec(id="Long", pool_info=WAYS["a pool that is there"], metadata=BUDGET)))
        for name, info in WAYS.items():
            self.sim.request(AddJobSchedule(_schedule(f"Every {name}".replace(" ", "-"), info)))
        self.sim.at(START + 30.0, self._again)

    def _behave(self, command: object) -> Plan:
        self._executions += 1
        return Plan(5.0, 1 if self._executions % 7 == 0 else 0)

    def _again(self, now: float) -> None:
        self._round += 1
        for event in (*self._requests(self._round), *self._forgotten(now)):
            self.sim.request(event)
        self.sim.requests[:] = [each for each in self.sim.requests if not each.answered]
        self.sim.at(now + EVERY, self._again)

    def _requests(self, now: int) -> list[Event]:
        then = now - 2
        fixed, one = WAYS["a pool that is there"], PoolInfo(pool_id=f"Once-{now}")
        several = TaskSpec(
            id=f"several-{now}",
            command_line="x",
            multi_instance_settings=MultiInstanceSettings(number_of_instances=2, coordination_command_line="x"),
        )
        second = TaskSpec(id="second", command_line="x", depends_on=TaskDependencies(task_ids=("First",)))
        depending = JobSpec(id=f"Chain-{now}", pool_info=fixed, uses_task_dependencies=True, metadata=BUDGET)
        events: list[Event] = [
            AddPool(PoolSpec(id=f"Once-{now}", vm_size="simulated.small", target_dedicated_nodes=1), "simulated", "s"),
            AddJob(JobSpec(id=f"once-{now}", pool_info=one), tuple(_task(f"T{number}") for number in range(3))),
            AddJob(depending, (_task("First"), second)),
            AddTasks("Long", (_task(f"T{now}"), several)),
            AddJobSchedule(_schedule(f"Brief-{now}", fixed)),
            ResizePool("fixed", 2, now % 2),
        ]
        if then > 0:
            events += [
                *(DeleteTask("Long", f"{name}{then}") for name in ("T", "several-")),
                *(DeleteJob(f"{name}-{then}") for name in ("once", "Chain")),
                DeletePool(f"Once-{then}"),
                DeleteJobSchedule(f"Brief-{then}"),
            ]
        return events

    def _forgotten(self, now: float) -> list[Event]:
        over = [job for job in self.sim.journal.table("jobs").values() if job.state == "completed"]
        old = [(job.id, job.end_time) for job in over if job.end_time < now - KEPT]
        return [kind(*each) for each in old for kind in (ForgetJob, JobForgotten)]

    def run(self, until: float) -> None:
        self.sim.run(lambda: False, START + until)


def _task(task_id: str) -> TaskSpec:
    return TaskSpec(id=task_id, command_line="x")


def _schedule(schedule_id: str, info: PoolInfo) -> JobScheduleSpec:
    return JobScheduleSpec(
        id=schedule_id,
        schedule=Schedule(recurrence_interval=timedelta(seconds=EVERY)),
        job_specification=JobSpecification(
            pool_info=info,
            job_manager_task=JobManagerTask(id="Manager", command_line="x"),
            job_preparation_task=JobPreparationTask(command_line="x"),
            job_release_task=JobReleaseTask(command_line="x"),
            constraints=JobConstraints(max_task_retry_count=1, max_wall_clock_time=timedelta(hours=1)),
            metadata=BUDGET,
        ),
    )


def grown(before: dict[str, int], after: dict[str, int], rounds: float) -> dict[str, tuple[int, int]]:
    """What holds more than it did: a third of what one in each round would come to is no chance any more."""
    return {place: (before.get(place, 0), count) for place, count in after.items()
            if count - before.get(place, 0) > rounds / 3}  # fmt: skip


def growth() -> dict[str, tuple[int, int]]:
    months = Months()
    months.run(1800.0)
    before, nodes = sizes(months.sim.core), set(months.sim.journal.table("nodes"))
    months.run(5400.0)
    there = set(months.sim.journal.table("nodes"))
    assert there - nodes and nodes - there, "no node came and went"
    assert not [each.refused for each in months.sim.requests if each.refused]
    return grown(before, sizes(months.sim.core), 3600.0 / EVERY)


def test_nothing_grows_with_what_has_gone():
    assert growth() == {}


def keep_what_jobs_have_cost(patch):
    patch.setattr(JobCosts, "forget", lambda self, job_id: None)


def keep_the_counts_of_jobs(patch):
    patch.setattr(TaskTally, "forget", lambda self, job_id: None)


def keep_the_timers_of_budgets(patch):
    original = Timers.cancel
    patch.setattr(
        Timers, "cancel", lambda self, kind, key: None if kind == "job-budget" else original(self, kind, key)
    )


def keep_the_nodes_of_pools(patch):
    patch.setattr(Context, "remove_pool", lambda self, pool: self.pools.remove(pool.id))


def keep_the_samples_of_pools_without_a_formula(patch):
    def add(self, sample):
        self.last = sample.time
        self._young.append(sample)

    patch.setattr(History, "add", add)


MUTATIONS = [
    keep_what_jobs_have_cost,
    keep_the_counts_of_jobs,
    keep_the_timers_of_budgets,
    keep_the_nodes_of_pools,
    keep_the_samples_of_pools_without_a_formula,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_defect_is_caught(mutation, monkeypatch):
    mutation(monkeypatch)
    assert growth() != {}


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_left_of_what_has_gone(seed):
    """Whatever went wrong meanwhile: the controller holds no more than a new one."""
    storm = Scenario(seed)
    storm.run()
    sim, storm.laws.sim = storm.sim, None  # to which what is deleted now would be lost
    tables = sim.journal.tables
    for name, kind in (("job_schedules", DeleteJobSchedule), ("jobs", DeleteJob), ("pools", DeletePool)):
        for each in tuple(tables[name]):
            sim.request(kind(each))
    # a new controller without any pool would not look at the cloud again and again
    sim.request(AddPool(PoolSpec(id="empty", vm_size="simulated.small"), "simulated", "simulated"))
    assert sim.run(lambda: [*chain(*(tables[name] for name in RECORDS))] == ["empty"], sim.now + 3600.0)
    sim.run(lambda: False, sim.now + 600.0)
    held = sizes(sim.core)
    sim.crash()
    sim.run(lambda: False, sim.now + 600.0)
    fresh = sizes(sim.core)
    # what was overtaken in there goes when there is more of it (see test_timers.py)
    more = {place: count for place, count in held.items() if count > fresh[place] and not place.endswith("._heap")}
    assert more == {}
