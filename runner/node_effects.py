"""Carries out what the core asks of the nodes: a session per node, connections made in bounded threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from pools import Clock, Command, DisconnectNode

from .commands import (
    Acknowledge,
    KillExecution,
    OpenNode,
    PrepareNode,
    ProceedExecution,
    ReadOutputs,
    RecallExecutions,
    StartExecution,
)
from .equipment import Equipment
from .events import Event
from .link_errors import Unreachable
from .node_files import NodeFiles
from .node_messages import Link
from .node_session import NodeSession
from .node_users import NodeUsers
from .outputs import OutputStore
from .packages import PackageStore
from .running_outputs import RunningOutputs
from .workers import Workers

log = logging.getLogger(__name__)

#: Makes the link for a session; it reports to the session's `messages` and `closed`.
Connect = Callable[[OpenNode, NodeSession], Link]


class NodeEffects:
    def __init__(
        self,
        connect: Connect,
        post: Callable[[Event], None],
        packages: PackageStore,
        outputs: OutputStore,
        clock: Clock,
        threads: int = 32,
        connections: int = 1024,
        equipment: Equipment | None = None,
    ) -> None:
        """`threads`: for transfers. `connections`: so many nodes are waited for at once; each takes a thread then, as
        it does when it is connected, so that hosts which do not answer keep nobody waiting. `equipment`: as NodeSession
        takes it."""
        self._connect = connect
        self._post = post
        self._packages = packages
        self._outputs = outputs
        self._clock = clock
        self._equipment = equipment
        self._connections = Workers(connections, "node")
        #: apart, so that large outputs (or a full disk) never keep a node from being connected or left
        self._transfers = Workers(threads, "transfer")
        self._running = RunningOutputs(self.files, post, clock)
        self._sessions: dict[str, NodeSession] = {}
        self._lock = threading.Lock()

    def issue(self, command: Command) -> None:
        if isinstance(command, OpenNode):
            self._open(command)
            return
        if isinstance(command, DisconnectNode):
            self._close(command.node_id)
            return
        if isinstance(command, Acknowledge):
            self._outputs.settled(command.execution_ids)
        session = self._sessions.get(command.node_id)  # type: ignore[attr-defined]
        if session is None:
            return  # not connected: what matters is sent again when it is
        match command:
            case StartExecution():
                session.start(command)
            case PrepareNode():
                session.prepare(command)
            case Acknowledge(_, ids):
                session.acknowledge(ids)
            case KillExecution():
                session.kill(command)
            case ProceedExecution(_, execution_id):
                session.proceed(execution_id)
            case RecallExecutions(_, ids):
                session.recall(ids)
            case ReadOutputs():
                self._running.read(command)

    def connected(self) -> list[str]:
        """The nodes that are connected, or about to be. Any thread."""
        with self._lock:
            return list(self._sessions)

    def files(self, node_id: str) -> NodeFiles:
        """The files of a node, to be looked at; any thread. Raises Unreachable."""
        session = self._sessions.get(node_id)
        if session is None:
            raise Unreachable(f"node {node_id} is not connected")
        return session.browsed()

    def users(self, node_id: str) -> NodeUsers:
        """Who logs in to a node; any thread. Raises Unreachable."""
        session = self._sessions.get(node_id)
        if session is None:
            raise Unreachable(f"node {node_id} is not connected")
        return session.users()

    def awaits_record(self, name: str) -> bool:
        """May a record yet name the file of this name, an output or a package? Any thread."""
        return self._outputs.awaits_record(name) or self._packages.awaits_record(name)

    def _open(self, command: OpenNode) -> None:
        self._close(command.node_id)
        session = NodeSession(
            command, self._post, self._transfer, self._packages, self._outputs, self._clock, self._equipment
        )
        with self._lock:
            self._sessions[command.node_id] = session
        self._connections.submit(self._connect_session, command, session)

    def _connect_session(self, command: OpenNode, session: NodeSession) -> None:
        try:
            session.open(self._connect(command, session))
        except Exception as exc:  # whatever it is: an error that nobody sees would leave the node unconnected
            log.error("node %s: cannot be connected", command.node_id, exc_info=exc)
            session.closed(f"{type(exc).__name__}: {exc}")

    def _transfer(self, work: Callable[[], None]) -> None:
        self._transfers.submit(work)

    def _close(self, node_id: str) -> None:
        with self._lock:
            session = self._sessions.pop(node_id, None)
        if session is not None:
            session.silence()
            self._connections.submit(session.close)

    def close(self) -> None:
        """End all connections; what runs on the nodes runs on."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.close()
        self._connections.close(drop=False)  # what still waits there is quick: it closes, or finds it need not open
        self._transfers.close(drop=True)
        self._running.close()
