"""Google's words in the contract's words. Names are unique in a zone; what is ours is found by a label.

The instance's description holds the VM's name and tags: labels are too narrow for them, and a list that asks for
metadata brings every start-up script along.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from libcloud.common.google import GoogleBaseError, ResourceExistsError

from ..cloud_names import host_name, label
from ..cloud_settings import CloudSettings
from ..errors import InvalidRequestError, ProviderError, TransientError
from ..host_keys import HostKeys
from ..http_cloud import DEPLOYMENT_TAG, ENDED, HttpCloud, Kept
from ..libcloud_errors import if_there
from ..provider import NOT_AZURE_SIZES, Capabilities, Finding, Image, Size, Vm, VmSpec, VmState
from .errors import gce_error
from .images import DISTRIBUTIONS, find_image
from .instance import GceSettings, described, instance, last, subnet_path
from .prices import hourly_price

_STATES = {
    "PROVISIONING": VmState.PENDING,
    "STAGING": VmState.PENDING,
    "RUNNING": VmState.RUNNING,
    "REPAIRING": VmState.PENDING,
    "STOPPING": VmState.TERMINATED,
    "SUSPENDING": VmState.TERMINATED,
    "SUSPENDED": VmState.TERMINATED,
    "STOPPED": VmState.TERMINATED,
    "TERMINATED": VmState.TERMINATED,
}
_FIELDS = "id,name,status,zone,machineType,creationTimestamp,description,labels,networkInterfaces,scheduling"
_QUOTAS = ("CPUS", "PREEMPTIBLE_CPUS", "INSTANCES", "IN_USE_ADDRESSES")
_OPERATION_WITHIN = 10.0  # seconds that `create` waits to hear whether there is room

Node = Mapping[str, Any]


class GceMapping(HttpCloud):
    def __init__(
        self,
        name: str,
        deployment: str,
        settings: CloudSettings,
        own: GceSettings,
        project: str,
        host_keys: HostKeys | None,
    ) -> None:
        super().__init__(name, deployment, settings, host_keys)
        self.capabilities = Capabilities(
            low_priority=True,
            preempt=False,
            user_data=True,
            host_keys=True,
            known_by="tags",
            max_vms=settings.max_vms,
            subnets=True,
            console=True,
        )
        self.profile = settings.profile("gce", NOT_AZURE_SIZES, DISTRIBUTIONS)
        self._own = own
        self._project = project
        self._images: Kept[str] = Kept()
        self._types: Kept[dict[str, Any]] = Kept()
        self._preempted: dict[str, bool] = {}  # provider id -> whether that is why it ended

    # ----------------------------------------------------------------------------------------------------- create

    def make(self, driver: Any, spec: VmSpec, tags: Mapping[str, str]) -> Node:
        zone = spec.zone or self.settings.zones[0]
        self._machine_type(driver, zone, spec.size)
        name = host_name(spec.name)
        path = f"/zones/{zone}/instances"
        image = self._image(driver, self.image_name(spec))
        body = instance(spec, tags, zone, image, self.settings, self._own, self.host_keys)
        try:
            operation = driver.ex_post(path, body, requestId=str(uuid.uuid5(uuid.NAMESPACE_URL, spec.name)))
            self._await(driver, zone, operation["name"])
        except ResourceExistsError:
            pass  # by an earlier call whose answer was lost; whose it is, is looked at below
        node: Node = driver.ex_get(f"{path}/{name}", fields=_FIELDS)
        if not self._is_ours(node):
            raise InvalidRequestError(f"provider {self.name}: an instance {name} exists in {zone} and is not ours")
        return node

    def _await(self, driver: Any, zone: str, operation: str) -> None:
        """Until the operation says whether there is room and quota; raises if it failed. One that takes long is left
        to itself: should it fail later, the instance will be gone."""
        end = time.monotonic() + _OPERATION_WITHIN
        pause = 0.05
        while driver.ex_get(f"/zones/{zone}/operations/{operation}")["status"] != "DONE":
            if time.monotonic() + pause > end:
                return
            time.sleep(pause)
            pause = min(1.0, pause * 2)

    def _image(self, driver: Any, wanted: str) -> str:
        return self._images.get(wanted, lambda: find_image(driver, wanted, self._project, self.name))

    def _machine_type(self, driver: Any, zone: str, size: str) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            found: dict[str, Any] = driver.ex_get(f"/zones/{zone}/machineTypes/{size}")
            return found

        try:
            return self._types.get(f"{zone}/{size}", ask)
        except GoogleBaseError as exc:
            if int(exc.http_code) not in (400, 404):
                raise
            text = f"provider {self.name} does not know the vmSize {size!r} in {zone}"
            raise InvalidRequestError(f"{text}; see `gcloud compute machine-types list`") from exc

    # -------------------------------------------------------------------------------------------- find and destroy

    def nodes(self, driver: Any) -> Iterable[Node]:
        return self._listed(driver, f'labels.{DEPLOYMENT_TAG}="{label(self.deployment)}"')

    def _listed(self, driver: Any, condition: str) -> list[Node]:
        fields = f"items/*/warning,items/*/instances({_FIELDS}),nextPageToken"
        found: list[Node] = []
        for page in driver.ex_pages("/aggregated/instances", filter=condition, fields=fields, maxResults="500"):
            for place, scope in page.get("items", {}).items():
                warning = scope.get("warning", {}).get("code")
                if warning not in (None, "NO_RESULTS_ON_PAGE"):
                    raise TransientError(f"provider {self.name}: {place} cannot be looked into now: {warning}")
                found += scope.get("instances", [])
        return [node for node in found if self._is_ours(node)]

    def _is_ours(self, node: Node) -> bool:
        return node.get("labels", {}).get(DEPLOYMENT_TAG) == label(self.deployment) and (
            described(node).get("deployment") == self.deployment
        )

    def find(self, driver: Any, name: str) -> Node | None:
        found = self._listed(driver, f'name="{host_name(name)}"')
        return min(found, key=lambda node: (node["creationTimestamp"], node["zone"]), default=None)

    def vm(self, node: Node) -> Vm:
        told = described(node)
        zone, size = last(node["zone"]), last(node["machineType"])
        low = _is_low_priority(node)
        state = _STATES.get(node["status"], VmState.UNKNOWN)
        interface = (node.get("networkInterfaces") or [{}])[0]
        nat = (interface.get("accessConfigs") or [{}])[0].get("natIP")
        return Vm(
            name=told.get("name") or node["name"],
            provider_id=f"{zone}/{node['name']}/{node['id']}",
            state=state,
            address=nat if self.settings.public else interface.get("networkIP"),
            port=None,
            user="",
            host_key=None,
            low_priority=low,
            node_root="",
            created=datetime.fromisoformat(node["creationTimestamp"]).timestamp(),
            reason=f"the instance is {node['status'].lower()}" if state is VmState.TERMINATED else None,
            tags=told.get("tags", {}),
            size=size,
            zone=zone,
            price_per_hour=hourly_price(size, zone.rpartition("-")[0], low),
        )

    def finished(self, driver: Any, node: Node) -> Vm:
        vm = super().finished(driver, node)
        if vm.state in ENDED and vm.low_priority and self._was_preempted(driver, vm, str(node["id"])):
            return replace(vm, state=VmState.PREEMPTED, reason="Google took the spot VM back")
        return vm

    def _was_preempted(self, driver: Any, vm: Vm, number: str) -> bool:
        """The zone's operations tell; asked once for an instance."""
        if vm.provider_id not in self._preempted:
            condition = f'(targetId="{number}") AND (operationType="compute.instances.preempted")'
            found = driver.ex_get(f"/zones/{vm.zone}/operations", filter=condition, maxResults="1")
            if not found.get("items") and _is_stopping(vm):
                return False  # it may still turn out
            self._preempted[vm.provider_id] = bool(found.get("items"))
        return self._preempted[vm.provider_id]

    def end(self, driver: Any, name: str, provider_id: str | None) -> None:
        found = self._listed(driver, f'name="{host_name(name)}"')
        places = {(last(node["zone"]), node["name"]) for node in found}
        if provider_id is not None and not places:
            places = self._ours_by_id(driver, provider_id)
        for zone, ours in places:
            if_there(partial(driver.ex_delete, f"/zones/{zone}/instances/{ours}"))
        if provider_id is not None:
            self._preempted.pop(provider_id, None)

    def _ours_by_id(self, driver: Any, provider_id: str) -> set[tuple[str, str]]:
        zone, _, rest = provider_id.partition("/")
        name = rest.partition("/")[0]
        node = if_there(lambda: driver.ex_get(f"/zones/{zone}/instances/{name}", fields=_FIELDS))
        return {(zone, name)} if node is not None and self._is_ours(node) else set()

    def end_twin(self, driver: Any, vm: Vm) -> None:
        """The same name in another zone."""
        zone, name, _ = vm.provider_id.split("/")
        if_there(lambda: driver.ex_delete(f"/zones/{zone}/instances/{name}"))

    def reboot(self, driver: Any, node: Node) -> Vm | None:
        driver.ex_post(f"/zones/{last(node['zone'])}/instances/{node['name']}/reset", {})
        return None

    def console(self, driver: Any, node: Node) -> str | None:
        path = f"/zones/{last(node['zone'])}/instances/{node['name']}/serialPort"
        try:
            return driver.ex_get(path, port="1").get("contents") or None
        except GoogleBaseError as exc:
            if int(exc.http_code) in (400, 404):
                return None
            raise

    # ------------------------------------------------------------------------------------------- what there is

    def sizes(self, driver: Any) -> Iterable[Size]:
        zone = self.settings.zones[0]
        region = zone.rpartition("-")[0]
        for page in driver.ex_pages(f"/zones/{zone}/machineTypes", maxResults="500"):
            for each in page.get("items", []):
                prices = [hourly_price(each["name"], region, low) for low in (False, True)]
                yield self.priced(Size(each["name"], each["guestCpus"], each["memoryMb"], *prices))

    def images(self, driver: Any) -> Iterable[Image]:
        for page in driver.ex_pages("/global/images", maxResults="500"):
            for image in page.get("items", []):
                yield Image(image["name"], image.get("description", ""))

    def check(self, driver: Any) -> Iterator[Finding]:
        zones = self.settings.zones
        elsewhere = "name another zone in `zones`"
        there = [
            self.looked("zone", "zones", zone, lambda zone: driver.ex_get(f"/zones/{zone}"), needed=False)
            for zone in zones
        ]
        yield from self.one_of(there, elsewhere)
        for image in self.wanted_images():
            yield self.looked("image", "image", image, partial(self._image, driver))
        for size in self.wanted_sizes():
            offered = [self.looked("size", "size", size, partial(self._machine_type, driver, zone)) for zone in zones]
            yield from self.one_of(offered, elsewhere)
        regions = list(dict.fromkeys(zone.rpartition("-")[0] for zone in zones))
        if subnet := self.settings.subnet:
            paths = dict.fromkeys(subnet_path(subnet, zone) for zone in zones)
            looks = [self.looked("network", "subnet", path, driver.ex_at, needed=False) for path in paths]
            yield from self.one_of(looks, elsewhere)
        for region in regions:
            yield from self.asked("quota", f"the quotas of {region}", partial(self._quotas, driver, region))
        yield self.price_finding(lambda size: hourly_price(size, regions[0], False))

    def _quotas(self, driver: Any, region: str) -> Iterator[Finding]:
        for quota in driver.ex_get(f"/regions/{region}").get("quotas", []):
            if quota["metric"] in _QUOTAS:
                yield self.quota_finding(
                    f"{quota['usage']:g} of {quota['limit']:g} {quota['metric']} are used in {region}",
                    quota["usage"] >= quota["limit"] > 0,
                    "ask for more at https://console.cloud.google.com/iam-admin/quotas",
                )

    def error(self, exc: Exception) -> ProviderError | None:
        return gce_error(exc, self.name)


def _is_low_priority(node: Node) -> bool:
    scheduling = node.get("scheduling", {})
    return bool(scheduling.get("preemptible")) or scheduling.get("provisioningModel") == "SPOT"


def _is_stopping(vm: Vm) -> bool:
    return vm.reason is not None and "stopping" in vm.reason
