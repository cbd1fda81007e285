"""The plain view: one line for each thing that happened, for files, pipes and continuous integration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

import click

from .line import Line

_COLOURS = {"good": "green", "bad": "red", "quiet": "bright_black"}
_SUBJECT = 36


def rendered(line: Line, start: float, *, colour: bool) -> str:
    """`  12.3s  pool mainPool              has 1 node`, and the detail below."""
    head = f"{max(0.0, line.time - start):8.1f}s  "
    text = line.text
    if colour and line.tone:
        text = click.style(text, fg=_COLOURS[line.tone])
    lines = [f"{head}{line.subject:<{_SUBJECT}}  {text}"]
    lines += [f"{'':11}| {detail}".rstrip() for detail in line.detail]
    return "\n".join(lines)


class PlainView:
    shows_progress = False

    def __init__(self, stream: TextIO, start: float, *, colour: bool) -> None:
        self._stream = stream
        self._start = start
        self._colour = colour
        self._broken = False

    def show(self, lines: Sequence[Line], now: float) -> None:
        if not lines or self._broken:
            return
        text = "\n".join(rendered(line, self._start, colour=self._colour) for line in lines)
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._broken = True  # nobody reads any more; the work goes on all the same

    def close(self) -> None:
        pass
