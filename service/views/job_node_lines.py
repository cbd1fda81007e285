"""What is told of the preparation and release tasks of jobs, and of nodes whose tasks wait for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner import Job, JobNode, NodeExecution

from .line import Line
from .task_lines import Printed

_PREPARING, _RELEASING = "preparing", "releasing"
_OVER = {"prepared": "preparation", "failed": "preparation", "released": "release"}


class JobNodeLines:
    def __init__(self, printed: Printed) -> None:
        """`printed`: see TaskLines."""
        self._printed = printed
        #: by job and node
        self._records: dict[str, dict[str, JobNode]] = {}

    def load(self, records: Iterable[JobNode]) -> None:
        for record in records:
            self._records.setdefault(record.job_id, {})[record.node_id] = record

    def job(self, job_id: str, job: Job | None) -> None:
        """The job has changed; with one that is over or gone all this is done."""
        if job is None or job.state == "completed":
            self._records.pop(job_id, None)

    def node_gone(self, node_id: str) -> None:
        for known in self._records.values():
            known.pop(node_id, None)

    def tell(self, record: JobNode | None, now: float) -> Iterator[Line]:
        if record is None:
            return
        known = self._records.setdefault(record.job_id, {})
        before = known.get(record.node_id)
        known[record.node_id] = record
        subject, node_id = f"job {record.job_id}", record.node_id
        if before is not None and record.state == before.state == _PREPARING and record.preparation is not None:
            attempts = record.preparation.earlier
            if before.preparation is not None and len(attempts) > len(before.preparation.earlier):
                text = f"preparation on {node_id}: {attempts[-1].reason}; is tried again"
                yield Line(now, subject, text, "bad", self._printed(("jobpreparation", record.job_id, node_id), True))
        elif before is None or record.state != before.state:
            yield from self._step(record, subject, now)

    def _step(self, record: JobNode, subject: str, now: float) -> Iterator[Line]:
        part = _OVER.get(str(record.state))
        if part is None:
            what = "preparation" if record.state == _PREPARING else "release task"
            yield Line(now, subject, f"{what} runs on {record.node_id}", "quiet")
            return
        execution = record.preparation if part == "preparation" else record.release
        if execution is not None:
            yield self._ended(part, execution, record, subject, now)

    def _ended(self, part: str, execution: NodeExecution, record: JobNode, subject: str, now: float) -> Line:
        good, end = execution.failure is None, execution.end_time or now
        what = "preparation" if part == "preparation" else "release task"
        took = f", {max(0.0, end - execution.start_time):.1f} s" if execution.start_time is not None else ""
        code = f"exit code {execution.exit_code}" if execution.exit_code is not None else "no exit code"
        if good:
            return Line(end, subject, f"{what} on {record.node_id} succeeded: {code}{took}", "quiet")
        text = f"{what} on {record.node_id} failed: {code}{took}"
        if execution.failure is not None and execution.failure.code != "FailureExitCode":
            text += f"; {execution.failure.message}"
        text += f"; all that it printed: `ebbtide logs {record.job_id} {record.node_id} --{part}`"
        return Line(end, subject, text, "bad", self._printed((f"job{part}", record.job_id, record.node_id), True))

    def under_way(self, job_id: str) -> str:
        """`, prepares 2 nodes`: what tasks of the job, or its end, wait for."""
        states = [str(record.state) for record in self._records.get(job_id, {}).values()]
        words = ((states.count(_PREPARING), "prepares"), (states.count(_RELEASING), "releases"))
        return "".join(f", {verb} {count} node{'s' if count > 1 else ''}" for count, verb in words if count)
