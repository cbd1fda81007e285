"""What is kept of a pool's past. Times are exact: who goes through a run once more needs the very same."""

from __future__ import annotations

from typing import Any

from formula import PoolValues
from pools import PlannedAction, PlannerPass, RecordedRun, Sample

from ..iso8601 import format_exactly
from .errors import error_view
from .specifications import known

#: By the property of a run's `pool`: the value that the formula saw.
SEEN_OF_POOL = {
    "targetDedicatedNodes": "target_dedicated",
    "targetLowPriorityNodes": "target_low_priority",
    "currentDedicatedNodes": "current_dedicated",
    "currentLowPriorityNodes": "current_low_priority",
    "preemptedNodes": "preempted",
    "usableNodes": "usable",
    "taskSlotsPerNode": "task_slots_per_node",
}


def recorded_run_view(run: RecordedRun) -> dict[str, Any]:
    option = run.node_deallocation_option
    return known(
        {
            "timestamp": format_exactly(run.timestamp),
            "results": run.results,
            "error": error_view(run.error),
            "autoScaleFormula": run.formula,
            "pool": _seen(run.pool) if run.pool is not None else None,
            "targetDedicatedNodes": run.target_dedicated,
            "targetLowPriorityNodes": run.target_low_priority,
            "nodeDeallocationOption": str(option) if option is not None else None,
            "samplePeriod": run.sample_period,
            "firstSample": _time(run.first_sample),
            "lastSample": _time(run.last_sample),
            "seed": run.seed,
        }
    )


def planner_pass_view(found: PlannerPass) -> dict[str, Any]:
    view = {
        "time": format_exactly(found.time),
        "targetDedicatedNodes": found.target_dedicated,
        "targetLowPriorityNodes": found.target_low_priority,
        "because": found.because,
        "actions": [_action(action) for action in found.actions],
        "heldBack": list(found.held_back),
    }
    return {name: value for name, value in view.items() if value != []}


def sample_view(sample: Sample, metrics: frozenset[str] | None) -> dict[str, Any]:
    """`metrics`: only these, in lower case; None: all."""
    values = sample.values
    if metrics is not None:
        values = {name: value for name, value in values.items() if name.lower() in metrics}
    return {"time": format_exactly(sample.time), "values": values}


def _seen(pool: PoolValues) -> dict[str, float]:
    return {name: getattr(pool, attribute) for name, attribute in SEEN_OF_POOL.items()}


def _time(instant: float | None) -> str | None:
    return None if instant is None else format_exactly(instant)


def _action(action: PlannedAction) -> dict[str, Any]:
    return known(
        {
            "action": action.action,
            "isDedicated": not action.low_priority,
            "nodeIds": list(action.node_ids),
            "reason": action.reason,
            "nodeDeallocationOption": str(action.option) if action.option is not None else None,
        }
    )
