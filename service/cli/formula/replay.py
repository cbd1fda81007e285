from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..door import BadInput, colour
from ..node_prices import NodePrices, given_prices, price_options
from ..options import complete_files, json_option
from .question import filled_formula, given_option, given_time, samples_content, samples_option, where_option
from .reading import shown, syntax_faults
from .sparkline import sparkline

if TYPE_CHECKING:
    from formula.replay import Replay

_SECONDS = {"hour": 3600.0, "day": 86400.0}
# How much of a time of the begin of a day or an hour is shown.
_SHOWN = {"hour": 16, "day": 10}


@click.command()
@click.argument("file", shell_complete=complete_files)
@samples_option
@click.option("--every", default="PT5M", show_default=True, help="The time between two runs (ISO 8601).")
@click.option("--from", "start", metavar="TIME", help="The first run; default: when every series has a sample.")
@click.option("--to", "end", metavar="TIME", help="The last run; default: the last sample.")
@click.option("--delay", default="PT0S", show_default=True, help="How old a sample is when it becomes visible.")
@price_options
@click.option("--by", type=click.Choice(list(_SECONDS)), help="Print a table by days or hours, UTC.")
@click.option("--csv", "as_csv", is_flag=True, help="Print every run as CSV.")
@click.option("--strict", is_flag=True, help="Exit code 1 if a run failed.")
@where_option
@given_option
@json_option
def replay(
    file: str,
    samples: Path,
    every: str,
    start: str | None,
    end: str | None,
    delay: str,
    price_per_hour: float | None,
    low_priority_price: float | None,
    by: str | None,
    as_csv: bool,
    strict: bool,
    where: str | None,
    given: tuple[str, ...],
    as_json: bool,
) -> None:
    """Tell what a formula would have decided all along a recording, and what that costs."""
    from formula import FormulaError
    from formula.replay import read_recording
    from formula.replay import replay as run_all

    if as_json + as_csv + (by is not None) > 1:
        raise click.UsageError("choose one of --json, --csv and --by")
    seconds, shift = _duration(every, "--every"), _duration(delay, "--delay")
    first, last = given_time(start, "--from"), given_time(end, "--to")
    try:
        recording = read_recording(shown(str(samples)), samples_content(samples, file))
    except ValueError as exc:
        raise BadInput(str(exc)) from None
    formula = filled_formula(file, where, given)
    try:
        found = run_all(formula.text, recording, first, last, seconds, shift)
    except FormulaError as exc:
        raise BadInput(syntax_faults(formula, exc)) from None
    except ValueError as exc:
        raise BadInput(f"{shown(str(samples))}: {exc}") from None
    prices = given_prices(price_per_hour, low_priority_price)
    if as_json:
        click.echo(json.dumps({**_summary(found, prices), "evaluations": _evaluations(found)}))
    elif as_csv:
        click.echo("\n".join(_rows(found)))
    elif by is not None:
        click.echo("\n".join(_table(found, by)))
    else:
        for line in _lines(found, prices):
            click.echo(line, color=colour(sys.stdout))
    if strict and found.failures:
        raise SystemExit(1)


def _duration(text: str, option: str) -> float:
    from ...iso8601 import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint=option) from None


def _failures(found: Replay) -> list[tuple[int, int]]:
    """How often each error came, and in which run first."""
    import numpy as np

    counts = np.bincount(found.error[found.error >= 0], minlength=len(found.errors))
    return [(int(count), int(np.argmax(found.error == number))) for number, count in enumerate(counts)]


def _summary(found: Replay, prices: NodePrices | None) -> dict[str, Any]:
    from formula import format_time

    dedicated, low_priority = found.node_hours()
    errors = [
        {**error.to_json(), "count": count, "first": format_time(found.times[first])}
        for error, (count, first) in zip(found.errors, _failures(found), strict=True)
    ]
    return {
        "runs": len(found),
        "from": format_time(found.times[0]),
        "to": format_time(found.times[-1]),
        "every": found.every,
        "failures": found.failures,
        "errors": errors,
        "nodeHours": {"dedicated": dedicated, "lowPriority": low_priority},
        "peakNodes": int(found.nodes.max()),
        "hoursAtZero": found.hours_at_zero(),
        "resizes": found.resizes(),
        "cost": None if prices is None else prices.cost((dedicated, low_priority)),
    }


def _evaluations(found: Replay) -> dict[str, list[Any]]:
    from formula import format_time

    return {
        "timestamp": [format_time(time) for time in found.times.tolist()],
        "dedicated": found.dedicated.tolist(),
        "lowPriority": found.low_priority.tolist(),
        "nodeDeallocationOption": found.node_deallocation_option.tolist(),
        "error": [None if number < 0 else number for number in found.error.tolist()],
    }


def _rows(found: Replay) -> Iterator[str]:
    yield "time,dedicated,lowPriority,nodeDeallocationOption,error"
    runs = _evaluations(found)
    for time, dedicated, low_priority, option, error in zip(*runs.values(), strict=True):
        told = "" if error is None else '"' + str(found.errors[error]).replace('"', '""') + '"'
        yield f"{time},{dedicated},{low_priority},{option},{told}"


def _table(found: Replay, by: str) -> Iterator[str]:
    from formula import format_time
    from formula.replay import periods

    shown = _SHOWN[by]
    yield f"{by:<{shown}}  {'peak':>6}  {'dedicated h':>12}  {'low-priority h':>14}  {'failed':>6}"
    for period in periods(found, _SECONDS[by]):
        hours = f"{period.dedicated_hours:>12.1f}  {period.low_priority_hours:>14.1f}"
        yield f"{format_time(period.start)[:shown]}  {period.peak:>6}  {hours}  {period.failures:>6}"


def _lines(found: Replay, prices: NodePrices | None) -> Iterator[str]:
    from formula import format_time

    told = _summary(found, prices)
    dedicated, low_priority = found.node_hours()
    peak = told["peakNodes"]
    when = format_time(found.times[int(found.nodes.argmax())])
    yield f"{len(found)} runs from {told['from']} to {told['to']}, one every {found.every:g} s"
    yield f"node-hours    {dedicated:.1f} dedicated, {low_priority:.1f} low-priority"
    if prices is not None:
        cost = prices.unpriced((dedicated, low_priority)) or f"{told['cost']:.2f}"
        yield click.style(f"cost          {cost}", bold=True)
    yield f"peak          {peak} nodes" + (f", first at {when}" if peak else "")
    yield f"at zero       {told['hoursAtZero']:.1f} h of {len(found) * found.every / 3600:.1f} h"
    yield f"resizes       {told['resizes']}"
    if colour(sys.stdout) and peak:
        yield f"nodes         {sparkline(found.nodes.tolist())}"
    if not found.failures:
        yield "failed        no run"
        return
    yield click.style(f"failed        {found.failures} of {len(found)} runs, which left the targets alone:", fg="red")
    for error, (count, first) in zip(found.errors, _failures(found), strict=True):
        yield f"  {count:>6}  first at {format_time(found.times[first])}: {error}"
