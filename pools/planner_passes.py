"""What the planner did in one pass over a pool, and why: the records."""

from __future__ import annotations

from typing import Literal

import msgspec

from .spec import NodeDeallocationOption

#: Why the targets of a pool with a formula hold, when nothing stands above it.
BY_FORMULA = "its formula decided so"


class PlannedAction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same for several nodes, for the same reason."""

    action: Literal["create", "remove", "forget"]
    node_ids: tuple[str, ...]
    reason: str
    low_priority: bool = False
    #: of nodes that are removed: what happens to their tasks
    option: NodeDeallocationOption | None = None

    @property
    def kind(self) -> tuple[str, str, bool, str | None]:
        """Those that are alike are told together."""
        return (self.action, self.reason, self.low_priority, self.option)


class PlannerPass(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What counts is recorded: passes in which nodes came or went, or after which something else held."""

    pool_id: str
    time: float
    #: the targets that it went by, and why those
    target_dedicated: int
    target_low_priority: int
    because: str
    actions: tuple[PlannedAction, ...] = ()
    #: why fewer nodes were ordered than are missing
    held_back: tuple[str, ...] = ()

    @property
    def standing(self) -> tuple[int, int, str, tuple[str, ...]]:
        """What holds until another pass says otherwise."""
        return (self.target_dedicated, self.target_low_priority, self.because, self.held_back)
