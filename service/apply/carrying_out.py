"""The requests of a plan, one after the other."""

from __future__ import annotations

from typing import Any

from ..rest_objects import Objects, RequestRefused
from .changes import Change, Plan

#: Somebody else was faster; what is there now is to be compared.
_FASTER = frozenset(("JobExists", "JobScheduleExists", "PoolExists", "TaskExists"))
#: Refusals of single tasks that are told.
_FEW = 5


class NotDone(Exception):
    """A change was refused; those before it are made. `raced`: somebody else makes the same."""

    def __init__(self, change: Change, code: str, message: str) -> None:
        super().__init__(message)
        self.change = change
        self.code = code
        self.raced = code in _FASTER


def carry_out(plan: Plan, objects: Objects) -> None:
    """Raises NotDone, Unanswered. Tasks that somebody else has added meanwhile keep none of the others waiting."""
    for change in plan.changes:
        raced: NotDone | None = None
        for step in change.steps:
            try:
                answer = objects.ask(step.method, *step.segments, body=step.body, query=dict(step.query))
            except RequestRefused as exc:
                raise NotDone(change, exc.code, str(exc)) from None
            if step.segments[-1] == "addtaskcollection":
                raced = _refused(change, answer) or raced
        if raced is not None:
            raise raced


def _refused(change: Change, answer: Any) -> NotDone | None:
    """Of tasks that came together each is answered by itself. None: all were added. Raises NotDone."""
    failed = [each for each in answer["value"] if "error" in each]
    if not failed:
        return None
    codes = [each["error"]["code"] for each in failed]
    code = next((each for each in codes if each not in _FASTER), codes[0])
    told = [
        f"task {each['taskId']!r}: {each['error']['message']['value'].partition(chr(10) + 'RequestId:')[0]}"
        for each in failed[:_FEW]
    ]
    if len(failed) > _FEW:
        told.append(f"and {len(failed) - _FEW} more")
    found = NotDone(change, code, "; ".join(told))
    if found.raced:
        return found
    raise found
