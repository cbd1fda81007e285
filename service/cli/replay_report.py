"""What a replay of a pool's past has shown: beside what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from statistics import median
from typing import Any

import click

from ..columns import columns
from ..hindsight import Decided, Figures, figures
from ..iso8601 import format_exactly
from ..money import money
from .node_prices import NodePrices
from .past_lines import plain, targets_text, time_text

#: Differences that are listed.
_MOST = 20
#: Seconds that a single decision holds.
_ALONE = 300.0


@dataclass(frozen=True)
class ReplayReport:
    """`decided`: one at least, oldest first. `prices`: None if no cost is to be told."""

    pool_id: str
    decided: Sequence[Decided]
    prices: NodePrices | None

    @cached_property
    def _hold(self) -> float:
        """How long the last decision holds."""
        gaps = [later.time - earlier.time for earlier, later in pairwise(self.decided)]
        return median(gaps) if gaps else _ALONE

    @cached_property
    def replayed(self) -> Figures:
        times = [each.time for each in self.decided]
        return figures(times, [each.targets for each in self.decided], self._hold)

    @cached_property
    def recorded(self) -> Figures | None:
        """None: not all is known."""
        targets = [each.recorded for each in self.decided if each.recorded is not None]
        if len(targets) < len(self.decided):
            return None
        return figures([each.time for each in self.decided], targets, self._hold)

    @property
    def _comparable(self) -> list[Decided]:
        """Those that decided something, and of which is known what was decided then."""
        return [each for each in self.decided if each.error is None and each.recorded is not None]

    @property
    def different(self) -> list[Decided]:
        return [each for each in self._comparable if each.recorded != each.targets]

    @property
    def _failed(self) -> int:
        return sum(each.error is not None for each in self.decided)

    @cached_property
    def errors(self) -> dict[str, list[Decided]]:
        found: dict[str, list[Decided]] = {}
        for each in self.decided:
            if each.error is not None:
                found.setdefault(str(each.error), []).append(each)
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "poolId": self.pool_id,
            "evaluations": [
                {
                    "time": format_exactly(each.time),
                    "targetDedicatedNodes": each.dedicated,
                    "targetLowPriorityNodes": each.low_priority,
                    "nodeDeallocationOption": each.option,
                    "error": None if each.error is None else each.error.to_json(),
                    "recorded": None if each.recorded is None else _targets(each.recorded),
                }
                for each in self.decided
            ],
            "replayed": self._summary(self.replayed),
            "recorded": None if self.recorded is None else self._summary(self.recorded),
            "different": len(self.different),
            "failed": self._failed,
        }

    def _summary(self, found: Figures) -> dict[str, Any]:
        dedicated, low_priority = found.node_hours
        return {
            "nodeHours": {"dedicated": dedicated, "lowPriority": low_priority},
            "peakNodes": found.peak_nodes,
            "hoursAtZero": found.hours_at_zero,
            "resizes": found.resizes,
            "cost": self._cost(found),
        }

    def _cost(self, found: Figures) -> float | None:
        return None if self.prices is None else self.prices.cost(found.node_hours)

    def rows(self) -> Iterator[str]:
        yield "time,dedicated,lowPriority,nodeDeallocationOption,recordedDedicated,recordedLowPriority,error"
        for each in self.decided:
            recorded = each.recorded or ("", "")
            error = "" if each.error is None else '"' + str(each.error).replace('"', '""') + '"'
            cells = (*each.targets, each.option, *recorded, error)
            yield f"{format_exactly(each.time)},{','.join(map(str, cells))}"

    def lines(self) -> Iterator[str]:
        first, last = time_text(self.decided[0].time), time_text(self.decided[-1].time)
        yield f"pool {self.pool_id}: {_count(len(self.decided))} from {first} to {last}"
        yield ""
        yield from columns([*zip(*([name, *cells] for name, cells in self._table()), strict=True)])
        yield from self._unpriced()
        yield ""
        yield from self._difference_lines()
        if self.errors:
            yield ""
            yield click.style(f"{_count(self._failed)} failed, and left the targets as they were:", fg="red")
            for text, some in self.errors.items():
                yield f"  {len(some):>6,}  first at {time_text(some[0].time)}: {plain(text)}"

    def _table(self) -> Iterator[tuple[str, list[str]]]:
        known = [self.replayed] if self.recorded is None else [self.recorded, self.replayed]
        yield "", ["replayed"] if self.recorded is None else ["recorded", "replayed"]
        yield "dedicated h", [_hours(each.node_hours[0]) for each in known]
        yield "low-priority h", [_hours(each.node_hours[1]) for each in known]
        yield "peak", [f"{each.peak_nodes:,}" for each in known]
        yield "h at zero", [_hours(each.hours_at_zero) for each in known]
        yield "resizes", [f"{each.resizes:,}" for each in known]
        failed = [sum(each.recorded_failed for each in self.decided), self._failed]
        yield "failed", [f"{count:,}" for count in failed[-len(known) :]]
        if self.prices is not None:
            yield "cost", [money(self._cost(each)) for each in known]

    def _unpriced(self) -> Iterator[str]:
        known = () if self.prices is None else (self.replayed, self.recorded)
        found = (self.prices.unpriced(each.node_hours) for each in known if self.prices and each is not None)
        yield from dict.fromkeys(each for each in found if each is not None)

    def _difference_lines(self) -> Iterator[str]:
        different, known = self.different, len(self._comparable)
        if not different:
            if self._failed == len(self.decided):
                yield "it decides nothing: every evaluation failed"
            elif known:
                yield f"it decides the same in all {known:,}{' that did not fail' if self._failed else ''}"
            else:
                yield "what was decided then is not recorded"
            return
        yield f"it decides otherwise in {len(different):,} of {known:,}{' that did not fail' if self._failed else ''}:"
        spans = list(self._spans())
        rows = [["FROM", "TO", "RECORDED", "REPLAYED"]]
        for first, last in spans[:_MOST]:
            assert first.recorded is not None
            until = time_text(last.time, first.time)
            rows.append([time_text(first.time), until, targets_text(first.recorded), targets_text(first.targets)])
        yield from columns(rows)
        if len(spans) > _MOST:
            yield f"and {len(spans) - _MOST:,} more: --csv prints all"

    def _spans(self) -> Iterator[tuple[Decided, Decided]]:
        """Evaluations in a row that differ from what was recorded in the same way, the first and the last."""
        def outcome(each: Decided) -> tuple[object, ...]:
            return each.recorded, each.targets, each.error is None

        for (recorded, targets, decided), some in groupby(self.decided, outcome):
            alike = list(some)
            if decided and recorded is not None and recorded != targets:
                yield alike[0], alike[-1]


def _count(evaluations: int) -> str:
    return f"{evaluations:,} evaluation{'' if evaluations == 1 else 's'}"


def _hours(hours: float) -> str:
    return f"{hours:,.1f}" if hours >= 10 else f"{hours:.3g}"


def _targets(targets: tuple[int, int]) -> dict[str, int]:
    return {"targetDedicatedNodes": targets[0], "targetLowPriorityNodes": targets[1]}
