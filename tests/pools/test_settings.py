"""Waiting between tries."""

import pytest

from pools import PoolSettings


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 5.0), (1, 5.0), (2, 10.0), (3, 20.0), (9, 1280.0), (10, 1800.0), (10**6, 1800.0)],
)
def test_back_off_doubles_up_to_its_limit(failures, seconds):
    assert PoolSettings(backoff_base=5.0, backoff_max=1800.0).backoff(failures) == seconds
