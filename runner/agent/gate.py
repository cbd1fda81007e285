"""`door PORT WANTED...`: where tasks find the controller, if the SSH server may not have that port itself.

The SSH server forwards `PORT` as the user who has logged in, so it cannot be one of those that only root may have; any
task could take it while the connection is away, and be told what is meant for the controller. As root we listen on the
first of the `WANTED` that is free, and pass connections on, having looked that it is the SSH server which takes them.

It lives as long as its channel. It says `{"port": N}` (0: none; nothing is passed on), and answers each line
`{"ports": [..]}` with `{"sources": {port: user id}}`: who has made the connections that come through it or, without
it, to these ports.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sys
import threading

from . import loopback
from .takeover import hold_root

MOST = 800  # connections at a time; somewhat more than the controller takes
_HOST = "127.0.0.1"
_PIECE = 1 << 16


def run(root: str, port: int, wanted: list[int]) -> None:
    """Does not return before the other side hangs up."""
    listener = None
    if wanted and not os.getuid():
        hold_root(root, "door")  # one that a dead connection still has goes, and its port is free
        listener = _listener(wanted)
    gate = _Gate(port)
    _say({"port": listener.getsockname()[1] if listener is not None else 0})
    answers = threading.Thread(target=_answer, args=(gate, listener is not None), daemon=True)
    answers.start()
    if listener is not None:
        asyncio.run(gate.serve(listener))
    answers.join()


def _listener(wanted: list[int]) -> socket.socket | None:
    for each in wanted:
        try:
            return socket.create_server((_HOST, each), backlog=1024)
        except OSError:  # noqa: PERF203 - somebody else has it
            continue
    return None


def _answer(gate: _Gate, passing: bool) -> None:
    """Until the controller hangs up, or the connection ends: nobody is to be let in any more."""
    for line in sys.stdin.buffer:
        ports = json.loads(line)["ports"]
        _say({"sources": gate.sources(ports) if passing else loopback.clients(set(ports))})
    os._exit(0)


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class _Gate:
    def __init__(self, port: int) -> None:
        self._port = port
        self._trusted = loopback.trusted()
        self._origins: dict[int, int] = {}  # our port towards the SSH server -> that of who has come to us
        self._own = 0

    async def serve(self, listener: socket.socket) -> None:
        # whoever goes in the middle is no news, and nobody reads what we would say of it
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3 * MOST, 3 * MOST))
        self._own = listener.getsockname()[1]
        async with await asyncio.start_server(self._pass_on, sock=listener) as server:
            await server.serve_forever()

    def sources(self, ports: list[int]) -> dict[int, int]:
        """For the given ports of ours towards the SSH server."""
        known = loopback.clients({self._own})
        origins = dict(self._origins)
        return {ours: known[theirs] for ours, theirs in origins.items() if theirs in known}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._origins) >= MOST:
            writer.close()
            return
        try:
            inner, outer = await asyncio.open_connection(_HOST, self._port)
        except OSError:  # the connection to the controller has ended
            writer.close()
            return
        ours = outer.get_extra_info("sockname")[1]
        if not loopback.is_of(self._trusted, ours, self._port):
            outer.close()
            writer.close()
            return
        self._origins[ours] = writer.get_extra_info("peername")[1]
        try:
            await asyncio.gather(_pump(reader, outer), _pump(inner, writer))
        except OSError:
            pass  # one of them has gone
        finally:
            del self._origins[ours]
            outer.close()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        data = await reader.read(_PIECE)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.write_eof()
