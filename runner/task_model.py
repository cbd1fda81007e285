"""The records of tasks, as they stand in memory and in the store."""

from __future__ import annotations

from enum import IntFlag, StrEnum
from typing import Literal

import msgspec

from pools import Attempt, ExecutionResult, FailureInfo, Record

from .command_line import shell_hint
from .states import (
    TASK_TRANSITIONS,
    TaskEvent,
    TaskState,
    next_task_state,
)
from .task_spec import TaskSpec, unpacked

TaskKey = tuple[str, str]  # (job id, task id)


class Ending(StrEnum):
    """Why we asked a node to end an execution; decides what becomes of the task."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    #: the task goes when its execution has ended
    DELETE = "delete"


class Done(IntFlag):
    """What is remembered of every completed task of a job that is not over."""

    FAILED = 0
    SUCCEEDED = 1
    #: tasks that depend on it may start
    SATISFIES = 2


class Instance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a multi-instance task does on one of its nodes (Batch REST API: a subtask, but for the primary)."""

    node_id: str
    state: Literal["preparing", "running", "completed"] = "preparing"
    #: since when
    state_time: float
    #: its coordination command has succeeded
    coordinated: bool = False
    #: it has ended there; the outcome is to come
    ended: bool = False
    start_time: float | None = None
    end_time: float | None = None
    exit_code: int | None = None
    result: ExecutionResult | None = None
    failure: FailureInfo | None = None

    @property
    def over(self) -> bool:
        """It is certain to run no more."""
        return self.state == "completed"


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an attempt of a multi-instance task has come to, while its other instances are being ended.

    "outcome": as the fields below say; "lost": a node that lives has lost an instance; "gone": a node has gone (by
    itself, if there is a reason); "back": an instance was given back.
    """

    kind: Literal["outcome", "lost", "gone", "back"]
    reason: str | None = None
    #: why the task is requeued for it, in words
    why: str = ""
    #: of one that was given back: does that count?
    requeued: bool = True
    start_time: float | None = None
    end_time: float = 0.0
    exit_code: int | None = None
    killed: bool = False
    timed_out: bool = False
    error: tuple[str, str] | None = None
    disk_full: bool = False

    @property
    def succeeded(self) -> bool:
        return self.kind == "outcome" and not (self.exit_code or self.killed or self.timed_out or self.error)


class Task(Record, frozen=True, kw_only=True, omit_defaults=True):
    job_id: str
    id: str
    #: never reused; executions are called `<uid>-<attempt>`
    uid: str
    #: order of creation over all tasks
    sequence: int
    #: the specification in JSON: it is read seldom, and written with every change
    raw_spec: msgspec.Raw = msgspec.field(name="spec")
    #: task slots that it takes
    slots: int = 1
    is_job_manager: bool = False
    #: takes a whole node (a job manager task with runExclusive)
    exclusive: bool = False
    #: nodes that a multi-instance task takes; 0: it is none
    size: int = 0
    #: of a multi-instance task, where it is placed, or was when it ended: the primary first
    instances: tuple[Instance, ...] = ()
    #: of a multi-instance task whose present attempt is over; it is placed until all of its instances are
    verdict: Verdict | None = None
    #: the node that it would like to run on
    affinity: str | None = None
    #: it depends on other tasks, and not all of them have ended so that it may start
    waiting: bool = False
    #: it has exit conditions
    conditional: bool = False
    state: TaskState = TaskState.ACTIVE
    attempt: int = 0
    #: where the present execution is placed; None: nowhere
    node_id: str | None = None
    #: the present execution has ended on the node, its output is being brought in
    ended: bool = False
    ending: Ending | None = None
    #: why it is to end, in words
    ending_reason: str = ""
    start_time: float | None = None
    end_time: float | None = None
    exit_code: int | None = None
    #: of the container that the last execution ran in
    container_id: str | None = None
    result: ExecutionResult | None = None
    failure: FailureInfo | None = None
    #: of one that has succeeded: why that may not be all the same, in words
    warning: str = ""
    #: of one that waits: why it cannot start, as things are
    scheduling_error: FailureInfo | None = None
    retry_count: int = 0
    requeue_count: int = 0
    #: of these, attempts that were lost: their node died by itself, or knew them no more
    losses: int = 0
    last_retry_time: float | None = None
    last_requeue_time: float | None = None
    last_requeue_reason: str = ""
    #: attempts before the present or last one that have begun: what they printed is kept too
    earlier: tuple[Attempt, ...] = ()
    #: of a completed one: may tasks start that depend on it?
    satisfies: bool = False
    #: of the last execution, kept after it ended
    last_node_id: str | None = None
    last_pool_id: str | None = None
    #: what the executions that have ended took of nodes; and node-seconds of those whose price was not known
    cost: float = 0.0
    unpriced_seconds: float = 0.0

    @property
    def key(self) -> TaskKey:
        return (self.job_id, self.id)

    @property
    def done(self) -> int | None:
        """As in Done; None: it is not completed."""
        if self.state is not TaskState.COMPLETED:
            return None
        return (self.result is ExecutionResult.SUCCESS) | (Done.SATISFIES if self.satisfies else 0)

    @property
    def spec(self) -> TaskSpec:
        """What was asked for (decoded at each call)."""
        return unpacked(self.raw_spec)

    @property
    def hint(self) -> str | None:
        """What its user is told if the command line looks as if it needs a shell and starts none."""
        return shell_hint(self.spec.command_line)

    @property
    def execution_id(self) -> str:
        """Of the present attempt; of a multi-instance task, the primary's."""
        return f"{self.uid}-{self.attempt}"

    def after(self, event: TaskEvent) -> TaskState:
        """The state that `event` leads to. Raises InvalidTransition."""
        state = TASK_TRANSITIONS.get((self.state, event))
        return next_task_state(self.id, self.state, event, self.story) if state is None else state

    @property
    def is_ending(self) -> bool:
        """Its present execution has been asked to end, if it has not ended."""
        return self.ending is not None or self.verdict is not None

    def instance_at(self, node_id: str) -> int | None:
        """Which instance of a multi-instance task is placed on the node and not over; 0 is the primary."""
        found = (n for n, each in enumerate(self.instances) if each.node_id == node_id and not each.over)
        return next(found, None)

    def execution_of(self, instance: int) -> str:
        """The execution id of an instance: the primary's, or `<that>.<n>`."""
        return f"{self.execution_id}.{instance}" if instance else self.execution_id

    def output_id(self, instance: int) -> str:
        """Under which id the outputs of an instance are kept."""
        return f"{self.id}/{instance}" if instance else self.id

    def execution_at(self, node_id: str) -> str | None:
        """The present execution on the node; None: there is none."""
        if not self.instances:
            return self.execution_id if self.node_id == node_id else None
        number = self.instance_at(node_id)
        return None if number is None else self.execution_of(number)

    def has_started_at(self, node_id: str) -> bool:
        """Has its present execution on the node been started, as far as is known?"""
        if not self.instances:
            return self.ended or self.state is TaskState.RUNNING
        number = self.instance_at(node_id)
        return number is not None and self.instances[number].state == "running"

    @property
    def story(self) -> str:
        """The task's last step in words, for error messages."""
        place = self.node_id or "no node"
        return f"is {self.state} since {self.state_time:.3f}, attempt {self.attempt} on {place}"
