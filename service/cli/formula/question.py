"""What `eval` and `explain` are given: a formula, samples, and a time; `replay` is given much of the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..door import BadInput
from ..options import complete_files, json_option
from .reading import shown, standard_input, the_formula

if TYPE_CHECKING:
    from formula import Samples
    from formula.embedded import FormulaText

F = TypeVar("F", bound=Callable[..., Any])

samples_option = click.option(
    "--samples", type=click.Path(path_type=Path), required=True, help="JSON or CSV file with samples."
)
where_option = click.option(
    "--where", metavar="PLACE", help="Which formula of a document with several: its place, or a part of that."
)
given_option = click.option(
    "--given", metavar="NAME=NUMBER", multiple=True, help="The value of a placeholder of a template; repeatable."
)
_OPTIONS = (
    click.argument("file", shell_complete=complete_files),
    samples_option,
    click.option("--now", help="The time of the evaluation (ISO 8601); default: that of the samples."),
    click.option("--seed", type=int, help="Seed of rand()."),
    where_option,
    given_option,
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
    from formula import read_samples

    from ...clock import now as present

    try:
        seen, moment = read_samples(shown(str(samples)), samples_content(samples, file), given_time(now, "--now"))
    except ValueError as exc:
        raise BadInput(str(exc)) from None
    formula = filled_formula(file, where, given)
    rng = None if seed is None else Random(seed)
    return Question(formula, seen, moment if moment is not None else present(), rng)


def given_time(text: str | None, option: str) -> float | None:
    """The time that an option names, if it was given. Raises click.BadParameter."""
    from formula import parse_time

    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as exc:
        raise click.BadParameter(f"{text!r} is not a time: {exc}", param_hint=option) from None


def samples_content(path: Path, formula: str) -> bytes:
    """What the file of samples holds, or standard input for `-`. `formula`: the file that has that.

    Raises BadInput and click.UsageError.
    """
    if str(path) == formula == "-":
        raise click.UsageError("only one can be standard input: the formula or the samples")
    try:
        return standard_input() if str(path) == "-" else path.read_bytes()
    except OSError as exc:
        raise BadInput(f"{shown(str(path))}: cannot be read: {exc.strerror or exc}") from None


def filled_formula(file: str, where: str | None, placeholders: tuple[str, ...]) -> FormulaText:
    """The formula of a document with numbers for its placeholders. Raises BadInput and click.BadParameter."""
    from formula.cases import fill_placeholders, read_given

    try:
        values = dict(read_given(text) for text in placeholders)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--given") from None
    formula = the_formula(file, where)
    filled, missing = fill_placeholders(formula, values)
    if missing:
        names = ", ".join(missing)
        raise BadInput(f"{formula.file}: the formula has placeholders: {names}; write --given '{missing[0]}=20'")
    return filled
