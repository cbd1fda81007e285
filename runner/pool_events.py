"""What can be asked of a pool beyond its size. A request that is refused raises, and nothing has changed."""

from __future__ import annotations

from pools import PoolSpec

from .events import Event


class UpdatePool(Event, frozen=True):
    """Other values for what may change of the pool of that id (Batch REST API: PATCH of a pool). `changed`: names of
    the attributes of `spec` that count. `image` None: as it is."""

    spec: PoolSpec
    changed: frozenset[str]
    image: str | None = None
