"""Keeps what the planner does, and why: one row for what happened in a pool at one time."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from .context import Context
from .planner_passes import PlannedAction, PlannerPass


class PassLog:
    def __init__(self, context: Context) -> None:
        self._log = context.passes
        #: the last of each pool; a new controller begins with none, and tells anew what holds
        self._last: dict[str, PlannerPass] = {}

    def note(self, found: PlannerPass) -> None:
        """Keep it, if it tells anything that the last one of its pool did not."""
        last = self._last.get(found.pool_id)
        if not found.actions and last is not None and last.standing == found.standing:
            return
        if last is not None and last.time == found.time:
            found = replace(found, actions=together((*last.actions, *found.actions)))
        self._last[found.pool_id] = found
        self._log.append((found.pool_id, found.time), found)

    def forget(self, pool_id: str) -> None:
        """What is kept stays."""
        self._last.pop(pool_id, None)


def together(actions: Iterable[PlannedAction]) -> tuple[PlannedAction, ...]:
    """Those that are alike as one, in the order in which they first came."""
    alike: dict[tuple[str, str, bool, str | None], list[PlannedAction]] = {}
    for action in actions:
        alike.setdefault(action.kind, []).append(action)
    return tuple(
        replace(some[0], node_ids=tuple(each for action in some for each in action.node_ids))
        for some in alike.values()
    )
