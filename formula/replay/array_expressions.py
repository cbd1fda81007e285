"""The value of an expression for many runs at once: a third back end over the checked tree, beside the compiler.

Branches that a run does not take are not computed for it, unless they cannot fail and are cheap. A run that fails is
noted, and goes on with some value that nobody reads.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from ..builtins_table import LIST_FUNCTIONS
from ..checker import CheckedProgram
from ..expression_types import bare
from ..operators import binary_result
from ..syntax import (
    Call,
    Chain,
    Expression,
    Group,
    Logic,
    Member,
    MethodCall,
    Name,
    Number,
    String,
    Ternary,
    Unary,
)
from ..timestamps import parse_time
from ..value_types import DOUBLE, INTERVAL, OPTION, STRING, TIMESTAMP, VECTOR, is_single
from ..variables import (
    DEALLOCATION_OPTION,
    DEFAULT_OPTION,
    INTERVALS,
    METRICS,
    TARGETS,
    assigned_target,
    series_name,
)
from ..vectors import MAX_LENGTH
from . import array_vectors
from .array_calendar import member
from .array_operators import joined
from .array_windows import ArrayWindows
from .cheap_expressions import is_cheap
from .course import Course
from .decisions import OPTION_NUMBERS
from .rows import Failures, Flags, Numbers, Rows, Unsupported, Vector, is_array, numbers, put, take

_KINDS = (DOUBLE, VECTOR, TIMESTAMP, INTERVAL, OPTION)


class ArrayExpressions:
    """`variables`: the values of all runs, kept by the caller."""

    def __init__(
        self, checked: CheckedProgram, course: Course, variables: dict[str, Any], failures: Failures
    ) -> None:
        self._types = checked.types
        self._course = course
        self._variables = variables
        self._failures = failures
        self._windows = ArrayWindows(course, failures)
        self._members: dict[tuple[int, str], tuple[Any, Any]] = {}

    def value(self, node: Expression, rows: Rows) -> Any:
        """Raises Unsupported."""
        types = self._types[id(node)]
        match node:
            case Number(value=value):
                return value
            case Group(inner=inner):
                return self.value(inner, rows)
            case String(value=value):
                return value
            case _ if types != STRING and types not in _KINDS:
                raise Unsupported("a value of several types")
            case Name(name=name):
                return self._name(name, rows)
            case Unary():
                return self._unary(node, rows)
            case Chain():
                return self._chain(node, rows)
            case Logic():
                return self._logic(node, rows)
            case Ternary():
                return self._ternary(node, rows)
            case Call():
                return self._call(node, rows)
            case MethodCall():
                return self._method(node, rows)
            case _:
                return self._member(node, rows)

    def _size(self, rows: Rows) -> int:
        return len(self._course) if rows is None else len(rows)

    def _name(self, name: str, rows: Rows) -> Any:
        variables = self._variables
        if name in variables:
            return self._of(variables[name], rows)
        if name in TARGETS:
            target = TARGETS[name]
            assigned = assigned_target(variables, target.full_name)
            value = self._course.pool_values(target.field) if assigned is None else variables[assigned]
            return self._of(value, rows)
        if name in INTERVALS:
            return INTERVALS[name]
        if name in OPTION_NUMBERS:
            return OPTION_NUMBERS[name]
        if name == DEALLOCATION_OPTION:
            return OPTION_NUMBERS[DEFAULT_OPTION]
        field = METRICS[name].field
        if field is not None:
            return self._of(self._course.pool_values(field), rows)
        return self._windows.latest(series_name(name), rows)

    def _of(self, value: Any, rows: Rows) -> Any:
        return value if rows is None else take(value, rows)

    def _truth(self, node: Expression, rows: Rows) -> bool | Flags:
        """NaN, neither true nor false, stops the evaluation."""
        value = self.value(node, rows)
        if isinstance(value, (bool, np.bool_)) or (is_array(value) and value.dtype == np.bool_):
            return cast("bool | Flags", value)
        undecided = np.isnan(value)
        if np.any(undecided):
            self._failures.record(rows, undecided, ("undecided", node.start))
            return cast("bool | Flags", np.not_equal(value, 0.0) & ~undecided)
        return cast("bool | Flags", np.not_equal(value, 0.0))

    def _logic(self, node: Logic, rows: Rows) -> bool | Flags:
        decides = node.operator == "||"
        found = self._truth(node.operands[0], rows)
        for operand in node.operands[1:]:
            if is_cheap(operand, self._types, self._variables, truth=True):
                other = self._truth(operand, rows)
                found = found | other if decides else found & other
                continue
            if not is_array(found):
                if bool(found) != decides:
                    found = self._truth(operand, rows)
                continue
            flags = cast("Flags", found)
            open_rows = np.flatnonzero(flags != decides)
            if len(open_rows):
                further = open_rows if rows is None else rows[open_rows]
                flags = flags.copy()
                flags[open_rows] = self._truth(operand, further)
                found = flags
        return found

    def _unary(self, node: Unary, rows: Rows) -> Numbers:
        if node.operator == "!":
            return np.logical_not(self._truth(node.operand, rows))
        return -numbers(self.value(node.operand, rows))

    def _chain(self, node: Chain, rows: Rows) -> Any:
        result = self.value(node.operands[0], rows)
        types = self._types[id(node.operands[0])]
        for operator, operand, place in zip(node.operators, node.operands[1:], node.places, strict=True):
            right, other = self.value(operand, rows), self._types[id(operand)]
            if not is_single(types) or not is_single(other) or VECTOR in (types, other):
                raise Unsupported("arithmetic of vectors")
            result = joined(operator, result, right, rows, self._failures, place)
            types = binary_result(operator, types, other) or 0
        return result

    def _ternary(self, node: Ternary, rows: Rows) -> Any:
        condition = self._truth(node.condition, rows)
        if not is_array(condition):
            return self.value(node.then if condition else node.otherwise, rows)
        flags = cast("Flags", condition)
        if is_cheap(node.then, self._types, self._variables) and is_cheap(node.otherwise, self._types, self._variables):
            return np.where(flags, self.value(node.then, rows), self.value(node.otherwise, rows))
        size = self._size(rows)
        result: Any = None
        for branch, chosen in ((node.then, flags), (node.otherwise, ~flags)):
            at = np.flatnonzero(chosen)
            if len(at) == size:
                return self.value(branch, rows)
            if len(at):
                result = put(self.value(branch, at if rows is None else rows[at]), at, result, size)
        return result

    def _member(self, node: Member, rows: Rows) -> Numbers:
        instants = self.value(node.receiver, rows)
        # Members of the time of all runs are read more than once.
        key = (id(instants), node.member)
        if rows is None and key in self._members:
            return self._members[key][1]
        found = member(node.member, instants, rows, self._failures, node.start)
        if rows is None:
            self._members[key] = instants, found
        return found

    def _call(self, node: Call, rows: Rows) -> Any:
        name = node.function
        if name in LIST_FUNCTIONS:
            return self._list_function(node, rows)
        if name == "time":
            return self._time(node, rows)
        if name == "val":
            vector, index = (self.value(argument, rows) for argument in node.arguments)
            return array_vectors.element(vector, numbers(index), rows, self._failures, node.start)
        raise Unsupported(name)

    def _time(self, node: Call, rows: Rows) -> Numbers:
        if not node.arguments:
            return self._of(self._course.times, rows)
        text = node.arguments[0]
        if not isinstance(text, String):
            raise Unsupported("a time from a text that is computed")
        return parse_time(text.value) if text.value.strip() else self._of(self._course.times, rows)

    def _list_function(self, node: Call, rows: Rows) -> Any:
        name = node.function
        types = [self._types[id(argument)] for argument in node.arguments]
        values = [self.value(argument, rows) for argument in node.arguments]
        if LIST_FUNCTIONS[name].scalar is not None:
            if types == [DOUBLE]:
                return array_vectors.scalar(name, values[0])
            raise Unsupported("a function of each element of a vector")
        parts: Vector = ()
        for value in values:
            parts += value if isinstance(value, tuple) else (value,)
        failures, where = self._failures, node.start
        if len(values) > 1 and np.any(np.greater(array_vectors.length(parts), MAX_LENGTH)):
            raise Unsupported("a very long vector")
        match name:
            case "vec":
                return parts
            case "len":
                return array_vectors.length(parts)
            case "sum":
                return array_vectors.total(parts)
            case "avg":
                return array_vectors.mean(parts)
            case "max" | "min":
                return array_vectors.extreme(parts, rows, failures, where, name == "max")
            case "range":
                most = array_vectors.extreme(parts, rows, failures, where, True)
                return most - array_vectors.extreme(parts, rows, failures, where, False)
        raise Unsupported(name)

    def _method(self, node: MethodCall, rows: Rows) -> Any:
        series, windows = series_name(cast(Name, bare(node.receiver)).name), self._windows
        match node.method:
            case "Count":
                return windows.count(series, rows)
            case "GetSamplePeriod":
                return self._course.recording.period
            case "HistoryBeginTime":
                return windows.history_begin(series, rows, node.parenthesis)
            case "GetSamplePercent":
                far, near = self._edges(node.arguments, rows)
                return windows.find(series, rows, far, near, node.start)[1]
        arguments = node.arguments
        if self._types[id(arguments[0])] == DOUBLE:
            return (windows.newest(series, rows, numbers(self.value(arguments[0], rows)), node.start),)
        wanted = None
        if len(arguments) > 1 and self._types[id(arguments[-1])] == DOUBLE:
            wanted = arguments[-1]
            arguments = arguments[:-1]
        far, near = self._edges(arguments, rows)
        percent = None if wanted is None else numbers(self.value(wanted, rows))
        return (windows.sample(series, rows, far, near, percent, node.parenthesis),)

    def _edges(self, edges: tuple[Expression, ...], rows: Rows) -> tuple[Numbers, Numbers]:
        far, *near = [self._edge(edge, rows) for edge in edges]
        return far, near[0] if near else 0.0

    def _edge(self, edge: Expression, rows: Rows) -> Numbers:
        """A window edge as seconds before now."""
        value, types = self.value(edge, rows), self._types[id(edge)]
        if types == TIMESTAMP:
            return self._of(self._course.times, rows) - value
        if types != INTERVAL:
            raise Unsupported("a window edge of two types")
        return value
