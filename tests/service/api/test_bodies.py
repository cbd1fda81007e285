"""Bodies that are read in one go: never otherwise than the slow way would have read them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import PoolSpec
from runner import JobScheduleSpec, JobSpec, TaskSpec
from service.api import bodies
from service.api.errors import ApiError

_DURATIONS = st.builds(
    "{}{}".format, st.sampled_from(["P", "PT", "p", "", "P1DT", "-P"]), st.text("0123456789DHMSWYTdhmst.,", max_size=6)
)
_VALUES: st.SearchStrategy[Any] = st.one_of(
    _DURATIONS, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(), st.text()
)


FIRST = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
LAST = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))


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


@given(
    st.one_of(
        st.datetimes(timezones=st.builds(timezone, st.timedeltas(timedelta(hours=-14), timedelta(hours=14)))),
        st.sampled_from([FIRST, LAST]),
    )
)
def test_both_ways_read_the_same_times(time: datetime) -> None:
    times, work = {"doNotRunUntil": time.isoformat()}, {"poolInfo": {"poolId": "p"}}
    body = msgspec.json.encode({"id": "s", "schedule": times, "jobSpecification": work})
    found: list[JobScheduleSpec | str] = []
    for way in (bodies.read, bodies._slowly):
        try:
            found.append(way(body, JobScheduleSpec))
        except ApiError as exc:
            found.append(exc.message)
    assert found[0] == found[1]


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


_POOL = {"poolInfo": {"poolId": "p"}}


@pytest.mark.parametrize(
    ("kind", "body", "path"),
    [
        (PoolSpec, {"vmSize": "local.small"}, "displayName"),
        (JobSpec, _POOL, "displayName"),
        (JobSpec, {**_POOL, "jobManagerTask": {"id": "m", "commandLine": "x"}}, "jobManagerTask.displayName"),
        (TaskSpec, {"commandLine": "x"}, "displayName"),
        (TaskSpec, {"commandLine": "x", "requiredSlots": "1"}, "displayName"),
        (JobScheduleSpec, {"schedule": {}, "jobSpecification": _POOL}, "displayName"),
        (JobScheduleSpec, {"schedule": {}, "jobSpecification": _POOL}, "jobSpecification.displayName"),
    ],
)
def test_a_name_for_people_has_an_end(kind: type[msgspec.Struct], body: dict[str, Any], path: str) -> None:
    def named(name: str) -> bytes:
        group, _, _ = path.rpartition(".")
        inner = {group: {**body[group], "displayName": name}} if group else {"displayName": name}
        return msgspec.json.encode({"id": "it", **body, **inner})

    bodies.read(named("\u00e4" * 1024), kind)
    with pytest.raises(ApiError) as refused:
        bodies.read(named("\u00e4" * 1025), kind)
    assert (refused.value.code, refused.value.message) == (
        "InvalidPropertyValue", f"{path}: is too long: 1,025 characters; at most 1,024"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"id": "t", "commandLine": "' + b"x" * 100 + b'\xff"}', "0xff in position 128"),
        (b'{"id": "\xff"}', "0xff in position 8"),
        (b'\xff{"id": "t"}', "0xff in position 0"),
        (b'{"id": "t", }', "byte 12"),
    ],
)
def test_where_a_body_cannot_be_read(body: bytes, told: str) -> None:
    with pytest.raises(ApiError) as refused:
        bodies.read(body, TaskSpec)
    assert refused.value.code == "InvalidRequestBody" and told in refused.value.message
