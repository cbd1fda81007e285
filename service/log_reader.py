"""Prints an execution's output: all there is, the end of it, or as it grows (like `tail -f`, until it has ended)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from runner import Output

from .file_trees import NO_CONTROLLER, TreeError
from .iso8601 import format_instant
from .log_source import LogSource, Present, attempt_of
from .log_tail import start_of_last_lines
from .remote_files import NoController, RemoteTree

if TYPE_CHECKING:
    import httpx

#: Seconds between two looks at what grows.
_PAUSE = 0.3
_PIECE = 1 << 20

Connect = Callable[[], AbstractContextManager["httpx.Client | None"]]


class LogReader:
    def __init__(self, source: LogSource, connect: Connect, say: Callable[[str], None]) -> None:
        """`say` tells what is no output of the execution itself."""
        self._source = source
        self._connect = connect
        self._say = say
        #: the execution whose bytes were printed, and how many of it were
        self._execution = ""
        self._printed = 0
        self._told: str | None = None

    def print(self, *, follow: bool, tail: int | None, attempt: int | None = None) -> None:
        """The present or last attempt, or another one. Raises TreeError if there is nothing to be read."""
        present = self._source.present()
        if attempt is not None and (attempt != present.attempt or not (present.ended or present.place)):
            self._of_attempt(attempt, present, tail)
            return
        if attempt is None:
            self._say_earlier(present)
        while not present.ended:
            with self._connect() as http:
                if self._told is None and (http is None or (present.place is None and not follow)):
                    self._instead(present, tail, "" if http is not None else f", and {NO_CONTROLLER}")
                    return
                if http is None:
                    self._tell(f"{NO_CONTROLLER} at present; its output goes on when one does (the same `ebbtide run`)")
                elif present.place is None:
                    self._tell(f"{self._source.name} {present.state}: waiting for what it prints")
                else:
                    self._live(http, present, follow, tail)
                    if not follow:
                        return
            time.sleep(_PAUSE)
            present = self._source.present()
        self._rest(present, tail)

    def print_all(self) -> None:
        """What is kept of every attempt, and what the present one has printed so far. Raises TreeError."""
        present = self._source.present()
        kept = {each.number for each in present.earlier}
        for each in present.earlier:
            output = self._source.kept(each.number)
            self._say(f"{self._source.name}, attempt {each.number} on {each.node_id}; {each.reason}")
            self._printed = 0
            if output is not None:
                self._dump(output, None)
        if present.attempt and present.attempt not in kept:
            self._say(f"{self._source.name}, attempt {present.attempt}:")
            self._printed = 0
            self.print(follow=False, tail=None, attempt=present.attempt)

    def _of_attempt(self, attempt: int, present: Present, tail: int | None) -> None:
        output = self._source.kept(attempt)
        if output is None:
            numbers = sorted({*self._source.sizes(), *(each.number for each in present.earlier)} - {0})
            known = ", ".join(map(str, numbers)) or "none"
            text = f"no {self._source.stream} of attempt {attempt} of {self._source.name} is kept; attempts: {known}"
            raise TreeError(404, "FileNotFound", text)
        self._dump(output, tail)

    def _say_earlier(self, present: Present) -> None:
        numbers = [str(each.number) for each in present.earlier if each.number != present.attempt]
        if numbers:
            this = f"{self._source.name}: attempt {present.attempt}"
            earlier = f"of earlier ones too ({', '.join(numbers)}) is kept what they printed: --attempt N, --list"
            self._say(f"{this}; {earlier}")

    def _instead(self, present: Present, tail: int | None, why: str) -> None:
        """It cannot be read at present: what was kept of an attempt before."""
        output = self._source.kept()
        if output is None and not present.execution:
            raise TreeError(404, "TaskFilesUnavailable", f"{self._source.name} {present.state} and has not run yet")
        if output is None:
            text = f"{self._source.name} {present.state}{why}; nothing that it printed is kept yet"
            raise TreeError(409, "TaskFilesUnavailable", text)
        if output.attempt != present.attempt or output.seen is None:
            self._say(f"{self._source.name} {present.state}; this is what an earlier execution of it printed")
        self._dump(output, tail)

    def _live(self, http: httpx.Client, present: Present, follow: bool, tail: int | None) -> None:
        """Print what is there, again and again if `follow`, until the execution ends or its node cannot be read."""
        assert present.place is not None
        tree = RemoteTree(http, *present.place)
        self._told = self._told or ""
        while not present.ended and present.place is not None:
            try:
                size = tree.entry(present.path).size
                execution = tree.execution or present.execution
                if tree.node_id is not None:
                    self._go_on(execution)
                    self._grow(tree, present.path, size, tail)
                    tail = None
            except NoController:
                return
            except TreeError as error:
                if not follow:
                    raise TreeError(error.status, error.code, f"{self._source.name} {present.state}; {error}") from None
                self._tell(f"{self._source.name} {present.state}: waiting for what it prints")
            if not follow:
                return
            time.sleep(_PAUSE)
            present = self._source.present()

    def _grow(self, tree: RemoteTree, path: str, size: int, tail: int | None) -> None:
        """Print what has come since."""
        if tail is not None and not self._printed:
            self._printed = start_of_last_lines(lambda at, length: tree.read(path, at, length), size, tail)
        while self._printed < size and (data := tree.read(path, self._printed, _PIECE)):
            self._write(data)
            self._told = ""

    def _go_on(self, execution: str) -> None:
        """What comes is of this execution."""
        if self._execution and execution != self._execution:
            self._finish(attempt_of(self._execution), attempt_of(execution))
            self._say(f"{self._source.name} was started again; what follows is printed by its next execution")
            self._printed = 0
        self._execution = execution

    def _finish(self, former: int, present: int) -> None:
        """What is left of the attempt that was printed last, and those that came and went unseen."""
        for number in self._source.sizes():
            output = self._source.kept(number) if former <= number < present else None
            if output is None:
                continue
            if number != former:
                self._say(f"{self._source.name} was started again; what follows is printed by attempt {number}")
                self._printed = 0
            self._dump(output, None)

    def _rest(self, present: Present, tail: int | None) -> None:
        """Of what was kept, what has not been printed yet."""
        output = self._source.kept()
        if output is None:
            if self._execution:
                return
            raise TreeError(404, "FileNotFound", self._missing(present))
        if output.attempt in (0, present.attempt):
            self._go_on(present.execution)
        elif self._execution and attempt_of(self._execution) != output.attempt:
            return  # the last one left nothing, and what is kept was printed before
        else:
            self._say(f"{self._source.name} {self._ending(present)}; this is what attempt {output.attempt} printed")
        self._dump(output, tail)

    def _dump(self, output: Output, tail: int | None) -> None:
        """What is kept of it and has not been printed yet."""
        if output.seen is not None:
            when = format_instant(output.seen)
            self._say(f"{self._source.name}: attempt {output.attempt} was not seen to its end; this is as of {when}")
        if output.full:
            self._say(f"{self._source.name}: the disk of its node was full: some of what it printed may be missing")
        kept = self._source.store.kept(output)
        start = output.size - kept
        at = max(0, self._printed - start)
        if tail is not None and not self._printed:
            at = start_of_last_lines(lambda at, n: self._source.store.piece(output, at, n), kept, tail)
        elif kept < output.size and self._printed < start:
            self._cut(output, kept)
        try:
            while data := self._source.store.piece(output, at, _PIECE):
                self._write(data)
                at += len(data)
        except FileNotFoundError as exc:
            raise TreeError(404, "FileNotFound", f"{exc.filename}: the kept output is no longer there") from None

    def _cut(self, output: Output, kept: int) -> None:
        if not kept:
            path = f"the kept {self._source.stream} of {self._source.name}"
            raise TreeError(404, "FileNotFound", f"{path} is no longer there")
        self._say(f"only the last {kept} of {output.size} bytes were kept")

    def _missing(self, present: Present) -> str:
        if present.state.startswith("is "):
            return f"no {self._source.stream} of {self._source.name} is kept"
        return f"{self._source.name} {present.state}"

    def _ending(self, present: Present) -> str:
        if present.state.startswith("is "):
            return f"has printed nothing in its last attempt ({present.attempt}) that is kept"
        return present.state

    def _write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        self._printed += len(data)

    def _tell(self, text: str) -> None:
        """Once, until something else is to be told or printed."""
        if text != self._told:
            self._say(text)
        self._told = text
