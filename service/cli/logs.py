from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import state_option

if TYPE_CHECKING:
    from runner import Journal

#: Ids named in an error message at most.
_NAMED = 20


@click.command()
@click.argument("job")
@click.argument("task")
@click.option("--start-task", is_flag=True, help="Of a start task: JOB is the pool then, TASK the node.")
@click.option("--stderr", is_flag=True, help="Standard error instead of standard output.")
@state_option
def logs(job: str, task: str, start_task: bool, stderr: bool, state: Path) -> None:
    """Print what a task printed, also after its node is gone."""
    from runner import OutputStore, open_journal

    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        stream = "stderr" if stderr else "stdout"
        output = journal.output("starttask" if start_task else "task", job, task, stream)
        if output is None and start_task:
            raise click.ClickException(f"no {stream} of a start task on node {task!r} of pool {job!r} is kept")
        if output is None:
            raise click.ClickException(_missing(journal, job, task, stream))
    finally:
        journal.close()
    out = sys.stdout.buffer
    kept = 0
    try:
        for chunk in OutputStore(directory.outputs).read(output):
            out.write(chunk)
            kept += len(chunk)
    except FileNotFoundError as exc:
        raise click.ClickException(f"{exc.filename}: the kept output is no longer there") from None
    out.flush()
    if kept < output.size:
        click.echo(f"ebbtide: only the last {kept} of {output.size} bytes were kept", err=True)


def _missing(journal: Journal, job_id: str, task_id: str, stream: str) -> str:
    """Why there is no output, and what there is instead."""
    if journal.job(job_id) is None:
        return f"there is no job {job_id!r}; {_known('jobs', [job.id for job in journal.jobs()])}"
    tasks = {task.id: task for task in journal.tasks(job_id)}
    task = tasks.get(task_id)
    if task is None:
        return f"job {job_id!r} has no task {task_id!r}; {_known('tasks', list(tasks))}"
    if task.state != "completed":
        return f"task {task_id!r} is {task.state}; its output is kept when it has ended"
    reason = f": {task.failure.message}" if task.failure is not None else ""
    return f"task {task_id!r} never ran and has no {stream}{reason}"


def _known(kind: str, ids: list[str]) -> str:
    if not ids:
        return f"there are no {kind}"
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{kind}: {', '.join(ids[-_NAMED:])}{more}"
