"""Other evaluators of expressions for Python, on the same four decisions. None of them knows samples: each is handed
`newest()`, `percent(seconds)` and `average(seconds)`, and computes the rest itself as far as it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .formula_cases import NOW, TARGET, Store

HOUR = NOW % 86400 // 3600
WEEKDAY = (NOW // 86400 + 4) % 7
Run = Callable[[], float]


@dataclass(frozen=True)
class Peer:
    """`prepare(source, look-ups)` compiles once, and raises ImportError if the peer is not installed. `sources` by name
    of the case; what is not there it cannot express.
    """

    name: str
    said: str
    prepare: Callable[[str, LookUps], Run]
    sources: dict[str, str]


class LookUps:
    """What the peers call, by hand over a store."""

    def __init__(self, store: Store) -> None:
        self._find, self._times, self._values, self._totals = store.by_hand

    def newest(self) -> float:
        return self._values[-1] if self._values else 0.0

    def _window(self, seconds: float) -> list[float]:
        first = self._find(self._times, NOW - seconds)
        return self._values[first : self._find(self._times, NOW, first)]

    def percent(self, seconds: float) -> float:
        return 100.0 * len(self._window(seconds)) / (seconds / 30.0)

    def average(self, seconds: float) -> float:
        window = self._window(seconds)
        return sum(window) / len(window)


def _functions(look_ups: LookUps) -> dict[str, Callable[..., float]]:
    return {
        "newest": look_ups.newest,
        "percent": look_ups.percent,
        "average": look_ups.average,
        "min": min,
        "max": max,
    }


def _simpleeval(source: str, look_ups: LookUps) -> Run:
    names = {"hour": HOUR, "weekday": WEEKDAY}
    evaluator = import_module("simpleeval").SimpleEval(functions=_functions(look_ups), names=names)
    parsed = evaluator.parse(source)
    return lambda: evaluator.eval(source, previously_parsed=parsed)


def _cel(source: str, look_ups: LookUps) -> Run:
    celpy = import_module("celpy")
    to_double = import_module("celpy.celtypes").DoubleType

    def wrapped(function: Callable[..., float]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            return to_double(function(*arguments))

        return call

    environment = celpy.Environment()
    functions = {name: wrapped(function) for name, function in _functions(look_ups).items()}
    program = environment.program(environment.compile(source), functions=functions)
    names = {"hour": to_double(HOUR), "weekday": to_double(WEEKDAY)}
    return lambda: program.evaluate(names)


def _restricted(source: str, look_ups: LookUps) -> Run:
    restricted = import_module("RestrictedPython")
    body = "".join(f"    {line}\n" for line in source.split("\n"))
    code = restricted.compile_restricted(f"def decide(now, target):\n{body}", "<decision>", "exec")
    names: dict[str, Any] = {"__builtins__": restricted.safe_builtins, **_functions(look_ups)}
    exec(code, names)
    decide = names["decide"]
    return lambda: decide(NOW, TARGET)


_EXPRESSIONS = {
    "simple": "min(10, newest())",
    "classic": "min(25, 1 if percent(180) < 70 else average(180))",
    "timeofday": "20 if hour >= 8 and hour < 18 and weekday >= 1 and weekday <= 5 else 10",
    "task15": "max(0, min(max(0, newest()) if percent(900) < 70 else max(newest(), average(900)), 20))",
}

PEERS = (
    Peer(
        "RestrictedPython",
        "whole programs, in Python's own bytecode; the hour by arithmetic",
        _restricted,
        {
            "simple": "return min(10, newest())",
            "classic": "share = percent(180)\npending = 1 if share < 70 else average(180)\nreturn min(25, pending)",
            "timeofday": "hour = now % 86400 // 3600\nweekday = (now // 86400 + 4) % 7\n"
            "return 20 if hour >= 8 and hour < 18 and weekday >= 1 and weekday <= 5 else 10",
            "task15": "share = percent(900)\n"
            "tasks = max(0, newest()) if share < 70 else max(newest(), average(900))\n"
            "wanted = tasks if tasks > 0 else target / 2\nreturn max(0, min(wanted, 20))",
        },
    ),
    Peer(
        "simpleeval",
        "one expression, parsed before; hour and weekday handed in, task15 without its variables and feedback",
        _simpleeval,
        _EXPRESSIONS,
    ),
    Peer(
        "cel-python",
        "one expression, parsed before; hour and weekday handed in, task15 without its variables and feedback",
        _cel,
        {
            "simple": "min(10.0, newest())",
            "classic": "min(25.0, percent(180.0) < 70.0 ? 1.0 : average(180.0))",
            "timeofday": "hour >= 8.0 && hour < 18.0 && weekday >= 1.0 && weekday <= 5.0 ? 20.0 : 10.0",
            "task15": "max(0.0, min(percent(900.0) < 70.0 ? max(0.0, newest())"
            " : max(newest(), average(900.0)), 20.0))",
        },
    ),
)
