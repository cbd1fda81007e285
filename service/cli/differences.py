"""What `ebbtide apply` shows of a plan: `+` what is new, `~` what changes, with the properties, from what to what."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..apply import Change, Difference, Plan

#: Characters of a value, and tasks, that are shown at most.
_WIDTH = 70
_FEW = 10
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


def lines(plan: Plan, coloured: bool) -> Iterator[str]:
    for change in plan.changes:
        yield _styled("+" if change.new else "~", _headline(change), coloured)
        for each in change.differences:
            yield from _difference(each, coloured)
        if change.tasks and not change.new:
            yield "    " + _styled("+", f"{_count(len(change.tasks), 'task')}: {_names(change.tasks)}", coloured)
    tasks = f", and {_count(plan.unchanged_tasks, 'task')}" if plan.unchanged_tasks else ""
    if plan.unchanged or plan.unchanged_tasks:
        yield f"{plan.unchanged:,} unchanged{tasks}"


def outcome(plan: Plan) -> str:
    """What was done."""
    new = sum(change.new for change in plan.changes)
    tasks = sum(len(change.tasks) for change in plan.changes)
    counts = [(new, "created"), (len(plan.changes) - new, "changed")]
    told = [f"{count:,} {what}" for count, what in counts if count]
    return ", ".join([*told, *([f"{_count(tasks, 'task')} added"] if tasks else [])])


def as_json_document(plan: Plan, dry_run: bool) -> str:
    changes = [
        {
            "kind": change.kind,
            "id": change.name,
            "change": "new" if change.new else "changed",
            "properties": [{"path": each.path, "old": each.old, "new": each.new} for each in change.differences],
            "tasks": list(change.tasks),
        }
        for change in plan.changes
    ]
    found = {
        "changes": changes,
        "unchanged": plan.unchanged,
        "unchangedTasks": plan.unchanged_tasks,
        "leftAlone": plan.left_alone,
        "dryRun": dry_run,
    }
    return json.dumps(found, indent=2)


def _headline(change: Change) -> str:
    tasks = f", {_count(len(change.tasks), 'task')}" if change.new and change.tasks else ""
    return f"{change.kind} {change.name}{tasks}"


def _difference(found: Difference, coloured: bool) -> Iterator[str]:
    old, new = found.old, found.new
    if all(isinstance(each, str | None) for each in (old, new)) and "\n" in f"{old or ''}{new or ''}":
        yield f"    {_shown(found.path)}:"
        before, after = (str(each or "").splitlines() for each in (old, new))
        for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]:
            if not line.startswith("@@"):
                yield f"        {_styled(line[0], _shown(line[1:]), coloured)}"
    else:
        yield f"    {_shown(found.path)}: {_value(old)} -> {_value(new)}"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    plain = isinstance(value, str) and value != "" and all(char.isalnum() or char in "-_./:+" for char in value)
    text = _shown(value if plain else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _shown(text: str) -> str:
    """Nothing of it means anything to a terminal."""
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text)


def _styled(sign: str, text: str, coloured: bool) -> str:
    line = f"{sign} {text}".rstrip()
    return click.style(line, fg=_COLOURS[sign]) if coloured and sign in _COLOURS else line


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
