"""Where a string ends that holds `${...}`, which holds strings."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interpolation:
    """`in_string` finds what counts inside of a string: escapes, what opens a placeholder, the closing quote."""

    quote: str
    in_string: re.Pattern[str]

    def string_end(self, text: str, start: int) -> int:
        """Behind the closing quote of the string that begins at `start`; -1 if there is none."""
        at = start + 1
        while match := self.in_string.search(text, at):
            at = match.end()
            if match[0] == self.quote:
                return at
            if match[0] in ("${", "%{"):
                at = self.end(text, match.start())
        return -1

    def end(self, text: str, start: int) -> int:
        """Behind the `}` of the `${` or `%{` at `start`, over strings and braces; the end of the text without one."""
        opened = ["{"]
        at = start + 2
        in_code = re.compile(f"[{self.quote}{{}}]")
        while opened:
            match = (in_code if opened[-1] == "{" else self.in_string).search(text, at)
            if match is None:
                return len(text)
            at = match.end()
            found = match[0]
            if found in ("{", "${", "%{"):
                opened.append("{")
            elif found == "}" or (found == self.quote and opened[-1] == self.quote):
                opened.pop()
            elif found == self.quote:
                opened.append(self.quote)
        return at
