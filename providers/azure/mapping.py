"""Azure's words in the contract's words. Names are unique in the resource group, and a PUT by name is idempotent."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from libcloud.common.exceptions import BaseHTTPError
from requests.exceptions import RequestException

from ..cloud_names import host_name
from ..cloud_settings import CloudSettings
from ..errors import InvalidRequestError, ProviderError, TransientError
from ..host_keys import HostKeys
from ..http_cloud import DEPLOYMENT_TAG, NAME_TAG, HttpCloud, Kept
from ..libcloud_errors import typed_error
from ..names import carries
from ..provider import Capabilities, Finding, Image, Size, Vm, VmSpec
from .errors import azure_error, coded
from .node import Node, by_vm, power_of, state_of, statuses_of
from .prices import hourly_price
from .resources import COMPUTE, DISKS, GROUPS, NETWORK, AzureSettings, address_body, image_reference, nic_body, vm_body

log = logging.getLogger(__name__)

_ANSWER_WITHIN = 10.0  # seconds that `create` waits to hear whether there is room


class AzureMapping(HttpCloud):
    def __init__(
        self, name: str, deployment: str, settings: CloudSettings, own: AzureSettings, host_keys: HostKeys | None
    ) -> None:
        super().__init__(name, deployment, settings, host_keys)
        self.capabilities = Capabilities(
            low_priority=True,
            preempt=False,
            user_data=True,
            host_keys=True,
            known_by="names",
            max_vms=settings.max_vms,
            subnets=True,
            max_price=True,
        )
        self.profile = settings.profile("azure", r"[A-Za-z]+_[A-Za-z0-9_-]+", batch_images="azure")
        self._own = own
        self._creating: set[str] = set()
        self._sizes_there: Kept[dict[str, dict[str, Any]]] = Kept()
        self._images_seen: Kept[bool] = Kept()

    # ----------------------------------------------------------------------------------------------------- create

    def make(self, driver: Any, spec: VmSpec, tags: Mapping[str, str]) -> Node:
        image = self.image_name(spec)
        script = self.settings.script(spec, self.host_keys)
        self._known_size(driver, spec.size)
        self._known_image(driver, image)
        self._creating.add(host_name(spec.name).lower())
        try:
            self._put_all(driver, spec, tags, image, script)
            self._await(driver, spec.name)
        except Exception as exc:  # every one is raised on
            if not isinstance(self.error(exc) or typed_error(exc, self.name), TransientError):
                self._clean_up(driver, spec.name)
            raise
        finally:
            self._creating.discard(host_name(spec.name).lower())
        node = self.find(driver, spec.name)
        if node is None:
            raise TransientError(f"provider {self.name}: VM {spec.name} went while it was created")
        return node

    def _put_all(self, driver: Any, spec: VmSpec, tags: Mapping[str, str], image: str, script: str) -> None:
        own, name = self._own, spec.name
        body = vm_body(own, self.settings, spec, tags, image, script)
        if self.settings.public:
            driver.ex_put(own.address_path(name), NETWORK, address_body(own, spec, tags))
        driver.ex_put(own.nic_path(name), NETWORK, nic_body(own, self.settings, spec, tags))
        driver.ex_put(own.vm_path(name), COMPUTE, body)

    def _await(self, driver: Any, name: str) -> None:
        """A while, for the error that says there is no room; raises it."""
        end = time.monotonic() + _ANSWER_WITHIN
        pause = 0.05
        while True:
            vm = driver.ex_get(self._own.vm_path(name), COMPUTE, **{"$expand": "instanceView"})
            state = vm["properties"]["provisioningState"]
            if state == "Failed":
                raise self._failure(vm, name)
            if state != "Creating" or power_of(statuses_of(vm)) == "running" or time.monotonic() + pause > end:
                return
            time.sleep(pause)
            pause = min(2.0, pause * 2)

    def _failure(self, vm: Mapping[str, Any], name: str) -> ProviderError:
        for status in statuses_of(vm):
            parts = status["code"].split("/")
            if parts[:2] == ["ProvisioningState", "failed"]:
                code = parts[2] if len(parts) > 2 else ""
                text = f"VM {name}: [{code}] {status.get('message', '')}"
                return coded(code, text, self.name) or ProviderError(f"provider {self.name}: {text}")
        return ProviderError(f"provider {self.name}: VM {name} failed without saying why")

    def _clean_up(self, driver: Any, name: str) -> None:
        """What was made on the way to a VM that there will not be. What cannot be removed now stays listed."""
        try:
            self._remove(driver, name)
        except (ProviderError, BaseHTTPError, RequestException) as exc:
            log.warning("provider %s: what is left of VM %s is removed later: %s", self.name, name, exc)

    def _known_size(self, driver: Any, wanted: str) -> None:
        offered = self._sizes(driver)
        if wanted.lower() not in {size.lower() for size in offered}:
            near = [size for size in offered if size[:10].lower() == wanted[:10].lower()] or list(offered)
            raise InvalidRequestError(
                f"provider {self.name} does not know the vmSize {wanted!r}; it knows {', '.join(near[:12])}, ..."
            )

    def _sizes(self, driver: Any) -> dict[str, dict[str, Any]]:
        path = f"{self._own.location_path}/vmSizes"
        return self._sizes_there.get("", lambda: {size["name"]: size for size in driver.ex_all(path, COMPUTE)})

    def _known_image(self, driver: Any, image: str) -> None:
        self._images_seen.get(image, lambda: self._look_up_image(driver, image))

    def _look_up_image(self, driver: Any, image: str) -> bool:
        reference = image_reference(image)
        if "publisher" in reference:
            path = "{0}/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"
            path = path.format(self._own.location_path, **reference)
            found = driver.connection.request(path, params={"api-version": COMPUTE, "$top": "1"}).object
            if not found:
                where = self._own.region
                raise InvalidRequestError(f"provider {self.name} does not know the image {image!r} in {where}")
        elif "id" in reference:
            driver.ex_get(image, COMPUTE)
        return True

    # -------------------------------------------------------------------------------------------- find and destroy

    def nodes(self, driver: Any) -> Iterable[Node]:
        """Five lists, however many VMs there are."""
        own = self._own
        vms = {each["name"].lower(): each for each in driver.ex_all(own.compute("virtualMachines"), COMPUTE)}
        path = f"{own.subscription_path}/providers/Microsoft.Compute/virtualMachines"
        statuses = {
            each["id"].lower(): statuses_of(each) for each in driver.ex_all(path, COMPUTE, statusOnly="true")
        }
        nics = by_vm(driver.ex_all(own.net("networkInterfaces"), NETWORK), "-nic")
        addresses = by_vm(driver.ex_all(own.net("publicIPAddresses"), NETWORK), "-ip")
        disks = by_vm(driver.ex_all(own.compute("disks"), DISKS), "-os")
        for name in sorted(set(vms) | set(nics) | set(addresses) | set(disks)):
            vm = vms.get(name)
            seen = statuses.get(vm["id"].lower(), ()) if vm else ()
            node = Node(name, vm, seen, nics.get(name), addresses.get(name), disks.get(name))
            if self._is_ours(node) and (vm is not None or name not in self._creating):
                yield node

    def _is_ours(self, node: Node) -> bool:
        """A disk has no tag of ours; its name carries the deployment."""
        if node.tags:
            return node.tags.get(DEPLOYMENT_TAG) == self.deployment
        return node.vm is None and carries(node.name, self.deployment)

    def find(self, driver: Any, name: str) -> Node | None:
        own = self._own
        vm = driver.ex_find(own.vm_path(name), COMPUTE, **{"$expand": "instanceView"})
        if vm is None:
            return None
        nic = driver.ex_find(own.nic_path(name), NETWORK)
        address = driver.ex_find(own.address_path(name), NETWORK) if self.settings.public else None
        node = Node(vm["name"].lower(), vm, statuses_of(vm), nic, address)
        if not self._is_ours(node):
            raise InvalidRequestError(f"provider {self.name}: a VM {vm['name']} exists in {own.group} and is not ours")
        return node

    def reboot(self, driver: Any, node: Node) -> Vm | None:
        driver.ex_post(f"{self._own.vm_path(node.name)}/restart", COMPUTE)
        return None

    def vm(self, node: Node) -> Vm:
        tags = dict(node.tags)
        name = tags.get(NAME_TAG) or node.name
        vm = node.vm or {}
        properties = vm.get("properties", {})
        low = properties.get("priority") == "Spot"
        state, reason = state_of(node, low)
        created, size = properties.get("timeCreated"), properties.get("hardwareProfile", {}).get("vmSize")
        return Vm(
            name=name,
            provider_id=self._own.vm_path(name),
            state=state,
            address=self._address(node),
            port=None,
            user="",
            host_key=None,
            low_priority=low,
            node_root="",
            created=datetime.fromisoformat(created).timestamp() if created else None,
            reason=reason,
            tags=tags,
            size=size,
            zone=next(iter(vm.get("zones", [])), None),
            price_per_hour=hourly_price(size, self._own.region) if size and not low else None,
        )

    def _address(self, node: Node) -> str | None:
        if self.settings.public:
            return node.address["properties"].get("ipAddress") if node.address else None
        configurations = node.nic["properties"].get("ipConfigurations", []) if node.nic else []
        return configurations[0]["properties"].get("privateIPAddress") if configurations else None

    def end(self, driver: Any, name: str, provider_id: str | None) -> None:
        vm = driver.ex_find(self._own.vm_path(name), COMPUTE)
        if vm is not None and vm.get("tags", {}).get(DEPLOYMENT_TAG) != self.deployment:
            return  # somebody else's of the same name
        self._remove(driver, name)

    def _remove(self, driver: Any, name: str) -> None:
        """Deleting the VM takes the rest along; without one, the rest is deleted piece by piece."""
        own = self._own
        if not driver.ex_delete(own.vm_path(name), COMPUTE):
            driver.ex_delete(own.nic_path(name), NETWORK)
            driver.ex_delete(own.address_path(name), NETWORK)
            driver.ex_delete(own.disk_path(name), DISKS)

    # ------------------------------------------------------------------------------------------- what there is

    def sizes(self, driver: Any) -> Iterable[Size]:
        for name, size in self._sizes(driver).items():
            price = hourly_price(name, self._own.region)
            yield self.priced(Size(name, size["numberOfCores"], size["memoryInMB"], price))

    def images(self, driver: Any) -> Iterable[Image]:
        """The group's own; the marketplace has tens of thousands."""
        for image in driver.ex_all(self._own.compute("images"), COMPUTE):
            yield Image(image["id"], image["name"])

    def check(self, driver: Any) -> Iterator[Finding]:
        own = self._own
        yield self.looked(
            "group", "resourceGroup", own.group, lambda _: driver.ex_get(own.group_path, GROUPS), needed=False
        )
        for image in self.wanted_images():
            yield self.looked("image", "image", image, partial(self._look_up_image, driver))
        for size in self.wanted_sizes():
            yield self.looked("size", "size", size, partial(self._known_size, driver))
        subnet = own.subnet(self.settings.subnet or "default")
        short = subnet.rpartition("/virtualNetworks/")[2].replace("/subnets/", "/")
        yield self.looked("network", "subnet", short, lambda _: driver.ex_get(subnet, NETWORK), needed=False)
        yield from self.asked("quota", "the quotas", partial(self._quotas, driver))
        yield self.price_finding(lambda size: hourly_price(size, own.region))

    def _quotas(self, driver: Any) -> Iterator[Finding]:
        own = self._own
        for usage in driver.ex_all(f"{own.location_path}/usages", COMPUTE):
            if usage["name"]["value"] in ("cores", "lowPriorityCores", "virtualMachines"):
                yield self.quota_finding(
                    f"{usage['currentValue']} of {usage['limit']} {usage['name']['value']} are used in {own.region}",
                    usage["currentValue"] >= usage["limit"],
                    "ask for more at Quotas in the Azure portal",
                )

    def error(self, exc: Exception) -> ProviderError | None:
        return azure_error(exc, self.name)
