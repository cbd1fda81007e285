"""Formulas: what a run costs, beside the same decision by hand in Python; what compiling costs; and other evaluators.

Processor time, in ratios of neighbours within one round. See `formula_cases` for what is written by hand.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import geometric_mean
from typing import Any

from formula import compile_formula
from formula.checker import check_program
from formula.compiler import Program, compile_program
from formula.parser import parse
from formula.source import Source

from .cpu import Cpu, Measured
from .formula_cases import CASES, NOW, PERIOD, TARGET, Case, Store, full_store, null_store
from .formula_peers import PEERS, LookUps
from .report import Report, table
from .rounds import Row, Spread, run_rounds

DAY, YEAR = 2880, 1_051_200
# The rounds of the other benchmarks take seconds; these are short, and more of them are steadier.
_MORE_ROUNDS = 5


@dataclass(frozen=True)
class Counts:
    """How often each is run in one round: runs, compilations, runs of peers that are slow; and samples of the year."""

    run: int = 3000
    compile: int = 30
    slow: int = 40
    year: int = YEAR


QUICK = Counts(run=20, compile=2, slow=2, year=4 * DAY)


@dataclass
class _Rows:
    """All rows, to be measured together, and pairs of rows by what they compare."""

    rows: list[Row] = field(default_factory=list)

    def add(self, name: str, count: int, action: Callable[..., object], *arguments: Any) -> Row:
        row = Row(name, count, lambda _: _timed(action, arguments, count))
        self.rows.append(row)
        return row


def _timed(action: Callable[..., object], arguments: Sequence[Any], count: int) -> Measured:
    start = time.process_time()
    for _ in range(count):
        action(*arguments)
    seconds = time.process_time() - start
    return Measured(seconds, Cpu(seconds))


def _stores(counts: Counts) -> list[Store]:
    return [null_store(30), full_store("a day", DAY), full_store("a year", counts.year)]


def program_of(text: str) -> Program:
    return compile_program(check_program(parse(Source(text))))


def _check(case: Case, program: Program, counts: Counts) -> None:
    """Raises AssertionError if the three decide differently, on full, thin and empty histories."""
    stores = [*_stores(counts), full_store("thin", DAY, missing=3), full_store("thinner", DAY, missing=2)]
    for store in [*stores, full_store("one", 1), full_store("empty", 0)]:
        arguments = program.arguments(store.samples)
        for back in range(0, 86400, 3607):
            now = NOW - back
            wanted = float(case.by_hand(now, *store.by_hand, TARGET))
            found = program.run(now, PERIOD, None, *arguments)[-1], case.tuned(now, *store.by_hand, TARGET)
            if any(abs(value - wanted) > 1e-9 for value in found):
                raise AssertionError(f"{case.name}, {store.name}, {back} s ago: {wanted} by hand, but {found}")


@dataclass(frozen=True)
class _Run:
    case: Case
    store: str
    generated: Row
    by_hand: Row
    tuned: Row


def _runs(rows: _Rows, counts: Counts) -> list[_Run]:
    runs = []
    for store in _stores(counts):
        for case in CASES:
            program = program_of(case.text)
            name = f"{case.name}, {store.name}"
            generated = (program.run, NOW, PERIOD, None, *program.arguments(store.samples))
            by_hand = (NOW, *store.by_hand, TARGET)
            runs.append(
                _Run(
                    case,
                    store.name,
                    rows.add(name, counts.run, *generated),
                    rows.add(f"{name}, by hand", counts.run, case.by_hand, *by_hand),
                    rows.add(f"{name}, tuned by hand", counts.run, case.tuned, *by_hand),
                )
            )
    return runs


def _run_table(runs: list[_Run], figures: dict[str, Any]) -> list[str]:
    lines = []
    for store in dict.fromkeys(run.store for run in runs):
        cells, costs, tuned_costs = [], [], []
        for run in (run for run in runs if run.store == store):
            cost = Spread.of(run.by_hand.ratios(run.generated))
            tuned = Spread.of(run.tuned.ratios(run.generated))
            costs.append(cost.median)
            tuned_costs.append(tuned.median)
            times = [f"{row.median * 1e6:.3f}" for row in (run.generated, run.by_hand, run.tuned)]
            cells.append([run.case.name, *times, str(cost), str(tuned)])
        mean, tuned_mean = geometric_mean(costs), geometric_mean(tuned_costs)
        figures[store] = {"timesByHand": mean, "timesTunedByHand": tuned_mean}
        cells.append(["geometric mean", "", "", "", f"{mean:.2f}x", f"{tuned_mean:.2f}x"])
        head = [f"us a run, {store}", "generated", "by hand", "tuned", "cost to by hand", "cost to tuned"]
        lines += [*table(head, cells), ""]
    return lines


@dataclass(frozen=True)
class _Compiling:
    case: Case
    fresh: Row
    cached: Row
    python: Row


def _compiling(rows: _Rows, counts: Counts) -> list[_Compiling]:
    result = []
    for case in CASES:
        text, source = case.text, inspect.getsource(case.by_hand)
        result.append(
            _Compiling(
                case,
                rows.add(f"{case.name}, text to function", counts.compile, compile_formula.__wrapped__, text),
                rows.add(f"{case.name}, text in the cache", counts.run, compile_formula, text),
                rows.add(f"{case.name}, Python's compile()", counts.compile, compile, source, "<by hand>", "exec"),
            )
        )
    return result


def _compile_table(compilings: list[_Compiling], figures: dict[str, Any]) -> list[str]:
    cells, costs = [], []
    for one in compilings:
        cost = Spread.of(one.python.ratios(one.fresh))
        costs.append(cost.median)
        times = [f"{row.median * 1e6:.{digits}f}" for row, digits in ((one.fresh, 0), (one.python, 0), (one.cached, 3))]
        cells.append([one.case.name, *times, str(cost)])
    figures["timesCompile"] = geometric_mean(costs)
    head = ["us from text to function", "formula", "compile() of by hand", "in the cache", "cost"]
    return [*table(head, [*cells, ["geometric mean", "", "", "", f"{geometric_mean(costs):.1f}x"]]), ""]


def _peers(rows: _Rows, counts: Counts, store: Store) -> dict[str, dict[str, Row] | str]:
    """Rows by case; why there are none, if the peer is not installed."""
    found: dict[str, dict[str, Row] | str] = {}
    for peer in PEERS:
        count = counts.slow if peer.name == "cel-python" else counts.run // 10 or 1
        try:
            runs = {name: peer.prepare(source, LookUps(store)) for name, source in peer.sources.items()}
        except ImportError:
            found[peer.name] = missing = "not installed; `make bench` installs it (the extra `bench`)"
            rows.rows.append(Row(peer.name, 0, None, missing))
            continue
        found[peer.name] = {name: rows.add(f"{peer.name}, {name}", count, run) for name, run in runs.items()}
    return found


def _peer_table(
    peers: dict[str, dict[str, Row] | str], runs: list[_Run], store: Store, figures: dict[str, Any]
) -> list[str]:
    by_case = {run.case.name: run for run in runs if run.store == store.name}
    head = [f"cost to by hand, {store.name}", *by_case, "geometric mean"]
    own = [Spread.of(run.by_hand.ratios(run.generated)).median for run in by_case.values()]
    cells = [["generated", *(f"{cost:.2f}x" for cost in own), f"{geometric_mean(own):.2f}x"]]
    for name, measured in peers.items():
        if isinstance(measured, str):
            cells.append([name, measured])
            continue
        costs = {case: Spread.of(by_case[case].by_hand.ratios(row)).median for case, row in measured.items()}
        mean = geometric_mean(costs.values())
        figures[name] = {"timesByHand": mean}
        cells.append([name, *(f"{costs[case]:.1f}x" if case in costs else "-" for case in by_case), f"{mean:.1f}x"])
    return [*table(head, cells), *(f"  {peer.name}: {peer.said}" for peer in PEERS), ""]


def run(rounds: int, counts: Counts) -> Report:
    """Raises AssertionError if a formula and its twins decide differently."""
    for case in CASES:
        _check(case, program_of(case.text), counts)
    rounds *= _MORE_ROUNDS
    rows, figures = _Rows(), dict[str, Any]()
    store = null_store(30)
    runs, compilings = _runs(rows, counts), _compiling(rows, counts)
    peers = _peers(rows, counts, store)
    day = full_store("a day", DAY)
    whole = [
        rows.add(f"{case.name}, evaluate()", counts.run, compile_formula(case.text).evaluate, day.samples, NOW)
        for case in CASES
    ]
    run_rounds(rows.rows, rounds)
    lines = [
        f"Processor time of four formulas; {rounds} rounds, medians (least-most). Generated: the function alone, which",
        "gives all variables. By hand: straightforward Python with the same checks, which gives the number of nodes.",
        "Tuned by hand: the same after measuring, with running totals, without max(), min() and datetime.",
        "",
        *_run_table(runs, figures),
        *_compile_table(compilings, figures),
        *_peer_table(peers, runs, store, figures),
        "  us of evaluate() over a day, with types, results text and targets: "
        + ", ".join(f"{case.name} {row.median * 1e6:.1f}" for case, row in zip(CASES, whole, strict=True)),
        "",
    ]
    figures["rows"] = [
        {"name": row.name, "count": row.count, "remark": row.remark, "secondsEach": row.each} for row in rows.rows
    ]
    costs = [f"{figures[store]['timesByHand']:.2f}x on {store}" for store in dict.fromkeys(run.store for run in runs)]
    last = f"a run costs {', '.join(costs)} of by hand; compiling {figures['timesCompile']:.1f}x Python's compile()"
    return Report("formula", lines, figures, last)
