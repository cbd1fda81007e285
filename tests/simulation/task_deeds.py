"""What the fault test asks of single tasks beside running them: dependencies, and ending, reactivating, deleting and
changing some of them at any time; and what must hold of it."""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec.structs import replace

from runner import (
    AddJob,
    DeleteTask,
    Event,
    JobSpec,
    PoolInfo,
    ReactivateTask,
    Task,
    TaskConstraints,
    TaskDependencies,
    TaskIdRange,
    TaskSpec,
    TerminateJob,
    TerminateTask,
    UpdateTask,
)
from runner.simulated_node import Execution
from runner.simulation import Simulation
from runner.task_spec import ExitCodeMapping, ExitConditions, ExitOptions

#: The job whose completed tasks may run again, or go.
MEDDLED = "meddled"
#: What the ids of all begin with that the API user of the storm has: anything may be asked of it.
TOY = "toy"
#: The job whose tasks end by themselves, or cannot start because one of them was ended.
GRAPH = "graph"
_FORGIVEN = ExitConditions(
    exit_codes=(ExitCodeMapping(code=3, exit_options=ExitOptions(dependency_action="satisfy")),)
)
_SIZE = 12


def task_deeds(
    seed: int, pools: tuple[PoolInfo, PoolInfo], job: Callable[..., JobSpec], task: Callable[..., TaskSpec]
) -> list[tuple[float, Event]]:
    """(seconds after the start, request)"""
    rng = random.Random(seed + 4_000_000)

    def graph(number: int) -> TaskSpec:
        spec = task(str(number), rng.uniform(0.1, 20.0), [rng.choice((0, 0, 3))])
        spec = replace(spec, exit_conditions=_FORGIVEN)
        if not number:
            return spec
        ids = {str(rng.randrange(number)) for _ in range(rng.randrange(3))}
        low = rng.randrange(number)
        ranges = (TaskIdRange(start=low, end=min(number - 1, low + 2)),) if rng.random() < 0.4 else ()
        wanted = TaskDependencies(task_ids=tuple(sorted(ids)), task_id_ranges=ranges)
        return replace(spec, depends_on=wanted)

    def deed(task_id: str) -> Event:
        return rng.choice(
            (
                TerminateTask(MEDDLED, task_id),
                ReactivateTask(MEDDLED, task_id),
                ReactivateTask(MEDDLED, task_id),
                DeleteTask(MEDDLED, task_id),
                UpdateTask(MEDDLED, task_id, TaskConstraints(max_task_retry_count=rng.randrange(3))),
            )
        )

    first, second = rng.sample(pools, 2)
    uses = {"uses_task_dependencies": True}
    specs = [graph(number) for number in range(_SIZE)]
    rng.shuffle(specs)
    return [
        (12, AddJob(replace(job(GRAPH, first, closes=False), **uses), tuple(specs))),
        (13, AddJob(replace(job(MEDDLED, second, closes=False), **uses), tuple(specs))),
        *((rng.uniform(15, 400), deed(str(rng.randrange(_SIZE)))) for _ in range(_SIZE)),
        (rng.uniform(450, 590), TerminateJob(MEDDLED)),
    ]


def nothing_started_too_early(sim: Simulation, execution: Execution) -> str | None:
    """A task of the graph starts when all have ended that it depends on. Says what is wrong."""
    tasks: dict[tuple[str, str], Task] = sim.journal.table("tasks")
    uid = execution.id.rpartition("-")[0]
    task = next((each for each in tasks.values() if each.uid == uid and each.job_id == GRAPH), None)
    wanted = task.spec.depends_on if task is not None else None
    if wanted is None:
        return None
    ids = {*wanted.task_ids, *(str(n) for each in wanted.task_id_ranges for n in range(each.start, each.end + 1))}
    early = [task_id for task_id in ids if not tasks[GRAPH, task_id].satisfies]
    return f"{execution} before {early}" if early else None


def is_meddled_with(job_id: str) -> bool:
    """May its completed tasks run again, or go?"""
    return job_id == MEDDLED or job_id.startswith(TOY)


def settled(task: Task) -> bool:
    """Has it ended, or has it been said that it cannot start?"""
    return task.state == "completed" or task.scheduling_error is not None


def deleted(sim: Simulation) -> set[tuple[str, str]]:
    """Tasks that somebody was promised to be gone."""
    granted = (each for each in sim.requests if each.answered and each.refused is None)
    return {(each.event.job_id, each.event.task_id) for each in granted if isinstance(each.event, DeleteTask)}
