"""What is told of a simulated formula: figures that can be worked out by hand, and laws."""

import gc
from datetime import timedelta
from itertools import count
from random import Random

import msgspec
import pytest
from pytest import approx

from providers import ProviderError
from service.lab.arrivals import Arranged
from service.lab.distributions import Distribution
from service.lab.formulas import NamedFormula
from service.lab.generators import generated
from service.lab.outcome import About
from service.lab.report.explanations import explanations
from service.lab.running import Running
from service.lab.scenario import NO_DATE, Generate, NodeCounts, NodeLimits

from .small_worlds import run, tasks, until, world

ONE_FOR_FIVE_MINUTES = until(300, "0")
PENDING = """
$TargetDedicatedNodes = min(20, max(0, $PendingTasks.GetSample(1)));
$NodeDeallocationOption = taskcompletion;
"""
SPOT = PENDING.replace("$TargetDedicatedNodes", "$TargetLowPriorityNodes")


def test_two_tasks_on_a_node_that_boots():
    """It is asked for at 0, answers at 100, works until 160 and 220, and goes with the second evaluation at 300."""
    told = run(ONE_FOR_FIVE_MINUTES, tasks((0.0, 60.0), (10.0, 60.0)), world())
    figures = told.figures
    assert (figures.tasks, figures.unfinished, figures.peak_nodes) == (2, 0, 1)
    assert figures.cost == approx(0.3)
    assert (figures.node_seconds, figures.idle_node_seconds) == approx((300.0, 180.0))
    wait = figures.wait
    assert (wait.mean, wait.p50, wait.p95, wait.p99, wait.max) == approx((125.0, 100.0, 150.0, 150.0, 150.0))
    assert figures.makespan == approx(220.0)
    assert (figures.resizes, figures.flaps, figures.evictions, figures.seconds_at_zero) == (2, 1, 0, 0.0)
    series = told.series
    assert series.times == approx([0.0, 10.0, 100.0, 160.0, 220.0, 300.0])
    assert series.demand == [1, 2, 2, 1, 0, 0]
    assert series.queue == [1, 2, 1, 0, 0, 0]
    assert series.target_dedicated == [1, 1, 1, 1, 1, 0]
    assert [series.booting, series.idle, series.running] == [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 1, 1, 0, 0]]
    assert series.cost == approx([0.0, 0.01, 0.1, 0.16, 0.22, 0.3])
    assert series.end == approx(300.0)


def test_a_vm_costs_its_minimum():
    there = world(boot=Distribution(constant=10.0), evaluation_interval=timedelta(seconds=20))
    figures = run(until(20, "0"), tasks((0.0, 5.0)), there).figures
    assert (figures.node_seconds, figures.cost) == approx((20.0, 0.06))


def test_one_that_lives_at_the_end_costs_its_minimum_too():
    boot, often = Distribution(constant=1.0), timedelta(seconds=30)
    there = world(boot=boot, minimum_billing=timedelta(days=1), evaluation_interval=often)
    told = run("$TargetDedicatedNodes = 1;", tasks((0.0, 5.0)), there)
    # it has three evaluations to let its nodes go
    assert (told.series.end, told.figures.node_seconds) == approx((96.0, 96.0))
    assert told.figures.cost == approx(86.4)


def test_no_more_nodes_than_the_quota():
    many = tasks(*[(0.0, 600.0)] * 8)
    there = world(quota=NodeLimits(dedicated=2, low_priority=1))
    figures = run("$TargetDedicatedNodes = 5; $TargetLowPriorityNodes = 5;", many, there).figures
    assert (figures.peak_nodes, figures.tasks) == (3, 8)


def test_several_tasks_share_a_node():
    figures = run(ONE_FOR_FIVE_MINUTES, tasks(*[(0.0, 60.0)] * 4, slots=2), world(task_slots_per_node=4)).figures
    assert (figures.wait.p50, figures.wait.max) == approx((100.0, 160.0))


def test_what_can_never_be_done_ends_the_simulation():
    told = run("$TargetDedicatedNodes = 0;", tasks((0.0, 60.0), (50.0, 60.0)), world())
    assert (told.figures.tasks, told.figures.unfinished, told.figures.cost) == (0, 2, 0.0)
    assert told.figures.seconds_at_zero == approx(told.series.end) and told.series.end < 3 * 86400


