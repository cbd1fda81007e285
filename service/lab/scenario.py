"""What a scenario file says: a workload, the world that it meets, and the formulas to compare.

Durations are ISO 8601; amounts within a distribution are numbers (seconds) or durations.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, field

from pools import Spec

from .distributions import Distribution

_Count = Annotated[int, Meta(ge=0)]
_Amount = Annotated[float, Meta(ge=0)]


class Trace(Spec, frozen=True, kw_only=True):
    """Tasks that there were once, from a log. `file`: relative to the scenario's folder; may be compressed by gzip.
    `format` None: as the file's name ends."""

    file: str
    format: Literal["swf", "csv"] | None = None
    #: what a job of an SWF file becomes: one task, or one for each of its processors
    unit: Literal["task", "processor"] = "task"
    #: of a job at most so many tasks
    most_per_job: Annotated[int, Meta(ge=1)] | None = None
    #: the part that is simulated: from so long after the trace's beginning, for so long
    after: timedelta = field(default=timedelta(0), name="from")
    length: timedelta | None = field(default=None, name="for")
    #: so many times as fast do tasks arrive; they take as long as ever
    speed: float = 1.0


class Recurring(Spec, frozen=True, kw_only=True):
    """So many tasks at once, again and again: `every` so often, from the start on, or when `cron` says so."""

    every: timedelta | None = None
    #: five fields, as crontab(5) has them, on the clock of `timeZone`
    cron: str | None = None
    time_zone: str = "UTC"
    tasks: Annotated[int, Meta(ge=1)]
    duration: Distribution
    slots: Distribution | None = None
    length: timedelta = field(name="for")


class Waves(Spec, frozen=True, kw_only=True):
    """How the rate goes up and down around its mean, which stays. `daily`: a cosine of this amplitude, 1 being down to
    nothing twelve hours after the hour `peakHour` (UTC). `weekly`: so much less on Saturday and Sunday, 1 being
    nothing, and as much more on the other days."""

    daily: _Amount = 0.0
    peak_hour: _Amount = 14.0
    weekly: _Amount = 0.0


class Bursts(Spec, frozen=True, kw_only=True):
    """Beside the rate: `tasks` tasks at a time, so often a day in the mean, at moments that are left to chance."""

    per_day: _Amount
    tasks: Annotated[int, Meta(ge=1)]


class Generate(Spec, frozen=True, kw_only=True):
    """Independent arrivals (Poisson). `rate`: tasks an hour in the mean."""

    rate: _Amount = 0.0
    waves: Waves = Waves()
    bursts: Bursts | None = None
    duration: Distribution
    slots: Distribution | None = None
    length: timedelta = field(name="for")


class Workload(Spec, frozen=True, kw_only=True):
    """Exactly one of them."""

    trace: Trace | None = None
    recurring: Recurring | None = None
    generate: Generate | None = None


class NodeCounts(Spec, frozen=True, kw_only=True):
    dedicated: _Count = 0
    low_priority: _Count = 0


#: Nodes of a kind that the simulated cloud has where the scenario names no quota.
MOST_NODES = 50_000


class NodeLimits(Spec, frozen=True, kw_only=True):
    """None: see MOST_NODES."""

    dedicated: _Count | None = None
    low_priority: _Count | None = None


class NodePrices(Spec, frozen=True, kw_only=True):
    """Of an hour of one node."""

    dedicated: _Amount = 1.0
    low_priority: _Amount = 0.2


class World(Spec, frozen=True, kw_only=True):
    #: from the moment that a VM is asked for to a node that takes tasks
    boot: Distribution = Distribution(constant=120.0)
    task_slots_per_node: Annotated[int, Meta(ge=1)] = 1
    price_per_hour: NodePrices = NodePrices()
    #: a VM costs at least as much as for so long
    minimum_billing: timedelta = timedelta(minutes=1)
    #: of each low-priority node, in the mean
    preemptions_per_hour: _Amount = 0.0
    quota: NodeLimits = NodeLimits()
    #: a sample is seen so long after the moment that it tells of
    sample_delay: timedelta = timedelta(minutes=1)
    #: the share of samples that nobody ever sees, 0 to 1
    sample_loss: _Amount = 0.0
    evaluation_interval: timedelta = timedelta(minutes=5)
    #: the targets before the first evaluation
    initial_targets: NodeCounts = NodeCounts()


class Formula(Spec, frozen=True, kw_only=True):
    """`formula`: a file, relative to the scenario's folder, or a text. `name` None: that of the file, or the number."""

    name: str | None = None
    formula: str


class Scenario(Spec, frozen=True, kw_only=True):
    """`name` None: that of the file. `start`: None is the moment at which the trace began, if it says so; else
    `NO_DATE`."""

    name: str | None = None
    description: str = ""
    workload: Workload
    world: World = World()
    formulas: tuple[Formula, ...] = ()
    start: datetime | None = None
    seed: _Count = 1


#: When a scenario starts of which nobody says so: 2024-01-01T00:00:00Z, a Monday.
NO_DATE = 1_704_067_200.0
