"""The node's side of the door: a port that the node's SSH server listens on for us, and what comes through it.

Every connection there comes as a channel of the node's SSH connection and is joined with one to the HTTP side of the
controller. All of it is bounded: connections at a time, those that wait, and bytes in flight of each.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence

import paramiko

from .door import ANYBODY, door_url
from .door_queue import DoorQueue, Key
from .node_gate import NodeGate
from .node_ssh import close_channel

log = logging.getLogger(__name__)

#: Connections of a node that are served at a time, and those that may wait for one of them to end.
#: All are descriptors of its SSH server, which may have a thousand.
SERVED, WAITING = 64, 512
#: From so many on it is asked whose they are.
PRESSED = 16
#: Whose connections are that nobody on the node knows (any more).
_UNKNOWN = -1
#: Pauses (seconds) before a port is asked for again that somebody else has: first, longest. An SSH server that does not
#: know yet that our former connection is dead keeps its ports for some minutes.
RETRY, RETRY_MAX = 1.0, 30.0
#: A connection on which neither side says anything for so many seconds ends.
IDLE = 600.0
_CHUNK = 1 << 18

_HOST = "127.0.0.1"


class NodeDoor:
    """Begins to ask as it is made; `settle` waits for the answer. `close` it when the connection ends."""

    def __init__(
        self,
        transport: paramiko.Transport,
        wanted: Sequence[int],
        spare: Sequence[int],
        guarded: Sequence[int],
        enter: Callable[[], socket.socket],
        got: Callable[[int], None],
        node: str,
        gate: NodeGate,
    ) -> None:
        """`wanted`: ports that tasks on the node may know: all are asked for, until they are ours. `spare`: ports to
        try if none of them is free. `guarded`: ports that `gate` is to listen on. `enter` opens a connection to the
        HTTP side (OSError). `got` is told of each port. `node`: its name, for the log."""
        self._transport = transport
        self._wanted = wanted
        self._spare = spare
        self._guarded = guarded
        self._gate = gate
        self._enter = enter
        self._got = got
        self._node = node
        self._settled = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._queue: DoorQueue[paramiko.Channel] = DoorQueue(SERVED, WAITING)
        self._number = 0
        self._asking = False
        self._port: int | None = None
        self._ports: set[int] = set()
        # before the first port is: paramiko itself sets it only after the answer, and refuses who comes in between
        transport._tcp_handler = self._arrived  # type: ignore[attr-defined]
        threading.Thread(target=self._ask, name=f"door {node}", daemon=True).start()

    def settle(self, within: float) -> None:
        """Wait (seconds) until the node has said yes or no."""
        self._settled.wait(within)

    @property
    def url(self) -> str | None:
        """Where commands on the node find the door; None if the node forwards no port, or has not said so yet."""
        return door_url(self._port) if self._port is not None else None

    def close(self) -> None:
        """Its connections end with the SSH connection."""
        self._closed.set()
        self._settled.set()
        with self._lock:
            waiting = self._queue.clear()
        for channel in waiting:
            close_channel(channel)

    def guard(self) -> None:
        """Where only root may listen, no task can take the port while the connection is away. The agent must be there;
        where it is not root, nobody is kept from anybody."""
        if self._guarded and self._port is not None and self._port >= ANYBODY:
            port = self._gate.begin(self._port, self._guarded)
            if port is not None:
                self._port = port
            for each in tuple(self._ports) if port is None else (port,):
                self._got(each)

    # -- asking ------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        missing = [port for port in self._wanted if not self._listens(port)]
        if self._port is None and not any(self._listens(port) for port in (*self._spare, 0)):
            self._settled.set()
            if self._alive():
                log.warning(
                    "node %s: its SSH server forwards no port to the controller: tasks there find no "
                    "AZ_BATCH_ACCOUNT_URL, and cannot use the object store (sshd_config: AllowTcpForwarding)",
                    self._node,
                )
            return
        self._settled.set()
        pause = RETRY
        while missing and not self._closed.wait(pause) and self._alive():
            missing = [port for port in missing if not self._listens(port)]
            pause = min(2 * pause, RETRY_MAX)

    def _alive(self) -> bool:
        return not self._closed.is_set() and self._transport.is_active()

    def _listens(self, port: int) -> bool:
        """Have the node's SSH server listen on the port (0: any that is free). True if it does."""
        if not self._alive():
            return False
        try:
            port = self._transport.request_port_forward(_HOST, port, self._arrived)
        except (paramiko.SSHException, EOFError, OSError):
            return False  # denied, or the connection has ended
        self._ports.add(port)
        if self._port is None:
            self._port = port
        if not self._guarded:  # else see `guard`
            self._got(port)
        return True

    # -- what comes through ------------------------------------------------------------------------------------

    def _arrived(self, channel: paramiko.Channel, origin: tuple[str, int], server: object) -> None:
        """On the transport's own thread: it must not wait for anything."""
        with self._lock:
            self._number += 1
            refused = channel if self._closed.is_set() else self._queue.add((self._number, origin[1]), channel)
            self._begin()
        if refused is not None:
            threading.Thread(target=close_channel, args=(refused,), daemon=True).start()

    def _begin(self) -> None:
        """Serve those whose turn it is. Under the lock."""
        if not self._asking and self._queue.serving + self._queue.waiting > PRESSED and self._queue.unknown():
            self._asking = True
            threading.Thread(target=self._ask_whose, name=f"door {self._node}", daemon=True).start()
        while (found := self._queue.next(strangers=self._queue.serving < PRESSED)) is not None:
            threading.Thread(target=self._serve, args=found, name=f"door {self._node}", daemon=True).start()

    def _ask_whose(self) -> None:
        while True:
            with self._lock:
                unknown, ports = self._queue.unknown(), tuple(self._ports)
                if not unknown or self._closed.is_set():
                    self._asking = False
                    return
            found = self._gate.sources(ports, {origin for _, origin in unknown})
            with self._lock:
                self._queue.told({key: found.get(key[1], _UNKNOWN) for key in unknown})
                self._begin()

    def _serve(self, key: Key, channel: paramiko.Channel) -> None:
        try:
            self._join(channel)
        finally:
            with self._lock:
                self._queue.done(key)
                self._begin()

    def _join(self, channel: paramiko.Channel) -> None:
        try:
            sock = self._enter()
        except OSError as error:
            log.warning("node %s: nobody answers at the door: %s", self._node, error)
            close_channel(channel)
            return
        try:
            _Joined(channel, sock, self._node).carry()
        finally:
            sock.close()
            close_channel(channel)


