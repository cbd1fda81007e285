"""`$filter` of the Batch REST API: a condition on properties, read with its grammar into a tree.

Comparisons (eq ne gt ge lt le) of a property with a value, startswith(property, 'text'), and or not, parentheses. Text
stands in single quotes, one of which is written twice in it; times as datetime'2026-01-31T12:00:00Z'.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from ..decoding import nearest
from ..iso8601 import parse_instant
from .errors import ApiError

if TYPE_CHECKING:
    from lark import Lark

#: Characters of a filter, levels of parentheses in it, and conditions, at most.
LONGEST, DEEPEST, MOST = 8000, 50, 100
#: Properties whose values are spelled in lower case here, and in any case by their askers.
_ENUMERATIONS = frozenset(("state", "schedulingState", "allocationState", "result", "previousState", "category"))

#: Properties that are numbers, and those that are true or false; those whose names end in Time are times.
_NUMBERS = frozenset(
    (
        *("currentDedicatedNodes", "currentLowPriorityNodes", "targetDedicatedNodes", "targetLowPriorityNodes"),
        *("exitCode", "priority", "requeueCount", "requiredSlots", "retryCount"),
        *("runningTasksCount", "taskSlotsPerNode", "totalTasksRun"),
    )
)
_FLAGS = frozenset(("enableAutoScale", "enableInterNodeCommunication", "isDedicated", "usesTaskDependencies"))

#: A time that says its zone; all others are UTC.
_ZONED = re.compile(r"(?:Z|[-+]\d\d:?\d\d)\s*$", re.IGNORECASE)

_GRAMMAR = r"""
?start: any
?any: all ("or"i all)*
?all: one ("and"i one)*
?one: "not"i one -> negation
    | "(" any ")"
    | PATH COMPARISON value -> comparison
    | value COMPARISON PATH -> turned
    | call
    | call "eq"i BOOLEAN -> is_so
call: "startswith"i "(" PATH "," TEXT ")"
?value: TEXT -> text
    | NUMBER -> number
    | BOOLEAN -> boolean
    | "null"i -> nothing
    | INSTANT -> instant
    | BARE_INSTANT -> bare_instant

