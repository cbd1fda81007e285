"""Python for windows of samples whose edges are constant: looked up once, and read where they are needed.

Such a look-up cannot fail, so it stands in a line before the first expression that surely computes it; what can fail,
the demand for enough samples, stays where the formula has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

from . import sampling
from .generated_code import Code, CodeWriter, WindowKey, local
from .samples import DEFAULT_PERIOD
from .scope import Scope
from .variables import series_name
from .vectors import NAN, total

#: Functions of all the samples of a window: {values} and {totals} of the series, {first}, {stop} and {held} of the
#: window. Samples are finite, so Python's own max and min will do. The running totals are there if they are exact.
_REDUCTIONS = {
    "avg": (
        "(({totals}[{stop}] - {totals}[{first}]) / {held} if {totals} is not None"
        " else h_total({values}[{first}:{stop}]) / {held})"
    ),
    "sum": "({totals}[{stop}] - {totals}[{first}] if {totals} is not None else h_total({values}[{first}:{stop}]))",
    "max": "h_greatest({values}[{first}:{stop}])",
    "min": "h_least({values}[{first}:{stop}])",
}
_HELPERS: Mapping[str, Mapping[str, Callable[..., float]]] = {
    "avg": {"total": total},
    "sum": {"total": total},
    "max": {"greatest": max},
    "min": {"least": min},
}


@dataclass(frozen=True, slots=True)
class Window:
    """The local names of what was found: indices of the first sample and behind the last, their number, and the
    percentage that they are of the possible ones.
    """

    key: WindowKey
    metric: str
    first: str
    stop: str
    held: str
    percent: str


class WindowCode:
    def __init__(self, scope: Scope, writer: CodeWriter) -> None:
        self._scope = scope
        self._writer = writer
        self._windows: dict[str, Window] = {}

    def window(self, metric: str, far: Code, near: Code) -> Window | None:
        """The window between two look-backs, None if they are not constant or it is too early to look it up."""
        if far.constant is None or near.constant is None:
            return None
        edges = (far.constant, near.constant)
        key: WindowKey = (series_name(metric), max(edges), min(edges))
        known = self._scope.block.locals.get(key)
        if known is not None:
            return self._windows[known]
        if self._scope.lazy or not isfinite(key[1] - key[2]):
            return None
        return self._look_up(key, metric)

    def _look_up(self, key: WindowKey, metric: str) -> Window:
        scope, (_, far, near) = self._scope, key
        find, count = scope.read(metric, "find").text, scope.read(metric, "count").text
        names = [scope.fresh(name) for name in ("first", "stop", "held", "percent", "possible")]
        first, stop, held, percent, possible = names
        usual = sampling.possible_samples(far - near, DEFAULT_PERIOD)
        otherwise = f"{self._writer.helper('possible', sampling.possible_samples)}({far - near!r}, period)"
        scope.block.lines += [
            f"{first} = {find}({_ago(far)}, 0, {count})",
            f"{stop} = {find}({_ago(near)}, {first}, {count})",
            f"{held} = {stop} - {first}",
            f"{possible} = {usual} if period == {DEFAULT_PERIOD!r} else {otherwise}",
            f"{percent} = 100.0 if {held} >= {possible} else 100.0 * {held} / {possible}",
        ]
        scope.block.locals[key] = first
        window = Window(key, metric, first, stop, held, percent)
        self._windows[first] = window
        return window

    def percent(self, window: Window) -> Code:
        return local(window.percent, sure=True, percent_of=window.key)

    def samples(self, window: Window, wanted: float, at: int) -> Code:
        """GetSample: the vector, newest first."""
        values = self._scope.read(window.metric, "values")
        text = f"{values.text}[{window.first}:{window.stop}][::-1]"
        return self._demanded(window, wanted, at, text, values.reads, sure=False)

    def reduction(self, function: str, window: Window, wanted: float, at: int) -> Code | None:
        """avg(GetSample(...)) and the like, without the vector; None if there is no shorter way."""
        if function not in _REDUCTIONS or (wanted <= 0 and function != "sum"):
            return None
        for name, helper in _HELPERS[function].items():
            self._writer.helper(name, helper)
        template = _REDUCTIONS[function]
        values = self._scope.read(window.metric, "values")
        reads, totals = values.reads, ""
        if "{totals}" in template:
            code = self._scope.read(window.metric, "totals")
            totals, reads = code.text, reads | code.reads
        text = template.format(
            values=values.text, totals=totals, first=window.first, stop=window.stop, held=window.held
        )
        return self._demanded(window, wanted, at, text, reads, sure=True)

    def _demanded(
        self, window: Window, wanted: float, at: int, text: str, reads: frozenset[str], sure: bool
    ) -> Code:
        """Code that fails when the window has too few samples, unless it was found to have enough."""
        reads |= {window.first, window.stop, window.held}
        if self._scope.block.met.get(window.key, 0.0) < wanted:
            too_few = self._writer.helper("too_few", sampling.too_few)
            text = f"({text} if {window.percent} >= {wanted!r} else {too_few}({window.percent}, {wanted!r}, {at}))"
            reads |= {window.percent}
        return Code(text, reads, 2, sure)

    def newest(self, metric: str) -> Code:
        """The newest sample, NaN without any."""
        values, count = self._scope.read(metric, "values"), self._scope.read(metric, "count")
        text = f"({values.text}[{count.text} - 1] if {count.text} else {self._writer.helper('nan', NAN)})"
        name = self._scope.known(("newest", series_name(metric)), "newest", text)
        return local(name) if name else Code(text, values.reads | count.reads, 1)


def _ago(look_back: float) -> str:
    """The instant that long before now."""
    return f"now - {look_back!r}" if look_back else "now"
