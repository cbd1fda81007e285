"""The outcome of one evaluation: targets, variables, and the results text of the service, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeAlias, cast

from .timestamps import format_interval, format_time
from .value_types import TimeInterval, Timestamp, Value
from .variables import DEALLOCATION_OPTION

JsonValue: TypeAlias = Any

INSUFFICIENT_DATA = "InsufficientSampleData"
EVALUATION_ERROR = "AutoScalingFormulaEvaluationError"

# From here on Python writes an exponent.
_WHOLE_LIMIT = 1e16


@dataclass(frozen=True, slots=True)
class EvaluationError:
    """Why the evaluation stopped. `values` are (name, value) pairs; Message says where and what."""

    code: str
    message: str
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        details = "; ".join(value for _, value in self.values)
        return f"{self.code}: {self.message}" + (f" ({details})" if details else "")

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "code": self.code,
            "message": self.message,
            "values": [{"name": name, "value": value} for name, value in self.values],
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of a formula. With an `error` the targets are those that the pool had before.

    `timestamp`: seconds since the epoch, UTC. `variables`: the formula's own variables; timestamps and
    intervals are marked as `Timestamp` and `TimeInterval`, vectors are tuples, newest sample first.
    `results`: the text that the service prints. `warnings`: sentences for people.
    """

    timestamp: float
    dedicated: int
    low_priority: int
    node_deallocation_option: str
    variables: Mapping[str, Value]
    results: str
    error: EvaluationError | None = None
    warnings: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, JsonValue]:
        """What `ebbtide formula eval --json` prints."""
        return {
            "timestamp": format_time(self.timestamp),
            "results": self.results,
            "error": self.error.to_json() if self.error else None,
            "targets": {
                "dedicated": self.dedicated,
                "lowPriority": self.low_priority,
                "nodeDeallocationOption": self.node_deallocation_option,
            },
            "variables": {name: value_to_json(value) for name, value in self.variables.items()},
        }


def format_number(value: float) -> str:
    """Without trailing zeros: 3, 0.5."""
    if abs(value) < _WHOLE_LIMIT and value == (whole := int(value)):
        return str(whole)
    if isfinite(value):
        return repr(float(value))
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def format_value(value: Value) -> str:
    """A value as the results text shows it."""
    if type(value) is float:
        return format_number(value)
    if isinstance(value, (Timestamp, TimeInterval)) and not isfinite(value):
        return format_number(value)
    if isinstance(value, Timestamp):
        return format_time(value)
    if isinstance(value, TimeInterval):
        return format_interval(value)
    if isinstance(value, str):
        return value
    if isinstance(value, (float, int)):
        return format_number(value)
    return "[" + ",".join(map(format_number, cast("tuple[float, ...]", value))) + "]"


def value_to_json(value: Value) -> JsonValue:
    """Numbers (NaN and infinities as text, which JSON lacks), arrays, text, ISO 8601, {"seconds": x}."""
    if isinstance(value, TimeInterval):
        return {"seconds": _json_number(value)}
    if isinstance(value, (Timestamp, str)):
        return format_value(value)
    if isinstance(value, (float, int)):
        return _json_number(value)
    return [_json_number(element) for element in cast("tuple[float, ...]", value)]


def _json_number(value: float) -> float | int | str:
    if abs(value) < _WHOLE_LIMIT and value == int(value):
        return int(value)
    return format_number(value) if value != value or abs(value) == float("inf") else float(value)


def results_text(targets: list[tuple[str, int]], option: str, variables: Mapping[str, Value]) -> str:
    """`name=value` joined with `;`: targets, the option, then the formula's own variables by name."""
    parts = [f"{name}={value}" for name, value in targets]
    parts.append(f"{DEALLOCATION_OPTION}={option}")
    parts.extend([f"{name}={format_value(variables[name])}" for name in sorted(variables)])
    return ";".join(parts)
