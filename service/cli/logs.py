from __future__ import annotations

from pathlib import Path

import click

from .options import state_option


@click.command()
@click.argument("job")
@click.argument("task")
@click.option("--stderr", is_flag=True, help="Standard error instead of standard output.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what it prints, until it has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Begin with the last N lines.")
@click.option("--start-task", "kind", flag_value="starttask", help="Of a start task: JOB is the pool, TASK the node.")
@click.option("--preparation", "kind", flag_value="jobpreparation", help="Of the job's preparation on the node TASK.")
@click.option("--release", "kind", flag_value="jobrelease", help="Of the job's release task on the node TASK.")
@state_option
def logs(
    job: str, task: str, stderr: bool, follow: bool, tail: int | None, kind: str | None, state: Path
) -> None:
    """Print what a task has printed: while it runs, and also after its node is gone."""
    from runner import OutputStore, open_journal

    from ..file_trees import TreeError
    from ..log_reader import LogReader
    from ..log_source import LogSource
    from ..remote_files import connected
    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        store = OutputStore(directory.outputs)
        source = LogSource(journal, store, kind or "task", job, task, "stderr" if stderr else "stdout")
        reader = LogReader(source, lambda: connected(state), lambda text: click.echo(f"ebbtide: {text}", err=True))
        reader.print(follow=follow, tail=tail)
    except TreeError as error:
        raise click.ClickException(str(error)) from None
    finally:
        journal.close()
