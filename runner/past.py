"""What is kept of pools' past: autoscale runs, planner passes, samples; also of pools that have gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from math import inf, nextafter
from typing import TYPE_CHECKING, TypeVar

import msgspec

from pools import PlannerPass, RecordedRun, Sample

from . import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

R = TypeVar("R", bound=msgspec.Struct)

#: Rows read at a time: at first, and at most.
_FEW, _MANY = 16, 2048


class Past:
    """Of one pool, from `start` to `end` (Instants, both with them), read as they are wanted; oldest first, or newest.

    Every method may raise JournalError.
    """

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def runs(self, pool_id: str, start: float, end: float, newest_first: bool = False) -> Iterator[RecordedRun]:
        return self._each(store.autoscale_runs, lambda run: run.timestamp, pool_id, start, end, newest_first)

    def passes(self, pool_id: str, start: float, end: float, newest_first: bool = False) -> Iterator[PlannerPass]:
        return self._each(store.planner_passes, lambda found: found.time, pool_id, start, end, newest_first)

    def samples(self, pool_id: str, start: float, end: float, newest_first: bool = False) -> Iterator[Sample]:
        return self._each(store.samples, lambda sample: sample.time, pool_id, start, end, newest_first)

    def spelled(self, pool_id: str) -> str | None:
        """The id as it is written there, in whatever case it is asked for; None: nothing is kept of such a pool."""
        with self._reading() as connection:
            for kept in (store.samples, store.planner_passes, store.autoscale_runs):
                of = kept.table.c.pool_id
                if kept.read(connection, of == pool_id, most=1):
                    return pool_id
            for kept in (store.planner_passes, store.autoscale_runs):  # of samples there are too many to be looked at
                found = kept.read(connection, store.same_id(kept.table.c.pool_id, pool_id), most=1)
                if found:
                    return str(found[0].pool_id)
        return None

    def _each(
        self,
        kept: store.Kept[R],
        time_of: Callable[[R], float],
        pool_id: str,
        start: float,
        end: float,
        newest_first: bool,
    ) -> Iterator[R]:
        c, some = kept.table.c, _FEW
        order = [c.time.desc() if newest_first else c.time]
        while True:
            with self._reading() as connection:
                found = kept.read(
                    connection, c.pool_id == pool_id, c.time >= start, c.time <= end, order=order, most=some
                )
            yield from found
            if len(found) < some:
                return
            last, some = time_of(found[-1]), min(4 * some, _MANY)
            if newest_first:
                end = nextafter(last, -inf)
            else:
                start = nextafter(last, inf)
