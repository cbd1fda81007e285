"""What a pool's past tells, wherever it is kept: why a run decided what it did, what held at a time, what another
formula would have decided."""

from .at_a_time import Standing, standing_at
from .course import Quiet, course
from .deciding import Decided, decide, needed_metrics, reads_decisions
from .figures import Figures, figures
from .kept import Kept
from .moments import Moment, every, of_runs, period_of
from .run_again import Again, changed, run_again, targets_after, targets_before
from .silence import Silence

__all__ = [
    "Again",
    "Decided",
    "Figures",
    "Kept",
    "Moment",
    "Quiet",
    "Silence",
    "Standing",
    "changed",
    "course",
    "decide",
    "every",
    "figures",
    "needed_metrics",
    "of_runs",
    "period_of",
    "reads_decisions",
    "run_again",
    "standing_at",
    "targets_after",
    "targets_before",
]
