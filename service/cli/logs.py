from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import state_option

if TYPE_CHECKING:
    from runner import Journal, OutputStore


@click.command()
@click.argument("job")
@click.argument("task", required=False)
@click.option("--stderr", is_flag=True, help="Standard error instead of standard output.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what it prints, until it has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Begin with the last N lines.")
@click.option("--start-task", "kind", flag_value="starttask", help="Of a start task: JOB is the pool, TASK the node.")
@click.option("--preparation", "kind", flag_value="jobpreparation", help="Of the job's preparation on the node TASK.")
@click.option("--release", "kind", flag_value="jobrelease", help="Of the job's release task on the node TASK.")
@state_option
def logs(
    job: str, task: str | None, stderr: bool, follow: bool, tail: int | None, kind: str | None, state: Path
) -> None:
    """Print what a task has printed: while it runs, and also after its node is gone.

    Without TASK: what is kept of all tasks of the job, one after the other, in the order of their creation.
    """
    if task is None and (follow or tail is not None or kind is not None):
        raise click.UsageError("of all tasks of a job there is only what was kept: name a TASK for these options")
    from runner import OutputStore, open_journal

    from ..file_trees import TreeError
    from ..log_reader import LogReader
    from ..log_source import LogSource
    from ..remote_files import connected
    from ..state import StateDirectory

    directory, stream = StateDirectory(state), "stderr" if stderr else "stdout"
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        store = OutputStore(directory.outputs)
        if task is None:
            _all(journal, store, job, stream)
            return
        source = LogSource(journal, store, kind or "task", job, task, stream)
        reader = LogReader(source, lambda: connected(state), lambda text: click.echo(f"ebbtide: {text}", err=True))
        reader.print(follow=follow, tail=tail)
    except TreeError as error:
        raise click.ClickException(str(error)) from None
    finally:
        journal.close()


def _all(journal: Journal, store: OutputStore, job: str, stream: str) -> None:
    """Raises TreeError if there is no such job, or if an output that was kept is no longer there."""
    from ..file_trees import TreeError

    if journal.job(job) is None:
        known = ", ".join(each.id for each in journal.jobs()) or "none"
        raise TreeError(404, "JobNotFound", f"there is no job {job!r}; jobs: {known}")
    out, ids, missing = sys.stdout.buffer, journal.task_queries.ids(job), 0
    for task in ids:
        output = journal.output("task", job, task, stream)
        if output is None:
            missing += 1
            continue
        try:
            for piece in store.read(output):
                out.write(piece)
        except FileNotFoundError as exc:
            raise TreeError(404, "FileNotFound", f"{exc.filename}: the kept output is no longer there") from None
    out.flush()
    if missing:
        text = f"nothing is kept of {missing} of {len(ids)} tasks: they have not ended, or never ran"
        click.echo(f"ebbtide: {text}", err=True)
