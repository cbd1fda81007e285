"""Checked program to one Python function. Types are known, so most operations become plain Python on floats.

The function is closed: it has no builtins and no globals, touches no attribute, and can name only its
parameters and the helpers that its factory was handed. A failing statement is found by its line, and the
values computed before it are read from the frame, so that a run without failure pays for neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from .checker import CheckedProgram
from .expression_code import ExpressionCode, Scope
from .faults import Refused
from .generated_code import CodeWriter
from .syntax import Assignment, Expression, Unparsed
from .value_types import TypeSet
from .variables import DEALLOCATION_OPTION, TARGETS, PoolField


@dataclass(frozen=True, slots=True)
class Assigned:
    """What one statement assigns: the variable, its name in generated code, and its type from here on."""

    name: str
    local: str
    types: TypeSet


@dataclass(frozen=True)
class Program:
    """A compiled formula.

    `run(now, period, draw, *pool fields, *series)` returns the final values in the order of `results`. `draw`
    gives random numbers and is only called by rand(). An observed program has one parameter more, behind `draw`:
    `probe(number, value)` is called with the value of every expression that is computed, of `nodes[number]`, and
    returns it.
    """

    run: Callable[..., tuple[Any, ...]]
    code: CodeType
    pool_fields: tuple[PoolField, ...]
    series: tuple[str, ...]
    results: tuple[Assigned, ...]
    #: What each statement assigns, None for those that do not.
    assigned: tuple[Assigned | None, ...]
    #: Line of the generated function to statement number.
    lines: Mapping[int, int]
    #: Offset of the parenthesis of a method call to the metric as written.
    metrics: Mapping[int, str]
    uses_rand: bool
    source: str
    #: What the probes of an observed program tell of.
    nodes: tuple[Expression, ...] = ()


def compile_program(checked: CheckedProgram, observed: bool = False) -> Program:
    """Statements with errors, and all behind the first of them, become one that fails."""
    writer = CodeWriter()
    scope = Scope()
    expressions = ExpressionCode(checked.types, scope, writer, observed)
    body: list[str] = []
    assigned: list[Assigned | None] = []
    for item in checked.statements:
        statement = item.statement
        if item.errors or isinstance(statement, Unparsed):
            body.append(f"{writer.helper('refuse', _refuse)}()")
            assigned.append(None)
            break
        code = expressions.code(statement.value)
        if isinstance(statement, Assignment):
            local = scope.assign(statement.name, code)
            body.append(f"{local} = {code.text}")
            assigned.append(Assigned(statement.name, local, item.types))
        else:
            body.append(code.text)
            assigned.append(None)
    final = {step.name: step for step in assigned if step is not None}
    program = _assemble(writer, scope, body, tuple(assigned), tuple(final.values()), expressions.metrics, observed)
    return replace(program, nodes=tuple(expressions.nodes))


def _refuse() -> None:
    raise Refused


def _assemble(
    writer: CodeWriter,
    scope: Scope,
    body: list[str],
    assigned: tuple[Assigned | None, ...],
    results: tuple[Assigned, ...],
    metrics: Mapping[int, str],
    observed: bool,
) -> Program:
    parameters = ["now", "period", "draw", *scope.pool.values(), *scope.series.values()]
    if observed:
        parameters.insert(3, "probe")
    returned = "".join(f"{step.local}, " for step in results)
    head = f"def make({', '.join(writer.helpers)}):\n{''.join(writer.parts)}"
    first_line = head.count("\n") + 2
    statements = "".join(f"        {line}\n" for line in body)
    source = (
        f"{head}    def program({', '.join(parameters)}):\n{statements}"
        f"        return ({returned})\n    return program\n"
    )
    namespace: dict[str, Any] = {"__builtins__": {}}
    exec(compile(source, "<formula>", "exec"), namespace)
    run = namespace["make"](**writer.helpers)
    return Program(
        run=run,
        code=run.__code__,
        pool_fields=tuple(scope.pool),
        series=tuple(scope.series),
        results=results,
        assigned=assigned,
        lines={first_line + index: index for index in range(len(body))},
        metrics=metrics,
        uses_rand=scope.uses_rand,
        source=source,
    )


def assigned_target(assigned: Mapping[str, Any], full_name: str) -> str | None:
    """The name under which a target was assigned: the full name wins over its alias."""
    if full_name in assigned:
        return full_name
    for name, target in TARGETS.items():
        if target.full_name == full_name and name in assigned:
            return name
    return None


def is_user_variable(name: str) -> bool:
    return name not in TARGETS and name != DEALLOCATION_OPTION
