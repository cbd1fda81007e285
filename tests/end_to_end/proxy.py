"""A TCP proxy between controller and nodes that can go silent: nothing arrives, nobody is told."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import structs

from service.controller import Controller


class CutProxy:
    """One listener per node address; between `cut` and `mend` no byte passes, either way, and nothing closes."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._pairs: list[socket.socket] = []
        self._ports: dict[int, int] = {}
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def before_nodes_of(cls, controller: Controller) -> Iterator[CutProxy]:
        """Put a proxy before every node that the controller connects to from now on."""
        proxy = cls()
        nodes: Any = controller.nodes
        connect = nodes._connect

        def through_proxy(command: Any, session: Any) -> Any:
            vm = dataclasses.replace(command.vm, port=proxy.port_for(command.vm.port))
            return connect(structs.replace(command, vm=vm), session)

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

    def cut(self) -> None:
        """Silence from now on."""
        self._open.clear()

    def mend(self) -> None:
        """What was held back arrives now."""
        self._open.set()

    def drop(self) -> None:
        """Every connection ends; others may be made."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for each in pairs:
            _shut(each)

    def close(self) -> None:
        self._open.set()
        self.drop()
        for each in tuple(self._sockets):
            _shut(each)  # the thread that waits in it wakes up, and closes it

    def _accept(self, listener: socket.socket, target: int) -> None:
        with listener:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=self._serve, args=(near, target), daemon=True).start()

    def _serve(self, near: socket.socket, target: int) -> None:
        with near:
            self._open.wait()
            try:
                far = socket.create_connection(("127.0.0.1", target))
            except OSError:
                return
            with far:
                with self._lock:
                    self._pairs += (near, far)
                back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
                back.start()
                self._pump(near, far)
                back.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                sink.sendall(data)
        except OSError:
            pass
        _shut(source)
        _shut(sink)


def _shut(each: socket.socket) -> None:
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
