"""Text of a formula without comments and line ends."""

from __future__ import annotations

import re

from ..expression_types import bare
from ..source import Source
from ..syntax import Expression

_TOKENS = re.compile(r'("[^"]*")|(?://[^\r\n]*|\s)+')


def one_line(text: str) -> str:
    """Strings stay as they are."""
    return _TOKENS.sub(lambda match: match[1] or " ", text).strip()


def source_text(source: Source, node: Expression) -> str:
    """The text of an expression without the parentheses around it."""
    node = bare(node)
    return one_line(source.text[node.start : node.end])
