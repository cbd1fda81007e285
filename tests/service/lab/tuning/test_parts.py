"""What a formula is searched on, and what it is checked on."""

import pytest

from service.lab.scenario_file import load_scenario
from service.lab.tuning.parts import parts_of

WORLD = "world: {boot: PT90S}\nformulas: [$TargetDedicatedNodes = 1;]\n"
TRACE = "workload: {trace: {file: jobs.csv}}\nstart: 2024-01-01T00:00:00Z\nseed: 5\n" + WORLD
GENERATED = "workload: {generate: {rate: 60, duration: PT4M, for: PT2H}}\nseed: 5\n" + WORLD


@pytest.fixture
def scenario(tmp_path):
    def written(text, times=()):
        rows = "".join(f"{time},{time + 1}\n" for time in times)
        (tmp_path / "jobs.csv").write_text(f"time,duration\n{rows}", encoding="utf-8")
        (tmp_path / "scenario.yaml").write_text(text, encoding="utf-8")
        return load_scenario(tmp_path / "scenario.yaml")

    return written


def times(part):
    return list(part.arranged.arrivals.times)


def test_the_end_of_a_trace_is_held_out(scenario):
    found = parts_of(scenario(TRACE, [0, 10, 20, 30, 40, 50, 60, 70, 75, 80]), 0.25)
    assert found.split == 60 and (found.search.seed, found.check.seed) == (5, 6)
    assert times(found.search) == [0, 10, 20, 30, 40, 50] and found.search.arranged.arrivals.horizon == 60
    assert times(found.check) == [0, 10, 15, 20] and found.check.arranged.arrivals.horizon == 20
    assert list(found.check.arranged.arrivals.durations) == [61, 71, 76, 81]
    # a formula that looks at the clock sees the trace's
    assert found.check.arranged.start == found.search.arranged.start + 60


def test_nothing_of_a_trace_is_held_out_if_nobody_wants_it(scenario):
    found = parts_of(scenario(TRACE, range(9)), 0)
    assert found.split is None and times(found.search) == times(found.check) == list(range(9))
    assert found.search.seed != found.check.seed and found.notes == ()


def test_of_one_moment_nothing_can_be_held_out(scenario):
    found = parts_of(scenario(TRACE, [7, 7, 7]), 0.25)
    assert found.split is None and times(found.search) == times(found.check) == [7, 7, 7]
    assert "none can be held out" in found.notes[-1]


def test_other_workloads_are_made_again_with_another_seed(scenario):
    found = parts_of(scenario(GENERATED), 0.25)
    assert found.split is None and (found.search.seed, found.check.seed) == (5, 6)
    assert times(found.search) != times(found.check)
    assert found.search.arranged.arrivals.horizon == found.check.arranged.arrivals.horizon == 7200


def test_a_seed_without_tasks_checks_on_the_same_ones(scenario):
    rare = GENERATED.replace("rate: 60", "rate: 0.2")
    for seed in range(100):
        try:
            found = parts_of(scenario(rare.replace("seed: 5", f"seed: {seed}")), 0.25)
        except ValueError:
            continue
        if times(found.search) == times(found.check):
            assert found.check.seed == seed + 1
            return
    pytest.fail("no such seed")
