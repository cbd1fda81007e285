"""What one slot runs: takes an execution from its start through its ending to its recorded outcome."""

from __future__ import annotations

import os
import signal
import time

from . import PRIVATE, STARTUP, after, aftermath, clock, outcome, places, processes, wire
from .identity import Identities, end_all_of, is_private
from .launch import COORDINATES, REMOVES, RUNS, UPLOADS, WAITS, Execution, LaunchError, close, launch, reason, spawn
from .leftovers import ROUND, Leftovers
from .spool import MAX_PAYLOAD, Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

DIR_LIMIT = 800


class Running:
    """The execution of one slot and its spool. `name` is the slot's, `place` its folder.

    A task's descendants are ended before the slot is free again.
    """

    def __init__(self, root: str, name: str, place: str) -> None:
        self._root = root
        self._name = name
        self._place = place
        self.leftovers = Leftovers(name, place)
        if not os.getuid():
            os.setgroups([])  # for all that it will start
        self.spool = Spool(place + "/spool")
        self.base: dict[str, str] = {}
        self.grace = 30.0  # seconds between SIGTERM and SIGKILL, if nothing else is said
        self.identities = Identities(f"{root}/{PRIVATE}")
        self.execution: Execution | None = None

    def start(self, message: Message) -> bytes | None:
        """The line to report: `started`, or how it failed. None: the slot is taken by another execution."""
        key = message["id"]
        known = self.spool.outcomes.get(key)
        if known is not None:
            return self.again(known, outcome.MAX_INLINE)
        if self.execution is not None:
            return self._told(self.execution) if self.execution.id == key else None
        begun = clock.now()
        execution = None
        try:
            execution = Execution(message, self.grace)
            if len(execution.dir) * 6 > DIR_LIMIT and len(wire.encode({"": execution.dir})) > DIR_LIMIT:
                raise ValueError("the path of the folder is too long")
            who = execution.who = self.identities.of(message.get("user") or {}, execution.kind)
            folder = f"{self._root}/{execution.dir}"
            env = dict(self.base)
            if who is not None:
                env.update(who.environment(folder))
            env["EBBTIDE_CHECKPOINT_DIR"] = f"{folder}/{places.CHECKPOINT}"
            env.update(message.get("env") or ())
            env["EBBTIDE_EXECUTION"] = key
            env["EBBTIDE_SLOT"] = self._place
            execution.env = env
            own = who.uid if who is not None and who.private else 0
            self.spool.begin(key, execution.start, own, bool(execution.container))
            launch(self._root, self.base, execution)
        except Exception as error:  # noqa: BLE001 - whatever it is: it ends this execution, and not the supervisor
            if execution is not None:
                close(execution)
            return self._failed(key, begun, *reason(error))
        self.execution = execution
        return self._started(execution)

    def again(self, record: Message, budget: int) -> bytes:
        """The line of a recorded outcome once more, with up to `budget` bytes of output."""
        outputs = outcome.from_files(self._root, record, budget)
        return outcome.line(record, wire.encode(record), outputs)

    def kill(self, message: Message) -> None:
        """SIGTERM to the process group now, SIGKILL to everything after `grace` seconds. What is done for one whose
        command has ended goes on so long.

        `again`: it is run once more, so its checkpoint is saved and its outputs are not."""
        execution = self.execution
        if execution is None or execution.id != message["id"]:
            return
        given = message.get("grace")
        grace = execution.grace if given is None else float(given)
        if execution.status is not None:
            aftermath.cut_short(execution, time.monotonic() + grace)
        else:
            execution.killed = not execution.timeout  # what has begun its end counts
            execution.again = execution.killed and bool(message.get("again"))
            execution.checkpoint = message.get("checkpoint") or execution.checkpoint
            self._terminate(execution, grace)

    def proceed(self, key: str) -> None:
        """Starts the command after its coordination command, once."""
        execution = self.execution
        if execution is None or execution.id != key or execution.phase != WAITS or execution.kill_at is not None:
            return
        execution.phase = RUNS
        try:
            execution.pid = spawn(execution, execution.argv, execution.env)
        except LaunchError as error:
            execution.error = {"code": error.code, "message": outcome.clip(str(error))}
            execution.status = 0

    def due(self) -> float | None:
        """When `step` has something to do, if no child ends before."""
        execution = self.execution
        if execution is None:
            return None
        if execution.phase in (REMOVES, UPLOADS):
            return execution.upload_until
        return execution.wall_at if execution.kill_at is None else execution.kill_at

    def step(self) -> bytes | None:
        """Reaps children and takes the execution on; the line of its outcome when it has come to its end."""
        execution = self.execution
        children = self._reap(execution)
        if execution is None:
            return None
        if execution.phase in (REMOVES, UPLOADS):
            return None if aftermath.goes_on(self._root, execution) else self._finish(execution)
        if execution.phase == COORDINATES and execution.status is not None and self._coordinated(execution):
            return wire.encode({"op": "coordinated", "id": execution.id})
        if execution.status is None:
            self._limit(execution)
            if execution.phase != WAITS or execution.kill_at is None:
                return None
            execution.status = 0  # there is no main process whose end could be waited for
        if self.leftovers.there(execution, children) and self.leftovers.end(execution):
            return None
        return self._ended(execution)

    def recover(self) -> None:
        """If the supervisor before this one died: ends what it left, records its execution as lost."""
        current = self.spool.current
        if self._name != STARTUP:
            self.leftovers.sweep(self.leftovers.marker)
        elif current is not None:
            self.leftovers.sweep("EBBTIDE_EXECUTION={}".format(current["id"]))
        if current is not None:
            if not os.getuid() and self._name != STARTUP and is_private(current.get("uid", 0)):
                end_all_of(current["uid"])  # also what has shed its environment
            if current.get("container"):
                from . import container

                container.sweep(self._root, os.environ, current["id"])
            reason = f"the supervisor of slot {self._name} died while it was running"
            self._record({"id": current["id"], "end": clock.now(), "lost": reason}, outcome.NOTHING)

    def _reap(self, execution: Execution | None) -> bool:
        """Collects ended children; False if there is none left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            if execution is None:
                continue
            if pid == execution.upload_pid:
                execution.upload_pid = 0
                execution.upload_status = status
            elif pid == execution.pid:
                execution.status = status
                execution.usage = {
                    "user": round(usage.ru_utime, 6),
                    "sys": round(usage.ru_stime, 6),
                    "maxrss": usage.ru_maxrss * 1024,
                }

    def _limit(self, execution: Execution) -> None:
        if execution.kill_at is None and execution.wall_at is None:
            return
        now = time.monotonic()
        if execution.kill_at is None:
            if execution.wall_at is not None and now >= execution.wall_at:
                execution.timeout = True
                self._terminate(execution, execution.grace)
        elif now >= execution.kill_at:
            if execution.phase != WAITS:  # the number of the one that has ended may be another's by now
                processes.end_group(execution.pid, signal.SIGKILL)
            processes.end(self.leftovers.of(execution))
            execution.kill_at = now + ROUND

    def _terminate(self, execution: Execution, grace: float) -> None:
        at = time.monotonic() + grace
        if execution.kill_at is None or at < execution.kill_at:
            execution.kill_at = at
        if grace > 0 and execution.phase == WAITS:
            processes.end(self.leftovers.of(execution), signal.SIGTERM)
        elif grace > 0:
            processes.end_group(execution.pid, signal.SIGTERM)

    def _coordinated(self, execution: Execution) -> bool:
        """The coordination command has ended. True: the execution waits for word to go on."""
        if execution.killed or execution.timeout:
            return False
        if execution.fetches and aftermath.fetch_failed(execution):
            return False
        if execution.status:
            message = "the coordination command failed: see its output"
            execution.error = {"code": "CoordinationCommandFailed", "message": message}
            return False
        execution.phase, execution.status = WAITS, None
        return True

    def _ended(self, execution: Execution) -> bytes | None:
        """None of its processes is left: brings away what is to be brought away, then it is finished."""
        execution.end = clock.now()
        execution.disk_full = places.is_disk_full(execution.folder, execution.who)
        return None if aftermath.begin(self._root, self.base, execution) else self._finish(execution)

    def end_all(self) -> None:
        """The machine has died."""
        self.leftovers.end_all()
        if self.execution is not None and self.execution.container:
            from . import container

            container.sweep(self._root, self.base, self.execution.id)

    def _finish(self, execution: Execution) -> bytes:
        assert execution.status is not None and execution.streams is not None
        after.leave(execution)
        outputs = {}
        sizes = []
        for name, fd in zip(("stdout", "stderr"), execution.streams):
            outputs[name] = part = outcome.content(fd, execution.inline)
            sizes.append(part["size"])
        close(execution)
        record = outcome.of(execution, sizes)
        self.execution = None
        return self._record(record, outputs)

    def _failed(self, key: str, begun: float, code: str, message: str) -> bytes:
        record = outcome.not_started(key, begun, clock.now(), code, message)
        return self._record(record, outcome.NOTHING)

    def _record(self, record: Message, outputs: Message) -> bytes:
        payload = wire.encode(record)
        if len(payload) > MAX_PAYLOAD and record.get("error"):
            record = outcome.shortened(record)
            payload = wire.encode(record)
        try:
            self.spool.finish(record, payload)
        except (OSError, ValueError):
            pass  # it is reported from memory; only the death of this process would lose it
        return outcome.line(record, payload, outputs)

    def _told(self, execution: Execution) -> bytes:
        """What was said of a running one, once more."""
        if execution.phase != WAITS:
            return self._started(execution)
        return self._started(execution) + wire.encode({"op": "coordinated", "id": execution.id})

    def _started(self, execution: Execution) -> bytes:
        values = (execution.id.encode("ascii"), execution.start, execution.pid)
        return b'{"op":"started","id":"%b","time":%a,"pid":%d}\n' % values
