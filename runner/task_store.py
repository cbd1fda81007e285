"""Tasks in the store, counted and found by SQL: a hundred thousand of them are not read to be counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Double, Engine, Integer, case, cast, func, select
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import Label

from pools import JournalError

from . import store, tables
from .states import TaskState
from .task_model import Done, Task
from .task_tally import DoneTotals

#: Tasks read at a time, and counted at a time.
_SOME, _MANY = 1000, 20_000
#: Seconds that the database may look for tasks before somebody can stop it; if it was so fast, it may look at more.
_SLOW, _FAST = 0.5, 0.1

Reading = Callable[[], AbstractContextManager[Connection]]
#: The states of completed tasks, as they are counted.
_ENDED = ("succeeded", "failed")


class JobSums(NamedTuple):
    """Tasks that have succeeded and failed, retries; seconds that the last executions of completed tasks took, and that
    tasks waited until these began."""

    succeeded: int
    failed: int
    retries: int
    ran: float
    waited: float


class TaskQueries:
    """Every method may raise JournalError. `unwanted` tells what takes long that nobody waits for it any more."""

    def __init__(self, reading: Reading, engine: Engine) -> None:
        self._reading = reading
        self._engine = engine

    def integer(self, name: str) -> ColumnElement[int]:
        """A property of tasks that has no column, for conditions."""
        return cast(store.field(self._engine, tables.tasks.c.body, name), Integer)

    def counts(self) -> dict[str, dict[str, int]]:
        """By job: how many tasks are active, preparing, running, succeeded and failed; what none is in is left out."""
        c = tables.tasks.c
        found: dict[str, dict[str, int]] = {}
        with self._reading() as connection:
            for job_id, totals in store.totals(connection).items():
                ended = {"succeeded": totals.succeeded, "failed": totals.failed}
                found[job_id] = {state: count for state, count in ended.items() if count}
            state = _text(connection, "state", TaskState.ACTIVE).label("state")
            # PostgreSQL takes no expression with parameters for the one that it is grouped by
            tasks = select(c.job_id, state).where(c.done.is_(None)).subquery().c
            query = select(tasks.job_id, tasks.state, func.count()).group_by(tasks.job_id, tasks.state)
            for job_id, name, count in connection.execute(query):
                found.setdefault(job_id, {})[name] = count
        return found

    def counts_of(
        self, job_id: str, unwanted: Callable[[], bool] = lambda: False
    ) -> tuple[dict[str, int], dict[str, int]]:
        """The job's tasks by state, as in `counts`, and their slots. Raises JournalError if unwanted."""

        def slots(connection: Connection) -> Sequence[Label[Any]]:
            return [cast(_text(connection, "slots", "1"), Integer).label("slots")]

        found = self._summed(job_id, unwanted, slots)
        counts = {state: int(count) for state, (count, _) in found.items()}
        return counts, {state: int(sum_) for state, (_, sum_) in found.items()}

    def sums(self, job_id: str, unwanted: Callable[[], bool] = lambda: False) -> JobSums:
        """What the job's tasks have come to, over all of them. Raises JournalError if unwanted."""
        c = tables.tasks.c

        def columns(connection: Connection) -> Sequence[Label[Any]]:
            began, ended = _real(connection, "start_time"), _real(connection, "end_time")
            ran = case((c.done.is_not(None), ended - began))
            retries = cast(_text(connection, "retry_count", "0"), Integer)
            return retries.label("retries"), ran.label("ran"), (began - c.created).label("waited")

        found = self._summed(job_id, unwanted, columns)
        retries, ran, waited = (sum(each[place] for each in found.values()) for place in (1, 2, 3))
        succeeded, failed = (int(found[state][0]) if state in found else 0 for state in _ENDED)
        return JobSums(succeeded, failed, int(retries), float(ran), float(waited))

    def _summed(
        self, job_id: str, unwanted: Callable[[], bool], columns: Callable[[Connection], Sequence[Label[Any]]]
    ) -> dict[str, list[float]]:
        """Of the job's tasks by state: their number, and the sum of each column; as of one moment, and counted some at
        a time, so that it can be stopped. Raises JournalError if unwanted."""
        c = tables.tasks.c
        found: dict[str, list[float]] = {}
        ahead = [c.job_id == job_id]
        with self._reading() as connection:
            state, values = _state(connection).label("state"), columns(connection)
            while ahead:
                if unwanted():
                    raise JournalError("nobody waits for it any more")
                ids = select(c.id).where(*ahead).order_by(c.id)
                end = connection.execute(ids.offset(_MANY - 1).limit(1)).scalar()
                if end is not None:
                    ahead.append(c.id <= end)
                some = select(state, *values).where(*ahead).subquery().c
                query = select(some.state, func.count(), *(func.sum(some[each.name]) for each in values))
                for name, *numbers in connection.execute(query.group_by(some.state)):
                    before = found.get(name, [0] * len(numbers))
                    found[name] = [old + (new or 0) for old, new in zip(before, numbers, strict=True)]
                ahead = [c.job_id == job_id, c.id > end] if end is not None else []
        return found

    def totals(self) -> dict[str, DoneTotals]:
        """What the completed tasks of each job came to."""
        with self._reading() as connection:
            return store.totals(connection)

    def open_totals(self) -> dict[str, DoneTotals]:
        """What the former executions of tasks came to that are not completed, by job."""
        c = tables.tasks.c
        with self._reading() as connection:
            sums = (func.sum(_real(connection, name)) for name in ("cost", "unpriced_seconds"))
            query = select(c.job_id, *sums).where(c.done.is_(None)).group_by(c.job_id)
            rows = connection.execute(query).all()
        return {job_id: DoneTotals(cost=cost or 0.0, unpriced_seconds=rest or 0.0) for job_id, cost, rest in rows}

    def ids(self, job_id: str) -> list[str]:
        """Of the job's tasks, in the order of their creation."""
        c = tables.tasks.c
        with self._reading() as connection:
            return list(connection.execute(select(c.id).where(c.job_id == job_id).order_by(c.sequence)).scalars())

    def find(self, job_id: str | None = None, states: Sequence[str] = (), limit: int = _SOME) -> list[Task]:
        """At most `limit` tasks in these states (see `counts`; none given: in all), of one job or of all jobs, in the
        order of their creation."""
        c = tables.tasks.c
        with self._reading() as connection:
            state = _state(connection)
            where: list[ColumnElement[bool]] = [state.in_(states)] if states else []
            if states and not set(states) & set(_ENDED):  # an index finds the few that are not completed
                where.append(c.done.is_(None))
            if job_id is not None:
                where.append(c.job_id == job_id)
            query = select(c.body).where(*where).order_by(c.sequence).limit(limit)
            return [store.tasks.decode(connection, body) for body in connection.execute(query).scalars()]

    def after(
        self,
        job_id: str,
        task_id: str,
        where: Sequence[ColumnElement[bool]] = (),
        some: int = _SOME,
        only: str | None = None,
    ) -> Iterator[tuple[str, Task | None]]:
        """The job's tasks whose ids come after that one (""; all) and that meet the conditions, in the order of their
        ids, `some` at a time; and now and then, with None, an id up to which no other does. `only`: no other id can."""
        c = tables.tasks.c
        width = 4 * _SOME
        while True:
            began = time.monotonic()
            with self._reading() as connection:
                ahead = [c.job_id == job_id, c.id > task_id, *([c.id == only] if only is not None else ())]
                end = None
                if where:  # it may be met by few of a million, and whoever asks may not wait for that
                    ids = select(c.id).where(*ahead).order_by(c.id)
                    end = connection.execute(ids.offset(width).limit(1)).scalar()
                if end is not None:
                    ahead.append(c.id <= end)
                query = select(c.id, c.body).where(*ahead, *where)
                rows = connection.execute(query.order_by(c.id).limit(some)).all()
                took = time.monotonic() - began
                found = [store.tasks.decode(connection, body) for _, body in rows]
            yield from ((task.id, task) for task in found)
            if len(rows) == some:
                task_id = rows[-1][0]
            elif end is None:
                return
            else:
                yield end, None
                task_id = end
            width = width * 4 if took < _FAST else max(_SOME, width // 4) if took > _SLOW else width

    def stream(self) -> Iterator[Task]:
        """All tasks in the order of their creation, some at a time: as of one moment, and never all in memory."""
        c = tables.tasks.c
        with self._reading() as connection:
            bodies = connection.execution_options(yield_per=_SOME).execute(select(c.body).order_by(c.sequence))
            for body in bodies.scalars():
                yield store.tasks.decode(connection, body)


def _state(connection: Connection) -> ColumnElement[str]:
    c = tables.tasks.c
    return case(
        (c.done.is_(None), _text(connection, "state", TaskState.ACTIVE)),
        (c.done.op("&")(int(Done.SUCCEEDED)) != 0, "succeeded"),
        else_="failed",
    )


def _text(connection: Connection, name: str, default: str) -> ColumnElement[str]:
    """A property that is left out when it has its default."""
    return func.coalesce(store.field(connection, tables.tasks.c.body, name), str(default))


def _real(connection: Connection, name: str) -> ColumnElement[float]:
    return cast(store.field(connection, tables.tasks.c.body, name), Double)
