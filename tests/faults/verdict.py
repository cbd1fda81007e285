"""What must hold at the end, and held at every moment, by the rig's own list of instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from runner import OutputStore, open_journal
from service.state import StateDirectory
from tests.rig.faults import Call
from tests.rig.instance import Instance

from .plan import Plan

#: Living instances: they cost, or will again. One that shuts down goes for certain.
LIVING = ("pending", "running", "stopping", "stopped")


def peaks(instances: Iterable[Instance], notices: Mapping[str, float]) -> tuple[int, int]:
    """The most that lived at any moment, and the most of them when those that had been told to go do not count.

    Exact: from the instants at which the rig made and ended them.
    """
    return _most(instances, {}), _most(instances, notices)


def _most(instances: Iterable[Instance], until: Mapping[str, float]) -> int:
    steps = []
    for instance in instances:
        ended = instance.ended if instance.ended is not None else float("inf")
        steps += [(instance.born, 1), (min(ended, until.get(instance.id, ended)), -1)]
    living = most = 0
    for _, step in sorted(steps):  # at the same instant the end comes first
        living += step
        most = max(most, living)
    return most


def too_many(plan: Plan, ours: list[Instance], notices: Mapping[str, float]) -> Iterator[str]:
    for pool, (dedicated, low) in plan.targets.items():
        mine = [instance for instance in ours if instance.tags.get("ebbtide-pool") == pool]
        limits = {"all": dedicated + low + plan.surge[pool]}
        if not plan.surge[pool]:
            limits |= {"spot": low, "on-demand": dedicated}
        for kind, limit in limits.items():
            of_kind = [each for each in mine if kind in ("all", each.lifecycle or "on-demand")]
            most, counted = peaks(of_kind, notices)
            if counted > limit:
                yield f"pool {pool}: {most} {kind} instances at a time, {counted} without the announced, of {limit}"
    names = Counter(instance.tags.get("ebbtide-vm") for instance in ours)
    yield from (f"{count} instances were made of the name {name}" for name, count in names.items() if count > 1)


def left_alive(ours: Iterable[Instance]) -> list[str]:
    return [f"{each.id} ({each.tags.get('ebbtide-vm')}) is {each.state}" for each in ours if each.state in LIVING]


def left_beside(describe: Mapping[str, list[Mapping[str, str]]], deployment: str) -> Iterator[str]:
    """Groups and key pairs of ours, by what the cloud describes."""
    for row in chain.from_iterable(describe.values()):
        name = row.get("KeyName") or row.get("GroupName") or ""
        if deployment in name:
            yield f"{name} is left"


def touched(calls: Iterable[Call], strangers: Iterable[str]) -> Iterator[str]:
    theirs = set(strangers)
    for call in calls:
        if call.action.startswith(("Terminate", "Stop", "Reboot", "CreateTags", "DeleteTags", "Modify")):
            yield from (f"{call.action} of {value}, a stranger's" for value in call.params.values() if value in theirs)


def lost_tasks(plan: Plan, state: StateDirectory) -> list[str]:
    """Tasks that are not completed with their output, once."""
    journal = open_journal(state.database_url, upgrade=False)
    store = OutputStore(state.outputs)
    problems = []
    try:
        for (job, name), wanted in plan.outputs.items():
            task = {task.id: task for task in journal.tasks(job)}.get(name)
            if task is None or (task.state, task.result, task.exit_code) != ("completed", "success", 0):
                problems.append(f"task {job}/{name} is {task and (task.state, task.result, task.exit_code)}")
                continue
            kept = journal.output("task", job, name, "stdout")
            printed = b"".join(store.read(kept)).decode() if kept is not None else None
            if printed != wanted:
                problems.append(f"task {job}/{name} printed {printed and printed[-200:]!r}, not {wanted[-200:]!r}")
    finally:
        journal.close()
    return problems
