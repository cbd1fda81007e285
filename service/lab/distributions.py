"""Lengths of time (and numbers of slots) that chance decides: what a scenario says of them, and drawing them."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial
from math import log
from random import Random

from pools import Spec

#: Seconds at most that are drawn, about 31 years: what a heavy tail would exceed would never end.
LONGEST = 1e9


class Uniform(Spec, frozen=True, kw_only=True):
    low: float
    high: float


class Exponential(Spec, frozen=True, kw_only=True):
    mean: float


class Lognormal(Spec, frozen=True, kw_only=True):
    """`mean` is that of the values themselves, `sigma` the standard deviation of their logarithm."""

    mean: float
    sigma: float


class Pareto(Spec, frozen=True, kw_only=True):
    """The mean is `minimum` * `alpha` / (`alpha` - 1), and infinite unless `alpha` is above 1."""

    minimum: float
    alpha: float


class Weibull(Spec, frozen=True, kw_only=True):
    scale: float
    shape: float


class Distribution(Spec, frozen=True, kw_only=True):
    """Exactly one of them, in seconds; `atLeast` and `atMost` move what lies beyond onto themselves."""

    constant: float | None = None
    uniform: Uniform | None = None
    exponential: Exponential | None = None
    lognormal: Lognormal | None = None
    pareto: Pareto | None = None
    weibull: Weibull | None = None
    #: each of them as likely as any other
    empirical: tuple[float, ...] | None = None
    at_least: float | None = None
    at_most: float | None = None


#: The names of the kinds, as the file has them.
KINDS = ("constant", "uniform", "exponential", "lognormal", "pareto", "weibull", "empirical")


def sampler(distribution: Distribution, random: Random, least: float = 0.0) -> Callable[[], float]:
    """Draws one value with each call, none below `least`."""
    low = max(least, distribution.at_least or 0.0)
    high = LONGEST if distribution.at_most is None else max(low, min(LONGEST, distribution.at_most))
    if distribution.constant is not None:
        constant = min(high, max(low, distribution.constant))
        return lambda: constant
    draw = _drawing(distribution, random)
    return lambda: min(high, max(low, draw()))


def draws(distribution: Distribution, random: Random, count: int, least: float = 0.0) -> array[float]:
    """So many values, none below `least`."""
    draw = sampler(distribution, random, least)
    return array("d", (draw() for _ in range(count)))


def whole_draws(distribution: Distribution | None, random: Random, count: int, most: int) -> array[int]:
    """So many whole numbers from 1 to `most`; None: 1 each."""
    if distribution is None:
        return array("i", [1]) * count
    draw = sampler(distribution, random, 1.0)
    return array("i", (min(most, round(draw())) for _ in range(count)))


def _drawing(distribution: Distribution, random: Random) -> Callable[[], float]:
    if (uniform := distribution.uniform) is not None:
        return partial(random.uniform, uniform.low, uniform.high)
    if (exponential := distribution.exponential) is not None:
        return partial(random.expovariate, 1.0 / exponential.mean)
    if (lognormal := distribution.lognormal) is not None:
        return partial(random.lognormvariate, log(lognormal.mean) - lognormal.sigma**2 / 2, lognormal.sigma)
    if (pareto := distribution.pareto) is not None:
        minimum, draw = pareto.minimum, partial(random.paretovariate, pareto.alpha)
        return lambda: minimum * draw()
    if (weibull := distribution.weibull) is not None:
        return partial(random.weibullvariate, weibull.scale, weibull.shape)
    assert distribution.empirical, "a distribution says nothing"
    return partial(random.choice, distribution.empirical)
