"""The report as one HTML page without a network: what it shows stands in it, with the scripts that draw it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from itertools import islice

from ..outcome import Outcome
from .explanations import chosen_runs, explanations, formula_lines
from .figures_table import does_all, figures_table
from .packing import packed, packed_run, packed_samples
from .wording import told_duration

#: Autoscale runs that are explained in one page: some hundred bytes each, and seconds for ten thousand.
MOST_EXPLAINED = 40_000
#: So many explanations are unpacked at once, when one of them is asked for.
CHUNK = 250

#: In the order in which they need each other.
_SCRIPTS = (
    *("carried.js", "wording.js", "ticks.js", "reducing.js", "layers.js", "chart.js", "runs_strip.js"),
    *("overview.js", "view.js", "pointer.js", "keys.js", "samples.js", "explanation.js", "scatter.js", "start.js"),
)
#: The figures of more formulas take the whole width.
_MOST_BESIDE = 4
_LAZY = " Formulas in grey left tasks undone: that is cheap."
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def report_page(
    outcome: Outcome, most_explained: int = MOST_EXPLAINED, explained: Callable[[int], None] = lambda count: None
) -> str:
    """The same outcome gives the same page. `explained` is called again and again while runs are explained, with how
    many more it are. Raises FormulaError for a formula that cannot be read."""
    if not outcome.runs:
        raise ValueError("a report needs a run at least")
    places = {
        "title": escape(outcome.scenario.name),
        "description": escape(outcome.scenario.description),
        "facts": _facts(outcome),
        "figures": figures_table(outcome),
        "width": "many" if len(outcome.runs) > _MOST_BESIDE else "few",
        "formulas": "".join(
            f'<option value="{number}">{escape(run.figures.formula)}</option>'
            for number, run in enumerate(outcome.runs)
        ),
        "texts": _texts(outcome),
        "lazy": "" if all(does_all(run.figures) for run in outcome.runs) else _LAZY,
        "style": _asset("report.css"),
        "scripts": "\n".join(_asset(name) for name in _SCRIPTS),
        "carried": "\n".join(_carried(outcome, most_explained // len(outcome.runs), explained)),
    }
    return _PLACE.sub(lambda match: places[match[1]], _asset("report.html"))


def _texts(outcome: Outcome) -> str:
    """The formulas themselves: one is seen at once."""
    state = " open" if len(outcome.runs) == 1 else ""
    return "".join(
        f"<details{state}><summary>{escape(run.figures.formula)}</summary><pre>{escape(run.text.strip())}</pre></details>"
        for run in outcome.runs
    )


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _facts(outcome: Outcome) -> str:
    scenario = outcome.scenario
    start = datetime.fromtimestamp(scenario.start, UTC)
    length = max(run.series.end for run in outcome.runs)
    facts = [
        ("Tasks", f"{scenario.tasks:,}"),
        ("Time", told_duration(length)),
        ("From", f"{start:%Y-%m-%d %H:%M} UTC"),
        ("Task slots per node", str(scenario.task_slots_per_node)),
        ("Seed", str(scenario.seed)),
    ]
    if scenario.stopped_at is not None:
        name = outcome.runs[-1].figures.formula
        facts.append(("Stopped early", f"{name}, after {told_duration(scenario.stopped_at)}"))
    return "".join(f"<div><dt>{name}</dt><dd>{escape(told)}</dd></div>" for name, told in facts)


def _carried(outcome: Outcome, most_explained: int, explained: Callable[[int], None]) -> Iterator[str]:
    """The data of the page, in parts that are unpacked when they are needed."""
    chosen = [chosen_runs(run, outcome.scenario, most_explained) for run in outcome.runs]
    yield _part(
        "about",
        packed(
            {
                "start": outcome.scenario.start,
                "slots": outcome.scenario.task_slots_per_node,
                "initialTargets": outcome.scenario.initial_targets,
                "chunk": CHUNK,
                "bounds": outcome.bounds,
                "runs": [
                    {"figures": run.figures, "lines": formula_lines(run.text), "explained": list(numbers)}
                    for run, numbers in zip(outcome.runs, chosen, strict=True)
                ],
            }
        ),
    )
    for number, run in enumerate(outcome.runs):
        yield _part(f"run-{number}", packed_run(run))
        yield _part(f"samples-{number}", packed_samples(run.samples))
        told = explanations(run, outcome.scenario, chosen[number])
        for chunk in range(-(-len(chosen[number]) // CHUNK)):
            some = list(islice(told, CHUNK))
            yield _part(f"why-{number}-{chunk}", packed(some))
            explained(len(some))


def _part(name: str, content: str) -> str:
    return f'<script type="text/plain" id="{name}">{content}</script>'
