"""One SSH connection to a local node, served by paramiko: the controller's, or that of a node user."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import IO, Any

import paramiko
from paramiko.common import MSG_CHANNEL_REQUEST

from .children import Child, Children
from .forwards import Forwards
from .logins import Login, Logins
from .policy import Policy, Wanted
from .terminal import Terminal

_transport: Any = paramiko.Transport
_HANDLERS: dict[int, Any] = _transport._channel_handler_table  # message type -> what answers it

_CHUNK = 1 << 16
_HURRY = 5.0  # seconds
_WINDOW = 1 << 21  # bytes in flight before the client must wait for a reader
_PACKET = 1 << 15  # OpenSSH's own limit; larger ones gain nothing measurable


class _HeardSocket(socket.socket):
    """A socket that remembers when it last received something (keep-alives count), in monotonic seconds."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        self.heard = time.monotonic()

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        self.heard = time.monotonic()
        return data


class Session(paramiko.Transport):
    """One connection. It starts commands as they are asked for and hangs them up when their channel goes."""

    def __init__(
        self,
        accepted: socket.socket,
        host_key: paramiko.PKey,
        user: str,
        key: paramiko.PKey,
        children: Children,
        logins: Logins,
    ) -> None:
        self._wire = _HeardSocket(accepted)
        self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        super().__init__(self._wire, default_window_size=_WINDOW, default_max_packet_size=_PACKET)
        # One pass over each packet instead of two (a MAC of its own): measured, 1.5 times the bytes a second.
        self.get_security_options().ciphers = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
        self.daemon = True
        self.add_server_key(host_key)
        self.born = time.monotonic()
        self._children = children
        self._forwards = Forwards(self)
        self._logins = logins
        self._policy = Policy(user, key, self._forwards, logins)
        self._channel_handler_table = {**_HANDLERS, MSG_CHANNEL_REQUEST: self._on_request}

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._forwards.close()

    def serve(self) -> None:
        self.start_server(event=threading.Event(), server=self._policy)

    @property
    def admitted(self) -> bool:
        """The client has proved who it is."""
        return self._policy.proved or self.is_authenticated()

    @property
    def heard(self) -> float | None:
        """When the controller last said something (monotonic seconds); None if it is somebody else, or has not proved
        who it is."""
        return self._wire.heard if self.admitted and self._policy.login is None else None

    @property
    def login(self) -> Login | None:
        """The node user who has logged in."""
        return self._policy.login if self.admitted else None

    @property
    def stands(self) -> bool:
        """Not that of a user who has been removed, or whose time is over."""
        return self.login is None or self._logins.stands(self.login)

    def _on_request(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        # Start only after the request was answered, so that no output can overtake the answer.
        _HANDLERS[MSG_CHANNEL_REQUEST](channel, message)
        wanted = self._policy.wanted.pop(channel.get_id(), None)
        if wanted is None:
            return
        with self.lock:  # paramiko keeps a channel for `accept`, for ever, and nobody calls that here
            first = channel in self.server_accepts
            if first:
                self.server_accepts.remove(channel)
        if first:  # a channel runs one command
            Execution(channel, self._children, wanted, self._policy.login, self._policy.forget).begin()


class Execution:
    """A command on a channel: three pumps, each blocked in a read, so that a slow end slows the other."""

    def __init__(
        self,
        channel: paramiko.Channel,
        children: Children,
        wanted: Wanted,
        login: Login | None,
        over: Callable[[int], None],
    ) -> None:
        """`login`: who runs it, None: the controller. `over`: told the channel's id in the end."""
        self._channel = channel
        self._children = children
        self._wanted = wanted
        self._login = login
        self._over = over
        self._finished = False

    def begin(self) -> None:
        terminal = self._wanted.terminal
        try:
            self._child = self._start()
        except (OSError, ValueError) as exc:  # ValueError: a command that holds a NUL character
            _thread(self._refuse, f"cannot run a command: {exc}\n".encode())
            return
        if terminal is not None:
            _thread(self._show, terminal, _thread(self._type, terminal))
        else:
            _thread(self._feed)
            _thread(self._finish)
        _thread(self._await_hang_up)

    def _start(self) -> Child:
        command = self._wanted.command
        if self._login is not None:
            return self._children.enter(self._login, command, self._wanted.terminal)
        assert command is not None, "the controller asks for no shells"
        return self._children.start(command)

    def _refuse(self, message: bytes) -> None:
        try:
            self._channel.sendall_stderr(message)
            self._channel.send_exit_status(126)
        except OSError:
            pass  # the client has gone
        self._channel.close()

    def _feed(self) -> None:
        pipe = self._child.process.stdin
        assert pipe is not None
        recv = self._channel.recv  # all there is at once: paramiko moves whatever stays behind
        try:
            while data := recv(_WINDOW):
                _write_all(pipe.fileno(), data)
        except OSError:  # the command no longer reads: swallow the rest, or the window stays shut for ever
            while recv(_WINDOW):
                pass
        finally:
            pipe.close()

    def _type(self, terminal: Terminal) -> None:
        recv = self._channel.recv
        try:
            while data := recv(_CHUNK):
                terminal.feed(data)
            terminal.feed(b"\4")  # what the client sends is at its end
        except OSError:  # nobody reads any more
            while recv(_WINDOW):
                pass

    def _show(self, terminal: Terminal, typing: threading.Thread) -> None:
        try:
            terminal.pump(self._channel.sendall, self._child.ended)
        except OSError:
            pass  # the client has gone
        self._child.ended.wait()
        self._end()
        typing.join(_HURRY)
        if not typing.is_alive():  # else something in the background reads nothing: its terminal goes with the node
            terminal.close()

    def _finish(self) -> None:
        child, channel = self._child, self._channel
        assert child.process.stdout is not None and child.process.stderr is not None
        errors = _thread(_pump, child.process.stderr, channel.sendall_stderr)
        _pump(child.process.stdout, channel.sendall)
        errors.join()
        child.ended.wait()
        self._end()

    def _end(self) -> None:
        self._finished = True
        try:
            self._channel.send_exit_status(self._child.status)
        except OSError:
            pass  # the client has gone
        self._channel.close()
        self._over(self._channel.get_id())

    def _await_hang_up(self) -> None:
        self._channel.status_event.wait()  # a server's channel sets this when it closes, whyever
        if not self._finished:
            self._children.hang_up(self._child)


def _thread(target: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def _pump(pipe: IO[bytes], send: Callable[[bytes], None]) -> None:
    """Pass on everything until the last writer has closed the pipe, or the client has gone."""
    try:
        while data := os.read(pipe.fileno(), _CHUNK):
            send(data)
    except OSError:
        pass  # the client has gone; closing the pipe tells the command
    finally:
        pipe.close()


def _write_all(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, memoryview(data)[written:])
