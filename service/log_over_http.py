"""Prints what a task prints from where only the Batch REST API reaches: all there is, the end of it, or as it grows."""

from __future__ import annotations

import sys
from collections.abc import Callable

from .log_tail import start_of_last_lines
from .remote_files import NoController
from .rest_objects import Objects, Unanswered, View
from .tree import Tree, TreeError

#: Seconds between two looks at what grows: each is a request or two over a network.
_PAUSE = 0.5
_PIECE = 1 << 20
#: In these cases a file is not there yet, or nobody reaches it at present.
_LATER = ("FileNotFound", "TaskFilesUnavailable", "NodeNotReady", "ServerBusy", "OperationTimedOut")


class HttpLog:
    """Of one task. `tree`: its files. `say` tells what is no output of the task itself."""

    def __init__(
        self,
        objects: Objects,
        tree: Tree,
        job_id: str,
        task_id: str,
        stream: str,
        say: Callable[[str], None],
        sleep: Callable[[float], None],
    ) -> None:
        self._objects, self._tree, self._job_id, self._task_id = objects, tree, job_id, task_id
        self._path, self._say, self._sleep = f"{stream}.txt", say, sleep
        #: which execution's bytes were printed, what the server calls it, and how many of it were
        self._execution = ""
        self._header: str | None = None
        self._printed = 0
        self._told = ""

    def print(self, follow: bool, tail: int | None) -> None:
        """Raises TreeError if there is nothing to be read, RequestRefused, and without `follow` Unanswered and
        NoController."""
        while True:
            ended = self._step(follow, tail)
            if ended or not follow:
                return
            self._sleep(_PAUSE)

    def _step(self, follow: bool, tail: int | None) -> bool:
        """Print what has come since; whether the task had ended before."""
        try:
            task = self._objects.one("jobs", self._job_id, "tasks", self._task_id)
        except Unanswered as exc:
            if not (follow and self._execution):
                raise
            return self._wait(f"{exc}; asked again until it answers")
        ended = bool(task["state"] == "completed")
        started = task["executionInfo"].get("startTime", "")
        if not started and not ended:
            # the folder on its node may be that of an attempt before
            return self._not_yet(task, follow)
        try:
            size = self._tree.entry(self._path).size
            if self._has_changed(started):
                return False  # look again: the task is told to have begun anew, too
            self._go_on(started or "-", tail, size)
            self._grow(size)
        except NoController as exc:
            if not follow:
                raise
            return self._wait(f"the server cannot be reached: {exc}; asked again until it answers")
        except TreeError as exc:
            if ended and not self._execution:
                raise TreeError(exc.status, exc.code, f"{exc}{_why(task)}") from None
            if not ended and (not follow or exc.code not in _LATER):
                raise
            return ended or self._not_yet(task, follow)
        return ended

    def _has_changed(self, started: str) -> bool:
        """Are the files of another execution than the task was of, a moment ago?"""
        before, self._header = self._header, self._tree.execution or self._header
        return started == self._execution and before is not None and before != self._header

    def _not_yet(self, task: View, follow: bool) -> bool:
        text = f"task {self._task_id!r} is {task['state']}"
        if not follow:
            raise TreeError(404, "TaskFilesUnavailable", f"{text}; it has printed nothing yet that can be read")
        return self._wait(f"{text}: waiting for what it prints")

    def _wait(self, text: str) -> bool:
        """Told once, until something else is told or printed."""
        if text != self._told:
            self._say(text)
        self._told = text
        return False

    def _go_on(self, execution: str, tail: int | None, size: int) -> None:
        """What comes is of this execution."""
        if execution == self._execution:
            return
        if self._execution:
            self._say(f"task {self._task_id!r} was started again; what follows is printed by its next execution")
            self._printed = 0
        elif tail is not None:
            read = self._tree.read
            self._printed = start_of_last_lines(lambda at, length: read(self._path, at, length), size, tail)
        self._execution = execution

    def _grow(self, size: int) -> None:
        while self._printed < size:
            data = self._tree.read(self._path, self._printed, min(_PIECE, size - self._printed))
            if not data:
                return
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            self._printed += len(data)
            self._told = ""


def _why(task: View) -> str:
    failure = task["executionInfo"].get("failureInfo")
    return f"; it failed: {failure['code']}: {failure['message']}" if failure is not None else ""
