"""What pools need to know of the work on them, and what they tell it. The runner implements this."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .spec import NodeDeallocationOption


class TaskCounts(NamedTuple):
    """Whole tasks (not slots) of one pool, as the formula variables of the same names count them."""

    active: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0


class Workload(Protocol):
    def counts(self, pool_id: str) -> TaskCounts: ...

    def has_work(self, pool_id: str) -> bool:
        """Is there, or will there be, anything for this pool to do?"""

    def busy(self, node_id: str) -> int:
        """Executions placed on the node whose outcome is not yet recorded."""

    def node_usable(self, node_id: str, now: float) -> None:
        """The node takes tasks from now on."""

    def evict(self, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        """The node leaves: end, requeue or let finish what runs there, as `option` says; place nothing
        more."""

    def stay(self, node_id: str, now: float) -> bool:
        """The node does not leave after all. False: it has to, because of what its leaving has ended there."""

    def tasks_on(self, node_id: str) -> int:
        """The same of tasks alone: without what their jobs do there before and after them."""

    def vacate(self, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        """The node takes no tasks for a while: as `evict`, but what jobs have prepared there stays of use."""

    def node_gone(self, node_id: str, now: float) -> None:
        """The node's VM is certain to be gone: whatever was placed there runs no more."""
