"""What is told of a node that is out of reach for more than a moment."""

from __future__ import annotations

from collections.abc import Iterator

from pools import Node

from .line import Line


def silence(node: Node, before: Node | None, now: float) -> Iterator[Line]:
    since = before.silent_since if before is not None else None
    if node.silent_since is not None and since is None:
        text = "silent: no connection to it. What was sent there may run on, and begins elsewhere only when it is gone"
        yield Line(now, f"node {node.id}", text, "bad")
    elif node.silent_since is None and since is not None:
        yield Line(now, f"node {node.id}", f"heard of again after {now - since:.1f} s", "good")
