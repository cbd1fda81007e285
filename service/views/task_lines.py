"""What is told of single tasks: everything while there are few, failures only (and of these the first) when there are
thousands. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from runner import Task

from .line import Line

#: Tasks of one job whose every step is told; of a larger job only how far it is.
MANY = 100
#: Failures of large jobs that are told, over a whole run.
FAILURES = 20

Printed = Callable[[tuple[str, str, str], bool], tuple[str, ...]]


class TaskLines:
    def __init__(self, printed: Printed) -> None:
        """`printed`: what an execution printed, by the key of its outputs and whether it failed."""
        self._printed = printed
        #: those that are not completed, by job and id
        self._tasks: dict[str, dict[str, Task]] = {}
        self._failures = 0

    def load(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            if task.state != "completed":
                self._tasks.setdefault(task.job_id, {})[task.id] = task

    def job_gone(self, job_id: str) -> None:
        """It was deleted with all its tasks."""
        self._tasks.pop(job_id, None)

    def tell(self, key: Any, task: Task | None, added: Counter[str], now: float, *, quiet: bool) -> Iterator[Line]:
        """`added` counts new tasks by job. `quiet`: there are too many for each to be told."""
        known = self._tasks.setdefault(key[0], {})
        before = known.pop(key[1], None)
        if task is None:
            return
        if task.state != "completed":
            known[key[1]] = task
        if before is None and task.state == "active" and task.version == 1:
            added[task.job_id] += 1
        if not quiet:
            yield from self._steps(key, before, task, now)
        elif self._bad(before, task):
            self._failures += 1
            if self._failures <= FAILURES:
                yield from (line for line in self._steps(key, before, task, now) if line.tone == "bad")
            elif self._failures == FAILURES + 1:
                text = "further failures are only counted; `ebbtide status --task-state failed` lists them"
                yield Line(now, "tasks", text, "bad")

    def _bad(self, before: Task | None, task: Task) -> bool:
        again = before is not None and task.retry_count > before.retry_count
        done = task.state == "completed"
        return again or _hindered(before, task) or (done and (task.result != "success" or bool(task.warning)))

    def _steps(self, key: Any, before: Task | None, task: Task, now: float) -> Iterator[Line]:
        subject = f"task {task.job_id} {task.id}"
        if before is not None and task.requeue_count > before.requeue_count:
            why = task.last_requeue_reason or f"its execution on {task.last_node_id} was ended or lost"
            yield Line(now, subject, f"requeued: {why}", "bad", self._printed(("task", *key), True))
        if before is not None and task.retry_count > before.retry_count:
            text = f"failed with exit code {task.exit_code}, is tried again (retry {task.retry_count})"
            yield Line(now, subject, text, "bad", self._printed(("task", *key), True))
        error = task.scheduling_error
        if error is not None and _hindered(before, task):
            yield Line(now, subject, f"cannot start: {error.message}", "bad")
        if task.state == "running" and (before is None or before.state != "running"):
            yield Line(task.start_time or now, subject, f"running on {task.node_id}")
        if task.state == "completed":
            yield self._completed(key, subject, task, now)

    def _completed(self, key: Any, subject: str, task: Task, now: float) -> Line:
        end = task.end_time if task.end_time is not None else now
        good = task.result == "success"
        took = f", {max(0.0, end - task.start_time):.1f} s" if task.start_time is not None else ""
        code = f"exit code {task.exit_code}" if task.exit_code is not None else "no exit code"
        where = f" on {task.last_node_id}" if task.last_node_id else ""
        text = f"{task.result}: {code}{took}{where}"
        why = task.failure.message if task.failure is not None else task.warning
        if task.failure is not None and task.failure.code == "FailureExitCode":
            why = why.partition("; ")[2]  # the code is told already
        text += f"; {why}" if why else ""
        detail = self._printed(("task", *key), not good)
        return Line(end, subject, text, "good" if good and not task.warning else "bad", detail)


def _hindered(before: Task | None, task: Task) -> bool:
    """Does something new stand in its way?"""
    return task.scheduling_error is not None and (before is None or before.scheduling_error != task.scheduling_error)
