"""Choosing the view: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from runner import DoneTotals

from ..clock import now
from ..hints import pasteable
from .line import Line
from .plain import PlainView
from .pump import Pump, View
from .tally import Tally
from .timeline import Timeline


def open_pump(
    tables: Mapping[str, Iterable[Any]],
    done: Mapping[str, DoneTotals],
    start: float,
    state: Path,
    *,
    as_json: bool,
    plain: bool,
) -> Pump:
    """`tables`: what is there before the first change; `done`: and what the completed tasks of each job came to, which
    are not in the tables. `as_json` keeps standard output for the object."""
    stream = sys.stderr if as_json else sys.stdout
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    timeline = Timeline(Tally(start))
    timeline.load(tables)
    for job_id, totals in done.items():
        timeline.tally.known_done(job_id, totals)
    view: View
    if terminal and not plain:
        from .live import LiveView  # rich takes a while to import: only who looks pays

        view = LiveView(stream, timeline, start)
    else:
        view = PlainView(stream, start, colour=terminal and not os.environ.get("NO_COLOR"))
    pump = Pump(timeline, view, now, partial(pasteable, state=state))
    if timeline.tally.jobs or timeline.tally.pools:
        pump.say(Line(start, "ebbtide", _resumes(timeline.tally)))
    _take_logs(pump)
    return pump


def _resumes(tally: Tally) -> str:
    tasks = tally.task_counts()
    left = tasks["active"] + tasks["preparing"] + tasks["running"]
    done = tasks["succeeded"] + tasks["failed"]
    counts = f"pools {len(tally.pools)}, nodes {len(tally.nodes)}, jobs {len(tally.jobs)}, open tasks {left}"
    counts += f", completed {done}" if done else ""
    return f"goes on from the state as it is: {counts}"


class _Handler(logging.Handler):
    def __init__(self, pump: Pump) -> None:
        super().__init__(logging.WARNING)
        self._pump = pump

    def emit(self, record: logging.LogRecord) -> None:
        self._pump.say(Line(record.created, record.levelname.lower(), record.getMessage(), "bad"))


def _take_logs(pump: Pump) -> None:
    """Warnings become lines of the view: written past it they would tear a live view."""
    root = logging.getLogger()
    if os.environ.get("EBBTIDE_DEBUG"):
        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
        return
    root.handlers[:] = [_Handler(pump)]
    # what it has to say about broken connections the runner says better
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
