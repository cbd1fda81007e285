"""Which seed of the storm notices that a build is broken, and how."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType

import pytest

from .minimal import Telling, shrink, tell
from .mutants import OWN, TAKEN, Mutation

#: What a broken build may do instead of telling its story to the end (seconds of real time).
PATIENCE = 60


class EndlessError(RuntimeError):
    """A broken build does not come to an end."""


@dataclass
class Caught:
    name: str
    seeds: int
    telling: Telling | None


def catch(mutation: Mutation, seeds: Iterable[int]) -> Caught:
    """The first seed that notices, and how."""
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        for count, seed in enumerate(seeds, 1):
            telling = _told_in_time(seed)
            if telling.failure is not None:
                return Caught(mutation.__name__, count, telling)
    return Caught(mutation.__name__, count, None)


def _told_in_time(seed: int) -> Telling:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise EndlessError(f"the story goes on after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(PATIENCE)
    try:
        return tell(seed)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def shortest(mutation: Mutation, telling: Telling, retellings: int) -> Telling:
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        return shrink(telling, retellings=retellings)


def table(name: str, seeds: int, say: Callable[[str], None], retellings: int = 60) -> int:
    """A line for each broken build, in Markdown. How many were not noticed."""
    logging.disable(logging.CRITICAL)
    missed = 0
    say("| broken build | seeds | noticed by | incidents | of them needed |\n|---|---|---|---|---|")
    for mutation in _named(name):
        caught = catch(mutation, range(seeds))
        if caught.telling is None:
            missed += 1
            say(f"| `{caught.name}` | {seeds} | NOTHING | | |")
            continue
        before = len(caught.telling.story.incidents)
        short = shortest(mutation, caught.telling, retellings)
        law = caught.telling.law.removeprefix("Broken: ")
        say(f"| `{caught.name}` | {caught.seeds} | {law} | {before} | {len(short.story.incidents)} |")
    return missed


def _named(name: str) -> Iterator[Mutation]:
    for mutation in (*OWN, *TAKEN):
        if name in ("", mutation.__name__):
            yield mutation
