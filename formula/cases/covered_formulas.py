"""Branch coverage of all formulas that cases ran, gathered from any number of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from ..explain import BranchPoint, Coverage
from .running import CaseResult


class CoverageRecord(TypedDict):
    """What one case met, as plain values: `places` of all branches of the formula, and the numbers of those met."""

    name: str
    text: str
    places: list[str]
    met: list[int]


@dataclass(frozen=True)
class FormulaCoverage:
    """What was met of one formula. `name`: its file, and its place there. `places`: of its branches."""

    name: str
    places: tuple[str, ...]
    coverage: Coverage

    @property
    def missed(self) -> list[tuple[str, BranchPoint]]:
        """The branches that nothing has met, each with its `file:line:column`."""
        met = self.coverage.met
        both = zip(self.places, self.coverage.points, strict=True)
        return [found for number, found in enumerate(both) if number not in met]

    def to_json(self) -> dict[str, Any]:
        return {
            "formula": self.name,
            "branches": len(self.coverage.points),
            "met": len(self.coverage.met),
            "percent": round(self.coverage.percent, 2),
            "missed": [
                {"place": place, "kind": point.kind, "text": point.text, "outcome": point.outcome}
                for place, point in self.missed
            ],
        }


def coverage_record(result: CaseResult) -> CoverageRecord | None:
    """None if the formula has a syntax error, or did not run."""
    if result.coverage is None:
        return None
    formula = result.case.formula
    name = f"{formula.file}#{formula.where}" if formula.where else formula.file
    first_line = formula.position(0)[0]
    if not formula.where and first_line > 1:
        # A case file may hold several formulas.
        name = f"{formula.file}:{first_line}"
    positions = [formula.position(point.start) for point in result.coverage.points]
    places = [f"{formula.file}:{line}:{column}" for line, column in positions]
    return {"name": name, "text": formula.text, "places": places, "met": sorted(result.coverage.met)}


class CoveredFormulas:
    """Grows with every record."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, tuple[str, ...]], FormulaCoverage] = {}

    def add(self, record: CoverageRecord | None) -> None:
        """Count what a case met."""
        if record is not None:
            name, text = record["name"], record["text"]
            entry = FormulaCoverage(name, tuple(record["places"]), Coverage(text))
            # One formula may have run with several values for its placeholders: its branches are the same.
            self._found.setdefault((name, entry.places), entry).coverage.merge(record["met"])

    @property
    def formulas(self) -> list[FormulaCoverage]:
        """By name."""
        return [self._found[key] for key in sorted(self._found)]

    @property
    def percent(self) -> float:
        """Of the branches of all formulas; 100 if they have none."""
        points = sum(len(item.coverage.points) for item in self.formulas)
        met = sum(len(item.coverage.met) for item in self.formulas)
        return 100.0 * met / points if points else 100.0

    def lines(self) -> list[str]:
        """The report for people."""
        told = []
        for item in self.formulas:
            met, points = len(item.coverage.met), len(item.coverage.points)
            told.append(f"{item.coverage.percent:5.1f} %  {item.name}: {met} of {points} branches")
            told += [f"         {place}: {point}" for place, point in item.missed]
        told.append(f"{self.percent:5.1f} %  of all branches")
        return told
