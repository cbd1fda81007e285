"""Text and places in it. Passes carry offsets; lines, columns and carets are made here, at the edge."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

_LINE_END = re.compile(r"\r\n|\n|\r")


class Source:
    """The text of one formula. Offsets count characters from 0; lines and columns count from 1."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """The (line, column) of an offset; one behind the text is the place after its last character."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line without its line end."""
        start, *behind = self._line_starts[number - 1 : number + 1]
        return self.text[start : behind[0] if behind else None].rstrip("\r\n")

    def excerpt(self, start: int, end: int) -> str:
        """The line of `start` with carets under start..end (at least one, at most to the end of the line)."""
        number, column = self.position(start)
        line = self.line(number)
        width = max(1, min(end - start, len(line) - column + 1))
        # A tab stays a tab, so that the carets stand right whatever width the terminal gives it.
        lead = "".join("\t" if character == "\t" else " " for character in line[: column - 1])
        return f" | {line}\n | {lead}{'^' * width}"
