"""As what and where the next node is tried: the best size and zone that is not known to be full. Pure."""

from __future__ import annotations

from collections.abc import Collection

from providers import Placement

from .model import Pool, evolve
from .settings import PoolSettings


def placements(pool: Pool, settings: PoolSettings) -> tuple[Placement, ...]:
    """Everything that may be tried for the pool, best first."""
    return settings.profile(pool.provider).placements(pool.spec.vm_size)


def place_key(placement: Placement, low_priority: bool) -> str:
    """How `Pool.no_capacity` names it: room for low-priority VMs is not room for dedicated ones."""
    return " ".join(word for word in (placement.size, placement.zone, _kind(low_priority)) if word)


def some_left_out(pool: Pool, low_priority: bool, now: float) -> bool:
    """Is there a placement where none of this kind is tried at present?"""
    return any(key.split()[-1] == _kind(low_priority) and end > now for key, end in pool.no_capacity.items())


def _kind(low_priority: bool) -> str:
    return "low-priority" if low_priority else "dedicated"


def open_placement(pool: Pool, low_priority: bool, settings: PoolSettings, now: float) -> Placement | None:
    """The best placement that is not left out at present; None: all are."""
    for placement in placements(pool, settings):
        if pool.no_capacity.get(place_key(placement, low_priority), now) <= now:
            return placement
    return None


def left_out(pool: Pool, key: str, until: float, now: float, *, unfit: bool) -> Pool:
    """The pool with that placement left out until then, and without those whose time is over. Which are unfit is known
    until they are tried again: a cloud may take longer to refuse them all than the first is left out."""
    kept = {other: end for other, end in pool.no_capacity.items() if end > now and other != key}
    marked = tuple(other for other in pool.unfit if other != key)
    return evolve(pool, now, no_capacity=kept | {key: until}, unfit=(*marked, key) if unfit else marked)


def reopened(pool: Pool, keys: Collection[str], now: float) -> Pool:
    """The pool with none of these placements left out."""
    kept = {key: end for key, end in pool.no_capacity.items() if key not in keys}
    return evolve(pool, now, no_capacity=kept, unfit=tuple(key for key in pool.unfit if key not in keys))


def opens(pool: Pool, low_priority: bool, settings: PoolSettings) -> float:
    """When the first of the placements that are left out is tried again."""
    keys = (place_key(placement, low_priority) for placement in placements(pool, settings))
    return min(pool.no_capacity[key] for key in keys if key in pool.no_capacity)
