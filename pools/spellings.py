"""Ids as their makers spelled them: upper and lower case tell none apart, and are kept (Batch REST API). Pure.

Records are held, stored and shown in the spelling that they were made with. Whoever names one may spell it otherwise:
that is turned into the first spelling at the door, and behind it ids are compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from .ledger import Ledger, Table

R = TypeVar("R")


def folded(name: str) -> str:
    """The same for all spellings of an id. (Ids are ASCII.)"""
    return name.lower()


def are_folded(names: Iterable[str]) -> bool:
    """Is none of them spelled otherwise?"""
    joined = "".join(names)
    return joined == folded(joined)


class Spellings:
    """Finds the spelling of ids that somebody else holds. One in lower case is its own, and costs nothing here."""

    def __init__(self, known: Callable[[str], bool]) -> None:
        """`known`: is there one that is spelled so?"""
        self._known = known
        self._others: dict[str, str] = {}

    def add(self, name: str) -> None:
        plain = folded(name)
        if plain != name:
            self._others[plain] = name

    def discard(self, name: str) -> None:
        plain = folded(name)
        if plain != name and self._others.get(plain) == name:
            del self._others[plain]

    def find(self, name: str) -> str | None:
        """How the one is spelled that `name` means; None: there is none."""
        if self._known(name):
            return name
        plain = folded(name)
        if plain != name and self._known(plain):
            return plain
        return self._others.get(plain)


class NamedTable(Table[str, R]):
    """Records by id."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        super().__init__(ledger, name)
        self._spellings = Spellings(self.__contains__)

    def spelled(self, name: str) -> str | None:
        """The id of the record that `name` means, however it is spelled; None: there is none."""
        return self._spellings.find(name)

    def load(self, rows: dict[str, R]) -> None:
        super().load(rows)
        for name in rows:
            self._spellings.add(name)

    def put(self, key: str, record: R) -> R:
        if key not in self:
            self._spellings.add(key)
        return super().put(key, record)

    def put_all(self, records: Mapping[str, R]) -> None:
        for key, record in records.items():
            self.put(key, record)

    def remove(self, key: str) -> None:
        super().remove(key)
        self._spellings.discard(key)
