"""What the controller does beside its work: forgets what is too old, on the nodes too, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pools import Clock
from runner import (
    Engine,
    Event,
    ForgetJob,
    JobForgotten,
    Journal,
    JournalError,
    LookAtOutputs,
    NodeEffects,
    ObjectStore,
    tidy_nodes,
)

from .links import Links
from .retention import OldJob, Retention, Waste
from .settings import Settings
from .state import StateDirectory

log = logging.getLogger(__name__)

#: Seconds that the engine may take to let a job go (its journal may be blocked meanwhile).
_PATIENCE = 600.0


class Housekeeping:
    def __init__(
        self,
        state: StateDirectory,
        settings: Settings,
        journal: Journal,
        engine: Callable[[], Engine],
        nodes: NodeEffects,
        links: Links,
        store: ObjectStore,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._engine = engine
        self._nodes = nodes
        self._links = links
        self._clock = clock
        self._retention = Retention(state, settings, journal, store, self._letting_go, nodes.awaits_record)
        self._collecting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._stop = threading.Event()
        if settings.running_output_interval:
            threading.Thread(target=self._look_at_outputs, name="outputs", daemon=True).start()

    def begin(self, now: float) -> None:
        """A round in the background, unless one is under way. Never blocks."""
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._round, name="housekeeping", daemon=True)
            try:
                thread.start()
            except RuntimeError as exc:  # no further thread can be had
                self._put_off(str(exc))
            else:
                self._thread = thread

    def close(self) -> None:
        """Waits for the batch that is being removed, not for the round."""
        self._closed = True
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def collect(self) -> Waste:
        """Remove what need not be kept any longer, and tell what. Raises JournalError, OSError."""
        with self._collecting:
            now = self._clock.now()
            return self._retention.remove(self._retention.find(now), now)

    def forget_nodes(self) -> None:
        """Forget what is remembered of connections to nodes that are gone. Raises JournalError."""
        self._links.sweep(lambda: {node.id for node in self._journal.nodes()})

    def _look_at_outputs(self) -> None:
        interval = self._settings.running_output_interval.total_seconds()
        while not self._stop.wait(interval):
            self._engine().post(LookAtOutputs(interval))

    def _round(self) -> None:
        for part in (self._collect, self.forget_nodes, self._tidy):  # what one cannot do is nothing to the others
            try:
                part()
            except (JournalError, OSError) as exc:
                self._put_off(str(exc))

    def _collect(self) -> None:
        gone = self.collect()
        if gone.jobs:
            log.info("%d jobs that ended long ago were forgotten, %d bytes", len(gone.jobs), gone.bytes)
        if gone.store_error is not None:
            self._put_off(f"checkpoints: {gone.store_error}")

    def _tidy(self) -> None:
        reserve = self._settings.node_disk_reserve
        tidy_nodes(self._nodes.connected(), self._nodes.files, self._journal, reserve, self._clock.now())

    def _put_off(self, why: str) -> None:
        if not self._closed:
            log.warning("what is too old could not be removed, tried again later: %s", why)

    @contextmanager
    def _letting_go(self, job: OldJob) -> Iterator[bool]:
        """See Retention."""
        try:
            ours = self._is_ours(job)
            yield ours
        except BaseException:
            # also when nobody waited for the answer any longer: it may have been granted since, or will be
            self._engine().post(JobForgotten(job.id, job.end_time, gone=False))
            raise
        if ours:
            self._ask(JobForgotten(job.id, job.end_time))

    def _is_ours(self, job: OldJob) -> bool:
        try:
            self._ask(ForgetJob(job.id, job.end_time))
        except ValueError:
            return False  # somebody else has deleted it
        return True

    def _ask(self, event: Event) -> None:
        if self._closed:
            raise TimeoutError("the controller ends")
        engine = self._engine()
        try:
            engine.request(event).result(_PATIENCE)
        except TimeoutError:
            why = engine.blocked or "it is busy"
            raise TimeoutError(f"the controller has not answered for {_PATIENCE:.0f} s: {why}") from None
