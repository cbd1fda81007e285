"""How an execution is ended: how long it may take, and whether its checkpoint is to be saved. Pure."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pools import Node, NodeDeallocationOption

from .commands import KillExecution
from .files_of_tasks import checkpoint_url
from .task_model import Ending, Task

#: Seconds before a cloud takes a VM back in which checkpoints are saved.
SAVING = 10.0
#: An ending is taken back by none that stands before it.
_STRENGTH = (Ending.REQUEUE, Ending.TERMINATE, Ending.DELETE)


def stronger(ending: Ending, present: Ending | None) -> bool:
    """Does it take the place of what was asked for before?"""
    return present is None or _STRENGTH.index(ending) > _STRENGTH.index(present)


def ending_by(option: NodeDeallocationOption) -> Ending | None:
    """Of what runs on a node that leaves in that way; None: it goes on."""
    if option is NodeDeallocationOption.REQUEUE:
        return Ending.REQUEUE
    return Ending.TERMINATE if option is NodeDeallocationOption.TERMINATE else None


def checkpoint_of(task: Task) -> dict[str, Any]:
    """Where the task's checkpoint is; `restore`: there may be one of an earlier attempt."""
    restore = bool(task.requeue_count or task.retry_count)
    return {"url": checkpoint_url(f"{task.job_id}/{task.id}/{task.uid}.tar"), "restore": restore}


def in_detail(command: KillExecution, task: Task | None, node: Node | None, grace: float, now: float) -> KillExecution:
    """The command with what follows from why the task ends, and from when its node goes. `task`: whose execution it is,
    if it is one's."""
    if task is not None and _runs_again(task):
        # of the instances of a multi-instance task, the primary has the checkpoint
        own = command.execution_id == task.execution_id
        command = replace(command, again=True, checkpoint=checkpoint_of(task) if own else None)
    if node is not None and node.reclaim_at is not None:
        left = max(0.0, node.reclaim_at - SAVING - now)
        command = replace(command, grace=min(grace, left))
    return command


def _runs_again(task: Task) -> bool:
    if task.ending is None and task.verdict is not None:
        return task.verdict.kind != "outcome"
    return task.ending is Ending.REQUEUE
