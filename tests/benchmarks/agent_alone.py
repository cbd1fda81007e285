"""The node's agent and its supervisors without controller, journal and SSH, over plain pipes:
`python -m tests.benchmarks.agent_alone FOLDER TASKS [task]`. With "task", each task has a user of its own (needs root).

Prints one line of JSON. Outcomes are looked at and acknowledged as a controller does it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from tests.runner.agent.node import Node

from .contenders import TIMEOUT
from .cpu import Measured, Stopwatch
from .product import COMMAND, SLOTS, WARM_UP

_ACKNOWLEDGED = 16
#: Tasks that may wait at the node, as a controller sends them ahead.
_AHEAD = 128


class _Node(Node):
    """Counts outcomes instead of keeping them."""

    def __init__(self, root: Path, name: str, users: bool) -> None:
        super().__init__(root, name)
        self._user = {"user": {"scope": "task"}} if users else {}
        self._room = threading.Semaphore(_AHEAD)
        self._todo = 0
        self._ended: list[str] = []
        self._all = threading.Event()
        self._failed: list[Any] = []

    def _read(self, agent: subprocess.Popen[bytes]) -> None:
        assert agent.stdout is not None
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        for line in agent.stdout:
            message = decode(line)
            op = message["op"]
            if op == "finished":
                self._finished(message)
            elif op != "started":
                with self._news:
                    self.messages.append(message)
                    self._news.notify_all()

    def _finished(self, message: dict[str, Any]) -> None:
        if message["exit"] != 0:
            self._failed.append(message)
        self._ended.append(message["id"])
        self._todo -= 1
        if len(self._ended) == _ACKNOWLEDGED or not self._todo:
            self.say({"op": "ack", "ids": self._ended})
            for _ in self._ended:
                self._room.release()
            self._ended = []
        if not self._todo:
            self._all.set()

    def work_off(self, prefix: str, count: int) -> None:
        self._todo = count
        self._all.clear()
        assert self.agent is not None and self.agent.stdin is not None
        encode = msgspec.json.encode
        for number in range(count):
            self._room.acquire(timeout=TIMEOUT)
            key = f"{prefix}{number}"
            message = {"op": "start", "id": key, "kind": "task", "dir": f"workitems/j/job-1/{key}", "argv": [COMMAND]}
            env = {"AZ_BATCH_JOB_ID": "j", "AZ_BATCH_TASK_ID": key}
            more = {"env": env, "slots": 1, "wall": None, "inline": 65536, **self._user}
            self.agent.stdin.write(encode({**message, **more}) + b"\n")
            if number % 8 == 7 or number == count - 1:
                self.agent.stdin.flush()
        if not self._all.wait(TIMEOUT) or self._failed:
            raise AssertionError(f"of {count} tasks {self._todo} have not ended; failed: {self._failed[:1]}")


def measured(count: int, folder: Path, *, users: bool = False) -> Measured:
    """In a new process and a new folder."""
    more = ["task"] if users else []
    command = [sys.executable, "-m", "tests.benchmarks.agent_alone", str(folder), str(count), *more]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=TIMEOUT).stdout
    return msgspec.json.decode(said, type=Measured)


def run(folder: Path, count: int, users: bool) -> Measured:
    folder.mkdir(mode=0o755)
    node = _Node(folder, f"bench-{os.getpid()}", users)
    try:
        node.connect(SLOTS)
        node.work_off("warm-up", WARM_UP)
        watch, start = Stopwatch(), time.perf_counter()
        node.work_off("t", count)
        return Measured(time.perf_counter() - start, watch.stop().cpu)
    finally:
        node.end()


def closed_to_others(folder: Path) -> str:
    """Why tasks cannot have users of their own there, or ""."""
    if os.getuid():
        return "each task has a user of its own only where the agent is root"
    for path in (folder, *folder.parents):
        if not path.stat().st_mode & 0o001:
            return f"{path} is closed to other users"
    return ""


if __name__ == "__main__":
    found = run(Path(sys.argv[1]), int(sys.argv[2]), "task" in sys.argv[3:])
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
