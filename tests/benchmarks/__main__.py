"""`make bench`: measures this machine and prints tables. See `python -m tests.benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from . import (
    api_benchmark,
    cloud_benchmark,
    formula_benchmark,
    journal_benchmark,
    replay_benchmark,
    scale_benchmark,
    simulation_benchmark,
    tasks_benchmark,
)
from .descendants import adopt_orphans, end_all, none_left
from .report import Report

DESCRIPTION = "Measure this machine; nothing else should run on it meanwhile."

Benchmark = Callable[[Path, int, bool], Report]

BENCHMARKS: dict[str, Benchmark] = {
    "tasks": lambda folder, rounds, quick: tasks_benchmark.run(
        folder, rounds, tasks_benchmark.QUICK if quick else tasks_benchmark.Counts()
    ),
    "journal": lambda folder, rounds, quick: journal_benchmark.run(folder, rounds, 200 if quick else 20_000),
    "formula": lambda folder, rounds, quick: formula_benchmark.run(
        rounds, formula_benchmark.QUICK if quick else formula_benchmark.Counts()
    ),
    "replay": lambda folder, rounds, quick: replay_benchmark.run(
        rounds, replay_benchmark.QUICK_RUNS if quick else replay_benchmark.RUNS
    ),
    "scale": lambda folder, rounds, quick: scale_benchmark.run(
        folder, rounds, scale_benchmark.QUICK if quick else scale_benchmark.Counts()
    ),
    "cloud": lambda folder, rounds, quick: cloud_benchmark.run(
        folder, rounds, cloud_benchmark.QUICK if quick else cloud_benchmark.Counts()
    ),
    "api": lambda folder, rounds, quick: api_benchmark.run(
        folder, rounds, api_benchmark.QUICK if quick else api_benchmark.Counts()
    ),
    "simulation": lambda folder, rounds, quick: simulation_benchmark.run(rounds, quick),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=DESCRIPTION)
    parser.add_argument("--only", help=f"comma-separated: {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="tiny counts, to see that it works")
    parser.add_argument("--json", action="store_true", help="an object on stdout, the tables on stderr")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where states and databases go")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(BENCHMARKS)
    if unknown := [name for name in chosen if name not in BENCHMARKS]:
        parser.error(f"unknown benchmark {unknown[0]!r}; known: {', '.join(BENCHMARKS)}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    out = sys.stderr if arguments.json else sys.stdout
    reports = _run_all(chosen, arguments, out)
    if arguments.json:
        print(json.dumps({"rounds": arguments.rounds, **{r.name: r.figures for r in reports}}))


def _run_all(chosen: list[str], arguments: argparse.Namespace, out: TextIO) -> list[Report]:
    # Nothing in it is deleted before the end: measured on ext4, folders are made 3 to 6 times as slowly soon
    # after thousands were deleted.
    parent = arguments.folder.absolute()
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    folder.chmod(0o755)  # tasks that have users of their own go through it
    try:
        reports = []
        for name in chosen:
            print(f"== {name} ({_load()} before, {os.cpu_count()} processors)", file=out, flush=True)
            with none_left(name):  # a server of one that is still ending would be taken for a part of the next
                report = BENCHMARKS[name](folder, arguments.rounds, arguments.quick)
            reports.append(report)
            print(f"{report.text()} ({_load()})\n", file=out, flush=True)
        return reports
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


def _load() -> str:
    return f"load average {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
