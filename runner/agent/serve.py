"""The agent: between the controller (JSON lines on stdin and stdout) and the supervisors of this node.

It holds nothing that must survive: what runs and what came of it is the supervisors', what waits is the
controller's to send again. So it may be killed at any time; the next one takes over.
"""

from __future__ import annotations

import os
import select
import sys
import time

from . import JOB, PRIVATE, STARTUP, VERSION, users, wire
from .assignments import Assignments
from .heard import Heard
from .install import Installer
from .slot_link import LOOK, SlotLink
from .takeover import boot_id, hold_root
from .usage import Meter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .notices import Watch
    from .wire import Message

TICK = 0.01  # under load, lines for the controller leave this often; when it is quiet, at once
FAILED = {"install": "install-failed", "configure": "configure-failed"}
HIGH_WATER = 16 << 20  # so many bytes may wait for a slow controller before the supervisors have to


class Agent:
    """One per connection. `lifeline`: a descriptor that the supervisors watch, or None."""

    def __init__(self, root: str, lifeline: int | None) -> None:
        self._boot = boot_id()
        self._root = root
        self._lifeline = lifeline
        self._slots: dict[int, SlotLink] = {}  # by descriptor
        self._base: bytes | None = None
        self._out = wire.Outbox(1)
        self._say = self._out.put
        self._work = Assignments(self._say)
        self._flush_at = 0.0
        self._look_at = 0.0  # at the supervisors
        self._joined: set[str] = set()
        self._input = False
        self._greeted = False  # nothing leaves before hello
        self._poll = select.poll()
        self._installer = Installer(root)
        self._meter: Meter | None = None
        self._watch: Watch | None = None
        self._heard = Heard(root)

    def run(self) -> None:
        """Returns when the controller hangs up."""
        os.set_blocking(1, False)
        place = f"{self._root}/{PRIVATE}/slots"
        os.makedirs(place, 0o700, exist_ok=True)
        for name in sorted(os.listdir(place), key=lambda name: (len(name), name)):
            self._join(SlotLink(self._root, name))
        while not all(slot.ready for slot in self._slots.values()):
            self._turn()
        self._heard.touch()
        self._hello()
        lines = wire.Lines()
        self._poll.register(0, select.POLLIN)
        while self._turn():
            if self._input:
                data = os.read(0, 1 << 18)
                if not data:
                    return
                self._heard.touch()
                for line in lines.feed(data):
                    self._handle(line)

    # -- the loop

    def _turn(self) -> bool:
        """Waits for something and handles it, but for the controller's input. False: that one is gone."""
        self._input = False
        for slot in self._slots.values():
            self._poll.modify(slot.fd, select.POLLIN | select.POLLOUT if slot.blocked else select.POLLIN)
        for fd, event in self._poll.poll(self._patience()):
            if fd == 0:
                self._input = True
            elif fd in self._slots:
                slot = self._slots[fd]
                if event & select.POLLOUT:
                    slot.flush()
                self._reports(slot)
            elif fd == self._installer.fd:
                self._poll.unregister(fd)
                self._say(wire.encode(self._installer.result()))
                self._install()
        self._look_around()
        return self._flush()

    def _look_around(self) -> None:
        """What is looked at from time to time, beside the work."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK
            for slot in self._slots.values():
                slot.end_if_stuck()
        if self._meter is not None and not self._meter.patience():
            self._say(wire.encode(self._meter.measure()))
        if self._watch is not None:
            at = self._watch.turn()
            if at is not None:
                self._say(wire.encode({"op": "notice", "at": at}))

    def _patience(self) -> int:
        """Milliseconds until there is something to do, if nothing happens before."""
        waits = [self._pause(), max(0, int((self._look_at - time.monotonic()) * 1000) + 1)]
        waits += [other.patience() for other in (self._meter, self._watch) if other is not None]
        return min(wait for wait in waits if wait is not None)

    def _pause(self) -> int | None:
        if self._out.size and self._greeted:
            return max(0, int((self._flush_at - time.monotonic()) * 1000) + 1)
        if any(slot.acks for slot in self._slots.values()):
            return int(TICK * 1000)
        return None

    def _flush(self) -> bool:
        now = time.monotonic()
        if now < self._flush_at:
            return True
        for slot in self._slots.values():
            if slot.acks:
                slot.flush()
        if self._out.size and self._greeted:
            try:
                done = self._out.flush()
                while not done and self._out.size > HIGH_WATER:
                    select.select((), (1,), ())
                    done = self._out.flush()
            except OSError:
                return False
            self._flush_at = now + TICK
        return True

    # -- supervisors

    def _join(self, slot: SlotLink) -> None:
        slot.join(self._lifeline)
        self._slots[slot.fd] = slot
        self._poll.register(slot.fd, select.POLLIN)
        if self._base is not None:
            slot.send(self._base)

    def _reports(self, slot: SlotLink) -> None:
        joining, before, known = not slot.ready, slot.running, slot.unacked
        lines = slot.receive()
        if lines is None:
            self._poll.unregister(slot.fd)
            del self._slots[slot.fd]
            slot.died()
            self._join(slot)
            return
        if joining and slot.ready:
            if slot.name in self._joined:
                self._work.rejoined(slot, before, known)
            else:
                self._joined.add(slot.name)
                self._work.joined(slot)
        if lines:
            self._work.reported(slot, lines)

    # -- the controller

    def _hello(self) -> None:
        executions: list[Message] = []
        lost = []
        told = {}  # outcomes; also those that came while other supervisors had yet to tell their state
        coordinated = set()
        reports = [line for slot in self._slots.values() for line in slot.reports]
        for line in [*reports, *self._out.take()]:
            op, key = wire.head_of(line)
            if op == b"coordinated":
                coordinated.add(key)
            elif op != b"started":
                told[key] = line
        for slot in self._slots.values():
            state = slot.running_state
            if state is not None and state["id"] not in told:
                waits = state.get("coordinated", False) or state["id"] in coordinated
                known = {"id": state["id"], "state": "running", "pid": state["pid"], "time": state["time"]}
                executions.append({**known, "coordinated": True} if waits else known)
            slot.reports = []
        for line in told.values():
            outcome = wire.decode(line)
            if outcome["op"] == "lost":
                lost.append(wire.encode(outcome))
                continue
            outcome["state"] = outcome.pop("op")
            executions.append(outcome)
        self._work.tasks.hold_again()
        hello = {
            "op": "hello",
            "version": VERSION,
            "python": ".".join(str(part) for part in sys.version_info[:3]),
            "root": self._root,
            "boot": self._boot,
            "slots": len(self._work.tasks.slots),
            "executions": executions,
            "damages": self._work.damages(self._slots.values()),
        }
        self._say(wire.encode(hello))
        for line in lost:
            self._say(line)
        self._greeted = True

    def _handle(self, line: bytes) -> None:
        try:
            message = wire.decode(line)
            self._obey(message["op"], message, line)
        except (ValueError, KeyError, TypeError) as error:
            text = "bad message: {!r} in {}".format(error, line[:200].decode("ascii", "replace"))
            self._say(wire.encode({"op": "error", "message": text}))
        except OSError as error:  # no descriptor, process or memory is to be had: what runs must go on
            op = message["op"]
            answer = {"op": FAILED.get(op, "error"), "message": f"cannot {op}: {os.strerror(error.errno or 0)}"}
            self._say(wire.encode({**answer, "id": message["id"]} if "id" in message else answer))

    def _obey(self, op: str, message: Message, line: bytes) -> None:
        if op == "start":
            if message.get("kind") == "startup":
                self._supervise([STARTUP])
            elif message.get("kind") == "job":
                self._supervise_job()
            self._work.start(message, line)
        elif op == "ack":
            self._work.ack(message["ids"])
        elif op == "kill":
            self._work.kill(message["id"], line)
        elif op == "proceed":
            self._work.proceed(message["id"], line)
        elif op == "recall":
            self._work.recall(message["ids"])
        elif op == "install":
            self._installer.put(message)
            self._install()
        elif op == "configure":
            self._configure(message)
        elif op == "ping":
            self._say(wire.encode({"op": "pong", "n": message.get("n")}))
        else:
            raise ValueError("unknown op")

    def _configure(self, message: Message) -> None:
        who = users.survey(self._root, message.get("users") or {}, self._lifeline)
        more = {"grace": float(message["grace"])} if "grace" in message else {}
        self._installer.env = {**os.environ, **message["env"]}
        self._base = wire.encode({"op": "base", "env": self._installer.env, "users": who, **more})
        for slot in self._slots.values():
            slot.send(self._base)
        self._supervise([str(number) for number in range(int(message["slots"]))])
        self._work.tasks.width = sum(slot.name.isdigit() for slot in self._slots.values())
        if "usage" in message:
            self._meter = Meter(self._root, float(message["usage"]))
        if message.get("notices") is not None:
            from .notices import Watch  # most nodes need none

            self._watch = Watch(message["notices"], self._poll)

    def _supervise(self, names: list[str]) -> None:
        """Sees to it that these slots have supervisors."""
        there = {slot.name for slot in self._slots.values()}
        try:
            for name in names:
                if name not in there:
                    self._join(SlotLink(self._root, name))
        except OSError as error:
            text = f"cannot start the supervisor of slot {name}: {os.strerror(error.errno or 0)}"
            self._say(wire.encode({"op": "configure-failed", "message": text}))

    def _supervise_job(self) -> None:
        """One more supervisor for tasks of jobs beside their tasks, if all are busy; at most as many as task slots."""
        there = sum(slot.name.startswith(JOB) for slot in self._slots.values())
        if there < max(1, self._work.tasks.width) and self._work.jobs.cramped():
            self._supervise([f"{JOB}{there}"])

    def _install(self) -> None:
        for answer in self._installer.start():
            self._say(wire.encode(answer))
        if self._installer.fd >= 0:
            self._poll.register(self._installer.fd, select.POLLIN)


def serve(root: str, lifeline: int | None) -> None:
    """Takes the node over from an older agent and serves the controller until it hangs up."""
    held = hold_root(root)
    try:
        Agent(root, lifeline).run()
    finally:
        os.close(held)
