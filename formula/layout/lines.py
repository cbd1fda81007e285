"""Tokens to lines: a group of tokens stands on one line if it fits, and is broken at all its places if not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from ..syntax import Statement
from .breaks import INDENT, Breaks
from .tokens import Tokens


class Layout:
    """The layout of one text that parsed."""

    def __init__(self, text: str, statements: Sequence[Statement]) -> None:
        self._tokens = Tokens(text)
        self._breaks = Breaks(self._tokens, statements)
        self._spans = [
            (self._tokens.at(statement.start), self._tokens.at(statement.end)) for statement in statements
        ]
        items, blank = self._tokens.items, self._breaks.blank
        # Where each token would end if all stood on one line, and how many so far have comments before them.
        widths = [len(blank[number]) + len(token.text) for number, token in enumerate(items)]
        self._ends = list(accumulate(widths))
        self._commented = list(accumulate(bool(token.comments) for token in items))

    def text(self, width: int | None, line_end: str) -> str:
        """The whole text; lines are broken to fit into `width` columns, None: only where comments demand it."""
        lines: list[str] = []
        for first, stop in [*self._spans, (len(self._tokens.items) - 1, 0)]:
            token = self._tokens.items[first]
            for comment in token.comments:
                if comment.trailing:
                    lines[-1] += f" {comment.text}"
                else:
                    if comment.after_blank and lines:
                        lines.append("")
                    lines.append(comment.text)
            if stop:
                if token.after_blank and lines:
                    lines.append("")
                lines.extend(self._statement(first, stop, width))
        return "".join(line + line_end for line in lines)

    def _statement(self, first: int, stop: int, width: int | None) -> list[str]:
        items, breaks = self._tokens.items, self._breaks
        broken: dict[int, bool] = {}
        around: list[int] = []  # the groups that the token is inside of
        lines: list[str] = []
        line, indent = "", 0
        for number in range(first, stop):
            token, group = items[number], breaks.group[number]
            while around and breaks.last[around[-1]] < number:
                around.pop()
            if number > first and (token.comments or (group is not None and broken[group])):
                # A comment ends its line wherever it stands, also where no line would end for its length.
                indent = breaks.indent[number] if group is not None else max(indent, INDENT)
                inside = indent + INDENT if token.text == ")" else indent
                for comment in token.comments:
                    if comment.trailing:
                        line += f" {comment.text}"
                    else:
                        lines.append(line)
                        line = " " * inside + comment.text
                lines.append(line)
                line = " " * indent
            elif number > first:
                line += breaks.blank[number]
            for opened in breaks.opened[number]:
                broken[opened] = (not around or broken[around[-1]]) and self._is_too_wide(
                    number, opened, stop, len(line), width, broken
                )
                around.append(opened)
            line += token.text
        lines.append(line + ";")
        return lines

    def _is_too_wide(
        self, first: int, group: int, stop: int, column: int, width: int | None, broken: dict[int, bool]
    ) -> bool:
        """Whether a group that begins in a column, and what must follow it on its line, passes the width."""
        last = self._breaks.last[group]
        if self._commented[last] > self._commented[first]:
            return True
        if width is None:
            return False
        begin = self._ends[first] - len(self._tokens.items[first].text)
        limit = width - column + begin
        while last + 1 < stop and self._ends[last] <= limit:
            following = self._breaks.group[last + 1]
            if self._tokens.items[last + 1].comments or (following is not None and broken.get(following)):
                return self._ends[last] > limit
            last += 1
        # The `;`, if the statement ends on this line.
        return self._ends[last] + 1 > limit
