from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import carry_out, confirm, not_found, request_options, yes_option
from .ids import job_ids, task_ids
from .listing import find_job, find_task, records, show, table
from .options import json_option, state_option

if TYPE_CHECKING:
    from runner import Event, Task

#: Tasks that people are shown, if they do not say how many.
_FEW = 100
_ALL = 1_000_000_000


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
    type=click.Choice(("active", "preparing", "running", "succeeded", "failed")),
    help="Only tasks in this state; may be given several times.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N; 100 if not --json.")
@state_option
@json_option
def list_(job_id: str, task_states: tuple[str, ...], limit: int | None, state: Path, as_json: bool) -> None:
    """Show the tasks of a job, in the order of their creation."""
    from ..rest_views import Links

    with records(state) as journal:
        found = find_job(journal, job_id)
        if found is None:
            not_found("JobNotFound", f"there is no job {job_id!r}; `ebbtide job list` lists them", as_json)
        tasks = journal.task_queries.find(found.id, task_states, limit or (_ALL if as_json else _FEW))
        counts = journal.task_queries.counts().get(found.id, {})
    if as_json:
        show([_view(each, found, Links()) for each in tasks], True)
        return
    heads = ("task", "state", "exit code", "node", "retries", "requeues", "reason")
    table(heads, [_row(each) for each in tasks])
    asked = sum(count for name, count in counts.items() if not task_states or name in task_states)
    if len(tasks) < asked:
        click.echo(f"the first {len(tasks):,} of {asked:,} (--limit N shows more)", err=True)


def _row(task: Task) -> tuple[object, ...]:
    failure = task.failure or task.scheduling_error
    return (
        task.id,
        task.result or task.state,
        task.exit_code,
        task.node_id if task.result is None else task.last_node_id,
        task.retry_count,
        task.requeue_count,
        f"{failure.code}: {failure.message}" if failure is not None else None,
    )


def _view(task: Task, job: Any, links: Any) -> dict[str, Any]:
    """With what the Batch REST API has no place for: why the task cannot start, as things are."""
    from ..rest_views import failure_view, subtask_views, task_view

    found = task_view(task, job, links)
    if task.scheduling_error is not None:
        found["schedulingError"] = failure_view(task.scheduling_error)
    if subtasks := subtask_views(task, job, links):
        found["subtasks"] = subtasks
    return found


@task.command("show")
@of_job
@click.argument("task_id", metavar="TASK", shell_complete=task_ids)
@state_option
@json_option
def show_(job_id: str, task_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a task, in the properties of the Batch REST API."""
    from ..rest_views import Links

    with records(state) as journal:
        job = find_job(journal, job_id)
        found = find_task(journal, job, task_id) if job is not None else None
    if job is None:
        not_found("JobNotFound", f"there is no job {job_id!r}; `ebbtide job list` lists them", as_json)
    if found is None:
        text = f"job {job_id!r} has no task {task_id!r}; `ebbtide task list {job_id}` lists them"
        not_found("TaskNotFound", text, as_json)
    show(_view(found, job, Links()), as_json)


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
