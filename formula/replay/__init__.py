"""A formula over a recording: what it would have decided in a year, in one call.

    from formula.replay import replay
    year = replay("$TargetDedicatedNodes = min(4, avg($PendingTasks.GetSample(TimeInterval_Hour)));", samples)
    year.dedicated, year.node_hours(), year.errors

Two ways lead to the same answer: arrays (numpy) for all runs at once, where no run reads what the runs before it
decided; else the compiled program, run after run, without what arrays can compute for it beforehand.
"""

from .by_period import Period, periods
from .recording import RecordedSeries, Recording
from .recording_files import read_recording
from .replays import EVERY, Replay, replay

__all__ = [
    "EVERY",
    "Period",
    "RecordedSeries",
    "Recording",
    "Replay",
    "periods",
    "read_recording",
    "replay",
]
