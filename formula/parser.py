"""Text to tree. A text without syntax errors takes one pass of the parser, any other goes to `recovery`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from .diagnostics import Diagnostic, DiagnosticList
from .shift_reduce import UnexpectedText, parse_tokens
from .source import Source
from .syntax import Statement
from .tree_builder import NestedTooDeep, TreeBuilder

#: Limits of the service.
MAX_LENGTH = 8192
MAX_STATEMENTS = 100

_BUILDER = TreeBuilder()


@dataclass(frozen=True)
class Parsed:
    """The statements of a text, with an `Unparsed` where one has a syntax error."""

    source: Source
    statements: tuple[Statement, ...]
    diagnostics: tuple[Diagnostic, ...]


def parse_statements(text: str, start: int = 0, end: int | None = None) -> tuple[Statement, ...]:
    """Parse text[start:end], which should be right; offsets are those of the whole text.

    Raises UnexpectedText at the first syntax error, and NestedTooDeep.
    """
    return cast("tuple[Statement, ...]", parse_tokens(text, _BUILDER, start, end))


def parse(source: Source) -> Parsed:
    """Never raises: what is wrong stands in the diagnostics (F1xx); the other statements are parsed."""
    from .recovery import parse_piecewise

    findings = DiagnosticList(source)
    text = source.text
    if len(text) > MAX_LENGTH:
        findings.add(
            "F100",
            MAX_LENGTH,
            len(text),
            f"the formula has {len(text)} characters, and {MAX_LENGTH} are allowed",
            "comments and blanks count too",
        )
        return Parsed(source, (), findings.sorted())
    try:
        statements = parse_statements(text)
    except (UnexpectedText, NestedTooDeep):
        statements = parse_piecewise(text, findings)
    if len(statements) > MAX_STATEMENTS:
        extra = statements[MAX_STATEMENTS]
        findings.add(
            "F101",
            extra.start,
            extra.end,
            f"the formula has {len(statements)} statements, and {MAX_STATEMENTS} are allowed",
        )
    return Parsed(source, statements, findings.sorted())
