"""What is kept of a pool's past is read as it is wanted, from either end."""

from itertools import islice

import pytest
from sqlalchemy import text

from pools import AutoScaleRun, PlannerPass, RecordedRun, Sample

from .records import NOW, put


def passed(pool_id, time):
    return PlannerPass(pool_id=pool_id, time=time, target_dedicated=1, target_low_priority=0, because="b")


@pytest.fixture
def past(journal):
    """3,000 samples, a second apart, and a few runs and passes of two pools."""
    times = [NOW + number for number in range(3000)]
    journal.commit([put(Sample("p", time, {"$x": time})) for time in times])
    journal.commit([put(record) for name in ("p", "Q") for record in (RecordedRun(name, NOW, ""), passed(name, NOW))])
    return journal.past


def test_from_either_end(past):
    times = [sample.time - NOW for sample in past.samples("p", 0, 1e10)]
    assert times == list(range(3000))
    assert [sample.time - NOW for sample in past.samples("p", 0, 1e10, newest_first=True)] == times[::-1]


def test_both_ends_belong_to_it(past):
    found = [sample.time - NOW for sample in past.samples("p", NOW + 100, NOW + 200)]
    assert found == list(range(100, 201))
    assert [each.time - NOW for each in past.samples("p", NOW + 100, NOW + 200, newest_first=True)] == found[::-1]
    assert list(past.samples("p", NOW + 0.5, NOW + 0.9)) == []


def test_who_wants_little_reads_little(past, monkeypatch):
    read: list[int] = []
    reading = past._reading

    def counted():
        read.append(1)
        return reading()

    monkeypatch.setattr(past, "_reading", counted)
    assert [each.time - NOW for each in islice(past.samples("p", 0, 1e10, newest_first=True), 3)] == [2999, 2998, 2997]
    assert len(read) == 1


def test_of_one_pool_alone(past):
    assert [run.pool_id for run in past.runs("Q", 0, 1e10)] == ["Q"]
    assert list(past.passes("Q", 0, 1e10)) == [passed("Q", NOW)]
    assert list(past.samples("Q", 0, 1e10)) == []


@pytest.mark.parametrize(("asked", "name"), [("p", "p"), ("P", "p"), ("Q", "Q"), ("q", "Q"), ("r", None), ("", None)])
def test_pools_are_known_by_what_is_kept_of_them(past, asked, name):
    assert past.spelled(asked) == name


def test_passes_go_when_samples_do(journal, past):
    journal.commit([put(passed("p", NOW - 50))])
    assert journal.forgetting.forget_older("planner_passes", NOW) == 1
    assert [found.time for found in past.passes("p", 0, 1e10)] == [NOW]


def test_runs_of_earlier_versions_are_read(journal):
    body = '{"pool_id":"p","timestamp":5.0,"results":"$TargetDedicatedNodes=1"}'
    with journal._writing() as connection:
        connection.execute(text("INSERT INTO autoscale_runs VALUES ('p', 5.0, :body)"), {"body": body})
    (run,) = journal.past.runs("p", 0, 10)
    assert run.brief == AutoScaleRun("p", 5.0, "$TargetDedicatedNodes=1")
    assert (run.formula, run.pool, run.target_dedicated) == (None, None, None)
