"""What one slot runs: takes an execution from its start through its ending to its recorded outcome."""

from __future__ import annotations

import os
import signal
import time

from . import STARTUP, clock, fetch, outcome, processes, wire
from .launch import Execution, LaunchError, launch
from .spool import MAX_PAYLOAD, Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

ROUND = 0.02  # between two rounds of SIGKILL, seconds
GIVE_UP = 10.0  # what does not die by SIGKILL in this time (uninterruptible, or another user's) is left behind
DIR_LIMIT = 800


class Running:
    """The execution of one slot and its spool. `name` is the slot's, `place` its folder.

    A task's descendants are ended before the slot is free again: this process is their subreaper, so as
    long as it has a child, something is left. Without a subreaper they are found by the marker in their
    environment.
    """

    def __init__(self, root: str, name: str, place: str) -> None:
        self._root = root
        self._name = name
        self._marker = "EBBTIDE_SLOT=" + place
        self._place = place
        self._subreaper = processes.become_subreaper("ebbtide-" + name)
        self.spool = Spool(place + "/spool")
        self.base: dict[str, str] = {}
        self.execution: Execution | None = None

    def start(self, message: Message) -> bytes | None:
        """The line to report: `started`, or how it failed. None: the slot is taken by another execution."""
        key = message["id"]
        known = self.spool.outcomes.get(key)
        if known is not None:
            return self.again(known, outcome.MAX_INLINE)
        if self.execution is not None:
            return self._started(self.execution) if self.execution.id == key else None
        begun = clock.now()
        try:
            execution = Execution(message)
            if len(execution.dir) * 6 > DIR_LIMIT and len(wire.encode({"": execution.dir})) > DIR_LIMIT:
                raise ValueError("the path of the folder is too long")
            env = dict(self.base)
            env.update(message.get("env") or ())
            env["EBBTIDE_EXECUTION"] = key
            env["EBBTIDE_SLOT"] = self._place
            self.spool.begin(key, execution.start)
            launch(self._root, execution, env)
        except LaunchError as error:
            return self._failed(key, begun, error.code, str(error))
        except (KeyError, TypeError, ValueError, OSError) as error:
            return self._failed(key, begun, "CommandLaunchFailed", f"the request to start it is bad: {error!r}")
        self.execution = execution
        return self._started(execution)

    def again(self, record: Message, budget: int) -> bytes:
        """The line of a recorded outcome once more, with up to `budget` bytes of output."""
        outputs = outcome.from_files(self._root, record, budget)
        return outcome.line(record, wire.encode(record), outputs)

    def kill(self, key: str, grace: float | None) -> None:
        """SIGTERM to the process group now, SIGKILL to everything after `grace` seconds."""
        execution = self.execution
        if execution is not None and execution.id == key and execution.status is None:
            execution.killed = True
            self._terminate(execution, execution.grace if grace is None else grace)

    def due(self) -> float | None:
        """When `step` has something to do, if no child ends before."""
        execution = self.execution
        if execution is None:
            return None
        return execution.wall_at if execution.kill_at is None else execution.kill_at

    def step(self) -> bytes | None:
        """Reaps children and takes the execution on; the line of its outcome when it has come to its end."""
        execution = self.execution
        children = self._reap(execution)
        if execution is None:
            return None
        if execution.status is None:
            self._limit(execution)
            return None
        if execution.startup:
            children = (execution.killed or execution.timeout) and bool(self._leftovers(execution))
        elif not self._subreaper:
            children = bool(self._leftovers(execution))
        if children and self._end_leftovers(execution):
            return None
        return self._finish(execution)

    def recover(self) -> None:
        """If the supervisor before this one died: ends what it left, records its execution as lost."""
        if self.spool.fresh:
            return
        current = self.spool.current
        if self._name != STARTUP:
            self._sweep(self._marker)
        elif current is not None:
            self._sweep("EBBTIDE_EXECUTION={}".format(current["id"]))
        if current is not None:
            reason = f"the supervisor of slot {self._name} died while it was running"
            self._record({"id": current["id"], "end": clock.now(), "lost": reason}, outcome.NOTHING)

    def end_all(self) -> None:
        """Ends every descendant: the machine has died."""
        until = time.monotonic() + GIVE_UP
        while time.monotonic() < until:
            children = self._reap(None)
            found = processes.descendants(os.getpid()) if children else []
            if not self._subreaper:
                found += processes.marked(self._marker)
            if not found:
                return
            processes.end(found)
            time.sleep(0.001)

    def _reap(self, execution: Execution | None) -> bool:
        """Collects ended children; False if there is none left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            if execution is not None and pid == execution.pid:
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
            processes.end_group(execution.pid, signal.SIGKILL)
            processes.end(self._leftovers(execution))
            execution.kill_at = now + ROUND

    def _terminate(self, execution: Execution, grace: float) -> None:
        at = time.monotonic() + grace
        if execution.kill_at is None or at < execution.kill_at:
            execution.kill_at = at
        if grace > 0:
            processes.end_group(execution.pid, signal.SIGTERM)

    def _leftovers(self, execution: Execution) -> list[int]:
        """What the execution left running. A start task's daemons are only ended if it is killed."""
        if execution.startup:
            return processes.marked("EBBTIDE_EXECUTION=" + execution.id)
        if self._subreaper:
            return processes.descendants(os.getpid())
        return processes.marked(self._marker)

    def _end_leftovers(self, execution: Execution) -> bool:
        """False when it is no use to go on. Inside the grace of a kill they may still save their work."""
        now = time.monotonic()
        if execution.kill_at is None:
            execution.kill_at = now
        if execution.give_up_at is None:
            execution.give_up_at = max(now, execution.kill_at) + GIVE_UP
        if now >= execution.kill_at:
            processes.end(self._leftovers(execution))
            execution.kill_at = now + ROUND
        return now < execution.give_up_at

    def _finish(self, execution: Execution) -> bytes:
        assert execution.status is not None and execution.outputs is not None
        end = clock.now()
        outputs = {}
        sizes = []
        for name, fd in zip(("stdout", "stderr"), execution.outputs):
            outputs[name] = part = outcome.content(fd, execution.inline)
            sizes.append(part["size"])
            os.close(fd)
        status = execution.status
        signalled = os.WIFSIGNALED(status)
        record = {
            "id": execution.id,
            "exit": None if signalled else os.WEXITSTATUS(status),
            "signal": os.WTERMSIG(status) if signalled else None,
            "start": execution.start,
            "end": end,
            "killed": execution.killed,
            "timeout": execution.timeout,
            "usage": execution.usage,
            "error": fetch.failure(f"{self._root}/{execution.dir}/wd") if execution.resources else None,
            "dir": execution.dir,
            "inline": execution.inline,
            "sizes": sizes,
        }
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

    def _started(self, execution: Execution) -> bytes:
        values = (execution.id.encode("ascii"), execution.start, execution.pid)
        return b'{"op":"started","id":"%b","time":%a,"pid":%d}\n' % values

    def _sweep(self, marker: str) -> None:
        until = time.monotonic() + GIVE_UP
        ended: set[int] = set()
        while time.monotonic() < until:
            found = processes.marked(marker)
            ended.update(found)
            # the environment is gone before the files are closed: until then only the id is known
            if not any(processes.alive(pid) for pid in ended):
                return
            processes.end(found)
            time.sleep(ROUND)
