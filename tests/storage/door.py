"""The object store over HTTP as nodes reach it, on a loopback port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import uvicorn
from starlette.applications import Starlette

from runner import ObjectStore, Place, Signer
from runner.storage_urls import Scope
from service.storage_routes import routes

EXACT: Scope = "exact"
PREFIX: Scope = "prefix"
#: What the clock of the store says.
NOW = 1000.0


@dataclass(frozen=True)
class Door:
    base: str
    store: ObjectStore
    signer: Signer

    def url(self, name: str = "", permissions: str = "rwdl", *, prefix: str = "", exact: bool = False) -> str:
        """`exact`: for that name alone; else for all that begin with `prefix`."""
        signed, scope = (name, EXACT) if exact else (prefix, PREFIX)
        return self.signer.url(self.base, Place("box", name), permissions, NOW + 60, name=signed, scope=scope)


@contextmanager
def running(store: ObjectStore) -> Iterator[Door]:
    signer = Signer(b"s" * 32)
    made: Any = SimpleNamespace(store=store, signer=signer, now=lambda: NOW)
    application = Starlette(routes=routes(made))

    async def from_node(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "ebbtide.node": "node"}, receive, send)

    config = uvicorn.Config(from_node, lifespan="off", log_config=None, access_log=False, http="h11", ws="none")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield Door(f"http://127.0.0.1:{listener.getsockname()[1]}", store, signer)
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
