from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import request_options
from .ids import job_ids
from .listing import show
from .source import objects
from .tell import tell
from .trees import trees

if TYPE_CHECKING:
    from ..failure_causes import Cause, FailedTask
    from ..rest_objects import Objects, View
    from .trees import TreeOf

#: Tasks whose standard error is read at a time.
_WORKERS = 8
#: Bytes of the end of standard error that are read.
_END = 4096
#: Ids that are shown of a cause.
_SHOWN = 5


@click.command("failures")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", default=1000, show_default=True, help="Look at so many tasks."
)
@request_options
def job_failures(job_id: str, limit: int, state: Path, config: Path | None, as_json: bool) -> None:
    """Show why tasks of a job have failed: grouped by cause, the most frequent first."""
    from ..failure_causes import causes

    with objects(state, as_json) as found, trees(state, config) as tree_of:
        name = found.one("jobs", job_id, query={"$select": "id"})["id"]
        views = list(found.each("jobs", name, "tasks", query=_FAILED, limit=limit + 1))
        total = _total(found, name) if len(views) > limit else len(views)
        groups = causes(_read(views[:limit], name, tree_of))
    if as_json:
        show([_json(group) for group in groups], True)
        return
    if not groups:
        click.echo(f"no task of job {name} has failed")
        return
    for group in groups:
        click.echo("\n".join(_told(group)))
    if total > limit:
        tell(f"of {total:,} failed tasks, the first {limit:,} were looked at (--limit N looks at more)", err=True)
    tell(f"`ebbtide job retry {shlex.quote(name)} --failed` lets them run again", err=True)


_FAILED = {"$filter": "executionInfo/result eq 'failure'", "$select": "id,executionInfo,nodeInfo"}


def _total(found: Objects, job_id: str) -> int:
    return int(found.one("jobs", job_id, "taskcounts")["taskCounts"]["failed"])


def _read(views: Iterable[View], job_id: str, tree_of: TreeOf) -> Iterator[FailedTask]:
    """In the order of the tasks; a few at a time."""
    from ..failure_causes import failed_task

    rest = iter(views)
    with ThreadPoolExecutor(_WORKERS) as pool:
        while some := list(islice(rest, _WORKERS * 16)):
            ends = pool.map(lambda view: _end(tree_of, job_id, view["id"]), some)
            yield from (failed_task(view, end) for view, end in zip(some, ends, strict=True))


def _end(tree_of: TreeOf, job_id: str, task_id: str) -> bytes | None:
    """Of standard error; None: it cannot be had."""
    from ..tree import TreeError

    try:
        tree = tree_of(job_id, task_id)
        size = tree.entry("stderr.txt").size
        return tree.read("stderr.txt", max(0, size - _END), _END) if size else b""
    except TreeError:
        return None


def _told(cause: Cause) -> Iterator[str]:
    count = len(cause.tasks)
    code = f", exit code {cause.exit_code}" if cause.exit_code is not None else ""
    yield f"{count:,} task{'' if count == 1 else 's'}: {cause.code}{code}: {cause.text}"
    more = f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
    yield f"    {', '.join(task.task_id for task in cause.tasks[:_SHOWN])}{more}"
    example = next((task for task in cause.tasks if task.lines), None)
    if example is not None and example.lines:
        yield f"    standard error of {example.task_id}:"
        yield from (f"    | {line}" for line in example.lines)


def _json(cause: Cause) -> dict[str, Any]:
    example = next((task for task in cause.tasks if task.lines), cause.tasks[0])
    return {
        "count": len(cause.tasks),
        "code": cause.code,
        "exitCode": cause.exit_code,
        "cause": cause.text,
        "taskIds": [task.task_id for task in cause.tasks],
        "example": {
            "taskId": example.task_id,
            "message": example.message,
            "stderr": list(example.lines) if example.lines is not None else None,
        },
    }
