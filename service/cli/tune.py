from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..printable import printable
from .door import BadInput
from .early_end import EarlyEnd, interruptible, tidied
from .lab_work import Folder, make_folder, progress, write_report
from .options import complete_files, json_option

if TYPE_CHECKING:
    from ..lab.formulas import NamedFormula
    from ..lab.scenario_file import LoadedScenario
    from ..lab.tuning.parameters import Parameter
    from ..lab.tuning.parts import Parts
    from ..lab.tuning.result import Trial, Tuning, WaitLimits

#: Of a trace so much is for the check alone.
_HELD_OUT = 0.25


def _jobs() -> int:
    from ..lab.tuning.searching import BATCH

    return min(BATCH, len(os.sched_getaffinity(0)))


@click.command()
@click.argument("scenario", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--formula",
    "given",
    metavar="F",
    shell_complete=complete_files,
    help="A file or a text; default: the scenario's, if it names one.",
)
@click.option("--param", "params", metavar="NAME=LOW:HIGH", multiple=True, required=True, help="What is searched.")
@click.option("--p95", metavar="DURATION", help="95 % of tasks wait at most so long; default: as long as they do now.")
@click.option("--p99", metavar="DURATION", help="99 % of tasks wait at most so long.")
@click.option("--longest", metavar="DURATION", help="All tasks wait at most so long.")
@click.option("--trials", type=click.IntRange(1), default=60, show_default=True, metavar="N", help="How many to try.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes; default: one a processor, up to 8.")
@click.option("--held-out", type=click.FloatRange(0, 0.9), metavar="SHARE", help="Of a trace, for the check. [0.25]")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="In place of the scenario's; also of the search.")
@click.option("--out", type=Folder(), metavar="DIR", help="Write the tuned formula.")
@click.option("--png", is_flag=True, help="Write the report as a picture too.")
@json_option
def tune(
    scenario: Path,
    given: str | None,
    params: tuple[str, ...],
    p95: str | None,
    p99: str | None,
    longest: str | None,
    trials: int,
    jobs: int | None,
    held_out: float | None,
    seed: int | None,
    out: Path | None,
    png: bool,
    as_json: bool,
) -> None:
    """Search the constants of a formula for the cheapest that keeps tasks from waiting too long.

    A constant is a name that the formula gives a number, as in `idle = 10;`; --param names one and its range. Ctrl-C
    (or SIGTERM) ends it early, with what was found by then.
    """
    from msgspec import structs

    from ..lab.scenario_file import load_scenario
    from ..lab.tuning.told import nothing_within, tuning_json, tuning_lines, warnings

    if png and out is None:
        raise click.UsageError("--png is written beside the report: give --out DIR")
    limits = _limits(p95, p99, longest)
    loaded = load_scenario(scenario)
    if seed is not None:
        loaded = replace(loaded, spec=structs.replace(loaded.spec, seed=seed))
    formula = _formula(loaded, given)
    parameters = _parameters(formula, params)
    parts = _parts(loaded, held_out)
    if out is not None:
        make_folder(out)
    click.get_current_context().with_resource(tidied())
    with interruptible("what was found by now is told, and nothing is checked") as early:
        found = _found(loaded, parts, formula, parameters, limits, trials, jobs or _jobs(), early)
    if found is None:
        click.echo("nothing was found yet", err=True)
        raise SystemExit(early.exit_code)
    if as_json:
        click.echo(tuning_json(found))
    else:
        for line in tuning_lines(found):
            click.echo(line)
    for warning in warnings(found):
        click.echo(f"warning: {warning}", err=True)
    if out is not None:
        _write(loaded, parts, formula, found, out, png)
    if found.stopped:
        raise SystemExit(early.exit_code)
    if found.best is None:
        raise click.ClickException(nothing_within(found, formula.text))


def _limits(p95: str | None, p99: str | None, longest: str | None) -> WaitLimits | None:
    """None: none is given. Raises click.BadParameter."""
    from ..lab.tuning.result import WaitLimits

    if p95 is p99 is longest is None:
        return None
    return WaitLimits(
        p95=_seconds(p95, "--p95"), p99=_seconds(p99, "--p99"), max=_seconds(longest, "--longest")
    )


