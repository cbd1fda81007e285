"""What a case expects of an evaluation: one class for each kind, each of which judges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..codes import CODES
from ..diagnostics import Diagnostic
from ..evaluation import Evaluation, format_value
from ..spelling import did_you_mean
from ..value_types import Value
from ..variables import DEALLOCATION_OPTION, TARGETS
from .expected_values import Tolerance, holds, read_value

_COMPARISON = re.compile(r"(\$?[A-Za-z_]\w*)\s*(==|!=|<=|>=|=|<|>)\s*(.*)", re.ASCII)
_TOLERANCE = re.compile(r"(.*?)\s*(?:\+-|±)\s*(\d+(?:\.\d+)?)\s*(%?)", re.ASCII)
_NAME = re.compile(r"\$?[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An expectation that was not met, as lines of a diff. `notes`: lines below it that explain."""

    line: int
    expectation: str
    expected: tuple[str, ...]
    actual: tuple[str, ...]
    notes: tuple[str, ...] = ()
    #: The variable that it is about, if one is.
    name: str | None = None
    #: What would be right in place of the expectation's last part, None if nobody can say.
    cure: str | None = None


class Expectation(Protocol):
    """`line`: in the case file. `text`: as written, without `expect`."""

    @property
    def line(self) -> int: ...
    @property
    def text(self) -> str: ...

    def judge(self, evaluation: Evaluation) -> Mismatch | None: ...


@dataclass(frozen=True, slots=True)
class ValueExpectation:
    """`NAME OPERATOR VALUE`. `value_text`: the value as written, where `--update` writes another."""

    line: int
    text: str
    name: str
    operator: str
    value: Value
    value_text: str
    tolerance: Tolerance = field(default=Tolerance())

    def judge(self, evaluation: Evaluation) -> Mismatch | None:
        values = values_of(evaluation)
        if self.name not in values:
            hint = did_you_mean(self.name, values)
            actual = f"{self.name} is not assigned" + (f"; {hint}" if hint else "")
            return Mismatch(self.line, self.text, (self.text,), (actual,))
        actual_value = values[self.name]
        notes: tuple[str, ...] = ()
        try:
            if holds(actual_value, self.operator, self.value, self.tolerance):
                return None
        except ValueError as reason:
            notes = (str(reason),)
        shown = format_value(actual_value)
        return Mismatch(
            self.line,
            self.text,
            (self.text,),
            (f"{self.name} = {shown}",),
            notes,
            self.name,
            shown if self.operator == "==" else None,
        )


@dataclass(frozen=True, slots=True)
class ResultsExpectation:
    """`results TEXT`: the results text of the service, byte for byte."""

    line: int
    text: str
    results: str

    def judge(self, evaluation: Evaluation) -> Mismatch | None:
        if evaluation.results == self.results:
            return None
        expected, actual = self.results.split(";"), evaluation.results.split(";")
        missing = tuple(part for part in expected if part not in actual)
        surplus = tuple(part for part in actual if part not in expected)
        # The same parts in another order: the order is what differs.
        lines = (missing, surplus) if missing or surplus else ((self.results,), (evaluation.results,))
        return Mismatch(self.line, self.text, *lines, cure=evaluation.results)


@dataclass(frozen=True, slots=True)
class ErrorExpectation:
    """`error [TEXT]`: the evaluation fails, and its code, message or details contain the text."""

    line: int
    text: str
    part: str

    def judge(self, evaluation: Evaluation) -> Mismatch | None:
        if evaluation.error is None:
            return Mismatch(self.line, self.text, (self.text,), (f"no error; {evaluation.results}",))
        if self.part in str(evaluation.error):
            return None
        return Mismatch(self.line, self.text, (self.text,), (f"error {evaluation.error}",))


@dataclass(frozen=True, slots=True)
class WarningExpectation:
    """`warning TEXT`: some warning of the evaluation contains the text. `no warnings`: there is none."""

    line: int
    text: str
    part: str | None

    def judge(self, evaluation: Evaluation) -> Mismatch | None:
        warnings = evaluation.warnings
        met = not warnings if self.part is None else any(self.part in warning for warning in warnings)
        if met:
            return None
        return Mismatch(self.line, self.text, (self.text,), tuple(warnings) or ("no warnings",))


