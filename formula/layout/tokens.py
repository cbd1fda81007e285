"""The tokens of a text that parsed, and the comments between them."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from ..shift_reduce import tokens

_LINE_END = re.compile(r"\r\n|\n|\r")


def line_end(text: str) -> str:
    """The line end that the layout uses: the first one of the text."""
    first = _LINE_END.search(text)
    return "\r\n" if first and first.group() == "\r\n" else "\n"


@dataclass(frozen=True, slots=True)
class Comment:
    """`trailing`: it stands on the line of the token before it. `after_blank`: a blank line is before it."""

    text: str
    trailing: bool
    after_blank: bool


@dataclass(slots=True)
class Token:
    """`comments`: those between the token before this one and this one."""

    text: str
    start: int
    comments: tuple[Comment, ...]
    after_blank: bool


class Tokens:
    """The tokens of a text in order, without the `;`. The last one is empty, and carries the comments at the end."""

    def __init__(self, text: str) -> None:
        self.items: list[Token] = []
        comments: list[Comment] = []
        place = 0
        after_blank = fresh = False
        for found in tokens(text):
            ends = len(_LINE_END.findall(text, place, found.start))
            place = found.end
            after_blank |= ends > 1
            fresh |= ends > 0
            if found.kind == "COMMENT":
                trailing = not fresh and not comments and bool(self.items)
                comments.append(Comment(found.text.rstrip(" \t\f"), trailing, after_blank))
            elif found.kind == "_SEMICOLON":
                # What follows a `;` on its line belongs to the statement before it.
                fresh = fresh and bool(comments)
                continue
            else:
                self.items.append(Token(found.text, found.start, tuple(comments), after_blank))
                comments = []
            after_blank = fresh = False
        self.items.append(Token("", len(text), tuple(comments), after_blank))
        self._starts = [token.start for token in self.items]

    def at(self, offset: int) -> int:
        """The number of the first token at or behind an offset."""
        return bisect_left(self._starts, offset)
