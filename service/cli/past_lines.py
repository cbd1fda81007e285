"""What is told of a pool's past, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..iso8601 import format_instant

if TYPE_CHECKING:
    from pools import PlannedAction, PlannerPass, RecordedRun

    from ..hindsight import Quiet

_DID = {"create": "ordered", "remove": "took out", "forget": "forgot"}
_SECONDS = 19


def time_text(instant: float, beside: float | None = None) -> str:
    """To the second, UTC; without the date if that of `beside` is the same."""
    text = format_instant(instant)[:_SECONDS]
    if beside is not None and text[:10] == format_instant(beside)[:10]:
        return text[11:]
    return f"{text}Z"


def targets_text(targets: tuple[int, int]) -> str:
    """`2 dedicated`, `2 dedicated, 5 low-priority`, `no nodes`."""
    named = zip(targets, ("dedicated", "low-priority"), strict=True)
    return ", ".join(f"{count:,} {kind}" for count, kind in named if count) or "no nodes"


def change_text(before: tuple[int, int] | None, after: tuple[int, int] | None) -> str:
    """`2 -> 7 dedicated`; what has not changed is left out, unless nothing has."""
    if after is None:
        return "not recorded"
    if before is None or before == after:
        return targets_text(after)
    steps = zip(before, after, ("dedicated", "low-priority"), strict=True)
    return ", ".join(f"{old:,} -> {new:,} {kind}" for old, new, kind in steps if old != new)


def pass_lines(found: PlannerPass, before: PlannerPass | None) -> Iterator[str]:
    """`before`: the pass that was told last."""
    from pools import BY_FORMULA

    told = found.because == BY_FORMULA and (before is None or before.because == BY_FORMULA)  # by its run
    if not told and (before is None or before.standing[:3] != found.standing[:3]):
        wanted = targets_text((found.target_dedicated, found.target_low_priority))
        yield f"goes by {wanted}: {found.because}"
    for action in found.actions:
        yield _action(action)
    known = before.held_back if before is not None else ()
    for reason in found.held_back:
        if reason not in known:
            yield plain(f"orders no more at present: {reason}")
    if before is not None and before.held_back and not (found.held_back or found.actions):
        yield "is not held back any more"


def _action(action: PlannedAction) -> str:
    kind, count = "low-priority" if action.low_priority else "dedicated", len(action.node_ids)
    what = f"{count:,} {kind} nodes" if count > 1 else f"a {kind} node, {action.node_ids[0]}"
    how = f" ({action.option})" if action.option is not None else ""
    return plain(f"{_DID[action.action]} {what}{how}: {action.reason}")


def quiet_text(quiet: Quiet, beside: float) -> str:
    if quiet.count == 1:
        return values_text(quiet.first) or "changed nothing"
    return f"{quiet.count:,} runs until {time_text(quiet.last.timestamp, beside)} changed nothing"


def values_text(run: RecordedRun) -> str:
    """The formula's own variables at the end."""
    values = [each for each in run.results.split(";") if each and not each.startswith("$")]
    return plain("; ".join(values))


def error_text(run: RecordedRun) -> str:
    if run.error is None:
        return ""
    details = "".join(f"; {value.value}" for value in run.error.values)
    return plain(f"{run.error.code}: {run.error.message}{details}")


def plain(text: str) -> str:
    """A cloud, or whoever wrote the formula, may have put into it what a terminal acts on."""
    from ..printable import printable

    return printable(text)


def style_of(run: RecordedRun, text: str) -> str:
    return click.style(text, fg="red") if run.error is not None else text
