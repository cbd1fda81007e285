"""Tasks on several nodes at once: all of their instances are placed together or none, and end together.

An instance runs the coordination command; when it has succeeded everywhere, the primary's command runs, and with the
primary all end. What becomes of the task is decided by the first of: the end of the primary, a coordination command
that failed, an instance that was lost or given back (its `verdict`). The task stays placed until every instance is
certain to run no more; only then does the verdict count, as if it was told of a task with one execution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec.structs import replace

from pools import ExecutionResult, NodeDeallocationOption, evolve

from .commands import Acknowledge, ProceedExecution, ReadOutputs
from .earlier_attempts import why_gone
from .endings import ending_by, stronger
from .events import Outcome
from .failure import ENDED_ON_REQUEST, failure_of, is_lost_too_often, lost_too_often
from .model import Output
from .scheduler import Stage
from .states import TaskEvent
from .task_machine import TaskMachine
from .task_model import Ending, Instance, Task, Verdict

_BACK = Verdict(kind="back", requeued=False)


class MultiInstanceTasks(TaskMachine):
    """Reports of single executions go on to TaskMachine."""

    def _found(self, node_id: str, execution_id: str) -> tuple[Task, int] | None:
        """The multi-instance task, and which of its instances it is; None: the report is stale, or of another task."""
        task = self.task_of(execution_id)
        number = task.instance_at(node_id) if task is not None and task.instances else None
        if task is None or number is None or task.execution_of(number) != execution_id:
            return None
        return task, number

    def _current(self, node_id: str, execution_id: str) -> Task | None:
        """A multi-instance task only when its attempt is concluded: before that, a repeated report says nothing."""
        task = super()._current(node_id, execution_id)
        if task is None or not task.instances:
            return task
        return task if all(each.over for each in task.instances) else None

    # -- reports ---------------------------------------------------------------------------------------------

    def started(self, node_id: str, execution_id: str, time: float, now: float) -> None:
        found = self._found(node_id, execution_id)
        if found is None:
            super().started(node_id, execution_id, time, now)
            return
        task, number = found
        if task.instances[number].state == "running":
            return
        changes: dict[str, Any] = {"state": "running", "state_time": now, "start_time": time}
        more: dict[str, Any] = {}
        if not number:
            state = task.after(TaskEvent.STARTED)
            more = {"state": state, "start_time": time}
        self._put_instance(task, number, now, changes, **more)

    def coordinated(self, node_id: str, execution_id: str, now: float) -> None:
        """The coordination command of an instance has succeeded; the primary goes on when all have."""
        found = self._found(node_id, execution_id)
        if found is None:
            return
        task, number = found
        if not task.instances[number].coordinated:
            task = self._put_instance(task, number, now, {"coordinated": True})
        if not task.is_ending and all(each.coordinated for each in task.instances):
            self._say(ProceedExecution(task.instances[0].node_id, task.execution_id))

    def ended(self, node_id: str, execution_id: str, now: float) -> None:
        found = self._found(node_id, execution_id)
        if found is None:
            super().ended(node_id, execution_id, now)
        elif not found[0].instances[found[1]].ended:
            self.slots[node_id].move(execution_id, Stage.ENDED, now)
            self.touched.add(node_id)
            self._put_instance(*found, now, {"ended": True})

    def outcome(self, report: Outcome, now: float) -> Task | None:
        found = self._found(report.node_id, report.execution_id)
        if found is None:
            return super().outcome(report, now)
        task, number = found
        self._say(Acknowledge(report.node_id, (report.execution_id,)))
        if task.ending is not Ending.DELETE:
            self.outputs.keep(report.outputs, "task", task.job_id, task.output_id(number), task.attempt)
        verdict = task.verdict
        if not number:
            told = _verdict_of(report, task, number)
            verdict = told if verdict is None or (verdict.kind != "outcome" and told.succeeded) else verdict
        elif verdict is None and task.ending is None:
            # by itself, before the primary: its coordination command has failed
            verdict = Verdict(kind="back") if report.killed else _verdict_of(report, task, number)
        self._over(task, number, now, verdict, report)
        return task

    def lost(self, node_id: str, execution_id: str, reason: str, now: float) -> None:
        found = self._found(node_id, execution_id)
        if found is None:
            super().lost(node_id, execution_id, reason, now)
            return
        task, number = found
        self._say(Acknowledge(node_id, (execution_id,)))
        self._over(task, number, now, _unless(task, number, Verdict(kind="lost", reason=reason)), None)

    def recalled(self, node_id: str, execution_id: str, now: float) -> None:
        found = self._found(node_id, execution_id)
        if found is None:
            super().recalled(node_id, execution_id, now)
            return
        task, number = found
        decides = task.verdict is None and (not number or task.ending is None)
        self._over(task, number, now, _BACK if decides else task.verdict, None)

    def node_gone(self, node_id: str, died: str | None, now: float, begun: Callable[[Task], bool]) -> None:
        self.costs.node_gone(node_id)
        for task in self._all_on(node_id):
            number = task.instance_at(node_id) if task.instances else None
            if number is not None:
                started = task.instances[number].start_time is not None
                why, reason = why_gone(node_id, self._node_of(node_id)), died if started else None
                gone = Verdict(kind="gone", reason=reason, why=why, requeued=started or begun(task))
                self._over(task, number, now, _unless(task, number, gone), None)
        super().node_gone(node_id, died, now, begun)

    def look_at_outputs(self, age: float, now: float) -> None:
        """Have read what executions have printed that have run for so long."""
        for node in self.slots.values():
            found = []
            for execution_id, placement in node.placements.items():
                if placement.stage is not Stage.HOLDS or placement.since > now - age:
                    continue
                task = self.tasks[placement.key]
                if task.has_started_at(node.node_id):
                    found.append((execution_id, f"{self._jobs[task.job_id].directory}/{task.id}"))
            if found:
                self._say(ReadOutputs(node.node_id, tuple(found)))

    def outputs_seen(self, node_id: str, execution_id: str, outputs: Iterable[Output]) -> None:
        """Kept until its outcome brings all of it; one that has ended has brought that already."""
        task, number = self._found(node_id, execution_id) or (self._current(node_id, execution_id), 0)
        if task is not None and task.ending is not Ending.DELETE:
            self.outputs.keep(outputs, "task", task.job_id, task.output_id(number), task.attempt)

    # -- the end of an attempt -------------------------------------------------------------------------------

    def _over(self, task: Task, number: int, now: float, verdict: Verdict | None, report: Outcome | None) -> None:
        """The instance is certain to run no more; the others are ended if that was not asked for yet."""
        instance, asked = task.instances[number], task.is_ending
        failure = ENDED_ON_REQUEST if report is None else failure_of(report, Ending.TERMINATE)
        changes: dict[str, Any] = {
            "state": "completed",
            "state_time": now,
            "start_time": instance.start_time if report is None else report.start_time,
            "end_time": now if report is None else report.end_time,
            "exit_code": None if report is None else report.exit_code,
            "failure": failure,
            "result": ExecutionResult.SUCCESS if failure is None else ExecutionResult.FAILURE,
        }
        charged = self.costs.charge_instance(task, instance, now, report)
        task = self._put_instance(task, number, now, changes, verdict=verdict, **charged)
        self._leaves(task, instance.node_id, task.execution_of(number))
        if all(each.over for each in task.instances):
            self._conclude(task, now)
        elif verdict is not None and not asked:
            self._end_instances(task)

    def _conclude(self, task: Task, now: float) -> None:
        """Nothing of the attempt runs any more: the verdict counts."""
        verdict = task.verdict
        assert verdict is not None and task.node_id is not None, "the primary's end leaves a verdict"
        if verdict.kind == "outcome":
            super().outcome(_report_of(task, verdict), now)
        elif verdict.kind == "lost":
            super().lost(task.node_id, task.execution_id, verdict.reason or "", now)
        elif verdict.reason is not None and is_lost_too_often(task):
            self._complete(task, now, lost_too_often(task.losses, verdict.reason), None)
        else:
            self.give_back(task, now, requeued=verdict.requeued, lost=verdict.reason is not None, reason=verdict.why)

    def _end_instances(self, task: Task) -> None:
        for number, each in enumerate(task.instances):
            if not each.over:
                self._kill(task, each.node_id, task.execution_of(number))

    def _queue_again(self, task: Task, now: float, report: Outcome | None, reason: str, **changes: Any) -> None:
        if task.instances:
            changes |= {"instances": (), "verdict": None}
            reason = reason or "one of its instances was called back"  # others may have begun
        super()._queue_again(task, now, report, reason, **changes)

    def remove(self, task: Task, now: float, report: Outcome | None) -> None:
        for number in range(1, task.size):
            self.outputs.purge("task", task.job_id, task.output_id(number))
        super().remove(task, now, report)

    # -- requests --------------------------------------------------------------------------------------------

    def end(self, task: Task, ending: Ending, now: float, reason: str = "") -> None:
        if not task.instances:
            super().end(task, ending, now, reason)
            return
        if stronger(ending, task.ending):
            task = self.put(task, evolve(task, now, ending=ending, ending_reason=reason))
        self._end_instances(task)

    def evict(self, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        for task in self._all_on(node_id):
            number = task.instance_at(node_id) if task.instances else None
            if number is None:
                continue
            ending = ending_by(option)
            if ending is not None:
                self.end(task, ending, now, why_gone(node_id, self._node_of(node_id)))
            elif task.instances[number].state == "preparing":
                self.take_back(node_id, (task,), now)
        super().evict(node_id, option, now)

    # -- records ---------------------------------------------------------------------------------------------

    def _put_instance(self, task: Task, number: int, now: float, changes: dict[str, Any], **more: Any) -> Task:
        changed: Instance = replace(task.instances[number], **changes)
        instances = (*task.instances[:number], changed, *task.instances[number + 1 :])
        task = self.put(task, evolve(task, now, instances=instances, **more))
        self.costs.started(task)
        return task


def _unless(task: Task, number: int, verdict: Verdict) -> Verdict | None:
    """The verdict when the node of an instance, or its memory, has gone. That explains why a primary failed before, so
    the whole task runs again."""
    present = task.verdict
    if present is None:
        # whose end was asked for: the primary decides
        return verdict if task.ending is None or not number else None
    explains = number > 0 and present.kind == "outcome" and not present.succeeded and not present.timed_out
    return verdict if explains and task.ending is None and _ran(task, number) else present


def _ran(task: Task, number: int) -> bool:
    return task.instances[number].start_time is not None


def _verdict_of(report: Outcome, task: Task, number: int) -> Verdict:
    kind: Literal["outcome"] = "outcome"
    error = report.error
    if error is not None and error[0] == "CoordinationCommandFailed":
        code = "" if report.exit_code is None else f" with exit code {report.exit_code}"
        text = f"the coordination command failed{code} on node {report.node_id}"
        error = (error[0], f"{text}; what it printed: `ebbtide logs {task.job_id} {task.output_id(number)}`")
    elif error is not None and number:
        error = (error[0], f"{error[1]} (on node {report.node_id}, of subtask {number})")
    return Verdict(
        kind=kind,
        start_time=report.start_time,
        end_time=report.end_time,
        exit_code=report.exit_code,
        killed=report.killed,
        timed_out=report.timed_out,
        error=error,
        disk_full=report.disk_full,
    )


def _report_of(task: Task, verdict: Verdict) -> Outcome:
    assert task.node_id is not None
    return Outcome(
        task.node_id,
        task.execution_id,
        verdict.start_time,
        verdict.end_time,
        verdict.exit_code,
        verdict.killed,
        verdict.timed_out,
        verdict.error,
        disk_full=verdict.disk_full,
    )
