"""The supervisor of one slot: a process that runs one execution after another and outlives the agent.

One thread, one poll loop on: the agent's socket, SIGCHLD, and the lifeline (a pipe whose other end lives
as long as the machine does). A new connection replaces the old one at once, whose unread input is
dropped, and is answered with the state; so whatever the old agent sent last has either happened, and is
in that answer, or never will.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time

from . import wire
from .launch import WAITS
from .running import Running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

HOLD = 0.005  # a `started` line waits so long for the `finished` of a short execution to share a write
LONG = 0.05  # an execution that takes longer does not keep the next one waiting: that is given back
REPORT_BUDGET = 1 << 20  # output bytes that ride along when outcomes are reported again


class Supervisor:
    """Speaks for a `Running` with the agent that connects to `listener`. `lifeline`: a descriptor."""

    def __init__(self, name: str, running: Running, listener: socket.socket, lifeline: int | None) -> None:
        self._name = name
        self._running = running
        self._listener = listener
        self._lifeline = lifeline
        self._link: socket.socket | None = None
        self._lines = wire.Lines()
        self._outbox = wire.Outbox(-1)
        self._flush_at = 0.0
        self._blocked = False
        self._next: Message | None = None
        self._return_at = 0.0
        self._poll = select.poll()
        self._wake, wake = os.pipe()
        for fd in (self._wake, wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def run(self) -> None:
        """Returns when the machine has died, with nothing left running."""
        self._running.recover()
        for fd in (self._listener.fileno(), self._wake, self._lifeline):
            if fd is not None:
                self._poll.register(fd, select.POLLIN)
        while True:
            for fd, _event in self._poll.poll(self._patience()):
                if fd == self._wake:
                    os.read(fd, 512)
                elif fd == self._listener.fileno():
                    self._accept()
                elif fd == self._lifeline:
                    self._running.end_all()
                    return
                elif self._link is not None and fd == self._link.fileno():
                    self._receive(self._link)
            line = self._running.step()
            if line is not None:
                self._say(line)
            if self._next is not None:
                self._follow_up(self._next)
            if self._outbox.size and time.monotonic() >= self._flush_at:
                self._flush()

    def _patience(self) -> int | None:
        """Milliseconds until something is due."""
        due = self._running.due()
        if self._next is not None and (due is None or self._return_at < due):
            due = self._return_at
        if self._outbox.size and not self._blocked and (due is None or self._flush_at < due):
            due = self._flush_at
        return None if due is None else max(0, int((due - time.monotonic()) * 1000) + 1)

    def _accept(self) -> None:
        link, _ = self._listener.accept()
        link.setblocking(False)
        self._drop()
        self._link, self._lines, self._outbox = link, wire.Lines(), wire.Outbox(link.fileno())
        self._poll.register(link.fileno(), select.POLLIN)
        execution = self._running.execution
        running = None
        if execution is not None:
            running = {
                "id": execution.id,
                "pid": execution.pid,
                "time": execution.start,
                "slots": execution.slots,
                "coordinated": execution.phase == WAITS,
            }
        spool = self._running.spool
        records = list(spool.outcomes.values())
        state = {"op": "state", "id": self._name, "running": running, "outcomes": len(records)}
        state["damage"] = spool.damage
        self._say(wire.encode(state))
        budget = REPORT_BUDGET
        for record in records:
            line = self._running.again(record, budget)
            budget = max(0, budget - len(line))
            self._say(line)

    def _drop(self) -> None:
        if self._link is not None:
            self._poll.unregister(self._link.fileno())
            self._link.close()
            self._link = None
        self._outbox = wire.Outbox(-1)
        self._blocked = False
        self._next = None  # who gave it is gone, and will give it again

    def _receive(self, link: socket.socket) -> None:
        try:
            data = link.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop()
            return
        for line in self._lines.feed(data):
            message = wire.decode(line)
            self._obey(message["op"], message)

    def _obey(self, op: str, message: Message) -> None:
        if op == "start":
            self._start(message)
        elif op == "ack":
            for key in message["ids"]:
                self._running.spool.ack(key)
        elif self._next is not None and op in ("kill", "recall") and message["id"] == self._next["id"]:
            self._next = None
            self._say(wire.encode({"op": "recalled", "id": message["id"]}))
        elif op == "kill":
            self._running.kill(message)
        elif op == "proceed":
            self._running.proceed(message["id"])
        elif op == "base":
            self._running.base = message["env"]
            self._running.grace = float(message.get("grace", self._running.grace))
            self._running.identities.told = message.get("users") or {}

    def _start(self, message: Message) -> None:
        report = self._running.start(message)
        if report is None:
            self._next = message
            self._return_at = time.monotonic() + LONG
        else:
            self._say(report, HOLD if report.startswith(b'{"op":"started"') else 0.0)

    def _follow_up(self, message: Message) -> None:
        """Starts what was given in advance, or gives it back."""
        if self._running.execution is None:
            self._next = None
            self._start(message)
        elif time.monotonic() >= self._return_at:
            self._next = None
            self._say(wire.encode({"op": "returned", "id": message["id"]}))

    def _say(self, line: bytes, hold: float = 0.0) -> None:
        if self._link is not None:
            self._outbox.put(line)
            self._flush_at = time.monotonic() + hold if hold else 0.0

    def _flush(self) -> None:
        if self._link is None:
            return
        try:
            blocked = not self._outbox.flush()
        except OSError:
            self._drop()
            return
        if blocked != self._blocked:
            self._blocked = blocked
            self._poll.modify(self._link.fileno(), select.POLLIN | select.POLLOUT if blocked else select.POLLIN)
