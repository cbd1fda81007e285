"""The journal: changes are committed here, one transaction a batch, before any command leaves; and read back.

The writer is one controller. Readers, in other processes too, see whole batches only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec

from pools import (
    WRITES,
    Boot,
    Change,
    Changes,
    JournalError,
    Node,
    Pool,
    RecordedRun,
    explained,
    folded,
    open_database,
    vacuum,
    without_collector,
)

from .gone_ids import Gone
from .model import ApplicationPackage, Job, JobNode, JobSchedule, Output
from .retention_store import Forgetting
from .stored import Stored
from .task_model import Task, TaskKey

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from .store import Kept

R = TypeVar("R", bound=msgspec.Struct)

__all__ = ["Journal", "JournalError", "open_journal"]


def open_journal(url: str, *, upgrade: bool = True) -> Journal:
    """The journal in the database of this URL (see `open_database`).

    `upgrade`: make or migrate its tables. False is for those who only read, and must not change what a
    controller works on. Raises JournalError, also if the database is of a newer version.
    """
    engine = open_database(url)
    from . import migrations

    try:
        if upgrade:
            migrations.migrate(engine)
        else:
            migrations.require(engine)
    except BaseException:
        engine.dispose()
        raise
    return Journal(engine)


class Journal:
    """Every method may raise JournalError. Safe to call from several threads."""

    def __init__(self, engine: Engine) -> None:
        # Brings SQLAlchemy: whoever imports this module for the error alone does not wait for it.
        from . import store
        from .past import Past
        from .task_store import TaskQueries

        self._engine = engine
        self._store = store
        #: counts and finds tasks without reading them all
        self.task_queries = TaskQueries(self._reading, engine)
        #: what was kept of pools, also of those that have gone
        self.past = Past(self._reading)
        self._writers = {name: kept.writer(engine.dialect) for name, kept in store.ALL.items()}
        self._order = {name: place for place, name in enumerate(store.ALL)}
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        #: removes what is too old
        self.forgetting = Forgetting(self._reading, self._writing)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._engine.dispose()

    # -- write ---------------------------------------------------------------------------------------------

    def commit(self, changes: Iterable[Change]) -> None:
        """Write all changes or none; a record that is None removes its row.

        After a JournalError the same changes may be committed again. (Should the connection to a server break
        in the very answer to COMMIT, all may have been written; committing again is right then too.)
        """
        by_table = (changes if isinstance(changes, Changes) else Changes.of(changes)).by_table
        if not any(by_table.values()):
            return
        with self._writing() as connection:
            for name in sorted(by_table, key=self._order.__getitem__):
                self._writers[name].write(connection, by_table[name])

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._lock, explained(self._engine):
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(**WRITES)
            with self._connection.begin():
                yield self._connection

    # -- read ----------------------------------------------------------------------------------------------

    def load(self, since: float) -> Stored:
        """Everything that the core works with; samples from the Instant `since` on, oldest first."""
        s = self._store
        time, tasks = s.samples.table.c.time, s.tasks.table.c
        with self._reading() as connection, without_collector():
            jobs = {job.id: job for job in s.jobs.read(connection)}
            unfinished = s.tasks.read(connection, tasks.done.is_(None), order=[tasks.sequence])
            return Stored(
                pools={pool.id: pool for pool in s.pools.read(connection)},
                nodes={node.id: node for node in s.nodes.read(connection)},
                jobs=jobs,
                tasks={task.key: task for task in unfinished},
                done=s.done(connection, [job.id for job in jobs.values() if job.end_time is None]),
                totals=s.totals(connection),
                sequence=s.last_sequence(connection),
                job_nodes={node.key: node for node in s.job_nodes.read(connection, s.of_living_jobs())},
                gone={each.key: each for each in s.gone.read(connection, s.gone.table.c.task_id == "")},
                job_schedules={schedule.id: schedule for schedule in s.job_schedules.read(connection)},
                applications={(a.application_id, a.version): a for a in s.applications.read(connection)},
                samples=tuple(s.samples.read(connection, time >= since, order=[time])),
            )

    def output(
        self, owner: str, parent_id: str, id: str, stream: str, attempt: int | None = None
    ) -> Output | None:
        """Of an attempt; None: of the last one that has left any."""
        with self._reading() as connection:
            return self._store.output(connection, (owner, parent_id, id), stream, attempt)

    def output_sizes(self, owner: str, parent_id: str, id: str) -> dict[int, dict[str, int]]:
        """How many bytes were printed, by attempt and stream, oldest first; see Output.size."""
        with self._reading() as connection:
            return self._store.output_sizes(connection, (owner, parent_id, id))

    def output_files(self) -> set[str]:
        """The names of all files that outputs stand in."""
        file = self._store.outputs.table.c.file
        with self._reading() as connection:
            return set(self._store.outputs.column(connection, file, file.is_not(None)))

    def job_schedule(self, schedule_id: str) -> JobSchedule | None:
        """Its id may be in another case (see pools/spellings.py)."""
        return self._named(self._store.job_schedules, schedule_id)

    def job_schedules(self) -> list[JobSchedule]:
        schedules = self._store.job_schedules
        with self._reading() as connection:
            return schedules.read(connection, order=[schedules.table.c.id])

    def applications(self) -> list[ApplicationPackage]:
        applications = self._store.applications
        with self._reading() as connection:
            return applications.read(connection, order=[applications.table.c.id, applications.table.c.version])

    def vacuum(self) -> None:
        """See `pools.vacuum`."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            vacuum(self._engine)

    def job(self, job_id: str) -> Job | None:
        """Its id may be in another case (see pools/spellings.py)."""
        return self._named(self._store.jobs, job_id)

    def _named(self, kept: Kept[R], wanted: str) -> R | None:
        column = kept.table.c.id
        with self._reading() as connection:
            found = kept.read(connection, column == wanted)
            found = found or kept.read(connection, self._store.same_id(column, wanted))
        return found[0] if found else None

    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        jobs = self._store.jobs
        with self._reading() as connection:
            return jobs.read(connection, order=[jobs.table.c.created, jobs.table.c.id])

    def tasks(self, job_id: str) -> list[Task]:
        """The job's tasks in the order of their creation."""
        tasks = self._store.tasks
        with self._reading() as connection:
            return tasks.read(connection, tasks.table.c.job_id == job_id, order=[tasks.table.c.sequence])

    def job_nodes(self, job_id: str) -> list[JobNode]:
        """What the job's preparation and release tasks did, by node: also on those that are gone."""
        nodes = self._store.job_nodes
        with self._reading() as connection:
            return nodes.read(connection, nodes.table.c.job_id == job_id, order=[nodes.table.c.node_id])

    def deleted_tasks(self, job_id: str) -> set[str]:
        """The ids of those that were deleted of the job (and may be there again), in lower case."""
        c = self._store.gone.table.c
        with self._reading() as connection:
            return set(self._store.gone.column(connection, c.task_id, c.job_id == folded(job_id), c.task_id != ""))

    def forgotten_job(self, job_id: str) -> Gone | None:
        """That a job of this id was forgotten, however it is spelled (and it may be there again)."""
        c = self._store.gone.table.c
        with self._reading() as connection:
            found = self._store.gone.read(connection, c.job_id == folded(job_id), c.task_id == "")
        return found[0] if found else None

    def all_tasks(self) -> list[Task]:
        """Those of all jobs in the order of their creation."""
        tasks = self._store.tasks
        with self._reading() as connection:
            return tasks.read(connection, order=[tasks.table.c.sequence])

    def task(self, key: TaskKey) -> Task | None:
        """The task's id may be in another case (see pools/spellings.py)."""
        c = self._store.tasks.table.c
        with self._reading() as connection:
            found = self._store.tasks.read(connection, c.job_id == key[0], c.id == key[1])
            if not found:  # looks at all tasks of the job
                found = self._store.tasks.read(connection, c.job_id == key[0], self._store.same_id(c.id, key[1]))
        return found[0] if found else None

    def job_node(self, key: tuple[str, str]) -> JobNode | None:
        """What a job's preparation and release tasks do on a node, by (job id, node id)."""
        c = self._store.job_nodes.table.c
        with self._reading() as connection:
            found = self._store.job_nodes.read(connection, c.job_id == key[0], c.node_id == key[1])
        return found[0] if found else None

    def pool(self, pool_id: str) -> Pool | None:
        """Its id may be in another case (see pools/spellings.py)."""
        return self._named(self._store.pools, pool_id)

    def pools(self) -> list[Pool]:
        pools = self._store.pools
        with self._reading() as connection:
            return pools.read(connection, order=[pools.table.c.id])

    def nodes(self) -> list[Node]:
        """The nodes of all pools, by pool, oldest first."""
        nodes = self._store.nodes
        order = [nodes.table.c.pool_id, nodes.table.c.created, nodes.table.c.id]
        with self._reading() as connection:
            return nodes.read(connection, order=order)

    def nodes_of(self, pool_id: str) -> list[Node]:
        """The nodes of a pool, oldest first."""
        c = self._store.nodes.table.c
        with self._reading() as connection:
            return self._store.nodes.read(connection, c.pool_id == pool_id, order=[c.created, c.id])

    def autoscale_runs(self, pool_id: str | None = None) -> list[RecordedRun]:
        """Of one pool or of all, oldest first."""
        runs = self._store.autoscale_runs
        where = [] if pool_id is None else [runs.table.c.pool_id == pool_id]
        with self._reading() as connection:
            return runs.read(connection, *where, order=[runs.table.c.time, runs.table.c.pool_id])

    def boots(self) -> list[Boot]:
        """How long nodes took to come up, oldest first."""
        boots = self._store.boots
        with self._reading() as connection:
            return boots.read(connection, order=[boots.table.c.time, boots.table.c.node_id])

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One snapshot for all that is read in here."""
        with explained(self._engine), self._engine.connect() as connection:
            yield connection
