"""Rules: variables that are not read, overwritten, or easily taken for another (F611 to F614, F620)."""

from __future__ import annotations

from ..builtins_table import FUNCTION_NAMES
from ..diagnostics import Edit
from ..spelling import certain, nearest
from ..syntax import Assignment, Call, Name
from ..variables import DEALLOCATION_OPTION, KNOWN_NAMES, OPTIONS, TARGETS
from .facts import Facts
from .rule import Report

_SET = (*TARGETS, DEALLOCATION_OPTION)
_TARGET_WITHOUT_SIGN = {name.lstrip("$").lower(): name for name in reversed(_SET)}


def values_not_read(facts: Facts, report: Report) -> None:
    """F611, F612: variables that nothing reads, and values that are overwritten before anything reads them."""
    if not facts.is_sound or not any(name in TARGETS for name in facts.final):
        # A formula without targets is a question: its variables are the answer.
        return
    read = {id(definition) for definition in facts.definitions.values()}
    overwritten: dict[str, Assignment] = {}
    stops = _stops(facts)
    for statement in reversed(facts.statements):
        if not isinstance(statement, Assignment):
            continue
        later = overwritten.get(statement.name)
        overwritten[statement.name] = statement
        if id(statement) in read:
            continue
        if later is not None:
            # Targets that are set twice are the business of a rule about targets.
            if statement.name not in TARGETS and not any(statement.start < stop < later.end for stop in stops):
                line, _ = facts.source.position(later.start)
                report(
                    "F612",
                    statement.start,
                    statement.name_end,
                    f"{statement.name} gets another value in line {line} before anything reads this one",
                    "leave this statement out, or give one of the two another name",
                )
        elif statement.name not in (*KNOWN_NAMES, *OPTIONS) and _lost_target(facts, statement.name) is None:
            report(
                "F611",
                statement.start,
                statement.name_end,
                f"nothing reads {statement.name}: it changes no target, and shows only in the results",
                "leave it out, or use it",
            )


def _stops(facts: Facts) -> list[int]:
    """Where the evaluation may end, and what was assigned so far counts."""
    return [node.start for node in facts.nodes() if isinstance(node, Call) and node.function == "stop"]


def _lost_target(facts: Facts, name: str) -> str | None:
    """What a name that nothing reads was to set: a target without its `$`, or misspelt; "" if nobody can say which."""
    if name in KNOWN_NAMES:
        return None
    if not name.startswith("$"):
        meant = _TARGET_WITHOUT_SIGN.get(name.lower())
    elif name.startswith("$Target"):
        meant = nearest(name, TARGETS) or ""
        if meant.lower() == name.lower():
            # The checker tells of upper and lower case.
            return None
    else:
        return None
    return None if meant in facts.final else meant


def targets_misspelt(facts: Facts, report: Report) -> None:
    """F620: `TargetDedicatedNodes = 3` and `$TargetNodes = 3` set a variable and no target."""
    read = {node.name for node in facts.nodes() if isinstance(node, Name)}
    for name, statement in facts.final.items():
        meant = _lost_target(facts, name)
        if name in read or meant is None or not facts.is_whole:
            continue
        starts = [item.start for item in facts.statements if isinstance(item, Assignment) and item.name == name]
        sure = certain(name, TARGETS) == meant or not name.startswith("$")
        report(
            "F620",
            statement.start,
            statement.name_end,
            f"no target is called {name}: it is a variable of the formula's own that nothing reads"
            + (f", and {meant} stays as it is" if meant else ""),
            f"write {meant}" if meant else "the targets are $TargetDedicatedNodes and $TargetLowPriorityNodes",
            tuple(Edit(start, start + len(name), meant) for start in starts) if sure else (),
        )


def names_alike(facts: Facts, report: Report) -> None:
    """F613: x and $x are two variables."""
    for name, statement in facts.final.items():
        if name.startswith("$") and name not in KNOWN_NAMES and name[1:] in facts.final:
            report(
                "F613",
                statement.start,
                statement.name_end,
                f"{name} and {name[1:]} are two variables here; nobody documents whether they are one for the service",
                "give one of them another name",
            )


def names_of_functions(facts: Facts, report: Report) -> None:
    """F614: a variable called `max`."""
    for name, statement in facts.final.items():
        if name in FUNCTION_NAMES:
            report(
                "F614",
                statement.start,
                statement.name_end,
                f"{name} is a function too; {name}(...) stays the function, whatever is assigned here",
                "give the variable another name",
            )
