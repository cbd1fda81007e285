"""One node, as the effects see it: the link to its agent, what is installed there, and the outcomes being brought in.

Messages of the agent come in on the link's reader thread, in order, and leave as events in the same order; only
outcomes with large outputs are held back until the output is in the store.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial

from pools import Clock

from . import events as ev
from .commands import KillExecution, OpenNode, PrepareNode, StartExecution
from .door import DOOR, UNAVAILABLE, URL_VARIABLE, NoDoor, through_door
from .equipment import Equipment
from .link_errors import HostKeyMismatch, LinkError, Unreachable
from .node_condition import NodeCondition
from .node_files import NodeFiles
from .node_messages import Link, Message, configure_message, kill_message, start_message
from .node_outcomes import NodeOutcomes
from .node_packages import NodePackages
from .node_users import NodeUsers
from .outputs import OutputStore
from .packages import PackageStore
from .user_identity import without_passwords
from .vault import VaultError

log = logging.getLogger(__name__)


class NodeSession:
    def __init__(
        self,
        command: OpenNode,
        post: Callable[[ev.Event], None],
        background: Callable[[Callable[[], None]], None],
        packages: PackageStore,
        outputs: OutputStore,
        clock: Clock,
        equipment: Equipment | None = None,
    ) -> None:
        """`equipment`: adds secrets to what is started; None: nothing has any."""
        self.node_id = command.node_id
        self._connection = command.connection
        self._configuration = configure_message(
            command.slots,
            {**command.environment, URL_VARIABLE: DOOR},
            command.sample_period,
            command.notices,
            command.users,
            command.grace,
        )
        self._post = post
        self._background = background
        self._closed = threading.Event()
        self._packages = NodePackages(packages, self.send, lambda: self._link, self._closed, self.in_background)
        self._clock = clock
        self._equipment = equipment
        self._link: Link | None = None
        self._lock = threading.Lock()
        #: starts that wait for their packages
        self._deferred: set[str] = set()
        self._outcomes = NodeOutcomes(self.node_id, outputs, post, self.in_background, lambda: self._link, self._closed)
        self._condition = NodeCondition(self.node_id, post)

    def browsed(self) -> NodeFiles:
        """The node's files, to be looked at. Raises Unreachable."""
        if self._link is None or self._closed.is_set():
            raise Unreachable(f"node {self.node_id} is not connected at present")
        return self._link.browsed

    def users(self) -> NodeUsers:
        """Who logs in to the node. Raises Unreachable."""
        if self._link is None or self._closed.is_set():
            raise Unreachable(f"node {self.node_id} is not connected at present")
        return self._link.users

    def open(self, link: Link) -> None:
        """Connect. Reports NodeConnected (from the agent's hello) or NodeDisconnected."""
        self._link = link
        try:
            if not self._closed.is_set():
                link.connect()
        except LinkError as exc:
            self.closed(str(exc), fatal=exc.fatal, host_key=isinstance(exc, HostKeyMismatch))
        if self._closed.is_set():
            link.close()  # closed meanwhile: a link that nobody knows would keep the next one from the node

    def silence(self) -> None:
        """Nothing is reported or waited for any more; `close` is still to come. Does not block."""
        self._closed.set()

    def close(self) -> None:
        """End the connection; nothing is reported any more. What runs on the node runs on."""
        self._closed.set()
        if self._link is not None:
            self._link.close()
        self._packages.abandon("the connection was closed")

    def in_background(self, work: Callable[[], None]) -> None:
        """Do something that takes time. Whatever it raises ends the connection: the next one starts afresh."""

        def guarded() -> None:
            try:
                work()
            except Exception as exc:  # noqa: BLE001 - an error that nobody sees would leave the node hanging
                self._broken(exc)

        try:
            self._background(guarded)
        except RuntimeError as exc:  # we are leaving
            self.closed(str(exc))

    def _broken(self, exc: Exception) -> None:
        log.error("node %s: unexpected, the connection is made anew", self.node_id, exc_info=exc)
        self.closed(f"{type(exc).__name__}: {exc}")

    def closed(self, reason: str, fatal: bool = False, host_key: bool = False) -> None:
        """The link has ended by itself."""
        with self._lock:
            first = not self._closed.is_set()
            self._closed.set()
        if first:  # told once, whoever finds out
            self._post(ev.NodeDisconnected(self.node_id, self._connection, reason, fatal, host_key))
            if self._link is not None:
                self._link.close()
        self._packages.abandon(reason)

    # -- commands ----------------------------------------------------------------------------------------------

    def prepare(self, command: PrepareNode) -> None:
        packages, then = command.packages, partial(self._prepare, command)
        self.in_background(lambda: self._packages.install(packages, then))

    def start(self, command: StartExecution) -> None:
        if command.packages and not self._packages.installed(command.packages):
            with self._lock:
                self._deferred.add(command.execution_id)
            then = partial(self._start_deferred, command)
            self.in_background(lambda: self._packages.install(command.packages, then))
        else:
            self._send_start(command)

    def kill(self, command: KillExecution) -> None:
        if self._recall_deferred(command.execution_id):
            return
        message = kill_message(command)
        door = self._link.door if self._link is not None else None
        if door is None:
            message.pop("checkpoint", None)  # it cannot be saved from there
        elif self._equipment is not None:
            message = self._equipment.kill(message, door)
        self.send(message)

    def proceed(self, execution_id: str) -> None:
        self.send({"op": "proceed", "id": execution_id})

    def recall(self, execution_ids: Iterable[str]) -> None:
        left = [key for key in execution_ids if not self._recall_deferred(key)]
        if left:
            self.send({"op": "recall", "ids": left})

    def acknowledge(self, execution_ids: Iterable[str]) -> None:
        self.send({"op": "ack", "ids": tuple(execution_ids)})

    def send(self, message: Message) -> None:
        """Pass a message on; a link that has broken drops it (what matters is sent again on the next connection)."""
        link = self._link
        if link is None or self._closed.is_set():
            return
        try:
            link.send(message)
        except LinkError:
            pass  # the link's own report says so, and why

    def _recall_deferred(self, execution_id: str) -> bool:
        """True if the start was still waiting for its packages: it will not be sent any more."""
        with self._lock:
            if execution_id not in self._deferred:
                return False
            self._deferred.discard(execution_id)
        self._post(ev.ExecutionRecalled(self.node_id, execution_id))
        return True

    def _prepare(self, command: PrepareNode, error: str | None) -> None:
        """`error`: why its packages cannot be had."""
        if self._closed.is_set():
            return  # the next connection prepares the node again
        if error is None and command.images is not None:
            error = self._bring_images(command.images)
            if self._closed.is_set():
                return
        if error is None and command.start is not None:
            self._send_start(command.start)
        self._post(ev.NodePrepared(self.node_id, error))

    def _bring_images(self, images: Message) -> str | None:
        """Why they cannot be had, if so."""
        try:
            opened = self._equipment.opened(images) if self._equipment is not None else images
        except VaultError as exc:
            return f"images of containers: {exc}"
        return self._packages.bring_images(opened)

    def _start_deferred(self, command: StartExecution, error: str | None) -> None:
        """As `_prepare`."""
        key = command.execution_id
        with self._lock:
            if key not in self._deferred or self._closed.is_set():
                return  # recalled, or the next connection sends it again
            self._deferred.discard(key)
            if error is None:
                # under the lock: a kill that comes now must follow the start, not overtake it
                self._send_start(command)
                return
        self._failed(key, "ApplicationPackageError", error)

    def _send_start(self, command: StartExecution) -> None:
        """Secrets and the address of the door are put in here: commands hold neither."""
        door = self._link.door if self._link is not None else None
        try:
            if self._equipment is not None:
                message = self._equipment.message(command, door)
            else:
                message = through_door(start_message(command), door)
        except NoDoor as error:
            self._failed(command.execution_id, UNAVAILABLE, str(error))
        except VaultError as error:
            self._failed(command.execution_id, error.code, str(error))
        else:
            self.send(message)

    def _failed(self, execution_id: str, code: str, message: str) -> None:
        """It could not be started at all."""
        self._post(ev.Outcome(self.node_id, execution_id, None, self._clock.now(), None, error=(code, message)))

    # -- messages ----------------------------------------------------------------------------------------------

    def messages(self, batch: Iterable[Message]) -> None:
        """What the agent says (the link's reader thread)."""
        for message in batch:
            if self._closed.is_set():
                return
            try:
                self._message(message)
            except (KeyError, TypeError, ValueError) as exc:
                self._broken(exc)

    def _message(self, message: Message) -> None:
        match message["op"]:
            case "hello":
                damages = frozenset(map(str, message.get("damages") or ()))
                self._hello(message["executions"], message.get("boot", ""), damages)
            case "started":
                self._post(ev.ExecutionStarted(self.node_id, message["id"], message["time"]))
            case "finished":
                self._outcomes.finished(message)
            case "coordinated":
                self._post(ev.ExecutionCoordinated(self.node_id, message["id"]))
            case "lost":
                self._post(ev.ExecutionLost(self.node_id, message["id"], message["reason"]))
            case "usage":
                self._condition.usage(message)
            case "notice":
                self._condition.notice(message["at"])
            case "recalled":
                self._post(ev.ExecutionRecalled(self.node_id, message["id"]))
            case "installed" | "install-failed":
                self._packages.reply(message)
            case "configure-failed":
                self.closed(message["message"])
            case "error":
                log.error("node %s: its agent says: %s", self.node_id, message["message"])

    def _hello(self, known: list[Message], boot: str, damages: frozenset[str]) -> None:
        # before anything that is started because of this event
        self.send(through_door(self._configured(), self._link.door if self._link is not None else None))
        keys = frozenset(x["id"] for x in known)
        self._post(ev.NodeConnected(self.node_id, self._connection, keys, str(boot or ""), damages))
        for execution in known:
            if execution["state"] == "running":
                self._post(ev.ExecutionStarted(self.node_id, execution["id"], execution["time"]))
                if execution.get("coordinated"):
                    self._post(ev.ExecutionCoordinated(self.node_id, execution["id"]))
            elif execution["state"] == "finished":
                self._outcomes.finished(execution)

    def _configured(self) -> Message:
        """The first message; an account whose password cannot be had has none."""
        if self._equipment is None:
            return self._configuration
        try:
            return {**self._configuration, "users": self._equipment.users(self._configuration["users"])}
        except VaultError as exc:
            log.error("node %s: its user accounts get no passwords: %s", self.node_id, exc)
            return {**self._configuration, "users": without_passwords(self._configuration["users"])}
