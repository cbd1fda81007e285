"""Budgets: how one stands, when that will change, and what follows for a pool. Pure.

Money first: what has no price is charged at the dearest price that is known for the pool. If none is known, a budget
cannot be kept, and counts as used up (`BudgetUnknown`), unless its action is `warn`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .cost import HOUR, pool_cost
from .model import Node, Pool, ResizeError, evolve
from .options import BudgetAction, PoolOptions, options_of
from .placement import placements
from .resize_errors import noted, without
from .settings import PoolSettings

#: Share of a budget from which on there is a warning.
WARN_AT = 0.8
#: Seconds that a cloud may take to say what a new VM costs.
PRICE_GRACE = 60.0
#: Sums of what was spent are a little off; and no timer is to ring without time passing.
_EXACT = 1e-9
_SHORTEST = 1e-3


class Level(StrEnum):
    FINE = "fine"
    WARNING = "BudgetWarning"
    REACHED = "BudgetReached"
    UNKNOWN = "BudgetUnknown"


#: Codes of the resize errors (of pools) and scheduling errors (of jobs) that tell of a budget.
CODES = (Level.WARNING, Level.REACHED, Level.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Bill:
    """What is spent, and how fast that grows (per second). `unknown`: some of it has no price, and none can be guessed;
    `unknown_from`: it will be so from then on, if nobody says one."""

    spent: float
    rate: float = 0.0
    unknown: bool = False
    unknown_from: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    level: Level
    #: when it will change at the present rate; None: not because of time
    changes: float | None = None


def standing(budget: float, bill: Bill, now: float) -> Standing:
    """How a budget stands."""
    share = bill.spent / budget + _EXACT
    if share >= 1:
        return Standing(Level.REACHED)
    if bill.unknown:
        return Standing(Level.UNKNOWN)
    level, limit = (Level.WARNING, 1.0) if share >= WARN_AT else (Level.FINE, WARN_AT)
    times = [bill.unknown_from] if bill.unknown_from is not None else []
    if bill.rate > 0:
        times.append(now + (limit * budget - bill.spent) / bill.rate)
    return Standing(level, max(min(times), now + _SHORTEST) if times else None)


def dearest_price(pool: Pool, nodes: Iterable[Node], settings: PoolSettings) -> float | None:
    """The highest price per hour that is known of the pool's nodes: of the present ones, the past ones on average, and
    what the settings say of its sizes. None: none is known."""
    known = [node.price_per_hour for node in nodes if node.price_per_hour is not None]
    usage = pool.usage
    priced = usage.dedicated_seconds + usage.low_priority_seconds - usage.unpriced_seconds
    if priced > 1.0:
        known.append(usage.cost / priced * HOUR)
    for size in (pool.spec.vm_size, *(place.size for place in placements(pool, settings))):
        known += [price for price in settings.prices.get(size, ()) if price]
    return max(known, default=None)


def charged(known: float, unpriced: float, rate: float, unpriced_rate: float, dearest: float | None) -> Bill:
    """A bill of priced and unpriced parts: `unpriced` node-seconds, `unpriced_rate` nodes."""
    guess = (dearest or 0.0) / HOUR
    unknown = unpriced > 0 and dearest is None
    return Bill(known + unpriced * guess, rate + unpriced_rate * guess, unknown)


def pool_bill(pool: Pool, nodes: Iterable[Node], settings: PoolSettings, now: float) -> Bill:
    """What a pool has spent, with its living nodes until now."""
    nodes = [node for node in nodes if not node.vm_gone]
    dearest = dearest_price(pool, nodes, settings)
    old, new = list[Node](), list[Node]()
    for node in nodes:
        # its cloud may still say what it costs
        waits = dearest is None and node.price_per_hour is None and not _overdue(node, now)
        (new if waits else old).append(node)
    cost = pool_cost(pool, old, now)
    billed = [node for node in old if node.vm_confirmed is not None and node.vm_ended is None]
    rate = sum(node.price_per_hour or 0.0 for node in billed) / HOUR
    unpriced_rate = sum(node.price_per_hour is None for node in billed)
    bill = charged(cost.known, cost.unpriced, rate, unpriced_rate, dearest)
    due = [node.vm_confirmed + PRICE_GRACE for node in new if node.vm_confirmed is not None]
    return Bill(bill.spent, bill.rate, bill.unknown, min(due, default=None))


def _overdue(node: Node, now: float) -> bool:
    return node.vm_confirmed is not None and node.vm_confirmed + PRICE_GRACE <= now


def brought_up_to_date(
    pool: Pool, nodes: Iterable[Node], settings: PoolSettings, now: float
) -> tuple[Pool, float | None]:
    """The pool with the resize error that its budget calls for, and when to look again (None: not because of time)."""
    asked = options_of(pool.spec.metadata)
    present = next((error for error in pool.resize_errors if error.code in CODES), None)
    if asked.budget is None:
        return (_told(pool, None, now) if present is not None else pool), None
    found = standing(asked.budget, pool_bill(pool, nodes, settings, now), now)
    error = None if found.level is Level.FINE else ResizeError(found.level.value, _text(pool, asked, found.level))
    return (_told(pool, error, now) if error != present else pool), found.changes


def _told(pool: Pool, error: ResizeError | None, now: float) -> Pool:
    errors = without(pool.resize_errors, *CODES)
    return evolve(pool, now, resize_errors=noted(errors, error) if error is not None else errors)


_FOLLOWS = {
    BudgetAction.WARN: "nothing follows (budgetAction warn)",
    BudgetAction.STOP: "no further node is created",
    BudgetAction.DRAIN: "no further node is created, and those that are there leave when their tasks are done",
}


def _text(pool: Pool, asked: PoolOptions, level: Level) -> str:
    assert asked.budget is not None
    amount, follows = f"{asked.budget:.12g}", _FOLLOWS[asked.budget_action]
    if level is Level.UNKNOWN:
        return (
            f"the price of {pool.spec.vm_size} is not known, so the budget of {amount} cannot be kept: {follows}. "
            f"Say it in the settings, as prices: {{{pool.spec.vm_size}: {{dedicated: ..., lowPriority: ...}}}}"
        )
    cure = "A higher `budget` in the pool's metadata lets it go on"
    if level is Level.REACHED:
        return f"the pool's budget of {amount} is used up: {follows}. {cure}"
    return f"{WARN_AT:.0%} of the pool's budget of {amount} is used; when all is: {follows}. {cure}"


def barred(pool: Pool) -> str | None:
    """Why the pool's budget lets no node be created; as of the last `brought_up_to_date`."""
    if options_of(pool.spec.metadata).budget_action is BudgetAction.WARN:
        return None
    errors = (error.message for error in pool.resize_errors if error.code in (Level.REACHED, Level.UNKNOWN))
    return next(errors, None)


def drained(pool: Pool) -> bool:
    """Does the pool's budget want its nodes to leave?"""
    return options_of(pool.spec.metadata).budget_action is BudgetAction.DRAIN and barred(pool) is not None
