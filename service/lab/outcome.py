"""What the runs of a scenario give: their figures, and what the report draws of them.

Times and durations are in seconds; money is in the currency of the scenario's prices. Columns of one table have the
same length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from ..whole_file import write_whole


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of what is told: camelCase in JSON, closed to unknown properties."""


class Wait(_Part, frozen=True, kw_only=True):
    """How long tasks waited, from their arrival to the start of the attempt that ended them; 0 without any task."""

    mean: float
    p50: float
    p95: float
    p99: float
    max: float


class Figures(_Part, frozen=True, kw_only=True):
    """One formula on the scenario.

    `formula`: its name. `idle_node_seconds`: with those of booting. `peak_nodes`: the most at once, whatever their
    state. `tasks`: those that ended; `unfinished`: those that did not. `makespan`: from the scenario's start to the end
    of the last task. `thrown_away_seconds`: the work of attempts that an eviction or a leaving node ended. `resizes`:
    how often the target changed; `flaps`: how often it went up and soon down again, or down and soon up.
    `seconds_at_zero`: without any node. `events`: what the simulation did in `wall_seconds`.
    """

    formula: str
    cost: float
    node_seconds: float
    idle_node_seconds: float
    peak_nodes: int
    tasks: int
    unfinished: int = 0
    wait: Wait
    makespan: float
    evictions: int
    thrown_away_seconds: float
    resizes: int
    flaps: int
    seconds_at_zero: float
    events: int
    wall_seconds: float


class Series(_Part, frozen=True, kw_only=True):
    """The pool over time. A row tells how things are from its time until that of the next one; the last row holds
    until `end`.

    `times`: since the scenario's start, rising. `demand`: slots of the tasks that wait or run. Nodes by state:
    `booting` (from the order until they take tasks), `idle`, `running`, `leaving`, and `unusable` (all others, with the
    preempted). `queue`: tasks that wait. `cost`: what it has cost at the row's time, and `Figures.cost` at the end.
    """

    end: float
    times: list[float]
    demand: list[int]
    target_dedicated: list[int]
    target_low_priority: list[int]
    booting: list[int]
    idle: list[int]
    running: list[int]
    leaving: list[int]
    unusable: list[int]
    queue: list[int]
    cost: list[float]

    def __post_init__(self) -> None:
        _check_columns("the series", self, ("end",))


class AutoscaleRuns(_Part, frozen=True, kw_only=True):
    """The evaluations of the formula. `dedicated`, `low_priority`: the targets after each; the rest of the columns: the
    pool before it, as the formula could read it. `errors`: by the number of the run (from 0), why it failed."""

    times: list[float]
    dedicated: list[int]
    low_priority: list[int]
    current_dedicated: list[int]
    current_low_priority: list[int]
    preempted: list[int]
    usable: list[int]
    errors: dict[int, str] = {}

    def __post_init__(self) -> None:
        _check_columns("the autoscale runs", self, ("errors",))
        for number in self.errors:
            if not 0 <= number < len(self.times):
                raise ValueError(f"an error names run {number}; there are {len(self.times)}")


class RecordedSamples(_Part, frozen=True, kw_only=True):
    """The samples that the runs saw, by metric (`$PendingTasks`), of those that the formula names: the first was taken
    at `start`, the others every `period`; null is one that was lost. A sample is seen `delay` after it was taken, until
    `retention` after."""

    start: float = 0.0
    period: float
    delay: float
    retention: float = 7 * 86400.0
    values: dict[str, list[float | None]] = {}

    def __post_init__(self) -> None:
        if not self.period > 0:
            raise ValueError(f"period: must be positive, not {self.period:g}")


class Run(_Part, frozen=True, kw_only=True):
    """`text`: the formula."""

    figures: Figures
    text: str
    series: Series
    autoscale: AutoscaleRuns
    samples: RecordedSamples


class Bound(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """What something that needs no formula would cost; `node_seconds` if that is known. Not `exact`: it may be more."""

    cost: float
    node_seconds: float | None = None
    exact: bool = True


class Bounds(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """`optimum`: the cheapest way to start every task on its arrival, with the trace known in advance; formulas that
    let tasks wait may cost less. `break_even`: the timeout policy that keeps an idle node as long as a new boot would
    cost. `work_alone`: all work on nodes that are full to their end, however long tasks wait; nothing costs less."""

    optimum: Bound
    break_even: Bound
    work_alone: Bound | None = None


class About(_Part, frozen=True, kw_only=True):
    """The scenario. `start`: its second 0, since the epoch in UTC. `tasks`: that arrive; `initial_targets`: before the
    first run, dedicated and low-priority; `stopped_at`: the second at which somebody stopped the simulation early."""

    name: str
    description: str = ""
    seed: int
    start: float
    tasks: int
    task_slots_per_node: int = 1
    initial_targets: tuple[int, int] = (0, 0)
    stopped_at: float | None = None


class Outcome(_Part, frozen=True, kw_only=True):
    """What `ebbtide simulate` writes; of compared formulas each has a run, in the order in which they were given."""

    scenario: About
    runs: list[Run]
    bounds: Bounds | None = None

    def summary(self) -> bytes:
        """What `--json` prints: the figures, without what charts need."""
        figures = [run.figures for run in self.runs]
        told = {"runs": figures, "bounds": self.bounds, "stoppedAt": self.scenario.stopped_at}
        return msgspec.json.format(msgspec.json.encode(told), indent=2)


def read_outcome(path: Path) -> Outcome:
    """Raises ValueError that names the file and the place in it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Outcome)
    except msgspec.MsgspecError as reason:
        raise ValueError(f"{path}: {reason}") from None


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Raises OSError."""
    write_whole(path, msgspec.json.encode(outcome))


def _check_columns(name: str, table: msgspec.Struct, others: Sequence[str]) -> None:
    columns = {field: getattr(table, field) for field in table.__struct_fields__ if field not in others}
    times: list[float] = columns["times"]
    for field, column in columns.items():
        if len(column) != len(times):
            raise ValueError(f"{name}: {field} has {len(column)} rows, times has {len(times)}")
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise ValueError(f"{name}: times must rise")
