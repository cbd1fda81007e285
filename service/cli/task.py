from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import carry_out, confirm, request_options, yes_option
from .ids import job_ids, task_ids
from .listing import query_of, show, show_list
from .source import list_options, objects, source_options

if TYPE_CHECKING:
    from runner import Event

    from ..rest_objects import Objects, View

#: Tasks that people are shown, if they do not say how many.
_FEW = 100
_HEADS = ("task", "state", "exit code", "node", "retries", "requeues", "reason")
#: What people ask for, as filters.
_STATES = {
    "active": "state eq 'active'",
    "preparing": "state eq 'preparing'",
    "running": "state eq 'running'",
    "succeeded": "executionInfo/result eq 'success'",
    "failed": "executionInfo/result eq 'failure'",
}


@click.group()
def task() -> None:
    """Tasks: what a job has, and what can be asked of them."""


of_job = click.argument("job_id", metavar="JOB", shell_complete=job_ids)
several = click.argument("task_id", metavar="TASK...", nargs=-1, required=True, shell_complete=task_ids)


@task.command("list")
@of_job
@click.option(
    "--task-state",
    "task_states",
    multiple=True,
    type=click.Choice(tuple(_STATES)),
    help="Only tasks in this state; may be given several times.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N; 100 if not --json.")
@list_options
def list_(
    job_id: str,
    task_states: tuple[str, ...],
    limit: int | None,
    filter_: str | None,
    select: str | None,
    state: Path,
    as_json: bool,
) -> None:
    """Show the tasks of a job, in the order of their ids."""
    narrow = _narrowed(task_states, filter_)
    most = limit or (None if as_json else _FEW)
    with objects(state, as_json) as found:
        wanted = found.each("jobs", job_id, "tasks", query=query_of(narrow, select), limit=most and most + 1)
        tasks = list(wanted) if select else [_whole(each, found, job_id) for each in wanted]
        more = most is not None and len(tasks) > most
        show_list(tasks[:most], as_json, select, _HEADS, _row)
        if more and not as_json:
            whole = found.one("jobs", job_id, "taskcounts")["taskCounts"] if narrow is None else None
            rest = f" of {whole['active'] + whole['running'] + whole['completed']:,}" if whole is not None else ""
            click.echo(f"the first {most:,}{rest} (--limit N shows more)", err=True)


def _narrowed(states: tuple[str, ...], filter_: str | None) -> str | None:
    """Those that are in one of the states, and fulfil the filter."""
    chosen = " or ".join(_STATES[each] for each in states)
    parts = [f"({each})" for each in (chosen, filter_) if each]
    return " and ".join(parts) or None


def _row(task: View) -> tuple[object, ...]:
    execution = task["executionInfo"]
    failure = execution.get("failureInfo") or task.get("schedulingError")
    return (
        task["id"],
        execution.get("result") or task["state"],
        execution.get("exitCode"),
        task.get("nodeInfo", {}).get("nodeId"),
        execution["retryCount"],
        execution["requeueCount"],
        f"{failure['code']}: {failure['message']}" if failure is not None else None,
    )


def _whole(task: View, found: Objects, job_id: str) -> View:
    """With what the Batch REST API answers elsewhere: the subtasks of a multi-instance task."""
    if "multiInstanceSettings" not in task:
        return task
    subtasks = found.one("jobs", job_id, "tasks", task["id"], "subtasksinfo")["value"]
    return {**task, "subtasks": subtasks} if subtasks else task


@task.command("show")
@of_job
@click.argument("task_id", metavar="TASK", shell_complete=task_ids)
@source_options
def show_(job_id: str, task_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a task, in the properties of the Batch REST API."""
    with objects(state, as_json) as found:
        show(_whole(found.one("jobs", job_id, "tasks", task_id), found, job_id), as_json)


def _ask(
    make: Callable[[str, str], Event],
    job_id: str,
    task_id: tuple[str, ...],
    way: tuple[Path, Path | None, bool],
    told: str,
) -> None:
    wanted = ((each, make(job_id, each)) for each in task_id)
    carry_out(*way, wanted, f"task {{}} of job {job_id}: {told}")


@task.command()
@of_job
@several
@request_options
def terminate(job_id: str, task_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """End tasks: what runs of them is ended, and they fail."""
    from runner import TerminateTask

    _ask(TerminateTask, job_id, task_id, (state, config, as_json), "terminated")


@task.command()
@of_job
@several
@request_options
def reactivate(job_id: str, task_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Let completed tasks that failed run again, of a job that is not over."""
    from runner import ReactivateTask

    _ask(ReactivateTask, job_id, task_id, (state, config, as_json), "reactivated")


@task.command()
@of_job
@several
@yes_option
@request_options
def delete(
    job_id: str, task_id: tuple[str, ...], yes: bool, state: Path, config: Path | None, as_json: bool
) -> None:
    """End tasks, and forget them with their outputs."""
    from runner import DeleteTask

    confirm(f"task {{}} of job {job_id}, with outputs", task_id, yes)
    _ask(DeleteTask, job_id, task_id, (state, config, as_json), "deleted")
