"""Bodies that are read in one go: never otherwise than the slow way would have read them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import TaskSpec
from service.api import bodies
from service.api.errors import ApiError

_DURATIONS = st.builds(
    "{}{}".format, st.sampled_from(["P", "PT", "p", "", "P1DT", "-P"]), st.text("0123456789DHMSWYTdhmst.,", max_size=6)
)
_VALUES: st.SearchStrategy[Any] = st.one_of(
    _DURATIONS, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(), st.text()
)


def _slowly(body: bytes) -> TaskSpec | None:
    try:
        return bodies._slowly(body, TaskSpec)
    except ApiError:
        return None


@given(_VALUES, _VALUES, _VALUES)
def test_both_ways_read_the_same(limit: Any, retries: Any, slots: Any) -> None:
    task = {
        "id": "t",
        "commandLine": "true",
        "requiredSlots": slots,
        "constraints": {"maxWallClockTime": limit, "maxTaskRetryCount": retries},
    }
    body = msgspec.json.encode(task)
    slow = _slowly(body)
    try:
        found: TaskSpec | None = bodies.read(body, TaskSpec)
    except ApiError:
        found = None
    assert found == slow


@pytest.mark.parametrize(
    "line",
    ["python my.py", "Python -m x, y", "process P12M", "echo 12345678901", "/bin/sh -c 'P1'"],
)
def test_what_many_command_lines_hold_does_not_slow_them_down(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*_: object) -> None:
        raise AssertionError("read slowly")

    monkeypatch.setattr(bodies, "_slowly", slowly)
    task = {"id": "t-20260131120000", "commandLine": line, "constraints": {"maxWallClockTime": "PT5M"}}
    assert bodies.read(msgspec.json.encode(task), TaskSpec).command_line == line


@pytest.mark.parametrize(
    "more",
    [
        {"constraints": {"maxWallClockTime": "p1d"}},
        {"constraints": {"maxWallClockTime": "PT5m"}},
        {"constraints": {"maxTaskRetryCount": 99999999999}},
        {"commandLine": "a\0b"},
    ],
)
def test_what_is_read_slowly(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(bodies, "_slowly", lambda body, kind: seen.append(body))
    bodies.read(msgspec.json.encode({"id": "t", "commandLine": "true"} | more), TaskSpec)
    assert len(seen) == 1
