"""The live view on a terminal: pools, nodes, tasks and cost as they are now, and what happened last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from pools import Node, Pool

from ..costs import told
from ..money import money
from .fitted import Column, Fitted
from .line import Line
from .progress import Standing, told_rate, told_seconds
from .timeline import Timeline

_STYLES = {"good": "green", "bad": "red", "quiet": "bright_black", "": ""}
_NODES = 8
_JOBS = 6
#: Pause (seconds) between two drawings: the eye does not want more.
_FRAME = 0.25

# What can be told from other columns goes first.
_POOLS = (
    Column("pool", text=True), Column("state", text=True, goes=5), Column("nodes"), Column("target"),
    Column("last autoscale run", text=True, goes=2), Column("node-seconds", goes=3), Column("cost", goes=1),
)  # fmt: skip
_NODE = (
    Column("node", text=True), Column("pool", text=True, goes=4), Column("state", text=True), Column("since"),
    Column("kind", text=True, goes=3), Column("per hour", goes=1), Column("where", text=True, goes=2),
)  # fmt: skip
_JOB = (
    Column("job", text=True), Column("state", text=True, goes=4), Column("waiting", goes=3), Column("running", goes=5),
    Column("done"), Column("", goes=2), Column("failed"), Column("rate"), Column("left"), Column("cost", goes=1),
)  # fmt: skip


class LiveView:
    """The lines of the timeline scroll by above; the tables below are drawn again and again."""

    shows_progress = True

    def __init__(self, stream: TextIO, timeline: Timeline, start: float) -> None:
        self._timeline = timeline
        self._tally = timeline.tally
        self._start = start
        self._drawn = 0.0
        self._console = Console(file=stream, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, lines: Sequence[Line], now: float) -> None:
        for line in lines:
            self._console.print(self._line(line), soft_wrap=True)
        if lines or now - self._drawn >= _FRAME:
            self._drawn = now
            self._live.update(self._tables(now), refresh=True)

    def close(self) -> None:
        self._live.update(Text(""), refresh=True)
        self._live.stop()

    def _line(self, line: Line) -> Text:
        text = Text(f"{max(0.0, line.time - self._start):8.1f}s  ", style="bright_black")
        text.append(f"{line.subject:<36}  ", style="bold")
        text.append(line.text, style=_STYLES[line.tone])
        for detail in line.detail:
            text.append(f"\n{'':11}| {detail}", style="default")
        return text

    def _tables(self, now: float) -> RenderableType:
        return Group(Text(), self._pools(now), self._nodes(now), self._tasks(now))

    def _pools(self, now: float) -> Fitted:
        table = Fitted(*_POOLS)
        for pool in self._tally.pools.values():
            amount = self._tally.used(pool, now)
            table.add_row(
                pool.id,
                _state(pool),
                str(self._tally.node_count(pool.id)),
                f"{pool.target_dedicated}+{pool.target_low_priority}",
                self._last_run(pool, now),
                f"{amount.seconds:.1f}",
                told(amount.cost),
            )
        return table

    def _last_run(self, pool: Pool, now: float) -> str:
        run = self._tally.runs.get(pool.id)
        if run is None:
            return "-"
        # its targets stand beside it: here, what the formula has made them of
        own = ", ".join(part for part in run.results.split(";") if part and not part.startswith("$"))
        result = run.error.code if run.error is not None else own
        return f"{max(0.0, now - run.timestamp):.0f} s ago{f': {result[:60]}' if result else ''}"

    def _nodes(self, now: float) -> RenderableType:
        nodes = list(self._tally.nodes.values())
        if not nodes:
            return Text()
        table = Fitted(*_NODE)
        for node in nodes[:_NODES]:
            kind = "low-priority" if node.low_priority else "dedicated"
            since = f"{max(0.0, now - node.state_time):.0f} s"
            table.add_row(node.id, node.pool_id, str(node.state), since, kind, _price(node), _where(node))
        if len(nodes) > _NODES:
            states = Counter(str(node.state) for node in nodes)
            rest = ", ".join(f"{count} {state}" for state, count in states.items())
            table.add_row(f"... {len(nodes)} nodes: {rest}", "", "", "", "", "", "")
        return table

    def _tasks(self, now: float) -> Fitted:
        table = Fitted(*_JOB)
        jobs = list(self._tally.jobs.values())
        for job in jobs[-_JOBS:]:
            progress, standing = self._timeline.progress(job.id, now)
            state = job.scheduling_error.code if job.scheduling_error is not None else str(job.state)
            rate, open_ = progress.rate(now, standing.done), standing.total - standing.done
            pace = (told_rate(rate), told_seconds(open_ / rate)) if rate is not None and open_ else ("", "")
            state += self._timeline.waits_for(job.id)
            table.add_row(job.id, state, *_counts(standing), *pace, told(self._tally.job_cost(job.id, now)))
        if len(jobs) > _JOBS:
            table.add_row(f"all {len(jobs)} jobs", "", *_counts(Standing.of(self._tally.task_counts())), "", "", "")
        return table


def _counts(standing: Standing) -> tuple[str, str, str, str, str]:
    """Waiting, running, done of how many, their share, failed."""
    total = standing.total
    done = f"{standing.done:,} of {total:,}" if total else f"{standing.done:,}"
    share = f"({standing.done / total:.0%})" if total else ""
    failed = f"{standing.failed:,}" if standing.failed else "-"
    return f"{standing.waiting:,}", f"{standing.running:,}", done, share, failed


def _state(pool: Pool) -> str:
    if pool.broken_since is not None:
        return "circuit breaker open"
    for error in pool.resize_errors:
        if error.code.startswith("Budget"):
            return error.code
    return f"{pool.allocation_state}{', stand-ins' if pool.fallback_since is not None else ''}"


def _price(node: Node) -> str:
    return "" if node.vm_confirmed is None else money(node.price_per_hour)


def _where(node: Node) -> str:
    vm = node.vm
    return " ".join(word for word in (vm.size, vm.zone) if word) if vm is not None else ""

