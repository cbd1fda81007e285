"""Times at the ends of the years that can be written, and durations that lead out of them: refused by name, or
answered; never a fault of the server, neither at once nor whenever the object is listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from service.rest_views import Links, schedule_view

from ..rest_views import full
from .served import Served, served

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
BEFORE, AFTER = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
LONG, UNLIMITED = "P10675198D", "P10675199DT2H48M5.4775807S"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("api") / "s") as found:
        for path, body in (
            ("/pools", {"id": "p", "vmSize": "local.small"}),
            ("/jobs", {"id": "j", "poolInfo": {"poolId": "p"}}),
        ):
            assert found("POST", path, body).status_code == 201
        yield found


NUMBERS = count()


def schedule(times: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"id": f"s{next(NUMBERS)}", "schedule": times, "jobSpecification": {"poolInfo": {"poolId": "p"}, **more}}


REFUSED = [
    ({"doNotRunUntil": BEFORE}, "doNotRunUntil"),
    ({"doNotRunUntil": AFTER}, "doNotRunUntil"),
    ({"doNotRunAfter": AFTER}, "doNotRunAfter"),
    ({"recurrenceInterval": "P36526D"}, "recurrenceInterval"),
    ({"recurrenceInterval": LONG}, "recurrenceInterval"),
    ({"recurrenceInterval": UNLIMITED}, "recurrenceInterval"),
]


@pytest.mark.parametrize("more", [{}, {"constraints": {"maxWallClockTime": []}}], ids=["alone", "with another fault"])
@pytest.mark.parametrize(("times", "name"), REFUSED)
def test_schedules_that_lead_out_of_the_years_are_refused(
    api: Served, times: dict[str, str], name: str, more: dict[str, Any]
) -> None:
    asked = schedule(times, **more)
    answer = api("POST", "/jobschedules", asked)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyValue")
    assert f"schedule.{name}" in answer.json()["message"]["value"] or more
    assert asked["id"] not in [each["id"] for each in api.get("/jobschedules")["value"]]


@pytest.mark.parametrize(
    "times",
    [
        {"doNotRunUntil": FIRST, "recurrenceInterval": "P36525D"},
        {"doNotRunUntil": LAST, "recurrenceInterval": "P36525D"},
        {"doNotRunUntil": "9999-12-31T23:59:59.9999999Z"},
        {"doNotRunAfter": LAST, "startWindow": LONG},
        {"startWindow": UNLIMITED, "recurrenceInterval": "P1D"},
    ],
)
def test_schedules_of_all_other_times_can_be_listed(api: Served, times: dict[str, str]) -> None:
    asked = schedule(times)
    path = f"/jobschedules/{asked['id']}"
    assert api("POST", "/jobschedules", asked).status_code == 201
    (found,) = (each for each in api.get("/jobschedules")["value"] if each["id"] == asked["id"])
    assert found["schedule"].keys() == times.keys()
    answer = api("PUT", path, {**found, "schedule": {"doNotRunUntil": AFTER}})
    assert answer.json()["values"][0] == {"key": "PropertyName", "value": "schedule.doNotRunUntil"}
    answer = api("PATCH", path, {"schedule": {"recurrenceInterval": LONG}})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyValue")


@pytest.mark.parametrize(
    "changes",
    [
        {"next_run_time": 9e11},
        {"next_run_time": -9e11},
        {"end_time": float("inf")},
    ],
)
def test_a_record_that_was_let_in_can_be_answered(changes: dict[str, float]) -> None:
    assert schedule_view(full.schedule(**changes), Links())["executionInfo"]


@pytest.mark.parametrize("text", [BEFORE, AFTER])
def test_its_times_too(text: str) -> None:
    record = full.schedule()
    times = replace(record.spec.schedule, do_not_run_until=datetime.fromisoformat(text))
    view = schedule_view(full.schedule(spec=replace(record.spec, schedule=times)), Links())
    assert view["schedule"]["doNotRunUntil"][:4] == text[:4]


@pytest.mark.parametrize("text", [BEFORE, AFTER])
@pytest.mark.parametrize("path", ["/jobs", "/pools", "/jobschedules", "/jobs/j/tasks", "/pools/p/nodes"])
def test_filters(api: Served, path: str, text: str) -> None:
    name = "lastBootTime" if path.endswith("nodes") else "creationTime"
    answer = api("GET", f"{path}?$filter={name} gt datetime'{text.replace('+', '%2B')}'")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidQueryParameterValue")
    assert "outside the years 1 to 9999" in answer.json()["message"]["value"]


@pytest.mark.parametrize("text", ["Fri, 31 Dec 9999 23:59:59 -1400", "Mon, 01 Jan 0001 00:00:00 +1400"])
@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "ocp-date", "Date"])
def test_headers(api: Served, name: str, text: str) -> None:
    assert api("GET", "/jobs/j", None, **{name: text}).status_code in (200, 304, 412)


@pytest.mark.parametrize("length", [LONG, "P9999999D", UNLIMITED])
def test_the_longest_durations_can_be_told(api: Served, length: str) -> None:
    limits = {"maxWallClockTime": length, "retentionTime": length}
    name = f"of-{length.lower()[:9]}"
    for path, body in (
        ("/pools", {"id": name, "vmSize": "local.small", "resizeTimeout": length}),
        ("/jobs", {"id": name, "poolInfo": {"poolId": name}, "constraints": {"maxWallClockTime": length}}),
        (f"/jobs/{name}/tasks", {"id": "t", "commandLine": "x", "constraints": limits}),
    ):
        assert api("POST", path, body).status_code == 201
        assert length in api("GET", f"{path}/{body['id']}").text
