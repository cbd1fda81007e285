from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import confirm, error_json, request_options, unanswered, written, yes_option
from .door import print_error
from .source import refuse, with_cure
from .tell import tell
from .workloads import param_option

if TYPE_CHECKING:
    from ..apply import Removal
    from ..rest_objects import Objects

#: Seconds between two looks at what goes.
_PAUSE = 1.0
#: Seconds that an application waits for what keeps it to be gone.
_PATIENCE = 600.0
#: What keeps a version of an application: pools and jobs that are on their way out may still bring it to a node.
_IN_USE = "ApplicationInUse"


@click.command()
@click.option(
    "--file",
    "-f",
    "workload",
    type=click.Path(path_type=Path),
    required=True,
    metavar="WORKLOAD",
    help="The workload file that names them.",
)
@param_option
@click.option("--wait", is_flag=True, help="Until all of it is gone, however long that takes.")
@yes_option
@request_options
def delete(
    workload: Path,
    parameters: dict[str, str],
    wait: bool,
    yes: bool,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Delete the job schedules, jobs, pools and applications of a workload file; what is not there is no error."""
    from ..apply import removals
    from ..rest_objects import RequestRefused
    from ..workload_file import read_workload

    wanted = removals(read_workload(workload, parameters))
    with unanswered(), written(state, config, quiet=True) as (found, live):
        if wait and not live:
            text = "no controller works on the state, so nothing would come of waiting: leave --wait out"
            raise click.ClickException(text)
        try:
            there = [each for each in wanted if not each.is_gone(found)]
            if there:
                names = [f"{each.kind} {each.name}" for each in there]
                confirm("{}, with their nodes, tasks and files", names, yes)
            answers = _delete(wanted, found, wait, live, as_json)
        except RequestRefused as exc:
            refuse(exc, as_json)
    if as_json:
        click.echo(json.dumps(answers, indent=2))
    if not live and any(each["deleted"] for each in answers):
        tell("recorded: no controller works on the state; the next one lets their nodes go", err=True)
    if any("error" in each for each in answers):
        sys.exit(1)


def _delete(wanted: Sequence[Removal], found: Objects, wait: bool, live: bool, as_json: bool) -> list[dict[str, Any]]:
    """What became of each, which is told at once. `live`: does somebody work on it? Raises Unanswered,
    RequestRefused."""
    work = [each for each in wanted if each.kind != "application"]
    packages = [each for each in wanted if each.kind == "application"]
    answers = [_one(each, found, as_json) for each in work]
    # what was refused stays
    going = [each for each, answer in zip(work, answers, strict=True) if live and "error" not in answer]
    if wait:
        _wait(going, found)
    return answers + [_one(each, found, as_json, going) for each in packages]


def _one(removal: Removal, found: Objects, as_json: bool, going: Sequence[Removal] = ()) -> dict[str, Any]:
    from ..rest_objects import RequestRefused

    answer: dict[str, Any] = {"kind": removal.kind, "id": removal.name, "deleted": False}
    try:
        answer["deleted"] = _was_there(removal, found, going)
    except RequestRefused as exc:
        text = with_cure(exc)
        if exc.code == _IN_USE:
            text += "; if that is going: the same command again when it is gone, or --wait"
        print_error(f"{exc.code}: {removal.kind} {removal.name}: {text}")
        return answer | error_json(exc.code, str(exc))
    if not as_json:
        tell(f"{removal.kind} {removal.name}: {'deleted' if answer['deleted'] else 'is not there'}")
    return answer


def _was_there(removal: Removal, found: Objects, going: Sequence[Removal]) -> bool:
    """`going`: what may keep it, and is waited for then. Raises RequestRefused, Unanswered."""
    from ..rest_objects import RequestRefused

    try:
        return removal.ask(found)
    except RequestRefused as exc:
        if exc.code != _IN_USE or not going:
            raise
    _wait(going, found, most=_PATIENCE)
    return removal.ask(found)


def _wait(removals: Sequence[Removal], found: Objects, most: float = math.inf) -> None:
    """For `most` seconds, or until they are gone."""
    import time

    left, told, waited = list(removals), 0, 0.0
    while waited < most and (left := [each for each in left if not each.is_gone(found)]):
        if len(left) != told:
            told = len(left)
            names = ", ".join(f"{each.kind} {each.name}" for each in left[:5])
            more = f" and {len(left) - 5:,} more" if len(left) > 5 else ""
            tell(f"waiting for {names}{more} to be gone", err=True)
        time.sleep(_PAUSE)
        waited += _PAUSE
