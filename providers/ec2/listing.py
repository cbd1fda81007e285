"""Looking at EC2: rarely at everything of ours, mostly at what can have changed.

A steady look costs one DescribeInstanceStatus for every 100 VMs (in which a state is all there is to parse), and one
DescribeInstances for every 100 that are on their way. The whole list, by our tag and page by page, is asked for at
first, every now and then, and when something was odd.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import InvalidRequestError, NotFoundError, TransientError
from ..names import check_name
from .api import Api
from .errors import instances_named
from .fleet import Fleet
from .instance import Instance, from_description
from .settings import DEPLOYMENT, VM

log = logging.getLogger(__name__)

_CHUNK = 100  # ids that DescribeInstanceStatus takes at most
_NAMES = 200  # values that a filter takes at most
_PAGE = 500


class Listing:
    """Every method raises ProviderErrors."""

    def __init__(self, api: Api, fleet: Fleet, deployment: str, full_every: float) -> None:
        self._api = api
        self._fleet = fleet
        self._deployment = deployment
        self._ours = {"Name": f"tag:{DEPLOYMENT}", "Values": [deployment]}
        self._full_every = full_every
        self._full_at: float | None = None

    @property
    def known(self) -> bool:
        """True once everything of ours was seen."""
        return self._full_at is not None

    def look(self) -> None:
        """Bring the fleet up to date."""
        now = self._fleet.clock()
        if self._full_at is None or now >= self._full_at + self._full_every:
            self.everything()
            self._full_at = now
        else:
            moved = self._changed(self._fleet.settled())
            self.describe([*self._fleet.moving(), *moved])
        self._look_for_lost()
        self._fleet.forget()

    def again(self) -> None:
        """Something was odd: the next look is a full one."""
        self._full_at = None

    def everything(self) -> None:
        found = self._tagged(Filters=[self._ours], MaxResults=_PAGE)
        self._fleet.saw(found)
        # a tag filter may not know what is new, and no longer what has ended
        self.describe(self._fleet.expected({instance.id for instance in found}))

    def named(self, names: Sequence[str]) -> list[Instance]:
        """All that carry one of the names, whatever their state."""
        found: list[Instance] = []
        for some in _chunks(names, _NAMES):
            found += self._tagged(Filters=[self._ours, {"Name": f"tag:{VM}", "Values": list(some)}])
        self._fleet.saw(found)
        return found

    def describe(self, ids: Iterable[str]) -> None:
        """Learn all about these."""
        for some in _chunks(sorted(set(ids)), _CHUNK):
            left = list(some)
            while left:
                try:
                    self._fleet.saw(self._described(InstanceIds=left))
                    break
                except NotFoundError as exc:
                    left = self._without_unknown(left, exc)

    def _changed(self, ids: Sequence[str]) -> list[str]:
        """Those that do not simply run on."""
        moved: list[str] = []
        for some in _chunks(ids, _CHUNK):
            left = list(some)
            running: set[str] = set()
            while left:
                try:
                    answer = self._api.ec2("describe_instance_status", InstanceIds=left, IncludeAllInstances=True)
                except NotFoundError as exc:
                    left = self._without_unknown(left, exc)
                    continue
                rows = answer.get("InstanceStatuses", ())
                running = {row["InstanceId"] for row in rows if row["InstanceState"]["Name"] == "running"}
                break
            moved += [instance_id for instance_id in left if instance_id not in running]
        return moved

    def _without_unknown(self, ids: list[str], refusal: NotFoundError) -> list[str]:
        unknown = instances_named(refusal) & set(ids)
        if not unknown:
            raise TransientError(str(refusal)) from refusal
        if self._fleet.unknown(unknown):
            self.again()
        return [instance_id for instance_id in ids if instance_id not in unknown]

    def _look_for_lost(self) -> None:
        lost = self._fleet.lost()
        if lost:
            found = {instance.name for instance in self.named(lost)}
            for name in lost:
                if name not in found:
                    self._fleet.not_found(name)

    def _tagged(self, **arguments: Any) -> list[Instance]:
        try:
            return list(self._described(**arguments))
        except NotFoundError as exc:  # seen of EC2 between two pages, when an instance goes just then
            raise TransientError(str(exc)) from exc

    def _described(self, **arguments: Any) -> Iterator[Instance]:
        for reservation in self._api.pages("describe_instances", "Reservations", **arguments):
            for row in reservation.get("Instances", ()):
                instance = from_description(row) or self._by_id(row)
                if instance is not None and self._may_be_ours(instance):
                    yield instance

    def _may_be_ours(self, instance: Instance) -> bool:
        """False of what somebody else has put our tag on: we make none with such a name, and end none."""
        try:
            check_name(instance.name, self._deployment)
        except InvalidRequestError as exc:
            log.warning("%s carries the tag of this deployment and is none of its VMs: %s", instance.id, exc)
            return False
        return True

    def _by_id(self, row: Mapping[str, Any]) -> Instance | None:
        """One that we know and that shows without its tags: not yet, or no longer."""
        entry = self._fleet.entry(row["InstanceId"])
        if entry is None:
            return None
        seen = from_description({**row, "Tags": [{"Key": VM, "Value": entry.instance.name}]})
        return seen and replace(seen, tags=entry.instance.tags)


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
