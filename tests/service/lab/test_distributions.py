"""Drawing from distributions: their means, their bounds, and that a seed decides everything."""

from math import gamma
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.distributions import (
    LONGEST,
    Distribution,
    Exponential,
    Lognormal,
    Pareto,
    Uniform,
    Weibull,
    draws,
    whole_draws,
)
from service.lab.streams import stream

COUNT = 40_000
#: With the mean of each.
MEANS = [
    (Distribution(constant=7.0), 7.0),
    (Distribution(uniform=Uniform(low=10.0, high=30.0)), 20.0),
    (Distribution(exponential=Exponential(mean=50.0)), 50.0),
    (Distribution(lognormal=Lognormal(mean=120.0, sigma=0.8)), 120.0),
    (Distribution(pareto=Pareto(minimum=60.0, alpha=3.5)), 84.0),
    (Distribution(weibull=Weibull(scale=100.0, shape=0.7)), 100.0 * gamma(1 + 1 / 0.7)),
    (Distribution(empirical=(1.0, 2.0, 9.0)), 4.0),
]

_AMOUNT = st.floats(min_value=0.001, max_value=1e6)
ANY = st.one_of(
    st.builds(Distribution, constant=_AMOUNT),
    st.builds(Distribution, exponential=st.builds(Exponential, mean=_AMOUNT)),
    st.builds(Distribution, lognormal=st.builds(Lognormal, mean=_AMOUNT, sigma=st.floats(0, 10))),
    st.builds(Distribution, pareto=st.builds(Pareto, minimum=_AMOUNT, alpha=st.floats(0.1, 9))),
    st.builds(Distribution, weibull=st.builds(Weibull, scale=_AMOUNT, shape=st.floats(0.1, 9))),
    st.builds(Distribution, empirical=st.lists(_AMOUNT, min_size=1).map(tuple)),
)


@pytest.mark.parametrize(("distribution", "mean"), MEANS, ids=lambda value: str(value)[:40])
def test_the_mean_is_what_was_asked_for(distribution, mean):
    found = draws(distribution, stream(11, "mean"), COUNT)
    assert fmean(found) == pytest.approx(mean, rel=0.03)


def test_a_heavy_tail_is_heavy():
    found = sorted(draws(Distribution(pareto=Pareto(minimum=1.0, alpha=1.2)), stream(3, "tail"), COUNT), reverse=True)
    assert sum(found[: COUNT // 100]) > 0.3 * sum(found)
    assert found[-1] >= 1.0


@given(ANY, st.integers(0, 9), st.floats(0, 1e6), st.floats(0, 1e6))
def test_nothing_is_drawn_beyond_the_bounds(distribution, seed, one, other):
    least, most = sorted((one, other))
    bounded = Distribution(**{name: getattr(distribution, name) for name in distribution.__struct_fields__[:7]},
                           at_least=least, at_most=most)  # fmt: skip
    assert all(least <= value <= most for value in draws(bounded, stream(seed, "x"), 20))
    assert all(0.0 <= value <= LONGEST for value in draws(distribution, stream(seed, "x"), 20))
    assert all(value >= 5.0 for value in draws(bounded, stream(seed, "x"), 20, least=5.0))


@given(ANY, st.integers(0, 2**64))
def test_the_same_seed_draws_the_same(distribution, seed):
    assert draws(distribution, stream(seed, "a"), 5) == draws(distribution, stream(seed, "a"), 5)


def test_streams_of_one_seed_are_different():
    wide = Distribution(uniform=Uniform(low=0.0, high=1.0))
    found = [tuple(draws(wide, stream(seed, name), 3)) for seed in (1, 2) for name in ("a", "b")]
    assert len(set(found)) == 4


@given(st.one_of(st.none(), ANY), st.integers(0, 9), st.integers(1, 256))
def test_slots_are_those_that_a_node_has(distribution, seed, most):
    assert all(1 <= slots <= most for slots in whole_draws(distribution, stream(seed, "s"), 20, most))


def test_slots_are_as_often_what_was_said():
    found = whole_draws(Distribution(empirical=(1.0, 1.0, 4.0)), stream(5, "s"), 3000, 4)
    assert set(found) == {1, 4}
    assert found.count(4) == pytest.approx(1000, rel=0.1)
