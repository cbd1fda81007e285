"""In what two answers about the same object differ. Pure.

Lists of things with names are compared by name, ids and references to them in whatever case, and what is empty is as if
it were not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import fields

from pools import folded

from ..rest_views import specification_view
from .changes import Difference

#: Properties whose values are ids.
_IDS = frozenset(("applicationId", "id", "poolId", "taskIds"))


def wanted(spec: msgspec.Struct) -> dict[str, Any]:
    """The specification as it would be answered. (Without passwords, which nobody gets back.)"""
    return specification_view(spec)


def names_of(kind: type[msgspec.Struct], *without: str) -> tuple[str, ...]:
    """The properties of a specification, as they are spelled on the wire."""
    return tuple(name for each in fields(kind) if (name := each.encode_name) not in ("id", *without))


def differences(old: Mapping[str, Any], new: Mapping[str, Any], names: Collection[str]) -> tuple[Difference, ...]:
    """Of two objects in these properties."""
    unequal = [name for name in names if old.get(name) != new.get(name)]
    return tuple(each for name in unequal for each in _differ(name, _bare(old.get(name)), _bare(new.get(name)), name))


def tops(found: Collection[Difference]) -> tuple[str, ...]:
    """The properties of the object itself that differ, or within which something does."""
    return tuple(dict.fromkeys(each.path.partition(".")[0].partition("[")[0] for each in found))


def _bare(value: Any) -> Any:
    """Without what is empty; None: nothing is left."""
    if isinstance(value, Mapping):
        value = {name: bare for name, each in value.items() if (bare := _bare(each)) is not None}
    elif isinstance(value, list | tuple):
        value = [_bare(each) for each in value]
    return None if value in ("", [], {}) else value


def _differ(path: str, old: Any, new: Any, name: str) -> Iterator[Difference]:
    if old == new or (name in _IDS and _folded(old) == _folded(new)):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for each in dict.fromkeys((*old, *new)):
            yield from _differ(f"{path}.{each}", old.get(each), new.get(each), each)
    elif isinstance(old, list | None) and isinstance(new, list | None):
        yield from _lists_differ(path, old or [], new or [], name)
    else:
        yield Difference(path, old, new)


def _lists_differ(path: str, old: Sequence[Any], new: Sequence[Any], name: str) -> Iterator[Difference]:
    before, after = _by_name(old), _by_name(new)
    if before is not None and after is not None:
        for each in dict.fromkeys((*before, *after)):
            yield from _differ(f"{path}[{each}]", _value(before.get(each)), _value(after.get(each)), each)
    elif len(old) == len(new) and all(isinstance(each, Mapping) for each in (*old, *new)):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from _differ(f"{path}[{number}]", *pair, name)
    else:
        yield Difference(path, list(old) or None, list(new) or None)


def _by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """None: they have no names, or one has the name of another."""
    found = {each["name"]: each for each in items if isinstance(each, Mapping) and isinstance(each.get("name"), str)}
    return found if len(found) == len(items) else None


def _value(item: Any) -> Any:
    """Of a name with a value, the value."""
    return item.get("value", "") if isinstance(item, Mapping) and item.keys() <= {"name", "value"} else item


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(each) for each in value]
    return folded(value) if isinstance(value, str) else value
