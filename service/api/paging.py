"""Lists of the Batch REST API: what fulfils `$filter`, of it the properties of `$select`, a page at a time.

A page ends when it is full, and when it has been looked for so long: it may be short then, or empty, and more follow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from ..decoding import nearest
from . import filters
from .call import Answer, Call
from .errors import ApiError

View = Mapping[str, Any]
#: The objects of a list, by key, in its order; None for one that was looked at and does not belong to it.
Found = Iterable[tuple[str, View | None]]
#: Seconds that a page may be looked for: what finds little keeps no reader from others.
PATIENCE = 3.0


def asked_filter(call: Call, known: Collection[str]) -> filters.Filter | None:
    """`known`: the properties that may be filtered by. Raises ApiError."""
    text = call.query.get("$filter", "").strip()
    return filters.parse(text, known) if text else None


def selection(call: Call, known: Collection[str]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Keeps of an object what `$select` names. `known`: its properties. Raises ApiError."""
    text = call.query.get("$select", "").strip()
    if not text:
        return lambda view: view
    by_spelling, wanted = {name.lower(): name for name in known}, dict[str, None]()
    for each in text.split(","):
        name = each.strip().partition("/")[0]
        found = by_spelling.get(name.lower())
        if found is None:
            near = nearest(name, known)
            cure = f"did you mean {near}?" if near else f"known here: {', '.join(sorted(known))}"
            raise ApiError("InvalidQueryParameterValue", f"$select: there is no property {name!r}; {cure}")
        wanted[found] = None
    return lambda view: {name: view[name] for name in wanted if name in view}


def expands_stats(call: Call) -> bool:
    """Raises ApiError if anything else is to be expanded."""
    names = {each.strip().lower() for each in call.query.get("$expand", "").split(",")} - {""}
    if names - {"stats"}:
        raise ApiError("InvalidQueryParameterValue", f"$expand: only stats can be, not {', '.join(sorted(names))}")
    return bool(names)


def skipped_to(call: Call) -> str:
    """After which object the page begins, by its key; "": it is the first page."""
    return call.query.get("$skiptoken", "")


def page(
    call: Call,
    entity: str,
    found: Found,
    select: Callable[[View], View] = lambda view: view,
    unwanted: Callable[[], bool] = lambda: False,
) -> Answer:
    """`found`: what follows `skipped_to`; no more of it is taken than the answer holds, and one. `entity`: what they
    are, as `odata.metadata` calls it. `unwanted`: nobody waits for the page any more."""
    values: list[View] = []
    last, size, end = "", call.page_size, time.monotonic() + PATIENCE
    for key, view in found:
        if view is not None and len(values) == size:
            return _answer(call, entity, values, last)
        if view is not None:
            values.append(select(view))
        last = key
        if unwanted() or time.monotonic() > end:
            return _answer(call, entity, values, last)
    return _answer(call, entity, values, None)


def _answer(call: Call, entity: str, values: list[View], last: str | None) -> Answer:
    content: dict[str, Any] = {"odata.metadata": f"{call.base}/$metadata#{entity}", "value": values}
    if last is not None:
        given = [pair for pair in parse_qsl(call.query_string) if pair[0].lower() != "$skiptoken"]
        query = urlencode([*given, ("$skiptoken", last)], quote_via=quote)
        content["odata.nextLink"] = f"{call.base}{call.path}?{query}"
    return Answer(content)


def sorted_after(
    call: Call, items: Mapping[str, Any], view: Callable[[Any], View], check: filters.Filter | None
) -> Iterator[tuple[str, View | None]]:
    """Of items in memory, by key, what follows; None for what does not fulfil the filter. Viewed one by one."""
    after = skipped_to(call)
    fulfils = filters.predicate(check) if check is not None else None
    for key in sorted(key for key in items if key > after):
        viewed = view(items[key])
        yield key, viewed if fulfils is None or fulfils(viewed) else None
