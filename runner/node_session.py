"""One node, as the effects see it: the link to its agent, what is installed there, and the outcomes being brought in.

Messages of the agent come in on the link's reader thread, in order, and leave as events in the same order; only outcomes
with large outputs are held back until the output is in the store.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Any, BinaryIO, Protocol

from . import events as ev
from .commands import PrepareNode, StartExecution
from .environment import package_directory
from .model import ApplicationPackage, Output
from .node_link import LinkError
from .outputs import INLINE, OutputStore
from .packages import PackageStore

log = logging.getLogger(__name__)

Message = dict[str, Any]

#: Seconds for unpacking one package on a node.
INSTALL_TIMEOUT = 600.0
#: Pause (seconds) before an output is fetched again that could not be stored here (disk full).
STORE_RETRY = 5.0


class Link(Protocol):
    """What a session needs of a NodeLink."""

    def connect(self) -> None: ...
    def send(self, message: Message) -> None: ...
    def fetch(self, path: str, offset: int, length: int, into: BinaryIO) -> None: ...
    def upload(self, path: str, source: BinaryIO, size: int, sha256: str) -> None: ...
    def close(self) -> None: ...


class NodeSession:
    def __init__(
        self,
        node_id: str,
        slots: int,
        environment: dict[str, str],
        post: Callable[[ev.Event], None],
        executor: Executor,
        packages: PackageStore,
        outputs: OutputStore,
    ) -> None:
        self.node_id = node_id
        self._slots = slots
        self._environment = environment
        self._post = post
        self._executor = executor
        self._packages = packages
        self._outputs = outputs
        self._link: Link | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._installs: dict[str, Future[None]] = {}
        self._replies: dict[str, Future[None]] = {}
        self._collecting: set[str] = set()

    def open(self, link: Link) -> None:
        """Connect and configure. Reports NodeConnected (from the agent's hello) or NodeDisconnected."""
        self._link = link
        try:
            link.connect()
            link.send({"op": "configure", "slots": self._slots, "env": self._environment})
        except LinkError as exc:
            self.closed(str(exc), fatal=exc.fatal)

    def close(self) -> None:
        """End the connection; nothing is reported any more. What runs on the node runs on."""
        self._closed.set()
        if self._link is not None:
            self._link.close()
        self._abandon("the connection was closed")

    def closed(self, reason: str, fatal: bool = False) -> None:
        """The link has ended by itself."""
        if not self._closed.is_set():
            self._closed.set()
            self._post(ev.NodeDisconnected(self.node_id, reason, fatal))
        self._abandon(reason)

    def _abandon(self, reason: str) -> None:
        with self._lock:
            replies, self._replies = list(self._replies.values()), {}
        for reply in replies:
            if not reply.done():
                reply.set_exception(LinkError(reason))

    # -- commands ----------------------------------------------------------------------------------------------

    def prepare(self, command: PrepareNode) -> None:
        self._executor.submit(self._prepare, command)

    def start(self, command: StartExecution) -> None:
        if command.packages and not self._all_installed(command.packages):
            self._executor.submit(self._install_and_start, command)
        else:
            self._send_start(command)

    def send(self, message: Message) -> None:
        """Pass a message on; a link that has broken drops it (what matters is sent again on the next connection)."""
        link = self._link
        if link is None or self._closed.is_set():
            return
        try:
            link.send(message)
        except LinkError as exc:
            self.closed(str(exc), exc.fatal)

    def _send_start(self, command: StartExecution) -> None:
        message: Message = {
            "op": "start",
            "id": command.execution_id,
            "kind": command.kind,
            "dir": command.directory,
            "argv": command.argv,
            "env": command.environment,
            "slots": command.slots,
            "wall": command.wall,
            "inline": INLINE,
        }
        if command.resources:
            message["resources"] = command.resources
        self.send(message)

    def _prepare(self, command: PrepareNode) -> None:
        try:
            self._install(command.packages)
        except (LinkError, OSError) as exc:
            if not self._closed.is_set():
                self._post(
                    ev.NodePrepared(self.node_id, f"application packages could not be installed: {exc}")
                )
            return
        if command.start is not None:
            self._send_start(command.start)
        self._post(ev.NodePrepared(self.node_id))

    def _install_and_start(self, command: StartExecution) -> None:
        try:
            self._install(command.packages)
        except (LinkError, OSError) as exc:
            if not self._closed.is_set():
                error = ("ApplicationPackageError", f"application packages could not be installed: {exc}")
                self._post(ev.Outcome(self.node_id, command.execution_id, None, 0.0, None, error=error))
            return
        self._send_start(command)

    # -- packages ----------------------------------------------------------------------------------------------

    def _all_installed(self, packages: Iterable[ApplicationPackage]) -> bool:
        with self._lock:
            found = [self._installs.get(package_directory(p)) for p in packages]
        return all(f is not None and f.done() and f.exception() is None for f in found)

    def _install(self, packages: Iterable[ApplicationPackage]) -> None:
        """Bring the packages to the node, each once per connection. Raises LinkError, OSError."""
        for package in packages:
            key = package_directory(package)
            with self._lock:
                future = self._installs.get(key)
                mine = future is None or (future.done() and future.exception() is not None)
                if mine:
                    future = self._installs[key] = Future()
            assert future is not None
            if mine:
                try:
                    self._install_one(package, key)
                except (LinkError, OSError) as exc:
                    future.set_exception(exc)
                else:
                    future.set_result(None)
            future.result(timeout=INSTALL_TIMEOUT)

    def _install_one(self, package: ApplicationPackage, directory: str) -> None:
        assert self._link is not None
        file = f".ebbtide/packages/{package.sha256}.zip"
        with open(self._packages.path(package), "rb") as source:
            self._link.upload(file, source, package.size, package.sha256)
        reply: Future[None] = Future()
        with self._lock:
            self._replies[directory] = reply
        self.send(
            {"op": "install", "id": directory, "file": file, "dir": directory, "sha256": package.sha256}
        )
        try:
            reply.result(timeout=INSTALL_TIMEOUT)
        except TimeoutError:
            raise LinkError(
                f"package {package.application_id} was not unpacked in {INSTALL_TIMEOUT:g} s"
            ) from None

    # -- messages ----------------------------------------------------------------------------------------------

    def messages(self, batch: Iterable[Message]) -> None:
        """What the agent says (the link's reader thread)."""
        for message in batch:
            if self._closed.is_set():
                return
            self._message(message)

    def _message(self, message: Message) -> None:
        match message["op"]:
            case "hello":
                known = message["executions"]
                self._post(ev.NodeConnected(self.node_id, frozenset(x["id"] for x in known)))
                for execution in known:
                    if execution["state"] == "running":
                        self._post(ev.ExecutionStarted(self.node_id, execution["id"], execution["time"]))
                    elif execution["state"] == "finished":
                        self._finished(execution)
            case "started":
                self._post(ev.ExecutionStarted(self.node_id, message["id"], message["time"]))
            case "finished":
                self._finished(message)
            case "lost":
                self._post(ev.ExecutionLost(self.node_id, message["id"], message["reason"]))
            case "recalled":
                self._post(ev.ExecutionRecalled(self.node_id, message["id"]))
            case "installed" | "install-failed":
                with self._lock:
                    reply = self._replies.pop(message["id"], None)
                if reply is not None and message["op"] == "installed":
                    reply.set_result(None)
                elif reply is not None:
                    reply.set_exception(LinkError(message["message"]))

    def _finished(self, message: Message) -> None:
        kept = {stream: _inline(stream, message[stream]) for stream in ("stdout", "stderr")}
        missing = [stream for stream, output in kept.items() if output is None]
        if not missing:
            self._post(_outcome(self.node_id, message, [o for o in kept.values() if o is not None]))
            return
        key = message["id"]
        with self._lock:
            if key in self._collecting:
                return
            self._collecting.add(key)
        self._post(ev.ExecutionEnded(self.node_id, key))
        self._executor.submit(self._collect, message, kept, missing)

    def _collect(self, message: Message, kept: dict[str, Output | None], missing: list[str]) -> None:
        """Bring large outputs in; the node keeps the outcome until it is acknowledged, so giving up loses nothing."""
        key = message["id"]
        while not self._closed.is_set():
            try:
                for stream in missing:
                    kept[stream] = self._fetch(key, stream, message)
            except LinkError as exc:
                log.warning("node %s: output of %s could not be fetched: %s", self.node_id, key, exc)
                if exc.missing:
                    # it was deleted on the node (by the task itself, say): the outcome must not wait for ever
                    for stream in missing:
                        kept[stream] = kept[stream] or Output(stream=stream, size=0, data=b"")
                else:
                    self._closed.wait(STORE_RETRY)
                    continue
            except OSError as exc:
                log.error("the output of %s cannot be stored here, tried again: %s", key, exc)
                self._closed.wait(STORE_RETRY)
                continue
            self._post(_outcome(self.node_id, message, [o for o in kept.values() if o is not None]))
            break
        with self._lock:
            self._collecting.discard(key)

    def _fetch(self, key: str, stream: str, message: Message) -> Output:
        assert self._link is not None
        link, path = self._link, f"{message['dir']}/{stream}.txt"
        return self._outputs.keep(
            key,
            stream,
            message[stream]["size"],
            lambda offset, length, file: link.fetch(path, offset, length, file),
        )


def _inline(stream: str, content: Message) -> Output | None:
    if "text" in content:
        return Output(stream=stream, size=content["size"], data=content["text"].encode())
    if "base64" in content:
        return Output(stream=stream, size=content["size"], data=base64.b64decode(content["base64"]))
    return None if content["size"] else Output(stream=stream, size=0, data=b"")


def _outcome(node_id: str, message: Message, outputs: list[Output]) -> ev.Outcome:
    exit_code, signal, error = message["exit"], message["signal"], message["error"]
    if exit_code is None and signal is not None:
        exit_code = 128 + signal
    return ev.Outcome(
        node_id,
        message["id"],
        message["start"],
        message["end"],
        exit_code,
        bool(message["killed"]),
        bool(message["timeout"]),
        (error["code"], error["message"]) if error is not None else None,
        tuple(outputs),
    )
