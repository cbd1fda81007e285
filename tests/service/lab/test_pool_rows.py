"""Rows for charts are thinned out, and tell how things are in the end of each all the same."""

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from service.lab.pool_rows import PoolRows

STEPS = st.lists(st.tuples(st.floats(0, 50), st.integers(0, 9)), min_size=1, max_size=120)


@given(STEPS, st.integers(1, 12), st.floats(1, 1000))
def test_rows(steps, most, horizon):
    rows, now = PoolRows(horizon, most), 0.0
    noted: dict[float, int] = {}
    for passed, value in steps:
        now += passed
        noted[now] = value
        rows.note(now, (value,) * 9, now / 2)
    series = rows.series(now + 1.0, now)
    assert (series.times.pop(), series.cost.pop()) == (now + 1.0, now), "what it came to, however long nothing changed"
    assert series.queue.pop() == value
    assert len(series.times) <= 2 * most + 1
    assert set(series.times) <= noted.keys() and series.times[0] == min(noted)
    assert series.cost == [time / 2 for time in series.times]
    known = sorted(noted)
    for time, after, value in zip(series.times, [*series.times[1:], now + 1.0], series.queue, strict=True):
        last = known[bisect_right(known, after) - 1]
        last = known[known.index(last) - 1] if last == after else last
        assert value == noted[last], (time, after)


def test_the_last_row_may_be_at_the_end():
    rows = PoolRows(10.0)
    rows.note(0.0, (0,) * 9, 0.0)
    rows.note(4.0, (1,) * 9, 2.0)
    assert rows.series(4.0, 2.5).cost == [0.0, 2.5]


def test_without_any_there_are_none():
    assert PoolRows(10.0).series(1.0, 0.0).times == []
