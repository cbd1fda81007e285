"""Outcomes of executions on one node, on their way in: those with large outputs wait until these are in the store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from . import events as ev
from .link_errors import LinkError, Unreachable
from .model import Output
from .node_messages import Link, Message, inline_output, outcome_of
from .outputs import OutputStore

log = logging.getLogger(__name__)

#: Pauses (seconds) before an output is fetched again that could not be stored here (disk full): first, longest.
STORE_RETRY, STORE_RETRY_MAX = 5.0, 60.0
#: So often a node may refuse to read an output before its task completes without.
REFUSALS = 5


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

    def finished(self, message: Message) -> None:
        """What the agent says of an execution that has ended. Does not block."""
        kept = {stream: inline_output(stream, message[stream]) for stream in ("stdout", "stderr")}
        missing = [stream for stream, output in kept.items() if output is None]
        if not missing:
            self._post(outcome_of(self._node_id, message, [o for o in kept.values() if o is not None]))
            return
        key = message["id"]
        with self._lock:
            if key in self._collecting:
                return
            self._collecting.add(key)
        self._post(ev.ExecutionEnded(self._node_id, key))
        self._background(lambda: self._collect(message, kept, missing))

    def _collect(self, message: Message, kept: dict[str, Output | None], missing: list[str]) -> None:
        """Bring large outputs in; the node keeps the outcome until it is acknowledged, so giving up loses nothing."""
        for stream in missing:
            kept[stream] = self._bring(message, stream)
        with self._lock:
            self._collecting.discard(message["id"])
        if not self._closed.is_set():
            self._post(outcome_of(self._node_id, message, [o for o in kept.values() if o is not None]))

    def _bring(self, message: Message, stream: str) -> Output | None:
        """One large output. None when the connection ends first: the next one brings it."""
        key, pause, refused = message["id"], STORE_RETRY, 0
        while not self._closed.is_set():
            try:
                return self._fetch(key, stream, message)
            except LinkError as exc:
                refused += not isinstance(exc, Unreachable)
                log.warning("node %s: %s of %s could not be fetched: %s", self._node_id, stream, key, exc)
                if exc.missing or refused >= REFUSALS:
                    # the task itself deleted it, say, or made it unreadable: its outcome must not wait for ever
                    return Output(stream=stream, size=0, data=b"")
                self._closed.wait(STORE_RETRY)
            except OSError as exc:
                text = "an output cannot be stored (%s); its node %s waits, and is paid for, until there is room"
                log.error(text, exc.strerror or exc, self._node_id)
                self._closed.wait(pause)
                pause = min(2 * pause, STORE_RETRY_MAX)
        return None

    def _fetch(self, key: str, stream: str, message: Message) -> Output:
        link, path = self._link(), f"{message['dir']}/{stream}.txt"
        assert link is not None
        return self._outputs.keep(
            key,
            stream,
            message[stream]["size"],
            lambda offset, length, file: link.fetch(path, offset, length, file),
        )
