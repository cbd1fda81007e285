"""What a replay tells besides the targets, and what it refuses."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest

from formula import FormulaError, PoolValues, Samples, TimeSeries
from formula.replay import RecordedSeries, periods, read_recording, replay

from .reference_evaluator import exact_sum

HOUR, DAY = 3600.0, 86400.0
START = 20_000 * DAY
FOLLOW = "$TargetDedicatedNodes = max($PendingTasks.GetSample(1)); $TargetLowPriorityNodes = time().hour == 1 ? 5 : 0"


def recorded(values: list[float], every: float = HOUR, **others: list[float]) -> Samples:
    columns = {"PendingTasks": values, **others}
    series = {
        f"${name}": TimeSeries((START + every * number, value) for number, value in enumerate(column))
        for name, column in columns.items()
    }
    return Samples(every, series, PoolValues(target_dedicated=7))


def test_sums() -> None:
    found = replay(FOLLOW, recorded([0, 2, 2, 8, 0]), every=HOUR)
    assert found.times.tolist() == [START + HOUR * number for number in range(5)]
    assert (found.dedicated.tolist(), found.low_priority.tolist()) == ([0, 2, 2, 8, 0], [0, 5, 0, 0, 0])
    assert found.node_hours() == (12.0, 5.0)
    assert found.nodes.tolist() == [0, 7, 2, 8, 0]
    assert (found.resizes(), found.hours_at_zero(), found.failures, found.errors) == (4, 2.0, 0, ())
    assert found.node_deallocation_option.tolist() == ["requeue"] * 5


def test_periods() -> None:
    found = replay("$TargetDedicatedNodes = max($PendingTasks.GetSample(1))", recorded([1, 2] * 20), every=12 * HOUR)
    told = [(day.start, day.runs, day.failures, day.dedicated_hours, day.peak) for day in periods(found, DAY)]
    assert told == [(START, 2, 0, 24.0, 1), (START + DAY, 2, 0, 24.0, 1)]
    empty = replay("", Samples(), START, START + DAY, 6 * HOUR)
    assert [(day.runs, day.peak) for day in periods(empty, DAY)] == [(4, 0), (1, 0)]


def test_errors_are_told_apart() -> None:
    text = (
        "i = 3 * TimeInterval_Hour;\nx = 1 / max($PendingTasks.GetSample(1));\n"
        "$TargetDedicatedNodes = x > 1 ? 9 : avg($PendingTasks.GetSample(i))"
    )
    found = replay(text, recorded([0, 2, 0, 2, 2, 0.5]), every=HOUR)
    messages = [error.values[0][1] for error in found.errors]
    assert messages == [
        "Line 2, Col 7: division by zero",
        "Line 3, Col 64: Insufficient data from data set: $PendingTasks wanted 70%, received 66%",
    ]
    assert found.error.tolist() == [0, 1, 0, -1, -1, -1]
    assert found.dedicated.tolist() == [7, 7, 7, 1, 1, 9]
    assert found.evaluation(1).error == found.errors[1]


def test_a_failing_year_names_its_errors_quickly() -> None:
    found = replay("$TargetDedicatedNodes = 1 / 0", recorded([1.0] * 50_000, 30), every=30)
    assert (found.failures, len(found.errors), set(found.dedicated.tolist())) == (50_000, 1, {7})


def test_own_decisions_are_seen() -> None:
    grow = "$TargetDedicatedNodes = $TargetDedicatedNodes + 1; $TargetLowPriorityNodes = $CurrentDedicatedNodes"
    found = replay(grow, recorded([0, 0, 0, 0]), every=HOUR)
    assert (found.dedicated.tolist(), found.low_priority.tolist()) == ([8, 9, 10, 11], [0, 8, 9, 10])
    usable = replay("$TargetDedicatedNodes = $UsableNodeCount + 1", recorded([0, 0, 0]), every=HOUR)
    assert usable.dedicated.tolist() == [1, 2, 3]


def test_a_recorded_pool_counts() -> None:
    grow = "$TargetDedicatedNodes = $TargetDedicatedNodes + $CurrentDedicatedNodes"
    samples = recorded([0, 0, 0], TargetDedicatedNodes=[1, 5, 3], CurrentDedicatedNodes=[10, 20, 30])
    assert replay(grow, samples, every=HOUR).dedicated.tolist() == [11, 25, 33]


def test_the_own_node_count_has_samples() -> None:
    grow = "$TargetDedicatedNodes = sum($CurrentDedicatedNodes.GetSample(2)) + 1"
    found = replay(grow, recorded([0, 0, 0, 0]), every=HOUR)
    assert found.dedicated.tolist() == [1, 2, 4, 7]
    assert replay(grow, recorded([0, 0, 0, 0]), every=HOUR, delay=HOUR).dedicated.tolist() == [1, 1, 2, 3]
    assert found.evaluation(3).results.startswith("$TargetDedicatedNodes=7;")


def test_targets_beyond_every_integer() -> None:
    found = replay("$TargetDedicatedNodes = 1e300 * max($PendingTasks.GetSample(1))", recorded([0, 1]), every=HOUR)
    assert found.dedicated.tolist() == [0, int(1e300)]
    grown = replay("$TargetDedicatedNodes = $TargetDedicatedNodes * 1e200 + 1", recorded([0, 1]), every=HOUR)
    assert grown.dedicated.tolist()[0] == int(7e200) and grown.failures == 1


def test_the_hours_of_very_many_nodes() -> None:
    found = replay("$TargetDedicatedNodes = 4e18", recorded([0, 1, 2]), every=HOUR)
    assert found.node_hours() == (1.2e19, 0.0)
    assert [day.dedicated_hours for day in periods(found, DAY)] == [1.2e19]
    found = replay("$TargetDedicatedNodes = 1e300 * max($PendingTasks.GetSample(1))", recorded([0, 1]), every=HOUR)
    assert found.node_hours() == (1e300, 0.0)
    assert [day.dedicated_hours for day in periods(found, DAY)] == [1e300]


def test_a_series_that_grows_is_read_again() -> None:
    samples = recorded([1, 2])
    text = "$TargetDedicatedNodes = max($PendingTasks.GetSample(1))"
    assert replay(text, samples, every=HOUR).dedicated.tolist() == [1, 2]
    samples.series["$PendingTasks"].append(START + 2 * HOUR, 3.0)
    assert replay(text, samples, every=HOUR).dedicated.tolist() == [1, 2, 3]


def test_random_numbers_are_those_of_one_evaluation() -> None:
    found = replay("$TargetDedicatedNodes = rand() * 1000", recorded([1, 2, 3]), every=HOUR)
    assert found.dedicated.tolist() == [found.evaluation(run).dedicated for run in range(3)]
    assert len(set(found.dedicated.tolist())) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"samples": Samples()}, "there are no samples"),
        ({"start": START + DAY, "end": START}, "must not be later"),
        ({"every": 0.0}, "must be positive"),
        ({"every": nan}, "must be positive"),
        ({"every": 1e-4}, "too many"),
        ({"end": inf}, "must be finite"),
        ({"start": -1e308, "end": 1e308}, "too many"),
        ({"delay": -1.0}, "delay"),
    ],
)
def test_times_that_give_no_runs(arguments: dict[str, Any], told: str) -> None:
    given = {"formula": FOLLOW, "samples": recorded([1, 2, 3]), **arguments}
    with pytest.raises(ValueError, match=told):
        replay(**given)


def test_what_else_is_refused() -> None:
    with pytest.raises(FormulaError):
        replay("x = (", recorded([1]))
    with pytest.raises(IndexError, match="there are 1 runs"):
        replay("x = 1", recorded([1])).evaluation(1)
    for times, values in (([1.0], []), ([1.0, 1.0], [0.0, 0.0]), ([nan], [0.0]), ([1.0], [inf])):
        with pytest.raises(ValueError):
            RecordedSeries(np.array(times), np.array(values))


@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-9, 1e200, 1e298, 1e306, 5e-324, 1 / 3])
def test_sums_of_windows_are_correctly_rounded(scale: float) -> None:
    values = [((number * 7919) % 101) * scale for number in range(300)] + [min(1e9 * scale, 1e308), -3 * scale]
    times = [START + 30.0 * number for number in range(len(values))]
    series = RecordedSeries(np.array(times), np.array(values))
    windows = [(first, stop) for first in range(0, 302, 7) for stop in range(first, 303, 11)]
    firsts, stops = np.array(windows).T
    assert series.sums(firsts, stops).tolist() == [exact_sum(values[first:stop]) for first, stop in windows]


def test_a_recording_from_csv_and_json() -> None:
    csv = read_recording("r.csv", f"time,PendingTasks\n{START},3\n{START + 30},\n{START + 60},4\n")
    json = read_recording(
        "r", '{"now": %s, "series": {"$PendingTasks": {"values": [3, null, 4]}}}' % (START + 60)
    )
    for recording in (csv, json):
        assert recording.period == 30
        found = replay(FOLLOW, recording, every=30)
        assert found.dedicated.tolist() == [3, 3, 4]
