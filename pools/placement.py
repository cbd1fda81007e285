"""As what and where the next node is tried: the best size and zone that is not known to be full. Pure."""

from __future__ import annotations

from providers import Placement

from .model import Pool
from .settings import PoolSettings


def placements(pool: Pool, settings: PoolSettings) -> tuple[Placement, ...]:
    """Everything that may be tried for the pool, best first."""
    return settings.profile(pool.provider).placements(pool.spec.vm_size)


def place_key(placement: Placement, low_priority: bool) -> str:
    """How `Pool.no_capacity` names it: room for low-priority VMs is not room for dedicated ones."""
    kind = "low-priority" if low_priority else "dedicated"
    return " ".join(word for word in (placement.size, placement.zone, kind) if word)


def open_placement(pool: Pool, low_priority: bool, settings: PoolSettings, now: float) -> Placement | None:
    """The best placement that is not left out at present; None: all are."""
    for placement in placements(pool, settings):
        if pool.no_capacity.get(place_key(placement, low_priority), now) <= now:
            return placement
    return None


def left_out(pool: Pool, placement: Placement, low_priority: bool, until: float, now: float) -> dict[str, float]:
    """`no_capacity` with the placement left out until then, and without those whose time is over."""
    kept = {key: end for key, end in pool.no_capacity.items() if end > now}
    return kept | {place_key(placement, low_priority): until}


def opens(pool: Pool, low_priority: bool, settings: PoolSettings) -> float:
    """When the first of the placements that are left out is tried again."""
    keys = (place_key(placement, low_priority) for placement in placements(pool, settings))
    return min(pool.no_capacity[key] for key in keys if key in pool.no_capacity)
