"""What `eval` and `explain` are given: a formula, samples, and a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..door import BadInput
from ..options import json_option
from .reading import the_formula

if TYPE_CHECKING:
    from formula import Samples
    from formula.embedded import FormulaText

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("file"),
    click.option("--samples", type=click.Path(path_type=Path), required=True, help="JSON or CSV file with samples."),
    click.option("--now", help="The time of the evaluation (ISO 8601); default: that of the samples."),
    click.option("--seed", type=int, help="Seed of rand()."),
    click.option("--where", metavar="PLACE", help="Which formula of a document, as `ebbtide formula check` names it."),
    click.option(
        "--given", metavar="NAME=NUMBER", multiple=True, help="The value of a placeholder of a template; repeatable."
    ),
    json_option,
)


def question_options(command: F) -> F:
    """The argument and options of a `Question`, and `--json`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Question:
    formula: FormulaText
    samples: Samples
    now: float
    rng: Random | None


def question(
    file: str, samples: Path, now: str | None, seed: int | None, where: str | None, given: tuple[str, ...]
) -> Question:
    """Everything that one evaluation needs. Raises BadInput and click.BadParameter."""
    from formula import parse_time, read_samples

    from ...clock import now as present

    try:
        moment = parse_time(now) if now is not None else None
    except ValueError as exc:
        raise click.BadParameter(f"{now!r} is not a time: {exc}", param_hint="--now") from None
    try:
        seen, moment = read_samples(str(samples), samples.read_bytes(), moment)
    except OSError as exc:
        raise BadInput(f"{samples}: cannot be read: {exc.strerror or exc}") from None
    except ValueError as exc:
        raise BadInput(str(exc)) from None
    formula = _filled(the_formula(file, where), given)
    rng = None if seed is None else Random(seed)
    return Question(formula, seen, moment if moment is not None else present(), rng)


def _filled(formula: FormulaText, placeholders: tuple[str, ...]) -> FormulaText:
    from formula.cases import fill_placeholders, read_given

    try:
        values = dict(read_given(text) for text in placeholders)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--given") from None
    filled, missing = fill_placeholders(formula, values)
    if missing:
        names = ", ".join(missing)
        raise BadInput(f"{formula.file}: the formula has placeholders: {names}; write --given '{missing[0]}=20'")
    return filled
