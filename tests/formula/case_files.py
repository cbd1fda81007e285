"""Reading the case files: `.cases` for diagnostics, `.series` for evaluations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from formula import PoolValues, Samples, TimeSeries, parse_time

HERE = Path(__file__).parent
#: The case files for findings of the linter.
FAMILIES = {"lint_samples": "F4", "lint_targets": "F5", "lint_other": "F6"}
#: The present of the cases.
NOW = parse_time("2026-01-05T12:00:00Z")
_EXPECTED = re.compile(r"\s*### ?(?P<codes>.*)$")


@dataclass(frozen=True)
class DiagnosticCase:
    name: str
    text: str
    #: (line, code) of each diagnostic, in order.
    expected: tuple[tuple[int, str], ...]
    #: What the codes begin with that the case is about; empty: everything that the checker finds.
    family: str = ""


def chunks(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The chunks of a file between lines of `---`, each with the place of its first line."""
    lines: list[str] = []
    first = 1
    for number, line in enumerate([*path.read_text().splitlines(), "---"], 1):
        if line == "---":
            yield f"{path.name}:{first}", lines
            lines, first = [], number + 1
        else:
            lines.append(line)


def diagnostic_cases() -> Iterator[DiagnosticCase]:
    for path in sorted((HERE / "cases").glob("*.cases")):
        for name, lines in chunks(path):
            expected: list[tuple[int, str]] = []
            text = []
            for number, line in enumerate(lines, 1):
                match = None if line.startswith("//") else _EXPECTED.search(line)
                if match:
                    expected.extend((number, code) for code in match["codes"].split())
                    line = line[: match.start()]
                text.append(line)
            yield DiagnosticCase(name, "\n".join(text), tuple(sorted(expected)), FAMILIES.get(path.stem, ""))


@dataclass
class SeriesCase:
    """A formula, what it sees, and the results or the error text that it must give."""

    name: str
    now: float = NOW
    period: float = 30.0
    pool: dict[str, float] = field(default_factory=dict)
    series: dict[str, TimeSeries] = field(default_factory=dict)
    formula: list[str] = field(default_factory=list)
    results: str | None = None
    error: str | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def samples(self) -> Samples:
        return Samples(self.period, self.series, PoolValues(**self.pool))

    def read(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word:
            case ">":
                self.formula.append(rest)
            case "=":
                self.results = rest
            case "!":
                self.error = rest
            case "~":
                self.warnings.append(rest)
            case "now":
                self.now = parse_time(rest)
            case "period":
                self.period = float(rest)
            case "pool":
                for setting in rest.split():
                    name, _, value = setting.partition("=")
                    self.pool[name] = float(value)
            case _ if word.startswith("$"):
                self.series[word] = self._series(rest)
            case _:
                assert not line.strip() or word == "//", f"{self.name}: {line!r}"

    def _series(self, text: str) -> TimeSeries:
        """Oldest first, the last one taken at `now`; `_` is a missing sample, `4x10` ten fours."""
        values: list[str] = []
        for token in text.split():
            value, _, times = token.partition("x")
            values.extend([value] * int(times or 1))
        return TimeSeries(
            (self.now - (len(values) - 1 - index) * self.period, float(value))
            for index, value in enumerate(values)
            if value != "_"
        )


def series_cases() -> Iterator[SeriesCase]:
    for path in sorted((HERE / "series").glob("*.series")):
        for name, lines in chunks(path):
            case = SeriesCase(name)
            for line in lines:
                case.read(line)
            yield case
