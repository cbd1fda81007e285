"""Documents of nested braces, Terraform's and Bicep's: which names lead to which value."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ..source import Source
from .formula_text import FormulaFileError

_MOST_DEPTH = 200

Kind = Literal["word", "string", "open", "close", "is", "comma", "newline", "other", "end"]
#: By the names that patterns of tokens give them.
KINDS: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind)}


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A value at document[start:end] and the names that lead there. `is_string`: it is a string and nothing else."""

    path: tuple[str, ...]
    start: int
    end: int
    is_string: bool


class BraceDocument:
    """The entries of a document. Raises FormulaFileError. The last token is of the kind "end"."""

    def __init__(self, file: str, document: Source, tokens: Sequence[Token]) -> None:
        self._file = file
        self._document = document
        self._tokens = tokens

    def entries(self) -> Iterator[Entry]:
        names: list[str] = []
        opened: list[int] = []  # how many names each open bracket brought
        header: list[str] = []  # the words of the line so far
        key: list[str] = []  # of the value that is read, until a bracket takes it over
        for number, token in enumerate(self._tokens):
            if token.kind in ("word", "string"):
                header.append(self._name(token))
                continue
            if token.kind == "is":
                # `param name type = ...` and `resource name 'type' = ...` of Bicep go by their first two words.
                key = header[:2]
                yield self._entry((*names, *key), number + 1)
            elif token.kind == "open":
                brought = key or header
                if len(opened) >= _MOST_DEPTH:
                    raise self._error(token.start, f"is nested deeper than {_MOST_DEPTH}")
                opened.append(len(brought))
                names += brought
            elif token.kind == "close" and opened:
                del names[len(names) - opened.pop() :]
            if token.kind != "other":
                header = []
            if token.kind not in ("other", "is"):
                key = []

    def _name(self, token: Token) -> str:
        text = self._document.text[token.start : min(token.end, token.start + 200)]
        return text.strip("\"'") if token.kind == "string" else text

    def _entry(self, path: tuple[str, ...], number: int) -> Entry:
        value, following = self._tokens[number], self._tokens[min(number + 1, len(self._tokens) - 1)]
        is_string = value.kind == "string" and following.kind in ("newline", "comma", "close", "end")
        return Entry(path, value.start, value.end, is_string)

    def expression_end(self, start: int) -> int:
        """Where the expression that begins at the offset ends: with its line, but for brackets that are open."""
        depth = 0
        end = start
        first = bisect_left(self._tokens, start, key=lambda token: token.start)
        for number in range(first, len(self._tokens)):
            token = self._tokens[number]
            if depth == 0 and token.kind in ("newline", "comma", "close", "end"):
                break
            depth += (token.kind == "open") - (token.kind == "close")
            end = token.end
        return end

    def _error(self, at: int, what: str) -> FormulaFileError:
        line, column = self._document.position(at)
        return FormulaFileError(f"{self._file}:{line}:{column}: {what}")
