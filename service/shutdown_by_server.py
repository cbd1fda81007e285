"""Ending every VM of a state through the server that works on it."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import msgspec

from .controller_socket import client
from .shutdown import DESTROY_LIMIT
from .state import StateDirectory, StateError

_PAUSE = 1.0
#: Seconds that an answer may take: clouds are asked for it.
_ANSWER = 120.0


class Left(msgspec.Struct, frozen=True):
    """See `drain_routes`."""

    nodes: int
    vms: list[str]
    silent: str | None


def shut_down_by_server(state: StateDirectory, pool: str | None, tell: Callable[[str], None]) -> list[str]:
    """Names of the VMs that do not go. Raises StateError."""
    asked = {"pool": pool} if pool is not None else {}
    try:
        with client(state.path, timeout=_ANSWER) as server:
            answer = server.post("/drain", params=asked)
            if answer.status_code >= 300:
                raise StateError(f"the server refuses: {answer.json()['message']}")
            tell("a server works on the state: its nodes hand over what has ended, and go")
            return _wait(server, asked, tell)
    except httpx.HTTPError as exc:
        raise StateError(
            f"the server of the state {state.path} could not be asked, or has ended meanwhile: {exc}; give this "
            "command again"
        ) from None


def _wait(server: httpx.Client, asked: dict[str, str], tell: Callable[[str], None]) -> list[str]:
    deadline = time.monotonic() + DESTROY_LIMIT
    seen: set[str] = set()
    told: str | None = None
    while True:
        answer = server.get("/left", params=asked)
        answer.raise_for_status()
        left = msgspec.json.decode(answer.content, type=Left)
        for name in sorted(seen - set(left.vms)):
            tell(f"ended {name}")
        seen = set(left.vms)
        if left.silent is not None and left.silent != told:
            told = left.silent
            tell(f"whether any VM is left is not known, asked again for {DESTROY_LIMIT:g} s: {told}")
        if not (left.nodes or left.vms or left.silent):
            return []
        if time.monotonic() > deadline:
            return left.vms or ["those of a provider that cannot be asked"]
        time.sleep(_PAUSE)
