"""Timers: each rings once, at its last setting; what was overtaken takes no room."""

from hypothesis import given
from hypothesis import strategies as st

from pools import Timers

KEYS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.integers(0, 50)),
        st.tuples(st.just("set_earlier"), KEYS, st.integers(0, 50)),
        st.tuples(st.just("cancel"), KEYS, st.none()),
        st.tuples(st.just("due"), st.none(), st.integers(0, 50)),
    ),
    max_size=300,
)


@given(STEPS)
def test_they_ring_when_they_were_set_to(steps):
    timers = Timers()
    truth: dict[str, int] = {}
    for step, key, when in steps:
        if step == "set" or (step == "set_earlier" and truth.get(key, 99) > when):
            truth[key] = when
        if step == "cancel":
            timers.cancel("kind", key)
            truth.pop(key, None)
        elif step == "due":
            rung = sorted((then, each) for each, then in truth.items() if then <= when)
            assert timers.due(when) == [("kind", each) for _, each in rung]
            truth = {each: then for each, then in truth.items() if then > when}
        else:
            getattr(timers, step)("kind", key, when)
        assert timers.next() == min(truth.values(), default=None)


def test_one_that_is_put_off_again_and_again_takes_no_room():
    timers = Timers()
    timers.set("poll", "first", 1.0)
    for tick in range(10_000):
        timers.set("budget", "p", 1e6 + tick)
    assert len(timers._heap) < 200
    assert timers.due(2e6) == [("poll", "first"), ("budget", "p")]
