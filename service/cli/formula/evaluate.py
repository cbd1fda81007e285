from __future__ import annotations

import json
from typing import Any

import click

from ..door import BadInput
from .question import question, question_options
from .reading import syntax_faults


@click.command(name="eval")
@question_options
def evaluate(as_json: bool, **words: Any) -> None:
    """Tell what a formula decides on given samples. Exit code 1 if its evaluation fails."""
    from formula import FormulaError, compile_formula

    asked = question(**words)
    try:
        compiled = compile_formula(asked.formula.text)
    except FormulaError as exc:
        raise BadInput(syntax_faults(asked.formula, exc)) from None
    evaluation = compiled.evaluate(asked.samples, asked.now, asked.rng)
    if as_json:
        click.echo(json.dumps(evaluation.to_json(), indent=2))
    else:
        for assignment in evaluation.results.split(";"):
            click.echo(assignment)
        for warning in evaluation.warnings:
            click.echo(f"warning: {warning}", err=True)
        if evaluation.error is not None:
            click.echo(f"error: {evaluation.error}", err=True)
    if evaluation.error is not None:
        raise SystemExit(1)
