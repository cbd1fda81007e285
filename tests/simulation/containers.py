"""How much a thing holds: everything that can be reached from it and has a length, whatever its name."""

from __future__ import annotations

import types
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

#: What is followed beside containers and functions: objects of these packages.
_OURS = ("formula", "pools", "providers", "runner")


def sizes(root: object) -> Counter[str]:
    """By place: how many things all containers there hold together. What can hold only so many is left out."""
    found: Counter[str] = Counter()
    seen: dict[int, object] = {}  # with what they are of: the id of what is no more would come again
    left: list[tuple[str, object]] = [("core", root)]
    while left:
        place, thing = left.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, dict | list | set | frozenset | tuple | deque):
            if isinstance(thing, deque) and thing.maxlen is not None:
                continue
            if not isinstance(thing, tuple):
                found[place] += len(thing)
            members: Iterable[Any] = (*thing, *thing.values()) if isinstance(thing, dict) else thing
            left.extend((f"{place}[]", member) for member in members)
        else:
            left.extend((f"{place}.{name}", part) for name, part in _parts(thing))
    return found


def _parts(thing: object) -> Iterator[tuple[str, object]]:
    if isinstance(thing, type | types.ModuleType):
        return
    if isinstance(thing, types.FunctionType):
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
            yield name, cell.cell_contents
    elif isinstance(thing, types.MethodType):
        yield "__self__", thing.__self__
    elif isinstance(thing, partial):
        yield from (("func", thing.func), ("args", thing.args), ("keywords", thing.keywords))
    elif type(thing).__module__.partition(".")[0] in _OURS:
        yield from getattr(thing, "__dict__", {}).items()
        for kind in type(thing).__mro__:
            slots = getattr(kind, "__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if hasattr(thing, name):
                    yield name, getattr(thing, name)
