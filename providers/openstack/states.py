"""How Nova's states of a server are to be understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..provider import VmState

_STATES = {
    "BUILD": VmState.PENDING,
    "REBUILD": VmState.PENDING,
    "ACTIVE": VmState.RUNNING,
    "REBOOT": VmState.RUNNING,
    "HARD_REBOOT": VmState.RUNNING,
    "SHUTOFF": VmState.TERMINATED,
    "ERROR": VmState.TERMINATED,
    "DELETED": VmState.TERMINATED,
    "SOFT_DELETED": VmState.TERMINATED,
    "SHELVED": VmState.TERMINATED,
    "SHELVED_OFFLOADED": VmState.TERMINATED,
}


def state_of(node: Mapping[str, Any]) -> tuple[VmState, str | None]:
    if node.get("OS-EXT-STS:task_state") in ("deleting", "soft-deleting"):
        return VmState.TERMINATED, "it is being deleted"
    status = node["status"]
    state = _STATES.get(status, VmState.UNKNOWN)
    if status == "ERROR":
        return state, (node.get("fault") or {}).get("message") or "the server is in error"
    if state is VmState.TERMINATED:
        return state, f"the server is {status.lower()} (by itself, or by hand), and still costs"
    return state, None
