"""The loop: events to the core, changes to the journal, commands to the effects, in this order.

One thread owns the core. Whatever takes time (clouds, SSH, files) happens in the effects' threads and comes back as an
event. No command leaves before the changes that intend it are committed.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from pools import Changes, Clock, Command, PoolError

from .core import Core
from .events import Event, Tick, TimeLost
from .job_errors import JobError
from .journal import JournalError
from .task_model import Task, TaskKey

log = logging.getLogger(__name__)

#: Events handled in one transaction at most.
BATCH = 1000
#: Under load, batches follow each other so many seconds apart: a commit costs as much as ten tasks. When it is quiet,
#: there is no pause.
BEAT = 0.01
#: Somebody who waits for an answer gets it so many seconds later, so that others whose requests are being read get
#: theirs with the same commit; as long as more come, and so often at most.
GATHER, GATHERINGS = 0.0002, 5
#: Pause (seconds) before the journal is tried again after it failed (disk full).
JOURNAL_RETRY = 1.0
#: Longest time (seconds) that the loop waits for an event: a clock that was set back cannot make it sleep for long.
LONGEST_WAIT = 60.0
#: A turn that comes so many seconds later than it should is told to the core.
LATE = 10.0
#: Seconds between two rounds of forgetting what is too old.
HOUSEKEEPING = 3600.0


#: An event, who waits for its answer, and what is asked before it is handled.
_Posted = tuple[Event, Future[Any] | None, Callable[[Core], None] | None]


class Effects(Protocol):
    """Carries out commands in the background and reports by `Engine.post`; never blocks, never raises."""

    def issue(self, command: Command) -> None: ...


class Inbox(Protocol):
    """What waits to be handled; as `queue.SimpleQueue`, which it is outside of tests."""

    def put(self, item: _Posted) -> None: ...
    def get(self, *, timeout: float) -> _Posted: ...
    def get_nowait(self) -> _Posted: ...


class CommitLog(Protocol):
    def commit(self, changes: Changes) -> None: ...
    def task(self, key: TaskKey) -> Task | None: ...


class Engine:
    def __init__(
        self,
        core: Core,
        journal: CommitLog,
        effects: Effects,
        clock: Clock,
        *,
        checkpoint: Callable[[str], None] = lambda _: None,
        housekeep: Callable[[float], None] = lambda _: None,
        observe: Callable[[Changes], None] = lambda _: None,
        inbox: Inbox | None = None,
        pause: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`checkpoint` is told "commit" after each commit, "effect" and the name of its class before each command
        (fault tests hook in here); `housekeep` is called with the time every `HOUSEKEEPING` seconds; `observe` sees
        what was committed. `inbox`, `pause` and `ticks` (seconds since anything): how the loop waits.
        """
        self.core = core
        self._journal = journal
        self._effects = effects
        self._clock = clock
        self._checkpoint = checkpoint
        self._observe = observe
        self._housekeep = housekeep
        self._housekept = self._looked = clock.now()
        self._quiet_until = 0.0
        self._inbox: Inbox = queue.SimpleQueue() if inbox is None else inbox
        self._pause = pause
        self._ticks = ticks
        self.stopping = threading.Event()
        #: called when all answers of a batch are there
        self.on_answered: list[Callable[[], None]] = []
        #: why the journal cannot be written at present
        self.blocked: str | None = None

    def post(self, event: Event) -> None:
        """Report something that happened. Any thread."""
        self._inbox.put((event, None, None))

    def request(self, event: Event, guard: Callable[[Core], None] | None = None) -> Future[Any]:
        """Ask for something: the future is done when that is committed, and holds what the core answered, or the error
        that refused it. `guard` is asked right before, and may raise an error that refuses it.

        Any thread.
        """
        future: Future[Any] = Future()
        self._inbox.put((event, future, guard))
        return future

    def run(self, done: Callable[[], bool]) -> None:
        """Work until `done()` says so (asked after every batch), or `stop` is called."""
        self._looked = self._clock.now()  # what came before, a workload's packages for example, may have taken long
        self.post(Tick())  # what the loaded records intend is begun at once, not at the next timer
        while not self.stopping.is_set():
            self.step()
            if done():
                break

    def stop(self) -> None:
        """Leave `run` after the present batch. Any thread; also from a signal handler."""
        self.stopping.set()
        self.post(Tick())

    def step(self) -> None:
        """One batch: wait for events (or the next timer), handle them, commit, issue the commands."""
        due = self.core.next_due()
        wait = LONGEST_WAIT if due is None else min(max(0.0, due - self._clock.now()), LONGEST_WAIT)
        batch = self._collect(wait)
        now = self._look(wait)
        answered = self._handle(batch, now)
        self.core.settle(now)
        changes, commands = self.core.take()
        if changes:
            self._commit(changes)
            self._checkpoint("commit")
        for future, answer in answered:
            if not future.set_running_or_notify_cancel():
                continue  # whoever asked waits no more; what was asked for is recorded all the same
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        for told in self.on_answered if answered else ():
            told()
        for command in commands:
            self._checkpoint("effect")
            self._checkpoint(type(command).__name__)
            self._effects.issue(command)
        if changes:
            self._quiet_until = self._ticks() + BEAT
            self._observe(changes)
        if now - self._housekept > HOUSEKEEPING:
            self._housekept = now
            self._housekeep(now)

    def _handle(self, batch: Sequence[_Posted], now: float) -> list[tuple[Future[Any], object]]:
        """Who waits for answers, with these: an exception refuses what was asked for."""
        answered: list[tuple[Future[Any], object]] = []
        for event, future, guard in batch:
            mark = self.core.mark()
            try:
                self._recall(event)
                if guard is not None:
                    guard(self.core)
                answer = self.core.handle(event, now)
            except Exception as exc:  # whatever a request's odd arguments lead to is for who asked
                if future is None or self.core.mark() != mark:
                    raise  # half a change: the next controller goes by what is committed
                answered.append((future, _refusal(event, exc)))
            else:
                if future is not None:
                    answered.append((future, answer))
        return answered

    def _recall(self, event: Event) -> None:
        """Completed tasks are not in memory: one that something is asked of is read again. Raises JobError."""
        key = self.core.missing(event)
        try:
            task = self._journal.task(key) if key is not None else None
        except JournalError as exc:
            raise JobError("ServerBusy", f"the state cannot be read at present, ask again: {exc}") from exc
        if task is not None:
            self.core.recall(task)

    def _look(self, waited: float) -> float:
        """The time. If the last turn was too long ago for a wait of so many seconds, the core is told."""
        now = self._clock.now()
        lost, self._looked = now - self._looked - waited, now
        if lost > LATE:
            why = "the clock was set forward, this machine stood still, or the state could not be written"
            log.warning("nothing was done for %.0f s: %s", lost, why)
            self.core.handle(TimeLost(lost), now)
        return now

    def _collect(self, wait: float) -> list[_Posted]:
        try:
            batch = [self._inbox.get(timeout=wait)]
        except queue.Empty:
            return []
        gathered, left = 0, GATHERINGS
        while len(batch) < BATCH:
            try:
                batch.append(self._inbox.get_nowait())
            except queue.Empty:
                if self.stopping.is_set():
                    break
                if any(future is not None for _, future, _ in batch):
                    if gathered == len(batch) or not left:
                        break
                    gathered, left, pause = len(batch), left - 1, GATHER
                else:
                    pause = self._quiet_until - self._ticks()
                if pause <= 0:
                    break
                self._pause(pause)
        return batch

    def _commit(self, changes: Changes) -> None:
        """Write the batch; while that fails (disk full) nothing else happens, and nothing is lost."""
        while True:
            try:
                self._journal.commit(changes)
            except JournalError as exc:
                if self.blocked is None:
                    log.error("the state cannot be written, everything waits: %s", exc)
                self.blocked = str(exc)
                if self.stopping.is_set():
                    raise
                self._pause(JOURNAL_RETRY)
            else:
                if self.blocked is not None:
                    log.warning("the state can be written again")
                self.blocked = None
                return


def _refusal(event: Event, error: Exception) -> Exception:
    """What is told to who asked for the event, which has changed nothing."""
    if isinstance(error, JobError | PoolError):
        return error
    log.error("%s cannot be carried out, nothing has changed", type(event).__name__, exc_info=error)
    return JobError("InternalError", f"this cannot be carried out: {type(error).__name__}: {error}")
