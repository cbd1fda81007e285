from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import error_json, not_found, request_options, unanswered, written
from .door import print_error
from .ids import job_ids
from .source import refuse, with_cure
from .tell import tell

if TYPE_CHECKING:
    from ..rest_objects import Objects

_FAILED = {"$filter": "executionInfo/result eq 'failure'", "$select": "id"}
_LATER = "recorded: no controller works on the state; the next `ebbtide serve` works on it"
#: Somebody else has let it run meanwhile.
_RUNS = ("TaskNotCompleted", "TaskSucceeded")
#: Jobs in these states take no task any more (Batch REST API).
_OVER = ("completed", "terminating", "deleting")


@click.command("retry")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@click.option("--failed", is_flag=True, required=True, help="Those that failed, and no others.")
@request_options
def job_retry(job_id: str, failed: bool, state: Path, config: Path | None, as_json: bool) -> None:
    """Let the tasks of a job that failed run again, each with all its retries.

    A job that is over stays so (as with Azure Batch): its tasks can run as another job.
    """
    from ..rest_objects import RequestRefused

    try:
        with unanswered(), written(state, config) as (objects, live):
            job = objects.one("jobs", job_id, query={"$select": "id,state"})
            name = job["id"]
            # all of them first: what runs again is no longer in the list
            ids = [each["id"] for each in objects.each("jobs", name, "tasks", query=_FAILED)]
            if ids and job["state"] in _OVER:
                text = f"job {name!r} is {job['state']}, and no task of it runs again: make another job of what failed"
                not_found("JobCompleted", f"{text}; `ebbtide job failures {shlex.quote(name)}` lists it", as_json)
            answers = [_reactivated(objects, name, each, as_json) for each in ids]
    except RequestRefused as exc:
        refuse(exc, as_json)
    if as_json:
        click.echo(json.dumps(answers, indent=2))
    elif not ids:
        click.echo(f"no task of job {name} has failed")
    refused = sum("error" in each for each in answers)
    if not live and refused < len(answers):
        tell(_LATER, err=True)
    if refused:
        sys.exit(1)


def _reactivated(objects: Objects, job_id: str, task_id: str, as_json: bool) -> dict[str, Any]:
    """What --json prints of it."""
    from ..rest_objects import RequestRefused

    try:
        objects.ask("POST", "jobs", job_id, "tasks", task_id, "reactivate")
    except RequestRefused as exc:
        if exc.code not in _RUNS:
            print_error(f"{exc.code}: {with_cure(exc)}")
            return {"id": task_id, **error_json(exc.code, str(exc))}
    if not as_json:
        tell(f"task {task_id} of job {job_id}: runs again")
    return {"id": task_id}
