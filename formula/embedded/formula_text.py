"""A formula in a document, and where each of its characters stands there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..source import Source


class FormulaFileError(ValueError):
    """A document that cannot be read, or cannot hold a formula. The message names the place and the cure."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A placeholder of a template: `source` is what stands at document[start:end], such as `${var.most}`."""

    start: int
    end: int
    source: str

    @property
    def is_directive(self) -> bool:
        """Whether it steers what is written instead of being written: `%{ if ... }` of Terraform."""
        return self.source.startswith("%{")


class Notation(Protocol):
    """How a document writes one formula, at document[start:end]."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    def written(self, parts: Sequence[str | Hole], newline: str) -> Iterator[str]:
        """Ways to write another formula there, the best one first; whoever calls tries whether it reads the same."""


@dataclass(frozen=True)
class FormulaText:
    """`text`: the formula as the service would get it. `file`: the name of the document for messages.

    `where`: the path of the formula inside the document, such as `pools[0].autoScaleFormula`; empty if the document is
    a formula. `places`: for every character of the text, and for its end, the offset in the document; None if they are
    the same. `unknown`: the offsets of numbers in the text that stand for a template's placeholders.

    `holes`: all placeholders, by the text that stands for them. `notation`: how the document writes the formula; None
    if the document is a formula.
    """

    file: str
    text: str
    document: Source
    where: str = ""
    places: tuple[int, ...] | None = field(default=None, compare=False, repr=False)
    unknown: frozenset[int] = frozenset()
    holes: Mapping[str, Hole] = field(default_factory=dict, compare=False, repr=False)
    notation: Notation | None = field(default=None, compare=False, repr=False)

    def place(self, offset: int) -> int:
        """The offset in the document of an offset into the text."""
        if self.places is None:
            return offset
        return self.places[max(0, min(offset, len(self.places) - 1))]

    def position(self, offset: int) -> tuple[int, int]:
        """The (line, column) in the document of an offset into the text."""
        return self.document.position(self.place(offset))


def formulas_at(formulas: Iterable[FormulaText], where: str) -> list[FormulaText]:
    """The formula whose place in the document is `where`, else all whose place contains it."""
    known = list(formulas)
    return [formula for formula in known if formula.where == where] or [
        formula for formula in known if where in formula.where
    ]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A formula that the document computes in a way that cannot be followed, at document[start:end]."""

    start: int
    end: int
    where: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file with a formula, `name`, that the document names at `start`, relative to itself."""

    start: int
    where: str
    name: str


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """What a document holds. `looked_for`: what was searched, for whoever finds nothing. `files`: of a scenario."""

    document: Source
    formulas: tuple[FormulaText, ...]
    unreadable: tuple[Unreadable, ...]
    looked_for: str
    files: tuple[NamedFile, ...] = ()
