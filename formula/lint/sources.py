"""What the value of an expression is made of: metrics, the pool as it is, the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..checker import CheckedProgram
from ..operators import COMPARISONS
from ..ranges import Numbering
from ..syntax import (
    Call,
    Chain,
    Expression,
    Logic,
    Member,
    MethodCall,
    Name,
    Ternary,
    Unary,
    Unparsed,
    children,
    postorder,
)
from ..variables import METRICS, TARGETS, series_name

_NONE: frozenset[str] = frozenset()
#: Methods that tell of the history and not of what was measured.
_OF_THE_HISTORY = ("GetSamplePercent", "GetSamplePeriod", "Count", "HistoryBeginTime")


@dataclass(frozen=True)
class Sources:
    """Names of metrics and targets, and `time()` and `rand()`, by the identity of the node.

    `amounts`: those whose amount goes into the value. `all`: also those that only decide, as conditions do, how the
    value is made. `$PendingTasks.Count()` is none of the two.
    """

    amounts: Mapping[int, frozenset[str]]
    all: Mapping[int, frozenset[str]]


def amounts_in(node: Expression) -> Iterator[Expression]:
    """The parts of an expression whose amount goes into its value."""
    match node:
        case Ternary():
            yield from (node.then, node.otherwise)
        case Logic() | Member() | Unary(operator="!") | Call(function="len"):
            return
        case Chain(operators=operators) if any(operator in COMPARISONS for operator in operators):
            return
        case MethodCall():
            if node.method not in _OF_THE_HISTORY:
                yield node.receiver
        case _:
            yield from children(node)


def find_sources(checked: CheckedProgram, numbering: Numbering) -> Sources:
    amounts: dict[int, frozenset[str]] = {}
    everything: dict[int, frozenset[str]] = {}
    for item in checked.statements:
        if isinstance(item.statement, Unparsed):
            continue
        for node in postorder(item.statement.value):
            amounts[id(node)] = _joined(amounts, node, amounts_in(node), numbering)
            everything[id(node)] = _joined(everything, node, _parts(node), numbering)
    return Sources(amounts, everything)


def _joined(
    known: Mapping[int, frozenset[str]], node: Expression, parts: Iterator[Expression], numbering: Numbering
) -> frozenset[str]:
    if isinstance(node, Name):
        definition = numbering.definitions.get(id(node))
        return known[id(definition.value)] if definition is not None else _of_name(node.name)
    if isinstance(node, Call) and node.function in ("time", "rand") and not node.arguments:
        return frozenset((f"{node.function}()",))
    found = {known[id(part)] for part in parts}
    return next(iter(found)) if len(found) == 1 else _NONE.union(*found)


def _of_name(name: str) -> frozenset[str]:
    if name in METRICS:
        return frozenset((series_name(name),))
    return frozenset((TARGETS[name].full_name,)) if name in TARGETS else _NONE


def _parts(node: Expression) -> Iterator[Expression]:
    if isinstance(node, MethodCall):
        if node.method not in _OF_THE_HISTORY:
            yield node.receiver
        yield from node.arguments
    else:
        yield from children(node)
