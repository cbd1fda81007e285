"""What commands of the lab do alike: a bar while they compute, and the report in a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..printable import printable
from .door import BadInput

if TYPE_CHECKING:
    from ..lab.outcome import Outcome


class Folder(click.Path):
    """The value of --out."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":  # which is the current folder for a path
            self.fail("is empty; give the name of a folder", param, ctx)
        return super().convert(value, param, ctx)


def make_folder(out: Path) -> None:
    """With what is missing above it; before anything is computed for it. Raises BadInput."""
    name = printable(str(out))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        why = "is no folder" if os.path.lexists(out) else f"cannot be made: {exc.strerror}"
        raise BadInput(f"--out: {name}: {why}; name a folder that is there, or that can be made") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise BadInput(f"--out: {name}: nothing can be written there; make it writable, or name another folder")


def write_report(outcome: Outcome, out: Path, png: bool) -> None:
    """`outcome.json`, `report.html` and, if wanted, `report.png` in that folder; a picture of an earlier report goes.
    Raises OSError, ClickException."""
    from ..lab.outcome import write_outcome
    from ..lab.report import NoBrowser, report_page, take_picture
    from ..whole_file import write_whole

    page, picture = out / "report.html", out / "report.png"
    write_outcome(out / "outcome.json", outcome)
    runs = sum(len(run.autoscale.times) for run in outcome.runs)
    with progress("explaining", runs) as bar:
        done = 0

        def explained(count: int) -> None:
            nonlocal done
            done += count
            bar(done, "")

        write_whole(page, report_page(outcome, explained=explained).encode())
    click.echo(f"report: {printable(str(page))}", err=True)
    picture.unlink(missing_ok=True)  # now it is one of another page, whether a new one comes to be or not
    if png:
        try:
            take_picture(page, picture)
        except NoBrowser as exc:
            raise click.ClickException(str(exc)) from None
        click.echo(f"picture: {printable(str(picture))}", err=True)


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int, str], None]]:
    """A bar on standard error, if that is a terminal; to be told how much is done of the length, and what it is at."""
    if sys.stderr is None or not sys.stderr.isatty():  # None: it was closed before we began
        yield lambda done, what: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr, item_show_func=lambda what: what or "") as bar:

        def tell(done: int, what: str) -> None:
            with suppress(OSError):  # the terminal may be gone before we are told so
                bar.update(max(0, done - bar.pos), what)

        yield tell