class _Joined:
    """A connection from the node and one to the HTTP side. Bytes that nobody takes stop their sender: by the channel's
    window in one direction, by the socket's buffer in the other."""

    def __init__(self, channel: paramiko.Channel, sock: socket.socket, node: str) -> None:
        channel.settimeout(IDLE)
        sock.settimeout(IDLE)
        self._channel = channel
        self._sock = sock
        self._node = node
        self._moved = time.monotonic()

    def carry(self) -> None:
        """Until both directions have ended."""
        inward = threading.Thread(target=self._inward, name=f"door {self._node}", daemon=True)
        inward.start()
        self._outward()
        inward.join()

    def _inward(self) -> None:
        try:
            self._pass_on(self._channel.recv, self._sock.sendall)
            if self._channel.closed:
                self._hang_up()
            else:  # no more requests; what was asked is still answered
                self._sock.shutdown(socket.SHUT_WR)
        except (OSError, EOFError, paramiko.SSHException):
            self._hang_up()

    def _outward(self) -> None:
        try:
            self._pass_on(self._sock.recv, self._channel.sendall)
            self._channel.shutdown_write()
        except (OSError, EOFError, paramiko.SSHException):
            pass
        self._hang_up()  # an HTTP side that has said all listens no more

    def _pass_on(self, receive: Callable[[int], bytes], send: Callable[[bytes], object]) -> None:
        while True:
            try:
                data = receive(_CHUNK)
            except TimeoutError:
                if time.monotonic() - self._moved >= IDLE:
                    raise
                continue
            if not data:
                return
            send(data)
            self._moved = time.monotonic()

    def _hang_up(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        close_channel(self._channel)
