"""A story that fails, told with as few incidents as it takes: and what was heard and done about what it is about."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from pools import without_collector

from .chances import Incident
from .story import Story

#: So many times a story is told again, at most, to find what can be left out of it.
RETELLINGS = 250
#: And for so many seconds of CPU.
SECONDS = 100.0
#: What a story takes at most (seconds of CPU); the longest of a thousand took two.
PATIENCE = 40.0
#: Lines of what happened to those whom the failure names.
LINES = 40
#: What names a node, or a task, job and their executions.
_NAMES = re.compile(r"node_[0-9a-f]{12}_[dp]|\b[0-9a-f]{12}\b")
Teller = Callable[[int, Iterable[str] | None], Story]


class EndlessError(BaseException):
    """A story does not come to an end; nothing that is told in it catches this."""


@dataclass
class Telling:
    """How one telling went. `failure` is None if all was well."""

    story: Story
    failure: Exception | EndlessError | None

    @property
    def law(self) -> str:
        """What was broken, without the names of whom it happened to."""
        if self.failure is None:
            return ""
        kind, first = type(self.failure).__name__, str(self.failure).partition("\n")[0]
        first = re.sub(r"^seed [0-9]+: | after [0-9]+ s$", "", first)
        if kind == "Broken":
            first = first.partition(":")[0]
        return f"{kind}: {re.sub('[0-9]+', '#', first)[:100]}"


def tell(seed: int, only: Iterable[str] | None = None, teller: Teller = Story, *, trace: bool = False) -> Telling:
    story = teller(seed, only)
    if trace:
        story.sim.trace = []
    try:
        with _in_time(), without_collector():
            story.run()
    except (Exception, EndlessError) as exc:  # noqa: BLE001 - whatever it is, it is what the story is about
        return Telling(story, exc)
    return Telling(story, None)


@contextmanager
def _in_time() -> Iterator[None]:
    """Raises EndlessError. In the main thread alone."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise EndlessError(f"the story goes on after {PATIENCE:.0f} s of CPU")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def shrink(first: Telling, teller: Teller = Story, retellings: int = RETELLINGS) -> Telling:
    """The same failure with as few incidents as are found: first whole kinds are left out, then parts, then each."""
    seed, law = first.story.seed, first.law
    best, left, until = first, [retellings], time.process_time() + SECONDS
    # who waits for work to be done needs those who asked for it
    stuck = "is left" in law or "are left" in law or "not answered" in law

    def without(names: set[str]) -> bool:
        nonlocal best
        if time.process_time() > until:
            left[0] = 0
        if left[0] <= 0 or not names:
            return False
        left[0] -= 1
        kept = {each.name for each in best.story.incidents} - names
        told = tell(seed, kept, teller)
        if told.law == law:
            best = told
            return True
        return False

    def open_to_doubt() -> list[Incident]:
        return [each for each in best.story.incidents if not (stuck and each.kind.startswith("request/"))]

    for kind in sorted({each.kind for each in open_to_doubt()}):
        without({each.name for each in open_to_doubt() if each.kind == kind})
    size = max(1, len(open_to_doubt()) // 2)
    while left[0] > 0:
        shorter = False
        for part in _parts([each.name for each in open_to_doubt()], size):
            shorter = without(part) or shorter
        if size == 1 and not shorter:
            break
        size = size if shorter and size == 1 else max(1, size // 2)
    return tell(seed, [each.name for each in best.story.incidents], teller, trace=True)


def _parts(names: list[str], size: int) -> Iterator[set[str]]:
    """From the end: what comes last is what the others lead to."""
    for start in range(len(names) - size, -size, -size):
        yield set(names[max(0, start) : start + size])


def told(telling: Telling, wide: int = 160) -> str:
    """The story in lines."""
    story, failure = telling.story, telling.failure
    lines = [f"seed {story.seed}: {type(failure).__name__}: {str(failure)[:1500]}" if failure else "all is well"]
    lines += ["", f"{len(story.incidents)} incidents:", *(str(each)[:wide] for each in story.incidents)]
    named = set(_NAMES.findall(str(failure))) if failure else set()
    trace = [line for line in story.sim.trace or () if any(name in line for name in named)]
    if trace:
        lines += ["", f"of {', '.join(sorted(named))}:", *(line[:wide] for line in trace[-LINES:])]
    names = ",".join(each.name for each in story.incidents)
    lines += ["", f"the same again: python -m tests.simulation --seed {story.seed} --only '{names}'"]
    return "\n".join(lines)
