"""What is brought away from the node when an execution's processes have ended: output files, and its checkpoint."""

from __future__ import annotations

import os

from . import places, upload
from .identity import end_all_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .launch import Execution
    from .wire import Message

LIMIT = upload.TIMEOUT + 60.0  # seconds that all of it may take, should it not keep to its own time


def due(execution: Execution) -> Message | None:
    """What `upload` is to do; None if there is nothing.

    An execution that is run once more keeps its outputs for then, and leaves its checkpoint, as one does that failed
    and may be tried again.
    """
    status = execution.status
    failed = bool(status) or execution.killed or execution.timeout or execution.error is not None
    outputs: list[Message] = []
    if execution.outputs and not execution.again:
        met = ("taskcompletion", "taskfailure" if failed else "tasksuccess")
        outputs = [output for output in execution.outputs if output.get("when", "taskcompletion") in met]
    checkpoint = None
    saves = execution.checkpoint and (execution.again or (failed and not execution.killed))
    if execution.checkpoint and saves and places.holds_checkpoint(execution.folder):
        checkpoint = {**execution.checkpoint, "path": f"../{places.CHECKPOINT}"}
    if not outputs and checkpoint is None:
        return None
    return {"outputs": outputs, "checkpoint": checkpoint}


def failure(execution: Execution, status: int) -> dict[str, str] | None:
    """Why outputs could not be brought away. `status`: wait status of the process that was to."""
    told = upload.failure(execution.folder)
    if not execution.outputs:
        return None
    if told is None and status:
        told = {"code": upload.MISC, "message": f"the output files could not be uploaded: {_cause(status)}"}
    return told


def _cause(status: int) -> str:
    try:
        os.getcwd()
    except OSError:
        return "the task has removed its working directory"
    how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"
    return f"the process that was to do it ended with {how}"


def end_rest(execution: Execution) -> None:
    """Ends what has left the tree of the execution's processes, where it can be known by its user."""
    if execution.who is not None and execution.who.private:
        end_all_of(execution.who.uid)


def leave(execution: Execution) -> None:
    """Takes the folder back from the user of the execution, as far as others are concerned."""
    who = execution.who
    if who is None or not who.uid:
        return
    try:
        if execution.startup:
            places.give_to_root(execution.folder, who)
        elif who.private and execution.kind == "task":
            places.seal(execution.folder)
    except OSError:
        pass  # what of it still runs moves folders about, or the file system refuses: they stay its user's
