"""How core and autoscaled pool of the fault test are set: everything happens within minutes."""

from __future__ import annotations

from pools import PoolSettings
from runner import CoreSettings
from runner.simulation import PROVIDER

from .chaos import PROFILE

SETTINGS = CoreSettings(
    pools=PoolSettings(
        sample_period=10.0,
        sample_delay=20.0,
        sample_retention=3600.0,
        vm_poll_interval=15.0,
        boot_timeout=120.0,
        unreachable_timeout=120.0,
        backoff_max=60.0,
        breaker_after=3,
        capacity_pause=30.0,
        orphan_grace=20.0,
        profiles={PROVIDER: PROFILE},
        minimum_evaluation_interval=1.0,
        kept_attempts=2,  # some tasks have more
    ),
    minimum_recurrence_interval=1.0,
    occurrences=2,
)
FORMULA = """
samples = $PendingTasks.GetSamplePercent(60 * TimeInterval_Second);
pending = samples < 1 ? 0 : max($PendingTasks.GetSample(60 * TimeInterval_Second, 1));
$TargetDedicatedNodes = 0;
$TargetLowPriorityNodes = min(2, pending);
$NodeDeallocationOption = taskcompletion;
"""
