"""Python for calls of functions and methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from . import calendar_members, dynamic, sampling, vectors
from .builtins_table import FIXED_FUNCTIONS, LIST_FUNCTIONS, ListFunction
from .expression_types import bare
from .faults import Stopped
from .generated_code import Code, CodeWriter, local, number
from .scope import Scope
from .syntax import Call, Expression, MethodCall, Name, String
from .timestamps import parse_time
from .value_types import DOUBLE, INTERVAL, TIMESTAMP, VECTOR, TypeSet
from .window_code import Window, WindowCode

_NOW = local("now")
_PERIOD = local("period")
_ZERO = number(0.0)
# Calls with more arguments go through a helper.
_MOST_COMPARED = 4
# max and min of two doubles, of which NaN does not count; {0} and {1} are names or numbers.
_OF_TWO = {
    "max": "({0} if {0} > {1} else {1} if {1} == {1} else {0})",
    "min": "({0} if {0} < {1} else {1} if {1} == {1} else {0})",
}
# The same where one of the two is surely not NaN, which so needs no test.
_FIRST_SURE = {
    "max": "({1} if {0} < {1} else {0})",
    "min": "({1} if {0} > {1} else {0})",
}
_SECOND_SURE = {
    "max": "({0} if {0} > {1} else {1})",
    "min": "({0} if {0} < {1} else {1})",
}


class CallCode:
    """`codes` holds the code of the arguments, which were compiled before; but methods that are an argument of a
    function are compiled here, where it is known what becomes of their vector, unless every value is observed.
    """

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
        self._windows = WindowCode(scope, writer)
        self.metrics: dict[int, str] = {}

    def function(self, node: Call) -> Code:
        short = None if self._observed else self._short_way(node)
        if short is not None:
            return short
        if node.function in LIST_FUNCTIONS:
            return self._list_function(LIST_FUNCTIONS[node.function], node.arguments)
        arguments = [self._argument(argument) for argument in node.arguments]
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

    def _argument(self, expression: Expression) -> Code:
        code = self._codes.get(id(expression))
        return self.method(cast(MethodCall, bare(expression))) if code is None else code

    def _short_way(self, node: Call) -> Code | None:
        """A function of samples without the vector of them."""
        name, arguments = node.function, node.arguments
        if len(arguments) == 1:
            return self._reduction(name, arguments[0]) or (self._newest(arguments[0]) if name == "avg" else None)
        if name == "val" and (index := self._codes.get(id(arguments[1]))) is not None:
            first = index.constant is not None and -1 < index.constant < 1
            return self._newest(arguments[0]) if first else None
        if name in _OF_TWO and 1 < len(arguments) <= _MOST_COMPARED:
            return self._largest(name, arguments)
        return None

    def _largest(self, name: str, arguments: tuple[Expression, ...]) -> Code | None:
        """max or min of doubles, windows and newest samples; not of the latter alone, which there may be none of."""
        result, found = None, False
        for argument in arguments:
            is_double = self._types[id(argument)] == DOUBLE
            code = self._argument(argument) if is_double else self._reduction(name, argument)
            found = found or code is not None
            code = code or self._newest(argument)
            if code is None:
                return None
            result = code if result is None else self._of_two(name, result, code)
        return result if found else None

    def _reduction(self, name: str, expression: Expression) -> Code | None:
        """The function of a window of samples."""
        node = bare(expression)
        if not (isinstance(node, MethodCall) and node.method == "GetSample"):
            return None
        window = self._window(node)
        return None if window is None else self._windows.reduction(name, *window)

    def _newest(self, expression: Expression) -> Code | None:
        """GetSample(1) as the number in it, NaN if there is none."""
        node = bare(expression)
        if not (isinstance(node, MethodCall) and node.method == "GetSample"):
            return None
        count = self._codes[id(node.arguments[0])].constant
        if self._types[id(node.arguments[0])] != DOUBLE or count is None or not 1 <= count < 2:
            return None
        return self.newest(cast(Name, bare(node.receiver)).name)

    def newest(self, metric: str) -> Code:
        """The newest sample of a metric, NaN without any."""
        return self._windows.newest(metric)

    def _time(self, node: Call, arguments: list[Code]) -> Code:
        if not arguments:
            return _NOW
        text = node.arguments[0]
        if isinstance(text, String):
            return Code(repr(parse_time(text.value)), height=1) if text.value.strip() else _NOW
        return self._writer.call(self._writer.helper("time", calendar_members.time_of), [*arguments, _NOW])

    def _list_function(self, function: ListFunction, arguments: tuple[Expression, ...]) -> Code:
        codes = [self._argument(argument) for argument in arguments]
        types = [self._types[id(argument)] for argument in arguments]
        writer = self._writer
        if function.scalar is not None and len(codes) == 1 and types[0] != VECTOR:
            if types[0] == DOUBLE:
                return writer.call(writer.helper(function.name, function.scalar), codes)
            either = dynamic.per_element(function.scalar, function.compute)
            return writer.call(writer.helper(f"{function.name}_either", either), codes)
        helper = writer.helper(f"{function.name}_of", function.compute)
        if types == [VECTOR]:
            return writer.call(helper, codes)
        if all(single == DOUBLE for single in types):
            template = "".join(f"{{{index}}}, " for index in range(len(codes)))
            return writer.join(f"{helper}(({template}))", *codes)
        return writer.call(helper, [writer.call(writer.helper("flat", vectors.flat), codes)])

    def _of_two(self, name: str, first: Code, second: Code) -> Code:
        templates = _SECOND_SURE if second.sure else _FIRST_SURE if first.sure else _OF_TWO
        return self._with_names(templates[name], first, second)

    def _with_names(self, template: str, first: Code, second: Code) -> Code:
        """Fill in; what is no name or number is computed once, where the condition meets it first."""
        condition_start = template.index(" if ") + 4
        condition_end = template.index(" else ")
        condition = template[condition_start:condition_end]
        rest = [template[: condition_start - 4], template[condition_end:]]
        for place, code in (("{0}", first), ("{1}", second)):
            if not code.is_atom:
                name = self._writer.temporary()
                condition = condition.replace(place, f"({name} := {place})")
                rest = [part.replace(place, name) for part in rest]
        return self._writer.join(f"{rest[0]} if {condition}{rest[1]}", first, second, sure=first.sure or second.sure)

    def method(self, node: MethodCall) -> Code:
        metric = cast(Name, bare(node.receiver)).name
        self.metrics[node.parenthesis] = metric
        writer = self._writer
        count = self._scope.read(metric, "count")
        match node.method:
            case "Count":
                return writer.call(writer.helper("float", float), [count])
            case "GetSamplePeriod":
                return _PERIOD
            case "HistoryBeginTime":
                begin = writer.helper("history_begin", sampling.history_begin)
                return writer.call(begin, [self._scope.read(metric, "times"), count], str(node.parenthesis))
            case "GetSamplePercent":
                return self._sample_percent(node, metric, count)
            case _:
                return self._get_sample(node, metric, count)

    def _sample_percent(self, node: MethodCall, metric: str, count: Code) -> Code:
        far, near = self._edges(node.arguments)
        window = None if self._observed else self._windows.window(metric, far, near)
        if window is not None:
            return self._windows.percent(window)
        percent = self._writer.helper("sample_percent", sampling.sample_percent)
        find = self._scope.read(metric, "find")
        return replace(self._writer.call(percent, [find, count, _NOW, far, near, _PERIOD]), sure=True)

    def _get_sample(self, node: MethodCall, metric: str, count: Code) -> Code:
        values, writer = self._scope.read(metric, "values"), self._writer
        if self._types[id(node.arguments[0])] == DOUBLE:
            wanted = self._codes[id(node.arguments[0])]
            return writer.call(writer.helper("newest", sampling.newest), [values, count, wanted])
        window = None if self._observed else self._window(node)
        if window is not None:
            return self._windows.samples(*window)
        far, near, wanted = self._edges_and_percent(node)
        find = self._scope.read(metric, "find")
        arguments = [find, count, values, _NOW, far, near, _PERIOD, wanted]
        return writer.call(writer.helper("window", sampling.window), arguments, str(node.parenthesis))

    def _window(self, node: MethodCall) -> tuple[Window, float, int] | None:
        """The window of a GetSample with constant arguments, the percentage that it demands, and its place."""
        if self._types[id(node.arguments[0])] == DOUBLE:
            return None
        metric = cast(Name, bare(node.receiver)).name
        far, near, wanted = self._edges_and_percent(node)
        if wanted.constant is None:
            return None
        window = self._windows.window(metric, far, near)
        if window is None:
            return None
        self.metrics[node.parenthesis] = metric
        return window, wanted.constant, node.parenthesis

    def _edges_and_percent(self, node: MethodCall) -> tuple[Code, Code, Code]:
        edges, wanted = node.arguments, number(sampling.DEFAULT_PERCENT)
        # A third argument is the percentage even if it has no type, because it calls stop().
        if len(edges) > 2 or (len(edges) > 1 and self._types[id(edges[-1])] == DOUBLE):
            wanted = self._codes[id(edges[-1])]
            edges = edges[:-1]
        return *self._edges(edges), wanted

    def _edges(self, edges: tuple[Expression, ...]) -> tuple[Code, Code]:
        far, *near = (self._edge(edge) for edge in edges)
        return far, near[0] if near else _ZERO

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
