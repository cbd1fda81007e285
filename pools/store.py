"""How records become rows and rows records; how those of pools and nodes are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Column, Connection, Dialect, LargeBinary, Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

from . import tables
from .database import JournalError, named
from .ledger import Prefix
from .model import Boot, Node, Pool
from .planner_passes import PlannerPass
from .recorded_runs import RecordedRun
from .sampling import Sample

R = TypeVar("R", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode
#: Values in one statement at most (older builds of SQLite take 999).
_MOST_VALUES = 600


class Kept(Generic[R]):
    """One kind of record in its table (see tables.py for how columns are filled)."""

    def __init__(self, table: Table, record: type[R]) -> None:
        self.table = table
        self.record = record
        self._decode = msgspec.json.Decoder(record).decode
        self._bytes = {c.name: None for c in table.columns if isinstance(c.type, LargeBinary)}
        copied = [c for c in table.columns if "source" in c.info]
        self._copied = _tuple_getter([c.info["source"] for c in copied])
        if list(table.columns) != [*table.primary_key.columns, *copied, table.c.body]:
            raise TypeError(f"table {table.name}: primary key first, then copied columns, body last")

    def rows(self, records: Mapping[Any, R | None]) -> list[tuple[Any, ...]]:
        """The values of all columns of those that are there, in the order in which they stand in the table."""
        some = [(key if type(key) is tuple else (key,), each) for key, each in records.items() if each is not None]
        copied = self._copied
        if self._bytes:
            bare = partial(msgspec.structs.replace, **self._bytes)
            return [(*key, *copied(record), _encode(bare(record)).decode()) for key, record in some]
        return [(*key, *copied(record), _encode(record).decode()) for key, record in some]

    def writer(self, dialect: Dialect) -> Writer:
        return Writer(self, dialect)

    def read(
        self, connection: Connection, *where: ColumnElement[bool], order: Sequence[Any] = (), most: int | None = None
    ) -> list[R]:
        """The records that fulfil all conditions, the first ones. Raises JournalError if one cannot be understood."""
        columns = [self.table.c.body, *(self.table.c[name] for name in self._bytes)]
        records = []
        for body, *data in connection.execute(select(*columns).where(*where).order_by(*order).limit(most)):
            record = self.decode(connection, body)
            if data:
                record = msgspec.structs.replace(record, **dict(zip(self._bytes, data, strict=True)))
            records.append(record)
        return records

    def decode(self, connection: Connection, body: str) -> R:
        """The record, without what stands in columns of bytes. Raises JournalError if it cannot be understood."""
        try:
            return self._decode(body)
        except msgspec.MsgspecError as exc:
            raise JournalError(
                f"{named(connection.engine.url)}, table {self.table.name}: {exc} in {body[:200]}; "
                "restore a backup, or use the version of ebbtide that wrote it"
            ) from exc

    def column(self, connection: Connection, of: Column[Any], *where: ColumnElement[bool]) -> Iterable[Any]:
        """One column of the rows that fulfil all conditions."""
        return connection.execute(select(of).where(*where)).scalars()

    def forget(self, connection: Connection, *where: ColumnElement[bool]) -> None:
        """Remove the rows that fulfil all conditions."""
        connection.execute(delete(self.table).where(*where))


def _tuple_getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    # what an enum's `value` gives, without the detour
    names = [name.removesuffix(".value") + "._value_" if name.endswith(".value") else name for name in names]
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda record: (only(record),)
    return attrgetter(*names) if names else lambda record: ()


class Writer:
    """Writes changed records of one kind: the SQL is compiled once, the driver gets plain tuples."""

    def __init__(self, kept: Kept[Any], dialect: Dialect) -> None:
        self._rows = kept.rows
        self._table = table = kept.table
        insert = postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)
        self._keys = keys = list(table.primary_key.columns)
        changed = {c.name: insert.excluded[c.name] for c in table.columns if not c.primary_key}
        upsert = insert.on_conflict_do_update(index_elements=keys, set_=changed)
        self._upsert = _compiled(upsert, dialect, [c.name for c in table.columns])
        #: rows of one statement at most: SQLite takes many at once in two thirds of the time, and lets other threads
        #: work meanwhile
        self._several = _MOST_VALUES // len(table.columns) if dialect.name == "sqlite" else 0
        self._upsert_of = cache(partial(_with_rows, self._upsert))
        gone = delete(table).where(*(c == bindparam(f"key_{c.name}", type_=c.type) for c in keys))
        self._delete = _compiled(gone, dialect, [f"key_{c.name}" for c in keys])

    def write(self, connection: Connection, records: Mapping[Any, Any]) -> None:
        """Let the table hold these records, by key; None: not any more."""
        rows = self._rows(records)
        gone = [key if isinstance(key, tuple) else (key,) for key, record in records.items() if record is None]
        for prefix in [key for key in gone if type(key) is Prefix]:
            # first: rows of the same beginning may have been made anew since
            gone.remove(prefix)
            columns = zip(self._keys, prefix.parts, strict=False)
            connection.execute(delete(self._table).where(*(column == part for column, part in columns)))
        if rows and self._several:
            self._write_several(connection, rows)
        elif rows:
            connection.exec_driver_sql(self._upsert, rows)
        if gone:
            connection.exec_driver_sql(self._delete, gone)


    def _write_several(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        # straight to the driver: what lies between takes as long as ten rows
        cursor = connection.connection.cursor()
        try:
            for at in range(0, len(rows), self._several):
                some = rows[at : at + self._several]
                cursor.execute(self._upsert_of(len(some)), tuple(chain.from_iterable(some)))
        finally:
            cursor.close()


def _with_rows(upsert: str, count: int) -> str:
    """The statement, which takes one row, for so many."""
    head, values, tail = upsert.partition(" VALUES (")
    row, closing, tail = tail.partition(")")
    if not (values and closing and set(row) <= set("?, ")):
        raise TypeError(f"{upsert} does not take one row")
    return f"{head} VALUES {', '.join([f'({row})'] * count)}{tail}"


def _compiled(statement: Any, dialect: Dialect, order: list[str]) -> str:
    compiled = statement.compile(dialect=dialect)
    if compiled.positiontup != order:
        raise TypeError(f"{compiled} takes {compiled.positiontup}, not {order}")
    return str(compiled)


pools = Kept(tables.pools, Pool)
nodes = Kept(tables.nodes, Node)
autoscale_runs = Kept(tables.autoscale_runs, RecordedRun)
planner_passes = Kept(tables.planner_passes, PlannerPass)
boots = Kept(tables.boots, Boot)
samples = Kept(tables.samples, Sample)
