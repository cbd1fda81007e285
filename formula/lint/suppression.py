"""Comments that silence findings: `// ebbtide: ignore F505`, and `// ebbtide: ignore-file F505`.

A comment counts for its line, or for the next one with a statement if it stands alone, and for the whole of every
statement of which that line has a part: laying a formula out breaks statements over lines and must not change what is
silenced.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..codes import CODES
from ..diagnostics import Diagnostic
from ..source import Source
from ..syntax import Statement
from .rule import Report

# A string is skipped, for `//` in it begins no comment.
_COMMENT = re.compile(r'"[^"\r\n]*"|//[^\r\n]*')
_DIRECTIVE = re.compile(r"//\s*ebbtide:\s*ignore(?P<file>-file)?\b(?P<rest>.*)", re.IGNORECASE)
_SEMICOLON = re.compile(r"(?:\s|//[^\r\n]*)*;")
_CODE = re.compile(r"[\s,]*(?P<code>[A-Za-z]\d+)\b")


@dataclass(frozen=True, slots=True)
class Silenced:
    """One code in one comment. `line`: where it counts, None everywhere."""

    code: str
    start: int
    end: int
    line: int | None


class Suppression:
    """What the comments of a formula silence. Errors are never silenced: the service would still refuse or fail."""

    def __init__(self, source: Source, statements: Sequence[Statement]) -> None:
        self._source = source
        self._starts = [statement.start for statement in statements]
        self._ends = [statement.end for statement in statements]

    def hides(self, found: Diagnostic) -> bool:
        """Is the finding silenced, on one of its lines or on one of those of the statement in which it begins?"""
        if found.is_error or found.code not in self._by_code:
            return False
        lines = self._by_code[found.code]
        first, last = found.line, self._source.position(max(found.start, found.end - 1))[0]
        own = bisect_right(self._starts, found.start) - 1
        if own >= 0 and found.start <= self._ends[own]:
            first = self._source.position(self._starts[own])[0]
            semicolon = _SEMICOLON.match(self._source.text, self._ends[own])
            last = max(last, self._source.position(semicolon.end() if semicolon else self._ends[own])[0])
        return None in lines or any(line in lines for line in range(first, last + 1))

    def report(self, report: Report) -> None:
        """F599 for what silences nothing that there is."""
        for silenced in self._silenced:
            known = CODES.get(silenced.code)
            if known is None:
                missing = f"there is no code {silenced.code}"
                message = missing if silenced.code else "the comment names no code to ignore"
                report("F599", silenced.start, silenced.end, message, "write it as // ebbtide: ignore F505")
            elif known.severity == "error":
                message = f"{silenced.code} is an error, which cannot be ignored"
                report("F599", silenced.start, silenced.end, message, "mend it: the formula does not run with it")

    @cached_property
    def _by_code(self) -> dict[str, set[int | None]]:
        found: dict[str, set[int | None]] = {}
        for silenced in self._silenced:
            found.setdefault(silenced.code, set()).add(silenced.line)
        return found

    @cached_property
    def _silenced(self) -> tuple[Silenced, ...]:
        text = self._source.text
        if "ebbtide" not in text.lower():
            return ()
        return tuple(
            silenced
            for comment in _COMMENT.finditer(text)
            if (directive := _DIRECTIVE.fullmatch(comment[0]))
            for silenced in self._codes(comment.start(), directive)
        )

    def _codes(self, comment: int, directive: re.Match[str]) -> Iterator[Silenced]:
        line = None if directive["file"] else self._line(comment)
        at, rest = 0, directive["rest"]
        while code := _CODE.match(rest, at):
            start = comment + directive.start("rest") + code.start("code")
            yield Silenced(code["code"].upper(), start, start + len(code["code"]), line)
            at = code.end()
        if at == 0:
            yield Silenced("", comment, comment + len(directive[0]), line)

    def _line(self, comment: int) -> int:
        """The line that a comment speaks of: its own, or the next one with a statement if it stands alone."""
        number, column = self._source.position(comment)
        if self._source.text[comment - column + 1 : comment].strip():
            return number
        return self._next_statement[number - 1]

    @cached_property
    def _next_statement(self) -> list[int]:
        """For every line the next one that has more than a comment."""
        last = self._source.position(len(self._source.text))[0]
        found = [last]
        for number in range(last, 1, -1):
            shown = self._source.line(number).strip()
            found.append(found[-1] if not shown or shown.startswith("//") else number)
        return found[::-1]
