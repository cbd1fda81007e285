"""Tables in memory that remember what changed: the core writes here, the journal commits what was written.

A batch of events is handled against the ledger; `take()` then hands out the last version of each changed
record, so a record that changed five times in a batch is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class Change(NamedTuple):
    """`record is None` means that the row goes; with a Prefix for a key, all rows whose keys begin so."""

    table: str
    key: Any
    record: Any


class Prefix(NamedTuple):
    """The first parts of a key: stands for all records whose keys begin with them."""

    parts: tuple[Any, ...]


class Changes:
    """What is to be committed together: the last version of each record that changed, by table and key. In a table they
    stand in the order in which they first changed."""

    __slots__ = ("by_table",)

    def __init__(self, by_table: Mapping[str, Mapping[Any, Any]]) -> None:
        self.by_table = by_table

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Changes:
        by_table: dict[str, dict[Any, Any]] = {}
        for table, key, record in changes:
            by_table.setdefault(table, {})[key] = record
        return cls(by_table)

    def __iter__(self) -> Iterator[Change]:
        for table, records in self.by_table.items():
            for key, record in records.items():
                yield Change(table, key, record)

    def __len__(self) -> int:
        return sum(map(len, self.by_table.values()))

    def __bool__(self) -> bool:
        return bool(self.by_table)


class Ledger:
    """The set of changes since the last `take`."""

    def __init__(self) -> None:
        self._changes: dict[str, dict[Any, Any]] = {}
        #: how often something was noted, ever
        self.noted = 0

    def note(self, table: str, key: Any, record: Any) -> None:
        self.noted += 1
        found = self._changes.get(table)
        if found is None:
            self._changes[table] = {key: record}
        else:
            found[key] = record

    def note_all(self, table: str, records: Mapping[Any, Any]) -> None:
        """Records by key."""
        self.noted += len(records)
        self._of(table).update(records)

    def _of(self, table: str) -> dict[Any, Any]:
        found = self._changes.get(table)
        if found is None:
            found = self._changes[table] = {}
        return found

    def purge(self, table: str, *parts: Any) -> None:
        """All records of the table go whose keys begin with these parts, also those that are not in memory; what is
        noted after this stays."""
        self.noted += 1
        changes = self._of(table)
        for stale in [key for key in changes if key[: len(parts)] == parts]:
            del changes[stale]
        changes[Prefix(parts)] = None

    def drops(self, table: str, key: tuple[Any, ...]) -> bool:
        """Will the record of that key, if there is one, go with the next `take`?"""
        changes = self._changes.get(table, {})
        if key in changes:
            return changes[key] is None
        return any(Prefix(key[:length]) in changes for length in range(1, len(key)))

    def take(self) -> Changes:
        taken, self._changes = self._changes, {}
        return Changes(taken)

    @property
    def dirty(self) -> bool:
        return bool(self._changes)


class Table(Generic[K, R]):
    """Records of one kind by key; every write is noted in the ledger."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.name = name
        self._ledger = ledger
        self._rows: dict[K, R] = {}
        #: the record of that key, or None; asked so often that the dictionary answers itself
        self.get: Callable[[K], R | None] = self._rows.get
        #: how many writes were noted, ever
        self.noted = 0

    def load(self, rows: dict[K, R]) -> None:
        """Fill from the store, without noting a change."""
        self._rows.clear()  # the same dictionary as before: others have its `get`
        self._rows.update(rows)

    def __getitem__(self, key: K) -> R:
        return self._rows[key]

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def has_none(self, keys: Set[K]) -> bool:
        """Is there no record of any of these keys?"""
        return self._rows.keys().isdisjoint(keys)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(tuple(self._rows.values()))

    def put(self, key: K, record: R) -> R:
        self._rows[key] = record
        self.noted += 1
        self._ledger.note(self.name, key, record)
        return record

    def put_all(self, records: Mapping[K, R]) -> None:
        """The same for many at once."""
        self._rows.update(records)
        self.noted += len(records)
        self._ledger.note_all(self.name, records)

    def hold(self, key: K, record: R) -> None:
        """Have a stored record in memory, without noting a change."""
        self._rows[key] = record

    def let_go(self, key: K) -> None:
        """Have a record in the store alone."""
        self._rows.pop(key, None)

    def remove(self, key: K) -> None:
        self._rows.pop(key, None)
        self.noted += 1
        self._ledger.note(self.name, key, None)


class Log(Generic[K, R]):
    """Rows that are only ever added and not kept in memory (samples, autoscale runs, outputs)."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.name = name
        self._ledger = ledger

    def append(self, key: K, record: R) -> None:
        self._ledger.note(self.name, key, record)

    def remove(self, key: K) -> None:
        self._ledger.note(self.name, key, None)

    def purge(self, *parts: Any) -> None:
        """All rows whose keys begin so go."""
        self._ledger.purge(self.name, *parts)
