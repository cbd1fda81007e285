"""The machine's clock may be set: time goes on all the same."""

import time

import pytest

from pools import SystemClock

START = 1_700_000_000.0


@pytest.mark.parametrize(
    ("set_by", "told"),
    [
        (0.0, [10.0, 1000.0, 10000.0]),
        (3600.0, [3610.0, 4600.0, 13600.0]),
        (-0.1, [9.9, 999.9, 9999.9]),  # little is made up for at once
        (-3600.0, [5.0, 500.0, 6400.0]),
    ],
    ids=["not", "forward", "a little back", "an hour back"],
)
def test_time_goes_on_when_the_clock_is_set(set_by, told):
    passed, offset = 0.0, 0.0
    clock = SystemClock(wall=lambda: START + passed + offset, ticks=lambda: 50.0 + passed)
    assert clock.now() == START
    offset = set_by
    for passed, expected in zip((10.0, 1000.0, 10000.0), told, strict=True):  # noqa: B007 - the clocks read it
        assert clock.now() - START == pytest.approx(expected, abs=1e-3)


def test_it_is_the_machines_time():
    assert abs(SystemClock().now() - time.time()) < 1.0
