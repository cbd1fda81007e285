"""What commands of the lab do alike: a bar while they compute, an early end that keeps what there is, the report."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..lab.outcome import Outcome

INTERRUPTED = 130


def write_report(outcome: Outcome, out: Path, png: bool) -> None:
    """`outcome.json`, `report.html` and, if wanted, `report.png` in that folder."""
    from ..lab.outcome import write_outcome
    from ..lab.report import NoBrowser, report_page, take_picture

    write_outcome(out / "outcome.json", outcome)
    page = out / "report.html"
    runs = sum(len(run.autoscale.times) for run in outcome.runs)
    with progress("explaining", runs) as bar:
        done = 0

        def explained(count: int) -> None:
            nonlocal done
            done += count
            bar(done, "")

        page.write_text(report_page(outcome, explained=explained), encoding="utf-8")
    click.echo(f"report: {page}", err=True)
    if png:
        try:
            take_picture(page, out / "report.png")
        except NoBrowser as exc:
            raise click.ClickException(str(exc)) from None
        click.echo(f"picture: {out / 'report.png'}", err=True)


@contextmanager
def interruptible(then: str) -> Iterator[Callable[[], bool]]:
    """Was Ctrl-C pressed? Pressed a second time, it ends the command at once. `then`: what follows the first."""
    pressed = False

    def press(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)
        click.echo(f"\nstopping: {then} (Ctrl-C once more leaves at once)", err=True)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int, str], None]]:
    """A bar on standard error, if that is a terminal; to be told how much is done of the length, and what it is at."""
    if not sys.stderr.isatty():
        yield lambda done, what: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr, item_show_func=lambda what: what or "") as bar:

        def tell(done: int, what: str) -> None:
            bar.update(max(0, done - bar.pos), what)

        yield tell
