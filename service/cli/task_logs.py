from __future__ import annotations

import shlex
from pathlib import Path

import click

from .ids import job_ids, task_ids
from .logs import logs
from .options import state_option
from .source import objects, server_address, server_options


@click.command("logs", epilog="Ids that begin with a dash stand behind all options and `--`.")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@click.argument("task_id", metavar="TASK", shell_complete=task_ids)
@click.option("--stderr", is_flag=True, help="Standard error instead of standard output.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what it prints, until it has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Begin with the last N lines.")
@server_options
@state_option
@click.pass_context
def task_logs(
    context: click.Context, job_id: str, task_id: str, stderr: bool, follow: bool, tail: int | None, state: Path
) -> None:
    """Print what a task prints in its present or last execution."""
    if server_address() is None:
        words = {"job": job_id, "task": task_id, "stderr": stderr, "follow": follow, "tail": tail, "state": state}
        context.invoke(logs, **words)
    else:
        _of_server(job_id, task_id, "stderr" if stderr else "stdout", follow, tail, state)


def _of_server(job_id: str, task_id: str, stream: str, follow: bool, tail: int | None, state: Path) -> None:
    import time

    from ..log_over_http import HttpLog
    from ..tree import TreeError
    from .trees import trees

    def say(text: str) -> None:
        click.echo(f"ebbtide: {text}", err=True)

    try:
        with objects(state) as found, trees(state, None) as tree_of:
            log = HttpLog(found, tree_of(job_id, task_id), job_id, task_id, stream, say, time.sleep)
            log.print(follow, tail)
    except TreeError as exc:
        cure = f"; `ebbtide task show {shlex.quote(job_id)} {shlex.quote(task_id)}` tells more"
        raise click.ClickException(f"{exc.code}: {exc}{cure}") from None
