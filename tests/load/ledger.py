"""What clients asked for and were answered, and whether what is there now can have come of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

#: Of an object: its token (its metadata says which making of it this is), and its counter; None: it is not there, or
#: goes.
Found = tuple[str, int] | None


class Entry(msgspec.Struct, frozen=True):
    """A request that changes something. Times by one clock of this machine; `status` None: nobody knows whether it was
    carried out, because the server was killed meanwhile."""

    kind: Literal["create", "delete", "terminate", "count", "tasks"]
    #: as in the path: "jobs/j1"
    thing: str
    sent: float
    answered: float
    status: int | None
    #: of the making that it was about, if it names one
    token: str = ""
    #: of "count": what the counter was set to
    value: int = 0
    #: of "tasks": their ids
    tasks: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """It was said to be done."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def may_be_done(self) -> bool:
        return self.status is None or self.done


class Verdict(msgspec.Struct):
    """`checked`: things whose last change nothing else was in the way of, and what was acknowledged of them."""

    checked: int = 0
    faults: list[str] = []


def lost_updates(entries: Iterable[Entry]) -> list[str]:
    """Counters that were set twice to the same value, each time by somebody who had seen the one before (If-Match)."""
    seen: dict[tuple[str, str, int], Entry] = {}
    faults = []
    for entry in entries:
        if entry.kind == "count" and entry.done:
            key = (entry.thing, entry.token, entry.value)
            if key in seen:
                faults.append(f"{entry.thing}: two clients have set the counter to {entry.value}, both with If-Match")
            seen[key] = entry
    return faults


def durable(
    entries: Iterable[Entry], found: Callable[[str], Found], tasks_of: Callable[[str], frozenset[str]]
) -> Verdict:
    """Is what was acknowledged last still so? `found`, `tasks_of`: how a thing is now, and which tasks it has."""
    of: dict[str, list[Entry]] = {}
    for entry in entries:
        of.setdefault(entry.thing, []).append(entry)
    verdict = Verdict()
    for thing, history in sorted(of.items()):
        _check(thing, history, found(thing), tasks_of, verdict)
    return verdict


def _check(
    thing: str, history: list[Entry], now: Found, tasks_of: Callable[[str], frozenset[str]], verdict: Verdict
) -> None:
    made = _last(history, "create")
    gone = _last(history, "delete")
    if made is not None and not _others(history, "delete", made):
        verdict.checked += 1
        if now is None or now[0] != made.token:
            # another making is as good if nobody knows in which order the two were carried out
            tokens = {each.token for each in _others(history, "create", made)}
            if now is None or now[0] not in tokens:
                verdict.faults.append(f"{thing}: was made ({made.token}), is not there: {now}")
            return
        _check_made(thing, [each for each in history if each.token == made.token], now, tasks_of, verdict)
    elif gone is not None and not _others(history, "create", gone):
        verdict.checked += 1
        if now is not None:
            verdict.faults.append(f"{thing}: was deleted, and is there: {now}")


def _check_made(
    thing: str,
    history: list[Entry],
    now: tuple[str, int],
    tasks_of: Callable[[str], frozenset[str]],
    verdict: Verdict,
) -> None:
    counted = [each.value for each in history if each.kind == "count" and each.done]
    most = max(counted, default=0)
    verdict.checked += len(counted)
    if now[1] < most:
        verdict.faults.append(f"{thing}: its counter was set to {most}, and is {now[1]}")
    wanted = {task for each in history if each.kind == "tasks" and each.done for task in each.tasks}
    if wanted:
        verdict.checked += len(wanted)
        missing = sorted(wanted - tasks_of(thing))
        if missing:
            verdict.faults.append(f"{thing}: {len(missing)} tasks were added and are not there: {missing[:3]}")


def _last(history: list[Entry], kind: str) -> Entry | None:
    return max((each for each in history if each.kind == kind and each.done), key=lambda e: e.answered, default=None)


def _others(history: list[Entry], kind: str, after: Entry) -> list[Entry]:
    """Those of the kind that may have been carried out after that one."""
    return [each for each in history if each.kind == kind and each.may_be_done and each.answered > after.sent]


def statuses(entries: Iterable[tuple[str, int | None]]) -> Mapping[str, Mapping[str, int]]:
    """By what was asked: how often each status was answered."""
    counts: dict[str, dict[str, int]] = {}
    for name, status in entries:
        of_name = counts.setdefault(name, {})
        key = "none" if status is None else str(status)
        of_name[key] = of_name.get(key, 0) + 1
    return counts
