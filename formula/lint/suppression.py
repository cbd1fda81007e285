"""Comments that silence findings: `// ebbtide: ignore F505`, and `// ebbtide: ignore-file F505`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..codes import CODES
from ..diagnostics import Diagnostic
from ..source import Source
from .rule import Report

# A string is skipped, for `//` in it begins no comment.
_COMMENT = re.compile(r'"[^"\r\n]*"|//[^\r\n]*')
_DIRECTIVE = re.compile(r"//\s*ebbtide:\s*ignore(?P<file>-file)?\b(?P<rest>.*)", re.IGNORECASE)
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

    def __init__(self, source: Source) -> None:
        self._source = source

    def hides(self, found: Diagnostic) -> bool:
        """Is the finding silenced? A comment at the end of any line that it covers does it, or one above the first."""
        if found.is_error or found.code not in self._by_code:
            return False
        lines = self._by_code[found.code]
        last = self._source.position(max(found.start, found.end - 1))[0]
        return None in lines or any(line in lines for line in range(found.line, last + 1))

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
