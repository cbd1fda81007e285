"""What reading Terraform and Bicep has in common: formulas in strings, and by a name that the same file explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..source import Source
from .brace_documents import BraceDocument, Entry, Token
from .formula_text import DocumentReading, Notation
from .found import Found
from .paths import is_formula, rendered
from .templates import Part, Run


class StringText(NamedTuple):
    """What a string says; `end`: the offset in the document where its text ends."""

    parts: Sequence[Part]
    end: int
    notation: Notation
    #: It is all on one line; with nothing but placeholders it is no text but another way to write them.
    is_line: bool


@dataclass(frozen=True, slots=True)
class Language:
    """`tokens`: raises FormulaFileError. `referenced`: where the value may stand that an expression is a name of.
    `passed_over`: names in a path that lead nowhere. `string`: what the string of an entry says.
    """

    looked_for: str
    tokens: Callable[[str, Source], Iterator[Token]]
    referenced: Callable[[str], Iterable[tuple[str, ...]]]
    string: Callable[[str, Entry], StringText]
    passed_over: frozenset[str] = frozenset()


def read_braces(file: str, document: Source, language: Language) -> DocumentReading:
    """Raises FormulaFileError."""
    found = Found(file, document, language.looked_for)
    braces = BraceDocument(file, document, list(language.tokens(file, document)))
    entries = list(braces.entries())
    named = {entry.path: entry for entry in entries}
    for entry in entries:
        if is_formula([name for name in entry.path if name not in language.passed_over]):
            _add(found, braces, entry, named, language)
    return found.reading()


def _add(
    found: Found, braces: BraceDocument, entry: Entry, named: Mapping[tuple[str, ...], Entry], language: Language
) -> None:
    text = found.document.text
    where = rendered(entry.path)
    if not entry.is_string:
        end = braces.expression_end(entry.start)
        expression = text[entry.start : end]
        there = next((named[path] for path in language.referenced(expression) if path in named), None)
        if there is not None and there.start != entry.start and there.is_string:
            _add(found, braces, there, named, language)
        elif expression != "null":
            found.add_computed(where, entry.start, end)
    elif found.is_new(where, entry.start, entry.end):
        string = language.string(text, entry)
        if string.is_line and not any(isinstance(part, Run) and part.text.strip() for part in string.parts):
            found.add_computed(where, entry.start, entry.end)
        else:
            found.add(where, string.parts, string.end, string.notation)
