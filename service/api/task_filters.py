"""What of a filter on tasks the database can decide: so that few of a million are found without reading the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runner import Done

from .filters import All, Comparison, Either, Filter, Not, StartsWith

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

_COMPARED = {"eq": "__eq__", "ne": "__ne__", "gt": "__gt__", "ge": "__ge__", "lt": "__lt__", "le": "__le__"}
#: Of integers that are compared with a column: PostgreSQL's own are no larger.
_LARGEST = 2**31

#: A property of tasks that has no column, as an integer.
Field = Callable[[str], "ColumnElement[int]"]


def narrowed(filter: Filter | None, field: Field) -> tuple[list[ColumnElement[bool]], bool]:
    """Conditions that all tasks meet which fulfil the filter; and whether all that meet them do."""
    if filter is None:
        return [], True
    found, exact = [], True
    for part in _parts(filter):
        condition = _condition(part, field)
        exact = exact and condition is not None
        if condition is not None:
            found.append(condition)
    return found, exact


def only_id(filter: Filter | None) -> str | None:
    """The id of the one task that can fulfil it; None: it says of none that it must be that."""
    for part in _parts(filter) if filter is not None else ():
        if isinstance(part, Comparison) and (part.path, part.operator) == ("id", "eq") and isinstance(part.value, str):
            return part.value
    return None


def _parts(filter: Filter) -> tuple[Filter, ...]:
    return filter.parts if isinstance(filter, All) else (filter,)


def _condition(filter: Filter, field: Field) -> ColumnElement[bool] | None:
    """The same as a condition on columns; None: it cannot be said so."""
    from sqlalchemy import and_, func, not_, or_

    match filter:
        case All(parts) | Either(parts):
            found = [_condition(each, field) for each in parts]
            known = [each for each in found if each is not None]
            if len(known) < len(found):
                return None
            return and_(*known) if isinstance(filter, All) else or_(*known)
        case Not(inner):
            condition = _condition(inner, field)
            return not_(condition) if condition is not None else None
        case StartsWith("id", prefix):
            # SQLite's LIKE takes letters in any case, and PostgreSQL has orders in which a prefix is no range
            return func.substr(_columns().id, 1, len(prefix)) == prefix
        case StartsWith():
            return None
    return _comparison(filter, field)


def _comparison(asked: Comparison, field: Field) -> ColumnElement[bool] | None:
    from sqlalchemy import and_, case, false, func, true

    columns, compare = _columns(), _COMPARED[asked.operator]
    if asked.path == "id" and isinstance(asked.value, str) and asked.operator in ("eq", "ne"):
        return _compared(columns.id, compare, asked.value)
    if asked.path == "state" and isinstance(asked.value, str) and asked.operator in ("eq", "ne"):
        return _compared(columns.state, compare, asked.value)
    if asked.path == "executionInfo/result" and asked.operator == "eq" and asked.value in ("success", "failure"):
        succeeded = columns.done.op("&")(int(Done.SUCCEEDED))
        outcome = _compared(succeeded, "__ne__" if asked.value == "success" else "__eq__", 0)
        # a task that is not over is neither, and `not` turns that into yes: SQL's own NULL would stay
        return and_(columns.done.is_not(None), outcome)
    if asked.path == "executionInfo/exitCode" and isinstance(asked.value, int) and abs(asked.value) < _LARGEST:
        same = _compared(field("exit_code"), compare, asked.value)
        # none is none of all numbers; and one that is not over tells none, though it may have had some
        over = case((columns.done.is_not(None), same))
        return func.coalesce(over, true() if asked.operator == "ne" else false())
    # times are none of these: what is answered is cut to milliseconds
    return None


def _compared(column: Any, compare: str, value: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = getattr(column, compare)(value)
    return found


def _columns() -> Any:
    from runner import tables

    return tables.tasks.c
