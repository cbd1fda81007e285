"""What may go wrong in a simulation. Here everything goes well; a fault test overrides what it wants."""

from __future__ import annotations

from collections.abc import Mapping

from providers import ProviderError

from .events import Event

#: How long things take when nothing is said (seconds).
USUAL_LATENCY: Mapping[str, float] = {
    "call": 0.5,  # to the cloud, and the same for its answer
    "list": 0.5,  # the same, when it is asked for all that it has
    "connect": 1.0,
    "message": 0.05,  # to or from a node
    "fetch": 0.2,  # of an output
    "packages": 2.0,  # to a node
    "restart": 5.0,  # of the controller
    "repeat": 1.0,  # until a report comes a second time
}


class Faults:
    #: executions print nothing, and so tell all with their ends; else their outputs are brought in beside
    silent = False
    #: messages between controller and nodes take no time, and come once
    instant = False

    def latency(self, kind: str) -> float:
        """Seconds that something takes; `kind` is a key of USUAL_LATENCY."""
        return USUAL_LATENCY[kind]

    def crashes(self, moment: str) -> bool:
        """Does the controller crash now? `moment`: "commit" (before it) or "command" (before it leaves)."""
        return False

    def call_error(self, method: str) -> tuple[ProviderError, bool] | None:
        """An error of a call to the cloud, and whether it comes after the call took effect; None: no
        error."""
        return None

    def survives_crash(self) -> bool:
        """Does something that is on its way when its sender goes arrive at its aim?"""
        return False

    def loses_sample(self) -> bool:
        """Is the sample that is due now never seen by anybody?"""
        return False

    def repeats(self, event: Event) -> bool:
        """Is this report delivered a second time, later?"""
        return False
