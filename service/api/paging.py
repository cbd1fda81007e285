"""Lists of the Batch REST API: what fulfils `$filter`, of it the properties of `$select`, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from ..decoding import nearest
from . import filters
from .call import Answer, Call
from .errors import ApiError


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


def page(call: Call, entity: str, found: Iterable[tuple[str, Mapping[str, Any]]]) -> Answer:
    """`found`: what follows `skipped_to`, with its keys, in the order of the list; no more of it is taken than the
    answer holds, and one. `entity`: what they are, as `odata.metadata` calls it."""
    values: list[Mapping[str, Any]] = []
    last, size, rest = "", call.page_size, iter(found)
    for key, view in rest:
        if len(values) == size:
            return _answer(call, entity, values, last)
        values.append(view)
        last = key
    return _answer(call, entity, values, None)


def _answer(call: Call, entity: str, values: list[Mapping[str, Any]], last: str | None) -> Answer:
    content: dict[str, Any] = {"odata.metadata": f"{call.base}/$metadata#{entity}", "value": values}
    if last is not None:
        given = [pair for pair in parse_qsl(call.query_string) if pair[0].lower() != "$skiptoken"]
        query = urlencode([*given, ("$skiptoken", last)], quote_via=quote)
        content["odata.nextLink"] = f"{call.base}{call.path}?{query}"
    return Answer(content)


def sorted_after(
    call: Call, items: Mapping[str, Any], view: Callable[[Any], Mapping[str, Any]], check: filters.Filter | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Of items in memory, by key, what follows and fulfils the filter: viewed one by one."""
    after = skipped_to(call)
    fulfils = filters.predicate(check) if check is not None else None
    for key in sorted(key for key in items if key > after):
        viewed = view(items[key])
        if fulfils is None or fulfils(viewed):
            yield key, viewed
