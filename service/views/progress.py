"""How far a large job is, how fast it goes, and when it will be done. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import NamedTuple

#: Seconds over which a rate is taken, and between two samples of it.
_WINDOW, _STEP = 60.0, 1.0
#: Seconds between two lines about a job: a twentieth of the time so far, within these.
_SOONEST, _LATEST = 5.0, 300.0


class Standing(NamedTuple):
    """Tasks of a job by what has become of them."""

    waiting: int
    running: int
    succeeded: int
    failed: int

    @property
    def done(self) -> int:
        return self.succeeded + self.failed

    @property
    def total(self) -> int:
        return self.done + self.waiting + self.running

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Standing:
        """`counts` by state, as in JobTally."""
        running = counts.get("running", 0) + counts.get("preparing", 0)
        return cls(counts.get("active", 0), running, counts.get("succeeded", 0), counts.get("failed", 0))


class Progress:
    """Of one job, since `start`."""

    def __init__(self, start: float, done: int) -> None:
        self._start = start
        self._samples: deque[tuple[float, int]] = deque([(start, done)])
        self._told = start
        self._told_done = done

    def note(self, now: float, done: int) -> None:
        """So many tasks are done by now. To be called often; it keeps a bounded number of samples."""
        samples = self._samples
        if now < samples[-1][0]:  # the clock was set back
            samples.clear()
            samples.append((now, done))
        if now - samples[-1][0] >= _STEP:
            samples.append((now, done))
        while len(samples) > 2 and samples[1][0] <= now - _WINDOW:
            samples.popleft()

    def rate(self, now: float, done: int) -> float | None:
        """Tasks a second of late; None as long as nothing has been done."""
        then, before = self._samples[0]
        return (done - before) / (now - then) if now > then and done > before else None

    def due(self, now: float, standing: Standing) -> bool:
        """Is it time for a line? It is then told."""
        pause = min(_LATEST, max(_SOONEST, (now - self._start) / 20))
        news = standing.done != self._told_done
        if not news or not (now - self._told >= pause or now < self._told or standing.done == standing.total):
            return False
        self._told, self._told_done = now, standing.done
        return True

    def text(self, now: float, standing: Standing) -> str:
        """`1,200 of 10,000 done (12 failed), 8 running; 45.0/s, 3 min left`"""
        failed = f" ({standing.failed:,} failed)" if standing.failed else ""
        running = f", {standing.running:,} running" if standing.running else ""
        return f"{standing.done:,} of {standing.total:,} done{failed}{running}{self.pace(now, standing)}"

    def pace(self, now: float, standing: Standing, before: str = "; ") -> str:
        """`45.0/s, 3 min left`, if that is known."""
        rate, left = self.rate(now, standing.done), standing.total - standing.done
        if rate is None or not left:
            return ""
        return f"{before}{told_rate(rate)}, {told_seconds(left / rate)} left"


def told_rate(rate: float) -> str:
    if rate >= 0.1:
        return f"{rate:,.1f}/s" if rate < 100 else f"{rate:,.0f}/s"
    return f"{rate * 60:.1f}/min" if rate * 60 >= 0.1 else f"{rate * 3600:.1f}/h"


def told_seconds(seconds: float) -> str:
    for most, unit, name in ((90, 1, "s"), (90 * 60, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < most:
            return f"{seconds / unit:.0f} {name}" if name != "h" else f"{seconds / unit:.1f} h"
    return f"{seconds / 86400:.1f} days"


def moved(before: Mapping[str, Counter[str]], after: Mapping[str, Counter[str]]) -> str | None:
    """How the tasks of jobs have moved on, in words; None if none has ended. A task that is there no more is no step
    back."""
    done = sum((counts - before.get(job_id, Counter()) for job_id, counts in after.items()), Counter[str]())
    words = ", ".join(f"{done[state]} {state}" for state in ("succeeded", "failed") if done[state])
    if not words:
        return None
    now = sum(after.values(), Counter[str]())
    return f"{words}; {now['running']} running, {now['active'] + now['preparing'] + now['running']} left"
