"""The recurrent example: its formula decides what its comments say, and its two packages run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from formula import PoolValues, Samples, TimeSeries, compile_formula, lint

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "recurrent"
WORKLOAD = yaml.safe_load((EXAMPLE / "workload.yaml").read_text(encoding="utf-8"))
FORMULA = WORKLOAD["pools"][0]["autoScaleFormula"]
# The documents' own formula, as README.md quotes it.
DOCUMENTED = """
startingNumberOfVMs = 1;
maxNumberofVMs = 25;
pendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
pendingTaskSamples = pendingTaskSamplePercent < 70
    ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
$TargetDedicatedNodes = min(maxNumberofVMs, pendingTaskSamples);
$NodeDeallocationOption = taskcompletion;
"""
PERIOD = 0.5
START = 1_700_000_000.0


def evaluate(text, pending):
    """One evaluation right after samples of $PendingTasks with these values."""
    series = TimeSeries()
    for index, value in enumerate(pending):
        series.append(START + index * PERIOD, float(value))
    now = START + max(0, len(pending) - 1) * PERIOD
    pool = PoolValues(
        target_dedicated=0, target_low_priority=0, current_dedicated=0, current_low_priority=0,
        preempted=0, usable=0, task_slots_per_node=1,
    )
    return compile_formula(text).evaluate(Samples(PERIOD, {"$PendingTasks": series}, pool), now)


def test_the_formula_has_no_faults():
    assert not lint(FORMULA)


@pytest.mark.parametrize(
    ("pending", "nodes"),
    [
        ([], 0),                   # nobody has asked for anything yet
        ([0], 0),
        ([1], 1),                  # one sample is enough
        ([0] * 20 + [1], 1),
        ([9] * 30, 1),             # never more than one
        ([1] + [0] * 9, 1),        # 4.5 seconds after the last task: still in the window of 5
        ([1] + [0] * 11, 0),       # 5.5 seconds after
    ],
)
def test_the_formula_follows_the_tasks(pending, nodes):
    evaluation = evaluate(FORMULA, pending)
    assert evaluation.error is None
    assert (evaluation.dedicated, evaluation.low_priority) == (0, nodes)
    assert evaluation.node_deallocation_option == "taskcompletion"


def test_the_lesson_of_the_readme():
    readme = (EXAMPLE.parents[1] / "README.md").read_text(encoding="utf-8")
    for line in DOCUMENTED.strip().splitlines():
        assert line.strip() in readme
    assert evaluate(DOCUMENTED, []).dedicated == 1


def test_the_task_says_what_it_should(tmp_path):
    given = {f"AZ_BATCH_{name}": name.lower() for name in ("POOL_ID", "NODE_ID", "JOB_ID", "TASK_ID")}
    run = subprocess.run(
        [sys.executable, EXAMPLE / "pythonscript" / "sample.py"],
        env=given, cwd=tmp_path, capture_output=True, text=True, check=True,
    )
    first, date, *variables = run.stdout.splitlines()
    assert first == "Hello world"
    assert date.startswith("It is ")
    assert "AZ_BATCH_JOB_ID = job_id" in variables


def test_the_start_task_runs(tmp_path):
    run = subprocess.run(
        [EXAMPLE / "pythonsetup" / "setup-python.sh"],
        env={"PATH": os.environ["PATH"], "AZ_BATCH_POOL_ID": "mainPool", "AZ_BATCH_NODE_ID": "n1"},
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )
    assert run.stdout.startswith("Setting up Python for mainPool on node n1\n")
