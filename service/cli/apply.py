from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import request_options, unanswered, written
from .differences import as_json_document, lines, outcome
from .door import BadInput, colour
from .source import objects, refuse, with_cure
from .tell import tell
from .workloads import load, param_option

if TYPE_CHECKING:
    from ..apply import NotDone, Plan
    from ..rest_objects import Objects

#: How often what is there is compared again, if others make the same meanwhile.
_TRIES = 5
#: Exit code of --exit-code: 1 and 2 are errors.
_DIFFERS = 3


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@param_option
@click.option("--dry-run", is_flag=True, help="Show what differs, and change nothing.")
@click.option("--exit-code", is_flag=True, help=f"With --dry-run: exit code {_DIFFERS} if anything differs.")
@request_options
def apply(
    workload: Path,
    parameters: dict[str, str],
    dry_run: bool,
    exit_code: bool,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Bring the applications, pools, job schedules and jobs of a workload file to a server, or to a state.

    Shows what differs there, and changes that alone. The same command again goes on where an earlier one ended.
    """
    if exit_code and not dry_run:
        raise click.UsageError("--exit-code goes with --dry-run")
    with _place(state, config, dry_run) as (found, live):
        made, later = _apply(found, workload, parameters, (state, config), dry_run, as_json), not live
    if as_json:
        click.echo(as_json_document(made, dry_run))
    elif not dry_run and made.changes:
        tell(outcome(made))
    if later and made.changes and not dry_run:
        tell("recorded: no controller works on the state; the next `ebbtide serve` works on it", err=True)
    if exit_code and made.changes:
        sys.exit(_DIFFERS)


@contextmanager
def _place(state: Path, config: Path | None, dry_run: bool) -> Iterator[tuple[Objects, bool]]:
    """What is there, and whether somebody works on it; only read if nothing is to be done."""
    if dry_run:
        with objects(state) as found:
            yield found, True
    else:
        with unanswered(), written(state, config, quiet=True) as way:
            yield way


def _apply(
    found: Objects,
    workload: Path,
    parameters: dict[str, str],
    where: tuple[Path, Path | None],
    dry_run: bool,
    as_json: bool,
) -> Plan:
    """The plan, which was carried out. Ends the command if it cannot be."""
    from tempfile import TemporaryDirectory

    from ..apply import NotDone, PresentObjects, carry_out, plan
    from ..rest_objects import RequestRefused

    try:
        loaded = load(workload, parameters, *where, PresentObjects(found))
        with TemporaryDirectory(prefix="ebbtide-") as scratch:
            first = made = _checked(plan(loaded, found, Path(scratch)))
            _tell(first, as_json)
            for tries_left in reversed(range(0 if dry_run else _TRIES)):
                try:
                    carry_out(made, found)
                    break
                except NotDone as exc:
                    if not (exc.raced and tries_left):
                        raise _not_done(exc) from None
                made = _checked(plan(loaded, found, Path(scratch)))
            return first
    except RequestRefused as exc:
        refuse(exc, as_json)


def _checked(made: Plan) -> Plan:
    """Raises BadInput if something cannot be brought about: then nothing is done."""
    if made.refused:
        raise BadInput("\n".join(made.refused))
    return made


def _not_done(error: NotDone) -> click.ClickException:
    from ..rest_objects import RequestRefused

    what = f"{error.change.kind} {error.change.name}: {with_cure(RequestRefused(error.code, str(error)))}"
    cure = "what stands before it is done, what follows is not; the same command goes on from there"
    return click.ClickException(f"{error.code}: {what}\n{cure}")


def _tell(made: Plan, as_json: bool) -> None:
    for line in made.left_alone:
        tell(f"ebbtide: {line}", err=True)
    if not as_json:
        for text in lines(made, colour(sys.stdout)):
            tell(text)
