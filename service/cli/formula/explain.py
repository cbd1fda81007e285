from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..door import BadInput, colour
from .question import question, question_options
from .reading import syntax_faults
from .sparkline import numbers, sparkline

if TYPE_CHECKING:
    from formula import Evaluation
    from formula.explain import SampleView, StatementTrace


@click.command()
@question_options
def explain(as_json: bool, **words: Any) -> None:
    """Tell why a formula decides what it does on given samples. Exit code 1 if its evaluation fails."""
    from formula import FormulaError
    from formula.explain import trace

    asked = question(**words)
    try:
        told = trace(asked.formula.text, asked.samples, asked.now, asked.rng)
    except FormulaError as exc:
        raise BadInput(syntax_faults(asked.formula, exc)) from None
    if as_json:
        click.echo(json.dumps(told.to_json(), indent=2))
    else:
        coloured = colour(sys.stdout)
        for statement in told.statements:
            for line in statement_lines(statement, told.evaluation, coloured):
                click.echo(line, color=coloured)
        for line in _outcome_lines(told.evaluation):
            click.echo(line, color=coloured)
    if told.evaluation.error is not None:
        raise SystemExit(1)


def statement_lines(statement: StatementTrace, evaluation: Evaluation, bars: bool) -> Iterator[str]:
    """`bars`: samples as bars, and not as numbers."""
    from formula.explain import short_value

    number = f"{statement.line:>4}  "
    indent = " " * len(number)
    for index, line in enumerate(statement.text.splitlines()):
        yield click.style(f"{number if index == 0 else indent}{line.strip()}", bold=statement.outcome != "not reached")
    inner = indent + "  "
    for view in statement.samples:
        yield f"{inner}{_sample_line(view, bars)}"
    if statement.computed:
        yield f"{inner}{statement.computed}"
    for told in (*statement.branches, *statement.shortcuts):
        yield f"{inner}{told}"
    match statement.outcome:
        case "done" if statement.value is not None:
            yield click.style(f"{indent}= {short_value(statement.value)}", fg="green")
        case "failed":
            yield click.style(f"{indent}failed: {evaluation.error}", fg="red")
        case "stopped":
            yield click.style(f"{indent}stopped: what was assigned so far counts", fg="yellow")
        case "not reached":
            yield f"{indent}not reached"


def _sample_line(view: SampleView, bars: bool) -> str:
    values = [value for _, value in view.samples]
    shown = (sparkline(values) if bars else numbers(values)) or "none"
    if bars and any(value is not None for value in values):
        given = [value for value in values if value is not None]
        shown += f" {min(given):g}..{max(given):g}"
    window = "" if view.start is None or view.end is None else f" {_clock(view.start)} to {_clock(view.end)}"
    if view.node.method in ("Count", "HistoryBeginTime"):
        return f"{view.metric}: {view.present} samples in the history: {shown}"
    wanted = "" if view.wanted is None else f", wanted {view.wanted:g} %"
    share = f"{view.present} of {view.possible} samples ({int(view.percent)} %{wanted})"
    return f"{view.metric}{window}: {share}: {shown}"


def _clock(instant: float) -> str:
    from formula import format_time

    return format_time(instant)[11:19]


def _outcome_lines(evaluation: Evaluation) -> Iterator[str]:
    from formula import format_time

    yield ""
    yield f"at {format_time(evaluation.timestamp)}"
    yield click.style(f"$TargetDedicatedNodes = {evaluation.dedicated}", bold=True)
    yield click.style(f"$TargetLowPriorityNodes = {evaluation.low_priority}", bold=True)
    yield f"$NodeDeallocationOption = {evaluation.node_deallocation_option}"
    for warning in evaluation.warnings:
        yield click.style(f"warning: {warning}", fg="yellow")
    if evaluation.error is not None:
        yield click.style(f"error: {evaluation.error}", fg="red")
        yield "the targets stay as they were"
    yield f"results: {evaluation.results}"
