"""Makes parse_tables.json from grammar.lark: `python -m formula.make_tables`, after every change of the grammar.

lark reads the grammar and computes the tables; `shift_reduce` runs them. So a formula is checked without lark, whose
import and tables cost more than all the rest of a short check.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .shift_reduce import TABLES

GRAMMAR = Path(__file__).with_name("grammar.lark")


def tables() -> str:
    """The text of parse_tables.json: terminals, rules and states, one on each line."""
    from lark import Lark
    from lark.lexer import BasicLexer, PatternStr

    lark = Lark.open(str(GRAMMAR), parser="lalr", lexer="basic", maybe_placeholders=False)
    lexer: Any = lark.parser.lexer
    assert isinstance(lexer, BasicLexer)
    for terminal in lark.terminals:
        assert isinstance(terminal.pattern, PatternStr) or not terminal.pattern.flags, terminal
    terminals = [[terminal.name, terminal.pattern.to_regexp()] for terminal in lexer.terminals]

    table: Any = lark.parser.parser._parse_table  # there is no public way to them
    # Numbers in the order of a walk through the states: the same in every run, whatever lark's own are.
    start = table.start_states["start"]
    walk, rules = {start: 0}, dict[Any, int]()
    states: list[dict[str, int]] = []
    waiting = [start]
    for state in waiting:
        row: dict[str, int] = {}
        for symbol, (action, argument) in sorted(table.states[state].items(), key=lambda item: str(item[0])):
            if action.name != "Shift":
                row[symbol] = ~rules.setdefault(argument, len(rules))
                continue
            if argument not in walk:
                walk[argument] = len(walk)
                waiting.append(argument)
            row[symbol] = walk[argument]
        states.append(row)
    return _lines(
        {
            "ignored": sorted(lark.ignore_tokens),
            "end": walk[table.end_states["start"]],
            "terminals": terminals,
            "rules": [_rule(rule) for rule in rules],
            "states": states,
        }
    )


def _rule(rule: Any) -> list[Any]:
    """[symbol, method of the tree builder, whether one child stands for itself, what becomes of each part].

    A part is kept (k), left out (-), or gives its children instead of itself (c): a symbol with a leading `_`.
    """
    name = rule.origin.name
    parts = ""
    for symbol in rule.expansion:
        if symbol.is_term:
            parts += "-" if symbol.filter_out else "k"
        else:
            parts += "c" if symbol.name.startswith("_") else "k"
    return [str(name), str(rule.alias or name), bool(rule.options.expand1 and not rule.alias), parts]


def _lines(content: dict[str, Any]) -> str:
    parts = []
    for key, value in content.items():
        if isinstance(value, list) and key != "ignored":
            rows = ",\n".join(json.dumps(row) for row in value)
            parts.append(f'"{key}": [\n{rows}\n]')
        else:
            parts.append(f'"{key}": {json.dumps(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    TABLES.write_text(tables(), encoding="utf-8")
