"""The graph of dependencies beside a naive one that looks at every id again and again."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.dependency_graph import DependencyGraph, number_of
from runner.number_walk import Ranges, Walk
from runner.task_spec import TaskDependencies, TaskIdRange

NUMBERS = st.integers(0, 30)


def needs(*ids, ranges=()):
    return TaskDependencies(
        task_ids=ids, task_id_ranges=tuple(TaskIdRange(start=start, end=end) for start, end in ranges)
    )


def all_ids(wanted):
    ids = set(wanted.task_ids)
    for each in wanted.task_id_ranges:
        ids.update(map(str, range(each.start, each.end + 1)))
    return ids


class Naive:
    def __init__(self, wanted):
        self.wanted = {task_id: all_ids(each) for task_id, each in wanted.items()}
        self.good, self.bad = set(), set()

    def waiting(self):
        return {task_id for task_id, ids in self.wanted.items() if not ids <= self.good and task_id not in self.ended}

    @property
    def ended(self):
        return self.good | self.bad

    def stuck(self):
        bad = set(self.bad)
        while True:
            more = {task_id for task_id in self.waiting() if self.wanted[task_id] & bad} - bad
            if not more:
                return bad - self.bad
            bad |= more


@st.composite
def workloads(draw):
    """Tasks 0..n, each depending on some of those before it, by id or by ranges; and the order in which they end."""
    wanted = {}
    for number in range(draw(st.integers(1, 25))):
        if number and draw(st.booleans()):
            before = st.integers(0, number - 1)
            ranges = draw(st.lists(st.tuples(before, before).map(sorted), max_size=3))
            wanted[str(number)] = needs(*map(str, draw(st.lists(before, max_size=3))), ranges=ranges)
        else:
            wanted[str(number)] = needs()
    return wanted, draw(st.randoms(use_true_random=False)), draw(st.floats(0, 0.3))


@given(workloads())
def test_as_the_naive_graph_says(workload):
    wanted, rng, failing = workload
    naive = Naive(wanted)
    graph = DependencyGraph(naive.good.__contains__)
    waits = {task_id for task_id, each in wanted.items() if graph.add(task_id, each)}
    stuck: set[str] = set()
    assert waits == naive.waiting()
    while ready := sorted(wanted.keys() - waits - naive.ended):
        task_id = rng.choice(ready)
        if rng.random() < failing:
            naive.bad.add(task_id)
            blocked = graph.block([task_id])
            for other, cause in blocked:
                assert cause in all_ids(wanted[other])
            assert not stuck & {other for other, _ in blocked}, "said twice"
            stuck |= {other for other, _ in blocked}
        else:
            naive.good.add(task_id)
            released = graph.satisfy(task_id)
            assert len(released) == len(set(released))
            waits -= set(released)
        assert waits == naive.waiting() == set(graph.waiting)
        assert stuck == naive.stuck()
        for other in waits:
            assert (graph.blocked(wanted[other]) is not None) == (other in stuck)


@given(st.lists(st.tuples(NUMBERS, NUMBERS).map(sorted), max_size=300), st.lists(NUMBERS, max_size=20))
def test_ranges_are_taken_once(ranges, numbers):
    index: Ranges[int] = Ranges()
    left = dict(enumerate(ranges))
    for thing, (start, end) in left.items():
        index.add(start, end, thing)
    for number in numbers:
        hit = {thing for thing, (start, end) in left.items() if start <= number <= end}
        assert sorted(index.take(number)) == sorted(hit)
        left = {thing: each for thing, each in left.items() if thing not in hit}


@given(st.sets(NUMBERS), st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
def test_a_walk_ends_where_the_test_fails(passing, steps):
    walk = Walk(passing.__contains__)
    for start, end, more in steps:
        naive = next((n for n in range(start, end + 1) if n not in passing), max(end + 1, start))
        assert walk.next(start, end) == min(naive, end + 1)
        passing.add(more)


@pytest.mark.parametrize(
    ("task_id", "number"),
    [("0", 0), ("12", 12), ("012", None), ("00", None), ("-1", None), ("a1", None), ("", None), ("١", None)],
)
def test_ids_that_ranges_know(task_id, number):
    assert number_of(task_id) == number


SIZE = 20_000
SHAPES = {
    "a chain of ids": lambda n: needs(str(n - 1)) if n else needs(),
    "everything before it": lambda n: needs(ranges=[(0, n - 1)]) if n else needs(),
    "a sliding window": lambda n: needs(ranges=[(max(0, n - 20), n - 1)]) if n else needs(),
    "a range of a million": lambda n: needs(ranges=[(1_000_000, 2_000_000)]) if n else needs(),
    "all on one": lambda n: needs("0") if n else needs(),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("fails", [False, True], ids=["all succeed", "the first fails"])
def test_large_graphs_are_quick(shape, fails):
    good: set[str] = set()
    graph = DependencyGraph(good.__contains__)
    endless = shape(1) == needs(ranges=[(1_000_000, 2_000_000)])
    started = time.process_time()
    waiting = {str(n) for n in range(SIZE) if graph.add(str(n), shape(n))}
    if fails:
        stuck = {task_id for task_id, _ in graph.block(["0"])}
        assert stuck == (set() if endless else waiting)
    else:
        for n in range(SIZE):
            good.add(str(n))
            graph.satisfy(str(n))
        assert len(list(graph.waiting)) == (SIZE - 1 if endless else 0)
    assert time.process_time() - started < 5
