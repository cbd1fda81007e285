"""Whether the work of a state can go on by itself."""

from __future__ import annotations

from pools import Pool
from runner import Core

#: A pool without nodes whose formula fails so often in a row will not get any without somebody's help.
FORMULA_FAILURES = 3
_HOPEFUL = frozenset(("creating", "starting", "waitingforstarttask", "idle", "running"))


def stuck(core: Core, now: float) -> str | None:
    """Why the work cannot go on without somebody's help, or None: a pool with work gets no healthy node."""
    for pool in core.ctx.pools:
        barred = core.pools.growth_barred(pool, now)
        if barred is not None and not _hopeful(core, pool) and core.has_work(pool.id):
            return f"pool {pool.id}: {barred}"
        run, failed = pool.autoscale_run, pool.failed_evaluations >= FORMULA_FAILURES
        if failed and run is not None and run.error is not None and not core.ctx.node_count(pool.id):
            values = "; ".join(value.value for value in run.error.values)
            return (
                f"pool {pool.id}: its formula failed {pool.failed_evaluations} times in a row, and there is no "
                f"node: {run.error.message} {values}; correct its autoScaleFormula and run again"
            )
    return core.budgets.stuck()


def _hopeful(core: Core, pool: Pool) -> bool:
    """Is there a node that works, or may yet?"""
    return any(node.state in _HOPEFUL for node in core.ctx.nodes_of(pool.id))
