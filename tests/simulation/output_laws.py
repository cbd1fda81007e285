"""What must hold of kept outputs, at the end: every execution of a simulated node prints its own id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from runner import Output, Task
from runner.simulation import Simulation


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
    for whose, count in counts.items():
        require(count <= most + 1, "outputs of too many attempts are kept", whose, count)
    for task in tasks.values():
        numbers = [each.number for each in task.earlier]
        require(numbers == sorted(set(numbers)), "earlier attempts are out of order", task.earlier)
        ended = {each.number for each in task.earlier if each.exit_code is not None}
        if task.exit_code is not None and task.attempt not in numbers:  # else it is of one before
            ended.add(task.attempt)
        for attempt in ended if not task.size else ():
            key = ("task", task.job_id, task.id, attempt, "stdout")
            require(key in outputs, "what an attempt printed is lost", key, task.earlier)
