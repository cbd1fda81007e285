"""TOML as the same tree as YAML. `tomllib` tells no places; they are looked up in the text, line by line.

What is found so is the line of each `name = value` and each `[table]`; what stands inside of an inline table or list
has the place of its line.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from .positions import Document, Listing, Mapping, Scalar, Tree
from .problems import InputError, Place, Problem

_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ENTRY = re.compile(rf"\s*({_DOTTED})\s*=\s*")

_Path = tuple[str, ...]


def parse_toml(text: str, file: str) -> Document:
    """Raises InputError."""
    lines = re.split(r"\r\n|\n", text)
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        at = _AT.search(str(exc))
        place = Place(int(at[1]), int(at[2])) if at is not None else Place()
        raise InputError(file, [Problem(place, "", f"is not valid TOML: {_AT.sub('', str(exc)).strip()}")]) from None
    return Document(file, text, _tree(plain, (), (Place(1, 1), Place(1, 1)), _places(lines)), lines)


def _tree(value: Any, path: _Path, at: tuple[Place, Place], places: dict[_Path, tuple[Place, Place]]) -> Tree:
    """`at`: where the name and the value stand, unless the text tells better."""
    _, place = places.get(path, at)
    if isinstance(value, dict):
        entries: dict[str, tuple[Place, Tree]] = {}
        for name, each in value.items():
            inner = (*path, name)
            entries[name] = (places.get(inner, (place, place))[0], _tree(each, inner, (place, place), places))
        return Mapping(entries, place)
    if isinstance(value, list):
        items = (_tree(each, (*path, str(number)), (place, place), places) for number, each in enumerate(value))
        return Listing(tuple(items), place)
    if isinstance(value, bool):
        return Scalar(str(value).lower(), "", place)
    return Scalar(str(value), "" if isinstance(value, int | float) else '"', place)


def _places(lines: list[str]) -> dict[_Path, tuple[Place, Place]]:
    """Where the names and values stand, by their path. A guess where a text of several lines looks like TOML."""
    found: dict[_Path, tuple[Place, Place]] = {}
    table: _Path = ()
    for number, line in enumerate(lines, start=1):
        header, entry = _TABLE.match(line), _ENTRY.match(line)
        if header is not None:
            table = _names(header[1])
            place = Place(number, header.start(1) + 1)
            found.setdefault(table, (place, place))
        elif entry is not None:
            names = (*table, *_names(entry[1]))
            found.setdefault(names, (Place(number, entry.start(1) + 1), Place(number, entry.end() + 1)))
    return found


def _names(dotted: str) -> _Path:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_KEY, dotted))
