"""Text of a formula without comments and line ends."""

from __future__ import annotations

import re

_TOKENS = re.compile(r'("[^"]*")|(?://[^\r\n]*|\s)+')


def one_line(text: str) -> str:
    """Strings stay as they are."""
    return _TOKENS.sub(lambda match: match[1] or " ", text).strip()
