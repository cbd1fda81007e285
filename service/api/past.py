"""What is kept of a pool's past: also of one that has gone, as long as it is kept. Ours, beyond the Batch REST API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf, isfinite, nextafter
from typing import Any, TypeVar

from formula import parse_time
from runner import Journal

from ..rest_views.past import planner_pass_view, recorded_run_view, sample_view
from . import paging
from .application import Handler
from .backend import Backend
from .call import Answer, Call
from .errors import ApiError
from .pools import no_pool
from .properties import PROPERTIES

T = TypeVar("T")

#: Reads those of a pool from a time to another one, oldest or newest first.
Reads = Callable[[str, float, float, bool], Iterable[T]]


class PastOfPools:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal: Journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "pool.list_auto_scale_runs": self._runs,
            "pool.list_planner_passes": self._passes,
            "pool.list_samples": self._samples,
        }

    async def _runs(self, call: Call) -> Answer:
        found = self._list(call, lambda past: past.runs, lambda run: run.timestamp, recorded_run_view)
        select = paging.selection(call, PROPERTIES["autoscale run"])
        return await self._backend.page(call, "autoscaleruns", found, select)

    async def _passes(self, call: Call) -> Answer:
        found = self._list(call, lambda past: past.passes, lambda each: each.time, planner_pass_view)
        return await self._backend.page(call, "plannerpasses", found)

    async def _samples(self, call: Call) -> Answer:
        text = call.query.get("metrics")
        wanted = frozenset(name.strip().lower() for name in text.split(",")) if text is not None else None
        found = self._list(
            call, lambda past: past.samples, lambda each: each.time, lambda each: sample_view(each, wanted)
        )
        return await self._backend.page(call, "samples", found)

    def _list(
        self,
        call: Call,
        choose: Callable[[Any], Reads[T]],
        time_of: Callable[[T], float],
        view: Callable[[T], dict[str, Any]],
    ) -> Callable[[], paging.Found]:
        """Raises ApiError for a time that is none."""
        start, end, newest_first = _time(call, "starttime", -inf), _time(call, "endtime", inf), call.flag("newestfirst")
        after = _after(call)
        if after is not None and newest_first:
            end = min(end, nextafter(after, -inf))
        elif after is not None:
            start = max(start, nextafter(after, inf))

        def find() -> Iterator[tuple[str, dict[str, Any]]]:
            pool = self._journal.pool(call.ids["poolId"])
            pool_id = pool.id if pool is not None else self._journal.past.spelled(call.ids["poolId"])
            if pool_id is None:
                raise no_pool(call.ids["poolId"])
            reads = choose(self._journal.past)
            return ((repr(time_of(each)), view(each)) for each in reads(pool_id, start, end, newest_first))

        return find


def _time(call: Call, name: str, otherwise: float) -> float:
    text = call.query.get(name, "").strip()
    try:
        return parse_time(text) if text else otherwise
    except ValueError as exc:
        raise ApiError("InvalidQueryParameterValue", f"{name}: {text!r} is not a time: {exc}") from None


def _after(call: Call) -> float | None:
    """The time of the last one of the page before."""
    text = paging.skipped_to(call)
    try:
        found = float(text) if text else None
        if found is None or isfinite(found):
            return found
    except ValueError:
        pass
    raise ApiError("InvalidQueryParameterValue", f"$skiptoken: {text!r} comes from no page of this list")
