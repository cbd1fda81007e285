"""Another formula on a recorded past: as recorded, evenly spread, and following what it has decided itself."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formula import PoolValues, Samples, TimeSeries, compile_formula
from formula.replay import replay
from pools import RecordedRun, Sample
from service.hindsight import Moment, decide, every, figures, of_runs, period_of, reads_decisions

from .pasts import FORMULAS, START, kept, spec, told

PERIOD = 30.0


def samples(count, **values):
    """One every 30 s from 0 on; each value is a function of its number."""
    return [
        Sample("p", number * PERIOD, {f"${name}": float(of(number)) for name, of in values.items()})
        for number in range(count)
    ]


def targets(formula, moments, past, **options):
    return [each.targets for each in decide(compile_formula(formula), moments, past, **options)]


# -- as recorded ------------------------------------------------------------------------------------------------


def test_it_sees_what_the_run_saw_and_no_more():
    past = samples(10, ActiveTasks=lambda number: number)
    moments = [Moment(300.0, 60.0, 150.0, PERIOD), Moment(360.0, 90.0, 210.0, PERIOD)]
    assert targets("$TargetDedicatedNodes = $ActiveTasks.Count();", moments, past) == [(4, 0), (5, 0)]
    assert targets("$TargetDedicatedNodes = max($ActiveTasks.GetSample(1));", moments, past) == [(5, 0), (7, 0)]


def test_settings_that_changed_in_between_count():
    """A longer sample delay hides what was seen before; a longer retention shows what was not."""
    past = samples(10, ActiveTasks=lambda number: number)
    spans = [(120.0, 180.0), (30.0, 120.0), (inf, -inf)]
    moments = [Moment(240.0 + number, *each, PERIOD) for number, each in enumerate(spans)]
    assert targets("$TargetDedicatedNodes = $ActiveTasks.Count();", moments, past) == [(3, 0), (4, 0), (0, 0)]


def test_the_pool_is_as_it_was_recorded_or_as_the_samples_tell():
    past = samples(10, CurrentDedicatedNodes=lambda number: number, TargetDedicatedNodes=lambda number: 9)
    seen = PoolValues(current_dedicated=50, target_dedicated=60)
    moments = [Moment(100.0, 0.0, 30.0, PERIOD, (7, 0), seen), Moment(100.0, 0.0, 30.0, PERIOD)]
    decided = decide(compile_formula("$TargetDedicatedNodes = $CurrentDedicatedNodes + 1;"), moments, past)
    assert [each.targets for each in decided] == [(51, 0), (4, 0)]
    assert [each.recorded for each in decided] == [(7, 0), (9, 0)]


def test_before_the_first_sample_nothing_is_known_of_the_pool():
    (decided,) = decide(compile_formula("$TargetDedicatedNodes = 1;"), [Moment(-5.0, -inf, -65.0, PERIOD)], samples(3))
    assert (decided.targets, decided.recorded) == ((1, 0), None)


def test_one_that_fails_leaves_the_targets_that_were():
    moments = [Moment(100.0, 0.0, 30.0, PERIOD, (7, 0), PoolValues(target_dedicated=6, target_low_priority=2))]
    (decided,) = decide(compile_formula("$TargetDedicatedNodes = 1 / 0;"), moments, [])
    assert decided.error is not None
    assert decided.targets == (6, 2)


def test_one_that_fails_keeps_what_the_replay_itself_had_decided():
    """It fails from the second moment on; the pool had 5 and then 9 nodes then, and somebody made 20 of them."""
    formula = "$TargetDedicatedNodes = 3 / ($CurrentDedicatedNodes - 1);"
    pasts = [(5, 2, 7), (7, 1, 9), (9, 1, 9), (20, 1, 20), (20, 4, 8)]
    moments = [
        Moment(300.0 * number, 0.0, 0.0, PERIOD, (after, 0), PoolValues(target_dedicated=own, current_dedicated=there))
        for number, (own, there, after) in enumerate(pasts, 1)
    ]
    assert targets(formula, moments, []) == [(3, 0), (3, 0), (3, 0), (20, 0), (1, 0)]


def test_runs_of_earlier_versions_see_what_was_old_enough():
    (moment,) = of_runs([RecordedRun("p", 100.0, "")], 60.0)
    assert (moment.first, moment.last, moment.recorded, moment.pool) == (-inf, 40.0, None, None)


# -- evenly spread ----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.sampled_from([0.0, 60.0]))
def test_it_decides_as_a_replay_of_the_same_recording(values, delay):
    """`ebbtide formula replay` and this one are two implementations of one thing."""
    formula = compile_formula(
        "x = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 3) < 70 ? 1 "
        ": avg($PendingTasks.GetSample(TimeInterval_Minute * 3)); $TargetDedicatedNodes = x * 2;"
    )
    past = samples(len(values), PendingTasks=lambda number: values[number])
    series = TimeSeries((each.time, each.values["$PendingTasks"]) for each in past)
    known = replay(formula, Samples(PERIOD, {"$PendingTasks": series}), every=45.0, delay=delay)
    moments = every(0.0, past[-1].time, 45.0, delay, PERIOD)
    assert [each.targets[0] for each in decide(formula, moments, past)] == known.dedicated.tolist()


@pytest.mark.parametrize(
    ("times", "period"),
    [([], 30.0), ([5.0], 30.0), ([0, 30.01, 60.03, 90.04], 30.0), ([0, 1.01, 2.01, 60.0], 1.0), ([0, 0.21, 0.41], 0.2)],
)
def test_the_samples_tell_how_often_they_were_taken(times, period):
    assert period_of([Sample("p", time, {}) for time in times]) == pytest.approx(period, abs=0.06)


def test_too_many_are_refused():
    with pytest.raises(ValueError, match="too many"):
        every(0.0, 1e9, 1.0, 0.0, PERIOD)


# -- following ----------------------------------------------------------------------------------------------------


def test_a_formula_that_counts_on_from_its_own_target():
    past = samples(40, TargetDedicatedNodes=lambda number: 5, CurrentDedicatedNodes=lambda number: 5)
    moments = every(0.0, 900.0, 300.0, 0.0, PERIOD)
    grows = "$TargetDedicatedNodes = $TargetDedicatedNodes + 1;"
    assert targets(grows, moments, past) == [(6, 0)] * 4
    assert targets(grows, moments, past, follow=True) == [(6, 0), (7, 0), (8, 0), (9, 0)]


def test_samples_of_nodes_follow_too():
    """From the first decision on; what was sampled before is as it was recorded."""
    past = samples(40, CurrentDedicatedNodes=lambda number: 5, ActiveTasks=lambda number: number)
    moments = every(300.0, 900.0, 300.0, 0.0, PERIOD)
    doubles = "x = $CurrentDedicatedNodes.GetSample(1); $TargetDedicatedNodes = max(x) * 2;"
    assert targets(doubles, moments, past) == [(10, 0)] * 3
    assert targets(doubles, moments, past, follow=True) == [(10, 0), (20, 0), (40, 0)]


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("$TargetDedicatedNodes = 1;", ()),
        ("$TargetDedicatedNodes = max($PendingTasks.GetSample(1));", ()),
        ("$TargetDedicatedNodes = $TaskSlotsPerNode;", ()),
        ("$TargetDedicatedNodes = $CurrentDedicatedNodes;", ("$CurrentDedicatedNodes",)),
        ("$TargetDedicatedNodes = max($UsableNodeCount.GetSample(1));", ("$UsableNodeCount",)),
        ("$TargetDedicatedNodes = $TargetDedicatedNodes + 1;", ("$TargetDedicatedNodes",)),
    ],
)
def test_what_depends_on_what_was_decided(formula, names):
    assert reads_decisions(compile_formula(formula)) == names


def test_a_pool_without_a_formula_can_be_asked_about_one(tmp_path):
    with told(tmp_path) as written:
        written.add(spec(None))
        written.live(1)
        written.resize(4)
        written.live(1)
        with kept(written.journal) as found:
            past = list(found.samples())
    moments = every(past[0].time, past[-1].time, 300.0, 60.0, period_of(past))
    decided = decide(compile_formula(FORMULAS["window"]), moments, past)
    assert {each.recorded for each in decided} == {(2, 0), (4, 0)}
    assert [each.recorded == (4, 0) for each in decided] == [each.time > START + 3599 for each in decided]
    assert len({each.targets for each in decided}) > 2


# -- figures --------------------------------------------------------------------------------------------------------


def test_figures_by_hand():
    found = figures([0.0, 3600.0, 5400.0], [(2, 1), (0, 0), (4, 0)], 900.0)
    assert found.node_hours == (2 + 1, 1)
    assert (found.peak_nodes, found.hours_at_zero, found.resizes) == (4, 0.5, 2)
