"""Dedicated nodes in the place of low-priority ones that cannot be had: when it begins, when it ends. Pure.

A pool falls back after so many failed tries in a row, or after so many seconds without all its low-priority nodes.
After `fallbackFor` one low-priority node is tried; once it takes tasks, the stand-ins are replaced one by one.
A try that fails renews the time on dedicated nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .model import Node, Pool, ResizeError, evolve
from .node_states import COUNTED, UP
from .options import PoolOptions, options_of
from .placement import some_left_out
from .resize_errors import ALLOCATION_FAILED, LOW_PRIORITY_FALLBACK, QUOTA_REACHED, noted, without

#: How a pool stands that lacks none.
NO_SHORTAGE: dict[str, Any] = {
    "shortage_since": None,
    "shortage_failures": 0,
    "shortage_time": None,
    "shortage_reason": None,
}


def options(pool: Pool) -> PoolOptions:
    return options_of(pool.spec.metadata)


def wanted(pool: Pool) -> bool:
    """Does the pool fall back at all?"""
    asked = options(pool)
    return asked.fallback_after_failures is not None or asked.fallback_after is not None


def probe_time(pool: Pool) -> float | None:
    """When low-priority is tried again; None: no stand-ins are created at present."""
    return None if pool.fallback_since is None else pool.fallback_since + options(pool).fallback_for


def next_step(pool: Pool) -> float | None:
    """When time alone will change something."""
    after = options(pool).fallback_after
    if pool.fallback_since is None and pool.shortage_since is not None and after is not None:
        return pool.shortage_since + after
    return probe_time(pool)


def tried_in_vain(pool: Pool, ordered: float, why: str, now: float) -> Pool:
    """A low-priority node that was ordered then could not be had, or was taken back before it was of use for long.

    Nodes that were ordered before the last such failure was known fail for the same reason: they count once.
    """
    if not wanted(pool):
        return pool
    probe = probe_time(pool)
    if probe is not None:
        return _fall_back(evolve(pool, now, shortage_reason=why), now) if ordered >= probe else pool
    if pool.shortage_time is not None and ordered < pool.shortage_time:
        return pool
    since = pool.shortage_since if pool.shortage_since is not None else now
    failures = pool.shortage_failures + 1
    told = {"shortage_failures": failures, "shortage_time": now, "shortage_reason": why}
    pool = evolve(pool, now, shortage_since=since, **told)
    limit = options(pool).fallback_after_failures
    return _fall_back(pool, now) if limit is not None and failures >= limit else pool


def had(pool: Pool, ordered: float, now: float) -> Pool:
    """A low-priority node that was ordered then takes tasks: if it is the one that was tried, the stand-ins go."""
    probe = probe_time(pool)
    return _returned(pool, now) if probe is not None and ordered >= probe else pool


def over(pool: Pool, now: float) -> Pool:
    """A low-priority node has been of use for long: what failed before is past."""
    if pool.fallback_since is not None or pool.shortage_since is None:
        return pool
    return evolve(pool, now, **NO_SHORTAGE)


def brought_up_to_date(pool: Pool, nodes: Iterable[Node], target: int, now: float) -> Pool:
    """What follows from the time alone; `target`: of low-priority nodes."""
    if pool.fallback_since is None and pool.shortage_since is None:
        return pool
    nodes = tuple(nodes)
    due = next_step(pool)
    if pool.fallback_since is not None:
        stand_ins = any(node.fallback and node.state in COUNTED for node in nodes)
        return _returned(pool, now) if due is not None and now >= due and not stand_ins else pool
    if sum(node.low_priority and node.state in UP for node in nodes) >= target:
        # none is missing; tries that failed count on until one has been of use for long
        return evolve(pool, now, shortage_since=now) if due is not None and now >= due else pool
    return _fall_back(pool, now) if due is not None and now >= due else pool


def _fall_back(pool: Pool, now: float) -> Pool:
    asked, tries = options(pool), pool.shortage_failures
    row = f"{tries} {'try' if tries == 1 else 'tries'} in a row"
    if pool.shortage_reason:  # a record of an earlier version has none
        row += f"; last: {pool.shortage_reason}"
    text = (
        f"low-priority nodes could not be had, or not for long ({row})"
        f"; dedicated nodes stand in for them, low-priority is tried again after {asked.fallback_for:g} s. "
        "A higher `maxPrice`, more sizes or more zones make low-priority nodes easier to get"
    )
    errors, retry_at = pool.resize_errors, pool.retry_at
    if not pool.failures:
        # the refusal was for low-priority nodes: the stand-ins do not wait for it
        retry_at = None
        if not some_left_out(pool, False, now):  # else it may be said that there is no room for them either
            errors = without(errors, ALLOCATION_FAILED, QUOTA_REACHED)
    errors = noted(errors, ResizeError(LOW_PRIORITY_FALLBACK, text))
    return evolve(pool, now, fallback_since=now, resize_errors=errors, refusals=0, retry_at=retry_at)


def _returned(pool: Pool, now: float) -> Pool:
    errors = without(pool.resize_errors, LOW_PRIORITY_FALLBACK)
    return evolve(pool, now, fallback_since=None, resize_errors=errors, **NO_SHORTAGE)
