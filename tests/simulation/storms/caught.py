"""Which seed of the storm notices that a build is broken, and how."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pytest

from .minimal import Telling, shrink, tell
from .mutants import OWN, TAKEN, Mutation


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
            telling = tell(seed)
            if telling.failure is not None:
                return Caught(mutation.__name__, count, telling)
    return Caught(mutation.__name__, count, None)


def shortest(mutation: Mutation, telling: Telling, retellings: int) -> Telling:
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        return shrink(telling, retellings=retellings)


def table(name: str, seeds: int, say: Callable[[str], None], retellings: int = 60) -> int:
    """A line for each broken build, in Markdown. How many were not noticed."""
    logging.disable(logging.CRITICAL)
    missed = 0
    say("| broken build | seeds | noticed by | incidents | of them needed |\n|---|---|---|---|---|")
    for mutation in named(name):
        caught = catch(mutation, range(seeds))
        if caught.telling is None:
            missed += 1
            say(f"| `{caught.name}` | {seeds} | NOTHING | | |")
            continue
        before, law = len(caught.telling.story.incidents), caught.telling.law.removeprefix("Broken: ")
        needed = len(shortest(mutation, caught.telling, retellings).story.incidents) if retellings else ""
        say(f"| `{caught.name}` | {caught.seeds} | {law} | {before} | {needed} |")
    return missed


def named(name: str) -> Iterator[Mutation]:
    """The broken builds of this name; all of them: ""."""
    for mutation in (*OWN, *TAKEN):
        if name in ("", mutation.__name__):
            yield mutation
