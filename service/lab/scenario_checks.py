"""What a scenario must be like, beyond its properties; each fault at its place."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from pools import MetadataItem, OptionError, schedule_options

from ..cursor import Cursor
from ..decoding import listed
from ..iso8601 import parse_instant
from ..positions import Mapping, Scalar
from ..problems import Problems
from .amounts import PLACES
from .arrivals import MOST_TASKS
from .distribution_checks import check_distribution, number, number_of
from .scenario import MOST_NODES

DAY = 86400.0
#: As of every pool, see the limits of Azure Batch.
MOST_SLOTS = 256
#: The longest workload: numbers of a simulation keep microseconds.
MOST_DAYS = 36525
#: The years that a scenario may start in: from, until before.
_YEARS = (1970, 2200)
_MOST_PRICE = 1_000_000
_MOST_PREEMPTIONS = 1000
_TEXTS = ("name", "description", "file")
_KINDS = ("trace", "recurring", "generate")
#: Distributions whose values have a greatest one, and where it stands.
_GREATEST = (("constant",), ("uniform", "high"))


class ScenarioChecks:
    """Looks also at a file that is not wholly right."""

    def __init__(self, root: Cursor, problems: Problems) -> None:
        self._root = root
        self._problems = problems

    def run(self) -> None:
        self._finite(self._root)
        for names in PLACES:
            distribution = self._root.find(*names)
            if distribution is not None:
                check_distribution(distribution, self._problems)
        if (world := self._root.get("world")) is not None:
            self._check_world(world)
        self._check_start()
        workload = self._root.get("workload")
        if workload is None:
            return
        given = [name for name in _KINDS if workload.get(name) is not None]
        if len(given) != 1:
            said = "is empty" if not given else f"holds {' and '.join(given)}"
            self._say(workload, f"{said}; it must be one of {listed(_KINDS)}")
        if (trace := workload.get("trace")) is not None:
            self._check_trace(trace)
        for name, check in (("recurring", self._check_recurring), ("generate", self._check_generated)):
            if (made := workload.get(name)) is not None:
                self._check_length(made, "for")
                self._check_slots(made)
                check(made)

    def _say(self, at: Cursor, text: str) -> None:
        self._problems.error(at.place, at.path, text)

    def _finite(self, cursor: Cursor) -> None:
        """Numbers with an exponent may be too large to be any."""
        for name in cursor.tree.entries if isinstance(cursor.tree, Mapping) else ():
            if name not in _TEXTS and (inner := cursor.get(name)) is not None:
                value = number(cursor, name)
                if value is not None and not isfinite(value):
                    self._say(inner, "must be a number that can be counted with")
                self._finite(inner)

    def _rule(self, owner: Cursor, name: str, holds: Callable[[float], bool], text: str) -> None:
        value = owner.get(name)
        amount = number(owner, name)
        if value is not None and amount is not None and not holds(amount):
            self._say(value, f"{text}, not {amount:g}")

    def _check_length(self, owner: Cursor, name: str) -> None:
        value, length = owner.get(name), owner.duration(name)
        if value is not None and length is not None and not 0 < length.total_seconds() <= MOST_DAYS * DAY:
            self._say(value, f"must be above PT0S, and at most P{MOST_DAYS}D")

    def _check_start(self) -> None:
        start = self._root.get("start")
        try:
            year = parse_instant(self._root.text("start") or "").year
        except (ValueError, OverflowError):
            return  # what is wrong with it has been said
        if start is not None and not _YEARS[0] <= year < _YEARS[1]:
            self._say(start, f"must be in the years {_YEARS[0]} to {_YEARS[1] - 1}")

    # -- the world -----------------------------------------------------------------------------------------------

    def _check_world(self, world: Cursor) -> None:
        self._rule(world, "taskSlotsPerNode", lambda slots: slots <= MOST_SLOTS, f"must be at most {MOST_SLOTS}")
        text = f"must be at most {_MOST_PREEMPTIONS}"
        self._rule(world, "preemptionsPerHour", lambda often: often <= _MOST_PREEMPTIONS, text)
        if (prices := world.get("pricePerHour")) is not None:
            for name in ("dedicated", "lowPriority"):
                self._rule(prices, name, lambda price: price <= _MOST_PRICE, f"must be at most {_MOST_PRICE}")
        self._rule(world, "sampleLoss", lambda share: share <= 1, "must be a share from 0 to 1")
        interval, value = world.duration("evaluationInterval"), world.get("evaluationInterval")
        if interval is not None and value is not None and not 1 <= interval.total_seconds() <= 7 * DAY:
            self._say(value, "must be from PT1S to P7D")
        limits, targets = world.get("quota"), world.get("initialTargets")
        for name in ("dedicated", "lowPriority") if targets is not None else ():
            assert targets is not None
            quota = number(limits, name) if limits is not None else None
            most, text = float(MOST_NODES), f"must be at most {MOST_NODES:,}"
            if quota is not None and quota <= most:
                most, text = quota, f"must be within the quota, {quota:g}"
            self._rule(targets, name, lambda nodes, most=most: nodes <= most, text)  # type: ignore[misc]

    # -- workloads -----------------------------------------------------------------------------------------------

    def _check_trace(self, trace: Cursor) -> None:
        self._check_length(trace, "for")
        self._rule(trace, "speed", lambda speed: 1e-6 <= speed <= 1e6, "must be from 0.000001 to 1000000")
        file = trace.get("file")
        if file is not None and not (trace.text("file") or "").strip():
            self._say(file, "must be the name of a file")
        most = trace.get("mostPerJob")
        if most is not None and (trace.text("unit") or "task").strip().lower() == "task":
            self._say(most, "counts for nothing unless unit is processor: a job is one task")

    def _check_recurring(self, recurring: Cursor) -> None:
        every, cron = recurring.get("every"), recurring.get("cron")
        if (every is None) == (cron is None):
            said = "when it recurs is missing" if every is None else "recurs by every and by cron"
            self._say(recurring, f"{said}; give one of every and cron")
        self._check_length(recurring, "every")
        zone = recurring.get("timeZone")
        if zone is not None and cron is None:
            self._say(zone, "counts for nothing without cron")
        for name in ("cron", "timeZone"):
            value = recurring.get(name)
            try:
                schedule_options([MetadataItem(name=name, value=recurring.text(name) or "")] if value else [])
            except OptionError as exc:
                assert value is not None
                self._say(value, str(exc).partition("; it ")[2])
        length, interval = recurring.duration("for"), recurring.duration("every")
        if length is not None and interval is not None and interval.total_seconds() > 0:
            self._check_count(recurring, length.total_seconds() // interval.total_seconds() + 1, "tasks")

    def _check_generated(self, generate: Cursor) -> None:
        for name in ("daily", "weekly", "peakHour"):
            most, text = (24, "must be an hour from 0 to 24") if name == "peakHour" else (1, "must be from 0 to 1")
            if (waves := generate.get("waves")) is not None:
                self._rule(waves, name, lambda value, most=most: value <= most, text)  # type: ignore[misc]
        rate, length = number(generate, "rate") or 0.0, generate.duration("for")
        bursts = generate.get("bursts")
        per_day = (number(bursts, "perDay") or 0.0) if bursts is not None else 0.0
        unclear = (owner.get(name) for owner, name in ((generate, "rate"), (bursts, "perDay")) if owner is not None)
        if not any(value is not None and number_of(value) != 0 for value in unclear):
            self._say(generate, "no task would ever arrive; give a rate (tasks an hour), or bursts")
        if length is not None:
            self._check_expected(generate, rate * length.total_seconds() / 3600)
            if bursts is not None:
                self._check_count(bursts, per_day * length.total_seconds() / DAY, "tasks")

    def _check_slots(self, owner: Cursor) -> None:
        slots = owner.get("slots")
        if slots is None:
            return
        there = self._root.find("world")
        most = 1 if there is None else there.whole("taskSlotsPerNode", 1)
        text = f"must be within the world's taskSlotsPerNode, {most}"
        for names in _GREATEST:
            parent = slots.find(*names[:-1])
            if parent is not None:
                self._rule(parent, names[-1], lambda value: value <= most, text)
        for value in slots.each("empirical"):
            if isinstance(value.tree, Scalar) and value.tree.text.isdecimal() and int(value.tree.text) > most:
                self._say(value, f"{text}, not {value.tree.text}")

    def _check_count(self, owner: Cursor, runs: float, name: str) -> None:
        self._check_expected(owner, runs * owner.whole(name, 1))

    def _check_expected(self, owner: Cursor, tasks: float) -> None:
        if tasks > MOST_TASKS:
            self._say(owner, f"would be about {tasks:.3g} tasks; a workload has at most {MOST_TASKS}")