@dataclass(frozen=True, slots=True)
class DiagnosticExpectation:
    """`diagnostic CODE [line N]`, `no diagnostic CODE`, `no diagnostics`: what the linter says of the formula.

    `no diagnostics` leaves aside what is only informational.
    """

    line: int
    text: str
    code: str | None
    formula_line: int | None = None
    present: bool = True

    def judge_findings(self, findings: Sequence[Diagnostic]) -> Mismatch | None:
        """Judge the formula's findings."""
        if self.code is None:
            matching = [found for found in findings if found.severity != "info"]
        else:
            matching = [
                found
                for found in findings
                if found.code == self.code and self.formula_line in (None, found.line)
            ]
        if bool(matching) == self.present:
            return None
        shown = matching if matching else findings
        actual = tuple(f"{found.code} line {found.line}: {found.message}" for found in shown)
        return Mismatch(self.line, self.text, (self.text,), actual or ("no diagnostics",))


def values_of(evaluation: Evaluation) -> dict[str, Value]:
    """Everything that an expectation can name: targets under each of their names, the option, and variables."""
    targets = {"target_dedicated": evaluation.dedicated, "target_low_priority": evaluation.low_priority}
    values: dict[str, Value] = {name: float(targets[target.field]) for name, target in TARGETS.items()}
    values[DEALLOCATION_OPTION] = evaluation.node_deallocation_option
    return {**values, **evaluation.variables}


def read_expectation(text: str, line: int) -> Expectation | DiagnosticExpectation:
    """What stands behind `expect`. Raises ValueError with the cure."""
    if comparison := _COMPARISON.fullmatch(text):
        return _value_expectation(text, line, *comparison.groups())
    word, _, rest = text.partition(" ")
    rest = rest.strip()
    match word:
        case "results":
            return ResultsExpectation(line, text, rest)
        case "error":
            return ErrorExpectation(line, text, _unquoted(rest))
        case "warning" | "diagnostic" if not rest:
            raise ValueError(f"write what {word} is expected: `expect warning TEXT`, `expect diagnostic F401`")
        case "warning":
            return WarningExpectation(line, text, _unquoted(rest))
        case "diagnostic":
            return _diagnostic(text, line, rest, present=True)
        case "no":
            return _absence(text, line, rest)
    if _NAME.fullmatch(word):
        raise ValueError(f"`expect {text}` compares nothing; write `expect {word} == 3`, or with != < <= > >=")
    raise ValueError(
        "behind `expect` stands a comparison (`$TargetDedicatedNodes == 3`), `results`, `error`, `warning`, "
        "`diagnostic` or `no ...`"
    )


def _value_expectation(text: str, line: int, name: str, operator: str, rest: str) -> ValueExpectation:
    tolerance = Tolerance()
    if match := _TOLERANCE.fullmatch(rest):
        rest, amount, percent = match[1], float(match[2]), bool(match[3])
        tolerance = Tolerance(amount / 100 if percent else amount, percent)
    if not rest:
        raise ValueError(f"`expect {text}`: the value is missing")
    return ValueExpectation(line, text, name, "==" if operator == "=" else operator, read_value(rest), rest, tolerance)


def _absence(text: str, line: int, rest: str) -> Expectation | DiagnosticExpectation:
    if rest == "warnings":
        return WarningExpectation(line, text, None)
    if rest == "diagnostics":
        return DiagnosticExpectation(line, text, None, present=False)
    word, _, code = rest.partition(" ")
    if word == "diagnostic" and code:
        return _diagnostic(text, line, code, present=False)
    raise ValueError("write `expect no warnings`, `expect no diagnostics` or `expect no diagnostic F501`")


def _diagnostic(text: str, line: int, rest: str, present: bool) -> DiagnosticExpectation:
    code, *place = rest.split()
    if code not in CODES:
        hint = did_you_mean(code, CODES) or "`ebbtide formula docs` lists them"
        raise ValueError(f"there is no diagnostic {code}; {hint}")
    if not place:
        return DiagnosticExpectation(line, text, code, present=present)
    if len(place) != 2 or place[0] != "line" or not (place[1].isascii() and place[1].isdigit()):
        raise ValueError(f"write it like `diagnostic {code} line 3`")
    return DiagnosticExpectation(line, text, code, int(place[1]), present)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
