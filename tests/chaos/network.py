"""The way to every node leads through a proxy that goes silent, or hangs up."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from tests.end_to_end.proxy import CutProxy


class Network:
    """Answers controllers, at the Unix socket `path`, which port leads to a node's port. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._proxies: dict[int, CutProxy] = {}
        self._lock = threading.Lock()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(32)

    def __enter__(self) -> Network:
        threading.Thread(target=self._serve, name="network", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for proxy in self._proxies.values():
            proxy.close()

    def before(self, port: int) -> CutProxy:
        with self._lock:
            return self._proxies.setdefault(port, CutProxy())

    def _serve(self) -> None:
        while True:
            try:
                asked, _ = self._server.accept()
            except OSError:
                return
            with asked:
                line = asked.makefile().readline()
                if line:
                    port = int(line)
                    asked.sendall(b"%d\n" % self.before(port).port_for(port))
