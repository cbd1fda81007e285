"""Ports of a local node that are forwarded to the other end of an SSH connection, as OpenSSH's `-R` does."""

from __future__ import annotations

import socket
import threading

import paramiko

_HOST = "127.0.0.1"
_CHUNK = 1 << 18
#: Seconds in which the other end must take a connection.
_OPENING = 60.0
_BACKLOG = 128
#: Seconds between two looks whether the port is still wanted, where nothing else tells.
_LOOK = 1.0


class Forwards:
    """The forwarded ports of one connection. They end with it."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._listeners: dict[int, socket.socket] = {}

    def listen(self, address: str, port: int) -> int:
        """Listen on a loopback port (0: any that is free). Returns the port, or 0: refused."""
        if address not in ("", "localhost", _HOST):
            return 0
        try:
            listener = socket.create_server((_HOST, port), backlog=_BACKLOG)
        except OSError:
            return 0  # somebody else has it
        listener.settimeout(_LOOK)
        port = listener.getsockname()[1]
        with self._lock:
            self._listeners[port] = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return port

    def cancel(self, port: int) -> None:
        with self._lock:
            listener = self._listeners.pop(port, None)
        if listener is not None:
            try:
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts, which closes it
            except OSError:
                pass  # elsewhere than on Linux: it finds out within a second

    def close(self) -> None:
        """The connection has ended: the ports are free at once, for the next one."""
        with self._lock:
            ports = list(self._listeners)
        for port in ports:
            self.cancel(port)

    def _accept(self, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        with listener:
            while self._listeners.get(port) is listener and self._transport.is_active():
                try:
                    accepted, origin = listener.accept()
                except TimeoutError:
                    continue
                except OSError:
                    return  # cancelled
                threading.Thread(target=self._forward, args=(accepted, origin, port), daemon=True).start()

    def _forward(self, accepted: socket.socket, origin: tuple[str, int], port: int) -> None:
        accepted.settimeout(None)
        try:
            channel = self._transport.open_channel("forwarded-tcpip", (_HOST, port), origin, timeout=_OPENING)
        except (paramiko.SSHException, EOFError, OSError):
            accepted.close()
            return
        back = threading.Thread(target=_back, args=(channel, accepted), daemon=True)
        back.start()
        try:
            while data := accepted.recv(_CHUNK):
                channel.sendall(data)
            channel.shutdown_write()
        except OSError:
            channel.close()  # whoever connected has gone
        back.join()
        accepted.close()
        channel.close()


def _back(channel: paramiko.Channel, accepted: socket.socket) -> None:
    try:
        while data := channel.recv(_CHUNK):
            accepted.sendall(data)
        if channel.closed:
            accepted.shutdown(socket.SHUT_RDWR)
        else:
            accepted.shutdown(socket.SHUT_WR)
    except OSError:
        channel.close()
        try:
            accepted.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
