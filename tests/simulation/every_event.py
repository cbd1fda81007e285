"""Every state that a node's record can be in, and everything that can happen to it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from pools import (
    MetadataItem,
    Node,
    NodeDeallocationOption,
    NodeState,
    NodeUsage,
    Pool,
    PoolSpec,
    PoolState,
    Restart,
    StartTask,
    StartTaskInfo,
)
from providers import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    NotFoundError,
    PlacementError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
    Vm,
    VmState,
)
from runner import DisableScheduling, EnableScheduling, Output, RebootNode, ReimageNode, RemoveNodes, UpdatePool
from runner import events as ev
from runner.node_events import VmRebooted, VmRebootFailed

NOW = 1_700_000_000.0
NODE, NAME = "n1", "ebbtide-d-n1"
ERRORS = (
    CapacityError, QuotaError, PlacementError, InvalidRequestError, AuthError, ThrottledError, TransientError,
    NotFoundError, ProviderError,
)  # fmt: skip

_SPEC = PoolSpec(
    id="p",
    vm_size="s",
    target_dedicated_nodes=1,
    target_low_priority_nodes=2,
    metadata=(MetadataItem(name="fallbackAfterFailures", value="1"),),
    start_task=StartTask(command_line="x", wait_for_success=True),
)


def _pool(**changes: object) -> Pool:
    pool = Pool(created=0.0, modified=0.0, state_time=0.0, id="p", spec=_SPEC, provider="x")
    return replace(pool, target_dedicated=1, target_low_priority=2, **changes)


POOLS = {
    "steady": _pool(),
    "waiting": _pool(failures=2, retry_at=NOW + 30),
    "broken": _pool(failures=5, retry_at=NOW - 30, broken_since=NOW - 100),
    "on stand-ins": _pool(fallback_since=NOW - 100),
    "back from stand-ins": _pool(fallback_since=NOW - 4000),
    "short": _pool(shortage_since=NOW - 10, shortage_failures=1, shortage_time=NOW - 10),
    "without room": _pool(no_capacity={"s low-priority": NOW + 50, "s dedicated": NOW + 10}),
    "almost without a fit place": _pool(no_capacity={"s low-priority": NOW + 50}, unfit=("s low-priority",)),
    "deleting": _pool(state=PoolState.DELETING),
}


def vm(name: str = NAME, state: VmState = VmState.RUNNING, provider_id: str = "i-1") -> Vm:
    return Vm(name, provider_id, state, "127.0.0.1", 22, "root", "ssh-ed25519 AAAA", True, "/mnt", NOW - 500)


def _node(state: NodeState, **changes: object) -> Node:
    node = Node(
        created=NOW - 400, modified=NOW - 300, state_time=NOW - 300, id=NODE, pool_id="p", vm_name=NAME,
        low_priority=True, size="s", state=state,
    )  # fmt: skip
    return replace(node, **changes)


def nodes() -> dict[str, Node]:
    """What a store may hold, and what stands only within a batch (unusable)."""
    S, options = NodeState, NodeDeallocationOption
    now, patient = options.REQUEUE, options.TASK_COMPLETION
    seen = {"vm": vm(), "vm_confirmed": NOW - 390}
    answers = {**seen, "boot_time": NOW - 380, "answered_time": NOW - 350, "start_task_attempt": 1}
    answers["start_task"] = StartTaskInfo("running", NOW - 350)
    used = {**answers, "usable_since": NOW - 100}
    leaves = {**used, "leaving": options.TASK_COMPLETION}
    taken = {**used, "vm": vm(state=VmState.PREEMPTED), "destroying": True}
    return {
        "ordered": _node(S.CREATING),
        "ordered in vain": _node(S.CREATING, uncertain_creates=2),
        "made": _node(S.CREATING, vm=vm(state=VmState.PENDING), vm_confirmed=NOW - 390),
        "starting": _node(S.STARTING, **seen, boot_time=NOW - 380),
        "preparing": _node(S.WAITING_FOR_START_TASK, **answers),
        "start task failed": _node(S.START_TASK_FAILED, **answers, keep_console=True),
        "idle": _node(S.IDLE, **used),
        "lost": _node(S.IDLE, **used, unreachable_since=NOW - 50),
        "stand-in": _node(S.IDLE, **used | {"low_priority": False, "fallback": True}),
        "running": _node(S.RUNNING, **used),
        "offline": _node(S.OFFLINE, **used, scheduling_enabled=False),
        "disabled and running": _node(S.RUNNING, **used, scheduling_enabled=False),
        "disabled while it prepares": _node(S.WAITING_FOR_START_TASK, **answers, scheduling_enabled=False),
        "to be rebooted": _node(S.REBOOTING, **used, boot="b", restart=Restart(option=patient)),
        "rebooting": _node(S.REBOOTING, **used, boot="b", restart=Restart(option=now, tries=1)),
        "rebooting for long": _node(S.REBOOTING, **used, restart=Restart(option=now, tries=2)),
        "rebooted": _node(S.REBOOTING, **used, boot="b", restart=Restart(option=now, tries=1, ordered=True)),
        "to be reimaged": _node(S.REIMAGING, **used, restart=Restart(option=patient)),
        "reimaging": _node(S.REIMAGING, **used, restart=Restart(option=now), destroying=True),
        "ordered anew": _node(S.CREATING, generation=2, reordered=NOW - 10),
        "unusable": _node(S.UNUSABLE, **answers),
        "unusable without a VM": _node(S.UNUSABLE),
        "leaving": _node(S.LEAVING_POOL, **leaves),
        "announced": _node(S.LEAVING_POOL, **leaves, reclaim_at=NOW + 100),
        "ending": _node(S.LEAVING_POOL, **leaves, destroying=True, keep_console=True),
        "ending, perhaps without a VM": _node(S.LEAVING_POOL, destroying=True, uncertain_creates=1),
        "preempted": _node(S.PREEMPTED, **taken),
        "preempted and gone": _node(S.PREEMPTED, **taken, vm_gone=True),
    }


def events() -> Iterator[ev.Event]:
    start, task = f"start:{NODE}:1", "unknown-1"
    for state in VmState:
        yield ev.VmCreated(NODE, vm(state=state))
        yield ev.VmsListed("x", (vm(state=state),), NOW)
    yield ev.VmsListed("x", (), NOW)
    yield ev.VmsListed("x", (vm(), vm(state=VmState.TERMINATED, provider_id="i-2")), NOW)
    yield ev.VmsListed("x", (vm("ebbtide-d-stranger"),), NOW)
    yield ev.VmsListed("unknown", (vm(),), NOW)
    yield from (ev.VmCreateFailed(NODE, error("no")) for error in ERRORS)
    yield ev.VmDestroyed(NODE)
    yield ev.VmDestroyFailed(NODE, "no")
    for name in (NAME, f"{NAME}-r1"):
        yield ev.VmDestroyed(NODE, name)
        yield VmRebooted(NODE, name)
        yield VmRebooted(NODE, name, vm(name))
        yield from (VmRebootFailed(NODE, name, error("no")) for error in (TransientError, NotFoundError))
    yield ev.ConsoleRead(NODE, "text")
    yield ev.NodeConnected(NODE, 1, frozenset({start, task}))
    yield ev.NodeDisconnected(NODE, 1, "cut")
    yield ev.NodeDisconnected(NODE, 1, "no Python", True)
    yield ev.NodeDisconnected(NODE, 1, "another host key", True, True)
    yield ev.NodeConnected(NODE, 2, frozenset({start, task}))
    yield ev.NodeConnected(NODE, 1, frozenset({start, task}), "b")
    yield ev.NodeConnected(NODE, 1, frozenset({start, task}), "c")
    yield ev.NodeDisconnected(NODE, 2, "cut")
    yield ev.NodePrepared(NODE)
    yield ev.NodePrepared(NODE, "no package")
    yield ev.NodeMeasured(NODE, NodeUsage(seconds=10.0))
    yield ev.NodeNotice(NODE, NOW + 60)
    yield ev.NodeNotice(NODE, NOW - 60)
    for execution in (start, task, "unknown-p1"):
        yield ev.ExecutionStarted(NODE, execution, NOW)
        yield ev.ExecutionEnded(NODE, execution)
        yield ev.ExecutionLost(NODE, execution, "killed")
        yield ev.ExecutionRecalled(NODE, execution)
        yield ev.Outcome(NODE, execution, NOW, NOW, 0)
        yield ev.Outcome(NODE, execution, NOW, NOW, 1)
    yield ev.OutputsSeen(NODE, task, (Output(stream="stdout", size=1, data=b"x", seen=NOW),))
    yield ev.LookAtOutputs(0.0)
    yield ev.ResizePool("p", 0, 0)
    yield ev.ResizePool("p", 2, 3)
    yield ev.StopResize("p")
    yield ev.EnableAutoScale("p", "$TargetDedicatedNodes = 1;", 300.0)
    yield ev.DisableAutoScale("p")
    for begun in (None, StartTask(command_line="y")):
        yield UpdatePool(replace(_SPEC, start_task=begun), frozenset(("start_task",)))
    yield UpdatePool(replace(_SPEC, vm_size="huge"), frozenset(("vm_size",)), "newer")
    for option in (NodeDeallocationOption.REQUEUE, NodeDeallocationOption.TASK_COMPLETION):
        yield RebootNode("p", NODE, option)
        yield ReimageNode("p", NODE, option)
        yield DisableScheduling("p", NODE, option)
        yield RemoveNodes("p", (NODE,), option)
    yield EnableScheduling("p", NODE)
    yield ev.DeletePool("p")
    yield ev.ResumePool("p")
    yield from (ev.Drain(option) for option in NodeDeallocationOption)
    yield ev.Tick()
    yield ev.TimeLost(3600.0)


#: Timers, as (kind, key): one that was set for an earlier state may ring in any.
NODE_TIMERS = ("boot", "create", "connect", "unreachable", "steady", "proven", "reclaim", "destroy", "recall", "reboot")
POOL_TIMERS = ("sample", "autoscale", "retry", "resize", "linger", "budget")
TIMERS = [*((kind, NODE) for kind in NODE_TIMERS), *((kind, "p") for kind in POOL_TIMERS), ("poll", "x")]
