"""What must hold of kept outputs, at the end: every execution of a simulated node prints its own id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from runner import Output, Task
from runner.simulation import Simulation

#: Owners, and how their executions are named.
_OF_JOB_NODES = {"jobpreparation": "p", "jobrelease": "r"}


def check_outputs(sim: Simulation, require: Callable[..., None]) -> None:
    outputs: dict[tuple[str, str, str, int, str], Output] = sim.journal.table("outputs")
    tasks: dict[tuple[str, str], Task] = sim.journal.table("tasks")
    most = sim.settings.pools.kept_attempts
    counts: Counter[tuple[str, str, str]] = Counter()
    for (owner, parent, own, attempt, _), output in outputs.items():
        counts[owner, parent, own] += 1
        if owner == "task":
            task_id, _, number = own.partition("/")
            task = tasks.get((parent, task_id))
            require(task is not None, "an output is kept of a task that is gone", output)
            assert task is not None
            printed = f"{task.uid}-{attempt}{'.' if number else ''}{number}".encode()
            require(output.data == printed, "an output is kept under another attempt", output, task)
            remembered = {task.attempt, *(each.number for each in task.earlier)}
            require(attempt in remembered, "an output is kept of an attempt that is forgotten", output, task.earlier)
        elif owner in _OF_JOB_NODES:
            record = sim.journal.table("job_nodes").get((parent, own))
            require(record is not None, "an output is kept of a job's node that is gone", output)
            assert record is not None
            printed = f"{record.uid}-{_OF_JOB_NODES[owner]}{attempt}".encode()
            require(output.data == printed, "an output is kept under another attempt", output, record)
    for whose, count in counts.items():
        require(count <= most + 1, "outputs of too many attempts are kept", whose, count)
    for task in tasks.values():
        numbers = [each.number for each in task.earlier]
        require(numbers == sorted(set(numbers)), "earlier attempts are out of order", task.earlier)
        ended = {each.number for each in task.earlier if each.exit_code is not None}
        # one that its node gave back, or that has not begun, leaves the exit code of the one before
        began = {None, *(each.start_time for each in task.earlier)}
        if task.exit_code is not None and task.attempt not in numbers and task.start_time not in began:
            ended.add(task.attempt)
        for attempt in ended if not task.size else ():
            key = ("task", task.job_id, task.id, attempt, "stdout")
            require(key in outputs, "what an attempt printed is lost", key, task.earlier)
