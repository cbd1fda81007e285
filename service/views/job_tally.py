"""The tasks of one job, as the committed changes tell of them: how many stand where, and what they have cost."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from pools import Cost
from runner import DoneTotals, Task

_ENDED = ("succeeded", "failed")


class JobTally:
    """Of a completed task only its state is kept, as it may be reactivated or deleted; of a job that is over, sums."""

    def __init__(self) -> None:
        #: how many tasks are in which state; completed ones as `succeeded` and `failed`
        self.counts: Counter[str] = Counter()
        #: what executions that have ended took of nodes
        self.cost = Cost()
        #: tasks that run, without what their former executions took
        self.running: dict[str, Task] = {}
        self._states: dict[str, str] = {}
        #: of those that are not completed: what is in the sum for them
        self._costs: dict[str, Cost] = {}
        self._over = False

    def take(self, task_id: str, task: Task | None) -> None:
        before = self._states.pop(task_id, None)
        counted = self._costs.pop(task_id, Cost())
        if before is not None:
            self.counts[before] -= 1
            self.running.pop(task_id, None)
        if task is None:
            return
        state = task_state(task)
        self.counts[state] += 1
        if task.cost or task.unpriced_seconds:
            cost = Cost(task.cost, task.unpriced_seconds)
            if before not in _ENDED:  # else all of it is in the sum
                self.cost += Cost(cost.known - counted.known, cost.unpriced - counted.unpriced)
            if state not in _ENDED:
                self._costs[task_id] = cost
        if state == "running":
            self.running[task_id] = replace(task, cost=0.0, unpriced_seconds=0.0)
        if not (self._over and state in _ENDED):
            self._states[task_id] = state

    def known_done(self, totals: DoneTotals) -> None:
        """Tasks that had completed before the first change."""
        self.counts["succeeded"] += totals.succeeded
        self.counts["failed"] += totals.failed
        self.cost += Cost(totals.cost, totals.unpriced_seconds)

    def over(self) -> None:
        """The job is completed: so are its tasks, and they stay so."""
        self._over = True
        self._states = {task_id: state for task_id, state in self._states.items() if state not in _ENDED}


def task_state(task: Task) -> str:
    if task.result is not None and task.state == "completed":
        return "succeeded" if task.result == "success" else "failed"
    return str(task.state)
