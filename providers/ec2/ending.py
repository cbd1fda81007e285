"""Ending a VM for certain, also one that EC2 does not show yet, or whose create call was never answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from libcloud.compute.base import Node
from libcloud.compute.types import NodeState

from ..errors import InvalidRequestError, NotFoundError, TransientError
from .api import Api
from .driver import Driver
from .fleet import Fleet
from .instance import ASKED_FOR, Instance
from .listing import Listing
from .settings import DEPLOYMENT, VM

_FIRST, _LONGEST = 0.1, 2.0  # seconds between two looks


class Ending:
    """Every method raises ProviderErrors."""

    def __init__(
        self, api: Api, fleet: Fleet, listing: Listing, deployment: str, sleep: Callable[[float], None]
    ) -> None:
        self._api = api
        self._fleet = fleet
        self._listing = listing
        self._deployment = deployment
        self._sleep = sleep

    def end(self, name: str, provider_id: str | None) -> bool:
        """Returns when every instance of the name has ended or is certain to, and none can show any more. True if
        there was one."""
        if not self._fleet.of(name) and provider_id is None:
            self._wait_for(name)
        ids = {entry.instance.id for entry in self._fleet.of(name)}
        if provider_id and provider_id not in ids and self._is_ours(name, provider_id):
            ids.add(provider_id)
        for instance_id in sorted(ids):
            self.terminate(instance_id)
        return bool(ids)

    def _wait_for(self, name: str) -> None:
        """Until a VM of that name shows, or would have shown."""
        pause = _FIRST
        while True:
            now = self._fleet.clock()
            if self._listing.named([name]) or now >= self._fleet.visible_by(name):
                return
            self._sleep(min(pause, max(0.0, self._fleet.visible_by(name) - now)))
            pause = min(_LONGEST, pause * 2)

    def _is_ours(self, name: str, instance_id: str) -> bool:
        """An id that only the caller knows must carry our tags; False if there is no such VM any more.

        Raises InvalidRequestError if it is somebody else's.
        """
        pause = _FIRST
        while True:
            now = self._fleet.clock()
            try:
                rows = self._api.ec2("describe_instances", InstanceIds=[instance_id])["Reservations"]
                break
            except NotFoundError:
                if now >= self._fleet.visible_by(name):
                    return False
            self._sleep(min(pause, max(0.0, self._fleet.visible_by(name) - now)))
            pause = min(_LONGEST, pause * 2)
        for row in (row for reservation in rows for row in reservation["Instances"]):
            tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
            if (tags.get(DEPLOYMENT), tags.get(VM)) == (self._deployment, name):
                self._listing.named([name])
                return True
            if row["State"]["Name"] not in ("shutting-down", "terminated"):  # an ended one has lost its tags
                text = f"{instance_id} does not carry the tags of {name}; it is not touched"
                raise InvalidRequestError(f"provider {self._api.name}: {text}")
        return False

    def terminate(self, instance_id: str) -> None:
        """Returns when the instance has ended or is certain to."""
        entry = self._fleet.entry(instance_id)
        if entry is not None and entry.instance.ended:
            self._fleet.destroyed([instance_id], None)
            return
        pause = _FIRST
        while True:
            try:
                ended = self._api.compute(partial(_terminate, instance_id), "TerminateInstances")
                break
            except NotFoundError as exc:
                entry = self._fleet.entry(instance_id)
                if entry is None or not self._fleet.may_show(entry):
                    self._fleet.gone(instance_id)
                    return
                if self._fleet.clock() > entry.since + self._fleet.visibility_delay:
                    text = f"{instance_id} was made and does not show yet"
                    raise TransientError(f"provider {self._api.name}: {text}") from exc
            self._sleep(pause)
            pause = min(_LONGEST, pause * 2)
        if not ended:
            raise TransientError(f"provider {self._api.name}: EC2 did not say that {instance_id} is going")
        self._fleet.destroyed([instance_id], _going)


def _going(instance: Instance) -> Instance:
    return replace(instance, state="shutting-down", code=instance.code or ASKED_FOR)


def _terminate(instance_id: str, driver: Driver) -> bool:
    node = Node(instance_id, instance_id, NodeState.UNKNOWN, [], [], driver)
    ended: bool = driver.destroy_node(node)  # type: ignore[no-untyped-call]
    return ended
