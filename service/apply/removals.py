"""What a workload file has made, taken away again: in an order in which nothing needs what has gone."""

from __future__ import annotations

from typing import NamedTuple

from runner import Workload

from ..rest_objects import Objects, RequestRefused
from .reading import MISSING

#: It goes already.
_GOING = frozenset(("JobBeingDeleted", "JobScheduleBeingDeleted", "PoolBeingDeleted"))


class Removal(NamedTuple):
    """`kind` and `name` as people are told of them."""

    kind: str
    name: str
    segments: tuple[str, ...]

    def ask(self, objects: Objects) -> bool:
        """Whether there was anything to remove. Raises RequestRefused, Unanswered."""
        try:
            objects.ask("DELETE", *self.segments)
        except RequestRefused as exc:
            if exc.code in MISSING:
                return False
            if exc.code not in _GOING:
                raise
        return True

    def is_gone(self, objects: Objects) -> bool:
        """Raises RequestRefused, Unanswered."""
        try:
            objects.one(*self.segments)
        except RequestRefused as exc:
            if exc.code in MISSING:
                return True
            raise
        return False


def removals(workload: Workload) -> list[Removal]:
    """Job schedules, jobs, pools, and the versions of applications."""
    schedules = [Removal("job schedule", each.id, ("jobschedules", each.id)) for each in workload.job_schedules]
    jobs = [Removal("job", each.id, ("jobs", each.id)) for each in workload.jobs]
    pools = [Removal("pool", each.id, ("pools", each.id)) for each in workload.pools]
    packages = [
        Removal(
            "application", f"{each.id}, version {each.version}", ("applications", each.id, "versions", each.version)
        )
        for each in workload.applications
    ]
    return [*schedules, *jobs, *pools, *packages]
