"""What is wrong with a user's file, with the place and the cure; all of it is said at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from .printable import printable


class Place(msgspec.Struct, frozen=True, order=True, gc=False):
    """Line and column, both counted from 1; line 0 stands for the whole file."""

    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.line}:{self.column}" if self.line else ""


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is the way to the property (`pools[0].startTask`), `text` says what is wrong and the cure, and
    `excerpt` shows it; `code`: as the Batch REST API calls it."""

    place: Place
    path: str
    text: str
    excerpt: str = ""
    warning: bool = False
    code: str = "InvalidPropertyValue"

    def render(self, file: str) -> str:
        name = printable(file)
        where = f"{name}:{self.place}" if self.place.line else name
        subject = f" {self.path}:" if self.path else ""
        kind = " warning:" if self.warning else ""
        lines = [f"{where}:{kind}{subject} {self.text}"]
        if self.excerpt:
            lines.append(self.excerpt)
        return "\n".join(lines)


class InputError(ValueError):
    """A file (or the environment) that cannot be used. Holds every problem, in the order of the text."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda problem: problem.place))
        super().__init__("\n".join(problem.render(file) for problem in self.problems))


class Problems:
    """Collects; errors and warnings alike."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def error(
        self, place: Place, path: str, text: str, excerpt: str = "", code: str = "InvalidPropertyValue"
    ) -> None:
        self._found.append(Problem(place, path, text, excerpt, code=code))

    def warn(self, place: Place, path: str, text: str) -> None:
        self._found.append(Problem(place, path, text, warning=True))

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self._found if not problem.warning]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self._found if problem.warning)
