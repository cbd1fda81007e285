from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .door import BadInput
from .options import json_option

if TYPE_CHECKING:
    from ..lab.arrivals import Arranged
    from ..lab.formulas import NamedFormula
    from ..lab.outcome import Outcome
    from ..lab.scenario_file import LoadedScenario

_INTERRUPTED = 130


@click.command()
@click.argument("scenario", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--formula", "formulas", metavar="F", multiple=True, help="A file or a text; in place of the scenario's.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write the report.")
@click.option("--png", is_flag=True, help="Write the report as a picture too.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="In place of the scenario's.")
@json_option
def simulate(
    scenario: Path, formulas: tuple[str, ...], out: Path | None, png: bool, seed: int | None, as_json: bool
) -> None:
    """Run formulas on a workload before anything is paid for: nodes, waiting, evictions and money.

    Ctrl-C ends it early, with a report of what there is by then.
    """
    from dataclasses import replace

    from msgspec import structs

    from ..lab.figures_text import figures_text
    from ..lab.scenario_file import load_scenario
    from ..lab.streams import stream
    from ..lab.workloads import arranged

    if png and out is None:
        raise click.UsageError("--png is written beside the report: give --out DIR")
    loaded = load_scenario(scenario)
    if seed is not None:
        loaded = replace(loaded, spec=structs.replace(loaded.spec, seed=seed))
    chosen = _chosen(formulas) if formulas else loaded.formulas
    if not chosen:
        raise BadInput(f"{scenario}: names no formulas; add some, or give --formula FILE")
    for warning in loaded.warnings:
        click.echo(warning, err=True)
    workload = arranged(loaded, stream(loaded.spec.seed, "arrivals"))
    for note in workload.notes:
        click.echo(f"note: {note}", err=True)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    outcome = _simulated(loaded, workload, chosen)
    if as_json:
        click.echo(outcome.summary())
    else:
        for line in figures_text(outcome):
            click.echo(line)
    if out is not None:
        _write(outcome, out, png)
    if outcome.scenario.stopped_at is not None:
        raise SystemExit(_INTERRUPTED)


def _chosen(given: Sequence[str]) -> Sequence[NamedFormula]:
    """Raises InputError."""
    from ..lab.formulas import given_formula, with_own_names

    return with_own_names([given_formula(each, number) for number, each in enumerate(given, 1)])


def _simulated(loaded: LoadedScenario, workload: Arranged, formulas: Sequence[NamedFormula]) -> Outcome:
    from time import perf_counter

    from ..lab.comparing import compared

    length = max(1.0, workload.arrivals.horizon)
    whole = 1000
    with ExitStack() as stack:
        interrupted = stack.enter_context(_interruptible())
        bar = stack.enter_context(_progress("simulating", whole * len(formulas)))

        def stopped(number: int, seconds: float) -> bool:
            done = whole * number + min(whole, int(whole * seconds / length))
            bar(done, f"{formulas[number].name}")
            return interrupted()

        return compared(loaded.name, loaded.spec, workload, formulas, perf_counter, stopped)


def _write(outcome: Outcome, out: Path, png: bool) -> None:
    from ..lab.outcome import write_outcome
    from ..lab.report import NoBrowser, report_page, take_picture

    write_outcome(out / "outcome.json", outcome)
    page = out / "report.html"
    runs = sum(len(run.autoscale.times) for run in outcome.runs)
    with _progress("explaining", runs) as bar:
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
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Was Ctrl-C pressed? Pressed a second time, it ends the command at once."""
    pressed = False

    def press(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)
        click.echo("\nstopping: the report is of what there is by now (Ctrl-C once more leaves at once)", err=True)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(label: str, length: int) -> Iterator[Callable[[int, str], None]]:
    """A bar on standard error, if that is a terminal; to be told how much is done of the length, and what it is at."""
    if not sys.stderr.isatty():
        yield lambda done, what: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr, item_show_func=lambda what: what or "") as bar:

        def tell(done: int, what: str) -> None:
            bar.update(max(0, done - bar.pos), what)

        yield tell
