"""The formulas to begin with: without a finding, laid out, and doing what their comments promise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import formula.starting_points
from formula import Evaluation, PoolValues, Samples, TimeSeries, check, compile_formula, lint, parse_time
from formula.layout import format_formula
from formula.starting_points import STARTING_POINTS, starting_point

MONDAY_NOON = parse_time("2026-01-05T12:00:00Z")
SATURDAY_NOON = parse_time("2026-01-03T12:00:00Z")
SUNDAY_NOON = parse_time("2026-01-04T12:00:00Z")
# The newest minute is not visible yet.
_LATE = 60.0
_HOUR = [0.0] * 118


def run(
    name: str,
    tasks: Sequence[float | None],
    now: float = MONDAY_NOON,
    changes: tuple[str, str] = ("", ""),
    **pool: float,
) -> Evaluation:
    """What a starting point decides on samples of $PendingTasks every 30 seconds, oldest first, None: missing."""
    first = now - _LATE - 30.0 * (len(tasks) - 1)
    series = TimeSeries((first + 30.0 * index, value) for index, value in enumerate(tasks) if value is not None)
    text = starting_point(name)
    assert changes[0] in text
    evaluation = compile_formula(text.replace(*changes)).evaluate(
        Samples(30.0, {"$PendingTasks": series}, PoolValues(**pool)), now
    )
    assert evaluation.error is None
    assert not evaluation.warnings
    assert evaluation.node_deallocation_option == "taskcompletion"
    return evaluation


def targets(*arguments, **pool) -> tuple[int, int]:
    evaluation = run(*arguments, **pool)
    return evaluation.dedicated, evaluation.low_priority


def test_the_list_is_that_of_the_files() -> None:
    there = {path.stem for path in Path(formula.starting_points.__file__).parent.glob("*.formula")}
    assert there == set(STARTING_POINTS)
    with pytest.raises(KeyError):
        starting_point("../pending")


@pytest.mark.parametrize("name", STARTING_POINTS)
def test_there_is_nothing_to_find_and_nothing_to_lay_out(name: str) -> None:
    text = starting_point(name)
    assert [found.render(name) for found in check(text)] == []
    assert [found.render(name) for found in lint(text)] == []
    assert format_formula(text) == text
    assert max(map(len, text.splitlines())) <= 100


MOST = {"pending": (20, 9), "workday": (20, 9), "weekend": (50, 9), "spot-fallback": (5, 20), "scale-to-zero": (10, 9)}
HISTORIES: dict[str, list[float | None]] = {
    "empty": [],
    "one": [7.0],
    "all zero": [*_HOUR],
    "thick": [3.0] * 118,
    "thin": [5.0 if index % 3 == 0 else None for index in range(118)],
    "just enough": [5.0 if index % 10 < 7 else None for index in range(120)],
    "old": [9.0, 9.0, *[None] * 100],
    "burst": [*_HOUR, 1e9],
    "fractions": [0.25] * 60,
}


@pytest.mark.parametrize("name", STARTING_POINTS)
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_no_history_is_an_error_and_no_demand_passes_the_bounds(name: str, history: list[float | None]) -> None:
    # Only one of them sets the target of low-priority nodes.
    most_dedicated, most_low_priority = MOST[name]
    for now in (MONDAY_NOON, SATURDAY_NOON, SUNDAY_NOON):
        for slots in (1, 2, 4):
            evaluation = run(
                name,
                history,
                now,
                target_dedicated=3,
                target_low_priority=9,
                current_low_priority=2,
                task_slots_per_node=slots,
            )
            assert 0 <= evaluation.dedicated <= most_dedicated
            assert 0 <= evaluation.low_priority <= most_low_priority



@pytest.mark.parametrize("name", STARTING_POINTS)
@pytest.mark.parametrize("now", [SATURDAY_NOON, MONDAY_NOON - 43200])
@pytest.mark.parametrize("tasks", [[], [0.0], [*_HOUR], [50.0] * 20 + [*_HOUR]])
def test_an_idle_pool_ebbs_to_nothing(name: str, now: float, tasks: list[float | None]) -> None:
    assert targets(name, tasks, now, target_dedicated=4, target_low_priority=0, task_slots_per_node=2) == (0, 0)


@pytest.mark.parametrize("name", sorted({*STARTING_POINTS} - {"spot-fallback"}))
@pytest.mark.parametrize("tasks", [[1.0], [*_HOUR, 1.0], [1.0] * 118])
def test_one_task_gets_a_node_however_many_slots_it_has(name: str, tasks: list[float | None]) -> None:
    assert targets(name, tasks, SATURDAY_NOON, task_slots_per_node=4) == (1, 0)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([*_HOUR, 6.0], 6),  # at once
        ([*_HOUR, 6.0, 6.0, 6.0, 6.0], 6),
        ([8.0] * 20 + [0.0] * 4, 4),  # half of the window
        ([8.0] * 20 + [0.0] * 7, 1),
        ([8.0] * 20 + [0.0] * 8, 0),  # five minutes, of which one is not visible
        ([8.0, None, None, None, None, 2.0], 2),  # too few for an average
        ([100.0] * 30, 20),
    ],
)
def test_pending_follows_the_queue(tasks: list[float | None], expected: int) -> None:
    assert run("pending", tasks).dedicated == expected
    assert run("pending", [value and value * 3 for value in tasks], task_slots_per_node=3).dedicated == expected


@pytest.mark.parametrize(
    ("time", "hours", "ready"),
    [
        ("2026-01-05T07:59:59Z", "0", 0),
        ("2026-01-05T08:00:00Z", "0", 4),
        ("2026-01-05T17:59:59Z", "0", 4),
        ("2026-01-05T18:00:00Z", "0", 0),
        ("2026-01-09T12:00:00Z", "0", 4),  # Friday
        ("2026-01-10T12:00:00Z", "0", 0),
        ("2026-01-11T12:00:00Z", "0", 0),
        ("2026-01-05T12:59:59Z", "-5", 0),
        ("2026-01-05T13:00:00Z", "-5", 4),
        ("2026-01-05T22:59:59Z", "-5", 4),
        ("2026-01-04T23:00:00Z", "9", 4),  # Monday morning there
        ("2026-01-09T23:30:00Z", "9", 0),  # Saturday morning there
    ],
)
def test_workday_keeps_nodes_in_office_hours(time: str, hours: str, ready: int) -> None:
    changes = ("hoursFromUtc = 0;", f"hoursFromUtc = {hours};")
    now = parse_time(time)
    for quiet in ([], [*_HOUR]):
        assert run("workday", quiet, now, changes).dedicated == ready
    assert run("workday", [3.0] * 60, now, changes).dedicated == max(ready, 3)
    assert run("workday", [7.0] * 60, now, changes).dedicated == 7
    assert run("workday", [70.0] * 60, now, changes).dedicated == 20


@pytest.mark.parametrize(
    ("time", "hours", "most"),
    [
        ("2026-01-02T23:59:59Z", "0", 2),
        ("2026-01-03T00:00:00Z", "0", 50),
        ("2026-01-04T23:59:59Z", "0", 50),
        ("2026-01-05T00:00:00Z", "0", 2),
        ("2026-01-05T04:59:59Z", "-5", 50),
        ("2026-01-02T15:00:00Z", "9", 50),
    ],
)
def test_weekend_has_many_nodes_on_the_weekend_only(time: str, hours: str, most: int) -> None:
    changes = ("hoursFromUtc = 0;", f"hoursFromUtc = {hours};")
    now = parse_time(time)
    assert run("weekend", [400.0] * 60, now, changes).dedicated == most
    assert run("weekend", [1.0] * 60, now, changes).dedicated == 1
    assert run("weekend", [*_HOUR], now, changes).dedicated == 0


@pytest.mark.parametrize(
    ("tasks", "pool", "expected"),
    [
        # The first evaluation asks for Spot nodes, and gives them time.
        (8, {}, (0, 8)),
        # The next one sees that three came.
        (8, {"target_low_priority": 8, "current_low_priority": 3}, (5, 8)),
        # All came: the dedicated nodes go.
        (8, {"target_low_priority": 8, "current_low_priority": 8, "target_dedicated": 5}, (0, 8)),
        # Two of them are preempted.
        (8, {"target_low_priority": 8, "current_low_priority": 8, "preempted": 2}, (2, 8)),
        # More work: those asked for only now are not missing yet.
        (20, {"target_low_priority": 8, "current_low_priority": 8}, (0, 20)),
        # Less work: those no longer wanted are not missing.
        (2, {"target_low_priority": 8, "current_low_priority": 1}, (1, 2)),
        (2, {"target_low_priority": 8, "current_low_priority": 6}, (0, 2)),
        # No Spot nodes at all, and the bounds.
        (100, {"target_low_priority": 20}, (5, 20)),
        (0, {"target_low_priority": 20, "target_dedicated": 5, "current_low_priority": 3}, (0, 0)),
    ],
)
def test_spot_fallback(tasks: int, pool: dict[str, float], expected: tuple[int, int]) -> None:
    assert targets("spot-fallback", [float(tasks)] * 60, **pool) == expected


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([1.0], 1),
        ([*_HOUR, 7.0], 7),
        ([7.0] * 60 + [0.0] * 2, 7),  # a pause
        ([7.0] * 60 + [0.0] * 7, 7),
        ([7.0] * 60 + [0.0] * 8, 1),  # warm
        ([7.0] * 60 + [0.0] * 27, 1),
        ([7.0] * 60 + [0.0] * 28, 0),  # a quarter of an hour, of which a minute is not visible
        ([7.0, 0.0], 0),  # a new pool
        ([99.0] * 60, 10),
    ],
)
def test_scale_to_zero_stays_warm_for_a_while(tasks: list[float | None], expected: int) -> None:
    assert run("scale-to-zero", tasks).dedicated == expected
    cold = run("scale-to-zero", tasks, changes=("warmNodes = 1;", "warmNodes = 0;"))
    assert cold.dedicated == (0 if expected == 1 and tasks[-1] == 0 else expected)