def _seconds(text: str | None, option: str) -> float | None:
    """A number of seconds, or an ISO 8601 duration. Raises click.BadParameter."""
    from ..iso8601 import parse_duration

    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parse_duration(text).total_seconds()
        except ValueError as exc:
            raise click.BadParameter(f"{exc}; or a number of seconds", param_hint=option) from None
    if not isfinite(seconds) or seconds < 0:
        raise click.BadParameter(f"{text!r} is no time to wait", param_hint=option)
    return seconds


def _formula(loaded: LoadedScenario, given: str | None) -> NamedFormula:
    """Raises InputError, BadInput."""
    from ..lab.formulas import given_formula

    if given is not None:
        return given_formula(given, 1)
    if len(loaded.formulas) == 1:
        return loaded.formulas[0]
    names = ", ".join(each.name for each in loaded.formulas)
    what = f"names {len(loaded.formulas)} formulas ({names})" if names else "names no formula"
    raise BadInput(f"{printable(str(loaded.path))}: {what}; say which is to be tuned: --formula FILE")


def _parameters(formula: NamedFormula, given: Sequence[str]) -> list[Parameter]:
    """Raises click.BadParameter."""
    from ..lab.tuning.parameters import BadParameter, check_parameters, read_parameter

    try:
        parameters = [read_parameter(each) for each in given]
        check_parameters(formula, parameters)
    except BadParameter as exc:
        raise click.BadParameter(str(exc), param_hint="--param") from None
    return parameters


def _parts(loaded: LoadedScenario, held_out: float | None) -> Parts:
    """Raises InputError, click.UsageError."""
    from ..lab.tuning.parts import parts_of

    if held_out is not None and loaded.spec.workload.trace is None:
        raise click.UsageError("--held-out is about a trace; this workload is checked with another seed")
    for warning in loaded.warnings:
        click.echo(warning, err=True)
    parts = parts_of(loaded, _HELD_OUT if held_out is None else held_out)
    for note in parts.notes:
        click.echo(f"note: {note}", err=True)
    return parts


def _found(
    loaded: LoadedScenario,
    parts: Parts,
    formula: NamedFormula,
    parameters: Sequence[Parameter],
    limits: WaitLimits | None,
    trials: int,
    jobs: int,
    early: EarlyEnd,
) -> Tuning | None:
    """None: it was ended before anything was found. Raises click.ClickException."""
    from concurrent.futures.process import BrokenProcessPool

    from ..lab.tuning.searching import BATCH, CHECK, SEARCH, Question, Search
    from ..lab.tuning.trying import trying
    from ..money import money

    seed, check_seed = parts.search.seed, parts.check.seed
    question = Question(formula, loaded.name, parameters, limits, seed, check_seed, parts.split, trials)

    with ExitStack() as stack:
        bar = stack.enter_context(progress("tuning", trials + 1))

        def told(done: int, best: Trial | None) -> None:
            bar(min(done, trials + 1), "" if best is None else f"best {money(best.searched.cost)}")

        work = {SEARCH: parts.search, CHECK: parts.check}
        at = stack.enter_context(trying(loaded.spec.world, work, min(jobs, BATCH), early))
        try:
            return Search(question, at, told, early).run()
        except BrokenProcessPool:
            cure = f"; if memory was short, give fewer --jobs (now {jobs})" if jobs > 1 else ""
            raise click.ClickException(f"the system has ended a process that ran trials{cure}") from None


def _write(
    loaded: LoadedScenario, parts: Parts, formula: NamedFormula, found: Tuning, out: Path, png: bool
) -> None:
    """The tuned formula, everything that was found, and the report of the front; what an earlier search wrote and this
    one does not goes. Raises OSError, click.ClickException."""
    from formula.constants import with_values

    from ..lab.tuning.reporting import outcome_of
    from ..lab.tuning.told import tuning_json
    from ..whole_file import write_whole

    tuned = out / "tuned.formula"
    if found.best is None:
        tuned.unlink(missing_ok=True)  # of an earlier search, and nobody is to take it for the result of this one
    else:
        values = found.trial(found.best).values if found.best else {}
        write_whole(tuned, with_values(formula.text, values).encode())
        click.echo(f"formula: {printable(str(tuned))}", err=True)
    write_whole(out / "tuning.json", tuning_json(found))
    with progress("simulating the front", 1000) as bar:
        outcome = outcome_of(loaded, parts.search, formula, found, lambda share: bar(int(1000 * share), ""))
    write_report(outcome, out, png)