COMPARISON.3: /(eq|ne|gt|ge|lt|le)\b/i
BOOLEAN.3: /(true|false)\b/i
INSTANT.4: /datetime(offset)?'[^']*'/i
BARE_INSTANT.4: /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[-+][0-9:]+)?/i
NUMBER.2: /-?[0-9]+(\.[0-9]+)?/
TEXT: /'([^']|'')*'/
PATH: /[A-Za-z_][A-Za-z0-9_]*(\/[A-Za-z_][A-Za-z0-9_]*)*/
%import common.WS
%ignore WS
"""

Value = str | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    path: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class StartsWith:
    path: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Not:
    inner: Filter


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Filter, ...]


Filter = Comparison | StartsWith | Not | All | Either


def parse(text: str, known: Collection[str]) -> Filter:
    """`known`: the properties that may be asked for, as paths (`executionInfo/result`). Raises ApiError."""
    if len(text) > LONGEST:
        raise _refused(f"is longer than {LONGEST} characters")
    if _depth(text) > DEEPEST:
        raise _refused(f"is nested deeper than {DEEPEST} levels")
    from lark import LarkError, UnexpectedInput

    try:
        tree = _parser().parse(text)
        return _Builder(known).build(tree)
    except UnexpectedInput as exc:
        column = exc.column if exc.column > 0 else len(text) + 1
        raise _refused(f"cannot be read at character {column}: {text[:200]!r}; like state eq 'active'") from None
    except LarkError as exc:
        raise _refused(f"cannot be read: {exc}") from None


def predicate(filter: Filter) -> Callable[[Mapping[str, Any]], bool]:
    """Says of an answered object whether it fulfils the filter."""
    match filter:
        case Not(inner):
            check = predicate(inner)
            return lambda view: not check(view)
        case All(parts):
            checks = [predicate(each) for each in parts]
            return lambda view: all(each(view) for each in checks)
        case Either(parts):
            checks = [predicate(each) for each in parts]
            return lambda view: any(each(view) for each in checks)
        case StartsWith(path, prefix):
            keys = path.split("/")
            return lambda view: isinstance(found := _found(view, keys), str) and found.startswith(prefix)
    return _comparison(filter)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def _comparison(asked: Comparison) -> Callable[[Mapping[str, Any]], bool]:
    keys, wanted, compare = asked.path.split("/"), asked.value, _OPERATORS[asked.operator]
    missing = (wanted is None) == (asked.operator == "eq") and asked.operator in ("eq", "ne")

    def check(view: Mapping[str, Any]) -> bool:
        found = _found(view, keys)
        if found is None or wanted is None:
            return missing if found is None else asked.operator == "ne"
        if isinstance(wanted, datetime):
            found = _instant(found)
        if type(found) is not type(wanted) and not (_is_number(found) and _is_number(wanted)):
            return asked.operator == "ne"
        return compare(found, wanted)

    return check


def _instant(value: object) -> datetime | None:
    """None: it is no time."""
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _found(view: Mapping[str, Any], keys: list[str]) -> Any:
    value: Any = view
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _refused(text: str) -> ApiError:
    return ApiError("InvalidQueryParameterValue", f"$filter {text}", (("QueryParameterName", "$filter"),))


def _depth(text: str) -> int:
    """An upper bound: parentheses and nots, also in texts."""
    depth = deepest = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest + text.lower().count("not ")


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


class _Builder:
    def __init__(self, known: Collection[str]) -> None:
        self._known = {path.lower(): path for path in known}
        self._conditions = 0

    def build(self, tree: Any) -> Filter:
        kind, parts = tree.data, tree.children
        match kind:
            case "any":
                return Either(tuple(map(self.build, parts)))
            case "all":
                return All(tuple(map(self.build, parts)))
            case "negation":
                return Not(self.build(parts[0]))
            case "call":
                return StartsWith(self._path(parts[0]), _text(parts[1]))
            case "is_so":
                inner = self.build(parts[0])
                return inner if parts[1].lower() == "true" else Not(inner)
            case "turned":
                turned = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
                told = parts[1].lower()
                return self._comparison(parts[2], turned.get(told, told), parts[0])
        return self._comparison(parts[0], parts[1].lower(), parts[2])

    def _comparison(self, path: str, told: str, value: Any) -> Comparison:
        path, wanted = self._path(path), _value(value)
        if isinstance(wanted, str) and path.rpartition("/")[2] in _ENUMERATIONS:
            wanted = wanted.lower()
        _check_kind(path, wanted)
        if isinstance(wanted, bool | None) and told not in ("eq", "ne"):
            raise _refused(f"compares {path} with {wanted!r} by {told}; only eq and ne make sense")
        return Comparison(path, told, wanted)

    def _path(self, written: str) -> str:
        self._conditions += 1
        if self._conditions > MOST:
            raise _refused(f"has more than {MOST} conditions; ask in several requests")
        path = self._known.get(written.lower())
        if path is None:
            near = nearest(written, self._known.values())
            cure = f"did you mean {near}?" if near else f"known here: {', '.join(sorted(self._known.values()))}"
            raise _refused(f"asks for {written}; {cure}")
        return path


def _check_kind(path: str, wanted: Value) -> None:
    """Raises ApiError for a value that the property never has."""
    name = path.rpartition("/")[2]
    kinds: tuple[type, ...]
    if name in _NUMBERS:
        kinds, like = (int, float), "a number, such as 3"
    elif name in _FLAGS:
        kinds, like = (bool,), "true or false"
    elif name.endswith("Time") or name == "lastModified":
        kinds, like = (datetime,), "a time, such as datetime'2026-01-31T12:00:00Z'"
    else:
        kinds, like = (str,), "text, in single quotes"
    if wanted is not None and type(wanted) not in kinds:
        raise _refused(f"compares {path} with {str(wanted)[:100]!r}; its values are {like}")


def _value(node: Any) -> Value:
    if node.data == "nothing":
        return None
    text = str(node.children[0])
    match node.data:
        case "text":
            return _text(text)
        case "boolean":
            return text.lower() == "true"
        case "number":
            return float(text) if "." in text else int(text)
    if node.data == "instant":
        text = text[text.index("'") + 1 : -1]
    if not _ZONED.search(text):  # as OData has it
        text += "Z" if "T" in text.upper() else "T00:00:00Z"
    try:
        return parse_instant(text)
    except ValueError as exc:
        raise _refused(f"holds a time that {exc}") from None


def _text(written: str) -> str:
    return written[1:-1].replace("''", "'")
