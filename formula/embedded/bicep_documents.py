"""Formulas in Bicep: `autoScale: { formula: ... }`, in one line or in three quotes.

Source: "Data types in Bicep", strings, of the Azure documentation. What stands between three quotes is taken as it is,
`${...}` too, unless a `$` stands before the quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..source import Source
from .brace_documents import KINDS, Entry, Token
from .brace_reading import Language, StringText, read_braces
from .escapes import character, escaped
from .formula_text import DocumentReading, FormulaFileError, Hole
from .interpolation import Interpolation
from .line_writing import in_lines
from .templates import Part, Run

LOOKED_FOR = "`formula` in `autoScale`, or `autoScaleFormula`"

_TOKEN = re.compile(
    r"(?P<blank>[ \t\ufeff]+|//[^\r\n]*|#[^\r\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<newline>\r\n?|\n)"
    r"|(?P<lines>\$*''')"
    r"|(?P<quote>')"
    r"|(?P<word>[^\W\d][\w.]*)"
    r"|(?P<other>[=!<>]=|=>|::|[^={}\[\]():,'])"
    r"|(?P<is>[=:])|(?P<comma>,)|(?P<open>[\[{(])|(?P<close>[\]})])",
    re.S,
)
_SYNTAX = Interpolation("'", re.compile(r"\\.|\$\{|'", re.S))
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\(.)", re.S)
# `$` needs its escape only where a `{` follows.
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "'": "'", "\\": "\\"}
_ESCAPES = {**_PLAIN_ESCAPES, "$": "$"}
_NEWLINE = re.compile(r"\r\n?|\n")
_REFERENCE = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class LinesNotation:
    """`opening`: the quotes, with the `$` before them and the line end behind them."""

    start: int
    end: int
    opening: str

    def written(self, parts: Sequence[str | Hole], newline: str) -> Iterator[str]:
        text = in_lines(parts, newline)
        yield f"{self.opening}{text}'''"
        yield f"{self.opening.rstrip()}{newline}{text}'''"


@dataclass(frozen=True, slots=True)
class QuotedNotation:
    start: int
    end: int

    def written(self, parts: Sequence[str | Hole], newline: str) -> Iterator[str]:
        yield f"'{''.join(_quoted(part) if isinstance(part, str) else part.source for part in parts)}'"


def read_bicep(file: str, document: Source) -> DocumentReading:
    """Raises FormulaFileError."""
    return read_braces(file, document, Language(LOOKED_FOR, _tokens, _referenced, _string))


def _referenced(expression: str) -> Iterator[tuple[str, ...]]:
    if _REFERENCE.fullmatch(expression):
        yield from (("var", expression), ("param", expression))


def _string(text: str, entry: Entry) -> StringText:
    quotes = _opening(text, entry.start)
    if quotes is None:
        end = entry.end - 1
        parts = _quoted_parts(text, entry.start + 1, end)
        return StringText(parts, end, QuotedNotation(entry.start, entry.end), is_line=True)
    end = entry.end - 3
    newline = _NEWLINE.match(text, entry.start + len(quotes), end)
    opening = quotes + (newline[0] if newline else "")
    parts = _lines_parts(text, entry.start + len(opening), end, quotes.count("$"))
    return StringText(parts, end, LinesNotation(entry.start, entry.end, opening), is_line=False)


def _opening(text: str, start: int) -> str | None:
    match = _TOKEN.match(text, start)
    return match["lines"] if match else None


def _lines_parts(text: str, start: int, end: int, dollars: int) -> list[Part]:
    """What stands between three quotes: as it is but for `${...}`, with as many `$` as stand before the quotes."""
    parts: list[Part] = []
    characters: list[str] = []
    places: list[int] = []
    special = re.compile(r"\r\n?" + (r"|(?<!\$)" + r"\$" * dollars + r"\{" if dollars else ""))
    while True:
        match = special.search(text, start, end)
        until = match.start() if match else end
        characters += text[start:until]
        places += range(start, until)
        if match is None:
            return [*parts, Run("".join(characters), places)]
        if match[0][0] == "\r":
            characters.append("\n")
            places.append(until)
            start = match.end()
            continue
        start = min(_SYNTAX.end(text, match.end() - 2), end)
        parts += (Run("".join(characters), places), Hole(until, start, text[until:start]))
        characters, places = [], []


def _quoted_parts(text: str, start: int, end: int) -> list[Part]:
    parts: list[Part] = []
    characters: list[str] = []
    places: list[int] = []
    while start < end:
        if text.startswith("${", start):
            after = min(_SYNTAX.end(text, start), end)
            parts += (Run("".join(characters), places), Hole(start, after, text[start:after]))
            characters, places = [], []
            start = after
            continue
        escape = _ESCAPE.match(text, start, end)
        characters.append(_unescaped(escape) if escape else text[start])
        places.append(start)
        start = escape.end() if escape else start + 1
    return [*parts, Run("".join(characters), places)]


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return _ESCAPES.get(escape[2], escape[2])
    return character(escape[1])


def _quoted(text: str) -> str:
    return escaped(text, _PLAIN_ESCAPES).replace("${", "\\${")


def _tokens(file: str, document: Source) -> Iterator[Token]:
    text = document.text
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, "every character begins a token"
        start, at = match.span()
        kind = match.lastgroup or ""
        if kind == "lines":
            close = re.compile("'''").search(text, at)
            at = close.end() if close else -1
        elif kind == "quote":
            at = _SYNTAX.string_end(text, start)
        if at < 0:
            line, column = document.position(start)
            raise FormulaFileError(f"{file}:{line}:{column}: is not Bicep: the string is not closed")
        if kind in ("lines", "quote"):
            yield Token("string", start, at)
        elif kind in KINDS:
            yield Token(KINDS[kind], start, at)
    yield Token("end", len(text), len(text))
