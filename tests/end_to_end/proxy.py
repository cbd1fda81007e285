"""A TCP proxy between controller and nodes that can go silent: packets vanish, nobody is told."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from service.controller import Controller


class CutProxy:
    """One listener per node address; `cut` stops all bytes in both directions for a while, without closing anything."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._timers: list[threading.Timer] = []
        self._sockets: list[socket.socket] = []
        self._ports: dict[int, int] = {}
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def before_nodes_of(cls, controller: Controller) -> Iterator[CutProxy]:
        """Put a proxy before every node that the controller connects to from now on."""
        proxy = cls()
        nodes: Any = controller._nodes
        connect = nodes._connect

        def through_proxy(command: Any, session: Any) -> Any:
            vm = dataclasses.replace(command.vm, port=proxy.port_for(command.vm.port))
            return connect(dataclasses.replace(command, vm=vm), session)

        nodes._connect = through_proxy
        try:
            yield proxy
        finally:
            nodes._connect = connect
            proxy.close()

    def port_for(self, target: int) -> int:
        with self._lock:
            if target not in self._ports:
                listener = socket.create_server(("127.0.0.1", 0))
                self._sockets.append(listener)
                self._ports[target] = listener.getsockname()[1]
                threading.Thread(target=self._accept, args=(listener, target), daemon=True).start()
            return self._ports[target]

    def cut(self, seconds: float) -> None:
        """Silence from now on, for so long."""
        self._open.clear()
        timer = threading.Timer(seconds, self._open.set)
        timer.start()
        self._timers.append(timer)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._open.set()
        for each in self._sockets:
            each.close()

    def _accept(self, listener: socket.socket, target: int) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._open.wait()
            try:
                far = socket.create_connection(("127.0.0.1", target))
            except OSError:
                near.close()
                continue
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
