"""The states of a node, what can happen to it, and the only table of how one leads to the other.

State names are those of the Batch REST API (node counts). `GONE` is ours: the record is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class NodeState(StrEnum):
    CREATING = "creating"
    STARTING = "starting"
    WAITING_FOR_START_TASK = "waitingforstarttask"
    START_TASK_FAILED = "starttaskfailed"
    IDLE = "idle"
    RUNNING = "running"
    OFFLINE = "offline"
    REBOOTING = "rebooting"
    REIMAGING = "reimaging"
    UNUSABLE = "unusable"
    PREEMPTED = "preempted"
    LEAVING_POOL = "leavingpool"
    GONE = "gone"


class NodeEvent(StrEnum):
    VM_RUNNING = "vm running"
    AGENT_READY = "agent ready"
    START_TASK_SUCCEEDED = "start task succeeded"
    START_TASK_FAILED = "start task failed"
    TASK_PLACED = "task placed"
    TASKS_ENDED = "no task left"
    SET_ASIDE = "disabled, with no task left"
    ENABLED = "scheduling enabled"
    REBOOT = "reboot asked for"
    REIMAGE = "reimage asked for"
    REIMAGED = "VM to be made anew"
    PREEMPTED = "VM taken back by the cloud"
    FAILED = "cannot be used"
    REMOVE = "taken out of the pool"
    KEPT = "stays after all"
    VM_GONE = "VM is gone"


S, E = NodeState, NodeEvent

_ALIVE = (
    *(S.CREATING, S.STARTING, S.WAITING_FOR_START_TASK, S.START_TASK_FAILED),
    *(S.IDLE, S.RUNNING, S.OFFLINE, S.REBOOTING, S.REIMAGING),
)
#: States in which a node answers, so that it can be rebooted or reimaged.
ANSWERING = frozenset((S.WAITING_FOR_START_TASK, S.START_TASK_FAILED, S.IDLE, S.RUNNING, S.OFFLINE))

TRANSITIONS: Mapping[tuple[NodeState, NodeEvent], NodeState] = {
    (S.CREATING, E.VM_RUNNING): S.STARTING,
    (S.STARTING, E.AGENT_READY): S.WAITING_FOR_START_TASK,
    (S.WAITING_FOR_START_TASK, E.START_TASK_SUCCEEDED): S.IDLE,
    (S.WAITING_FOR_START_TASK, E.START_TASK_FAILED): S.START_TASK_FAILED,
    (S.IDLE, E.TASK_PLACED): S.RUNNING,
    (S.RUNNING, E.TASKS_ENDED): S.IDLE,
    (S.IDLE, E.SET_ASIDE): S.OFFLINE,
    (S.OFFLINE, E.ENABLED): S.IDLE,
    **{(state, E.REBOOT): S.REBOOTING for state in ANSWERING},
    (S.REBOOTING, E.AGENT_READY): S.WAITING_FOR_START_TASK,
    **{(state, E.REIMAGE): S.REIMAGING for state in ANSWERING},
    (S.REIMAGING, E.REIMAGED): S.CREATING,
    # one that leaves because its cloud has announced to take it is preempted when that has happened
    **{(state, E.PREEMPTED): S.PREEMPTED for state in (*_ALIVE, S.UNUSABLE, S.LEAVING_POOL)},
    **{(state, E.FAILED): S.UNUSABLE for state in _ALIVE},
    **{(state, E.REMOVE): S.LEAVING_POOL for state in (*_ALIVE, S.UNUSABLE, S.PREEMPTED)},
    # of those that wait for the end of their tasks
    (S.LEAVING_POOL, E.KEPT): S.RUNNING,
    **{(state, E.VM_GONE): S.GONE for state in S if state is not S.GONE},
}

#: States in which a node counts towards the pool's target (the others are on their way out).
COUNTED = frozenset(_ALIVE)
#: States in which a node is on its way to take tasks.
COMING = frozenset((S.CREATING, S.STARTING, S.WAITING_FOR_START_TASK, S.REBOOTING, S.REIMAGING))
#: States in which a node is about to begin anew, because somebody asked for it.
RESTARTING = frozenset((S.REBOOTING, S.REIMAGING))
#: States in which a node takes tasks.
USABLE = frozenset((S.IDLE, S.RUNNING))
#: States in which a node has come up, whether it is given tasks or not.
UP = USABLE | {S.OFFLINE}


class InvalidTransition(RuntimeError):
    """Something happened to an object that its state does not allow: a defect, told with the object's
    story."""

    def __init__(self, kind: str, key: str, state: str, event: str, story: str) -> None:
        super().__init__(f"{kind} {key}: '{event}' cannot happen in state '{state}'; it {story}")


def next_node_state(node_id: str, state: NodeState, event: NodeEvent, story: str) -> NodeState:
    """The state that `event` leads to. Raises InvalidTransition."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise InvalidTransition("node", node_id, state, event, story) from None
