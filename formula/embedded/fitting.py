"""A changed formula inside of a document looks as the document's own lines do."""

from __future__ import annotations

import re

_HEAD = re.compile(r"\s*?(?:[\r\n]+(?=[ \t]*\S)|(?=\S)|\Z)")
_LINE_START = re.compile(r"^(?=[^\r\n])", re.M)


def fitted(old: str, new: str) -> str:
    """`new` with the blank lines around `old`, and indented as far as all of its lines were."""
    if not old.strip() or not new.strip():
        return new
    head, tail = _edges(old)
    new_head, new_tail = _edges(new)
    body = new[len(new_head) : len(new) - len(new_tail)]
    taken, given = _indent(new), _indent(old)
    if taken != given:
        body = re.sub(rf"^{re.escape(taken)}", "", body, flags=re.M) if taken else body
        body = _LINE_START.sub(given, body)
    return head + body + tail


def _edges(text: str) -> tuple[str, str]:
    """The blank lines before the first line that says something, and what follows its last word."""
    match = _HEAD.match(text)
    head = match[0] if match and match[0].endswith(("\n", "\r")) else ""
    return head, text[len(text.rstrip()) :]


def _indent(text: str) -> str:
    """The blanks that all lines begin with."""
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    first = min(lines, default="")
    last = max(lines, default="")
    length = 0
    while length < len(first) and first[length] in " \t" and first[length] == last[length : length + 1]:
        length += 1
    return first[:length]
