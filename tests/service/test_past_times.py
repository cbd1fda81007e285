"""Times of the past, as people name them."""

import click
import pytest

from service.cli.past_times import past_time

#: 2026-11-23T05:30:00Z.
NOW = 1795411800.0
DAY = 86400.0


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2026-11-23T05:00:00Z", 1800.0),
        ("2026-11-23T05:00:00", 1800.0),
        ("2026-11-23T06:00:00+01:00", 1800.0),
        ("2026-11-23T05:00:00.25Z", 1799.75),
        ("2026-11-23", 5.5 * 3600),
        ("03:10", 8400.0),
        ("03:10:30Z", 8370.0),
        ("5:30", 0.0),
        ("05:31", DAY - 60),
        ("PT2H", 7200.0),
        (" PT90S ", 90.0),
    ],
)
def test_times(text, before):
    assert past_time(text, "--at", NOW) == NOW - before


def test_none_is_none():
    assert past_time(None, "--at", NOW) is None


def test_a_second_ends_when_the_next_begins():
    """Lists cut the parts of a second off; what they tell of is found by what they tell."""
    assert past_time("05:00", "--at", NOW, end=True) == pytest.approx(NOW - 1800 + 0.999999, abs=1e-6)
    assert past_time("2026-11-23T05:00:00.5Z", "--at", NOW, end=True) == NOW - 1799.5
    assert past_time("PT2H", "--at", NOW, end=True) == NOW - 7200


@pytest.mark.parametrize("text", ["", "24:00", "12:60", "noon", "P", "PT", "P1Y", "2026-13-01", "1:2:3:4"])
def test_what_is_none(text):
    with pytest.raises(click.BadParameter, match="is no time"):
        past_time(text, "--at", NOW)
