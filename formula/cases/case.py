"""A case of a case file, read and complete: what the formula sees, and what it must decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..embedded import FormulaText
from ..samples import DEFAULT_PERIOD, TimeSeries
from .expectations import DiagnosticExpectation, Expectation

#: How case files are named.
SUFFIX = ".formula-test"


class CaseFileError(ValueError):
    """A case file that cannot be used. `problems`: one line each, `file:line: what and cure`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Step:
    """The formula runs at each of `times` (seconds since the epoch, UTC), and each run meets the expectations.

    `pool`: what is told of the pool from here on.
    """

    line: int
    times: tuple[float, ...]
    pool: dict[str, float] = field(default_factory=dict)
    expectations: list[Expectation] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """One test. `series` may reach beyond `now`: a run sees the samples up to its own time.

    `findings_expected`: what the linter must say of the formula.
    """

    file: str
    line: int
    name: str
    formula: FormulaText
    now: float
    period: float = DEFAULT_PERIOD
    seed: int | None = None
    pool: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, TimeSeries] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    findings_expected: tuple[DiagnosticExpectation, ...] = ()


@dataclass(frozen=True)
class CaseFile:
    """`text`: what the file holds."""

    file: str
    text: str
    cases: tuple[Case, ...]
