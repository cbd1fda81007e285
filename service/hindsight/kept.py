"""What is kept of one pool's past, read through the Batch REST API: over a state and over a server alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from formula import PoolValues, parse_time
from pools import (
    AutoScaleError,
    NameValue,
    NodeDeallocationOption,
    PlannedAction,
    PlannerPass,
    RecordedRun,
    Sample,
)

from ..iso8601 import format_exactly
from ..rest_objects import Objects, RequestRefused, View
from ..rest_views.past import SEEN_OF_POOL

#: What of a run tells what it decided; the formula is as long as all the rest.
_BRIEFLY = (
    *("timestamp", "results", "error", "pool", "targetDedicatedNodes", "targetLowPriorityNodes"),
    *("nodeDeallocationOption", "samplePeriod", "firstSample", "lastSample", "seed"),
)


class Kept:
    """Times are Instants; None: without bound. Every method may raise RequestRefused, Unanswered."""

    def __init__(self, objects: Objects, pool_id: str) -> None:
        self._objects = objects
        self.pool_id = pool_id

    def pool(self) -> View | None:
        """As it is now; None: it has gone."""
        try:
            return self._objects.one("pools", self.pool_id)
        except RequestRefused as exc:
            if exc.code != "PoolNotFound":
                raise
            return None

    def runs(
        self,
        start: float | None = None,
        end: float | None = None,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        briefly: bool = False,
    ) -> Iterator[RecordedRun]:
        """`briefly`: without formulas."""
        more = {"$select": ",".join(_BRIEFLY)} if briefly else {}
        views = self._each("autoscaleruns", start, end, newest_first, limit, more)
        return (_run(self.pool_id, view) for view in views)

    def passes(
        self,
        start: float | None = None,
        end: float | None = None,
        *,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[PlannerPass]:
        views = self._each("plannerpasses", start, end, newest_first, limit, {})
        return (_pass(self.pool_id, view) for view in views)

    def samples(
        self,
        start: float | None = None,
        end: float | None = None,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        metrics: Iterable[str] | None = None,
    ) -> Iterator[Sample]:
        more = {"metrics": ",".join(metrics)} if metrics is not None else {}
        views = self._each("samples", start, end, newest_first, limit, more)
        return (Sample(self.pool_id, parse_time(view["time"]), view["values"]) for view in views)

    def _each(
        self,
        what: str,
        start: float | None,
        end: float | None,
        newest_first: bool,
        limit: int | None,
        more: Mapping[str, str],
    ) -> Iterator[View]:
        query = dict(more)
        if start is not None:
            query["starttime"] = format_exactly(start)
        if end is not None:
            query["endtime"] = format_exactly(end)
        if newest_first:
            query["newestfirst"] = "true"
        return self._objects.each("pools", self.pool_id, what, query=query, limit=limit)


def _run(pool_id: str, view: View) -> RecordedRun:
    option, error, seen = (view.get(name) for name in ("nodeDeallocationOption", "error", "pool"))
    return RecordedRun(
        pool_id,
        parse_time(view["timestamp"]),
        view.get("results", ""),
        _error(error) if error is not None else None,
        formula=view.get("autoScaleFormula"),
        pool=PoolValues(**{each: seen[name] for name, each in SEEN_OF_POOL.items()}) if seen is not None else None,
        target_dedicated=view.get("targetDedicatedNodes"),
        target_low_priority=view.get("targetLowPriorityNodes"),
        node_deallocation_option=NodeDeallocationOption(option) if option is not None else None,
        sample_period=view.get("samplePeriod"),
        first_sample=_time(view.get("firstSample")),
        last_sample=_time(view.get("lastSample")),
        seed=view.get("seed"),
    )


def _error(view: Mapping[str, Any]) -> AutoScaleError:
    values = tuple(NameValue(each["name"], each["value"]) for each in view.get("values", ()))
    return AutoScaleError(view["code"], view["message"], values)


def _time(text: str | None) -> float | None:
    return None if text is None else parse_time(text)


def _pass(pool_id: str, view: View) -> PlannerPass:
    return PlannerPass(
        pool_id=pool_id,
        time=parse_time(view["time"]),
        target_dedicated=view["targetDedicatedNodes"],
        target_low_priority=view["targetLowPriorityNodes"],
        because=view["because"],
        actions=tuple(_action(each) for each in view.get("actions", ())),
        held_back=tuple(view.get("heldBack", ())),
    )


def _action(view: Mapping[str, Any]) -> PlannedAction:
    option = view.get("nodeDeallocationOption")
    return PlannedAction(
        action=view["action"],
        node_ids=tuple(view["nodeIds"]),
        reason=view["reason"],
        low_priority=not view["isDedicated"],
        option=NodeDeallocationOption(option) if option is not None else None,
    )
