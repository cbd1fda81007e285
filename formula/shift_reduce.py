"""The parser: an LALR automaton over the tables that `make_tables` made of grammar.lark. Stateless."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

TABLES = Path(__file__).with_name("parse_tables.json")
_END = "$END"


class UnexpectedText(Exception):
    """The text is no formula from offset `place` on; `place` is the end of the text if that comes too early."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


class Token(NamedTuple):
    """A piece of text as the parser reads it. `kind`: its name in the grammar, "COMMENT" for a comment."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class _Rule(NamedTuple):
    symbol: str
    method: str
    #: A single child stands for itself; no node is built of it.
    transparent: bool
    #: What becomes of each part: k kept, - left out, c its children instead of itself.
    parts: str


class _Tables(NamedTuple):
    pattern: re.Pattern[str]
    ignored: frozenset[str]
    #: The state that is reached with the whole text.
    end: int
    #: For each state, from the first one, what a terminal or a symbol leads to: a state, or ~rule for a reduction.
    states: tuple[Mapping[str, int], ...]
    rules: tuple[_Rule, ...]
    #: For each rule the symbol, if all that the rule does is to call its only part by that name.
    renamed: tuple[str | None, ...]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    content = json.loads(TABLES.read_text(encoding="utf-8"))
    pattern = "|".join(f"(?P<{name}>{expression})" for name, expression in content["terminals"])
    rules = tuple(_Rule(*rule) for rule in content["rules"])
    return _Tables(
        re.compile(pattern),
        frozenset(content["ignored"]),
        content["end"],
        tuple(content["states"]),
        rules,
        tuple(rule.symbol if rule.transparent and rule.parts == "k" else None for rule in rules),
    )


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """The tokens and comments of text[start:end], without the blanks. Raises UnexpectedText where none begins."""
    scan = _tables().pattern.match
    place, stop = start, len(text) if end is None else end
    while place < stop:
        match = scan(text, place, stop)
        if match is None:
            raise UnexpectedText(place)
        kind = str(match.lastgroup)
        if kind != "BLANK":
            yield Token(kind, match.group(), place)
        place = match.end()


def parse_tokens(text: str, builder: object, start: int = 0, end: int | None = None) -> Any:
    """What `builder` makes of text[start:end]: it has a method for each rule of the grammar, given a list of children.

    Raises UnexpectedText at the first syntax error, and what the builder raises.
    """
    _, ignored, last, states, rules, renamed = _tables()
    methods: list[Callable[[list[Any]], Any]] = [getattr(builder, rule.method, _no_method) for rule in rules]
    stop = len(text) if end is None else end
    path = [0]
    values: list[Any] = []
    row = states[0]
    for token in _with_end(tokens(text, start, stop), stop):
        kind = token.kind
        if kind in ignored:
            continue
        while (action := row.get(kind)) is None or action < 0:
            if action is None:
                raise UnexpectedText(token.start)
            symbol = renamed[~action]
            if symbol is None:
                rule = rules[~action]
                symbol = rule.symbol
                first = len(values) - len(rule.parts)
                values[first:] = [_reduced(rule, values[first:], methods[~action])]
                del path[first + 1 :]
                path.append(states[path[-1]][symbol])
            else:
                # Most steps: a name is a primary is a product is a sum ...
                path[-1] = states[path[-2]][symbol]
            row = states[path[-1]]
            if path[-1] == last and kind == _END:
                return values[-1]
        path.append(action)
        values.append(token)
        row = states[action]
    raise AssertionError("the end of the text is a token that every state accepts or refuses")


def _with_end(found: Iterator[Token], stop: int) -> Iterator[Token]:
    yield from found
    yield Token(_END, "", stop)


def _reduced(rule: _Rule, parts: list[Any], method: Callable[[list[Any]], Any]) -> Any:
    """The value of a symbol: a node, or the list of its children if its name begins with `_`."""
    if rule.parts[:1] == "c":
        # A repetition hands its list on, so that a long one costs no more than its length.
        children = parts[0]
        rest = zip(parts[1:], rule.parts[1:], strict=True)
    else:
        children = []
        rest = zip(parts, rule.parts, strict=True)
    for value, part in rest:
        if part == "k":
            children.append(value)
        elif part == "c":
            children.extend(value)
    if rule.symbol[0] == "_":
        return children
    if rule.transparent and len(children) == 1:
        return children[0]
    return method(children)


def _no_method(children: list[Any]) -> Any:
    raise AssertionError("every rule that is neither transparent nor a repetition has a method")
