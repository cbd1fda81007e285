"""Workloads that chance makes: independent arrivals (Poisson) whose rate goes up and down, bursts, heavy tails."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from math import floor, log, pi, sin
from random import Random

from .arrivals import SHORTEST, Arrivals, arrivals_of
from .distributions import draws, whole_draws
from .scenario import Bursts, Generate, Waves

DAY = 86400.0
HOUR = 3600.0
#: Within this time the rate stays what it is in the mean (seconds); days are made of whole ones.
_STEP = 300.0
#: Of the days of the epoch, of which the first was a Thursday: those from Monday on.
_MONDAY = 3


def generated(spec: Generate, start: float, most_slots: int, random: Random) -> Arrivals:
    """`start`: the Instant of second 0; `most_slots`: those of a node."""
    length = spec.length.total_seconds()
    times = array("d")
    if spec.rate > 0:
        rate = spec.rate / HOUR
        for begin, end, factor in rate_steps(spec.waves, start, length):
            _add(times, begin, end, rate * factor, random)
    if spec.bursts is not None and spec.bursts.per_day > 0:
        times.extend(_bursts(spec.bursts, length, random))
    count = len(times)
    durations = draws(spec.duration, random, count, SHORTEST)
    return arrivals_of(times, durations, whole_draws(spec.slots, random, count, most_slots), length)


def _add(times: array[float], begin: float, end: float, rate: float, random: Random) -> None:
    """Arrivals at a rate (a second) that stays: the time to the next one has no memory."""
    if rate <= 0:
        return
    draw, mean = random.random, -1.0 / rate
    at = begin + mean * log(1.0 - draw())
    while at < end:
        times.append(at)
        at += mean * log(1.0 - draw())


def _bursts(bursts: Bursts, length: float, random: Random) -> Iterator[float]:
    moments = array("d")
    _add(moments, 0.0, length, bursts.per_day / DAY, random)
    for moment in moments:
        yield from [moment] * bursts.tasks


def rate_steps(waves: Waves, start: float, length: float) -> Iterator[tuple[float, float, float]]:
    """Pieces of time from 0 to `length` with the factor of the rate in each, which is 1 in the mean of a week."""
    if not waves.daily and not waves.weekly:
        yield 0.0, length, 1.0
        return
    at, number = 0.0, floor(start / _STEP)
    while at < length:
        moment = max(start, number * _STEP)
        number += 1
        end = min(length, number * _STEP - start)
        yield at, end, _of_week(waves, moment) * _of_day(waves, moment, end - at)
        at = end


def _of_day(waves: Waves, moment: float, length: float) -> float:
    """The mean of the daily wave over this time."""
    if not waves.daily:
        return 1.0
    turn = 2 * pi / DAY
    angle = turn * (moment % DAY - waves.peak_hour * HOUR)
    return max(0.0, 1.0 + waves.daily * (sin(angle + turn * length) - sin(angle)) / (turn * length))


def _of_week(waves: Waves, moment: float) -> float:
    """Two days of seven have so much less, the others two fifths of that more."""
    weekday = (floor(moment / DAY) + _MONDAY) % 7
    return 1.0 - waves.weekly if weekday >= 5 else 1.0 + waves.weekly * 2 / 5
