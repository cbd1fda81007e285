"""One evaluation, told statement by statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from ..checker import CheckedStatement
from ..evaluation import Evaluation, value_to_json
from ..expression_types import bare
from ..samples import Samples
from ..syntax import (
    Assignment,
    Expression,
    Logic,
    Member,
    MethodCall,
    Name,
    Number,
    String,
    Ternary,
    Unparsed,
    postorder,
)
from ..value_types import Value
from .annotating import annotated
from .observing import Observation, observed_formula
from .one_line import one_line, source_text
from .sample_views import SampleView, sample_view

#: How a statement ended. "stopped": it called stop(). "not reached": one before it failed or stopped.
Outcome = Literal["done", "failed", "stopped", "not reached"]


@dataclass(frozen=True, slots=True)
class Observed:
    """An expression and its value."""

    node: Expression
    text: str
    value: Value


@dataclass(frozen=True, slots=True)
class Branch:
    """A computed `?:`. `because`: its condition, `taken`: its branch, both with the values of their parts."""

    node: Ternary
    held: bool
    because: str
    taken: str

    def __str__(self) -> str:
        return f"{self.because} is {'true' if self.held else 'false'}, so {self.taken}"


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A computed `&&` or `||` whose last operands were not needed. `because`: the operand that decided."""

    node: Logic
    because: str
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        truth = "true" if self.node.operator == "||" else "false"
        return f"{self.because} is {truth}, so {', '.join(self.skipped)} was not computed"


@dataclass(frozen=True, slots=True)
class StatementTrace:
    """One statement. `number` and `line` count from 1; `name`: the variable that it assigns; `value`: what it computed.

    `computed`: its expression with the values of its parts; empty if `value` and `branches` tell as much.
    """

    number: int
    line: int
    text: str
    name: str | None
    outcome: Outcome
    value: Value | None = None
    computed: str = ""
    observed: tuple[Observed, ...] = ()
    samples: tuple[SampleView, ...] = ()
    branches: tuple[Branch, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "line": self.line,
            "text": self.text,
            "name": self.name,
            "outcome": self.outcome,
            "value": None if self.value is None else value_to_json(self.value),
            "computed": self.computed,
            "values": [{"text": seen.text, "value": value_to_json(seen.value)} for seen in self.observed],
            "samples": [view.to_json() for view in self.samples],
            "branches": [
                {"condition": branch.because, "held": branch.held, "taken": branch.taken} for branch in self.branches
            ],
            "shortcuts": [
                {"because": shortcut.because, "skipped": list(shortcut.skipped)} for shortcut in self.shortcuts
            ],
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """`evaluation`: exactly what Formula.evaluate gives for the same inputs."""

    evaluation: Evaluation
    statements: tuple[StatementTrace, ...]

    def to_json(self) -> dict[str, Any]:
        """What `ebbtide formula explain --json` prints: that of `eval`, and `statements`."""
        return {**self.evaluation.to_json(), "statements": [item.to_json() for item in self.statements]}


def trace(text: str, samples: Samples, now: float, rng: Random | None = None) -> Trace:
    """Evaluate the formula at `now` (seconds since the epoch, UTC), and tell how it came to its decision.

    Raises FormulaError for a syntax error, as `compile_formula` does.
    """
    return trace_of(observed_formula(text).observe(samples, now, rng))


def trace_of(observation: Observation) -> Trace:
    """The story of an evaluation that was observed."""
    completed = observation.completed
    error = observation.evaluation.error
    statements = []
    for number, item in enumerate(observation.checked.statements):
        outcome: Outcome = "done"
        if number == completed:
            outcome = "stopped" if error is None else "failed"
        elif number > completed:
            outcome = "not reached"
        statements.append(_statement(observation, number, item, outcome))
    return Trace(observation.evaluation, tuple(statements))


def _statement(observation: Observation, number: int, item: CheckedStatement, outcome: Outcome) -> StatementTrace:
    statement, source = item.statement, observation.checked.source
    name = None if not isinstance(statement, Assignment) else statement.name
    line = source.position(statement.start)[0]
    text = source.text[statement.start : statement.end]
    if outcome == "not reached" or isinstance(statement, Unparsed):
        return StatementTrace(number + 1, line, text, name, outcome)
    nodes = list(postorder(statement.value))
    views = (sample_view(observation, node) for node in nodes if isinstance(node, MethodCall))
    return StatementTrace(
        number=number + 1,
        line=line,
        text=text,
        name=name,
        outcome=outcome,
        value=observation.value(statement.value) if outcome == "done" else None,
        computed=_computed(observation, statement.value),
        observed=tuple(_observed(observation, nodes)),
        samples=tuple(view for view in views if view is not None),
        branches=tuple(_branches(observation, nodes)),
        shortcuts=tuple(_shortcuts(observation, nodes)),
    )


def _computed(observation: Observation, expression: Expression) -> str:
    inner = bare(expression)
    if isinstance(inner, Ternary | Name | MethodCall | Member):
        return ""
    text = annotated(observation, inner)
    return text if text != source_text(observation.checked.source, inner) else ""


def _observed(observation: Observation, nodes: list[Expression]) -> Iterator[Observed]:
    text = observation.checked.source.text
    for node in nodes:
        value = observation.values.get(id(node))
        if value is not None:
            yield Observed(node, one_line(text[node.start : node.end]), value)


def _branches(observation: Observation, nodes: list[Expression]) -> Iterator[Branch]:
    for node in nodes:
        if isinstance(node, Ternary) and (held := arm_taken(observation, node)) is not None:
            taken = annotated(observation, node.then if held else node.otherwise)
            yield Branch(node, held, annotated(observation, node.condition), taken)


def arm_taken(observation: Observation, node: Ternary) -> bool | None:
    """Whether the condition of a `?:` held, None if it was not computed."""
    condition = observation.truth(node.condition)
    if observation.was_computed(node.condition) or observation.was_computed(node):
        return condition
    # Of a literal condition only what it led to can tell whether anybody computed it.
    arm = node.then if condition else node.otherwise
    return condition if condition is not None and _has_values(observation, arm) else None


def _has_values(observation: Observation, expression: Expression) -> bool:
    return any(id(node) in observation.values for node in postorder(expression))


def computed_operands(observation: Observation, node: Logic) -> list[tuple[Expression, bool]]:
    """The operands of a `&&` or `||` that were computed, each with whether it held; the last one may have decided."""
    found: list[tuple[Expression, bool]] = []
    for operand in node.operands:
        truth = observation.truth(operand)
        if truth is None:
            break
        found.append((operand, truth))
        if truth == (node.operator == "||"):
            break
    seen = observation.was_computed(node) or any(not isinstance(operand, Number | String) for operand, _ in found)
    return found if seen else []


def _shortcuts(observation: Observation, nodes: list[Expression]) -> Iterator[Shortcut]:
    for node in nodes:
        if isinstance(node, Logic) and observation.was_computed(node):
            computed = computed_operands(observation, node)
            skipped = node.operands[len(computed) :]
            if skipped:
                because, source = annotated(observation, computed[-1][0]), observation.checked.source
                yield Shortcut(node, because, tuple(source_text(source, operand) for operand in skipped))
