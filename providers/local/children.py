"""The commands that a node runs, and the orphans it inherits: started, waited for and killed in one place."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Mapping

from ..processes import MARKER, all_processes, marker_of
from .logins import Login
from .terminal import Terminal

_PR_SET_CHILD_SUBREAPER = 36
#: Of people who log in.
_SHELL = b"/bin/bash" if os.path.exists("/bin/bash") else b"/bin/sh"


class Child:
    """A running command, leader of its own session and process group; `ended` is set once `status` is known.

    `status` is the exit code, or 128 + signal number, as a shell tells it.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self.process = process
        self.ended = threading.Event()
        self.status = 0


class Children:
    """Starts commands and reaps everything. As a subreaper it inherits whatever double-forks below it, so
    that no zombie stays and every descendant can be found by its parent.
    """

    def __init__(self, environment: Mapping[str, str], directory: str, lifeline: int) -> None:
        self._environment = dict(environment)
        self._directory = directory
        self._lifeline = lifeline
        self._lock = threading.Lock()  # held from before a fork until the child is noted
        self._running: dict[int, Child] = {}
        self._started = threading.Semaphore(0)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        threading.Thread(target=self._reap, name="reaper", daemon=True).start()

    def start(self, command: bytes) -> Child:
        """Run `/bin/sh -c command` with pipes. Raises OSError."""
        pipe = subprocess.PIPE
        return self._start([b"/bin/sh", b"-c", command], self._directory, self._environment, None, (pipe, pipe, pipe))

    def enter(self, login: Login, command: bytes | None, terminal: Terminal | None) -> Child:
        """Run a command as somebody who has logged in; None: a shell. Without a terminal, with pipes. Raises
        OSError."""
        argv = [_SHELL, b"-l"] if command is None else [_SHELL, b"-c", command]
        own = {"HOME": login.home, "USER": login.name, "LOGNAME": login.name, "SHELL": _SHELL.decode()}
        environment = {**self._environment, **own}
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        if terminal is None:
            return self._start(argv, login.home, environment, login.uid, (pipe, pipe, pipe))
        path, side = terminal.open(login.uid)
        try:
            environment["TERM"] = terminal.kind
            # the first terminal that the leader of a session opens is the one that it gets signals of
            opened = [b"/bin/sh", b"-c", b'exec <"$0" >"$0" 2>&1; exec "$@"', path.encode(), *argv]
            return self._start(opened, login.home, environment, login.uid, (null, null, null))
        except BaseException:
            terminal.close()
            raise
        finally:
            os.close(side)

    def _start(
        self,
        argv: list[bytes],
        directory: str,
        environment: Mapping[str, str],
        uid: int | None,
        pipes: tuple[int, int, int],
    ) -> Child:
        groups: list[int] | None = None if uid is None else []
        with self._lock:
            process = subprocess.Popen(
                argv,
                bufsize=0,
                cwd=directory,
                env=environment,
                stdin=pipes[0],
                stdout=pipes[1],
                stderr=pipes[2],
                start_new_session=True,
                pass_fds=(self._lifeline,),
                user=uid,
                group=uid,
                extra_groups=groups,
            )
            child = self._running[process.pid] = Child(process)
        self._started.release()
        return child

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:  # none left; an orphan can only come from a child that is yet to start
                self._started.acquire()
                continue
            with self._lock:
                child = self._running.pop(pid, None)
            if child is not None:
                code = os.waitstatus_to_exitcode(status)
                child.status = code if code >= 0 else 128 - code
                child.process.returncode = child.status
                child.ended.set()

    def hang_up(self, child: Child) -> None:
        """Kill the command's process group. What made a session of its own is left alone."""
        with self._lock:
            if child.pid in self._running:  # not reaped: the id is certainly still this group's
                _kill(-child.pid)
                return
        for row in all_processes():  # the leader is gone; its id may have been used again, so look at each one
            if row.group == child.pid and marker_of(row.id.pid) == self._environment[MARKER]:
                _kill(row.id.pid)


def _kill(target: int) -> None:
    try:
        os.kill(target, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # gone, or another user's by now (sudo)
