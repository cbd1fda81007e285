"""Formulas that an ARM template puts together: `[concat('...', parameters('most'), '...')]`, `[format('{0}', ...)]`.

Source: "Syntax and expressions in ARM templates", "String functions for ARM templates" of the Azure documentation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from .formula_text import Hole
from .templates import Part, Run

_MOST_DEPTH = 50

_TOKEN = re.compile(r"'(?:[^']|'')*'|[(\[{]|[)\]}]|,|[^'(\[{)\]},]+|'")
_STRING = re.compile(r"'(?:[^']|'')*'")
_CALL = re.compile(r"\s*([A-Za-z]\w*)\s*\(")
_REFERENCE = re.compile(r"(variables|parameters)\(\s*'((?:[^']|'')*)'\s*\)", re.I)
_FIELD = re.compile(r"\{\{|\}\}|\{(\d+)[^{}]*\}")


@dataclass(frozen=True, slots=True)
class ArmExpression:
    """`format_fields`: of `[format(...)]` each placeholder as its text writes it; `format_arguments`: the others."""

    parts: tuple[Part, ...]
    format_fields: tuple[tuple[Hole, str], ...] = ()
    format_arguments: str = ""

    def written(self, parts: Sequence[str | Hole]) -> str:
        """The expression for a changed formula, as it reads: with its brackets, without the escapes of JSON."""
        if self.format_arguments:
            fields = dict(self.format_fields)
            literal = "".join(
                part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else fields[part]
                for part in parts
            )
            return f"[format({_quoted(literal)}, {self.format_arguments})]"
        arguments = (_quoted(part) if isinstance(part, str) else part.source for part in parts if part)
        return f"[concat({', '.join(arguments)})]"


class _Span(NamedTuple):
    start: int
    end: int


def is_expression(text: str) -> bool:
    """Whether ARM computes a value instead of taking it as it stands; `[[` is an escaped bracket."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def reference(text: str) -> tuple[str, str] | None:
    """What `[variables('name')]` or `[parameters('name')]` refers to: ("variables", name)."""
    match = _REFERENCE.fullmatch(text[1:-1].strip())
    return (match[1].lower(), match[2].replace("''", "'")) if match else None


def read_expression(run: Run, end: int) -> ArmExpression:
    """`run`: the characters of the expression with its brackets. `end`: the offset in the document behind them."""
    reader = _Reader(run, end)
    inner = _Span(1, len(run.text) - 1)
    call = reader.call(inner)
    parts = tuple(reader.parts(inner, 0))
    if call is not None and call[0] == "format" and len(call[1]) > 1 and reader.fields:
        first, last = call[1][1], call[1][-1]
        return ArmExpression(parts, tuple(reader.fields), run.text[first.start : last.end].strip())
    return ArmExpression(parts)


class _Reader:
    def __init__(self, run: Run, end: int) -> None:
        self._text = run.text
        self._places = [*run.places, end]
        #: The placeholders of the outermost `format`.
        self.fields: list[tuple[Hole, str]] = []

    def parts(self, span: _Span, depth: int) -> list[Part]:
        span = self._trimmed(span)
        if _STRING.fullmatch(self._text, span.start, span.end):
            return [self._literal(span)]
        call = self.call(span)
        if call is not None and depth < _MOST_DEPTH:
            name, arguments = call
            if name == "concat":
                return [part for argument in arguments for part in self.parts(argument, depth + 1)]
            if name == "format" and (formatted := self._format(arguments, depth)) is not None:
                return formatted
        return [self._hole(span)]

    def call(self, span: _Span) -> tuple[str, list[_Span]] | None:
        """The function's name in lower case and its arguments, if the span is one call and nothing else."""
        match = _CALL.match(self._text, span.start, span.end)
        if match is None:
            return None
        arguments = [match.end()]
        depth = 1
        for token in _TOKEN.finditer(self._text, match.end(), span.end):
            if token[0] in "([{":
                depth += 1
            elif token[0] in ")]}":
                depth -= 1
                if depth == 0:
                    if self._text[token.end() : span.end].strip():
                        return None
                    arguments.append(token.end())
                    spans = pairwise(arguments)
                    return match[1].lower(), [_Span(start, after - 1) for start, after in spans]
            elif token[0] == "," and depth == 1:
                arguments.append(token.end())
        return None

    def _format(self, arguments: list[_Span], depth: int) -> list[Part] | None:
        """`format('...{0}...', a, ...)`; None if its first argument is computed."""
        literal = self._trimmed(arguments[0])
        if not _STRING.fullmatch(self._text, literal.start, literal.end):
            return None
        run = self._literal(literal)
        given = [self._trimmed(argument) for argument in arguments[1:]]
        parts: list[Part] = []
        done = 0
        for field in _FIELD.finditer(run.text):
            parts.append(Run(run.text[done : field.start()], run.places[done : field.start()]))
            done = field.end()
            if field[1] is None:
                parts.append(Run(field[0][0], run.places[field.start() : field.start() + 1]))
                continue
            argument = given[int(field[1])] if len(field[1]) < 4 and int(field[1]) < len(given) else None
            if argument is not None and _STRING.fullmatch(self._text, argument.start, argument.end):
                parts.append(self._literal(argument))
                continue
            source = self._text[argument.start : argument.end] if argument is not None else field[0]
            start = run.places[field.start()]
            hole = Hole(start, start + len(field[0]), source)
            parts.append(hole)
            if depth == 0:
                self.fields.append((hole, field[0]))
        parts.append(Run(run.text[done:], run.places[done:]))
        return parts

    def _literal(self, span: _Span) -> Run:
        characters: list[str] = []
        places: list[int] = []
        at = span.start + 1
        while at < span.end - 1:
            characters.append(self._text[at])
            places.append(self._places[at])
            at += 2 if self._text[at] == "'" else 1
        return Run("".join(characters), places)

    def _hole(self, span: _Span) -> Hole:
        return Hole(self._places[span.start], self._places[span.end], self._text[span.start : span.end])

    def _trimmed(self, span: _Span) -> _Span:
        text = self._text[span.start : span.end]
        start = span.start + len(text) - len(text.lstrip())
        return _Span(start, max(start, span.start + len(text.rstrip())))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
