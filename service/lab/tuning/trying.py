"""Where trials run: in this process, or in several beside it. What they give is the same."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from typing import Protocol

from ..scenario import World
from .measuring import Measured, Part, measured

#: Seconds between two looks at whether somebody wants it to stop.
_LOOK = 0.2


class Trying(Protocol):
    def each(self, part: str, texts: Sequence[str]) -> Iterator[tuple[int, Measured]]:
        """Every formula on that part: the number of the text, and what it came to, as they end. Those are missing that
        were not done when somebody wanted it to stop."""
        ...


class Here:
    def __init__(self, world: World, parts: Mapping[str, Part], stopped: Callable[[], bool]) -> None:
        self._world, self._parts, self._stopped = world, parts, stopped

    def each(self, part: str, texts: Sequence[str]) -> Iterator[tuple[int, Measured]]:
        for number, text in enumerate(texts):
            found = measured(self._world, self._parts[part], text, self._stopped)
            if found is None:
                return
            yield number, found


class InProcesses:
    """Raises BrokenProcessPool if the system has ended one of them."""

    def __init__(self, pool: ProcessPoolExecutor, stopped: Callable[[], bool]) -> None:
        self._pool, self._stopped = pool, stopped

    def each(self, part: str, texts: Sequence[str]) -> Iterator[tuple[int, Measured]]:
        open_ones: dict[Future[Measured], int] = {}
        with _unended():
            for number, text in enumerate(texts):
                open_ones[self._pool.submit(_measured, part, text)] = number
        while open_ones:
            if self._stopped():
                return
            done, _ = wait(open_ones, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in done:
                yield open_ones.pop(future), future.result()


@contextmanager
def trying(world: World, parts: Mapping[str, Part], jobs: int, stopped: Callable[[], bool]) -> Iterator[Trying]:
    """By so many processes; with one, in this process itself."""
    if jobs == 1:
        yield Here(world, parts, stopped)
        return
    others = set(active_children())
    with _unended():  # it begins a process of its own, too
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (world, parts))
    ended = False
    try:
        yield InProcesses(pool, stopped)
        ended = not stopped()
    finally:
        if not ended:
            # Nobody waits for what they compute. They share no lock with this process that could be left locked.
            for process in set(active_children()) - others:
                process.kill()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _unended() -> Iterator[None]:
    """Processes that begin here never hear of Ctrl-C, SIGTERM and SIGHUP, which go to all of a terminal or a service;
    this one hears of them after."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in the processes ------------------------------------------------------------------------------------------------

_work: tuple[World, Mapping[str, Part]] | None = None


def _begin(world: World, parts: Mapping[str, Part]) -> None:
    global _work
    _work = (world, parts)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody waits for what a process computes whose parent was killed."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _measured(part: str, text: str) -> Measured:
    assert _work is not None
    world, parts = _work
    found = measured(world, parts[part], text, lambda: False)
    assert found is not None
    return found
