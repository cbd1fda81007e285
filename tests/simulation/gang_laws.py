"""Multi-instance tasks in the fault test, and what must hold of them whatever goes wrong."""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec.structs import replace

from runner import AddJob, Event, JobSpec, PoolInfo, Task, TaskSpec
from runner.commands import StartExecution
from runner.execution_ids import job_node_of
from runner.simulated_node import Execution, Plan
from runner.simulation import Simulation
from runner.task_spec import MultiInstanceSettings

#: Exit code of a coordination command that fails.
FAILED = 9


def gang_deeds(
    seed: int,
    pool: PoolInfo,
    job: Callable[..., JobSpec],
    task: Callable[..., TaskSpec],
    prepared: Callable[[JobSpec], JobSpec],
) -> list[tuple[float, Event]]:
    """(seconds after the start, request)"""
    rng = random.Random(seed + 5_000_000)

    def gang(number: int) -> TaskSpec:
        seconds, retries, slots = rng.choice((0.5, 20.0, 80.0)), rng.choice((0, 2)), rng.choice((1, 2))
        spec = task(f"gang-{number}", seconds, retries=retries, slots=slots)
        settings = MultiInstanceSettings(coordination_command_line="meet", number_of_instances=rng.choice((1, 2, 2)))
        return replace(spec, multi_instance_settings=settings)

    gangs = [gang(number) for number in range(5)]
    first, second = job("gangs", pool, priority=rng.choice((-1, 0, 5))), job("prepared-gangs", pool)
    if rng.random() < 0.5:
        second = prepared(second)
    return [(8, AddJob(first, tuple(gangs[:3]))), (30, AddJob(second, tuple(gangs[3:])))]


def gang_plan(seed: int, command: StartExecution, seconds: float) -> Plan:
    """The same for the same execution. The first attempt may fail in the coordination command of an instance."""
    rng = random.Random(f"{seed} {command.execution_id.partition('-')[2]} {command.environment['AZ_BATCH_TASK_ID']}")
    attempt = instance_of(command.execution_id)[1]
    fails = attempt == 1 and rng.random() < 0.15
    return Plan(seconds, rng.choice((0, 0, 4)), rng.choice((0.1, 3.0, 10.0)), FAILED if fails else 0)


def instance_of(execution_id: str) -> tuple[str, int, int]:
    """What must not live twice at a time (of multi-instance tasks: an instance), which attempt it is, and whose."""
    uid, _, rest = execution_id.rpartition("-")
    attempt, _, number = rest.partition(".")
    return f"{uid}.{number}", int(attempt) if attempt.isdecimal() else 0, int(number or 0)


class GangLaws:
    def __init__(self, require: Callable[..., None]) -> None:
        self._require = require
        self._tasks: dict[str, Task] = {}
        #: by uid of the task and attempt: its executions by instance
        self._attempts: dict[tuple[str, int], dict[int, Execution]] = {}
        #: primaries whose command has not started
        self._waiting: dict[tuple[str, int], Execution] = {}

    def started(self, sim: Simulation, execution: Execution) -> bool:
        """Is it one of a multi-instance task?"""
        uid = execution.id.rpartition("-")[0]
        if job_node_of(execution.id) is not None:
            return False
        if uid not in self._tasks:
            self._tasks |= {task.uid: task for task in sim.journal.table("tasks").values()}
        task = self._tasks[uid]
        if not task.size:
            return False
        _, attempt, number = instance_of(execution.id)
        others = self._attempts.setdefault((uid, attempt), {})
        nodes = {other.node_id for other in others.values()}
        self._require(execution.node_id not in nodes, "two instances on one node", execution, others)
        former = [them for (who, when), them in self._attempts.items() if who == uid and when < attempt]
        live = [x for them in former for x in them.values() if x.live]
        self._require(not live, "an attempt was started before the former one had ended everywhere", execution, live)
        others[number] = execution
        if not number:
            self._waiting[uid, attempt] = execution
        self._all_or_none(sim, uid)
        return True

    def _all_or_none(self, sim: Simulation, uid: str) -> None:
        """What is recorded of a placed task is all of its nodes, and each another."""
        task = next(task for task in sim.journal.table("tasks").values() if task.uid == uid)
        placed = {each.node_id for each in task.instances}
        self._require(len(placed) == task.size or task.node_id is None, "an instance was started without all", task)

    def hold(self, sim: Simulation) -> None:
        """A primary goes on when all others are there, and they stay there no longer than it does."""
        for key, primary in tuple(self._waiting.items()):
            if primary.proceeded is None:
                if not primary.live:
                    del self._waiting[key]
                continue
            del self._waiting[key]
            instances = self._attempts[key]
            size = self._tasks[key[0]].size
            self._require(len(instances) == size, "a primary went on without all others", primary, instances)
            absent = [x for x in instances.values() if not x.coordinated]
            self._require(not absent, "a primary went on before all were coordinated", primary, absent)

    def ended(self, task: Task) -> None:
        """The task is recorded as completed."""
        them = self._attempts.get((task.uid, task.attempt), {})
        live = [x for x in them.values() if x.live]
        self._require(not live, "a multi-instance task was completed while instances live", task, live)
        ended = task.failure is not None and task.failure.code == "TaskEnded"
        if task.exit_code is None or (ended and any(x.killed for x in them.values())):
            self._require(ended, "a multi-instance task was completed without an exit code", task)
            return
        primary = them.get(0)
        if task.exit_code == FAILED:
            told = any(x.exit_code == FAILED for x in them.values())
            self._require(told, "a coordination command failed that did not", task, them)
            return
        assert primary is not None
        self._require(primary.proceeded is not None, "a task was completed whose command never ran", task, primary)
        self._require(task.exit_code == primary.exit_code, "a wrong exit code is recorded", task, primary)
        self._require((task.exit_code == 0) == (task.result == "success"), "a wrong result is recorded", task)
