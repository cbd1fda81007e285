"""One evaluation of a pool's formula as it is kept: with all that is needed to go through it once more."""

from __future__ import annotations

from formula import PoolValues

from .model import AutoScaleRun
from .spec import NodeDeallocationOption


class RecordedRun(AutoScaleRun, frozen=True, kw_only=True, omit_defaults=True):
    """Those of earlier versions have None where nothing was kept."""

    formula: str | None = None
    #: the pool as the formula saw it
    pool: PoolValues | None = None
    #: what came out; of a run that failed, what stood before
    target_dedicated: int | None = None
    target_low_priority: int | None = None
    node_deallocation_option: NodeDeallocationOption | None = None
    #: seconds between two samples
    sample_period: float | None = None
    #: the samples that were visible are those from then to then (Instants); None: there were none
    first_sample: float | None = None
    last_sample: float | None = None
    #: of the random numbers that it drew; None: it drew none
    seed: int | None = None

    @property
    def brief(self) -> AutoScaleRun:
        """What the pool itself tells of it."""
        return AutoScaleRun(self.pool_id, self.timestamp, self.results, self.error)
