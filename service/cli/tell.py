"""What a command tells people: whether somebody hears it or not, the work goes on."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..hints import pasteable


def tell(text: str, *, err: bool = False) -> None:
    """A line, or lines; the commands in it can be pasted."""
    context = click.get_current_context(silent=True)
    state = context.obj.get("state") if context is not None and context.obj is not None else None
    with heard_or_not():
        click.echo(pasteable(text, state), err=err)


@contextmanager
def heard_or_not() -> Iterator[None]:
    """What is written in here has no reader any more, perhaps; that is no error of what is done."""
    try:
        yield
    except BrokenPipeError:
        if not hush():
            raise


def hush() -> bool:
    """What goes to a reader that has had enough goes nowhere from now on: Python would complain of it once more at its
    end. Whether there is such a one."""
    gone = [stream for stream in (sys.stdout, sys.stderr) if _unread(stream)]
    for stream in gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return bool(gone)


def _unread(stream: Any) -> bool:
    if stream is None:
        return False
    poll = select.poll()
    poll.register(stream.fileno(), 0)  # errors are told in any case
    return bool(poll.poll(0))
