"""JSON as a flat list of its values with their places, lenient as Azure's tools are: comments, line ends in strings.

The standard library's reader tells no places; and what is written back must differ in the formula only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..source import Source
from .formula_text import FormulaFileError

Path = tuple[str | int, ...]

_MOST_DEPTH = 200

_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]|//[^\r\n]*|/\*.*?\*/)*", re.S)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
_WORD = re.compile(r"[-+.\w]+")
_ESCAPE = re.compile(r'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])')
_BACKSLASH = re.compile(r"\\.", re.S)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A string, or a number, true, false or null, at document[start:end]. `path`: keys and indexes that lead there."""

    path: Path
    start: int
    end: int
    is_string: bool


@dataclass(frozen=True, slots=True)
class JsonString:
    """A string as it reads. `places`: the offset in the document of each character. `habits`: characters that the
    document writes as escapes, as it writes them.
    """

    text: str
    places: list[int]
    habits: Mapping[str, str] = field(default_factory=dict)


def decode_string(document: str, value: JsonValue) -> JsonString:
    """What a string reads as. Its escapes are valid: `json_values` has looked at them."""
    characters: list[str] = []
    places: list[int] = []
    habits: dict[str, str] = {}
    at, end = value.start + 1, value.end - 1
    while at < end:
        escape = _ESCAPE.match(document, at, end) if document[at] == "\\" else None
        if escape:
            written = escape[0]
            character = _SURROGATE.sub("\ufffd", json.loads(f'"{written}"'))
            habits[character] = written
        else:
            written = "\r\n" if document.startswith("\r\n", at) else document[at]
            character = "\n" if written == "\r\n" else written
        characters.append(character)
        places.append(at)
        at += len(written)
    return JsonString("".join(characters), places, habits)


def encode_string(text: str, habits: Mapping[str, str]) -> str:
    """The text between two quotes. `habits`: how to write some characters; all else stands as it is, if it may."""
    return "".join(habits.get(character) or _escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in '"\\' or character < " ":
        return json.dumps(character)[1:-1]
    return character


def json_values(file: str, document: Source) -> Iterator[JsonValue]:
    """Every scalar value of a JSON document, in order. Raises FormulaFileError where it is not JSON."""
    return _Reader(file, document).values()


class _Reader:
    def __init__(self, file: str, document: Source) -> None:
        self._file = file
        self._document = document
        self._text = document.text
        self._at = 0
        # One entry for each open bracket: the key or index of the value that is read there.
        self._path: list[str | int] = []

    def values(self) -> Iterator[JsonValue]:
        self._next()
        while True:
            opened = self._peek()
            if opened in ("{", "["):
                self._open(opened)
                if self._next() == ("}" if opened == "{" else "]"):
                    self._path.pop()
                    self._at += 1
                else:
                    self._key()
                    continue
            else:
                yield self._scalar()
            if not self._another():
                return

    def _another(self) -> bool:
        """Go to the next value, over commas and closing brackets; False at the end of the document."""
        while self._path:
            close = "]" if isinstance(self._path[-1], int) else "}"
            found = self._next()
            if found == ",":
                self._at += 1
                if self._next() != close:  # a comma before the bracket is one too many, and forgiven
                    self._step()
                    return True
                found = close
            if found != close:
                raise self._error(f"expected `,` or `{close}`")
            self._at += 1
            self._path.pop()
        if self._next():
            raise self._error("expected the end of the document")
        return False

    def _open(self, bracket: str) -> None:
        if len(self._path) >= _MOST_DEPTH:
            raise self._error(f"nested deeper than {_MOST_DEPTH}")
        self._path.append("" if bracket == "{" else 0)
        self._at += 1

    def _step(self) -> None:
        last = self._path[-1]
        if isinstance(last, int):
            self._path[-1] = last + 1
        else:
            self._key()

    def _key(self) -> None:
        if isinstance(self._path[-1], int):
            return
        key = self._string("a property name in double quotes")
        self._path[-1] = decode_string(self._text, key).text
        if self._next() != ":":
            raise self._error("expected `:`")
        self._at += 1
        self._next()

    def _scalar(self) -> JsonValue:
        if self._peek() == '"':
            return self._string("a value")
        match = _WORD.match(self._text, self._at)
        if match is None:
            raise self._error("expected a value")
        self._at = match.end()
        return JsonValue(tuple(self._path), match.start(), match.end(), False)

    def _string(self, wanted: str) -> JsonValue:
        match = _STRING.match(self._text, self._at)
        if match is None:
            raise self._error("the string is not closed" if self._peek() == '"' else f"expected {wanted}")
        for escape in _BACKSLASH.finditer(self._text, match.start(), match.end()):
            if not _ESCAPE.match(self._text, escape.start()):
                self._at = escape.start()
                raise self._error(f"there is no escape {escape[0]!r}".replace("\\\\", "\\"))
        self._at = match.end()
        return JsonValue(tuple(self._path), match.start(), match.end(), True)

    def _next(self) -> str:
        """Go over blanks and comments."""
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._peek()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _error(self, what: str) -> FormulaFileError:
        line, column = self._document.position(self._at)
        found = repr(self._peek()) if self._peek() else "the end"
        told = what if what.startswith(("nested", "there", "the string")) else f"{what}, found {found}"
        return FormulaFileError(f"{self._file}:{line}:{column}: is not JSON: {told}")
