"""What of a filter on tasks the database can decide: so that one of a million is found without reading the others."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner import Done

from .filters import All, Comparison, Either, Filter, Not, StartsWith

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

_COMPARED = {"eq": "__eq__", "ne": "__ne__", "gt": "__gt__", "ge": "__ge__", "lt": "__lt__", "le": "__le__"}
#: Times that are columns.
_TIMES = {"creationTime": "created", "lastModified": "modified"}


def narrowed(filter: Filter | None) -> tuple[list[ColumnElement[bool]], bool]:
    """Conditions that all tasks meet which fulfil the filter; and whether all that meet them do."""
    if filter is None:
        return [], True
    parts = filter.parts if isinstance(filter, All) else (filter,)
    found, exact = [], True
    for part in parts:
        condition = _condition(part)
        exact = exact and condition is not None
        if condition is not None:
            found.append(condition)
    return found, exact


def _condition(filter: Filter) -> ColumnElement[bool] | None:
    """The same as a condition on columns; None: it cannot be said so."""
    from sqlalchemy import and_, not_, or_

    match filter:
        case All(parts) | Either(parts):
            found = [_condition(each) for each in parts]
            known = [each for each in found if each is not None]
            if len(known) < len(found):
                return None
            return and_(*known) if isinstance(filter, All) else or_(*known)
        case Not(inner):
            condition = _condition(inner)
            return not_(condition) if condition is not None else None
        case StartsWith("id", prefix):
            return _columns().id.startswith(prefix, autoescape=True) if not _folds(prefix) else None
        case StartsWith():
            return None
    return _comparison(filter)


def _folds(prefix: str) -> bool:
    """SQLite's LIKE takes letters in any case."""
    return prefix.lower() != prefix.upper()


def _comparison(asked: Comparison) -> ColumnElement[bool] | None:
    from sqlalchemy import and_

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
    if asked.path in _TIMES and isinstance(asked.value, datetime):
        # what is answered is cut to milliseconds
        return None
    return None


def _compared(column: Any, compare: str, value: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = getattr(column, compare)(value)
    return found


def _columns() -> Any:
    from runner import tables

    return tables.tasks.c