def test_targets_stand_before_the_first_run():
    there = world(initial_targets=NodeCounts(dedicated=3))
    told = run("$TargetDedicatedNodes = $TargetDedicatedNodes - 1;", tasks((0.0, 60.0)), there)
    assert told.autoscale.dedicated[:3] == [2, 1, 0]


def a_day(rate=60.0, slots=None, most=1, seed=1) -> Arranged:
    asked = Generate(rate=rate, duration=Distribution(constant=400.0), slots=slots, length=timedelta(hours=12))
    return Arranged(generated(asked, NO_DATE, most, Random(seed)), NO_DATE)


@pytest.mark.parametrize("seed", range(3))
def test_nodes_that_are_taken_back(seed):
    """Every task ends all the same, and what was begun in vain is told; no second of a VM is lost or paid twice."""
    there = world(preemptions_per_hour=4.0, minimum_billing=timedelta(0))
    told = run(SPOT, a_day(seed=seed), there, seed)
    figures = told.figures
    assert figures.unfinished == 0 and figures.evictions > 10 and figures.thrown_away_seconds > 100
    assert figures.cost == approx(figures.node_seconds * 0.36 / 3600)
    busy = figures.node_seconds - figures.idle_node_seconds
    assert busy == approx(figures.tasks * 400.0 + figures.thrown_away_seconds)
    assert told.series.cost[-1] == approx(figures.cost)


def test_the_same_seed_gives_the_same_to_the_byte():
    there = world(preemptions_per_hour=1.0, sample_loss=0.2)
    told = [msgspec.json.encode(run(SPOT, a_day(), there, seed)) for seed in (1, 1, 2)]
    assert told[0] == told[1] != told[2]


@pytest.mark.parametrize("loss", [0.0, 0.3, 1.0])
def test_runs_are_explained_by_the_samples_that_were_recorded(loss):
    told = run(PENDING, a_day(), world(sample_loss=loss, sample_delay=timedelta(seconds=90)))
    (values,) = told.samples.values.values()
    lost = sum(value is None for value in values) / len(values)
    assert abs(lost - loss) < 0.05
    about = About(name="", seed=1, start=NO_DATE, tasks=0)
    assert bool(told.figures.tasks) == (loss < 1.0)
    explained = list(explanations(told, about, range(len(told.autoscale.times))))
    assert len(explained) > 140 and all(each.alike for each in explained)


def test_it_ends_early_when_somebody_wants_it():
    running = Running(world(), a_day(), 1, NamedFormula("pending", PENDING), lambda: 0.0)
    told = running.run(lambda seconds: seconds > 3600)
    assert running.stopped and 3600 < told.series.end < 12 * 3600
    assert told.figures.tasks and told.figures.tasks + told.figures.unfinished < 700


def test_it_ends_early_although_all_tasks_have_ended():
    """Three more evaluations would follow, in three weeks, while the nodes stay."""
    there = world(evaluation_interval=timedelta(days=7), initial_targets=NodeCounts(dedicated=1))
    keep = NamedFormula("keep", "$TargetDedicatedNodes = $TargetDedicatedNodes;")
    ticks = count()
    running = Running(there, tasks((0.0, 60.0)), 1, keep, lambda: float(next(ticks)))
    told = running.run(lambda seconds: seconds > 86400)
    assert running.stopped and told.figures.tasks == 1
    assert 86400 < told.series.end < 3 * 86400


def test_what_a_cloud_refuses_is_forgotten():
    """The garbage collector is off in a run: errors that it alone ends would fill the memory."""
    kept: list[int] = []

    def look(seconds):
        kept.append(sum(isinstance(each, ProviderError) for each in gc.get_objects()))
        return False

    there = world(quota=NodeLimits(dedicated=1, low_priority=0))
    asks = NamedFormula("asks", "$TargetDedicatedNodes = 100;")
    running = Running(there, tasks((0.0, 60.0), (10 * 3600.0, 60.0)), 1, asks, lambda: 0.0)
    told = running.run(look)
    assert told.figures.peak_nodes == 1
    assert kept and max(kept) < 500, "of some ten thousand"
