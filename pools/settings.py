"""How the pool manager behaves; the defaults are the service's own figures where it has one."""

from __future__ import annotations

from typing import Literal

import msgspec

from providers import Profile

_NO_PROFILE = Profile()


class PoolSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All durations in seconds."""

    #: one sample of every metric per period; 30 s is what Azure Batch documents
    sample_period: float = 30.0
    #: a sample becomes visible to formulas after this long; in Azure Batch about a minute
    sample_delay: float = 60.0
    #: samples older than this are forgotten
    sample_retention: float = 7 * 86400.0
    #: which pools get samples of what their nodes use: those whose formula names such a metric, or "all"
    sample_node_metrics: Literal["named", "all"] = "named"
    #: provider's list is asked for this often; at once when a connection breaks
    vm_poll_interval: float = 30.0
    #: the same while a VM is on its way
    boot_poll_interval: float = 3.0
    #: from the create call to a node that answers over SSH; slowest GPU images seen need about 9 minutes
    boot_timeout: float = 900.0
    #: pause between two tries to connect to a node that boots or was lost
    connect_retry: float = 1.0
    #: a node that answers nothing for this long is replaced
    unreachable_timeout: float = 900.0
    #: a connection that lasts this long has proven itself (at most half of `unreachable_timeout`); what breaks
    #: sooner, again and again, counts as unreachable. Longer than it takes to notice a dead connection
    steady_after: float = 30.0
    #: a node that fails within this time after it came up counts like one that did not come up: its task may
    #: have killed it. Longer than most tasks take to fill the memory; only delays the next try
    young_node: float = 120.0
    #: a failed create, boot, start task or young node delays the next try by base * 2**(failures-1), at most max
    backoff_base: float = 5.0
    backoff_max: float = 1800.0
    #: after so many failed waves in a row a pool stops creating (circuit breaker); 0: never
    breaker_after: int = 5
    #: a placement (size and zone) without capacity is left out for so long
    capacity_pause: float = 300.0
    #: a create call that was throttled, or whose answer was lost, is issued again after this long: doubled each time,
    #: with jitter, at most `create_retry_max`; later if the cloud asks for it
    create_retry: float = 2.0
    create_retry_max: float = 60.0
    #: a node that leaves holds its place until its VM is certain to be gone, so that no VM too many lives; but for so
    #: long at most (its cloud may not answer for hours). See `planner.holds_place` for those that hold none
    hold_place: float = 300.0
    #: what runs on a VM that its cloud has announced to take back goes on until so long before, and is then given back:
    #: it has its grace to end in, and its checkpoint is saved
    reclaim_lead: float = 60.0
    #: a VM that its cloud has announced to take back, and has not so long after, is destroyed
    reclaim_grace: float = 180.0
    #: a VM that carries our tag and has no record is destroyed when it has been seen for so long
    orphan_grace: float = 60.0
    #: attempts that are remembered beside the last one: the first and the latest
    kept_attempts: int = 10
    #: what is known of each provider by its name
    profiles: dict[str, Profile] = {}
    #: price per hour by the pool's vmSize, (dedicated, low-priority); they go before the provider's own
    prices: dict[str, tuple[float | None, float | None]] = {}
    #: a VM that has just been created may be missing in its cloud's list for so long
    visibility: float = 30.0
    #: pause before a VM that could not be destroyed is destroyed again; doubled each time, at most `destroy_retry_max`
    destroy_retry: float = 5.0
    destroy_retry_max: float = 60.0
    #: create calls that are under way at a time, per pool
    create_batch: int = 50
    #: bounds of autoScaleEvaluationInterval (Batch REST API: 5 minutes, 168 hours)
    minimum_evaluation_interval: float = 300.0
    maximum_evaluation_interval: float = 168 * 3600.0

    def profile(self, provider: str) -> Profile:
        """What is known of the provider; nothing, if nobody has said."""
        return self.profiles.get(provider, _NO_PROFILE)

    @property
    def steady(self) -> float:
        """Seconds after which a connection has proven itself."""
        return min(self.steady_after, self.unreachable_timeout / 2)

    def backoff(self, failures: int) -> float:
        """Seconds to wait after the given number of failures in a row."""
        return min(self.backoff_max, self.backoff_base * 2.0 ** min(max(failures, 1) - 1, 20))
