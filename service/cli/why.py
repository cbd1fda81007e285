from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..clock import now
from .door import colour
from .ids import pool_ids
from .past_times import HELP, past_time
from .source import objects, server_address, source_options

if TYPE_CHECKING:
    from pools import Sample

    from ..hindsight import Again, Silence, Standing

#: Lines that are told of the planner, if it did much.
_MOST = 40
#: Seconds by which the clock of a server may be ahead.
_SKEW = 900.0
#: Seconds within which a new pool has its first record.
_SOON = 60.0


@click.command()
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.option("--at", metavar="TIME", help=f"The time that is asked about; default: now. {HELP}.")
@source_options
def why(pool_id: str, at: str | None, state: Path, as_json: bool) -> None:
    """Tell why a pool has, or had, as many nodes as it has: its formula statement by statement, and the planner."""
    from ..hindsight import Kept, standing_at

    moment = past_time(at, "--at", now(), end=True)
    if moment is not None and moment - 1 > now() + (_SKEW if server_address() is not None else 0.0):
        raise click.BadParameter(f"{at!r} is in the future, and nothing is recorded from there", param_hint="--at")
    with objects(state, as_json) as found:
        kept = Kept(found, pool_id)
        told = standing_at(kept, now() if moment is None else moment)
        if as_json:
            click.echo(json.dumps(_json(told), indent=2))
            return
        coloured = colour(sys.stdout)
        for line in _lines(told, coloured):
            click.echo(line, color=coloured)


def _json(told: Standing) -> dict[str, Any]:
    from ..iso8601 import format_exactly
    from ..rest_views.past import planner_pass_view, recorded_run_view, sample_view

    again, change = told.again, told.change
    explained = None
    if again is not None:
        statements = None if again.told is None else [each.to_json() for each in again.told.statements]
        explained = {"statements": statements, "alike": again.alike, "whyNot": again.why_not}
    return {
        "poolId": told.pool_id,
        "at": format_exactly(told.at),
        "sample": None if told.sample is None else sample_view(told.sample, None),
        "plannerPass": None if told.plan is None else planner_pass_view(told.plan),
        "since": None if told.since is None else format_exactly(told.since.time),
        "run": None if again is None else recorded_run_view(again.run),
        "explanation": explained,
        "lastChange": None if change is None else recorded_run_view(change),
        "passes": [planner_pass_view(each) for each in told.passes],
        "unrecorded": None if told.silence is None else _silence_json(told.silence),
    }


def _silence_json(silence: Silence) -> dict[str, Any]:
    from ..iso8601 import format_exactly, format_instant

    times = {"since": silence.since, "until": silence.until}
    nodes = None if silence.nodes is None else dict(zip(("dedicated", "lowPriority"), silence.nodes, strict=True))
    return {
        **{name: None if time is None else format_exactly(time) for name, time in times.items()},
        "poolCreationTime": None if silence.made is None else format_instant(silence.made),
        "currentNodes": nodes,
    }


def _lines(told: Standing, coloured: bool) -> Iterator[str]:
    from .past_lines import targets_text, time_text

    yield click.style(f"pool {told.pool_id} at {time_text(told.at)}", bold=True)
    if told.is_empty:
        assert told.silence is not None
        yield _before_all(told.silence, told.at)
        return
    if told.silence is not None:
        yield click.style(f"  {_silent(told.silence, told.at)}", fg="yellow")
    if told.plan is not None:
        since = f" (since {time_text(told.since.time, told.at)})" if told.since is not None else ""
        targets = targets_text((told.plan.target_dedicated, told.plan.target_low_priority))
        yield f"  target  {targets}: {told.plan.because}{since}"
    if told.sample is not None:
        yield from _sample_lines(told.sample, told.silence, told.at)
    if told.again is not None:
        yield from _run_lines(told, told.again, coloured)
    yield from _planner_lines(told)


