"""The controller's side of one node: an SSH connection, the agent on one channel of it, files on another."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import msgspec
import paramiko

from .agent import VERSION
from .agent_bundle import AgentBundle, agent_bundle
from .doors import OpenDoor
from .link_errors import AgentFailed, LinkError, Unreachable, told
from .node_bootstrap import start_agent, tail_of_errors
from .node_door import NodeDoor
from .node_files import NodeFiles
from .node_gate import NodeGate
from .node_ssh import LinkTimeouts, Peer, load_private_key, open_channel, open_transport
from .node_users import NodeUsers

__all__ = ["LinkError", "LinkTimeouts", "NodeLink", "Peer"]

log = logging.getLogger(__name__)

Message = dict[str, Any]

_BEAT = 0.01  # under load, messages leave in batches this many seconds apart; when it is quiet, at once
_LARGEST_BATCH = 1 << 18
_READER_FIRST = 2.0  # seconds; what cannot be written to has ended, and the reader finds out why
_bundling = threading.Lock()  # twenty nodes that come up at once wait for one bundle


class NodeLink:
    """Connects once; after it has closed, make a new one.

    `on_messages` gets what the agent says, in order and in batches, on the reader thread; the first is its
    `hello`. `on_closed` gets the reason, once, when the link ends by itself after a successful `connect` (not
    after `close`). Both must not block for long and must not raise. All methods are thread-safe.
    """

    def __init__(
        self,
        peer: Peer,
        private_key: str,
        on_messages: Callable[[list[Message]], None],
        on_closed: Callable[[str], None],
        timeouts: LinkTimeouts | None = None,
        door: OpenDoor | None = None,
    ) -> None:
        """`private_key`: in OpenSSH form, for `peer.user`. Raises ValueError if it is not one. `door`: makes the node's
        door (see Doors); None: it gets none.
        """
        self._peer = peer
        self._key = load_private_key(private_key)
        self._on_messages = on_messages
        self._on_closed = on_closed
        self._timeouts = timeouts or LinkTimeouts()
        self._bundle = self.bundle()
        self._decode = msgspec.json.Decoder(Message).decode
        self._decode_lines = msgspec.json.Decoder(Message).decode_lines
        self._lock = threading.Lock()
        self._waiting = threading.Condition(self._lock)
        self._queue: list[bytes] = []
        self._transport: paramiko.Transport | None = None
        self._open_door = door
        self._door: NodeDoor | None = None
        self._gate = NodeGate(self._open_gate, self._timeouts.handshake)
        self._closed = threading.Event()
        self._connected = False
        self._heard = 0.0
        self._files = NodeFiles(self._open_files, self._timeouts.transfer)
        #: apart: whoever looks at files never keeps outcomes waiting
        self._browsed = NodeFiles(self._open_files, self._timeouts.transfer)

    @staticmethod
    def bundle() -> AgentBundle:
        """What every node gets. It takes a tenth of a second to make, once: call this before the first node is up."""
        with _bundling:
            return agent_bundle()

    def connect(self) -> None:
        """Returns when the agent has said hello.

        Raises Unreachable, HostKeyMismatch, AuthFailed, NoPython, AgentRefused, AgentFailed: LinkErrors all.
        """
        first: list[Message] = []
        transport = open_transport(self._peer, self._key, self._timeouts, self._closed.is_set)
        try:
            with self._lock:
                if self._closed.is_set():
                    raise Unreachable("the link was closed")
                self._transport = transport
                if self._open_door is not None:  # it is asked for while the agent starts
                    self._door = self._open_door(transport, self._gate)
            channel, rest = start_agent(
                transport, self._peer.node_root, self._bundle, lambda line: self._is_hello(line, first), self._timeouts
            )
        except BaseException:
            if self._door is not None:
                self._door.close()
            transport.close()
            raise
        if self._door is not None:
            self._door.settle(self._timeouts.handshake)  # about as long ago as the hello
            self._door.guard()
        self._heard = time.monotonic()
        channel.settimeout(max(0.05, min(1.0, self._timeouts.silence / 4)))
        with self._lock:
            if self._closed.is_set():
                transport.close()
                raise Unreachable("the link was closed")
            self._connected = True
        for work in (lambda: self._read(channel, first, rest), lambda: self._write(channel)):
            threading.Thread(target=work, name=f"node-link {self._peer.address}:{self._peer.port}", daemon=True).start()

    def send(self, message: Message) -> None:
        """Queues a message; never blocks. Raises LinkError if the link is closed or not connected yet."""
        line = msgspec.json.encode(message) + b"\n"
        with self._lock:
            if self._closed.is_set() or not self._connected:
                state = "closed" if self._closed.is_set() else "not connected"
                raise Unreachable(f"the link is {state}")
            self._queue.append(line)
            self._waiting.notify()

    def fetch(self, path: str, offset: int, length: int | None, into: BinaryIO) -> None:
        """See NodeFiles.fetch."""
        self._files.fetch(path, offset, length, into)

    def upload(self, path: str, source: BinaryIO, size: int, sha256: str, mode: int = 0o644) -> None:
        """See NodeFiles.upload."""
        self._files.upload(path, source, size, sha256, mode)

    @property
    def door(self) -> str | None:
        """Where commands on the node find the HTTP side of the controller; None: nowhere."""
        return self._door.url if self._door is not None else None

    @property
    def files(self) -> NodeFiles:
        return self._files

    @property
    def browsed(self) -> NodeFiles:
        """For people who look at the node's files: over a channel of their own."""
        return self._browsed

    @property
    def users(self) -> NodeUsers:
        """Who logs in to the node."""
        return NodeUsers(lambda: self._run(self._bundle.logins_command), self._timeouts.transfer)

    def close(self) -> None:
        """Hangs up; `on_closed` is not called. What runs on the node runs on."""
        self._end(None)

    def _open_files(self) -> paramiko.Channel:
        return self._run(self._bundle.files_command)

    def _open_gate(self, port: int, wanted: Sequence[int]) -> paramiko.Channel:
        return self._run(lambda root: self._bundle.door_command(root, port, wanted))

    def _run(self, command: Callable[[str], str]) -> paramiko.Channel:
        """A channel that runs the agent's command, which is made for the node root. Raises Unreachable."""
        transport = self._transport
        if transport is None or self._closed.is_set():
            raise Unreachable("the link is closed")
        return open_channel(transport, command(self._peer.node_root), self._timeouts)

    def _is_hello(self, line: bytes, first: list[Message]) -> bool:
        try:
            message = self._decode(line)
        except msgspec.DecodeError as error:
            raise AgentFailed(f"the agent speaks no JSON: {line[:200]!r}") from error
        if message.get("version") != VERSION:
            raise AgentFailed(f"the agent speaks version {message.get('version')}, not {VERSION}")
        first.append(message)
        return True

    def _end(self, reason: str | None) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            told = self._connected and reason is not None
            self._waiting.notify_all()
            transport = self._transport
        self._files.close()
        self._browsed.close()
        self._gate.close()
        if self._door is not None:
            self._door.close()
        if transport is not None:
            transport.close()
        if told and reason is not None:
            self._on_closed(reason)

    # -- the reader thread

    def _read(self, channel: paramiko.Channel, first: list[Message], rest: bytes) -> None:
        try:
            self._on_messages(first)
            parts = [rest]
            data = rest
            while not self._closed.is_set():
                if b"\n" in data:
                    whole, _, tail = b"".join(parts).rpartition(b"\n")
                    parts = [tail]
                    self._on_messages(self._decode_lines(whole))
                try:
                    data = channel.recv(1 << 20)
                except TimeoutError:
                    data = b""
                    quiet = time.monotonic() - self._heard
                    if quiet > self._timeouts.silence:
                        raise LinkError(f"nothing heard from the node for {quiet:.0f} s") from None
                    continue
                if not data:
                    raise LinkError(self._ending(channel))
                self._heard = time.monotonic()
                parts.append(data)
        except (LinkError, OSError, EOFError, paramiko.SSHException, msgspec.DecodeError) as error:
            self._end(told(error))
        except Exception as error:  # whatever it is:
            # without this thread nobody would notice any more that the node falls silent
            log.exception("the link to %s:%s broke", self._peer.address, self._peer.port)
            self._end(f"{type(error).__name__}: {error}")

    def _ending(self, channel: paramiko.Channel) -> str:
        transport = self._transport
        if transport is None or not transport.is_active():
            return "the connection to the node was cut"
        return f"the agent ended: {tail_of_errors(channel) or 'without a message'}"

    # -- the writer thread

    def _write(self, channel: paramiko.Channel) -> None:
        pings = 0
        try:
            while True:
                with self._lock:
                    if not self._queue and not self._closed.is_set():
                        self._waiting.wait(self._timeouts.ping)
                    if self._closed.is_set():
                        return
                    lines, self._queue = self._queue, []
                if not lines:  # also when the node speaks: its dead-man timer waits for a word from here
                    pings += 1
                    lines = [msgspec.json.encode({"op": "ping", "n": pings}) + b"\n"]
                self._send_all(channel, b"".join(lines))
                time.sleep(_BEAT)
        except (OSError, EOFError, paramiko.SSHException) as error:
            if not self._closed.wait(_READER_FIRST):
                self._end(f"the connection to the node broke while writing: {told(error)}")
        except Exception as error:  # as in `_read`: a link without its writer would hang for ever
            log.exception("the link to %s:%s broke", self._peer.address, self._peer.port)
            self._end(f"{type(error).__name__}: {error}")

    def _send_all(self, channel: paramiko.Channel, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._closed.is_set():
            try:
                sent = channel.send(bytes(view[:_LARGEST_BATCH]))
            except TimeoutError:
                continue  # the window is full; the reader decides when the node is dead
            if not sent:
                raise EOFError("the channel is closed")
            view = view[sent:]
