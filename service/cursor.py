"""A place in a tree with the path that leads there; it can look at a file that is not wholly right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from .decoding import join
from .iso8601 import parse_duration
from .positions import Listing, Mapping, Scalar, Tree
from .problems import Place


@dataclass(frozen=True, slots=True)
class Cursor:
    tree: Tree
    path: str = ""

    @property
    def place(self) -> Place:
        return self.tree.place

    def get(self, name: str) -> Cursor | None:
        """The property, if it is there and not null."""
        if not isinstance(self.tree, Mapping) or name not in self.tree.entries:
            return None
        value = self.tree.entries[name][1]
        return None if isinstance(value, Scalar) and value.is_null else Cursor(value, join(self.path, name))

    def find(self, *names: str) -> Cursor | None:
        """The property of a property ..."""
        cursor: Cursor | None = self
        for name in names:
            cursor = cursor.get(name) if cursor is not None else None
        return cursor

    def key_place(self, name: str) -> Place:
        """Where the property's name stands."""
        return self.tree.entries[name][0] if isinstance(self.tree, Mapping) else self.place

    def each(self, name: str) -> list[Cursor]:
        """The items of a property that is a list."""
        value = self.get(name)
        if value is None or not isinstance(value.tree, Listing):
            return []
        return [Cursor(item, f"{value.path}[{index}]") for index, item in enumerate(value.tree.items)]

    def text(self, name: str) -> str | None:
        value = self.get(name)
        return value.tree.text if value is not None and isinstance(value.tree, Scalar) else None

    def whole(self, name: str, default: int) -> int:
        text = self.text(name)
        try:
            return int(text) if text is not None else default
        except ValueError:
            return default  # what is wrong with it has been said

    def true(self, name: str) -> bool:
        return (self.text(name) or "").strip().lower() == "true"

    def duration(self, name: str) -> timedelta | None:
        text = self.text(name)
        try:
            return parse_duration(text) if text is not None else None
        except ValueError:
            return None  # what is wrong with it has been said
