"""The front, and what of it is shown."""

from hypothesis import given
from hypothesis import strategies as st

from service.lab.outcome import Wait
from service.lab.tuning.measuring import Measured
from service.lab.tuning.result import MOST_SHOWN, Trial, Tuning, WaitLimits, front_of, violations, within


def measured(cost, p95, unfinished=0, failed=0, runs=1000):
    return Measured(
        cost=cost,
        node_seconds=cost * 10,
        idle_node_seconds=cost,
        peak_nodes=3,
        wait=Wait(mean=p95 / 2, p50=p95 / 2, p95=p95, p99=p95 + 1, max=p95 + 2),
        tasks=100 - unfinished,
        unfinished=unfinished,
        evictions=0,
        autoscale_runs=runs,
        failed_runs=failed,
    )


def tuning(points, best=None):
    trials = [
        Trial(number=number, values={"a": number}, searched=measured(*point)) for number, point in enumerate(points)
    ]
    return Tuning(
        formula="f",
        scenario="s",
        seed=1,
        check_seed=2,
        checked_from=None,
        limits=WaitLimits(p95=60.0),
        as_it_is=False,
        best=best,
        front=front_of(trials),
        trials=trials,
        stopped=False,
    )


POINTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 1)), min_size=1, max_size=40)


@given(POINTS)
def test_the_front_is_what_nothing_else_beats(points):
    found = tuning(points)
    done = [(cost, p95) for cost, p95, unfinished in points if not unfinished]
    wanted = {
        one for one in done if not any(o != one and o[0] <= one[0] and o[1] <= one[1] for o in done)
    }
    front = [(each.searched.cost, each.searched.wait.p95) for each in map(found.trial, found.front)]
    assert set(front) == wanted and len(front) == len(wanted)
    assert front == sorted(front) and [p95 for _, p95 in front] == sorted((p95 for _, p95 in front), reverse=True)


@given(st.integers(1, 60), st.randoms())
def test_of_a_long_front_both_ends_and_the_best_are_shown(length, random):
    best = random.randrange(length)
    found = tuning([(cost, length - cost) for cost in range(length)], best)
    shown = [each.number for each in found.shown()]
    assert shown == sorted(shown) and len(shown) == min(length, MOST_SHOWN)
    assert {0, length - 1, best} <= set(shown)


KEPT = [
    (measured(1, 60), True),
    (measured(1, 60.001), False),
    (measured(1, 0, unfinished=1), False),
    (measured(1, 0, failed=10), True),
    (measured(1, 0, failed=11), False),
]


def test_what_keeps_the_limits():
    for each, kept in KEPT:
        assert within(violations(each, WaitLimits(p95=60.0), measured(1, 1))) is kept, each
    # no more than in the formula as it was
    failing = measured(1, 1, failed=50)
    assert within(violations(measured(1, 0, failed=50), WaitLimits(p95=60.0), failing))
    assert not within(violations(measured(1, 0, failed=51), WaitLimits(p95=60.0), failing))
    assert within(violations(measured(1, 8), WaitLimits(p99=9.0, max=10.0), None))
    assert not within(violations(measured(1, 8), WaitLimits(p99=9.0, max=9.5), None))
