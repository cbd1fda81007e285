"""What the controller does beside its work: forgets what is too old, on the nodes too, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from pools import Clock
from runner import DeleteJob, Engine, Journal, JournalError, NodeEffects, ObjectStore, StoreError, tidy_nodes

from .retention import Retention, Waste
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
        self._retention = Retention(state, settings, journal, store, self._forget_job)
        self._collecting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def begin(self, now: float) -> None:
        """A round in the background, unless one is under way. Never blocks."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._round, name="housekeeping", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Waits for the batch that is being removed, not for the round."""
        self._closed = True
        if self._thread is not None:
            self._thread.join(5.0)

    def collect(self) -> Waste:
        """Remove what need not be kept any longer, and tell what. Raises JournalError, OSError."""
        with self._collecting:
            now = self._clock.now()
            return self._retention.remove(self._retention.find(now), now)

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

    def _forget_job(self, job_id: str) -> None:
        if self._closed:
            raise TimeoutError("the controller ends")
        try:
            self._engine().request(DeleteJob(job_id)).result(_PATIENCE)
        except ValueError:
            pass  # somebody else has deleted it
