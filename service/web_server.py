"""Serves the HTTP side of the controller, in a thread of its own, from the first time that anybody asks.

Its libraries take a while to import, and most runs ask for nothing: until somebody connects, the socket only listens.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import controller_socket

if TYPE_CHECKING:
    import asyncio

    from uvicorn import Config, Server

    from .api.accounts import Accounts
    from .controller import Controller
    from .listening import Listening
    from .network_door import NetworkDoor
    from .web import Web

log = logging.getLogger(__name__)

#: Seconds that answers on their way may take when the controller ends.
_GRACE = 2.0
#: Seconds that a first connection may take: the libraries are imported.
_START = 60.0


class WebServer:
    """`close` it. A socket that cannot be made is no reason not to work: nodes reach this all the same."""

    def __init__(self, controller: Controller, directory: Path) -> None:
        self._controller = controller
        self._path = directory / controller_socket.NAME
        self._wanted, self._want = socket.socketpair()
        self._serving = threading.Event()
        self._lock = threading.Lock()
        self._closed = False
        self._server: Server | None = None
        self._web: Web | None = None
        self._door: NetworkDoor | None = None
        self._broken: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._for_nodes: Any = None
        self._listener: socket.socket | None = None
        try:
            self._listener = controller_socket.listen(directory)
        except OSError as error:
            log.warning("%s: nobody can ask this controller anything while it runs: %s", self._path, error)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    def entry(self, node_id: str) -> socket.socket:
        """A connection to the HTTP side, for what the node forwards. Any thread. Raises OSError."""
        self._start()
        self._serving.wait(_START)
        loop = self._loop
        if loop is None or self._closed:
            raise OSError("the HTTP side of the controller has closed")
        import asyncio

        ours, theirs = socket.socketpair()
        taking = self._serve_node(node_id, theirs)
        try:
            asyncio.run_coroutine_threadsafe(taking, loop).result(_START)
        except (RuntimeError, TimeoutError) as error:  # it is closing
            taking.close()
            ours.close()
            theirs.close()
            raise OSError(f"the HTTP side of the controller does not take the connection: {error}") from error
        return ours

    def listen(self, listening: Listening, accounts: Accounts, broken: Callable[[], None]) -> Listening:
        """Serve the Batch REST API on the network as well; where it is then (a port 0 is one that was free). `broken`
        is called if that ends by itself. Raises ListenError, OSError."""
        self._start()
        self._serving.wait(_START)
        loop, web, server = self._loop, self._web, self._server
        if loop is None or web is None or server is None or self._closed:
            raise OSError("the HTTP side of the controller has closed")
        import asyncio

        from .network_door import NetworkDoor
        from .network_protocol import KEEP

        tls, settings = listening.tls(), self._controller.settings.server
        listener = listening.bind()
        port: int = listener.getsockname()[1]
        application = web.network_application(accounts, settings.request_limit)
        config = _config(application, "httptools", timeout_keep_alive=KEEP)
        config.load()
        self._broken = broken
        door = NetworkDoor(listener, tls, config, server.server_state, _most(settings.connections), broken)
        asyncio.run_coroutine_threadsafe(door.open(), loop).result(_START)
        self._door = door
        return replace(listening, port=port)

    def leave(self, grace: float) -> int:
        """Take nobody from the network any more; answers under way may take so many seconds. How many were cut off.
        Any thread."""
        door, loop = self._door, self._loop
        self._door = self._broken = None
        if door is None or loop is None:
            return 0
        import asyncio

        with suppress(Exception):  # the loop has ended, however that was
            return asyncio.run_coroutine_threadsafe(door.close(grace), loop).result(grace + _GRACE)
        return 0

    def close(self) -> None:
        """Answers on their way get a moment. The socket is gone then."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self.leave(_GRACE)
        if self._server is not None:
            self._server.should_exit = True
        self._start()
        self._thread.join()
        if self._web is not None:
            self._web.close()
        self._want.close()
        self._wanted.close()
        if self._listener is not None:
            self._listener.close()
            self._path.unlink(missing_ok=True)

    def _start(self) -> None:
        if not self._serving.is_set():
            self._want.send(b"!")

    def _run(self) -> None:
        with selectors.DefaultSelector() as first:
            for sock in (self._wanted, self._listener):
                if sock is not None:
                    first.register(sock, selectors.EVENT_READ)
            first.select()
        if self._closed:
            return
        try:
            self._serve()
        except Exception:  # whatever it is, the work goes on without; and it is told
            log.exception("the HTTP side of the controller ended")
            if self._broken is not None:
                self._broken()
        finally:
            self._loop = None
            self._serving.set()

    def _serve(self) -> None:
        import asyncio

        import uvicorn

        from .web import Web

        self._web = web = Web(self._controller)
        config = _config(web.application(), "h11")
        config.load()
        self._for_nodes = web.node_application()
        with self._lock:
            if self._closed:
                return
            self._server = server = uvicorn.Server(config)
        listeners = [self._listener] if self._listener is not None else []

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._serving.set)
            await server.serve(listeners)

        asyncio.run(serve())

    async def _serve_node(self, node_id: str, sock: socket.socket) -> None:
        from .node_protocol import NodeProtocol

        loop = self._loop
        assert self._server is not None and loop is not None
        made = NodeProtocol(self._server, self._for_nodes, node_id)
        await loop.connect_accepted_socket(lambda: made, sock)


def _config(application: Any, protocol: str, **more: Any) -> Config:
    import uvicorn

    return uvicorn.Config(
        application,
        http=protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        log_level="critical",  # web_errors tells what goes wrong; who is cut off at the end is no news
        access_log=False,  # it would hold the signatures of URLs
        server_header=False,
        proxy_headers=False,  # what a proxy says is only used for the addresses in answers
        timeout_graceful_shutdown=int(_GRACE),
        **more,
    )


def _most(wanted: int) -> int:
    """Connections from the network: half of the descriptors are left for nodes, records and files."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wished = max(soft, 2 * wanted, 4096)
    soft = wished if hard == resource.RLIM_INFINITY else min(wished, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(8, min(wanted, soft // 2))
