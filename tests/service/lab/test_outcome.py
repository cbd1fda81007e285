"""What a run gives, as a file and as `--json`."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from service.lab.outcome import AutoscaleRuns, Outcome, RecordedSamples, Series, read_outcome, write_outcome

from .synthetic import PENDING, WORKDAY, synthetic

OUTCOME = synthetic({"pending": PENDING, "workday": WORKDAY}, days=0.1)


def test_a_file_holds_all_of_it(tmp_path):
    write_outcome(tmp_path / "outcome.json", OUTCOME)
    assert read_outcome(tmp_path / "outcome.json") == OUTCOME


def test_the_summary_has_the_figures_in_seconds_and_the_bounds():
    told = json.loads(OUTCOME.summary())
    assert set(told) == {"runs", "bounds", "stoppedAt"}
    assert [run["formula"] for run in told["runs"]] == ["pending", "workday"]
    asked = "formula cost nodeSeconds idleNodeSeconds peakNodes tasks wait makespan evictions resizes events"
    assert {*asked.split(), "wallSeconds"} <= set(told["runs"][0])
    assert set(told["runs"][0]["wait"]) == {"mean", "p50", "p95", "p99", "max"}
    assert set(told["bounds"]) == {"optimum", "breakEven", "workAlone"}
    assert told["bounds"]["optimum"]["cost"] == msgspec.to_builtins(OUTCOME)["bounds"]["optimum"]["cost"]


@pytest.mark.parametrize("second", [None, 3600.5])
def test_the_summary_says_whether_it_was_stopped_early(second):
    outcome = msgspec.structs.replace(OUTCOME, scenario=msgspec.structs.replace(OUTCOME.scenario, stopped_at=second))
    assert json.loads(outcome.summary())["stoppedAt"] == second


def test_without_bounds_the_summary_says_so():
    outcome = msgspec.structs.replace(OUTCOME, bounds=None)
    assert json.loads(outcome.summary())["bounds"] is None


@dataclass
class Fault:
    what: str
    struct: type
    change: dict
    told: str


TWO_ROWS = {"times": [0.0, 1.0]}
RIGHT: dict[type, dict[str, Any]] = {
    Series: {**{name: [0, 0] for name in Series.__struct_fields__}, **TWO_ROWS, "end": 2.0},
    AutoscaleRuns: {**{name: [0, 0] for name in AutoscaleRuns.__struct_fields__}, **TWO_ROWS, "errors": {}},
    RecordedSamples: {"period": 30.0, "delay": 60.0},
}
FAULTS = (
    Fault("a column is short", Series, {"queue": [1]}, "queue has 1 rows, times has 2"),
    Fault("a time comes twice", Series, {"times": [5.0, 5.0]}, "times must rise"),
    Fault("runs go back", AutoscaleRuns, {"times": [9.0, 5.0]}, "times must rise"),
    Fault("an error of no run", AutoscaleRuns, {"errors": {2: "?"}}, "an error names run 2; there are 2"),
    Fault("samples without a period", RecordedSamples, {"period": 0.0}, "period: must be positive, not 0"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_what_does_not_fit_together_is_refused(fault):
    right = RIGHT[fault.struct]
    fault.struct(**right)
    with pytest.raises(ValueError, match=fault.told):
        fault.struct(**{**right, **fault.change})


def test_a_file_that_is_none_is_named_with_the_place(tmp_path):
    path = tmp_path / "outcome.json"
    content = json.loads(msgspec.json.encode(OUTCOME))
    content["runs"][0]["figures"]["cost"] = "dear"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="Expected `float`, got `str`") as refused:
        read_outcome(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "`$.runs[0].figures.cost`" in str(refused.value)


def test_unknown_properties_are_refused():
    with pytest.raises(msgspec.ValidationError, match="unknown field `colour`"):
        msgspec.json.decode(b'{"colour": 1}', type=Outcome)
