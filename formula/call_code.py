"""Python for calls of functions and methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from . import calendar_members, dynamic, sampling, vectors
from .builtins_table import FIXED_FUNCTIONS, LIST_FUNCTIONS, ListFunction
from .expression_types import bare
from .faults import Stopped
from .generated_code import Code, CodeWriter
from .syntax import Call, Expression, MethodCall, Name, String
from .timestamps import parse_time
from .value_types import DOUBLE, INTERVAL, TIMESTAMP, VECTOR, TypeSet

if TYPE_CHECKING:
    from .expression_code import Scope

_NOW = Code("now", frozenset(("now",)))
_PERIOD = Code("period", frozenset(("period",)))
# max and min of two doubles, of which NaN does not count; {0} and {1} are names or numbers.
_OF_TWO = {
    "max": "({0} if {0} > {1} else {1} if {1} == {1} else {0})",
    "min": "({0} if {0} < {1} else {1} if {1} == {1} else {0})",
}
# The same where {0} is surely not NaN, so that it needs no test of its own.
_OF_TWO_SURE = {
    "max": "({1} if {1} > {0} else {0})",
    "min": "({1} if {1} < {0} else {0})",
}


class CallCode:
    """`codes` holds the code of the arguments, which were compiled before."""

    def __init__(
        self,
        types: Mapping[int, TypeSet],
        scope: Scope,
        writer: CodeWriter,
        codes: Mapping[int, Code],
        observed: bool,
    ) -> None:
        self._types = types
        self._scope = scope
        self._writer = writer
        self._codes = codes
        self._observed = observed
        self.metrics: dict[int, str] = {}

    def function(self, node: Call) -> Code:
        if node.function in LIST_FUNCTIONS:
            return self._list_function(LIST_FUNCTIONS[node.function], node.arguments)
        arguments = [self._codes[id(argument)] for argument in node.arguments]
        match FIXED_FUNCTIONS[node.function].name:
            case "rand":
                self._scope.uses_rand = True
                return Code("draw()", frozenset(("draw",)), 1)
            case "stop":
                return self._writer.call(self._writer.helper("stop", _stop), [])
            case "time":
                return self._time(node, arguments)
            case "val":
                return self._writer.call(self._writer.helper("val", vectors.element), arguments)
            case _:
                return self._writer.call(self._writer.helper("percentile", vectors.percentile), arguments)

    def _time(self, node: Call, arguments: list[Code]) -> Code:
        if not arguments:
            return _NOW
        text = node.arguments[0]
        if isinstance(text, String):
            return Code(repr(parse_time(text.value)), height=1) if text.value.strip() else _NOW
        return self._writer.call(self._writer.helper("time", calendar_members.time_of), [*arguments, _NOW])

    def _list_function(self, function: ListFunction, arguments: tuple[Expression, ...]) -> Code:
        codes = [self._codes[id(argument)] for argument in arguments]
        types = [self._types[id(argument)] for argument in arguments]
        writer = self._writer
        if function.scalar is not None and len(codes) == 1 and types[0] != VECTOR:
            if types[0] == DOUBLE:
                return writer.call(writer.helper(function.name, function.scalar), codes)
            either = dynamic.per_element(function.scalar, function.compute)
            return writer.call(writer.helper(f"{function.name}_either", either), codes)
        if function.name in _OF_TWO and types == [DOUBLE, DOUBLE]:
            return self._of_two(function.name, codes)
        if types == [VECTOR] and function.window is not None and not self._observed:
            window = self._window(arguments[0])
            if window is not None:
                return writer.call(writer.helper(f"{function.name}_window", function.window), *window)
        helper = writer.helper(f"{function.name}_of", function.compute)
        if types == [VECTOR]:
            return writer.call(helper, codes)
        if all(single == DOUBLE for single in types):
            template = "".join(f"{{{index}}}, " for index in range(len(codes)))
            return writer.join(f"{helper}(({template}))", *codes)
        return writer.call(helper, [writer.call(writer.helper("flat", vectors.flat), codes)])

    def _of_two(self, name: str, codes: list[Code]) -> Code:
        first, second = codes
        template = _OF_TWO[name]
        sure = [code.sure and code.is_atom for code in codes]
        if sure[0] or sure[1]:
            template = _OF_TWO_SURE[name]
            if not sure[0]:
                first, second = second, first
        return self._with_names(template, first, second)

    def _with_names(self, template: str, first: Code, second: Code) -> Code:
        """Fill in; what is no name or number is computed once, where the condition meets it first."""
        condition_start = template.index(" if ") + 4
        condition_end = template.index(" else ")
        condition = template[condition_start:condition_end]
        rest = [template[: condition_start - 4], template[condition_end:]]
        for place, code in (("{0}", first), ("{1}", second)):
            if not code.is_atom:
                local = self._writer.temporary()
                condition = condition.replace(place, f"({local} := {place})")
                rest = [part.replace(place, local) for part in rest]
        return self._writer.join(f"{rest[0]} if {condition}{rest[1]}", first, second)

    def method(self, node: MethodCall) -> Code:
        receiver = cast(Name, bare(node.receiver)).name
        self.metrics[node.parenthesis] = receiver
        series = self._scope.metric(receiver)
        writer = self._writer
        match node.method:
            case "Count":
                return writer.call(writer.helper("count", sampling.count), [series])
            case "GetSamplePeriod":
                return _PERIOD
            case "HistoryBeginTime":
                begin = writer.helper("history_begin", sampling.history_begin)
                return writer.call(begin, [series], str(node.parenthesis))
            case "GetSamplePercent":
                far, near = self._edges(node.arguments)
                percent = writer.helper("sample_percent", sampling.sample_percent)
                return writer.call(percent, [series, _NOW, far, near, _PERIOD])
            case _:
                window = self._window(node)
                if window is None:
                    count = self._codes[id(node.arguments[0])]
                    return writer.call(writer.helper("newest", sampling.newest), [series, count])
                return writer.call(writer.helper("window", sampling.window), *window)

    def _window(self, expression: Expression) -> tuple[list[Code], str] | None:
        """The arguments of a window helper, if the expression is GetSample of an interval."""
        node = bare(expression)
        if not (isinstance(node, MethodCall) and node.method == "GetSample"):
            return None
        if self._types[id(node.arguments[0])] == DOUBLE:
            return None
        edges, wanted = node.arguments, Code(repr(sampling.DEFAULT_PERCENT))
        if len(edges) > 1 and self._types[id(edges[-1])] == DOUBLE:
            wanted = self._codes[id(edges[-1])]
            edges = edges[:-1]
        far, near = self._edges(edges)
        series = self._scope.metric(cast(Name, bare(node.receiver)).name)
        return [series, _NOW, far, near, _PERIOD, wanted], str(node.parenthesis)

    def _edges(self, edges: tuple[Expression, ...]) -> tuple[Code, Code]:
        far, *near = (self._edge(edge) for edge in edges)
        return far, near[0] if near else Code("0.0")

    def _edge(self, edge: Expression) -> Code:
        """A window edge as seconds before now."""
        code, types = self._codes[id(edge)], self._types[id(edge)]
        if types == INTERVAL:
            return code
        if types == TIMESTAMP:
            return self._writer.join("(now - {0})", code.reading("now"))
        return self._writer.call(self._writer.helper("look_back", dynamic.look_back), [code, _NOW])


def _stop() -> None:
    raise Stopped
