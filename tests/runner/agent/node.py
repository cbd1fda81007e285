"""A node without SSH: the real agent and its supervisors, over plain pipes."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runner.agent.interpreter import of_everybody
from runner.agent_bundle import agent_bundle

#: Another Python for the agent, to test those that nodes have.
PYTHON = os.environ.get("EBBTIDE_TEST_NODE_PYTHON", of_everybody())
PATIENCE = 30.0

Message = dict[str, Any]


def wait_until(condition: Callable[[], Any], within: float = PATIENCE) -> Any:
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
    return value


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children(of: int) -> list[int]:
    """Zombies too: what is not among them was waited for."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and parent(int(entry.name)) == of:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


class Node:
    """`root` is the node root. `messages` holds all that the agent said on all connections."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self.messages: list[Message] = []
        self.login: dict[str, str] = {}  # more of the environment that the login shell has
        self._news = threading.Condition()
        self.agent: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._lifeline, self._alive = os.pipe()

    def connect(
        self,
        slots: int | None = 2,
        python: str = PYTHON,
        notices: str | None = None,
        users: Message | None = None,
        **env: str,
    ) -> Message:
        """Brings an agent to life as the controller does; returns its hello."""
        bundle = agent_bundle()
        command, loader = bundle.bootstrap(str(self.root))
        environment = {
            "PATH": os.environ["PATH"],
            "EBBTIDE_NODE": self.name,
            "EBBTIDE_LIFELINE_FD": str(self._lifeline),
            "SECRET": "of the login",
            **self.login,
        }
        agent = self.agent = subprocess.Popen(
            ["/bin/sh", "-c", command.replace("python3", python, 1)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            pass_fds=[self._lifeline],
        )
        assert agent.stdin is not None and agent.stdout is not None
        agent.stdin.write(loader)
        agent.stdin.flush()
        said = agent.stdout.readline().split(b" ", 2)
        if said[1] == b"refuse":
            raise AssertionError(said)
        if said[1].strip() == b"need":
            agent.stdin.write(bundle.packed)
            agent.stdin.flush()
        hellos = sum(1 for m in list(self.messages) if m["op"] == "hello")
        thread = threading.Thread(target=self._read, args=(agent,), daemon=True)
        thread.start()
        self._threads.append(thread)
        hello: Message = self.wait(lambda m: m["op"] == "hello", skip=hellos)
        if slots is not None:
            more = {} if notices is None else {"notices": notices}
            self.say({"op": "configure", "slots": slots, "env": env, "users": users or {}, "grace": 5.0, **more})
        return hello

    def _read(self, agent: subprocess.Popen[bytes]) -> None:
        assert agent.stdout is not None
        for line in agent.stdout:
            if not line.endswith(b"\n"):
                return  # it was killed in the middle of a write
            with self._news:
                self.messages.append(json.loads(line))
                self._news.notify_all()

    def say(self, *messages: Message) -> None:
        assert self.agent is not None and self.agent.stdin is not None
        self.agent.stdin.write(b"".join(json.dumps(m).encode() + b"\n" for m in messages))
        self.agent.stdin.flush()

    def wait(self, wanted: Callable[[Message], bool], within: float = PATIENCE, skip: int = 0) -> Message:
        """The first message (after `skip` ones) that is `wanted`."""
        deadline = time.monotonic() + within
        with self._news:
            while True:
                found = [m for m in self.messages if wanted(m)]
                if len(found) > skip:
                    return found[skip]
                left = deadline - time.monotonic()
                assert left > 0, f"not said in time; the last were {self.messages[-5:]}"
                self._news.wait(left)

    def start(self, key: str, *argv: str, **more: Any) -> None:
        message = {"op": "start", "id": key, "kind": "task", "dir": f"workitems/j/job-1/{key}", "argv": argv}
        self.say({**message, "env": {}, "slots": 1, "wall": None, "inline": 65536, **more})

    def sh(self, key: str, script: str, **more: Any) -> None:
        self.start(key, "/bin/sh", "-c", script, **more)

    def outcome(self, key: str, within: float = PATIENCE, skip: int = 0) -> Message:
        """Its `finished` or `lost`."""
        return self.wait(lambda m: m["op"] in ("finished", "lost") and m["id"] == key, within, skip)

    def started(self, key: str) -> Message:
        return self.wait(lambda m: m["op"] == "started" and m["id"] == key)

    def count(self, op: str, key: str | None = None) -> int:
        return sum(1 for m in list(self.messages) if m["op"] == op and key in (None, m.get("id")))

    def settle(self) -> None:
        """Returns when the agent has answered all that was said before."""
        n = len(self.messages)
        self.say({"op": "ping", "n": n})
        self.wait(lambda m: m["op"] == "pong" and m["n"] == n)

    def folder(self, key: str) -> Path:
        return self.root / "workitems/j/job-1" / key

    def supervisor(self, slot: str) -> int:
        """The living one: when it has died, the next one, as soon as there is one."""
        lock = self.root / ".ebbtide/slots" / slot / "lock"
        found: int = wait_until(lambda: next((pid for pid in map(int, lock.read_text().split()) if alive(pid)), 0))
        return found

    def reaped(self, *slots: str) -> None:
        """Returns when nothing runs in these slots, and their supervisors will tell so whoever asks them."""
        supervisors = [self.supervisor(slot) for slot in slots]
        wait_until(lambda: not any(children(pid) for pid in supervisors))

    def kill_agent(self) -> None:
        assert self.agent is not None
        self.agent.kill()
        self._hang_up()

    def _hang_up(self) -> None:
        agent, self.agent = self.agent, None
        if agent is None:
            return
        assert agent.stdin is not None and agent.stdout is not None
        try:
            agent.stdin.close()
        except BrokenPipeError:
            pass
        agent.wait(PATIENCE)
        self._threads.pop().join(PATIENCE)
        agent.stdout.close()

    def processes(self) -> list[int]:
        """Every living process of this node, found by the mark in its environment."""
        mark = f"EBBTIDE_NODE={self.name}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def die(self) -> None:
        """The machine dies: its lifeline ends."""
        if self._alive >= 0:
            os.close(self._alive)
            os.close(self._lifeline)
            self._alive = -1

    def end(self) -> None:
        ended = set(self.processes())
        self.die()
        self._hang_up()

        def gone() -> bool:
            # a process loses its environment before its files are closed and its folder is left
            ended.update(self.processes())
            return not any(alive(pid) for pid in ended)

        wait_until(gone)
