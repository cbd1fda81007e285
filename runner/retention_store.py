"""Removes from the journal what nobody wants any more, a bounded batch at a time: a commit of the controller waits for
one batch at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Rows in one transaction.
BATCH = 2000
#: Seconds between two of them.
_PAUSE = 0.002
#: Whose outputs go with a job.
_OWNERS = ("task", "jobpreparation", "jobrelease")
#: Whose do not.
_OF_NODES = ("starttask", "node")

Opened = Callable[[], AbstractContextManager["Connection"]]


class KeptOfJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal holds of a job."""

    tasks: int
    outputs: int
    #: bytes of outputs that stand in the journal
    inline: int
    #: names of those that stand in files
    files: tuple[str, ...]


class DatabaseSize(msgspec.Struct, frozen=True, kw_only=True):
    """In bytes. `free`: pages that hold nothing and are used again before the database grows."""

    total: int
    free: int


class Forgetting:
    """`reading` and `writing` open a transaction each."""

    def __init__(self, reading: Opened, writing: Opened) -> None:
        self._reading = reading
        self._writing = writing

    def kept_of_job(self, job_id: str) -> KeptOfJob:
        from sqlalchemy import func, select

        from . import tables

        tasks, outputs = tables.tasks.c, tables.outputs.c
        ours = (outputs.owner.in_(_OWNERS), outputs.parent_id == job_id)
        with self._reading() as connection:
            count = connection.execute(select(func.count()).where(tasks.job_id == job_id)).scalar_one()
            number, inline = connection.execute(
                select(func.count(), func.sum(func.length(outputs.data))).where(*ours)
            ).one()
            files = connection.execute(select(outputs.file).where(*ours, outputs.file.is_not(None))).scalars()
            return KeptOfJob(tasks=count, outputs=number, inline=inline or 0, files=tuple(files))

    def forget_tasks(self, job_id: str) -> None:
        """The tasks of a completed job go, and what is kept of their outputs."""
        from . import tables

        tasks, outputs = tables.tasks, tables.outputs
        self._in_batches(tasks, tasks.c.id, tasks.c.job_id == job_id)
        for owner in _OWNERS:
            self._in_batches(outputs, outputs.c.id, outputs.c.owner == owner, outputs.c.parent_id == job_id)

    def forget_older(self, table: str, before: float, *, dry_run: bool = False) -> int:
        """Rows of samples, autoscale_runs, planner_passes or boots that are older than this Instant go; how many."""
        from sqlalchemy import func, select

        from . import store

        kept = store.ALL[table].table
        with self._reading() as connection:
            count = connection.execute(select(func.count()).where(kept.c.time < before)).scalar_one()
        if not dry_run and count:
            self._in_batches(kept, kept.c.time, kept.c.time < before)
        return int(count)

    def forget_node_outputs(self, before: float, *, dry_run: bool = False) -> int:
        """What start tasks and consoles printed before this Instant, of nodes that are gone, goes; how many streams.
        (Those that are large lie in files, which no record names then.)"""
        from sqlalchemy import Double, cast, func, select

        from . import store, tables

        outputs = tables.outputs
        with self._reading() as connection:
            kept = cast(store.field(connection, outputs.c.body, "kept"), Double)
            there = select(store.nodes.table.c.id)
            where = [outputs.c.id.not_in(there), func.coalesce(kept, 0.0) < before]
            owned = [(outputs.c.owner == owner, *where) for owner in _OF_NODES]
            count = sum(
                connection.execute(select(func.count()).select_from(outputs).where(*each)).scalar_one()
                for each in owned
            )
        for each in owned if count and not dry_run else ():
            self._in_batches(outputs, outputs.c.id, *each)
        return count

    def size(self) -> DatabaseSize:
        from sqlalchemy import text

        with self._reading() as connection:
            if connection.dialect.name != "sqlite":
                total = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
                return DatabaseSize(total=total, free=0)
            pages, free, size = (
                connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
            return DatabaseSize(total=pages * size, free=free * size)

    def _in_batches(self, table: Any, column: Any, *where: Any) -> None:
        """`column` tells the rows apart, nearly: what shares its value goes in the same transaction."""
        from sqlalchemy import delete, select

        some = select(column).where(*where).limit(BATCH)
        while True:
            with self._writing() as connection:
                gone = connection.execute(delete(table).where(*where, column.in_(some))).rowcount
            if gone <= 0:
                return
            time.sleep(_PAUSE)  # a lock is not fair: who waits for it gets it now
