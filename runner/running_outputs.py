"""The last of what running executions have printed, read on their nodes now and then: should a node go without a word,
that is what is left."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

from pools import Clock

from .commands import ReadOutputs
from .events import Event, OutputsSeen
from .link_errors import FileMissing, LinkError
from .model import Output
from .node_files import NodeFiles
from .outputs import INLINE
from .workers import Workers

log = logging.getLogger(__name__)

#: Nodes that are read at a time: nothing waits for this. Nodes of which sizes are remembered at most.
_THREADS, _NODES = 4, 10_000


class RunningOutputs:
    def __init__(self, files: Callable[[str], NodeFiles], post: Callable[[Event], None], clock: Clock) -> None:
        """`files`: of a node, as NodeEffects has them."""
        self._files = files
        self._post = post
        self._clock = clock
        self._threads = Workers(_THREADS, "outputs")
        #: how much each execution had printed when it was last read, by node: what is no longer asked for is forgotten
        self._sizes: dict[str, dict[tuple[str, str], int]] = {}
        self._reading: set[str] = set()

    def read(self, command: ReadOutputs) -> None:
        """Does not block. Left out while the same node is still being read."""
        if command.node_id not in self._reading:
            self._reading.add(command.node_id)
            self._threads.submit(self._read, command)

    def close(self) -> None:
        """After the connections: who still reads finds them closed."""
        self._threads.close(drop=True)

    def _read(self, command: ReadOutputs) -> None:
        known = self._sizes.pop(command.node_id, {})
        if len(self._sizes) >= _NODES:  # some of them went long ago; what is forgotten is read once more
            self._sizes.clear()
        sizes = self._sizes[command.node_id] = {}
        try:
            files = self._files(command.node_id)
            for execution_id, folder in command.executions:
                outputs = []
                for stream in ("stdout", "stderr"):
                    before = known.get((execution_id, stream), 0)
                    output = self._output(files, f"{folder}/{stream}.txt", stream, before)
                    sizes[execution_id, stream] = before if output is None else output.size
                    outputs += [output] if output is not None else []
                if outputs:
                    self._post(OutputsSeen(command.node_id, execution_id, tuple(outputs)))
        except LinkError as exc:
            log.info("node %s: what runs there cannot be read at present: %s", command.node_id, exc)
            sizes |= {key: size for key, size in known.items() if key not in sizes}
        finally:
            self._reading.discard(command.node_id)

    def _output(self, files: NodeFiles, path: str, stream: str, before: int) -> Output | None:
        """None: nothing has come since. Raises LinkError."""
        try:
            size = int(files.stat(path)["size"])
            if size == before:
                return None
            into, start = io.BytesIO(), max(0, size - INLINE)
            files.fetch(path, start, size - start, into)
        except FileMissing:
            return None
        data = into.getvalue()
        return Output(stream=stream, size=start + len(data), data=data, seen=self._clock.now())
