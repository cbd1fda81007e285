"""Records of a pool's past, with everything in them."""

from __future__ import annotations

from formula import PoolValues
from pools import AutoScaleError, NameValue, NodeDeallocationOption, PlannedAction, PlannerPass, RecordedRun

from .full import T0


def recorded_run() -> RecordedRun:
    return RecordedRun(
        "p",
        T0 + 50.123456,
        "",
        AutoScaleError("InsufficientSampleData", "too few", (NameValue("Message", "Line 1"),)),
        formula="$TargetDedicatedNodes = 3;",
        pool=PoolValues(target_dedicated=2, current_dedicated=1),
        target_dedicated=2,
        target_low_priority=0,
        node_deallocation_option=NodeDeallocationOption.REQUEUE,
        sample_period=30.0,
        first_sample=T0,
        last_sample=T0 + 30,
        seed=7,
    )


def planner_pass() -> PlannerPass:
    actions = (
        PlannedAction(action="create", node_ids=("a", "b"), reason="target 2 dedicated, present 0"),
        PlannedAction(
            action="remove",
            node_ids=("n",),
            reason="target 0 low-priority, present 1",
            low_priority=True,
            option=NodeDeallocationOption.TASK_COMPLETION,
        ),
    )
    return PlannerPass(
        pool_id="p",
        time=T0 + 50.123456,
        target_dedicated=2,
        target_low_priority=0,
        because="its formula decided so",
        actions=actions,
        held_back=("no room",),
    )
