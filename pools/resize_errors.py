"""Which of a pool's resize errors stand beside each other, and which make way for newer ones. Pure."""

from __future__ import annotations

from .model import ResizeError

#: Why a pool stopped trying; stays beside newer errors until a target is reached or set anew.
ALLOCATION_TIMED_OUT = "AllocationTimedout"
ALLOCATION_FAILED = "AllocationFailed"
QUOTA_REACHED = "AccountCoreQuotaReached"
#: Somebody asked for no further changes.
STOPPED = "ResizeStopped"
#: Ours: nothing is created until somebody acts; dedicated nodes stand in for low-priority ones.
CIRCUIT_BREAKER_OPEN = "CircuitBreakerOpen"
LOW_PRIORITY_FALLBACK = "LowPriorityFallback"

#: What tells of a node that failed: the newest is told.
_FAILURES = frozenset(
    (ALLOCATION_FAILED, "NodeFailed", "BootTimedOut", "StartTaskFailed", "ApplicationPackageError", "NodeUnusable")
)


def noted(errors: tuple[ResizeError, ...], error: ResizeError) -> tuple[ResizeError, ...]:
    """`errors` with one more, in the place of the one that it replaces."""
    replaced = _FAILURES if error.code in _FAILURES else frozenset((error.code,))
    return (*(each for each in errors if each.code not in replaced), error)


def without(errors: tuple[ResizeError, ...], *codes: str) -> tuple[ResizeError, ...]:
    return tuple(error for error in errors if error.code not in codes)


def standing(errors: tuple[ResizeError, ...]) -> tuple[ResizeError, ...]:
    """Those that a node that is of use does not make untrue: whoever set them takes them back."""
    return tuple(
        error
        for error in errors
        if error.code in (CIRCUIT_BREAKER_OPEN, LOW_PRIORITY_FALLBACK) or error.code.startswith("Budget")
    )
