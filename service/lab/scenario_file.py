"""Reading a scenario file: all that is wrong with it is told at once, its formulas included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..cursor import Cursor
from ..decoding import decode
from ..positions import read_document
from ..printable import printable
from ..problems import InputError, Place, Problems
from .amounts import with_amounts
from .formulas import NamedFormula, formulas_of, with_formula_groups
from .scenario import Scenario
from .scenario_checks import ScenarioChecks


@dataclass(frozen=True)
class LoadedScenario:
    """`base`: what its paths are relative to; `warnings`: lines for people; `trace_place`: where the file of its trace
    is named, if it has one."""

    spec: Scenario
    name: str
    path: Path
    base: Path
    formulas: tuple[NamedFormula, ...]
    warnings: tuple[str, ...] = ()
    trace_place: Place | None = None


def load_scenario(path: Path) -> LoadedScenario:
    """The file, and the formulas that it names; the trace that it may name is read by `arranged`. Raises
    InputError."""
    document = read_document(path)
    problems = Problems()
    root = with_formula_groups(with_amounts(document.root, problems))
    spec = decode(root, Scenario, problems)
    cursor = Cursor(root)
    ScenarioChecks(cursor, problems).run()
    formulas = formulas_of(Cursor(document.root), path.parent, document.lines, problems)
    if problems.errors or spec is None:
        raise InputError(document.file, problems.errors)
    trace = cursor.find("workload", "trace", "file")
    warnings = sorted(problems.warnings, key=lambda found: found.place)
    return LoadedScenario(
        spec,
        spec.name or printable(path.stem),
        path,
        path.parent,
        formulas,
        tuple(warning.render(document.file) for warning in warnings),
        None if trace is None else trace.place,
    )
