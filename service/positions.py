"""YAML (and JSON, which is nearly a part of it) as a tree that remembers where everything stands.

Scalars keep their text: what `1.0`, `no` or `012` means is decided by the type that is wanted, not by YAML's
guesses.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from .problems import InputError, Place, Problem

#: Limits against files that are no workload: bytes of the file, nesting, values after aliases are expanded.
MOST_BYTES = 32 * 1024 * 1024
MOST_DEPTH = 50
MOST_VALUES = 5_000_000

#: Or a backslash that stands for itself.
_SURROGATES = re.compile(r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str", "timestamp")
}

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """`style` is YAML's: "" plain, "'" or '"' quoted, "|" literal, ">" folded."""

    text: str
    style: str
    place: Place

    @property
    def is_null(self) -> bool:
        return not self.style and self.text in ("", "~", "null", "Null", "NULL")


class Listing(msgspec.Struct, frozen=True):
    items: tuple[Tree, ...]
    place: Place


class Mapping(msgspec.Struct, frozen=True):
    entries: dict[str, tuple[Place, Tree]]
    place: Place


Tree = Scalar | Listing | Mapping


@dataclass(frozen=True)
class Document:
    file: str
    text: str
    root: Tree
    lines: list[str] = field(repr=False)


def kind(tree: Tree) -> str:
    """What a value is, for messages."""
    if isinstance(tree, Listing):
        return "a list"
    if isinstance(tree, Mapping):
        return "a group of properties"
    return "nothing" if tree.is_null else f"{tree.text[:60]!r}"


def read_document(path: Path) -> Document:
    """Raises InputError."""
    return parse_document(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file in which a document may stand. Raises InputError."""
    file = str(path)

    def refuse(text: str, place: Place = Place()) -> InputError:  # noqa: B008 - frozen
        return InputError(file, [Problem(place, "", text)])

    try:
        if path.is_dir():
            raise refuse("is a folder; name the file in it")
        with open(path, "rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as exc:
        raise refuse(f"cannot be read: {exc.strerror or exc}") from None
    if len(data) > MOST_BYTES:
        raise refuse(f"is larger than {MOST_BYTES // 2**20} MiB; split it into several files")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        column = exc.start - data.rfind(b"\n", 0, exc.start)
        raise refuse("is not UTF-8 here; save the file as UTF-8", Place(line, column)) from None
    return text


def parse_document(text: str, file: str) -> Document:
    """Raises InputError."""
    lines = re.split(r"\r\n|\n|\r", text)
    try:
        root = _Composer(yaml.parse(_as_yaml(text), Loader=_LOADER)).document()
    except _Refused as exc:
        raise InputError(file, [exc.problem]) from None
    except yaml.MarkedYAMLError as exc:
        raise InputError(file, [_syntax(exc, lines)]) from None
    except yaml.reader.ReaderError as exc:
        at = text[: exc.position] if isinstance(exc.position, int) else ""
        place = Place(at.count("\n") + 1, len(at) - at.rfind("\n"))
        raise InputError(
            file, [Problem(place, "", "a control character, which YAML does not allow")]
        ) from None
    return Document(file, text, root, lines)


def _as_yaml(text: str) -> str:
    """What JSON allows and YAML does not: indenting by tabs, and characters written as two surrogates."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    text = re.sub(r"(?m)^\t+", lambda match: " " * len(match.group()), text)
    return _SURROGATES.sub(lambda found: found[0] if found[0] == r"\\" else json.loads(f'"{found[0]}"'), text)


def _syntax(exc: yaml.MarkedYAMLError, lines: list[str]) -> Problem:
    mark = exc.problem_mark or exc.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark is not None else Place()
    text = exc.problem or str(exc)
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    if "\t" in line[: place.column] and not line[: place.column].strip():
        text = "indented by a tab; YAML wants blanks"
    elif exc.context and exc.context_mark is not None and mark is not exc.context_mark:
        text = f"{text} ({exc.context}, line {exc.context_mark.line + 1})"
    if "${" in line[: place.column] and '"' not in line:
        text += "; within { } and [ ] a text with `${...}` needs quotes"
    return Problem(place, "", f"is not valid YAML: {text}")


class _Refused(Exception):
    def __init__(self, place: Place, text: str) -> None:
        self.problem = Problem(place, "", text)


class _Composer:
    """Builds the tree from parser events, one level of Python per level of nesting."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._open: set[str] = set()
        self._values = 0

    def document(self) -> Tree:
        next(self._events)  # the stream's start
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _Refused(Place(), "is empty")
        root = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _Refused(_place(event), "a second document begins here; one file holds one document")
        return root

    def _node(self, event: Any, depth: int) -> Tree:
        place = _place(event)
        if depth > MOST_DEPTH:
            raise _Refused(place, f"is nested deeper than {MOST_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        before, name = self._values, event.anchor
        self._count(1, place)
        if name is not None:
            self._open.add(name)
        tree: Tree
        if event.tag is not None and event.tag not in _TAGS:
            raise _Refused(place, f"the tag {event.tag!r} means nothing here; leave it out")
        if isinstance(event, yaml.ScalarEvent):
            tree = Scalar(event.value, event.style or "", place)
        elif isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            tree = Listing(tuple(items), place)
        else:
            tree = Mapping(self._entries(depth), place)
        if name is not None:
            self._open.discard(name)
            self._anchors[name] = (tree, self._values - before)
        return tree

    def _alias(self, event: Any, place: Place) -> Tree:
        if event.anchor in self._open:
            raise _Refused(place, f"*{event.anchor} stands inside &{event.anchor}, which would never end")
        if event.anchor not in self._anchors:
            raise _Refused(
                place, f"*{event.anchor} stands for nothing; there is no &{event.anchor} before it"
            )
        tree, size = self._anchors[event.anchor]
        self._count(size, place)
        return tree

    def _count(self, values: int, place: Place) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise _Refused(place, f"holds more than {MOST_VALUES} values")

    def _entries(self, depth: int) -> dict[str, tuple[Place, Tree]]:
        entries: dict[str, tuple[Place, Tree]] = {}
        merged: list[Tree] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place = _place(event)
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                raise _Refused(place, "the name of a property must be text")
            if key.text == "<<" and not key.style:
                merged += value.items if isinstance(value, Listing) else (value,)
            elif key.text in entries:
                first = entries[key.text][0]
                raise _Refused(place, f"{key.text!r} stands here a second time (first in line {first.line})")
            else:
                entries[sys.intern(key.text)] = (place, value)
        for tree in merged:
            if not isinstance(tree, Mapping):
                raise _Refused(tree.place, "`<<` takes in a group of properties, and this is none")
            for name, entry in tree.entries.items():
                entries.setdefault(name, entry)
        return entries


def _place(event: Any) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)
