"""What was recorded of a run leads to the same again: through the journal, the API and back."""

import msgspec
import pytest

from formula import compile_formula
from pools import RecordedRun
from service.hindsight import changed, decide, needed_metrics, of_runs, run_again, standing_at

from .pasts import FORMULAS, START, kept, spec, told


@pytest.fixture(scope="module", params=FORMULAS.items(), ids=list(FORMULAS))
def past(request, tmp_path_factory):
    """Six hours of a pool with this formula."""
    name, formula = request.param
    with told(tmp_path_factory.mktemp("past"), seed=len(name)) as written:
        written.add(spec(formula))
        written.live(6)
        with kept(written.journal) as found:
            yield name, formula, found, list(written.journal.past.runs("p", 0, 1e10)), written


def test_nothing_is_lost_on_the_way(past):
    _, _, found, runs, written = past
    assert len(runs) == 6 * 12
    assert list(found.runs()) == runs
    assert list(found.passes()) == list(written.journal.past.passes("p", 0, 1e10)) != []
    assert list(found.samples()) == list(written.journal.past.samples("p", 0, 1e10))


def test_every_run_comes_to_the_same_once_more(past):
    _, _, found, runs, _ = past
    samples = list(found.samples())
    for run in runs:
        first, last = run.first_sample or 0.0, run.last_sample or 0.0
        again = run_again(run, (each for each in samples if first <= each.time <= last))
        assert again.alike, (run, again)
        assert again.told is not None and again.told.evaluation.timestamp == run.timestamp


def test_these_pasts_hold_what_can_happen(past):
    name, _, _, runs, _ = past
    assert any(run.error is None for run in runs)
    assert any(run.error is not None for run in runs) or "now and then" not in name
    steps = sum(map(changed, runs))
    assert steps in (1, 2) if name in ("nothing", "history") else steps > 5


def test_a_replay_of_its_own_formula_decides_the_same(past):
    _, formula, found, runs, _ = past
    compiled = compile_formula(formula)
    samples = list(found.samples(metrics=needed_metrics(compiled)))
    decided = decide(compiled, of_runs(found.runs(briefly=True), 60.0), samples)
    assert [each.targets for each in decided] == [(run.target_dedicated, run.target_low_priority) for run in runs]
    assert [each.error is None for each in decided] == [run.error is None for run in runs]
    assert all(each.recorded == each.targets for each in decided)


def test_what_stood_at_any_time_is_what_the_records_say(past):
    _, _, found, runs, written = past
    for at in (START, runs[0].timestamp, runs[7].timestamp + 1, runs[30].timestamp - 0.01, written.now):
        standing = standing_at(found, at)
        last = max((run for run in runs if run.timestamp <= at), key=lambda run: run.timestamp, default=None)
        assert (standing.again.run if standing.again else None) == last
        if last is None:
            continue
        assert standing.again and standing.again.alike and standing.plan and standing.sample
        steps = [run for run in runs if run.timestamp <= at and changed(run)]
        assert (standing.change.timestamp if standing.change else None) == (steps[-1].timestamp if steps else None)
        assert (standing.plan.target_dedicated, standing.plan.time <= at) == (last.target_dedicated, True)
        assert standing.sample.time <= at
        begun = standing.change or last
        assert [each.time for each in standing.passes] == [
            each.time for each in written.journal.past.passes("p", begun.timestamp, at)
        ]


# -- what cannot be told ----------------------------------------------------------------------------------------

RUN = RecordedRun("p", START, "$TargetDedicatedNodes=1;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue")


def test_one_of_an_earlier_version_is_not_told():
    again = run_again(RUN, ())
    assert (again.told, again.alike) == (None, False)
    assert again.why_not is not None and "earlier version" in again.why_not


def test_one_that_does_not_parse_says_so(tmp_path):
    with told(tmp_path) as written:
        written.add(spec(FORMULAS["nothing"]))
        written.live(0.1)
        run = next(iter(written.journal.past.runs("p", 0, 1e10)))
    again = run_again(msgspec.structs.replace(run, formula="what is that"), ())
    assert again.told is None
    assert again.why_not is not None and "does not parse" in again.why_not


def test_samples_that_are_gone_are_noticed(tmp_path):
    with told(tmp_path) as written:
        written.add(spec(FORMULAS["history"]))
        written.live(2)
        written.journal.forgetting.forget_older("samples", written.now - 600)
        with kept(written.journal) as found:
            standing = standing_at(found, written.now)
    assert standing.again is not None and standing.again.told is not None
    assert not standing.again.alike


def test_since_when_the_targets_hold(tmp_path):
    """Nodes that come and go in between change nothing about that."""
    with told(tmp_path) as written:
        written.add(spec(None))
        written.live(1)
        resized = written.now
        written.resize(4)
        written.live(1)
        failed = next(node for node in written.context.nodes)
        written.pools.nodes.departure.failed(failed, "it broke", written.now)
        written.live(1)
        with kept(written.journal) as found:
            before, after = standing_at(found, resized - 1), standing_at(found, written.now)
    assert before.plan is not None and before.since is not None
    assert before.plan.target_dedicated == 2
    assert before.since.time == pytest.approx(START, abs=1)
    assert after.plan is not None and after.since is not None
    assert after.plan.time > resized == after.since.time
    assert (after.again, after.change, after.passes[0].time) == (None, None, resized)
