"""The states of tasks, jobs and job schedules, and the only tables of how one leads to another.

State names are those of the Batch REST API.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pools import InvalidTransition


class TaskState(StrEnum):
    ACTIVE = "active"
    PREPARING = "preparing"
    RUNNING = "running"
    COMPLETED = "completed"


class TaskEvent(StrEnum):
    PLACED = "sent to a node with a free slot"
    STARTED = "its process started"
    GIVEN_BACK = "back in the queue"
    ENDED = "its outcome is recorded"
    REACTIVATE = "reactivate"


T, TE = TaskState, TaskEvent

TASK_TRANSITIONS: Mapping[tuple[TaskState, TaskEvent], TaskState] = {
    (T.ACTIVE, TE.PLACED): T.PREPARING,
    # a task that waits at a busy node stays active until that node starts it
    (T.ACTIVE, TE.STARTED): T.RUNNING,
    (T.PREPARING, TE.STARTED): T.RUNNING,
    **{(state, TE.GIVEN_BACK): T.ACTIVE for state in (T.ACTIVE, T.PREPARING, T.RUNNING)},
    **{(state, TE.ENDED): T.COMPLETED for state in (T.ACTIVE, T.PREPARING, T.RUNNING)},
    (T.COMPLETED, TE.REACTIVATE): T.ACTIVE,
}


class JobState(StrEnum):
    ACTIVE = "active"
    DISABLING = "disabling"
    DISABLED = "disabled"
    ENABLING = "enabling"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"


class JobEvent(StrEnum):
    DISABLE = "disable"
    NOTHING_RUNS = "no task of it is on a node"
    ENABLE = "enable"
    ENABLED = "its tasks may start"
    TERMINATE = "terminate"
    TASKS_ENDED = "no task is left"
    DELETE = "delete"


J, JE = JobState, JobEvent

JOB_TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = {
    (J.ACTIVE, JE.DISABLE): J.DISABLING,
    (J.ENABLING, JE.DISABLE): J.DISABLING,
    (J.DISABLING, JE.NOTHING_RUNS): J.DISABLED,
    (J.DISABLING, JE.ENABLE): J.ENABLING,
    (J.DISABLED, JE.ENABLE): J.ENABLING,
    (J.ENABLING, JE.ENABLED): J.ACTIVE,
    **{(state, JE.TERMINATE): J.TERMINATING for state in (J.ACTIVE, J.DISABLING, J.DISABLED, J.ENABLING)},
    (J.TERMINATING, JE.TASKS_ENDED): J.COMPLETED,
    **{(state, JE.DELETE): J.DELETING for state in J if state is not J.DELETING},
}


class ScheduleState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"


class ScheduleEvent(StrEnum):
    DISABLE = "disable"
    ENABLE = "enable"
    TERMINATE = "terminate"
    FINISHED = "no further job will come"
    DELETE = "delete"


S, SE = ScheduleState, ScheduleEvent

SCHEDULE_TRANSITIONS: Mapping[tuple[ScheduleState, ScheduleEvent], ScheduleState] = {
    (S.ACTIVE, SE.DISABLE): S.DISABLED,
    (S.DISABLED, SE.ENABLE): S.ACTIVE,
    **{(state, SE.TERMINATE): S.TERMINATING for state in (S.ACTIVE, S.DISABLED)},
    **{(state, SE.FINISHED): S.COMPLETED for state in (S.ACTIVE, S.DISABLED, S.TERMINATING)},
    **{(state, SE.DELETE): S.DELETING for state in S if state is not S.DELETING},
}


class JobNodeState(StrEnum):
    """Of what a job's preparation and release tasks do on one node."""

    PREPARING = "preparing"
    PREPARED = "prepared"
    FAILED = "failed"
    RELEASING = "releasing"
    RELEASED = "released"


class JobNodeEvent(StrEnum):
    SUCCEEDED = "its preparation task succeeded"
    FAILED = "its preparation task failed"
    AGAIN = "its preparation task runs again"
    RELEASE = "its release task runs"
    RELEASED = "its release task ended"


N, NE = JobNodeState, JobNodeEvent

JOB_NODE_TRANSITIONS: Mapping[tuple[JobNodeState, JobNodeEvent], JobNodeState] = {
    (N.PREPARING, NE.SUCCEEDED): N.PREPARED,
    (N.PREPARING, NE.FAILED): N.FAILED,
    # after it failed or was lost with retries left, and after the node was started anew
    (N.PREPARING, NE.AGAIN): N.PREPARING,
    (N.PREPARED, NE.AGAIN): N.PREPARING,
    (N.PREPARED, NE.RELEASE): N.RELEASING,
    (N.FAILED, NE.RELEASE): N.RELEASING,
    (N.RELEASING, NE.RELEASED): N.RELEASED,
}


def next_task_state(key: str, state: TaskState, event: TaskEvent, story: str) -> TaskState:
    """The state that `event` leads to. Raises InvalidTransition."""
    try:
        return TASK_TRANSITIONS[state, event]
    except KeyError:
        raise InvalidTransition("task", key, state, event, story) from None


def next_job_state(key: str, state: JobState, event: JobEvent, story: str) -> JobState:
    """The state that `event` leads to. Raises InvalidTransition."""
    try:
        return JOB_TRANSITIONS[state, event]
    except KeyError:
        raise InvalidTransition("job", key, state, event, story) from None


def next_schedule_state(key: str, state: ScheduleState, event: ScheduleEvent, story: str) -> ScheduleState:
    """The state that `event` leads to. Raises InvalidTransition."""
    try:
        return SCHEDULE_TRANSITIONS[state, event]
    except KeyError:
        raise InvalidTransition("job schedule", key, state, event, story) from None


def next_job_node_state(key: str, state: JobNodeState, event: JobNodeEvent, story: str) -> JobNodeState:
    """The state that `event` leads to. Raises InvalidTransition."""
    try:
        return JOB_NODE_TRANSITIONS[state, event]
    except KeyError:
        raise InvalidTransition("preparation of job", key, state, event, story) from None
