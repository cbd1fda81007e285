"""What the ledger of the load test takes for lost, and what for the work of others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.load.ledger import Entry, Found, durable, lost_updates

JOB = "jobs/j"


def entry(kind: Any, sent: float, answered: float, status: int | None = 200, token: str = "a", **more: Any) -> Entry:
    return Entry(kind, JOB, sent, answered, status, "" if kind == "delete" else token, **more)


MADE, DELETED = entry("create", 0, 1, 201), entry("delete", 2, 3, 202)


@pytest.mark.parametrize(
    ("history", "now", "fault"),
    [
        ([MADE], ("a", 0), ""),
        ([MADE], None, "was made"),
        ([MADE], ("b", 0), "was made"),
        ([entry("create", 0, 1, 409)], None, ""),
        ([entry("create", 0, 1, None)], None, ""),
        ([MADE, DELETED], None, ""),
        ([MADE, DELETED], ("a", 0), "was deleted"),
        ([MADE, entry("delete", 2, 3, None)], None, ""),
        ([MADE, entry("delete", 2, 3, None)], ("a", 0), ""),
        ([MADE, entry("delete", 2, 3, 409)], None, "was made"),
        ([MADE, DELETED, entry("create", 2.5, 4, None, "b")], ("b", 0), ""),
        ([MADE, DELETED, entry("create", 4, 5, 201, "b")], None, "was made"),
        ([MADE, entry("count", 2, 3, value=2)], ("a", 2), ""),
        ([MADE, entry("count", 2, 3, value=2)], ("a", 3), ""),
        ([MADE, entry("count", 2, 3, value=2)], ("a", 1), "its counter"),
        ([MADE, entry("count", 2, 3, 412, value=2)], ("a", 1), ""),
        ([MADE, entry("tasks", 2, 3, tasks=("t1", "t2"))], ("a", 0), ""),
        ([MADE, entry("tasks", 2, 3, tasks=("t1", "t3"))], ("a", 0), "1 tasks were added"),
        ([MADE, entry("tasks", 2, 3, None, tasks=("t3",))], ("a", 0), ""),
    ],
)
def test_what_is_lost(history: list[Entry], now: Found, fault: str) -> None:
    verdict = durable(history, lambda thing: now, lambda thing: frozenset(("t1", "t2")))
    assert len(verdict.faults) == bool(fault)
    assert all(fault in each for each in verdict.faults)


@pytest.mark.parametrize(
    ("counts", "lost"),
    [
        ([("a", 1, 200), ("a", 2, 200)], 0),
        ([("a", 1, 200), ("a", 1, 200)], 1),
        ([("a", 1, 200), ("a", 1, 412)], 0),
        ([("a", 1, 200), ("b", 1, 200)], 0),
        ([("a", 1, None), ("a", 1, 200)], 0),
    ],
)
def test_lost_updates(counts: list[tuple[str, int, int | None]], lost: int) -> None:
    entries = [entry("count", 0, 1, status, token, value=value) for token, value, status in counts]
    assert len(lost_updates(entries)) == lost
