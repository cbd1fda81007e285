"""The workload of the fault test: every kind of work that there is, on a fixed and on an autoscaled pool."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from pools import MetadataItem, NodeDeallocationOption, PoolSpec, StartTask
from runner import (
    AddJob,
    AddJobSchedule,
    AddPool,
    AddTasks,
    Drain,
    Event,
    JobConstraints,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    ResizePool,
    ResumePool,
    Schedule,
    TaskConstraints,
    TaskSpec,
    TerminateJob,
)
from runner.commands import StartExecution
from runner.simulated_node import Plan
from runner.simulation import START, Simulation
from runner.task_spec import JobPreparationTask, JobReleaseTask

from .chaos import Adversary, RandomFaults
from .gang_laws import gang_deeds, gang_plan
from .invariants import Invariants
from .job_deeds import job_deeds
from .settings import FORMULA, SETTINGS
from .task_deeds import GRAPH, settled, task_deeds

OPTIONS = tuple(NodeDeallocationOption)
#: Faults end after so long (seconds), and all must be done after so long.
STORM, LIMIT = 600.0, 4 * 3600.0


class Scenario:
    def __init__(self, seed: int, laws: Invariants | None = None) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.laws = laws if laws is not None else Invariants()
        self.faults = self._make_faults()
        self.option = OPTIONS[seed % len(OPTIONS)]
        self._preparing = random.Random(seed + 2_000_000)
        self._plans: dict[str, tuple[float, list[int], int]] = {}
        self._startups = self.rng.choice(([0], [0], [1, 0], [1, 1, 1, 0]))
        self._started = 0
        self.sim = self._make_simulation()
        self.laws.sim = self.sim
        self.laws.haunting = self.faults.haunting
        #: how often somebody had to close a circuit breaker
        self.resumed = 0
        self._broken: dict[str, float | None] = {}
        self.requested = self.workload()

    # -- what a story of another kind has otherwise ----------------------------------------------------------

    def _make_faults(self) -> RandomFaults:
        return RandomFaults(random.Random(self.seed + 1_000_000))

    def _make_simulation(self) -> Simulation:
        settings = self.faults.cloud_settings()
        return Simulation(SETTINGS, self._behave, self.faults, settings, self.laws.check, self.seed)

    def _make_trouble(self) -> None:
        Adversary(self.sim, self.faults, every=self.rng.choice((10.0, 30.0, 90.0)))

    def _end_storm(self, now: float) -> None:
        self.faults.end(now)

    # -- what tasks do ---------------------------------------------------------------------------------------

    def task(
        self,
        task_id: str,
        seconds: float,
        codes: list[int] | None = None,
        retries: int | None = None,
        slots: int = 1,
    ) -> TaskSpec:
        """`codes`: exit codes of the first executions; the last of them holds for all further ones."""
        self._plans[task_id] = (seconds, codes or [0], 0)
        constraints = TaskConstraints(max_task_retry_count=retries)
        return TaskSpec(id=task_id, command_line="work", constraints=constraints, required_slots=slots)

    def _behave(self, command: StartExecution) -> Plan:
        if command.kind == "startup":
            code = self._startups[self._started % len(self._startups)]
            self._started += 1
            return Plan(2.0, code)
        task_id = command.environment["AZ_BATCH_TASK_ID"]
        if task_id.startswith("gang"):
            return gang_plan(self.seed, command, self._plans[task_id][0])
        seconds, codes, times = self._plans[task_id]
        self._plans[task_id] = (seconds, codes, times + 1)
        return Plan(seconds, codes[min(times, len(codes) - 1)])

    # -- what is asked for -----------------------------------------------------------------------------------

    def workload(self) -> list[tuple[float, Event]]:
        """(seconds after the start, request)"""
        rng = self.rng
        self._plans["jobpreparation"] = (8.0, self._preparing.choice(([0], [1, 0], [1, 1, 0])), 0)
        self._plans["jobrelease"] = (8.0, [self._preparing.choice((0, 1))], 0)
        fixed, ebbing = PoolInfo(pool_id="fixed"), PoolInfo(pool_id="ebbing")
        self._plans["manager"] = (15.0, [0], 0)
        plain = [self.task(f"plain-{i}", rng.uniform(1, 60), [rng.choice((0, 0, 3))]) for i in range(8)]
        plain += [self.task(f"wide-{i}", rng.uniform(1, 30), slots=2) for i in range(2)]
        flaky = [
            self.task("flaky", 5.0, [1, 1, 0], retries=-1),
            self.task("hopeless", 5.0, [7], retries=2),
            self.task("lucky", 5.0, [2, 0], retries=1),
        ]
        short = [self.task(f"short-{i}", rng.uniform(0.01, 0.03)) for i in range(30)]
        short.insert(15, self.task("long-among-short", 20.0))
        late = [self.task(f"late-{i}", rng.uniform(5, 40)) for i in range(4)]
        prepared = {
            where: [self.task(f"{where}-{i}", self._preparing.choice((0.02, 5.0, 40.0))) for i in range(6)]
            for where in ("prepared", "at-once", "drifting")
        }
        doomed = [self.task(f"doomed-{i}", 300.0) for i in range(3)]
        return [
            (0, AddPool(self._fixed_pool(), "simulated", "simulated")),
            (0, AddPool(self._ebbing_pool(), "simulated", "simulated")),
            (1, AddJob(self._job("plain", fixed), tuple(plain))),
            (2, AddJob(self._job("flaky", ebbing, retries=1), tuple(flaky))),
            (3, AddJob(self._job("short", fixed, priority=10), tuple(short))),
            (4, AddJob(self._job("doomed", ebbing, priority=-5), tuple(doomed))),
            (5, AddJob(self._job("late", ebbing, closes=False))),
            (6, AddJobSchedule(self._schedule(ebbing))),
            (7, AddJob(self._prepared(self._job("prepared", fixed)), tuple(prepared["prepared"]))),
            (60, AddJob(self._prepared(self._job("at-once", fixed), False), tuple(prepared["at-once"]))),
            (70, AddJob(self._prepared(self._job("drifting", ebbing)), tuple(prepared["drifting"]))),
            (90, AddTasks("late", tuple(late))),
            (150, TerminateJob("doomed")),
            (rng.uniform(40, 120), ResizePool("fixed", 1, 0, self.option)),
            (rng.uniform(120, 200), ResizePool("fixed", 2, 2, self.option)),
            (rng.uniform(250, 300), ResizePool("fixed", 1, 1, rng.choice(OPTIONS))),
            *job_deeds(self.seed, fixed, self._job, self.task),
            *task_deeds(self.seed, (fixed, ebbing), self._job, self.task),
            *gang_deeds(self.seed, fixed, self._job, self.task, self._prepared),
        ]

    def _fixed_pool(self) -> PoolSpec:
        return PoolSpec(
            id="fixed",
            vm_size="simulated.small",
            target_dedicated_nodes=2,
            target_low_priority_nodes=1,
            task_slots_per_node=2,
            enable_inter_node_communication=True,
            metadata=self._fallback(),
        )

    def _fallback(self) -> tuple[MetadataItem, ...]:
        asked = self.rng.choice(
            ({}, {"fallbackAfterFailures": "2"}, {"fallbackAfterFailures": "1"}, {"fallbackAfter": "PT30S"})
        )
        if asked:
            asked = {**asked, "fallbackFor": "PT1M"}
        return tuple(MetadataItem(name=name, value=value) for name, value in asked.items())

    def _ebbing_pool(self) -> PoolSpec:
        return PoolSpec(
            id="ebbing",
            vm_size="simulated.small",
            enable_auto_scale=True,
            auto_scale_formula=FORMULA,
            auto_scale_evaluation_interval=timedelta(seconds=15),
            start_task=StartTask(
                command_line="prepare",
                max_task_retry_count=1,
                wait_for_success=self.rng.random() < 0.8,
            ),
            metadata=self._fallback(),
        )

    def _job(
        self, job_id: str, pool: PoolInfo, *, priority: int = 0, retries: int = 0, closes: bool = True
    ) -> JobSpec:
        return JobSpec(
            id=job_id,
            pool_info=pool,
            priority=priority,
            constraints=JobConstraints(max_task_retry_count=retries),
            on_all_tasks_complete="terminatejob" if closes else "noaction",
        )

    def _prepared(self, job: JobSpec, wait: bool = True) -> JobSpec:
        """With a preparation and a release task."""
        prepare = JobPreparationTask(
            command_line="prepare",
            constraints=TaskConstraints(max_task_retry_count=self._preparing.choice((2, -1))),
            wait_for_success=wait,
            rerun_on_node_reboot_after_success=self._preparing.random() < 0.7,
        )
        return replace(job, job_preparation_task=prepare, job_release_task=JobReleaseTask(command_line="tidy"))

    def _schedule(self, pool: PoolInfo) -> JobScheduleSpec:
        manager = JobManagerTask(id="manager", command_line="manage")
        return JobScheduleSpec(
            id="every",
            schedule=Schedule(recurrence_interval=timedelta(seconds=60)),
            job_specification=JobSpecification(pool_info=pool, job_manager_task=manager),
        )

    # -- the run ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Raises Broken, or whatever the core raises, if anything is wrong."""
        sim = self.sim
        for delay, event in self.requested:
            sim.at(START + delay, partial(self._ask, event))
        self._make_trouble()
        sim.at(START + STORM, self._end_storm)
        sim.at(START, self._look_after)
        if not sim.run(lambda: self._asked_for(len(self.requested)), START + LIMIT):
            raise self._stuck("requests are not answered")
        if self.seed % 3 == 0:
            self._drain()
            sim.crash()  # the next controller goes by the pools' targets again
        if not sim.run(self._worked_off, START + LIMIT):
            raise self._stuck("work is left")
        self._drain()
        self.laws.at_the_end(sim.journal.table("jobs"))

    def _look_after(self, now: float) -> None:
        """Somebody looks now and then, and lets pools try again whose breaker is open, or was when they looked last:
        the clock may have been put back since."""
        broken = {pool.id: pool.broken_since for pool in self.sim.journal.table("pools").values()}
        before, self._broken = self._broken, broken
        for pool_id, since in broken.items():
            if since is not None and (since < self.laws.believed - 60 or since == before.get(pool_id)):
                self.resumed += 1
                self.sim.request(ResumePool(pool_id))
        self.sim.at(now + 100.0, self._look_after)

    def _ask(self, event: Event, now: float) -> None:
        request = self.sim.request(event)
        if isinstance(event, AddJob):
            keys = {(event.spec.id, task.id) for task in event.tasks}
        elif isinstance(event, AddTasks):
            keys = {(event.job_id, task.id) for task in event.tasks}
        else:
            return
        request.on_answer = lambda: self.laws.accepted.update(keys)

    def _asked_for(self, count: int) -> bool:
        return len(self.sim.requests) >= count and all(request.answered for request in self.sim.requests)

    def _drain(self) -> None:
        """Take no new work and wait until no node is left; a controller that comes anew must be told
        again."""
        sim = self.sim
        while (
            sim.core is None
            or not sim.core.jobs.draining
            or sim.journal.table("nodes")
            or (self.faults.calm and sim.world.cloud.everything())
        ):
            if sim.core is not None and not sim.core.jobs.draining and self._asked_for(0):
                sim.request(Drain(self.option))
            if sim.now > START + LIMIT or not sim.step():
                raise self._stuck("nodes are left although all pools are drained")

    def _worked_off(self) -> bool:
        jobs = self.sim.journal.table("jobs")
        tasks = self.sim.journal.table("tasks")
        return (
            self.faults.calm
            and self.sim.core is not None
            and all(job.state == "completed" for job in jobs.values() if job.id not in ("late", GRAPH))
            and "every:job-2" in jobs
            and all(task.state == "completed" for key, task in tasks.items() if key[0] == "late")
            and all(settled(task) for key, task in tasks.items() if key[0] == GRAPH)
            and not any(node.unacknowledged for node in self.sim.world.nodes.values() if node.alive)
        )

    def _stuck(self, what: str) -> AssertionError:
        tables = self.sim.journal.tables
        story = [f"seed {self.seed}: {what} after {self.sim.now - START:.0f} s"]
        story += [f"{r.event} answered={r.answered} {r.refused}" for r in self.sim.requests if not r.answered]
        story += [str(job) for job in tables["jobs"].values() if job.state != "completed"]
        story += [str(task) for task in tables["tasks"].values() if task.state != "completed"]
        story += [str(node) for node in tables["nodes"].values()]
        story += [str(pool) for pool in tables["pools"].values()]
        return AssertionError("\n".join(story))
