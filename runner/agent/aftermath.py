"""What happens between the end of an execution's processes and its outcome: its container is removed, and its files are
brought away. A process of its own does each."""

from __future__ import annotations

import signal
import time

from . import after, fetch, outcome, processes, upload
from .launch import REMOVES, UPLOADS, Execution, LaunchError, spawn
from .leftovers import ROUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message


def fetch_failed(execution: Execution) -> bool:
    """Was it the end of what was to fetch its files, and not of its command?"""
    if execution.error is None:
        execution.error = fetch.failure(execution.folder)
        execution.ran = execution.error is None
    return execution.error is not None


def begin(root: str, base: dict[str, str], execution: Execution) -> bool:
    """None of its processes is left. False: there is nothing to wait for. `base`: the environment common to all."""
    after.end_rest(execution)
    if execution.container and _remove(root, base, execution):
        return True
    return _bring_away(execution)


def goes_on(root: str, execution: Execution) -> bool:
    """Takes it on; False when it is over."""
    return _removing(root, execution) if execution.phase == REMOVES else _uploading(execution)


def cut_short(execution: Execution, at: float) -> None:
    """Its end is asked for: files are brought away until then, and no longer."""
    execution.cut_at = at if execution.cut_at is None else min(at, execution.cut_at)
    if execution.phase == UPLOADS:
        execution.upload_until = min(execution.upload_until, execution.cut_at)


def _remove(root: str, base: dict[str, str], execution: Execution) -> bool:
    """Has its container removed. False: there is nothing to wait for."""
    from . import container

    try:
        argv = container.removal(base, execution.id)
        execution.upload_pid = spawn(execution, argv, base, quiet=True, own=True)
    except (container.NoEngine, LaunchError):
        container.forget(root, execution.id)
        return False
    execution.phase = REMOVES
    execution.upload_until = time.monotonic() + container.PATIENCE
    return True


def _removing(root: str, execution: Execution) -> bool:
    from . import container

    if execution.upload_pid and time.monotonic() < execution.upload_until:
        return True
    if execution.upload_pid:  # it hangs: the container is left to the engine
        processes.end_group(execution.upload_pid, signal.SIGKILL)
        execution.upload_pid = 0
    execution.container_id = container.forget(root, execution.id)
    return _bring_away(execution)


def _bring_away(execution: Execution) -> bool:
    if execution.fetches:
        fetch_failed(execution)
    if execution.outputs or execution.checkpoint:
        spec = after.due(execution)
        if spec is not None:
            return _upload(execution, spec)
    return False


def _upload(execution: Execution, spec: Message) -> bool:
    execution.phase = UPLOADS
    execution.upload_until = time.monotonic() + after.LIMIT
    if execution.cut_at is not None:
        execution.upload_until = min(execution.upload_until, execution.cut_at)
    execution.outputs = spec["outputs"]
    try:
        execution.upload_pid = spawn(execution, *upload.wrap(spec, execution.env), quiet=True)
    except LaunchError as error:
        execution.error = execution.error or {"code": error.code, "message": outcome.clip(str(error))}
        return False
    return True


def _uploading(execution: Execution) -> bool:
    """False: the upload has ended, or may not go on."""
    if execution.upload_pid:
        if time.monotonic() >= execution.upload_until:
            processes.end_group(execution.upload_pid, signal.SIGKILL)
            execution.upload_until = time.monotonic() + ROUND
            if execution.cut_at is not None:  # so it was ended on request, and did not fail
                execution.killed, execution.outputs = True, []
        return True
    told = after.failure(execution, execution.upload_status)
    execution.error = execution.error or told
    return False
