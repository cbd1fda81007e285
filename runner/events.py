"""What can happen to the core: requests, which may be refused (an error is raised; those about jobs stand in
job_events.py), and reports, which never are."""

from __future__ import annotations

from msgspec import Struct

from pools import NodeDeallocationOption, NodeUsage, PoolSpec
from providers import ProviderError, Vm

from .model import Output
from .task_model import TaskKey


class Event(Struct, frozen=True):
    @property
    def task_key(self) -> TaskKey | None:
        """The task that something is asked of, completed or not."""
        return None


# -- requests ------------------------------------------------------------------------------------------------


class AddPool(Event, frozen=True):
    """`image` is the provider's name of the image that the nodes start from."""

    spec: PoolSpec
    provider: str
    image: str = ""


class RescalePool(Event, frozen=True):
    """Another formula, interval, targets or options for the pool of that id; another size, subnet, start task or image
    for its new nodes; all else as it is. `image` None: as it is."""

    spec: PoolSpec
    image: str | None = None


class AutoScaleNow(Event, frozen=True):
    pool_id: str


class EvaluateAutoScale(Event, frozen=True):
    """What the formula would decide now for the pool, which has one; changes nothing. The answer is an AutoScaleRun."""

    pool_id: str
    formula: str


class ResizePool(Event, frozen=True):
    """A target that is None stays as it is. `timeout`: seconds that it may take; None: as before."""

    pool_id: str
    dedicated: int | None
    low_priority: int | None
    option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE
    timeout: float | None = None


class StopResize(Event, frozen=True):
    """The pool stays as large as it is."""

    pool_id: str


class EnableAutoScale(Event, frozen=True):
    """`formula` and `interval` (seconds) None: as they are."""

    pool_id: str
    formula: str | None = None
    interval: float | None = None


class DisableAutoScale(Event, frozen=True):
    pool_id: str


class ResumePool(Event, frozen=True):
    """Close the pool's circuit breaker; wait for nothing that failed before."""

    pool_id: str


class DeletePool(Event, frozen=True):
    pool_id: str


class Drain(Event, frozen=True):
    """Take no new work; every node leaves in the way that `option` says."""

    option: NodeDeallocationOption
    pool_id: str | None = None


class Tick(Event, frozen=True):
    """Time has passed."""


class LookAtOutputs(Event, frozen=True):
    """Of executions that have run for so many seconds, what they have printed is to be read."""

    age: float


class TimeLost(Event, frozen=True):
    """So many seconds passed in which the core was not asked: the clock was set forward, the machine stood still, or
    the journal could not be written."""

    seconds: float


# -- reports from the clouds ---------------------------------------------------------------------------------


class VmCreated(Event, frozen=True):
    node_id: str
    vm: Vm


class VmCreateFailed(Event, frozen=True):
    node_id: str
    error: ProviderError
    vm_name: str | None = None  # which of the node's VMs; None: the only one


class VmsListed(Event, frozen=True):
    """`asked` is when the question left."""

    provider: str
    vms: tuple[Vm, ...]
    asked: float


class VmDestroyed(Event, frozen=True):
    node_id: str
    vm_name: str | None = None  # as of VmCreateFailed


class VmDestroyFailed(Event, frozen=True):
    node_id: str
    reason: str


class ConsoleRead(Event, frozen=True):
    """The last of what the node's VM printed on its console; "" if its cloud has nothing."""

    node_id: str
    text: str


# -- reports from the nodes ----------------------------------------------------------------------------------


class NodeConnected(Event, frozen=True):
    """`connection`: its number, as in OpenNode; what comes of an older one counts for nothing. `known`: the executions
    that the node knows of, running or ended and not yet acknowledged. `boot`: names the time since the node started, ""
    if nobody can tell. `damages`: names of those not yet acknowledged, each of which may have destroyed records of
    others that had begun before it was first told."""

    node_id: str
    connection: int
    known: frozenset[str]
    boot: str = ""
    damages: frozenset[str] = frozenset()


class NodeDisconnected(Event, frozen=True):
    """`fatal`: trying again cannot help (no Python on the node, another host key). `host_key`: it is because of
    another host key than the pinned one, which a machine that is still booting may show. `connection`: as above."""

    node_id: str
    connection: int
    reason: str
    fatal: bool = False
    host_key: bool = False


class NodePrepared(Event, frozen=True):
    """The packages are in place (`error` None) or not."""

    node_id: str
    error: str | None = None


class NodeMeasured(Event, frozen=True):
    """What the node has used in the last sampling period, as its agent measured it."""

    node_id: str
    usage: NodeUsage


class NodeNotice(Event, frozen=True):
    """The node's cloud has announced that it takes the VM back at `at` (an Instant)."""

    node_id: str
    at: float


class ExecutionStarted(Event, frozen=True):
    node_id: str
    execution_id: str
    time: float


class ExecutionCoordinated(Event, frozen=True):
    """Its coordination command has succeeded; it waits for ProceedExecution, or for its end."""

    node_id: str
    execution_id: str


class OutputsSeen(Event, frozen=True):
    """What an execution that ran had printed: the last of it, as asked for by ReadOutputs."""

    node_id: str
    execution_id: str
    outputs: tuple[Output, ...]


class ExecutionEnded(Event, frozen=True):
    """Its process has ended and its slot is free; the output is still being brought in."""

    node_id: str
    execution_id: str


class Outcome(Event, frozen=True):
    """How an execution ended, with its output in the store. `exit_code` is 128+n after signal n.

    `error` = (code, message) when the command could not be run at all.
    """

    node_id: str
    execution_id: str
    start_time: float | None
    end_time: float
    exit_code: int | None
    killed: bool = False
    timed_out: bool = False
    error: tuple[str, str] | None = None
    outputs: tuple[Output, ...] = ()
    #: of the container that it ran in
    container_id: str | None = None
    #: its node's, when it ended
    disk_full: bool = False


class ExecutionLost(Event, frozen=True):
    """It was started and has no outcome, and runs no more."""

    node_id: str
    execution_id: str
    reason: str


class ExecutionRecalled(Event, frozen=True):
    """It was not started and will not be."""

    node_id: str
    execution_id: str
