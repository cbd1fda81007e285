"""The tables that the parser runs are those of the grammar, and give what lark gives."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark import Lark, Token, UnexpectedCharacters, UnexpectedToken

from formula.make_tables import GRAMMAR, tables
from formula.parser import parse_statements
from formula.shift_reduce import TABLES, UnexpectedText
from formula.shift_reduce import Token as OurToken
from formula.tree_builder import NestedTooDeep, TreeBuilder

from .test_properties import TEXTS


def test_the_tables_are_those_of_the_grammar() -> None:
    assert TABLES.read_text() == tables(), "python -m formula.make_tables makes them anew"


@cache
def by_lark() -> Lark:
    def ours(children: list[Any]) -> list[Any]:
        return [
            OurToken(child.type, str(child), child.start_pos or 0) if isinstance(child, Token) else child
            for child in children
        ]

    class Adapter:
        def __getattr__(self, rule: str) -> Any:
            method = getattr(TreeBuilder, rule)  # raises AttributeError: the rule has no method
            return lambda children: method(TreeBuilder(), ours(children))

    return Lark.open(
        str(GRAMMAR), parser="lalr", lexer="contextual", transformer=Adapter(), maybe_placeholders=False
    )


@settings(max_examples=400)
@given(TEXTS | st.text(st.sampled_from('aA$1.0eE"/+-*<>=!&|?:,;() \n\r\t'), max_size=12))
@example("x.5")
@example("!=")
@example("1..5")
@example("1.e5.e6")
@example("a = 1.5.5")
@example("a ! = b")
@example("1e5e5")
@example('"a//b" // "c')
@example("(" * 201 + "1" + ")" * 201)
def test_the_tree_and_the_place_of_the_first_error_are_those_of_lark(text: str) -> None:
    expected: object
    try:
        expected = by_lark().parse(text)
    except UnexpectedToken as unexpected:
        expected = len(text) if unexpected.token.type == "$END" else unexpected.pos_in_stream
    except UnexpectedCharacters as unexpected:
        expected = unexpected.pos_in_stream
    except NestedTooDeep as too_deep:
        expected = too_deep.start, too_deep.end
    got: object
    try:
        got = parse_statements(text)
    except UnexpectedText as unexpected:
        got = unexpected.place
        # Where the parser wants neither, lark takes the `.` of `.5` and the `!` of `!=` for tokens of their own.
        if re.compile(r"\.[0-9]|!=").match(text, got):
            assert expected in (got, got + 1)
            return
    except NestedTooDeep as too_deep:
        got = too_deep.start, too_deep.end
    assert got == expected


@given(st.text("a=1;(\n ", max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_a_part_of_a_text_is_parsed_as_if_the_rest_were_blank(text: str, start: int, length: int) -> None:
    end = min(len(text), start + length)
    start = min(start, end)
    alone = " " * start + text[start:end]

    def outcome(*arguments: Any) -> object:
        try:
            return repr(parse_statements(*arguments))  # the offsets too
        except UnexpectedText as unexpected:
            return unexpected.place

    assert outcome(text, start, end) == outcome(alone)
