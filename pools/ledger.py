"""Tables in memory that remember what changed: the core writes here, the journal commits what was written.

A batch of events is handled against the ledger; `take()` then hands out the last version of each changed
record, so a record that changed five times in a batch is written once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class Change(NamedTuple):
    """`record is None` means that the row goes."""

    table: str
    key: Any
    record: Any


class Ledger:
    """The set of changes since the last `take`, in the order in which each record first changed."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, Any], Any] = {}

    def note(self, table: str, key: Any, record: Any) -> None:
        self._changes[table, key] = record

    def take(self) -> tuple[Change, ...]:
        changes = tuple(Change(table, key, record) for (table, key), record in self._changes.items())
        self._changes.clear()
        return changes

    @property
    def dirty(self) -> bool:
        return bool(self._changes)


class Table(Generic[K, R]):
    """Records of one kind by key; every write is noted in the ledger."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.name = name
        self._ledger = ledger
        self._rows: dict[K, R] = {}

    def load(self, rows: dict[K, R]) -> None:
        """Fill from the store, without noting a change."""
        self._rows = rows

    def get(self, key: K) -> R | None:
        return self._rows.get(key)

    def __getitem__(self, key: K) -> R:
        return self._rows[key]

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(tuple(self._rows.values()))

    def put(self, key: K, record: R) -> R:
        self._rows[key] = record
        self._ledger.note(self.name, key, record)
        return record

    def remove(self, key: K) -> None:
        self._rows.pop(key, None)
        self._ledger.note(self.name, key, None)


class Log(Generic[K, R]):
    """Rows that are only ever added and not kept in memory (samples, autoscale runs, outputs)."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.name = name
        self._ledger = ledger

    def append(self, key: K, record: R) -> None:
        self._ledger.note(self.name, key, record)
