"""The autoscale formula language: text in, targets out. Pure: no clock, no I/O, no cloud.

    formula = compile_formula("$TargetDedicatedNodes = min(4, $PendingTasks.GetSample(1));")
    evaluation = formula.evaluate(Samples(series={"$PendingTasks": TimeSeries([(0.0, 2)])}), now=30.0)
    evaluation.dedicated  # 2

Passes: text -> `parser` -> `syntax` tree -> `checker` -> `compiler` -> one Python function -> `Evaluation`.
Operators, functions, methods and variables are tables (`operators`, `builtins_table`, `variables`) that all
passes read.
"""

from .codes import CODES, Code, Severity
from .diagnostics import Diagnostic, Edit, FormulaError
from .evaluation import Evaluation, EvaluationError
from .formula import Formula, check, compile_formula
from .lint import lint
from .parser import MAX_LENGTH, MAX_STATEMENTS
from .samples import DEFAULT_PERIOD, PoolValues, Samples, TimeSeries
from .samples_json import samples_from_json
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
    "Formula",
    "FormulaError",
    "PoolValues",
    "Samples",
    "Severity",
    "TimeInterval",
    "TimeSeries",
    "Timestamp",
    "Value",
    "check",
    "compile_formula",
    "format_time",
    "lint",
    "parse_time",
    "samples_from_json",
]
