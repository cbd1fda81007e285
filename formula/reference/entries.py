"""One entry for each row of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from ..builtins_table import FIXED_FUNCTIONS, LIST_FUNCTIONS, MEMBERS, METHODS, WINDOW_EDGE, FixedFunction, ListFunction
from ..codes import CODES, DOCUMENTS
from ..operators import COMPARISONS, OPERATORS
from ..spelling import nearest
from ..timestamps import format_interval
from ..value_types import DOUBLE, TypeSet, describe
from ..variables import DEALLOCATION_OPTION, INTERVALS, METRICS, OPTIONS, TARGETS, Metric
from .entry import Entry, Kind
from .examples import EXAMPLES, NOTES

_ARITHMETIC = {"+": "sum", "-": "difference; also the minus sign", "*": "product", "/": "quotient"}
_PARAMETERS: Mapping[str, tuple[str, ...]] = {"percentile": ("v", "percent"), "time": ("text",), "val": ("v", "index")}


@cache
def entries() -> Mapping[str, Entry]:
    """Every entry by its name, in the order of the reference."""
    return {entry.name: entry for entry in _all()}


def find(name: str) -> Entry | None:
    """The entry of a name, however its case and whether or not `$` or parentheses stand with it."""
    wanted = name.strip().removesuffix("()")
    known = entries()
    if wanted in known:
        return known[wanted]
    if wanted in COMPARISONS:
        return known["=="]
    if wanted in ("?", ":", "?:"):
        return known["? :"]
    by_plain_name = {entry.lstrip("$").lower(): entry for entry in known}
    found = by_plain_name.get(wanted.removeprefix("$").removeprefix(".").lower())
    return known[found] if found else None


def similar(name: str) -> str | None:
    """The name that was perhaps meant."""
    return nearest(name, entries())


def _entry(name: str, kind: Kind, summary: str, signatures: tuple[str, ...] = ()) -> Entry:
    return Entry(name, kind, summary, signatures, NOTES.get(name, ""), EXAMPLES.get(name, ()))


def _all() -> Iterator[Entry]:
    for target in TARGETS.values():
        yield _entry(target.name, "target", target.doc, (f"{target.name}: double",))
    words = ", ".join(OPTIONS)
    yield _entry(
        DEALLOCATION_OPTION,
        "target",
        "what happens to running tasks when nodes go; requeue in every evaluation that does not assign it",
        (f"{DEALLOCATION_OPTION} = {words.replace(', ', ' | ')};",),
    )
    for word, doc in OPTIONS.items():
        yield _entry(word, "option", doc)
    for metric in METRICS.values():
        yield _entry(metric.name, "metric", _metric_summary(metric))
    for method in METHODS.values():
        signatures = tuple(_overload(method.name, types, method.result) for types in method.overloads)
        yield _entry(method.name, "method", method.doc, signatures)
    functions: list[ListFunction | FixedFunction] = [*LIST_FUNCTIONS.values(), *FIXED_FUNCTIONS.values()]
    for function in sorted(functions, key=lambda each: each.name):
        yield _entry(function.name, "function", function.doc, _signatures(function))
    for member in MEMBERS.values():
        yield _entry(member.name, "member", member.doc, (f"timestamp.{member.name} -> double",))
    for name, seconds in INTERVALS.items():
        yield _entry(name, "constant", format_interval(seconds), (f"{name}: timeinterval",))
    yield from _operators()
    for code in sorted((*CODES.values(), *DOCUMENTS.values()), key=lambda each: each.code):
        yield Entry(
            code.code, "finding", code.title, (), code.explanation, (), code.severity, code.wrong, code.right
        )


def _metric_summary(metric: Metric) -> str:
    unit = f" ({metric.unit})" if metric.unit != "count" else ""
    retired = "; the service no longer feeds it, ebbtide does" if metric.retired else ""
    return f"{metric.doc}{unit}{retired}"


def _overload(name: str, types: tuple[TypeSet, ...], result: TypeSet) -> str:
    """GetSample and its like: a number that comes first is a count, one behind a time is a percentage."""
    written: list[str] = []
    for place, kind in enumerate(types):
        if kind == WINDOW_EDGE:
            parameter = "end" if place else "start"
        else:
            parameter = "percent" if place else "count"
        written.append(f"{parameter}: {describe(kind)}")
    return f"$metric.{name}({', '.join(written)}) -> {describe(result)}"


def _signatures(function: ListFunction | FixedFunction) -> tuple[str, ...]:
    if isinstance(function, ListFunction):
        whole = f"{function.name}(list) -> {describe(function.result)}"
        return (f"{function.name}(double) -> {describe(DOUBLE)}", whole) if function.scalar else (whole,)
    names = _PARAMETERS.get(function.name, ())
    written = [f"{name}: {describe(kind)}" for name, kind in zip(names, function.parameters, strict=True)]
    for place in range(function.required, len(written)):
        written[place] = f"[{written[place]}]"
    arrow = f" -> {describe(function.result)}" if function.result else ""
    return (f"{function.name}({', '.join(written)}){arrow}",)


def _operators() -> Iterator[Entry]:
    yield _entry("? :", "operator", "one of two branches, by a condition", ("double ? any : any -> the branch",))
    yield _entry("||", "operator", "either", ("double || double -> double",))
    yield _entry("&&", "operator", "both", ("double && double -> double",))
    yield _entry("==", "operator", f"comparison: {' '.join(COMPARISONS)}", _rows("=="))
    for symbol, doc in _ARITHMETIC.items():
        minus = ("-double -> double", "-timeinterval -> timeinterval") if symbol == "-" else ()
        yield _entry(symbol, "operator", doc, (*_rows(symbol), *minus))
    yield _entry("!", "operator", "not: 1 of 0, and 0 of anything else", ("!double -> double",))


def _rows(symbol: str) -> tuple[str, ...]:
    return tuple(
        f"{describe(row.left)} {row.symbol} {describe(row.right)} -> {describe(row.result)}"
        + ("" if row.documented else "   (undocumented)")
        for row in OPERATORS.values()
        if row.symbol == symbol
    )
