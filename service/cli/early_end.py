"""Commands that compute for long end early with what there is by then: on Ctrl-C, and when the system ends them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .tell import hush, tell


class EarlyEnd:
    """Whether somebody wants it."""

    def __init__(self) -> None:
        #: the signal that said so
        self.number: int | None = None

    def __call__(self) -> bool:
        return self.number is not None

    @property
    def exit_code(self) -> int:
        """As shells tell of programs that the signal has ended; 0 without one."""
        return 0 if self.number is None else 128 + self.number


@contextmanager
def interruptible(then: str) -> Iterator[EarlyEnd]:
    """Was Ctrl-C pressed, or is the system ending us? What comes a second time ends the command at once. `then`: what
    follows the first."""
    wanted = EarlyEnd()

    def ask(number: int, frame: object) -> None:
        wanted.number = number
        restore()
        _unheard(number)
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        tell(f"\nstopping: {then} ({name} once more leaves at once)", err=True)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, *_of_system())}
    try:
        yield wanted
    finally:
        restore()


@contextmanager
def tidied() -> Iterator[None]:
    """Whoever ends us at once, with another signal than Ctrl-C too, leaves no process and no half file behind."""
    before = {number: signal.signal(number, _leave) for number in _of_system()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _of_system() -> list[signal.Signals]:
    """Those that end us, unless whoever started us wants that they do not (as `nohup` does)."""
    return [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]


def _leave(number: int, frame: object) -> None:
    _unheard(number)
    with suppress(OSError):
        os.write(2, f"ebbtide: error: ended by {signal.Signals(number).name}\n".encode())
    raise SystemExit(128 + number)


def _unheard(number: int) -> None:
    """The terminal that hung up takes nothing any more, and what is written to it would be an error."""
    if number == signal.SIGHUP:
        with suppress(OSError):  # what has no descriptor is no terminal
            hush()
