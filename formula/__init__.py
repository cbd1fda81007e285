"""The autoscale formula language: text in, targets out. Pure: no clock, no I/O, no cloud.

    formula = compile_formula("$TargetDedicatedNodes = min(4, $PendingTasks.GetSample(1));")
    evaluation = formula.evaluate(Samples(series={"$PendingTasks": TimeSeries([(0.0, 2)])}), now=30.0)
    evaluation.dedicated  # 2

    lint("a = 1 b = 2")[0].code  # "F105"; `check` leaves out what the rules of the linter find
    fix("a = 1 b = 2").text  # "a = 1; b = 2"

Passes: text -> `parser` -> `syntax` tree -> `checker` -> `compiler` -> one Python function -> `Evaluation`.
Operators, functions, methods and variables are tables (`operators`, `builtins_table`, `variables`) that all
passes read.

What most callers never need stands in packages of its own, each with its names in its `__init__`:
`formula.cases` (tests as text), `formula.embedded` (formulas inside documents), `formula.explain`, `formula.layout`,
`formula.reference`, `formula.replay`, `formula.starting_points`.
"""

from .codes import CODES, Code, Severity
from .diagnostics import Diagnostic, Edit, FormulaError
from .evaluation import Evaluation, EvaluationError
from .formula import Formula, check, compile_formula
from .lint import lint
from .lint.fixing import FixResult, apply_fixes, fix
from .parser import MAX_LENGTH, MAX_STATEMENTS
from .ranges import TargetRange, target_ranges
from .samples import DEFAULT_PERIOD, PoolValues, Samples, TimeSeries
from .samples_files import read_samples
from .samples_json import samples_from_json
from .source import Source
from .timestamps import format_time, parse_time
from .value_types import TimeInterval, Timestamp, Value
from .variables import METRICS

__all__ = [
    "CODES",
    "DEFAULT_PERIOD",
    "MAX_LENGTH",
    "MAX_STATEMENTS",
    "METRICS",
    "Code",
    "Diagnostic",
    "Edit",
    "Evaluation",
    "EvaluationError",
    "FixResult",
    "Formula",
    "FormulaError",
    "PoolValues",
    "Samples",
    "Severity",
    "Source",
    "TargetRange",
    "TimeInterval",
    "TimeSeries",
    "Timestamp",
    "Value",
    "apply_fixes",
    "check",
    "compile_formula",
    "fix",
    "format_time",
    "lint",
    "parse_time",
    "read_samples",
    "samples_from_json",
    "target_ranges",
]
