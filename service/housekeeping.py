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
    StoreError,
    tidy_nodes,
)

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
        store: ObjectStore,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._engine = engine
        self._nodes = nodes
        self._clock = clock
        self._retention = Retention(state, settings, journal, store, self._letting_go)
        self._collecting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._stop = threading.Event()
        if settings.running_output_interval:
            threading.Thread(target=self._look_at_outputs, name="outputs", daemon=True).start()

    def begin(self, now: float) -> None:
        """A round in the background, unless one is under way. Never blocks."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._round, name="housekeeping", daemon=True)
            self._thread.start()

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

    def _look_at_outputs(self) -> None:
        interval = self._settings.running_output_interval.total_seconds()
        while not self._stop.wait(interval):
            self._engine().post(LookAtOutputs(interval))

    def _round(self) -> None:
        try:
            gone = self.collect()
            if gone.jobs:
                log.info("%d jobs that ended long ago were forgotten, %d bytes", len(gone.jobs), gone.bytes)
            reserve = self._settings.node_disk_reserve
            tidy_nodes(self._nodes.connected(), self._nodes.files, self._journal, reserve, self._clock.now())
        except (JournalError, StoreError, OSError, TimeoutError) as exc:
            if not self._closed:
                log.warning("what is too old could not be removed, tried again later: %s", exc)

    @contextmanager
    def _letting_go(self, job: OldJob) -> Iterator[bool]:
        """See Retention."""
        engine = self._engine()
        try:
            self._ask(ForgetJob(job.id, job.end_time))
        except ValueError:
            ours = False  # somebody else has deleted it
        else:
            ours = True
        try:
            yield ours
        except BaseException:
            engine.post(JobForgotten(job.id, job.end_time, gone=False))
            raise
        if ours:
            self._ask(JobForgotten(job.id, job.end_time))

    def _ask(self, event: Event) -> None:
        if self._closed:
            raise TimeoutError("the controller ends")
        self._engine().request(event).result(_PATIENCE)
