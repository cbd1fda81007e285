"""What a search found, for people."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from formula.constants import number_text

from ...money import money
from ..report.wording import told_duration
from ..undone import failed_runs, without_target
from .measuring import Measured
from .result import Trial, Tuning, WaitLimits

_SAID = {"p95": "95 % wait at most", "p99": "99 % wait at most", "max": "the longest wait is"}


def tuning_json(found: Tuning) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found), indent=2)


def tuning_lines(found: Tuning) -> Iterator[str]:
    """The front as a table, and what it comes to."""
    yield f"{found.formula} on {found.scenario}: {_count(found)}, seed {found.seed}"
    yield f"Limit: {limits_text(found.limits)}{', as with the formula as it is' if found.as_it_is else ''}"
    yield from _data(found)
    yield ""
    rows = [_head(found), *(_row(found, each) for each in _shown(found))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for label, *cells in rows:
        told = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield f"{label.ljust(widths[0])}  {told}".rstrip()
    left_out = len(found.front) - len(found.shown())
    if left_out:
        yield f"({left_out} more of the front are not shown)"
    if any(found.keeps(each.number) is False for each in _shown(found)):
        yield "! not within the limit on the check"
    if found.best is not None:
        yield ""
        yield from _conclusion(found)


def warnings(found: Tuning) -> Iterator[str]:
    """What a person has to know before the formula is used."""
    if found.best is None or found.stopped or found.keeps(found.best) is not False:
        return
    best = found.trial(found.best)
    assert best.checked is not None
    what = "is the formula as it is" if not found.best else f"(trial {found.best}) has been fitted too closely"
    told = f"the cheapest {what}: on tasks that the search has not seen {waits_text(best.checked, found.limits)}"
    others = [each for each in found.shown() if each.number != found.best and found.keeps(each.number)]
    cheapest = min((each for each in others), key=lambda each: each.searched.cost, default=None)
    if cheapest is None:
        yield f"{told}; nothing on the front keeps the limit there"
    else:
        yield f"{told}; of the front trial {cheapest.number} keeps the limit there too: {values_text(cheapest)}"


def nothing_within(found: Tuning, text: str) -> str:
    """Why there is no best, and the cure. `text`: the formula as it is."""
    ended = [each for each in found.trials if not each.searched.unfinished]
    if not ended:
        nearest = min(found.trials, key=lambda each: each.searched.unfinished)
        told = f"with none of the values all tasks end; at best {nearest.searched.unfinished} do not"
        if (idle := without_target(text)) is not None:
            return f"{told}. {idle}"
        if (failed := _failed(nearest)) is not None:
            return f"{told}. There {failed}"
        return f"{told}. Try other ranges, or another formula"
    name = found.limits.items()[0][0]
    best = min(ended, key=lambda each: (getattr(each.searched.wait, name), each.searched.cost))
    seen = told_duration(getattr(best.searched.wait, name))
    where = "with the formula as it is" if not best.number else f"with {values_text(best)}"
    failed = _failed(best)
    more = "" if failed is None else f". There {failed}"
    return (
        f"no trial keeps the limit ({limits_text(found.limits)}); at best {_SAID[name]} {seen}, {where}{more}. "
        f"Allow longer waits, wider ranges or more --trials"
    )


def _failed(trial: Trial) -> str | None:
    """None: no autoscale run failed."""
    searched = trial.searched
    if searched.first_failure is None:
        return None
    return failed_runs(searched.failed_runs, searched.autoscale_runs, searched.first_failure)


def limits_text(limits: WaitLimits) -> str:
    return ", ".join(f"{_SAID[name]} {told_duration(value)}" for name, value in limits.items())


def waits_text(measured: Measured, limits: WaitLimits) -> str:
    if measured.unfinished:
        return f"{measured.unfinished} tasks do not end"
    return ", ".join(f"{_SAID[name]} {told_duration(getattr(measured.wait, name))}" for name, _ in limits.items())


def values_text(trial: Trial) -> str:
    return ", ".join(f"{name} = {number_text(value)}" for name, value in trial.values.items())


def _count(found: Tuning) -> str:
    count = len(found.trials) - 1
    return f"{count} trial{'' if count == 1 else 's'}{' (stopped early)' if found.stopped else ''}"


def _data(found: Tuning) -> Iterator[str]:
    if found.checked_from is None:
        yield f"Checked: the same scenario with seed {found.check_seed}"
    else:
        split = told_duration(found.checked_from)
        yield f"Searched: the first {split} of the trace. Checked: the rest, with seed {found.check_seed}"


def _shown(found: Tuning) -> list[Trial]:
    """The front, and the formula as it is in its place."""
    shown = found.shown()
    if all(each.number for each in shown):
        shown.append(found.trial(0))
    return sorted(shown, key=lambda each: (each.searched.cost, each.number))


def _head(found: Tuning) -> list[str]:
    names = list(found.trials[0].values)
    return ["", "trial", "cost", "95 % wait", "checked: cost", "95 % wait", *names]


def _row(found: Tuning, trial: Trial) -> list[str]:
    label = "tuned" if trial.number == found.best else "as it is" if not trial.number else ""
    if trial.number == found.best == 0:
        label = "as it is, best"
    checked = ["", ""] if trial.checked is None else _figures(trial.checked)
    mark = " !" if found.keeps(trial.number) is False else "  "
    values = [number_text(value) for value in trial.values.values()]
    cells = _figures(trial.searched)
    return [label, str(trial.number), *cells, checked[0], f"{checked[1]}{mark}" if checked[1] else "", *values]


def _figures(measured: Measured) -> list[str]:
    wait = told_duration(measured.wait.p95)
    return [money(measured.cost), f"{measured.unfinished} undone" if measured.unfinished else wait]


def _conclusion(found: Tuning) -> Iterator[str]:
    assert found.best is not None
    original, best = found.trial(0), found.trial(found.best)
    if not found.best:
        yield "Nothing cheaper was found within the limit: the formula is best as it is."
        return
    told = f"Tuned: {_change(best.searched, original.searched)} than the formula as it is"
    if best.checked is not None and original.checked is not None:
        told += f"; on the check {_change(best.checked, original.checked)}"
    yield f"{told}."
    yield f"{values_text(best)}"


def _change(measured: Measured, original: Measured) -> str:
    if not original.cost:
        return "no cheaper"
    share = 100 * (1 - measured.cost / original.cost)
    return f"{abs(share):.1f} % {'cheaper' if share >= 0 else 'dearer'}"
