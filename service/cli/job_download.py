from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import request_options
from .door import BadInput, colour, print_error
from .ids import job_ids
from .source import objects
from .tell import tell
from .trees import trees

if TYPE_CHECKING:
    from ..job_download import Brought
    from ..rest_objects import Objects

#: Errors that are told one by one.
_TOLD = 20


@click.command("download")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@click.argument("target", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--include",
    multiple=True,
    metavar="GLOB",
    help="Only these files of each task, relative to its working directory; may be given several times.",
)
@request_options
def job_download(
    job_id: str, target: Path, include: tuple[str, ...], state: Path, config: Path | None, as_json: bool
) -> None:
    """Fetch what a job's tasks have printed, and their output files, into DIR/TASK/.

    What is there with the same size and time is left. Without --include: standard output, standard error, and what the
    patterns of the task's output files mean.
    """
    from ..file_patterns import PatternError, parts_of
    from ..job_download import download

    try:
        for pattern in include:
            parts_of(pattern)
    except PatternError as exc:
        raise BadInput(f"--include {exc}") from None
    tally = _Tally(as_json)
    with objects(state, as_json) as found, trees(state, config) as tree_of:
        name = found.one("jobs", job_id, query={"$select": "id"})["id"]
        for each in download(_wanted(found, name, include), lambda task_id: tree_of(name, task_id), target):
            tally.add(each)
    tally.end(name, target)


def _wanted(found: Objects, job_id: str, include: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    from ..job_download import wanted_of

    for task in found.each("jobs", job_id, "tasks", query={"$select": "id,outputFiles"}):
        yield task["id"], wanted_of(task, include)


class _Tally:
    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._live = colour(sys.stderr)
        self._tasks: set[str] = set()
        self._files, self._there, self._bytes = 0, 0, 0
        self._errors: list[Brought] = []

    def add(self, brought: Brought) -> None:
        if brought.error is not None:
            self._errors.append(brought)
            if len(self._errors) <= _TOLD:
                self._clear()
                what = f"task {brought.task_id}" + (f", {brought.name!r}" if brought.name else "")
                print_error(f"{what}: {brought.error}")
            return
        self._tasks.add(brought.task_id)
        self._files += not brought.there
        self._there += brought.there
        self._bytes += 0 if brought.there else brought.size
        if self._live:
            click.echo(f"\r\x1b[K{self._files:,} files, {self._bytes:,} bytes", err=True, nl=False)

    def _clear(self) -> None:
        if self._live:
            click.echo("\r\x1b[K", err=True, nl=False)

    def end(self, job_id: str, target: Path) -> None:
        """Exit code 1 if something was not to be had."""
        self._clear()
        if len(self._errors) > _TOLD:
            tell(f"and {len(self._errors) - _TOLD:,} more could not be fetched", err=True)
        if self._as_json:
            click.echo(json.dumps(self._json(job_id), indent=2))
        else:
            there = f"; {self._there:,} were there" if self._there else ""
            text = f"{_count(self._files, 'file')} of {_count(len(self._tasks), 'task')}, {self._bytes:,} bytes{there}"
            click.echo(f"{target}: {text}")
        if self._errors:
            sys.exit(1)

    def _json(self, job_id: str) -> dict[str, Any]:
        errors = [{"taskId": each.task_id, "name": each.name, "error": each.error} for each in self._errors]
        counts = {"tasks": len(self._tasks), "files": self._files, "there": self._there, "bytes": self._bytes}
        return {"id": job_id, **counts, "errors": errors}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
