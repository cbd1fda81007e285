"""Text to tree. A text without syntax errors takes one pass of lark, any other goes to `recovery`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from .diagnostics import Diagnostic, DiagnosticList
from .source import Source
from .syntax import Statement
from .tree_builder import NestedTooDeep, TreeBuilder

if TYPE_CHECKING:
    from lark import Lark

#: Limits of the service.
MAX_LENGTH = 8192
MAX_STATEMENTS = 100


@dataclass(frozen=True)
class Parsed:
    """The statements of a text, with an `Unparsed` where one has a syntax error."""

    source: Source
    statements: tuple[Statement, ...]
    diagnostics: tuple[Diagnostic, ...]


@lru_cache(maxsize=1)
def grammar() -> Lark:
    """The parser, made at the first use: importing lark and building its tables takes 0.1 seconds."""
    from lark import Lark

    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        lexer="contextual",
        transformer=TreeBuilder(),
        maybe_placeholders=False,
    )


def parse_statements(text: str) -> tuple[Statement, ...]:
    """Parse a text that should be right.

    Raises lark's UnexpectedInput at the first syntax error, and NestedTooDeep.
    """
    return cast("tuple[Statement, ...]", grammar().parse(text))


def parse(source: Source) -> Parsed:
    """Never raises: what is wrong stands in the diagnostics (F1xx); the other statements are parsed."""
    from lark import UnexpectedInput

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
    except (UnexpectedInput, NestedTooDeep):
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
