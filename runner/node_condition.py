"""What a node says of itself, beside what it says of executions: what it uses, and that it is taken back."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from . import events as ev
from .node_messages import Message, usage_of

log = logging.getLogger(__name__)


class NodeCondition:
    def __init__(self, node_id: str, post: Callable[[ev.Event], None]) -> None:
        self._node_id = node_id
        self._post = post
        #: the log has been told that this node's figures are odd
        self._odd = False

    def usage(self, message: Message) -> None:
        try:
            usage = usage_of(message)
        except ValueError as exc:
            # a missing sample is no reason to cut a node off, and the next connection would hear the same
            if not self._odd:
                log.warning("node %s: what it says of its use is left out: %s", self._node_id, exc)
            self._odd = True
            return
        self._post(ev.NodeMeasured(self._node_id, usage))

    def notice(self, at: object) -> None:
        if isinstance(at, int | float) and math.isfinite(at):
            self._post(ev.NodeNotice(self._node_id, float(at)))
        else:  # no reason to cut a node off that may be gone soon
            log.warning("node %s: says that it is taken back at %r, which is no time", self._node_id, at)
