"""Pools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pools import Node, Pool

from ..noted import noted
from .errors import autoscale_run_view, error_view
from .links import Links
from .records import head, state
from .specifications import instant, known, specification_view

#: What is only said of pools that have a formula.
_OF_FORMULAS = ("autoScaleFormula", "autoScaleEvaluationInterval")


def pool_view(pool: Pool, nodes: Iterable[Node], links: Links) -> dict[str, Any]:
    """`nodes`: of the pool."""
    dedicated = low_priority = 0
    for node in nodes:
        low_priority += node.low_priority
        dedicated += not node.low_priority
    found = specification_view(pool.spec)
    if not pool.spec.enable_auto_scale:
        for name in _OF_FORMULAS:
            found.pop(name, None)
    own = {
        **head(pool, links.pool(pool.id)),
        **_stripped(state(pool)),
        "allocationState": str(pool.allocation_state),
        "allocationStateTransitionTime": instant(pool.allocation_state_time or pool.created),
        "currentDedicatedNodes": dedicated,
        "currentLowPriorityNodes": low_priority,
        "targetDedicatedNodes": pool.target_dedicated,
        "targetLowPriorityNodes": pool.target_low_priority,
        "autoScaleRun": autoscale_run_view(pool.autoscale_run) if pool.spec.enable_auto_scale else None,
        "warnings": list(noted(pool.spec)) or None,
        "resizeErrors": [error_view(error) for error in pool.resize_errors] or None,
    }
    return known({"id": pool.id, **found, **own})


def _stripped(states: dict[str, Any]) -> dict[str, Any]:
    """The service does not tell the former state of a pool."""
    return {name: value for name, value in states.items() if not name.startswith("previous")}
