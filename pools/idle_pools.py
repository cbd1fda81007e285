"""`ebbtide run`: a pool without work goes to zero, whatever its target says."""

from __future__ import annotations

from .context import Context
from .model import Pool
from .spec import PoolSpec


def formula_patience(spec: PoolSpec) -> float:
    """Seconds in which a formula has had its chance to react to something."""
    return 3 * spec.auto_scale_evaluation_interval.total_seconds() + 60.0


class IdlePools:
    def __init__(self, context: Context, ends: bool) -> None:
        """`ends`: are pools ended at all when they have no work?"""
        self._ctx = context
        self._ends = ends
        #: since when a pool has had no work
        self._since: dict[str, float] = {}

    def ended(self, pool: Pool, now: float) -> bool:
        """Is there nothing to do for the pool, for long enough?"""
        if not self._ends:
            return False
        if self._ctx.workload.has_work(pool.id):
            self._since.pop(pool.id, None)
            return False
        since = self._since.setdefault(pool.id, now)
        grace = 0.0
        if pool.spec.enable_auto_scale:
            # the formula gets its chance to ebb before the pool is ended for it
            grace = formula_patience(pool.spec)
            if now < since + grace:
                self._ctx.timers.set_earlier("linger", pool.id, since + grace)
        return now >= since + grace

    def forget(self, pool_id: str) -> None:
        self._since.pop(pool_id, None)
