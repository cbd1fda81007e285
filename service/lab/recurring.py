"""Workloads that come again and again at set times, as those of job schedules do."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from random import Random

from runner import Cron

from .arrivals import SHORTEST, Arrivals, arrivals_of
from .distributions import draws, whole_draws
from .scenario import Recurring

#: By cron at most, about two years of minutes: each is looked up in a calendar.
MOST_RUNS = 1_000_000


class TooManyTasks(ValueError):
    """They recur more often than a workload can hold."""


def recurring(spec: Recurring, start: float, most_slots: int, random: Random, most_tasks: int) -> Arrivals:
    """`start`: the Instant of second 0; `most_slots`: those of a node. Raises TooManyTasks."""
    length = spec.length.total_seconds()
    times = array("d")
    for moment in _runs(spec, start, length):
        if len(times) + spec.tasks > most_tasks:
            raise TooManyTasks(f"would be more than {most_tasks} tasks")
        times.extend([moment] * spec.tasks)
    durations = draws(spec.duration, random, len(times), SHORTEST)
    return arrivals_of(times, durations, whole_draws(spec.slots, random, len(times), most_slots), length)


def _runs(spec: Recurring, start: float, length: float) -> Iterator[float]:
    """Seconds since the start, below `length`."""
    if spec.every is not None:
        every, number = spec.every.total_seconds(), 0
        while number * every < length:
            yield number * every
            number += 1
        return
    assert spec.cron is not None
    cron = Cron(spec.cron, spec.time_zone)
    run, number = cron.first(start), 0
    while run is not None and run < start + length:
        number += 1
        if number > MOST_RUNS:
            raise TooManyTasks(f"would be more than {MOST_RUNS} runs")
        yield run - start
        run = cron.after(run)
