"""Carries changes from the engine's thread to the view's, so that a slow terminal never slows the engine."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from pools import Changes

from .line import Line, Remark
from .progress import moved
from .tally import Tally
from .task_lines import MANY
from .timeline import Timeline

#: Pause (seconds) between two looks at what has changed; everything in between is shown together.
BEAT = 0.1
#: More changes than this in one beat, and tasks are counted instead of told one by one.
BRIEF = 400
#: Changes that may wait for a terminal that does not take our lines; the oldest beyond that are not shown.
MOST_WAITING = 500_000


class View(Protocol):
    """Shows lines. Used by one thread only."""

    #: how far jobs are is seen without lines that say so
    shows_progress: bool

    def show(self, lines: Sequence[Line], now: float) -> None:
        """Called once a beat, with what is new (which may be nothing)."""

    def close(self) -> None: ...


class Pump:
    def __init__(
        self, timeline: Timeline, view: View, now: Callable[[], float], said: Callable[[str], str] = str
    ) -> None:
        """`said`: as it is to be shown what does not come from tasks."""
        self._timeline = timeline
        self._view = view
        self._now = now
        self._said_as = said
        self._waiting: deque[Changes] = deque()
        self._size = 0
        #: for both of them; held for a moment only, and never while lines are made or shown
        self._lock = threading.Lock()
        self._said: deque[Line] = deque()
        self._told = -math.inf
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="view", daemon=True)

    @property
    def tally(self) -> Tally:
        """To be read after `close`."""
        return self._timeline.tally

    def start(self) -> None:
        self._thread.start()

    def observe(self, changes: Changes) -> None:
        """For the engine: keeps a reference, and that is all."""
        with self._lock:
            self._waiting.append(changes)
            self._size += len(changes)
            while self._size > MOST_WAITING and len(self._waiting) > 1:
                self._size -= len(self._waiting.popleft())

    def say(self, line: Line) -> None:
        """A line that no change tells. Any thread, also from a signal handler."""
        self._said.append(line)

    def close(self) -> None:
        """Show what is left, and let go of the terminal; waits a moment only for one that takes no lines."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5.0)

    def _work(self) -> None:
        while not self._stop.wait(BEAT):
            self._beat()
        self._beat()
        self._view.close()

    def _beat(self) -> None:
        lines: list[Line] = []
        with self._lock:
            batches, self._waiting = self._waiting, deque()
            total, self._size = self._size, 0
        now = self._now()
        # large jobs are told of by their progress, whatever happens
        before = self._timeline.tally.counts_by_job() if total > BRIEF else {}
        for batch in batches:
            lines += self._timeline.tell(batch, now, brief=total > BRIEF)
        if total > BRIEF:
            after = self._timeline.tally.counts_by_job().items()
            text = moved(before, {job_id: counts for job_id, counts in after if counts.total() <= MANY})
            lines += [Line(now, "tasks", text)] if text is not None else []
        if not self._view.shows_progress:
            lines += self._timeline.progress_lines(now)
        while self._said:
            lines.append(self._said.popleft())
        self._view.show([self._shown(line, now) for line in lines], now)

    def _shown(self, line: Line, now: float) -> Line:
        """What happened on a node is heard of later, and by another clock: no line is told with a time before that of
        the line above it (but when the clock is set back), or to come."""
        self._told = min(now, max(self._told, line.time))
        detail = tuple(self._said_as(each) if isinstance(each, Remark) else each for each in line.detail)
        return replace(line, time=self._told, text=self._said_as(line.text), detail=detail)

