from __future__ import annotations

import json
from random import Random
from typing import TextIO

import click

from ..door import BadInput
from ..options import json_option
from .reading import text_of


@click.command(name="eval")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--samples", type=click.File(encoding="utf-8"), required=True, help="JSON or CSV file with samples.")
@click.option("--now", help="The time of the evaluation (ISO 8601); default: that of the samples.")
@click.option("--seed", type=int, help="Seed of rand().")
@json_option
def evaluate(file: TextIO, samples: TextIO, now: str | None, seed: int | None, as_json: bool) -> None:
    """Tell what a formula decides on given samples. Exit code 1 if its evaluation fails."""
    from formula import FormulaError, compile_formula, parse_time, read_samples

    from ...clock import now as present

    try:
        moment = parse_time(now) if now is not None else None
    except ValueError as exc:
        raise click.BadParameter(f"{now!r} is not a time: {exc}", param_hint="--now") from None
    try:
        given, moment = read_samples(samples.name, text_of(samples), moment)
    except ValueError as exc:
        raise BadInput(str(exc)) from None
    try:
        compiled = compile_formula(text_of(file))
    except FormulaError as exc:
        raise BadInput(
            "\n".join(found.render(file.name) for found in exc.diagnostics if found.is_error)
        ) from None
    rng = None if seed is None else Random(seed)
    evaluation = compiled.evaluate(given, moment if moment is not None else present(), rng)
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
