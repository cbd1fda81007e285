"""The records of a pool and its nodes, as they stand in memory and in the store.

All are immutable; `evolve` is the only way to a new version. Times are seconds since the epoch (UTC),
durations seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from providers import Vm, VmState

from .attempts import Attempt
from .failure_info import FailureInfo, NameValue
from .node_history import NodeHistory
from .node_states import NodeState
from .spec import NodeDeallocationOption, PoolSpec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What every stored object carries from its first day: version (for ETags), created and modified times,
    state with its time, and the state before it.

    Records hold values alone, none of which leads back to them: the collector need not look at a million of them.
    """

    version: int = 1
    created: float
    modified: float
    state_time: float
    previous_state: str | None = None
    previous_state_time: float | None = None


R = TypeVar("R", bound=Record)


def evolve(record: R, now: float, **changes: Any) -> R:
    """The next version of `record`; a change of `state` moves the old one to `previous_state`."""
    changes["version"] = record.version + 1
    changes["modified"] = now
    if "state" in changes:
        state: str = record.state  # type: ignore[attr-defined]
        if changes["state"] != state:
            changes["previous_state"] = str(state)
            changes["previous_state_time"] = record.state_time
            changes["state_time"] = now
    return msgspec.structs.replace(record, **changes)


class PoolState(StrEnum):
    ACTIVE = "active"
    DELETING = "deleting"


class AllocationState(StrEnum):
    STEADY = "steady"
    RESIZING = "resizing"


class ResizeError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a pool has not reached its target; `code` as the Batch REST API spells it."""

    code: str
    message: str
    values: tuple[NameValue, ...] = ()


class AutoScaleError(msgspec.Struct, frozen=True, omit_defaults=True):
    code: str
    message: str
    values: tuple[NameValue, ...] = ()


class AutoScaleRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """One evaluation of a pool's formula: when, what came out, and what went wrong if anything did."""

    pool_id: str
    timestamp: float
    results: str
    error: AutoScaleError | None = None


class Boot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long one node took to come up, in seconds from the create call: until its VM ran, until its agent said
    hello, until it took tasks."""

    node_id: str
    provider: str
    size: str
    zone: str | None = None
    low_priority: bool = False
    #: when it was ordered (an Instant)
    time: float
    running: float
    answered: float
    usable: float


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a pool has used so far, of nodes that have gone; node-seconds run from the VM's creation to its end."""

    dedicated_seconds: float = 0.0
    low_priority_seconds: float = 0.0
    peak_nodes: int = 0
    nodes_allocated: int = 0
    #: what the nodes cost whose price was known; the seconds of the others
    cost: float = 0.0
    unpriced_seconds: float = 0.0


