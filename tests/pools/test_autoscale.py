"""Formulas at work: samples that become visible late, runs on record, errors that leave the targets alone."""

from datetime import timedelta

import pytest

from pools import PoolError, PoolSpec, TaskCounts

from .machine import machine

SETTINGS = {"sample_period": 10.0, "sample_delay": 25.0, "minimum_evaluation_interval": 1.0}


def scaled(formula):
    pools, context = machine(**SETTINGS)
    spec = PoolSpec(
        id="p",
        vm_size="small",
        enable_auto_scale=True,
        auto_scale_formula=formula,
        auto_scale_evaluation_interval=timedelta(seconds=30),
    )
    pools.add(spec, "x", "image", 1000.0)
    return pools, context


def pass_time(pools, context, until):
    while (due := context.timers.next()) is not None and due <= until:
        for kind, key in context.timers.due(due):
            pools.ring(kind, key, due)
    pools.settle(until)


def runs(context):
    return [change.record for change in context.ledger.take() if change.table == "autoscale_runs"]


def test_every_interval_has_its_run_on_record():
    pools, context = scaled("$TargetDedicatedNodes = 2;")
    pass_time(pools, context, 1070.0)
    found = runs(context)
    assert [run.timestamp for run in found] == [1000.0, 1030.0, 1060.0]
    assert all(run.error is None and "$TargetDedicatedNodes=2" in run.results for run in found)
    assert context.pools["p"].target_dedicated == 2
    assert context.pools["p"].autoscale_run == found[-1].brief
    assert context.node_count("p") == 2


def test_an_error_is_on_record_and_leaves_the_targets_alone():
    pools, context = scaled(
        "$TargetDedicatedNodes = sum($PendingTasks.GetSample(5 * TimeInterval_Minute, 70));"
    )
    before = context.pools["p"]
    run = pools.autoscale("p", 1001.0)
    assert run.error is not None and run.error.code
    after = context.pools["p"]
    assert (after.target_dedicated, after.target_low_priority) == (
        before.target_dedicated,
        before.target_low_priority,
    )
    assert after.autoscale_run == run
    assert after.next_evaluation == 1031.0


def test_samples_are_seen_when_they_are_old_enough():
    pools, context = scaled("$TargetDedicatedNodes = $PendingTasks.Count();")
    context.workload.now = TaskCounts(active=1)
    pass_time(pools, context, 1020.0)  # samples at 1000, 1010, 1020
    seen = [pools.autoscale("p", now).results for now in (1024.9, 1025.0, 1035.0, 1045.0)]
    assert [text.split(";")[0].rpartition("=")[2] for text in seen] == ["0", "1", "2", "3"]


def test_an_evaluation_for_information_changes_nothing():
    pools, context = scaled("$TargetDedicatedNodes = 1;")
    context.ledger.take()
    run = pools.evaluate("p", "$TargetDedicatedNodes = 7;", 1001.0)
    assert "$TargetDedicatedNodes=7" in run.results
    assert not context.ledger.dirty
    with pytest.raises(PoolError, match="autoScaleFormula"):
        pools.evaluate("p", "1 +", 1001.0)


def test_recovered_samples_count_once():
    pools, context = scaled("$TargetDedicatedNodes = 0;")
    pass_time(pools, context, 1020.0)
    samples = [change.record for change in context.ledger.take() if change.table == "samples"]
    again, fresh = machine(**SETTINGS)
    fresh.load({"p": context.pools["p"]}, {})
    again.recover(samples, 1021.0, 1021.0)
    assert fresh.timers.next() == 1030.0  # the sample that is due, and not one at once
    history = again.histories.of("p")
    history.add(samples[-1])
    assert len(history.visible(2000.0)["$PendingTasks"]) == 3


def test_a_pool_that_gets_targets_instead_is_not_evaluated_any_more():
    pools, context = scaled("$TargetDedicatedNodes = 2;")
    pass_time(pools, context, 1000.0)
    runs(context)
    pools.rescale(PoolSpec(id="p", vm_size="small", target_dedicated_nodes=1), 1010.0)
    pass_time(pools, context, 1100.0)
    assert runs(context) == []
    assert (context.pools["p"].target_dedicated, context.pools["p"].next_evaluation) == (1, None)


@pytest.mark.parametrize(
    ("late", "seen"),
    [
        ([0.0] * 12, [0.0] * 12),
        ([0.004, 0.002, 0.009] * 4, [0.0] * 12),  # a busy controller: told as of when they were due
        ([0.0, 0.0, 4.0, 0.0], [0.0, 0.0, 4.0, 0.0]),
        ([0.0, 0.0, 6.0, 0.0], [0.0, 0.0, 6.0, 10.0]),  # the next would come too soon
        ([0.0, 0.0, 33.0, 0.0], [0.0, 0.0, 33.0, 30.0]),  # it stood still: three samples were not taken
        ([0.0, 0.0, 37.0, 0.0], [0.0, 0.0, 37.0, 40.0]),
    ],
    ids=["in time", "milliseconds", "seconds", "more than half", "stood still", "stood still longer"],
)
def test_samples_keep_their_beat(late, seen):
    pools, context = scaled("$TargetDedicatedNodes = 0;")
    for other in (("autoscale", "p"), ("poll", "x")):
        context.timers.cancel(*other)
    context.ledger.take()
    for seconds in late:
        due = context.timers.next()
        context.timers.due(due)
        pools.ring("sample", "p", due + seconds)
    times = [change.record.time for change in context.ledger.take() if change.table == "samples"]
    assert times == [1000.0 + 10.0 * number + passed for number, passed in enumerate(seen)]


def test_runs_keep_their_beat():
    pools, context = scaled("$TargetDedicatedNodes = 0;")
    context.ledger.take()
    for late in (0.004, 0.002, 0.5, 0.0, 2.0, 0.0):
        due = context.pools["p"].next_evaluation
        pools.ring("autoscale", "p", due + late)
    assert [run.timestamp for run in runs(context)] == [1000.004, 1030.002, 1060.5, 1090.0, 1122.0, 1152.0]
