"""How case files write times, pools and the names of metrics."""

from __future__ import annotations

from collections.abc import Mapping

from ..samples_json import POOL_FIELDS
from ..spelling import did_you_mean
from ..timestamps import parse_time
from ..variables import METRICS, TARGETS, PoolField
from .durations import parse_duration

#: The names of the pool's values, as samples in JSON and as formulas write them.
POOL_NAMES: Mapping[str, PoolField] = {
    **POOL_FIELDS,
    **{name: target.field for name, target in TARGETS.items()},
    **{name: metric.field for name, metric in METRICS.items() if metric.field is not None},
}
_MOST_RUNS = 100_000


def read_moment(text: str) -> float:
    """Seconds since the epoch. Raises ValueError with the cure."""
    try:
        return parse_time(text)
    except ValueError as reason:
        raise ValueError(f"{text!r} is not a time: {reason}") from None


def read_times(text: str, now: float) -> tuple[float, ...]:
    """`+5m`, a time, or `+5m to +1h every 5m`. Raises ValueError with the cure."""
    words = text.split()
    if len(words) not in (1, 5) or (len(words) == 5 and (words[1], words[3]) != ("to", "every")):
        raise ValueError("write it like `at +5m`, `at 2026-01-05T13:00:00Z` or `at +5m to +1h every 5m`")
    first = _moment_after(words[0], now)
    if len(words) == 1:
        return (first,)
    last, every = _moment_after(words[2], now), parse_duration(words[4])
    if last < first or every <= 0:
        raise ValueError(f"at {text}: the end is before the beginning, or `every` is no time at all")
    count = int((last - first) / every + 1e-9) + 1
    if count > _MOST_RUNS:
        raise ValueError(f"at {text}: that is more than {_MOST_RUNS} runs of the formula")
    return tuple(first + index * every for index in range(count))


def _moment_after(text: str, now: float) -> float:
    return now + parse_duration(text[1:]) if text.startswith("+") else read_moment(text)


def read_pool(text: str) -> dict[str, float]:
    """`NAME=NUMBER ...`. Raises ValueError with the cure."""
    found: dict[str, float] = {}
    for setting in text.replace(",", " ").split():
        name, equals, number = setting.partition("=")
        if not equals or not number:
            raise ValueError(f"pool: write {setting!r} like currentDedicatedNodes=3, without spaces around =")
        if name not in POOL_NAMES:
            hint = did_you_mean(name, POOL_NAMES) or f"known are {', '.join(POOL_NAMES)}"
            raise ValueError(f"pool: nothing is called {name}; {hint}")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise ValueError(f"pool: {name} is a number from 0 on, not {number!r}")
        found[POOL_NAMES[name]] = value
    if not found:
        raise ValueError("pool: write it like `pool currentDedicatedNodes=3 taskSlotsPerNode=4`")
    return found


def read_metric(word: str) -> str:
    """The name of a metric. Raises ValueError with the cure."""
    metric = METRICS.get(word)
    if metric is not None and not metric.series:
        return word
    hint = f"did you mean {metric.series}?" if metric else did_you_mean(word, METRICS)
    raise ValueError(f"there is no metric {word}; {hint or '`ebbtide formula docs` lists them'}")
