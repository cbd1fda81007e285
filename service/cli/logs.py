from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .ids import job_ids, task_ids
from .options import json_option, state_option

if TYPE_CHECKING:
    from runner import Journal, OutputStore

    from ..log_reader import LogReader
    from ..log_source import LogSource


@click.command(epilog="Ids that begin with a dash stand behind all options and `--`: ebbtide logs -f -- JOB -TASK")
@click.argument("job", shell_complete=job_ids)
@click.argument("task", required=False, shell_complete=task_ids)
@click.option("--stderr", is_flag=True, help="Standard error instead of standard output.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what it prints, until it has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Begin with the last N lines.")
@click.option("--attempt", metavar="N|all", help="What this attempt has printed, or each of them.")
@click.option("--list", "listed", is_flag=True, help="Tell what attempts there were, and what is kept of each.")
@click.option("--start-task", "kind", flag_value="starttask", help="Of a start task: JOB is the pool, TASK the node.")
@click.option("--preparation", "kind", flag_value="jobpreparation", help="Of the job's preparation on the node TASK.")
@click.option("--release", "kind", flag_value="jobrelease", help="Of the job's release task on the node TASK.")
@state_option
@json_option
def logs(
    job: str,
    task: str | None,
    stderr: bool,
    follow: bool,
    tail: int | None,
    attempt: str | None,
    listed: bool,
    kind: str | None,
    state: Path,
    as_json: bool,
) -> None:
    """Print what a task has printed: while it runs, and also after its node is gone.

    Without TASK: what is kept of all tasks of the job, one after the other, in the order of their creation.
    TASK/1, TASK/2, ... are the subtasks of a multi-instance task: what its coordination command printed on its other
    nodes.
    """
    single = follow or listed or tail is not None or kind is not None or attempt is not None
    if task is None and single:
        raise click.UsageError("of all tasks of a job there is only what was kept: name a TASK for these options")
    if as_json and not listed:
        raise click.UsageError("--json goes with --list: what a task prints is printed as it is")
    number = _number(attempt)
    if attempt == "all" and (follow or tail is not None):
        raise click.UsageError("--attempt all prints all that is kept: it goes without --follow and --tail")
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
        if listed:
            _list(source, as_json)
            return
        reader = LogReader(source, lambda: connected(state), lambda text: click.echo(f"ebbtide: {text}", err=True))
        _print(reader, attempt, number, follow, tail)
    except TreeError as error:
        raise click.ClickException(str(error)) from None
    finally:
        journal.close()


def _number(attempt: str | None) -> int | None:
    if attempt is None or attempt == "all":
        return None
    if not attempt.isdecimal() or not int(attempt):
        raise click.BadParameter(f"{attempt!r} is neither the number of an attempt nor `all`", param_hint="--attempt")
    return int(attempt)


def _print(reader: LogReader, attempt: str | None, number: int | None, follow: bool, tail: int | None) -> None:
    if attempt == "all":
        reader.print_all()
    else:
        reader.print(follow=follow, tail=tail, attempt=number)


def _list(source: LogSource, as_json: bool) -> None:
    """Raises TreeError."""
    from ..columns import columns
    from ..iso8601 import format_instant

    present, sizes = source.present(), source.sizes()
    found = [*present.earlier, *((present.last,) if present.last is not None else ())]
    told = [
        {
            "attempt": each.number,
            "nodeId": each.node_id,
            "startTime": format_instant(each.start_time) if each.start_time is not None else None,
            "endTime": format_instant(each.end_time) if each.end_time is not None else None,
            "exitCode": each.exit_code,
            "reason": each.reason,
            "stdoutBytes": sizes.get(each.number, {}).get("stdout"),
            "stderrBytes": sizes.get(each.number, {}).get("stderr"),
        }
        for each in found
    ]
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    rows = [("attempt", "node", "began", "ended", "exit code", "stdout", "stderr", "how it ended")]
    names = ("attempt", "nodeId", "startTime", "endTime", "exitCode", "stdoutBytes", "stderrBytes", "reason")
    rows += [tuple("-" if each[name] is None else str(each[name]) for name in names) for each in told]  # type: ignore[misc]
    click.echo("\n".join(columns(rows)) if told else f"{source.name} has not run yet")


def _all(journal: Journal, store: OutputStore, job: str, stream: str) -> None:
    """Raises TreeError if there is no such job, or if an output that was kept is no longer there."""
    from ..file_trees import TreeError
    from ..nearest import named

    found = journal.job(job)
    if found is None:
        known = named("jobs", [each.id for each in journal.jobs()], job)
        raise TreeError(404, "JobNotFound", f"there is no job {job!r}; {known}")
    job = found.id
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
