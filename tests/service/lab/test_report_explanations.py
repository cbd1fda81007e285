"""The explanations of a report are those of the runs: told again from what was recorded, they decide the same."""

import msgspec
import pytest

from formula import PoolValues, Samples, TimeSeries
from formula.explain import trace
from service.lab.report.explanations import chosen_runs, explanations, formula_lines

from .synthetic import PENDING, START, WORKDAY, synthetic

replace = msgspec.structs.replace


@pytest.mark.parametrize("text", [PENDING, WORKDAY], ids=["pending", "workday"])
@pytest.mark.parametrize("step", [60.0, 300.0])
def test_every_run_is_told_again_as_it_was(text, step):
    outcome = synthetic({"formula": text}, days=2, step=step, seed=3)
    (run,) = outcome.runs
    told = list(explanations(run, outcome.scenario, range(len(run.autoscale.times))))
    assert len(told) == 2 * 288
    assert all(each.alike for each in told)
    assert {number for number, each in enumerate(told) if each.error} == set(run.autoscale.errors)
    assert all(each.error == run.autoscale.errors.get(each.run, "") for each in told)


def test_some_of_the_runs_are_told_as_all_of_them_are():
    outcome = synthetic({"formula": PENDING}, days=1)
    (run,) = outcome.runs
    whole = list(explanations(run, outcome.scenario, range(288)))
    some = [0, 7, 8, 200, 287]
    assert list(explanations(run, outcome.scenario, some)) == [whole[number] for number in some]


def test_statements_and_what_they_saw():
    outcome = synthetic({"formula": PENDING}, days=1)
    (run,) = outcome.runs
    (told,) = explanations(run, outcome.scenario, [100])
    assert [line.line for line in formula_lines(PENDING)] == [2, 3, 4, 5, 6, 7]
    assert [each.value for each in told.statements[:2]] == ["20", "00:05:00"]
    assert told.statements[3].because[0].startswith("samplesPresent (")
    seen = told.statements[3].samples[0]
    # The run is at minute 500; the newest sample that it sees is a minute old.
    assert (seen.metric, seen.first, seen.stop, seen.late) == ("$PendingTasks", 496, 500, 1)
    given = [value for value in run.samples.values["$PendingTasks"][496:500] if value is not None]
    assert (seen.present, seen.possible, seen.wanted) == (len(given), 5, 70.0)


def test_what_cannot_be_told_again_is_said():
    outcome = synthetic({"formula": "$TargetDedicatedNodes = 1 + 1000 * rand();"}, days=0.1)
    (run,) = outcome.runs
    moved = replace(run, autoscale=replace(run.autoscale, dedicated=[*run.autoscale.dedicated[:-1], 1001]))
    told = list(explanations(moved, outcome.scenario, range(len(run.autoscale.times))))
    assert [each.alike for each in told] == [True] * (len(told) - 1) + [False]


def test_a_failed_run_says_where():
    text = "a = 1;\nb = $PendingTasks.GetSample(1) / 0;\n$TargetDedicatedNodes = b;"
    outcome = synthetic({"formula": text}, days=0.1)
    (run,) = outcome.runs
    (told,) = explanations(run, outcome.scenario, [5])
    assert [each.outcome for each in told.statements] == ["", "failed", "not reached"]
    assert told.error.startswith("AutoScalingFormulaEvaluationError")
    assert "Line 2" in told.error
    assert told.alike


def test_samples_are_forgotten_after_their_retention():
    text = "$TargetDedicatedNodes = $PendingTasks.Count() / 100;"
    outcome = synthetic({"formula": text}, days=1)
    (run,) = outcome.runs
    short = replace(run, samples=replace(run.samples, retention=3600.0))
    (told,) = explanations(short, outcome.scenario, [287])
    assert told.statements[0].samples[0].present <= 60
    assert told.statements[0].samples[0].whole


def test_of_too_many_those_that_changed_something_come_first():
    outcome = synthetic({"formula": PENDING}, days=2)
    (run,) = outcome.runs
    targets = [0, *run.autoscale.dedicated]
    changed = {number for number in range(576) if targets[number] != targets[number + 1]}
    assert chosen_runs(run, outcome.scenario, 576) == range(576)
    some = chosen_runs(run, outcome.scenario, len(changed) + 50)
    assert changed < set(some)
    assert len(some) == len(set(some)) == len(changed) + 50
    assert some == sorted(some)
    few = chosen_runs(run, outcome.scenario, 10)
    assert len(few) == 10
    assert set(few) <= changed
    assert few[-1] > 400  # from all of the time
    assert list(chosen_runs(run, outcome.scenario, 0)) == []


def test_the_first_run_finds_the_initial_targets():
    text = "before = $TargetDedicatedNodes + 10 * $TargetLowPriorityNodes;\n$TargetDedicatedNodes = 5;"
    outcome = synthetic({"formula": text}, days=0.1)
    (run,) = outcome.runs
    values = []
    for targets in ((0, 0), (5, 3)):
        scenario = replace(outcome.scenario, initial_targets=targets)
        values.append([told.statements[0].value for told in explanations(run, scenario, [0, 1])])
    assert values == [["0", "5"], ["35", "5"]]
    # One that began with five nodes has a first run that changed nothing.
    dedicated = [*run.autoscale.dedicated[:-1], 6]
    moved = replace(run, autoscale=replace(run.autoscale, dedicated=dedicated))
    for targets, telling in (((0, 0), 0), ((5, 0), len(dedicated) - 1)):
        assert list(chosen_runs(moved, replace(outcome.scenario, initial_targets=targets), 1)) == [telling]


def test_an_explanation_is_what_explain_tells():
    outcome = synthetic({"formula": WORKDAY}, days=1)
    (run,) = outcome.runs
    (told,) = explanations(run, outcome.scenario, [150])

    visible = TimeSeries(
        (START + 60.0 * number, value)
        for number, value in enumerate(run.samples.values["$ActiveTasks"][:750])
        if value is not None
    )
    made = run.autoscale
    pool = PoolValues(made.dedicated[149], 0, made.current_dedicated[150], 0, 0, made.usable[150], 1)
    same = trace(WORKDAY, Samples(60.0, {"$ActiveTasks": visible}, pool), START + 150 * 300)
    assert [each.computed for each in told.statements] == [each.computed for each in same.statements]
    branches = [[str(way) for way in each.branches] for each in same.statements]
    assert [each.because for each in told.statements] == branches
