"""moto's EC2, one for each rig: its instances live as `Lives` says, and its look-ups are quick."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.core.parse import default_timestamp_parser
from moto.ec2.exceptions import DependencyViolationError, InvalidInstanceIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.instances import InstanceState
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, filter_reservations, get_prefix

from .errors import Refusal
from .groups import MOST_GROUPS
from .lives import Lives

_IMAGES = Path(__file__).with_name("images.json")


class RigBackend(EC2Backend):
    """Never registered with moto: nothing that another rig of the process does can reach it."""

    def __init__(self, region: str, account: str, lives: Lives) -> None:
        self._lives = lives
        self._as_stranger = threading.local()
        super().__init__(region, account)

    @contextmanager
    def as_stranger(self) -> Iterator[None]:
        """What this thread creates meanwhile belongs to somebody else: visible and running at once, without hosts."""
        self._as_stranger.now = True
        try:
            yield
        finally:
            self._as_stranger.now = False

    def create_default_vpc(self) -> Any:
        vpc = self.create_vpc(cidr_block=str(self._lives.network), is_default=True)
        for zone in self.describe_availability_zones():
            self.create_default_subnet(zone.name)
        for group in self.groups[vpc.id].values():  # the default one lets its own members in
            itself = {"GroupId": group.id, "UserId": self.account_id}
            group.ingress_rules.append(SecurityGroupRule(self, "-1", group.id, None, None, None, itself))
        return vpc

    def _load_amis(self) -> None:
        for image in json.loads(_IMAGES.read_text()):
            image["creation_date"] = default_timestamp_parser(image["creation_date"])
            self.amis[image["ami_id"]] = Ami(self, **image)

    def run_instances(self, image_id: str, count: int, user_data: Any, security_group_names: Any, **rest: Any) -> Any:
        if not rest.get("launch_template"):
            rest["is_instance_type_default"] = True  # that there is such a size has been seen to, and quicker
        reservation = super().run_instances(image_id, count, user_data, security_group_names, **rest)
        self._lives.begin(reservation, getattr(self._as_stranger, "now", False))
        return reservation

    def terminate_instances(self, instance_ids: list[str]) -> list[tuple[Any, Any]]:
        return self._change(instance_ids, self._lives.end)

    def stop_instances(self, instance_ids: list[str]) -> list[tuple[Any, Any]]:
        return self._change(instance_ids, self._lives.stop)

    def start_instances(self, instance_ids: list[str]) -> list[tuple[Any, Any]]:
        return self._change(instance_ids, self._lives.start)

    def create_security_group(self, *args: Any, **rest: Any) -> Any:
        if self._lives.machines is not None and sum(map(len, self.groups.values())) >= MOST_GROUPS:
            raise Refusal("SecurityGroupLimitExceeded", f"A rig with hosts has at most {MOST_GROUPS} security groups.")
        return super().create_security_group(*args, **rest)

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        group = self.get_security_group_by_name_or_id(group_id or name or "")
        if group is not None and any(group in instance.nics[0].group_set for instance in self._lives.present()):
            raise DependencyViolationError(f"resource {group.id} has a dependent object")
        super().delete_security_group(name, group_id)

    def get_instance(self, instance_id: str) -> Any:
        """Also while the API does not know it: moto itself asks by this when it makes an instance."""
        instance = self.get_instance_by_id(instance_id)
        if instance is None:
            raise InvalidInstanceIdError(instance_id)
        return instance

    def get_instance_by_id(self, instance_id: str) -> Any:
        try:
            return self._lives[instance_id].instance
        except KeyError:
            return next((i for r in self.reservations.values() for i in r.instances if i.id == instance_id), None)

    def describe_tags(self, filters: Any = None) -> list[dict[str, str]]:
        """Those of one thing at once: moto goes through all that there are, for every instance of a list."""
        asked = (filters or {}).get("resource-id", [])
        if len(filters or {}) != 1 or len(asked) != 1 or any(wild in asked[0] for wild in "*?"):
            return list(super().describe_tags(filters))
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(asked[0]), "")
        tags = self.tags.get(asked[0], {})
        return [{"resource_id": asked[0], "key": k, "value": v, "resource_type": kind} for k, v in tags.items()]

    def get_multi_instances_by_id(self, instance_ids: list[str], filters: Any = None) -> list[Any]:
        found = {instance_id: self._lives.known(instance_id) for instance_id in instance_ids}
        if missing := [instance_id for instance_id, instance in found.items() if instance is None]:
            raise InvalidInstanceIdError(missing)
        return [instance for instance in found.values() if instance is not None and instance.applies(filters)]

    def get_reservations_by_instance_ids(self, instance_ids: list[str], filters: Any = None) -> list[Any]:
        chosen: dict[str, Any] = {}
        for instance in self.get_multi_instances_by_id(instance_ids):
            reservation = self._lives.reservation(instance.id)
            if reservation.id not in chosen:
                chosen[reservation.id] = copy.copy(reservation)
                chosen[reservation.id].instances = []
            chosen[reservation.id].instances.append(instance)
        found = list(chosen.values())
        return found if filters is None else filter_reservations(found, filters)

    def all_reservations(self, filters: Any = None) -> list[Any]:
        hidden = self._lives.hidden()
        found = []
        for reservation in list(self.reservations.values()):
            seen = copy.copy(reservation)
            if hidden:
                seen.instances = [instance for instance in reservation.instances if instance.id not in hidden]
            if seen.instances:
                found.append(seen)
        return found if filters is None else filter_reservations(found, filters)

    def reboot_instances(self, instance_ids: list[str]) -> list[Any]:
        return [instance for instance, _ in self._change(instance_ids, self._lives.reboot)]

    def _change(self, instance_ids: list[str], change: Any) -> list[tuple[Any, Any]]:
        changed = []
        for instance in self.get_multi_instances_by_id(instance_ids):
            before = InstanceState(instance.state, instance.state_code)
            change(instance.id)
            changed.append((instance, before))
        return changed