def _before_all(silence: Silence, at: float) -> str:
    """Nothing is recorded until then."""
    from .past_lines import time_text

    if silence.until is None:
        return "nothing is recorded of it yet: a controller that works on it takes samples"
    first = f"the first record of it is of {time_text(silence.until)}"
    if silence.made is not None and at < silence.made:
        return f"the pool was made at {time_text(silence.made)}; {first}"
    if silence.made is not None and silence.until - silence.made > _SOON:
        return f"nothing is kept of it from so early: {first}; older ones go after the setting sampleRetention"
    return f"nothing is recorded of it from so early: {first}"


def _silent(silence: Silence, at: float) -> str:
    from .past_lines import time_text

    assert silence.since is not None
    since = time_text(silence.since, at)
    if silence.until is not None:
        return f"nothing is recorded from {since} until {time_text(silence.until, at)}: no controller was at work then"
    if silence.nodes is None:
        return f"nothing is recorded since {since}: the pool has gone"
    # A server is the controller; its clock may be another one.
    why = "" if server_address() is not None else ": no controller has been at work since"
    return f"nothing is recorded since {since}{why}"


def _sample_lines(sample: Sample, silence: Silence | None, at: float) -> Iterator[str]:
    from .past_lines import targets_text, time_text

    def value(name: str) -> int:
        return int(sample.values.get(name, 0))

    nodes = targets_text((value("$CurrentDedicatedNodes"), value("$CurrentLowPriorityNodes")))
    preempted = value("$PreemptedNodeCount")
    nodes += f", {preempted:,} of them preempted" if preempted else ""
    nodes += f", {value('$UsableNodeCount'):,} usable" if nodes != "no nodes" else ""
    tasks = f"{value('$ActiveTasks'):,} wait, {value('$RunningTasks'):,} run"
    when = time_text(sample.time, at)
    if silence is None:
        yield f"  nodes   {nodes} (at {when})"
        yield f"  tasks   {tasks}"
        return
    present = "not known then"
    if silence.until is None:
        present = targets_text(silence.nodes or (0, 0))
        present += " now, as the records of its nodes say" if silence.nodes is not None else " any more"
    yield f"  nodes   {present}; at {when} {nodes}"
    yield f"  tasks   at {when} {tasks}"


def _run_lines(told: Standing, again: Again, coloured: bool) -> Iterator[str]:
    from ..hindsight import changed, targets_after, targets_before
    from .formula.explain import statement_lines
    from .past_lines import change_text, error_text, plain, style_of, time_text

    run = again.run
    head = f"its formula was evaluated at {time_text(run.timestamp, told.at)}"
    yield ""
    if run.error is not None:
        yield style_of(run, f"{head}, and failed: {error_text(run)}")
        yield f"so the targets stayed as they were: {change_text(None, targets_after(run))}"
    elif changed(run):
        yield f"{head}: {change_text(targets_before(run), targets_after(run))}"
    else:
        yield f"{head}, and changed nothing: {change_text(None, targets_after(run))}"
    if told.change is not None and told.change is not run:
        step = change_text(targets_before(told.change), targets_after(told.change))
        when = time_text(told.change.timestamp)
        yield f"the last run that changed a target was at {when}: {step} (--at {when} tells why)"
    elif told.change is None and not changed(run):
        yield "no run that is kept has changed a target"
    if again.told is None:
        yield f"how it came to that is not told: {again.why_not}"
        return
    for statement in again.told.statements:
        text = "\n".join(plain(line) for line in statement.text.splitlines())
        yield from statement_lines(replace(statement, text=text), again.told.evaluation, coloured)
    if not again.alike:
        yield click.style(
            "told again, it does not come to what was recorded: samples that it saw are not kept any more, "
            f"or another version of ebbtide computed it; recorded was {plain(run.results) or error_text(run)}",
            fg="yellow",
        )


def _planner_lines(told: Standing) -> Iterator[str]:
    from .past_lines import pass_lines, time_text

    lines: list[str] = []
    before = None
    for each in told.passes:
        lines += [f"  {time_text(each.time, told.at)}  {text}" for text in pass_lines(each, before)]
        before = each
    if not lines:
        return
    yield ""
    yield "what the planner did then, and why"
    if told.cut or len(lines) > _MOST:
        yield f"  (the last {min(len(lines), _MOST)} lines; `ebbtide history {told.pool_id}` tells all)"
    yield from lines[-_MOST:]
