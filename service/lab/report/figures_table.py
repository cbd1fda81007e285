"""The figures of the compared formulas side by side, with what would have been possible beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from ...money import money
from ..outcome import Bound, Figures, Outcome
from .wording import told_duration, told_hours, told_ratio, told_share

#: A bound's own name, and what it stands for.
BOUNDS = (
    ("optimum", "Optimum", "the cheapest way to start every task on its arrival, with the future known"),
    ("break_even", "Break-even", "keep an idle node as long as a new boot would cost"),
    ("work_alone", "Work alone", "all work on full nodes, however long tasks wait: nothing costs less"),
)


#: So many tasks more, of all of them, may a formula leave undone and still be compared with the others.
_NEARLY_ALL = 0.01


@dataclass(frozen=True, slots=True)
class FigureRow:
    """`order`: what the least of is best; None where more is not worse. `bound`: of a bound, if it can be told."""

    name: str
    told: Callable[[Figures], str]
    order: Callable[[Figures], float] | None = None
    bound: Callable[[Bound], str] | None = None


def figures_table(outcome: Outcome) -> str:
    """An HTML table: a row for each figure, a column for each formula, then the bounds."""
    runs = [run.figures for run in outcome.runs]
    bounds = outcome.bounds
    known = [(name, why, getattr(bounds, field, None)) for field, name, why in BOUNDS]
    given = [(name, why, bound) for name, why, bound in known if bound is not None]
    names = "".join(f'<th scope="col">{escape(figures.formula)}</th>' for figures in runs)
    names += "".join(f'<th scope="col" class="bound" title="{escape(why)}">{name}</th>' for name, why, _ in given)
    only = [bound for _, _, bound in given]
    body = "".join(_group(title, rows, runs, only) for title, rows in figure_groups(outcome))
    return (
        '<table><caption class="unseen">Figures of each formula, and bounds</caption>'
        f'<thead><tr><th scope="col">Figure</th>{names}</tr></thead>{body}</table>'
    )


def _group(title: str, rows: list[FigureRow], runs: list[Figures], bounds: list[Bound]) -> str:
    head = f'<tr class="group"><th scope="rowgroup" colspan="{1 + len(runs) + len(bounds)}">{title}</th></tr>'
    return f"<tbody>{head}{''.join(_line(row, runs, bounds) for row in rows)}</tbody>"


def _line(row: FigureRow, runs: list[Figures], bounds: list[Bound]) -> str:
    best_ones = _best(row, runs)
    cells = ""
    for number, figures in enumerate(runs):
        best = number in best_ones
        told = escape(row.told(figures))
        cells += f'<td class="best">{told}<span class="unseen"> (least)</span></td>' if best else f"<td>{told}</td>"
    for bound in bounds:
        cells += f'<td class="bound">{"" if row.bound is None else escape(row.bound(bound))}</td>'
    return f'<tr><th scope="row">{row.name}</th>{cells}</tr>'


def _best(row: FigureRow, runs: list[Figures]) -> set[int]:
    """The numbers of the formulas with the least of a row, and of those that are told alike. Who leaves many more tasks
    undone than others is out of it, for less work costs less; and where all are alike, or one is left, none is the
    best."""
    if row.order is None:
        return set()
    most = min(figures.unfinished + _NEARLY_ALL * figures.tasks for figures in runs)
    able = [number for number, figures in enumerate(runs) if figures.unfinished <= most]
    order, told = row.order, [row.told(figures) for figures in runs]
    least = told[min(able, key=lambda number: order(runs[number]))]
    if len(able) == 1 < len(runs) or all(each == least for each in told):
        return set()
    return {number for number in able if told[number] == least}


def does_all(figures: Figures) -> bool:
    """Or nearly so."""
    return figures.unfinished <= _NEARLY_ALL * (figures.tasks + figures.unfinished)


def figure_groups(outcome: Outcome) -> list[tuple[str, list[FigureRow]]]:
    """The rows with their headings."""
    cost = FigureRow(
        "Cost", lambda of: money(of.cost), lambda of: of.cost, lambda bound: _at_least(bound, money(bound.cost))
    )
    costs = [cost]
    if outcome.bounds is not None:
        optimum = outcome.bounds.optimum.cost
        costs.append(
            FigureRow(
                "Cost / optimum",
                # What leaves work undone is cheap, and its ratio would say nothing.
                lambda of: told_ratio(of.cost, optimum) if does_all(of) else "–",
                lambda of: of.cost,
                lambda bound: _at_least(bound, told_ratio(bound.cost, optimum)),
            )
        )
    used = FigureRow(
        "Node-hours used",
        lambda of: told_hours(of.node_seconds),
        bound=lambda bound: "" if bound.node_seconds is None else told_hours(bound.node_seconds),
    )
    nodes = [
        used,
        FigureRow("Node-hours idle", lambda of: told_hours(of.idle_node_seconds), lambda of: of.idle_node_seconds),
        FigureRow("Share idle", lambda of: told_share(of.idle_node_seconds, of.node_seconds)),
        FigureRow("Most nodes at once", lambda of: f"{of.peak_nodes:,}"),
        FigureRow("Time without nodes", lambda of: told_duration(of.seconds_at_zero)),
        FigureRow("Changes of the target", lambda of: f"{of.resizes:,}", lambda of: of.resizes),
        FigureRow("Flaps", lambda of: f"{of.flaps:,}", lambda of: of.flaps),
    ]
    failed = {run.figures.formula: len(run.autoscale.errors) for run in outcome.runs}
    if any(failed.values()):
        nodes.append(
            FigureRow(
                "Autoscale runs failed", lambda of: f"{failed[of.formula]:,}", lambda of: failed[of.formula]
            )
        )
    waits = [
        _of_ended("Mean", lambda of: of.wait.mean),
        _of_ended("Median", lambda of: of.wait.p50),
        _of_ended("95 % wait at most", lambda of: of.wait.p95),
        _of_ended("99 % wait at most", lambda of: of.wait.p99),
        _of_ended("Longest", lambda of: of.wait.max),
    ]
    work = [
        FigureRow("Tasks that ended", lambda of: f"{of.tasks:,}"),
        *([_unfinished()] if any(run.figures.unfinished for run in outcome.runs) else ()),
        _of_ended("Last task ended after", lambda of: of.makespan),
        FigureRow("Evictions", lambda of: f"{of.evictions:,}", lambda of: of.evictions),
        FigureRow(
            "Node-hours thrown away", lambda of: told_hours(of.thrown_away_seconds), lambda of: of.thrown_away_seconds
        ),
    ]
    return [("Money", costs), ("Nodes", nodes), ("Waiting of tasks", waits), ("Work", work)]


def _at_least(bound: Bound, told: str) -> str:
    return told if bound.exact else f"≥ {told}"


def _of_ended(name: str, seconds: Callable[[Figures], float]) -> FigureRow:
    """Nobody knows it where no task has ended."""
    return FigureRow(name, lambda of: told_duration(seconds(of)) if of.tasks else "–", seconds)


def _unfinished() -> FigureRow:
    return FigureRow("Tasks that did not end", lambda of: f"{of.unfinished:,}", lambda of: of.unfinished)
