"""Rules about which targets a formula sets, and what becomes of the nodes that it takes away."""

from __future__ import annotations

from ..diagnostics import Edit
from ..ranges import TargetRange
from ..source import Source
from ..syntax import Assignment, Call, Name
from ..variables import DEALLOCATION_OPTION, TARGETS
from .demand import final_assignment
from .facts import Facts
from .rule import Report

_LARGE = 1000
_OPTION = f"{DEALLOCATION_OPTION} = taskcompletion;"


def no_target(facts: Facts, report: Report) -> None:
    """F501."""
    if not facts.is_whole or any(name in TARGETS for name in facts.final):
        return
    if any(found.code in ("F205", "F206", "F207") for found in facts.checked.diagnostics):
        # A target was meant, and its name is reported.
        return
    start, end = (facts.statements[-1].start, facts.statements[-1].end) if facts.statements else (0, 0)
    report(
        "F501",
        start,
        end,
        "the formula sets no target: it never changes the pool",
        "assign $TargetDedicatedNodes or $TargetLowPriorityNodes",
    )


def alias_beside_full_name(facts: Facts, report: Report) -> None:
    """F502."""
    for name, target in TARGETS.items():
        if name != target.full_name and name in facts.final and target.full_name in facts.final:
            statement = facts.final[name]
            report(
                "F502",
                statement.start,
                statement.name_end,
                f"{name} has no effect: the formula sets {target.full_name} too, and that one counts",
                f"{name} is the old name of {target.full_name}; set one of them",
            )


def overwritten_target(facts: Facts, report: Report) -> None:
    """F503: a target is set again before anybody could read it."""
    if any(isinstance(node, Call) and node.function == "stop" for node in facts.nodes()):
        return
    read = {id(definition) for definition in facts.definitions.values()}
    for statement in facts.statements:
        if not isinstance(statement, Assignment) or statement.name not in TARGETS:
            continue
        last = facts.final[statement.name]
        if statement is not last and id(statement) not in read:
            report(
                "F503",
                statement.start,
                statement.name_end,
                f"this has no effect: {statement.name} is set again in line {facts.source.position(last.start)[0]}",
                "delete it, or read it in what follows",
            )


def no_deallocation_option(facts: Facts, report: Report) -> None:
    """F504: only where a target can change, for else nothing is ever taken away."""
    if not facts.is_whole or DEALLOCATION_OPTION in facts.final:
        return
    changing = [found for found in facts.targets.values() if _changes(facts, found)]
    statements = [final_assignment(facts, found.name) for found in changing]
    places = [statement for statement in statements if statement is not None]
    if not places:
        return
    place = max(places, key=lambda statement: statement.start)
    report(
        "F504",
        place.start,
        place.name_end,
        "when the pool shrinks, the tasks on the nodes that go are stopped and start again from the beginning, for "
        f"{DEALLOCATION_OPTION} is not set and means requeue",
        f"add {_OPTION} so that a node ends its tasks first",
        appended(facts.source, facts.statements[-1].end, _OPTION),
    )


def _changes(facts: Facts, target: TargetRange) -> bool:
    statement = final_assignment(facts, target.name)
    if target.constant is not None or statement is None or not facts.sources.all[id(statement.value)]:
        return False
    # `$TargetDedicatedNodes = $CurrentDedicatedNodes` holds the pool as it is.
    return not isinstance(facts.resolve(statement.value), Name)


def appended(source: Source, end: int, statement: str) -> tuple[Edit, ...]:
    """The edits that add a statement behind the last one, which ends at `end`: on a line of its own, indented as that
    one is, but in a text of one line on that line."""
    text = source.text
    bottom = len(text.rstrip())
    behind = "".join(line.partition("//")[0] for line in text[end:].splitlines())
    lead = " "
    if "\n" in text.strip() or "//" in text[end:]:
        line = source.line(source.position(end)[0])
        lead = ("\r\n" if "\r\n" in text else "\n") + line[: len(line) - len(line.lstrip())]
    if ";" in behind:
        return (Edit(bottom, bottom, lead + statement),)
    if bottom == end:
        return (Edit(end, end, f";{lead}{statement}"),)
    return Edit(end, end, ";"), Edit(bottom, bottom, lead + statement)


def large_bound(facts: Facts, report: Report) -> None:
    """F508."""
    for target in facts.targets.values():
        statement = final_assignment(facts, target.name)
        if statement is not None and (target.settles_at or 0) > _LARGE and not facts.unknown:
            size = f"become {target.upper}" if target.upper is not None else f"grow past {_LARGE} by and by"
            report(
                "F508",
                statement.start,
                statement.name_end,
                f"{statement.name} can {size}: if that is not meant, it is expensive",
                "write the size that you would pay; a core quota may end the growth earlier, as a resize error",
            )
