"""Ending every VM of a state through the server that works on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from .rest_objects import Unanswered, Way
from .shutdown import DESTROY_LIMIT

#: Seconds that an answer may take: clouds are asked for it.
ANSWER = 120.0
_PAUSE = 1.0


class Left(msgspec.Struct, frozen=True):
    """See `drain_routes`."""

    nodes: int
    vms: list[str]
    silent: str | None


def shut_down_by_server(way: Way, pool: str | None, tell: Callable[[str], None]) -> list[str]:
    """Names of the VMs that do not go. Raises RequestRefused, Unanswered."""
    asked = {"pool": pool} if pool is not None else {}
    way("POST", "/drain", asked, None)
    tell("a server works on the state: its nodes hand over what has ended, and go")
    deadline = time.monotonic() + DESTROY_LIMIT
    seen: set[str] = set()
    told: str | None = None
    while True:
        left = _left(way("GET", "/left", asked, None))
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


def _left(answer: Any) -> Left:
    """Raises Unanswered."""
    try:
        return msgspec.convert(answer, Left)
    except msgspec.ValidationError:
        text = "the server does not tell what is left, as `ebbtide serve` does; look at the address"
        raise Unanswered(text) from None
