"""What goes wrong on a pool's way to its target, and what follows: waiting, another place, dedicated nodes instead of
low-priority ones, or the end of all tries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from providers import Placement, ProviderError

from . import fallback
from .context import Context
from .model import Node, Pool, ResizeError, evolve
from .node_states import NodeState
from .placement import left_out, open_placement, opens, place_key, placements, reopened
from .resize_errors import (
    ALLOCATION_FAILED,
    CIRCUIT_BREAKER_OPEN,
    QUOTA_REACHED,
    noted,
    standing,
)
from .settings import PoolSettings

#: A pool that starts afresh: whoever asks for something new gets a new try.
AFRESH: dict[str, Any] = {
    "resize_errors": (),
    "failures": 0,
    "refusals": 0,
    "retry_at": None,
    "broken_since": None,
    "broken_node": None,
    "fallback_since": None,
    **fallback.NO_SHORTAGE,
    "no_capacity": {},
    "unfit": (),
}


class Setbacks:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    def failed(self, node: Node, code: str, reason: str, now: float, *, breaks: bool = True) -> None:
        """A node did not come up, or only just: the pool waits before the next try, and says why. After too many
        in a row nothing is created any more (circuit breaker), if this one `breaks`.

        Nodes ordered before the last failure was known fail for the same reason: they count once.
        """
        ctx, pool = self._ctx, self._ctx.pools[node.pool_id]
        failures, retry_at = pool.failures, pool.retry_at
        broken = pool.broken_since is not None
        wave = retry_at is None or node.ordered >= retry_at
        if wave:
            failures += 1
            retry_at = now + ctx.settings.backoff(failures)
            node = ctx.nodes[node.id]
            if node.vm_confirmed is not None:
                ctx.put_node(evolve(node, now, keep_console=True))
            broken = broken or (breaks and 0 < ctx.settings.breaker_after <= failures)
        wait = "" if broken or retry_at is None else f"; next try in {round(max(0.0, retry_at - now), 1):g} s"
        text = f"node {node.id}: {reason} (failure {failures} in a row{wait})"
        errors = noted(pool.resize_errors, ResizeError(code, text))
        changes: dict[str, Any] = {"failures": failures, "retry_at": retry_at}
        if broken and pool.broken_since is None:
            changes |= {"broken_since": now, "broken_node": node.id}
            errors = noted(errors, _breaker(pool, node, reason, failures))
        ctx.put_pool(evolve(pool, now, resize_errors=errors, **changes))

    def refused(self, node: Node, code: str, text: str, now: float) -> None:
        """The cloud creates none at present, for reasons of its own: the pool waits, however long that takes."""
        ctx, pool = self._ctx, self._ctx.pools[node.pool_id]
        probe = fallback.probe_time(pool)
        if node.low_priority and probe is not None and node.ordered < probe:
            return  # that low-priority nodes are not to be had is known; the stand-ins do not wait for it
        refusals, retry_at = pool.refusals, pool.retry_at
        if retry_at is None or node.ordered >= retry_at:
            refusals += 1
            retry_at = now + min(ctx.settings.backoff(refusals), ctx.settings.capacity_pause)
        told = f"{text} (refused {refusals} times in a row; next try in {round(max(0.0, retry_at - now), 1):g} s)"
        errors = noted(pool.resize_errors, ResizeError(code, told))
        pool = evolve(pool, now, refusals=refusals, retry_at=retry_at, resize_errors=errors)
        ctx.put_pool(self._missed(pool, node, text, now))

    def quota_reached(self, node: Node, error: ProviderError, now: float) -> None:
        self.refused(node, QUOTA_REACHED, str(error), now)

    def no_capacity(self, node: Node, error: ProviderError, now: float) -> None:
        """There is no room where the node was asked for: that placement is left out for a while."""
        pool = self._missed(self._left_out(node, now, unfit=False), node, str(error), now)
        self._elsewhere(pool, node, error, now)

    def unfit(self, node: Node, error: ProviderError, now: float) -> bool:
        """It can never come to be where it was asked for: that placement is left out for a while as well. False where
        all are like this: then it is the request that cannot work, wherever, and none is left out."""
        ctx, pool = self._ctx, self._left_out(node, now, unfit=True)
        keys = {place_key(place, node.low_priority) for place in placements(pool, ctx.settings)}
        if keys <= set(pool.unfit):
            ctx.put_pool(reopened(pool, keys, now))
            return False
        self._elsewhere(pool, node, error, now)
        return True

    def _left_out(self, node: Node, now: float, *, unfit: bool) -> Pool:
        pool, settings = self._ctx.pools[node.pool_id], self._ctx.settings
        place = Placement(node.size, node.zone)
        if place not in placements(pool, settings):
            return pool
        return left_out(pool, place_key(place, node.low_priority), now + settings.capacity_pause, now, unfit=unfit)

    def _elsewhere(self, pool: Pool, node: Node, error: ProviderError, now: float) -> None:
        """The next placement is tried; there may be none at present."""
        ctx, tried = self._ctx, placements(pool, self._ctx.settings)
        given_up = node.low_priority and pool.fallback_since is not None
        if not given_up and open_placement(pool, node.low_priority, ctx.settings, now) is None:
            kind = "low-priority" if node.low_priority else "dedicated"
            sizes = ", ".join(dict.fromkeys(p.size for p in tried))
            zones = ", ".join(dict.fromkeys(p.zone for p in tried if p.zone)) or "those of the cloud's choice"
            wait = round(opens(pool, node.low_priority, ctx.settings) - now, 1)
            text = (
                f"no room for {kind} nodes: sizes {sizes}; zones {zones}; last: {error}; next try in {wait:g} s. "
                f"More sizes or zones in the settings of provider {pool.provider} make room easier to find"
            )
            error_now = ResizeError(ALLOCATION_FAILED, text)
            pool = evolve(pool, now, resize_errors=noted(pool.resize_errors, error_now))
        ctx.put_pool(pool)

    def slow(self, node: Node, text: str, now: float) -> None:
        """The cloud does not answer well: it is tried on, and said."""
        pool = self._ctx.pools[node.pool_id]
        error = ResizeError(ALLOCATION_FAILED, f"node {node.id}: {text}")
        self._ctx.put_pool(evolve(pool, now, resize_errors=noted(pool.resize_errors, error)))

    def taken_back(self, node: Node, now: float) -> None:
        """The cloud has taken a low-priority node back, or says that it will. One that it never let be of use was as
        good as refused: else VMs would be made and taken all night."""
        if node.usable_since is None:
            if node.low_priority:
                text = f"node {node.id} was taken back before it was of use"
                self.refused(node, ALLOCATION_FAILED, text, now)
            return
        if now >= node.usable_since + self._ctx.settings.young_node:
            return
        pool = self._ctx.pools[node.pool_id]
        missed = self._missed(pool, node, node.reason or "a node was taken back", now)
        if missed is not pool:
            self._ctx.put_pool(missed)

    def _missed(self, pool: Pool, node: Node, why: str, now: float) -> Pool:
        return fallback.tried_in_vain(pool, node.ordered, why, now) if node.low_priority else pool

    def usable(self, node: Node, now: float) -> None:
        """A node takes tasks from now on."""
        pool = self._ctx.pools[node.pool_id]
        if node.low_priority and (found := fallback.had(pool, node.ordered, now)) is not pool:
            self._ctx.put_pool(found)

    def proven(self, node: Node, now: float) -> None:
        """A node of the pool has been of use: what failed before is past. An open breaker stays open: what was on
        its way when it opened proves nothing."""
        pool = before = self._ctx.pools[node.pool_id]
        if node.low_priority:
            pool = fallback.over(pool, now)
        errors = standing(pool.resize_errors)
        if pool.broken_since is None and (pool.failures or pool.refusals or errors != pool.resize_errors):
            pool = evolve(pool, now, failures=0, refusals=0, retry_at=None, resize_errors=errors)
        if pool is not before:
            self._ctx.put_pool(pool)


def next_try(pool: Pool, nodes: Iterable[Node], settings: PoolSettings, now: float) -> float | None:
    """When time alone changes what may be created."""
    times = [pool.retry_at, fallback.next_step(pool), *pool.no_capacity.values()]
    times += [node.modified + settings.hold_place for node in nodes if node.state is NodeState.LEAVING_POOL]
    return min((time for time in times if time is not None and time > now), default=None)


def _breaker(pool: Pool, node: Node, reason: str, failures: int) -> ResizeError:
    there = node.vm_confirmed is not None
    printed = f". What the node printed, if anything: `ebbtide node logs {node.id}`" if there else ""
    text = (
        f"nodes failed {failures} times in a row, no more are created until somebody acts; last: node {node.id}: "
        f"{reason}. Correct the pool's vmSize, image, subnet or start task: the next `ebbtide run` takes that over and "
        f"tries again. After a correction of the provider's settings, `ebbtide pool resume {pool.id}` lets it try "
        f"again{printed}"
    )
    return ResizeError(CIRCUIT_BREAKER_OPEN, text)
