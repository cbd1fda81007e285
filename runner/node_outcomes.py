"""Outcomes of executions on one node, on their way in: those with large outputs wait until these are in the store."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from . import events as ev
from .link_errors import LinkError
from .model import Output
from .node_messages import Link, Message, inline_output, outcome_of
from .outputs import OutputStore

log = logging.getLogger(__name__)

#: Pauses (seconds) before an output is fetched again that its node could not read or that could not be stored here
#: (disk full): first, longest.
STORE_RETRY, STORE_RETRY_MAX = 5.0, 60.0
#: So many outcomes of a node are brought in at a time, some being written to the disk while another is fetched.
AT_A_TIME = 8

#: By stream; None: it is to be fetched.
_Kept = dict[str, Output | None]


class NodeOutcomes:
    def __init__(
        self,
        node_id: str,
        outputs: OutputStore,
        post: Callable[[ev.Event], None],
        background: Callable[[Callable[[], None]], None],
        link: Callable[[], Link | None],
        closed: threading.Event,
    ) -> None:
        """`background` does what takes time. `closed`: the connection has ended, nothing is reported any more."""
        self._node_id = node_id
        self._outputs = outputs
        self._post = post
        self._background = background
        self._link = link
        self._closed = closed
        self._lock = threading.Lock()
        self._collecting: set[str] = set()
        #: of those, what nobody is busy with: not tried yet, and tried in vain
        self._fresh: deque[tuple[Message, _Kept]] = deque()
        self._failed: deque[tuple[Message, _Kept]] = deque()
        self._workers = 0

    def finished(self, message: Message) -> None:
        """What the agent says of an execution that has ended. Does not block."""
        kept = {stream: inline_output(stream, message[stream]) for stream in ("stdout", "stderr")}
        if None not in kept.values():
            self._post(outcome_of(self._node_id, message, _there(kept)))
            return
        key = message["id"]
        with self._lock:
            if key in self._collecting:
                return
            self._collecting.add(key)
        self._post(ev.ExecutionEnded(self._node_id, key))
        with self._lock:
            self._fresh.append((message, kept))
            more = self._workers < AT_A_TIME
            self._workers += more
        if more:
            self._background(self._collect)

    def _collect(self) -> None:
        """Bring large outputs in; the node keeps the outcome until it is acknowledged, so giving up loses nothing."""
        pause = STORE_RETRY
        while (ended := self._next()) is not None:
            message, kept = ended
            if self._brought(message, kept):
                pause = STORE_RETRY
                with self._lock:
                    self._collecting.discard(message["id"])
                if self._closed.is_set():
                    self._outputs.dropped(_there(kept))
                else:
                    self._post(outcome_of(self._node_id, message, _there(kept)))
            else:
                with self._lock:
                    self._failed.append(ended)
                    if self._workers > 1:  # the threads are those of all nodes: it takes no more than one to wait
                        self._workers -= 1
                        return
                self._closed.wait(pause)
                pause = min(2 * pause, STORE_RETRY_MAX)

    def _next(self) -> tuple[Message, _Kept] | None:
        """None: there is nothing to do. What is left when the connection has ended, the next one brings."""
        with self._lock:
            queue = self._fresh or self._failed
            if queue and not self._closed.is_set():
                return queue.popleft()
            self._workers -= 1
            left = [kept for _, kept in (*self._fresh, *self._failed)]
            self._fresh.clear()
            self._failed.clear()
        for kept in left:
            self._outputs.dropped(_there(kept))
        return None

    def _brought(self, message: Message, kept: _Kept) -> bool:
        """Are all outputs here now? One that is not there, or cannot be read by anybody, is left out of `kept`."""
        for stream in [stream for stream, output in kept.items() if output is None]:
            try:
                kept[stream] = self._fetch(message, stream)
            except LinkError as exc:
                log.warning("node %s: %s of %s could not be fetched: %s", self._node_id, stream, message["id"], exc)
                if not exc.missing:
                    return False
                # the task itself deleted it, say, or made it unreadable: its outcome must not wait for ever
                del kept[stream]
            except OSError as exc:
                text = "an output cannot be stored (%s); its node %s waits, and is paid for, until there is room"
                log.error(text, exc.strerror or exc, self._node_id)
                return False
        return True

    def _fetch(self, message: Message, stream: str) -> Output:
        link, path = self._link(), f"{message['dir']}/{stream}.txt"
        assert link is not None
        return self._outputs.keep(
            message["id"],
            stream,
            message[stream]["size"],
            lambda offset, length, file: link.fetch(path, offset, length, file),
        )


def _there(kept: _Kept) -> list[Output]:
    return [output for output in kept.values() if output is not None]
