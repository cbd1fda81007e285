"""A run on record holds what it takes to go through it once more."""

from datetime import timedelta
from random import Random

import pytest

from formula import PoolValues, Samples, TimeSeries
from pools import AutoScaleRun, NodeDeallocationOption, PoolSpec, RecordedRun, TaskCounts
from pools.autoscale import evaluate

from .machine import machine, pass_time
from .nodes import pool

NOW = 1000.0
SETTINGS = {"sample_period": 10.0, "sample_delay": 25.0, "minimum_evaluation_interval": 1.0}


NONE = Samples()


def recorded(formula, samples=NONE, span=None, **of_pool):
    return evaluate(pool(**of_pool), formula, samples, NOW, Random(1), span)[0]


SAW = Samples(
    10.0,
    {"$PendingTasks": TimeSeries([(900.0, 1.0), (910.0, 2.0)]), "$CPUPercent": TimeSeries([(910.0, 5.0)])},
    PoolValues(target_dedicated=3, current_dedicated=2, usable=1),
)


def test_what_it_saw_and_what_came_out():
    formula = "$TargetDedicatedNodes = 7; $NodeDeallocationOption = taskcompletion;"
    run = recorded(formula, SAW, (900.0, 910.0), target_dedicated=3)
    assert (run.formula, run.pool, run.sample_period) == (formula, SAW.pool, 10.0)
    assert (run.first_sample, run.last_sample) == (900.0, 910.0)
    assert (run.target_dedicated, run.target_low_priority) == (7, 0)
    assert run.node_deallocation_option is NodeDeallocationOption.TASK_COMPLETION
    assert run.seed is None
    assert run.brief == AutoScaleRun("p", NOW, run.results)


@pytest.mark.parametrize(
    "formula",
    ["$TargetDedicatedNodes = 1 / 0;", "$TargetDedicatedNodes = $PendingTasks.GetSample(100, 90);", "what is that"],
)
def test_one_that_fails_is_on_record_with_the_targets_that_stay(formula):
    run = recorded(formula, SAW, target_dedicated=3, target_low_priority=4)
    assert run.error is not None
    assert run.brief.error == run.error
    assert (run.formula, run.target_dedicated, run.target_low_priority) == (formula, 3, 4)


def test_what_was_drawn_can_be_drawn_again():
    formula = "x = rand(); y = rand(); $TargetDedicatedNodes = 0;"
    run = recorded(formula)
    again = Random(run.seed)
    assert run.results.endswith(f"x={again.random()!r};y={again.random()!r}")
    assert evaluate(pool(), formula, Samples(), NOW, Random(2))[0].seed != run.seed


def test_the_pool_tells_the_run_and_the_journal_all_of_it():
    pools, context = machine(**SETTINGS)
    spec = PoolSpec(
        id="p",
        vm_size="small",
        enable_auto_scale=True,
        auto_scale_formula="$TargetDedicatedNodes = 2;",
        auto_scale_evaluation_interval=timedelta(seconds=30),
    )
    pools.add(spec, "x", "image", NOW)
    context.workload.now = TaskCounts(active=3)
    pass_time(pools, context, NOW + 60)
    runs = [change.record for change in context.ledger.take() if change.table == "autoscale_runs"]
    assert all(type(run) is RecordedRun for run in runs)
    assert type(context.pools["p"].autoscale_run) is AutoScaleRun
    assert type(pools.evaluate("p", None, NOW + 61)) is AutoScaleRun
    assert [(run.pool.target_dedicated, run.pool.current_dedicated, run.target_dedicated) for run in runs] == [
        (0, 0, 2),
        (2, 2, 2),
        (2, 2, 2),
    ]
    # samples at 1000, 1010, ...; each is seen when it is 25 s old
    assert [(run.first_sample, run.last_sample) for run in runs] == [(None, None), (1000, 1000), (1000, 1030)]
