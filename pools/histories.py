"""The samples of all pools: taken once a period, kept for their formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from formula import FormulaError, Samples, compile_formula

from .context import Context
from .model import Pool
from .node_usage import sampled_metrics
from .sampling import History, Sample, measure

#: Seconds by which a sample, or a run of a formula, may be late and still be on its beat.
LATE = 1.0


class Histories:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._of: dict[str, History] = {}
        #: when the next sample of each pool is due
        self._due: dict[str, float] = {}
        #: is a sample that is due lost, as some are in Azure? Asked in simulations
        self.lost: Callable[[], bool] | None = None

    def of(self, pool_id: str) -> History:
        history = self._of.get(pool_id)
        if history is None:
            history = self._of[pool_id] = History(self._ctx.settings)
        return history

    def take(self, pool: Pool, now: float) -> None:
        """Take a sample of the pool, and set the timer for the next.

        Samples keep their beat: a controller is late by milliseconds each time, which would add up, and their ages at
        the runs of the formula would change by and by. One that is a little late is told as of when it was due.
        """
        ctx, period = self._ctx, self._ctx.settings.sample_period
        due = self._due.get(pool.id, pool.created)
        late = now - due
        following = due + period
        if not 0.0 <= late < period / 2:
            following = now + period - late % period
            following += period if following < now + period / 2 else 0.0
        self._expect(pool.id, following)
        now = due if 0.0 <= late < LATE else now
        if self.lost is not None and self.lost():
            return
        names = sampled_metrics(pool.spec.auto_scale_formula, ctx.settings.sample_node_metrics)
        usage = ctx.node_usage.averages(ctx.nodes_of(pool.id), names, ctx.settings.sample_period, now) if names else {}
        sample = measure(pool, ctx.counted(pool.id), ctx.workload.counts(pool.id), usage, now)
        self.of(pool.id).add(sample)
        ctx.samples.append((pool.id, now), sample)

    def seen(self, pool: Pool, text: str, now: float) -> Samples:
        """What this formula gets to see of the pool now."""
        try:
            metrics = compile_formula(text).metrics
        except FormulaError:
            metrics = ()
        return self.of(pool.id).samples(pool, self._ctx.counted(pool.id), now, metrics)

    def load(self, samples: Iterable[Sample], now: float) -> None:
        """Take over what was stored, oldest first. What was taken of a pool that has gone is nothing to one that was
        made under its id. What is of a time to come goes (the clock was put back): it would be among the new ones."""
        for sample in samples:
            pool = self._ctx.pools.get(sample.pool_id)
            if sample.time > now:
                self._ctx.samples.remove((sample.pool_id, sample.time))
            elif pool is not None and sample.time >= pool.created:
                self.of(pool.id).add(sample)

    def resume(self, pool: Pool, now: float) -> None:
        """Go on where the last controller ended."""
        last = self.of(pool.id).last
        self._expect(pool.id, now if last is None else last + self._ctx.settings.sample_period)

    def _expect(self, pool_id: str, when: float) -> None:
        self._due[pool_id] = when
        self._ctx.timers.set("sample", pool_id, when)

    def forget(self, pool_id: str) -> None:
        self._of.pop(pool_id, None)
        self._due.pop(pool_id, None)
