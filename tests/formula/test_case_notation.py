"""The notation of case files: samples, lengths of time, values, comparisons."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formula import TimeInterval, Timestamp
from formula.cases.durations import format_duration, parse_duration
from formula.cases.expected_values import Tolerance, holds, read_value
from formula.cases.series_notation import read_series, read_values

SERIES = [
    ("", [], 0),
    ("4", [4], 1),
    ("4 _ 0.5", [4, None, 0.5], 3),
    ("4x3 _x2", [4, 4, 4, None, None], 5),
    ("4x1m _x30s", [4, 4, None], 3),
    ("1..4", [1, 2, 3, 4], 4),
    ("2..0", [2, 1, 0], 3),
    ("-1..1", [-1, 0, 1], 3),
    ("3..3", [3], 1),
    ("0+2x3 9-3x3 1+0.5x2", [0, 2, 4, 9, 6, 3, 1, 1.5], 8),
    ("5+1x0 1e3", [1000], 1),
    ("1 2 | 3", [1, 2, 3], 2),
    ("| 3x2", [3, 3], 0),
]


@pytest.mark.parametrize(("text", "values", "until_now"), SERIES)
def test_samples(text: str, values: list[float | None], until_now: int) -> None:
    assert read_values(text, 30.0) == (values, until_now)


def test_the_last_sample_before_the_bar_is_taken_now() -> None:
    series = read_series("1 _ 2 | 3 4", 1000.0, 10.0)
    assert (series.times, series.values) == ([980.0, 1000.0, 1010.0, 1020.0], [1, 2, 3, 4])


BAD_SERIES = [
    ("x", "'x' is no sample; write a number, _ for a missing one"),
    ("4x", "'4x' is no sample"),
    ("4xy", "behind x stands how often (4x10) or for how long (4x5m)"),
    ("4x45s", "45s is no whole number of periods of 30 seconds"),
    ("0..1.5", "counting goes in steps of 1; for others write it like 0+0.5x10"),
    ("0..5x2", "cannot be repeated"),
    ("0+1", "say how many samples climb, as in 0+1x10"),
    ("1 | 2 | 3", "`|` marks now, and stands there only once"),
    ("4x999999999", "too many samples"),
    ("0..999999999", "counting goes in steps of 1"),
    ("nan", "'nan' is no sample"),
    ("__", "'__' is no sample"),
]


@pytest.mark.parametrize(("text", "message"), BAD_SERIES)
def test_bad_samples(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_values(text, 30.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("30s", 30),
        ("1.5m", 90),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1w", 604800),
        ("250ms", 0.25),
        ("-5m", -300),
    ],
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "5x", "1h-3m", "PT5M"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 30s, 5m or 1h30m"):
        parse_duration(text)


@given(st.integers(-(10**6), 10**6))
def test_lengths_of_time_are_written_as_they_are_read(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3.0),
        ("-0.5", -0.5),
        ("[1, 2.5,3]", (1.0, 2.5, 3.0)),
        ("[]", ()),
        ('"a b"', "a b"),
        ("taskcompletion", "taskcompletion"),
        ("2026-01-05T12:00:00Z", Timestamp(1767614400)),
        ("00:01:30", TimeInterval(90)),
        ("-1.00:00:00.5", TimeInterval(-86400.5)),
        ("5m", TimeInterval(300)),
    ],
)
def test_values(text: str, value: object) -> None:
    found = read_value(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", r"is no vector; write it like \[1, 2.5\]"),
        ("[x]", "is no vector"),
        ('"open', "the closing quote is missing"),
        ("2026-13-01", "month"),
    ],
)
def test_bad_values(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_value(text)


HOLDS = [
    ("3", "==", "3", True),
    ("3", "!=", "3", False),
    ("0.30000000000000004", "==", "0.3", True),
    ("0.30000000000000004", "<=", "0.3", True),
    ("0.30000000000000004", ">", "0.3", False),
    ("3", ">", "2", True),
    ("2", ">", "3", False),
    ("NaN", "==", "NaN", True),
    ("NaN", "==", "1", False),
    ("Infinity", "==", "Infinity", True),
    ("[1, NaN]", "==", "[1, NaN]", True),
    ("[1, 2]", "==", "[2, 1]", False),
    ("[1]", "==", "[1, 1]", False),
    ("[1]", "!=", "[1, 1]", True),
    ("90s", "<", "2m", True),
    ("2026-01-05", ">=", "2026-01-05T00:00:00Z", True),
    ("requeue", "==", "requeue", True),
    ("requeue", "!=", "terminate", True),
]


@pytest.mark.parametrize(("actual", "operator", "expected", "result"), HOLDS)
def test_comparisons(actual: str, operator: str, expected: str, result: bool) -> None:
    assert holds(read_value(actual), operator, read_value(expected), Tolerance()) is result


@pytest.mark.parametrize(
    ("actual", "tolerance", "result"),
    [
        (10.5, Tolerance(0.5), True),
        (10.6, Tolerance(0.5), False),
        (11.0, Tolerance(0.1, True), True),
        (12.0, Tolerance(0.1, True), False),
    ],
)
def test_tolerance(actual: float, tolerance: Tolerance, result: bool) -> None:
    assert holds(actual, "==", 10.0, tolerance) is result


@pytest.mark.parametrize(
    ("actual", "operator", "expected", "message"),
    [
        ("90s", "==", "90", "it is a timeinterval, and 90 is a double"),
        ("3", "==", "[3]", r"it is a double, and \[3\] is a doubleVec"),
        ("[1]", "<", "[2]", "a doubleVec can only be compared with == and !="),
        ("a", "<", "b", "a string can only be compared with == and !="),
    ],
)
def test_what_cannot_be_compared(actual: str, operator: str, expected: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        holds(read_value(actual), operator, read_value(expected), Tolerance())
