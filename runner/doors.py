"""The doors of all nodes: which ports they are on, remembered beyond a connection and beyond this process.

A task that runs keeps the address that it started with. So every connection asks for the ports of the former ones
again, and as long as a node has only ever had its first likely port, there is nothing to remember.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import paramiko

from .door import ANYBODY, guarded_ports, likely_ports
from .node_door import NodeDoor
from .node_gate import NodeGate

log = logging.getLogger(__name__)

#: So many ports of a node are kept; of more, the oldest goes.
_KEPT = 4

#: Makes the door of a new connection.
OpenDoor = Callable[[paramiko.Transport, NodeGate], NodeDoor]


class Doors:
    def __init__(self, directory: Path, enter: Callable[[str], socket.socket]) -> None:
        """`directory`: holds a file for each node that has another port than the first likely one; it need not be
        there. `enter`: opens a connection to the HTTP side for a node. Raises OSError."""
        self._directory = directory
        self._enter = enter
        self._lock = threading.Lock()
        self._ports: dict[str, tuple[int, ...]] = {}

    def of(self, node_id: str) -> OpenDoor:
        def opened(transport: paramiko.Transport, gate: NodeGate) -> NodeDoor:
            known = self._known(node_id)
            guarded, likely = guarded_ports(node_id), likely_ports(node_id)
            root = transport.get_username() == "root"
            if root:  # whose ports the SSH server forwards as well
                wanted, others = known or guarded[:1], (*guarded, *likely)
            else:
                wanted, others = tuple(port for port in known if port >= ANYBODY) or likely[:1], likely
            elsewhere = () if root else (*(port for port in known if port < ANYBODY), *guarded)
            return NodeDoor(
                transport,
                wanted,
                tuple(port for port in others if port not in wanted),
                elsewhere,
                lambda: self._enter(node_id),
                lambda port: self._remember(node_id, port, root),
                node_id,
                gate,
            )

        return opened

    def sweep(self, nodes: Callable[[], Collection[str]]) -> None:
        """Forget those of nodes that are gone. `nodes`: ids of all that are there; whoever opens a door meanwhile, of a
        node that came since, waits."""
        with self._lock:
            present = nodes()
            for node_id in self._ports.keys() - present:
                del self._ports[node_id]
            self._sweep_files({_file(node_id) for node_id in present})

    def _sweep_files(self, kept: Collection[str]) -> None:
        try:
            for path in self._directory.iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass  # no node has had another port than the usual
        except OSError as error:
            log.warning("old files in %s could not be removed: %s", self._directory, error)

    def _known(self, node_id: str) -> tuple[int, ...]:
        with self._lock:
            known = self._ports.get(node_id)
            if known is None:
                known = self._ports[node_id] = self._read(node_id)
            return known

    def _read(self, node_id: str) -> tuple[int, ...]:
        try:
            words = (self._directory / _file(node_id)).read_text("ascii", "replace").split()
        except OSError:
            return ()
        return tuple(int(word) for word in words if word.isdecimal() and 0 < int(word) < 65536)[:_KEPT]

    def _remember(self, node_id: str, port: int, root: bool) -> None:
        with self._lock:
            usual = guarded_ports(node_id, 1) if root else (*guarded_ports(node_id, 1), *likely_ports(node_id, 1))
            known = self._ports.get(node_id) or usual
            if port in known:
                return
            ports = (*known, port)[-_KEPT:]
            self._ports[node_id] = ports
            try:
                self._directory.mkdir(mode=0o700, exist_ok=True)
                (self._directory / _file(node_id)).write_text(" ".join(map(str, ports)))
            except OSError as error:
                log.warning(
                    "node %s: its port %d is not remembered: after a restart of the controller, tasks that run there "
                    "may not find the API: %s",
                    node_id,
                    port,
                    error,
                )


def _file(node_id: str) -> str:
    """Ids of nodes are ours: letters, digits, hyphens and underscores; whatever else were there is left out."""
    return "".join(letter for letter in node_id if letter.isalnum() or letter in "-_")