class Pool(Record, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    spec: PoolSpec
    provider: str
    #: the provider's name of the image that nodes start from
    image: str = ""
    state: PoolState = PoolState.ACTIVE
    allocation_state: AllocationState = AllocationState.STEADY
    allocation_state_time: float = 0.0
    target_dedicated: int = 0
    target_low_priority: int = 0
    node_deallocation_option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE
    resize_errors: tuple[ResizeError, ...] = ()
    resize_started: float | None = None
    autoscale_run: AutoScaleRun | None = None
    next_evaluation: float | None = None
    #: evaluations in a row that failed by the formula's own fault (not for want of samples)
    failed_evaluations: int = 0
    #: waves of nodes in a row that did not come up, or not for long; the back-off before the next try grows with
    #: it. Nodes ordered after `retry_at` are the next wave
    failures: int = 0
    retry_at: float | None = None
    #: waves in a row that the cloud refused for its own reasons (a quota, no answer): they wait like failures, and
    #: do not count for the circuit breaker
    refusals: int = 0
    #: since when the circuit breaker is open: too many waves failed, nothing is created until somebody acts
    broken_since: float | None = None
    #: the node whose logs were kept when it opened
    broken_node: str | None = None
    #: since when dedicated nodes are created in the place of low-priority ones that cannot be had
    fallback_since: float | None = None
    #: since when low-priority nodes are missing, how many tries failed since, when the last did and why (all end with
    #: a success)
    shortage_since: float | None = None
    shortage_failures: int = 0
    shortage_time: float | None = None
    shortage_reason: str | None = None
    #: placements ("size zone low-priority") without capacity, and until when they are left out
    no_capacity: dict[str, float] = {}
    #: those in which the cloud can never do what was asked for, as it said when it was asked there last
    unfit: tuple[str, ...] = ()
    usage: Usage = Usage()
    #: what it was made for, and goes with ("job:<id>", "jobschedule:<id>"); None: it stays until somebody deletes it
    ends_with: str | None = None


class ExecutionResult(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"


class StartTaskInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    state: str  # "running" | "completed"
    start_time: float
    end_time: float | None = None
    exit_code: int | None = None
    retry_count: int = 0
    result: ExecutionResult | None = None
    failure: FailureInfo | None = None
    #: attempts before the present or last one
    earlier: tuple[Attempt, ...] = ()


class Restart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reboot or reimage that was asked for; which of the two, its node's state says."""

    #: what happens to the node's tasks before
    option: NodeDeallocationOption
    #: how often the reboot was ordered (a controller may have ended before its cloud answered)
    tries: int = 0
    #: the order was answered: a connection after a new start is the end of it
    ordered: bool = False


class InstalledPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an application that a node was made ready with. `sha256`: of its zip."""

    application_id: str
    version: str
    sha256: str


class Node(Record, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    pool_id: str
    vm_name: str
    low_priority: bool
    state: NodeState = NodeState.CREATING
    vm: Vm | None = None
    #: the create call has been answered: from here on a VM that the provider does not list is gone
    vm_confirmed: float | None = None
    boot_time: float | None = None
    scheduling_enabled: bool = True
    start_task: StartTaskInfo | None = None
    start_task_attempt: int = 0
    #: set with `leavingpool`: what happens to its tasks
    leaving: NodeDeallocationOption | None = None
    #: why it is as it is: ordered, not created yet, not connected yet, failed, going
    reason: str | None = None
    #: the destroy command was issued (its outcome may be unknown after a crash: it is issued again)
    destroying: bool = False
    #: since when there was no connection that lasted
    unreachable_since: float | None = None
    #: the same, of one that has been out of reach for more than a moment, and still is
    silent_since: float | None = None
    #: when it first could take tasks
    usable_since: float | None = None
    #: where and as what it was asked for, in the cloud's own words
    size: str = ""
    zone: str | None = None
    #: per hour, fixed when its VM is known; None: unknown
    price_per_hour: float | None = None
    #: when its VM was seen to have ended by itself
    vm_ended: float | None = None
    #: when its cloud takes it back, as it has announced
    reclaim_at: float | None = None
    #: stands in the place of a low-priority node that could not be had
    fallback: bool = False
    #: the VM of a preempted node is certain to be gone; the record stays until the node is replaced
    vm_gone: bool = False
    #: create calls that ended without a clear answer, or were under way when a controller ended: there may be a VM
    uncertain_creates: int = 0
    #: when its agent first said hello
    answered_time: float | None = None
    #: what its VM has printed on the console is kept before that goes
    keep_console: bool = False
    #: set with `rebooting` and `reimaging`
    restart: Restart | None = None
    #: names the time since its VM started, as its agent told last; "": nobody can tell
    boot: str = ""
    #: which VM of the node it is: each reimage is one more; and when that was ordered (None: with the node)
    generation: int = 1
    reordered: float | None = None
    #: what its pool's references stood for when the node was last made ready; None: it was not yet
    packages: tuple[InstalledPackage, ...] | None = None
    history: NodeHistory = NodeHistory()

    @property
    def ordered(self) -> float:
        """When its present VM was ordered."""
        return self.created if self.reordered is None else self.reordered

    @property
    def has_vm(self) -> bool:
        """Has its VM been seen, and is not known to be gone?"""
        return self.vm_confirmed is not None and not self.vm_gone

    @property
    def may_live(self) -> bool:
        """May its VM run, as far as is known?"""
        ended = self.vm is not None and self.vm.state in (VmState.PREEMPTED, VmState.TERMINATED)
        return not (self.vm_gone or ended)

    @property
    def story(self) -> str:
        """The node's last step in words, for error messages."""
        before = f", before that {self.previous_state}" if self.previous_state else ""
        return f"is {self.state} since {self.state_time:.3f}{before}; reason: {self.reason or 'none'}"
