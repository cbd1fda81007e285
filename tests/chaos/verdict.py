"""What must hold in the end, by the records of the controller and by what the tasks noted themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner import LocalStore, Output, OutputStore, StoreError, Task, open_journal
from service.state import StateDirectory

from .plan import NO_ROOM, Plan, Work
from .storm import Deed

#: Seconds: on a busy machine a process that was begun before a deed may read the clock a moment after it.
_SLACK = 2.0
#: Failures of a task that its full disk accounts for.
_FULL = ("DiskFull", "ResourceDirectoryCreateFailed", "ResourceFileCreateFailed", "FileUploadMiscError")


@dataclass(frozen=True)
class Start:
    at: float
    slot: str
    execution: str

    @property
    def vm(self) -> str:
        return self.slot.split("/root/.ebbtide/")[0].rpartition("/")[2]


@dataclass
class Notes:
    """What one task noted of its executions."""

    starts: list[Start] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Notes:
        notes = cls()
        for line in path.read_text().splitlines() if path.exists() else ():
            what, at, pid, *more = line.split()
            if what == "begin":
                notes.starts.append(Start(float(at), *more))
            elif what == "end":
                notes.codes.append(int(more[0]))
            else:
                notes.twice.append(f"{pid} began at {at} while {more[0]} ran")
        return notes


@dataclass
class Verdict:
    """`machines`: those that tasks ran on. `requeues`, `retries`: as recorded, of all tasks. `uncertain`: recorded
    requeues of executions that had been sent to a node and never began. `launches`: attempts that failed before they
    began."""

    starts: int = 0
    requeues: int = 0
    retries: int = 0
    uncertain: int = 0
    launches: int = 0
    lost: int = 0
    machines: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def judge(
    plan: Plan,
    state: StateDirectory,
    notes: Path,
    large: bytes,
    deeds: list[Deed],
    given_up: set[str],
    full: bool,
) -> Verdict:
    """`given_up`: ends of names of VMs. `full`: were disks filled?"""
    verdict = Verdict()
    journal = open_journal(state.database_url, upgrade=False)
    store, results = OutputStore(state.outputs), LocalStore(state.storage)
    try:
        tasks = {task.id: task for job in {work.job for work in plan.work} for task in journal.tasks(job)}
        for work in plan.work:
            task, noted = tasks.pop(work.id, None), Notes.read(notes / work.id)
            if task is None or task.state != "completed":
                verdict.lost += 1
                verdict.problems.append(f"{work.id} is {task and task.story}")
                continue
            verdict.starts += len(noted.starts)
            verdict.machines.update(start.vm for start in noted.starts)
            verdict.requeues += task.requeue_count
            verdict.retries += task.retry_count
            kept = journal.output("task", work.job, work.id, "stdout")
            problems = [
                *_ended(work, task, noted, full),
                *_counted(work, task, noted, full, verdict),
                *_explained(task, noted, deeds, given_up),
                *_readable(work, task, kept, store, results, large),
            ]
            story = f"  (starts {noted.starts}, ends {noted.codes}, {task.story}, requeued {task.requeue_count}, "
            story += f"retried {task.retry_count}; requeued last because: {task.last_requeue_reason or 'never'})"
            verdict.problems += [f"{work.id}: {problem}{story}" for problem in problems]
        verdict.problems += [f"nobody asked for task {name}" for name in tasks]
    finally:
        journal.close()
    return verdict


def _ended(work: Work, task: Task, noted: Notes, full: bool) -> Iterator[str]:
    executions = [start.execution for start in noted.starts]
    if len(set(executions)) < len(executions):
        yield f"an execution began twice: {executions}"
    if noted.twice:
        yield f"it ran twice at a time: {noted.twice}"
    if full and task.failure is not None and (task.exit_code == NO_ROOM or task.failure.code in _FULL):
        return
    if task.exit_code != work.code:
        yield f"its exit code is {task.exit_code}, {task.failure}"
    if (task.result == "success") != (work.code == 0):
        yield f"its result is {task.result}, {task.failure}"
    if not noted.codes or noted.codes[-1] != task.exit_code:
        yield "its last execution did not end as recorded"


def _counted(work: Work, task: Task, noted: Notes, full: bool, verdict: Verdict) -> Iterator[str]:
    """Every start after the first is a retry or a requeue; an attempt that failed before it began needs a full disk."""
    more = len(noted.starts) - 1 - task.retry_count - task.requeue_count
    if more > 0:
        yield f"{more} starts are not counted"
    tried = sum(code != 0 for code in noted.codes) - (work.code != 0)
    launches = max(0, task.retry_count - tried)
    verdict.launches += launches
    if launches and not full:
        yield f"{launches} attempts failed before they began"
    verdict.uncertain += max(0, -more - launches)


def _explained(task: Task, noted: Notes, deeds: list[Deed], given_up: set[str]) -> Iterator[str]:
    """Requeues beyond retries: something took each execution that did not come to its recorded end."""
    explained = 0
    for start, following in zip(noted.starts, noted.starts[1:], strict=False):
        reasons = (
            deed
            for deed in deeds
            if deed.place in (start.slot, start.vm) and start.at - _SLACK <= deed.at <= following.at + _SLACK
        )
        explained += any(True for _ in reasons) or start.vm.rpartition("-")[2] in given_up
    again = len(noted.starts) - 1 - task.retry_count
    if again > explained:
        yield f"it was started again {again} times, for which there were {explained} reasons"


def _readable(
    work: Work, task: Task, kept: Output | None, store: OutputStore, results: LocalStore, large: bytes
) -> Iterator[str]:
    if task.exit_code != work.code:
        return  # told above, or excused
    wanted = work.printed(large)
    printed = b"".join(store.read(kept)) if kept is not None else None
    if printed != wanted:
        yield f"its output is {printed and (len(printed), printed[-60:])}, not {len(wanted)} bytes"
    if work.kind == "file" and task.result == "success":
        try:
            content = b"".join(results.read("results", work.id))
        except StoreError as exc:
            yield f"its file is not there: {exc}"
        else:
            if content != f"file of {work.id}\n".encode():
                yield f"its file holds {content[:60]!r}"
