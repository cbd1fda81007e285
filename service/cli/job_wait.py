from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .door import BadInput, colour
from .ids import job_ids
from .source import objects, server_address, source_options
from .tell import tell

if TYPE_CHECKING:
    from ..job_waiting import Look
    from ..views.progress import Progress

#: As of timeout(1).
TIMED_OUT = 124


@click.command("wait")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@click.option("--timeout", metavar="DURATION", help="How long at most, such as PT1H; the exit code is 124 then.")
@source_options
def job_wait(job_id: str, timeout: str | None, state: Path, as_json: bool) -> None:
    """Wait until all tasks of a job are done: exit code 0 if all have succeeded, 1 if not.

    It only looks: the job goes on whatever becomes of this command.
    """
    seconds = seconds_of(timeout)
    found, code = waited(job_id, seconds, state, as_json)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    sys.exit(code)


def seconds_of(timeout: str | None) -> float | None:
    """Raises BadInput."""
    from ..iso8601 import parse_duration

    if timeout is None:
        return None
    try:
        return parse_duration(timeout).total_seconds()
    except ValueError as exc:
        raise BadInput(f"--timeout {exc}") from None


def waited(job_id: str, seconds: float | None, state: Path, as_json: bool) -> tuple[dict[str, Any], int]:
    """How it has ended, and the exit code; in words, that is told. `seconds`: at most."""
    import time

    from ..clock import now
    from ..job_waiting import looks
    from ..views.progress import Progress

    begin = time.monotonic()
    look: Look | None = None
    with objects(state, as_json) as found:
        said: set[str] = set()
        shown: _Shown | None = None
        try:
            for look in looks(found, job_id, time.monotonic, time.sleep):
                if shown is None:
                    shown = _Shown(Progress(now(), look.standing.done))
                    if not look.over and server_address() is None:
                        _say_unattended(state)
                shown.show(look, now())
                for each in look.hindrances:
                    shown.say(f"job {look.job_id}: {each}", said)
                if not look.over and seconds is not None and time.monotonic() - begin >= seconds:
                    break
        except KeyboardInterrupt:
            if shown is not None:
                shown.clear()
            tell(f"job {job_id} goes on; `ebbtide job wait {shlex.quote(job_id)}` waits again", err=True)
            sys.exit(130)
        assert look is not None and shown is not None
        shown.clear()
    return _ended(look, as_json)


def _ended(look: Look, as_json: bool) -> tuple[dict[str, Any], int]:
    standing, name = look.standing, shlex.quote(look.job_id)
    if not look.over:
        result, code = "timeout", TIMED_OUT
        told = f"{standing.done:,} of {standing.total:,} tasks are done; the job goes on"
    elif standing.failed or standing.done < standing.total:
        result, code = "failure", 1
        told = f"{standing.failed:,} of {standing.total:,} tasks failed"
        told += f"; {standing.total - standing.done:,} never ran" if standing.done < standing.total else ""
    else:
        result, code = "success", 0
        told = f"{standing.total:,} task{'' if standing.total == 1 else 's'} succeeded"
    if not as_json:
        click.echo(f"job {look.job_id}: {told}")
    if look.over and standing.failed:
        tell(f"`ebbtide job failures {name}` tells why", err=True)
    found = {"id": look.job_id, "state": look.state, "result": result, "taskCounts": look.counts}
    return found, code


def _say_unattended(state: Path) -> None:
    from ..remote_files import connected

    with connected(state) as http:
        if http is None:
            tell("no controller works on the state: nothing goes on until one does (`ebbtide serve`)", err=True)


class _Shown:
    """How far it is: one line that is written again and again on a terminal, else a line now and then."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._live = colour(sys.stderr)
        self._begun = False

    def show(self, look: Look, now: float) -> None:
        self._progress.note(now, look.standing.done)
        if look.over:
            return
        text = f"job {look.job_id}: {self._progress.text(now, look.standing)}"
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r\x1b[K{text[:width]}", err=True, nl=False)
        elif self._progress.due(now, look.standing) or not self._begun:
            tell(text, err=True)
        self._begun = True

    def say(self, text: str, said: set[str]) -> None:
        """Once."""
        if text not in said:
            self.clear()
            tell(text, err=True)
            said.add(text)

    def clear(self) -> None:
        if self._live:
            click.echo("\r\x1b[K", err=True, nl=False)
