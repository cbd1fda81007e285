"""Checked program to one Python function. Types are known, so most operations become plain Python on floats.

The function is closed: it has no builtins and no globals, touches no attribute, and can name only its
parameters and the helpers that its factory was handed. A failing statement is found by its line, and the
values computed before it are read from the frame, so that a run without failure pays for neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from .checker import CheckedProgram
from .faults import Refused
from .generated_code import CodeWriter, Generated, assemble, local
from .samples import Samples, TimeSeries
from .scope import Part, Scope
from .statement_code import StatementCode
from .syntax import Assignment, Expression, Unparsed
from .value_types import TypeSet
from .variables import DEALLOCATION_OPTION, TARGETS, PoolField

_NO_SAMPLES = TimeSeries()


@dataclass(frozen=True, slots=True)
class Assigned:
    """What one statement assigns: the variable, its name in generated code, and its type from here on."""

    name: str
    local: str
    types: TypeSet


@dataclass(frozen=True)
class Program:
    """A compiled formula.

    `run(now, period, draw, *pool fields, *reads)` returns the final values in the order of `results`; the parameters
    behind `draw` are those of `arguments`. `draw` gives random numbers and is only called by rand(). An observed
    program has one parameter more, behind `draw`: `probe(number, value)` is called with the value of every expression
    that is computed, of `nodes[number]`, and returns it.

    `reads` are (series, part): an attribute of its TimeSeries. Of the lists nothing behind `count` is looked at, so a
    caller that runs a program over a whole history hands in the same lists and finder in every run, and only moves
    `count` on. Runs share no state.
    """

    run: Callable[..., tuple[Any, ...]]
    pool_fields: tuple[PoolField, ...]
    #: The names of the series that it reads; `reads` has the parts.
    series: tuple[str, ...]
    reads: tuple[tuple[str, Part], ...]
    results: tuple[Assigned, ...]
    #: What each statement assigns, None for those that do not.
    assigned: tuple[Assigned | None, ...]
    #: Line of the generated function to statement number.
    lines: Mapping[int, int]
    #: Offset of the parenthesis of a method call to the metric as written.
    metrics: Mapping[int, str]
    uses_rand: bool
    generated: Generated
    #: What the probes of an observed program tell of.
    nodes: tuple[Expression, ...] = ()

    @property
    def code(self) -> CodeType:
        return self.generated.run.__code__

    @property
    def source(self) -> str:
        return self.generated.source

    def arguments(self, samples: Samples) -> list[Any]:
        """What `run` takes behind `draw` (and `probe`): doubles, then parts of series."""
        pool, series = samples.pool, samples.series
        arguments: list[Any] = [float(getattr(pool, name)) for name in self.pool_fields]
        arguments += [getattr(series.get(name, _NO_SAMPLES), part) for name, part in self.reads]
        return arguments


def compile_program(checked: CheckedProgram, observed: bool = False, given: Sequence[str] = ()) -> Program:
    """Statements with errors, and all behind the first of them, become one that fails.

    `given`: variables that have a value before the first statement. They are parameters of `run`, behind all others.
    """
    writer = CodeWriter()
    scope = Scope()
    for name in given:
        scope.assign(name, local(scope.local(name)))
    statements = StatementCode(checked.types, scope, writer, observed)
    body: list[str] = []
    owners: list[int] = []
    assigned: list[Assigned | None] = []
    for index, item in enumerate(checked.statements):
        statement = item.statement
        step: Assigned | None = None
        if item.errors or isinstance(statement, Unparsed):
            scope.block.lines.append(f"{writer.helper('refuse', _refuse)}()")
        elif isinstance(statement, Assignment):
            step = Assigned(statement.name, statements.assign(statement), item.types)
        else:
            scope.block.lines.append(statements.expressions.code(statement.value).text)
        assigned.append(step)
        body += scope.block.lines
        owners += [index] * len(scope.block.lines)
        scope.block.lines.clear()
        if item.errors or isinstance(statement, Unparsed):
            break
    final = {step.name: step for step in assigned if step is not None}
    code = _make(writer, scope, body, final.values(), observed, [scope.local(name) for name in given])
    return Program(
        run=code.run,
        generated=code,
        pool_fields=tuple(scope.pool),
        series=tuple(scope.series),
        reads=tuple(scope.reads),
        results=tuple(final.values()),
        assigned=tuple(assigned),
        lines={code.first_line + line: index for line, index in enumerate(owners)},
        metrics=statements.expressions.metrics,
        uses_rand=scope.uses_rand,
        nodes=tuple(statements.expressions.nodes),
    )


def _refuse() -> None:
    raise Refused


def _make(
    writer: CodeWriter, scope: Scope, body: list[str], results: Iterable[Assigned], observed: bool, given: list[str]
) -> Generated:
    parameters = ["now", "period", "draw", *scope.pool.values(), *scope.reads.values(), *given]
    if observed:
        parameters.insert(3, "probe")
    return assemble(writer, parameters, [*body, f"return ({''.join(f'{step.local}, ' for step in results)})"])


def is_user_variable(name: str) -> bool:
    return name not in TARGETS and name != DEALLOCATION_OPTION
