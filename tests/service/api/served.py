"""A controller at work in this process, with its REST API at its socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from service import controller_socket
from service.controller import Controller
from service.settings import Settings
from service.state import StateDirectory


class Served:
    """Ask it with `self(method, path, body)`; paths begin with a slash."""

    def __init__(self, controller: Controller, client: httpx.Client) -> None:
        self.controller = controller
        self._client = client

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(method, path, json=body, headers=given)

    def get(self, path: str) -> dict[str, Any]:
        answer = self("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def served(directory: Path, settings: Settings | None = None) -> Iterator[Served]:
    state = StateDirectory(directory)
    with state.lock("a test"):
        controller = Controller(state, settings or Settings())
        work = threading.Thread(target=controller.run, args=(lambda: False,))
        work.start()
        try:
            with controller_socket.client(directory) as client:
                yield Served(controller, client)
        finally:
            controller.engine.stop()
            work.join()
            controller.close()
