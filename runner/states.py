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


T, TE = TaskState, TaskEvent

TASK_TRANSITIONS: Mapping[tuple[TaskState, TaskEvent], TaskState] = {
    (T.ACTIVE, TE.PLACED): T.PREPARING,
    # a task that waits at a busy node stays active until that node starts it
    (T.ACTIVE, TE.STARTED): T.RUNNING,
    (T.PREPARING, TE.STARTED): T.RUNNING,
    **{(state, TE.GIVEN_BACK): T.ACTIVE for state in (T.ACTIVE, T.PREPARING, T.RUNNING)},
    **{(state, TE.ENDED): T.COMPLETED for state in (T.ACTIVE, T.PREPARING, T.RUNNING)},
}


class JobState(StrEnum):
    ACTIVE = "active"
    TERMINATING = "terminating"
    COMPLETED = "completed"


class JobEvent(StrEnum):
    TERMINATE = "terminate"
    TASKS_ENDED = "no task is left"


J, JE = JobState, JobEvent

JOB_TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = {
    (J.ACTIVE, JE.TERMINATE): J.TERMINATING,
    (J.TERMINATING, JE.TASKS_ENDED): J.COMPLETED,
}


class ScheduleState(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"


class ScheduleEvent(StrEnum):
    FINISHED = "no further job will come"


SCHEDULE_TRANSITIONS: Mapping[tuple[ScheduleState, ScheduleEvent], ScheduleState] = {
    (ScheduleState.ACTIVE, ScheduleEvent.FINISHED): ScheduleState.COMPLETED,
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
