from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..printable import printable
from .door import BadInput
from .early_end import EarlyEnd, interruptible, tidied
from .lab_work import Folder, make_folder, progress, write_report
from .options import complete_files, json_option
from .tell import heard_or_not

if TYPE_CHECKING:
    from ..lab.arrivals import Arranged
    from ..lab.formulas import NamedFormula
    from ..lab.outcome import Outcome
    from ..lab.scenario import NodeLimits
    from ..lab.scenario_file import LoadedScenario

_ENDLESS = 1_000_000


@click.command()
@click.argument("scenario", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--formula",
    "formulas",
    metavar="F",
    multiple=True,
    shell_complete=complete_files,
    help="A file or a text; in place of the scenario's.",
)
@click.option("--out", type=Folder(), metavar="DIR", help="Write the report.")
@click.option("--png", is_flag=True, help="Write the report as a picture too.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="In place of the scenario's.")
@json_option
def simulate(
    scenario: Path, formulas: tuple[str, ...], out: Path | None, png: bool, seed: int | None, as_json: bool
) -> None:
    """Run formulas on a workload before anything is paid for: nodes, waiting, evictions and money.

    Ctrl-C (or SIGTERM) ends it early, with a report of what there is by then.
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
        raise BadInput(f"{printable(str(scenario))}: names no formulas; add some, or give --formula FILE")
    for warning in loaded.warnings:
        click.echo(warning, err=True)
    workload = arranged(loaded, stream(loaded.spec.seed, "arrivals"))
    for note in workload.notes:
        click.echo(f"note: {note}", err=True)
    if out is not None:
        make_folder(out)
    click.get_current_context().with_resource(tidied())
    with interruptible("the report is of what there is by now") as early:
        outcome = _simulated(loaded, workload, chosen, early)
    # Where a report is to come, it comes also if nobody hears the figures to their end.
    with heard_or_not() if out is not None else nullcontext():
        if as_json:
            click.echo(outcome.summary())
        else:
            # Who is no terminal has all the room there is.
            for line in figures_text(outcome, shutil.get_terminal_size((_ENDLESS, 0)).columns):
                click.echo(line)
    for told in (*_failures(outcome), *_too_many(outcome, loaded.spec.world.quota)):
        click.echo(told, err=True)
    if out is not None:
        write_report(outcome, out, png)
    if outcome.scenario.stopped_at is not None:
        click.echo(_stopped(outcome, chosen), err=True)
        raise SystemExit(early.exit_code)


def _failures(outcome: Outcome) -> Iterator[str]:
    """Of formulas that some runs failed of: how many, and why the first; of those that left tasks undone, why."""
    from ..lab.undone import failed_runs, first_failure, went_no_further, without_target

    for number, run in enumerate(outcome.runs, 1):
        if errors := run.autoscale.errors:
            first, count = min(errors), len(run.autoscale.times)
            told = failed_runs(len(errors), count, first_failure(first, errors[first]))
            yield f"warning: {run.figures.formula}: {told}"
        ended_early = number == len(outcome.runs) and outcome.scenario.stopped_at is not None
        if run.figures.unfinished and not ended_early:
            why = without_target(run.text) or (None if errors else went_no_further(run.figures.unfinished))
            if why is not None:
                yield f"warning: {run.figures.formula}: {why}"


def _too_many(outcome: Outcome, quota: NodeLimits) -> Iterator[str]:
    """Of formulas that asked for more nodes than the simulated cloud has."""
    from ..lab.scenario import MOST_NODES

    for run in outcome.runs:
        made = run.autoscale
        kinds = ("dedicated", quota.dedicated, made.dedicated), ("low-priority", quota.low_priority, made.low_priority)
        for kind, most, targets in kinds:
            if most is None and (asked := max(targets, default=0)) > MOST_NODES:
                had = f"asked for {asked:,} {kind} nodes; the simulated cloud has {MOST_NODES:,} without a quota"
                yield f"warning: {run.figures.formula}: {had}; bound the target, or give the world a quota"


def _stopped(outcome: Outcome, chosen: Sequence[NamedFormula]) -> str:
    """What an early end has left out."""
    from ..lab.report.wording import told_duration

    assert outcome.scenario.stopped_at is not None
    done, last = len(outcome.runs), outcome.runs[-1].figures.formula
    others = f"; not simulated: {', '.join(each.name for each in chosen[done:])}" if chosen[done:] else ""
    return f"stopped early: {last} after {told_duration(outcome.scenario.stopped_at)}{others}"


def _chosen(given: Sequence[str]) -> Sequence[NamedFormula]:
    """Raises InputError."""
    from ..lab.formulas import given_formula, with_own_names

    return with_own_names([given_formula(each, number) for number, each in enumerate(given, 1)])


def _simulated(
    loaded: LoadedScenario, workload: Arranged, formulas: Sequence[NamedFormula], early: EarlyEnd
) -> Outcome:
    from time import perf_counter

    from ..lab.comparing import compared

    length = max(1.0, workload.arrivals.horizon)
    whole = 1000
    with progress("simulating", whole * len(formulas)) as bar:

        def stopped(number: int, seconds: float) -> bool:
            done = whole * number + min(whole, int(whole * seconds / length))
            bar(done, f"{formulas[number].name}")
            return early()

        return compared(loaded.name, loaded.spec, workload, formulas, perf_counter, stopped)
