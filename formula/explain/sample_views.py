"""What each call of a sample method saw of its metric."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

from ..dynamic import look_back
from ..expression_types import bare
from ..samples import TimeSeries
from ..sampling import DEFAULT_PERCENT, possible_samples, sample_percent
from ..syntax import MethodCall, Name
from ..timestamps import format_time
from ..value_types import DOUBLE, Value
from ..variables import series_name
from .observing import Observation

# A gap is shown sample by sample; a year without any is not.
_MOST_SLOTS = 5000


@dataclass(frozen=True, slots=True)
class SampleView:
    """The samples that one call saw.

    `metric`: as written. `start`, `end`: the window (start, end] in seconds since the epoch, None for the calls that
    count from the newest sample or see the whole history. `samples`: (time, value), oldest first, value None for a
    sample that is missing. `present` of `possible` samples are there, which is `percent`; `wanted`: the percentage that
    the call demanded, None if it demanded nothing.
    """

    node: MethodCall
    metric: str
    start: float | None
    end: float | None
    samples: tuple[tuple[float, float | None], ...]
    present: int
    possible: int
    percent: float
    wanted: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "method": self.node.method,
            "start": None if self.start is None else format_time(self.start),
            "end": None if self.end is None else format_time(self.end),
            "samples": [{"time": format_time(time), "value": value} for time, value in self.samples],
            "present": self.present,
            "possible": self.possible,
            "percent": self.percent,
            "wanted": self.wanted,
        }


def sample_view(observation: Observation, node: MethodCall) -> SampleView | None:
    """None if the call was not reached, or failed for another reason than missing samples."""
    if not (observation.was_computed(node) or observation.failed_here(node)):
        return None
    metric = cast(Name, bare(node.receiver)).name
    series = observation.samples.series.get(series_name(metric), TimeSeries())
    if node.method not in ("GetSample", "GetSamplePercent"):
        return _of_history(node, metric, series)
    arguments = [cast(Value, observation.value(argument)) for argument in node.arguments]
    kinds = [observation.checked.types[id(argument)] for argument in node.arguments]
    if kinds[0] == DOUBLE:
        return _of_count(node, metric, series, cast(float, arguments[0]))
    wanted: float | None = None
    if node.method == "GetSample":
        has_percent = len(kinds) > 1 and kinds[-1] == DOUBLE
        wanted = cast(float, arguments.pop()) if has_percent else DEFAULT_PERCENT
    return _of_window(observation, node, metric, series, [cast(float, edge) for edge in arguments], wanted)


def _of_history(node: MethodCall, metric: str, series: TimeSeries) -> SampleView | None:
    if node.method == "GetSamplePeriod":
        return None
    count = len(series)
    return SampleView(node, metric, None, None, _given(series, 0, count), count, count, 100.0, None)


def _of_count(node: MethodCall, metric: str, series: TimeSeries, count: float) -> SampleView:
    wanted = int(min(max(count, 0.0), 1e9))
    given = _given(series, max(0, len(series) - wanted), len(series))
    percent = 100.0 * len(given) / wanted if wanted else 100.0
    return SampleView(node, metric, None, None, given, len(given), wanted, percent, None)


def _of_window(
    observation: Observation,
    node: MethodCall,
    metric: str,
    series: TimeSeries,
    edges: list[float],
    wanted: float | None,
) -> SampleView:
    now, period = observation.now, observation.samples.period
    far, near = (look_back(edge, now) for edge in (edges if len(edges) > 1 else [*edges, 0.0]))
    percent = sample_percent(series.find, series.count, now, far, near, period)
    start, end = now - max(far, near), now - min(far, near)
    first, stop = series.window(start, end)
    possible = possible_samples(max(far, near) - min(far, near), period)
    samples = _given(series, first, stop)
    if isfinite(start) and isfinite(end) and possible <= _MOST_SLOTS:
        samples = _with_gaps(series, samples, start, end, period)
    return SampleView(node, metric, start, end, samples, stop - first, possible, percent, wanted)


def _given(series: TimeSeries, first: int, stop: int) -> tuple[tuple[float, float | None], ...]:
    return tuple(zip(series.times[first:stop], series.values[first:stop], strict=True))


def _with_gaps(
    series: TimeSeries, samples: tuple[tuple[float, float | None], ...], start: float, end: float, period: float
) -> tuple[tuple[float, float | None], ...]:
    """The samples, and between them those that the sampler's beat would have given and that are missing."""
    # The beat is that of a sample in the window, else of the newest one, else of the end of the window.
    beat = samples[-1][0] if samples else (series.times[-1] if series.times else end)
    taken = {round((time - beat) / period) for time, _ in samples}
    first, last = int((start - beat) // period), int((end - beat) // period) + 1
    missing = [
        (beat + slot * period, None)
        for slot in range(first, last + 1)
        if slot not in taken and start < beat + slot * period <= end
    ]
    return tuple(sorted([*samples, *missing], key=lambda sample: sample[0]))
