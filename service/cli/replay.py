from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..clock import now
from .door import BadInput, colour
from .formula.question import given_option, where_option
from .ids import pool_ids
from .node_prices import given_prices, price_options
from .options import complete_files
from .past_times import HELP, time_range
from .source import objects, source_options

if TYPE_CHECKING:
    from formula import Formula
    from pools import Sample

    from ..hindsight import Kept, Moment
    from ..rest_objects import Objects

#: Seconds between two evaluations where none is recorded: the shortest interval that the service allows.
_EVERY = 300.0


@click.command()
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.option(
    "--formula",
    "file",
    metavar="FILE",
    shell_complete=complete_files,
    help="The formula (- reads it); default: the pool's own, as it is.",
)
@where_option
@given_option
@click.option("--from", "start", metavar="TIME", help=f"Default: as long as something is kept. {HELP}.")
@click.option("--to", "end", metavar="TIME", help="Default: now.")
@click.option("--every", metavar="DURATION", help="Evaluate so often, and not when the pool's formula was evaluated.")
@click.option("--delay", metavar="DURATION", default="PT1M", show_default=True, help="How old a sample is then.")
@click.option("--follow", is_flag=True, help="Targets and node counts are what the formula itself has decided before.")
@price_options
@click.option("--csv", "as_csv", is_flag=True, help="Print every evaluation as CSV.")
@source_options
def replay(
    pool_id: str,
    file: str | None,
    where: str | None,
    given: tuple[str, ...],
    start: str | None,
    end: str | None,
    every: str | None,
    delay: str,
    follow: bool,
    price_per_hour: float | None,
    low_priority_price: float | None,
    as_csv: bool,
    state: Path,
    as_json: bool,
) -> None:
    """Tell what another formula would have decided on what was recorded of a pool."""
    from ..hindsight import Kept, decide, needed_metrics
    from .replay_report import ReplayReport

    if as_json and as_csv:
        raise click.UsageError("choose one of --json and --csv")
    first, last = time_range(start, end, now())
    seconds = _duration(every, "--every") if every is not None else None
    if seconds is not None and seconds <= 0:
        raise click.BadParameter("must be longer than nothing", param_hint="--every")
    age = _duration(delay, "--delay")
    prices = given_prices(price_per_hour, low_priority_price)
    with objects(state, as_json) as found:
        kept = Kept(found, pool_id)
        formula = _formula(found, kept, file, where, given)
        moments = _moments_of_runs(kept, first, last, age) if seconds is None else []
        begin = None if any(not isfinite(each.first) for each in moments) else _earliest(moments)
        samples = list(kept.samples(begin, last, metrics=needed_metrics(formula)))
    if not moments:
        if not samples:
            raise click.ClickException(f"nothing is recorded of pool {pool_id} in that time")
        moments = _spread(samples, first, last, seconds or _EVERY, age)
    decided = decide(formula, moments, samples, follow=follow)
    told = ReplayReport(pool_id, decided, prices)
    if as_json:
        click.echo(json.dumps(told.to_json()))
    elif as_csv:
        click.echo("\n".join(told.rows()))
    else:
        for line in (*told.lines(), *_hints(formula, follow)):
            click.echo(line, color=colour(sys.stdout))


def _duration(text: str, option: str) -> float:
    from ..iso8601 import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint=option) from None


def _formula(
    found: Objects, kept: Kept, file: str | None, where: str | None, given: tuple[str, ...]
) -> Formula:
    """That of the file; else the pool's own, or, if that has gone, its last one."""
    from formula import FormulaError, compile_formula

    from ..rest_objects import RequestRefused
    from .formula.question import filled_formula
    from .formula.reading import syntax_faults

    if file is not None:
        text = filled_formula(file, where, given)
        try:
            return compile_formula(text.text)
        except FormulaError as exc:
            raise BadInput(syntax_faults(text, exc)) from None
    if where is not None or given:
        raise click.UsageError("--where and --given are about the file of --formula")
    try:
        own = found.one("pools", kept.pool_id).get("autoScaleFormula")
    except RequestRefused as exc:
        if exc.code != "PoolNotFound":
            raise
        run = next(kept.runs(newest_first=True, limit=1), None)
        own = run.formula if run is not None else None
    if own is None:
        raise BadInput(f"pool {kept.pool_id} has no formula of its own; name one: --formula FILE")
    return compile_formula(own)


def _moments_of_runs(kept: Kept, first: float | None, last: float | None, delay: float) -> list[Moment]:
    from ..hindsight import of_runs

    return of_runs(kept.runs(first, last, briefly=True), delay)


def _earliest(moments: list[Moment]) -> float | None:
    return min((each.first for each in moments), default=None)


def _spread(
    samples: list[Sample], first: float | None, last: float | None, seconds: float, delay: float
) -> list[Moment]:
    from ..hindsight import every, period_of

    start = samples[0].time if first is None else max(first, samples[0].time)
    end = samples[-1].time if last is None else min(last, samples[-1].time)
    try:
        return every(start, max(start, end), seconds, delay, period_of(samples))
    except ValueError as exc:
        raise BadInput(f"--every: {exc}") from None


def _hints(formula: Formula, follow: bool) -> Iterator[str]:
    """What of the answer depends on what the pool's own formula had decided."""
    from ..hindsight import reads_decisions

    names = ", ".join(reads_decisions(formula))
    if names and not follow:
        yield f"the formula reads {names}, as they were recorded; with --follow, as it has decided itself"
