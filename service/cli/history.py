from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..clock import now
from .door import colour
from .ids import pool_ids
from .past_times import HELP, time_range
from .source import objects, source_options

if TYPE_CHECKING:
    from pools import PlannerPass, RecordedRun

    from ..hindsight import Kept
    from ..rest_objects import Objects

#: Seconds that are told of if nobody says from when on.
_USUAL = 86400.0


@click.command()
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.option("--from", "start", metavar="TIME", help=f"The first run; default: a day before the last. {HELP}.")
@click.option("--to", "end", metavar="TIME", help="The last run; default: now.")
@click.option("--all", "every_run", is_flag=True, help="A line for each run, also of those that changed nothing.")
@source_options
def history(
    pool_id: str, start: str | None, end: str | None, every_run: bool, state: Path, as_json: bool
) -> None:
    """Tell what a pool's formula decided, and what the planner then did and why."""
    from ..hindsight import Kept

    first, last = time_range(start, end, now())
    if first is None:
        first = (now() if last is None else last) - _USUAL
    with objects(state, as_json) as found:
        if as_json:
            click.echo(json.dumps(_json(found, pool_id, first, last), indent=2))
            return
        lines = _lines(Kept(found, pool_id), first, last, every_run)
        coloured = colour(sys.stdout)
        for line in lines:
            click.echo(line, color=coloured)


def _json(found: Objects, pool_id: str, first: float, last: float | None) -> dict[str, object]:
    from ..iso8601 import format_exactly

    query = {"starttime": format_exactly(first), **({"endtime": format_exactly(last)} if last is not None else {})}
    return {
        "poolId": pool_id,
        "runs": list(found.each("pools", pool_id, "autoscaleruns", query=query)),
        "passes": list(found.each("pools", pool_id, "plannerpasses", query=query)),
    }


def _lines(kept: Kept, first: float, last: float | None, every_run: bool) -> Iterator[str]:
    from pools import PlannerPass

    from ..hindsight import Quiet, course
    from .past_lines import error_text, pass_lines, quiet_text, style_of, time_text, values_text

    before: PlannerPass | None = None
    count = 0
    for each in course(kept.runs(first, last, briefly=True), kept.passes(first, last), every_run=every_run):
        count += 1
        if isinstance(each, PlannerPass):
            for text in pass_lines(each, before):
                yield f"{time_text(each.time)}    {text}"
            before = each
        elif isinstance(each, Quiet):
            at = each.first.timestamp
            yield f"{time_text(at)}  {_decided(each.first)}: {quiet_text(each, at)}"
        elif each.error is not None:
            yield style_of(each, f"{time_text(each.timestamp)}  failed: {error_text(each)}")
        else:
            told = f"{time_text(each.timestamp)}  {click.style(_decided(each), bold=True)}"
            values = values_text(each)
            yield f"{told}: {values}" if values else told
    if not count:
        oldest = next(kept.runs(limit=1, briefly=True), None)
        newest = next(kept.runs(newest_first=True, limit=1, briefly=True), None)
        if oldest is None or newest is None:
            yield "no run of a formula is recorded; `ebbtide pool autoscale enable` gives a pool one"
        else:
            until = time_text(newest.timestamp)
            yield f"nothing happened in that time; runs are recorded from {time_text(oldest.timestamp)} to {until}"


def _decided(run: RecordedRun) -> str:
    from ..hindsight import targets_after, targets_before
    from .past_lines import change_text

    return change_text(targets_before(run), targets_after(run))
