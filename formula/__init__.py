"""The autoscale formula language: text in, targets out. Pure: no clock, no I/O, no cloud.

    formula = compile_formula("$TargetDedicatedNodes = min(4, $PendingTasks.GetSample(1));")
    evaluation = formula.evaluate(Samples(series={"$PendingTasks": TimeSeries([(0.0, 2)])}), now=30.0)
    evaluation.dedicated  # 2

    lint("a = 1 b = 2")[0].code  # "F105"; `check` leaves out what the rules of the linter find
    fix("a = 1 b = 2").text  # "a = 1; b = 2"

Passes: text -> `parser` -> `syntax` tree -> `checker` -> `compiler` -> one Python function -> `Evaluation`.
Operators, functions, methods and variables are tables (`operators`, `builtins_table`, `variables`) that all
passes read.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .codes import CODES, Code, Severity
from .diagnostics import Diagnostic, Edit, FormulaError
from .evaluation import Evaluation, EvaluationError
from .formula import Formula, check, compile_formula
from .lint import lint
from .lint.fixing import FixResult, fix
from .parser import MAX_LENGTH, MAX_STATEMENTS
from .ranges import TargetRange, target_ranges
from .samples import DEFAULT_PERIOD, PoolValues, Samples, TimeSeries
from .samples_files import read_samples
from .samples_json import samples_from_json
from .timestamps import format_time, parse_time
from .value_types import TimeInterval, Timestamp, Value
from .variables import METRICS

if TYPE_CHECKING:
    from .cases import (
        Case,
        CaseFile,
        CaseFileError,
        CaseResult,
        CoveredFormulas,
        case_files,
        coverage_record,
        failure_lines,
        failure_text,
        fill_placeholders,
        read_case_file,
        read_given,
        run_case,
        updated,
    )
    from .embedded import FormulaFileError, FormulaText
    from .explain import SampleView, StatementTrace, Trace, short_value, trace
    from .layout import format_formula
    from .replaying import Period, RecordedSeries, Recording, Replay, periods, read_recording, replay
    from .starting_points import STARTING_POINTS, starting_point

# Loaded when somebody asks for one of their names: most of those who check a formula never do.
_LATER = {
    **dict.fromkeys(("FormulaFileError", "FormulaText"), ".embedded"),
    "format_formula": ".layout",
    **dict.fromkeys(
        ("Period", "RecordedSeries", "Recording", "Replay", "periods", "read_recording", "replay"), ".replaying"
    ),
    **dict.fromkeys(("STARTING_POINTS", "starting_point"), ".starting_points"),
    **dict.fromkeys(("SampleView", "StatementTrace", "Trace", "short_value", "trace"), ".explain"),
    **dict.fromkeys(
        (
            "Case",
            "CaseFile",
            "CaseFileError",
            "CaseResult",
            "CoveredFormulas",
            "case_files",
            "coverage_record",
            "failure_lines",
            "failure_text",
            "fill_placeholders",
            "read_case_file",
            "read_given",
            "run_case",
            "updated",
        ),
        ".cases",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name], __name__), name)


__all__ = [
    "CODES",
    "DEFAULT_PERIOD",
    "MAX_LENGTH",
    "MAX_STATEMENTS",
    "METRICS",
    "STARTING_POINTS",
    "Case",
    "CaseFile",
    "CaseFileError",
    "CaseResult",
    "Code",
    "CoveredFormulas",
    "Diagnostic",
    "Edit",
    "Evaluation",
    "EvaluationError",
    "FixResult",
    "Formula",
    "FormulaError",
    "FormulaFileError",
    "FormulaText",
    "Period",
    "PoolValues",
    "RecordedSeries",
    "Recording",
    "Replay",
    "SampleView",
    "Samples",
    "Severity",
    "StatementTrace",
    "TargetRange",
    "TimeInterval",
    "TimeSeries",
    "Timestamp",
    "Trace",
    "Value",
    "case_files",
    "check",
    "compile_formula",
    "coverage_record",
    "failure_lines",
    "failure_text",
    "fill_placeholders",
    "fix",
    "format_formula",
    "format_time",
    "lint",
    "parse_time",
    "periods",
    "read_case_file",
    "read_given",
    "read_recording",
    "read_samples",
    "replay",
    "run_case",
    "samples_from_json",
    "short_value",
    "starting_point",
    "target_ranges",
    "trace",
    "updated",
]
