"""`ebbtide submit`: a command as a job, in one line."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import request_options, unanswered, written
from .door import BadInput
from .ids import job_ids, pool_ids
from .job_wait import waited
from .new_body import pairs
from .source import refuse
from .tell import tell

if TYPE_CHECKING:
    from ..submission import Submission
    from ..submitting import Submitted

_LATER = "recorded: no controller works on the state; the next `ebbtide serve` works on it"


class _BeforeCommand(click.Command):
    """Options of what is run are not ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        behind = "--" in args
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as exc:
            if behind:
                raise
            text = "If it is of the command that is to run, that stands behind `--`."
            raise click.UsageError(f"{exc.format_message()} {text}", ctx) from None


@click.command(
    cls=_BeforeCommand,
    epilog="The command stands behind `--`: ebbtide submit POOL --sweep runs.csv -- python3 run.py {size}",
)
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--job", "job_id", metavar="JOB", shell_complete=job_ids, help="Its id; none: one made of the content.")
@click.option(
    "--sweep",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="CSV",
    help="A task for each row (- reads it): {COLUMN} in COMMAND and the variable COLUMN are its values.",
)
@click.option(
    "--output", "outputs", multiple=True, metavar="GLOB", help="Files to keep; may be given several times."
)
@click.option("--slots", type=click.IntRange(min=1), metavar="N", help="How many task slots of a node each takes.")
@click.option("--max-retries", type=click.IntRange(min=-1), metavar="N", help="How often one that fails is retried.")
@click.option("--max-time", metavar="DURATION", help="How long each may take, such as PT1H.")
@click.option("--env", "environment", multiple=True, metavar="NAME=VALUE", help="May be given several times.")
@click.option(
    "--on-all-tasks-complete",
    type=click.Choice(["noaction", "terminatejob"]),
    default="noaction",
    show_default=True,
    help="What becomes of the job when all its tasks are done.",
)
@click.option("--wait", "wait", is_flag=True, help="Wait for it, as `ebbtide job wait` does.")
@request_options
def submit(
    pool_id: str,
    words: tuple[str, ...],
    job_id: str | None,
    sweep: Path | None,
    outputs: tuple[str, ...],
    slots: int | None,
    max_retries: int | None,
    max_time: str | None,
    environment: tuple[str, ...],
    on_all_tasks_complete: str,
    wait: bool,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Run a command in a pool: as a job with one task, or with one for each row of a CSV file.

    The same again does no work twice: it finds its job, and adds the tasks that are missing.
    """
    from ..rest_objects import RequestRefused
    from ..submission import Submission
    from ..submitting import SubmissionConflict
    from ..submitting import submit as make
    from ..sweep import SweepError

    try:
        submission = Submission(
            pool_id,
            _words(words),
            _sweep(sweep),
            _outputs(outputs),
            tuple((each["name"], each["value"]) for each in pairs(environment, "--env")),
            slots or 1,
            _constraints(max_retries, max_time),
        )
        _check_variables(submission)
        name = job_id if job_id is not None else submission.job_id()
        _hint(submission)
        with unanswered(), written(state, config) as (objects, live):
            done = make(objects, submission, name, on_all_tasks_complete == "terminatejob")
    except SweepError as exc:
        raise BadInput(str(exc)) from None
    except SubmissionConflict as exc:
        raise click.ClickException(str(exc)) from None
    except RequestRefused as exc:
        refuse(exc, as_json)
    if not live:
        tell(_LATER, err=True)
    _tell(done, as_json, wait)
    told: dict[str, Any] = {"id": done.job_id, "added": done.added, "there": done.there}
    code = 0
    if wait:
        ended, code = waited(done.job_id, None, state, as_json)
        told |= ended
    if as_json:
        click.echo(json.dumps(told, indent=2))
    sys.exit(code)


def _words(words: tuple[str, ...]) -> tuple[str, ...]:
    """A single word is a command line, as `--command` of `ebbtide task create` has it. Raises BadInput."""
    from runner import CommandLineError, split_command_line

    if len(words) > 1:
        return words
    try:
        return split_command_line(words[0])
    except CommandLineError as exc:
        raise BadInput(str(exc)) from None


def _hint(submission: Submission) -> None:
    """What looks as if it needed a shell, and starts none."""
    from runner import shell_hint

    hint = shell_hint(shlex.join(submission.words))
    if hint is not None:
        tell(f"ebbtide: warning: {hint}", err=True)


def _sweep(file: Path | None) -> Any:
    """Raises BadInput, SweepError."""
    from ..sweep import read_sweep

    if file is None:
        return None
    try:
        with click.open_file(str(file), encoding="utf-8-sig") as opened:
            return read_sweep(opened.read(), "standard input" if str(file) == "-" else str(file))
    except OSError as exc:
        raise BadInput(f"{file}: {exc.strerror or exc}") from None
    except UnicodeDecodeError as exc:
        raise BadInput(f"{file}: is not UTF-8: {exc}") from None


def _outputs(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Raises BadParameter."""
    for each in patterns:
        if not each or each.startswith("/") or ".." in each.split("/"):
            text = f"{each!r} leads out of the working directory of the task (what it prints is kept in any case)"
            raise click.BadParameter(text, param_hint="--output")
    return patterns


def _constraints(max_retries: int | None, max_time: str | None) -> dict[str, Any]:
    """Raises BadInput."""
    from ..iso8601 import format_duration, parse_duration

    found: dict[str, Any] = {}
    if max_retries is not None:
        found["maxTaskRetryCount"] = max_retries
    if max_time is not None:
        try:
            # as it is answered, so that the two can be compared
            found["maxWallClockTime"] = format_duration(parse_duration(max_time))
        except ValueError as exc:
            raise BadInput(f"--max-time {exc}") from None
    return found


def _check_variables(submission: Submission) -> None:
    """Raises BadInput."""
    own = {name for name, _ in submission.environment}
    both = own & set(submission.sweep.variables if submission.sweep is not None else ())
    if both:
        raise BadInput(f"--env {min(both)}: a column of the sweep is called so, too; rename one of them")


def _tell(done: Submitted, as_json: bool, wait: bool) -> None:
    """The id alone is the result, for `job=$(ebbtide submit ...)`."""
    if not as_json and not wait:
        click.echo(done.job_id)
    count = f"{done.added:,} task{'' if done.added == 1 else 's'}"
    if not done.added:
        tell(f"job {done.job_id}: all {done.there:,} tasks were there before; --job NAME runs them once more", err=True)
    else:
        before = f"; {done.there:,} were there before" if done.there else ""
        tell(f"job {done.job_id}: {count} added{before}", err=True)
    if as_json or wait:
        return
    name = shlex.quote(done.job_id)
    next_ = {
        f"ebbtide job wait {name}": "waits until they are done",
        f"ebbtide job failures {name}": "tells what went wrong",
        f"ebbtide job download {name} {name}": "fetches what they printed, and files that were kept",
    }
    for command, told in next_.items():
        tell(f"  `{command}` {told}", err=True)
