"""One SSH connection to a local node, served by paramiko: authorised key only, commands only."""

from __future__ import annotations

import hmac
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import IO, Any

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_REQUEST,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from .children import Children
from .forwards import Forwards

_transport: Any = paramiko.Transport
_HANDLERS: dict[int, Any] = _transport._channel_handler_table  # message type -> what answers it

_CHUNK = 1 << 16
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


class _Policy(paramiko.ServerInterface):
    """Who may do what: one user, one key, `exec` on session channels, forwarding of loopback ports, nothing else."""

    def __init__(self, user: str, key: paramiko.PKey, forwards: Forwards) -> None:
        self._user = user
        self._forwards = forwards
        self._key = key.asbytes()
        self.wanted: dict[int, bytes] = {}  # channel id -> command, until the request is answered
        self.proved = False  # the client has done something that only an authenticated one may

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        same = hmac.compare_digest(key.asbytes(), self._key) and username == self._user
        return AUTH_SUCCESSFUL if same else AUTH_FAILED

    def check_global_request(self, kind: str, msg: paramiko.Message) -> bool:
        self.proved = True
        return False

    def check_port_forward_request(self, address: str, port: int) -> int:
        self.proved = True
        return self._forwards.listen(address, port)

    def cancel_port_forward_request(self, address: str, port: int) -> None:
        self._forwards.cancel(port)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.proved = True
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.wanted[channel.get_id()] = command
        return True


class Session(paramiko.Transport):
    """One connection. It starts commands as they are asked for and hangs them up when their channel goes."""

    def __init__(
        self,
        accepted: socket.socket,
        host_key: paramiko.PKey,
        user: str,
        key: paramiko.PKey,
        children: Children,
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
        self._policy = _Policy(user, key, self._forwards)
        self._channel_handler_table = {**_HANDLERS, MSG_CHANNEL_REQUEST: self._on_request}

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._forwards.close()

    def serve(self) -> None:
        self.start_server(event=threading.Event(), server=self._policy)

    @property
    def heard(self) -> float | None:
        """When the client last said something (monotonic seconds); None if it has not proved who it is."""
        return self._wire.heard if self._policy.proved or self.is_authenticated() else None

    def _on_request(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        # Start only after the request was answered, so that no output can overtake the answer.
        _HANDLERS[MSG_CHANNEL_REQUEST](channel, message)
        command = self._policy.wanted.pop(channel.get_id(), None)
        if command is None:
            return
        with self.lock:  # paramiko keeps a channel for `accept`, for ever, and nobody calls that here
            first = channel in self.server_accepts
            if first:
                self.server_accepts.remove(channel)
        if first:  # a channel runs one command
            Execution(channel, self._children, command).begin()


class Execution:
    """A command on a channel: three pumps, each blocked in a read, so that a slow end slows the other."""

    def __init__(self, channel: paramiko.Channel, children: Children, command: bytes) -> None:
        self._channel = channel
        self._children = children
        self._command = command
        self._finished = False

    def begin(self) -> None:
        try:
            self._child = self._children.start(self._command)
        except OSError as exc:
            _thread(self._refuse, f"cannot run a command: {exc}\n".encode())
            return
        _thread(self._feed)
        _thread(self._finish)
        _thread(self._await_hang_up)

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

    def _finish(self) -> None:
        child, channel = self._child, self._channel
        assert child.process.stdout is not None and child.process.stderr is not None
        errors = _thread(_pump, child.process.stderr, channel.sendall_stderr)
        _pump(child.process.stdout, channel.sendall)
        errors.join()
        child.ended.wait()
        self._finished = True
        try:
            channel.send_exit_status(child.status)
        except OSError:
            pass  # the client has gone
        channel.close()

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
