"""OpenStack's words in the contract's words. Names are not unique there: ours are looked up before one is given."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from libcloud.common.exceptions import BaseHTTPError
from requests.exceptions import RequestException

from ..cloud_settings import CloudSettings
from ..errors import InvalidRequestError, ProviderError, TransientError
from ..host_keys import HostKeys
from ..http_cloud import DEPLOYMENT_TAG, NAME_TAG, HttpCloud, Kept
from ..libcloud_errors import if_there
from ..names import unknown
from ..provider import Capabilities, Finding, Image, Severity, Size, Vm, VmSpec, VmState
from .errors import openstack_error
from .floating import FloatingAddresses, network_id
from .states import state_of

_CONSOLE_LINES = 500
#: what -> its keys among the limits: how much is used, how much may be
_QUOTAS = (
    ("servers", "totalInstancesUsed", "maxTotalInstances"),
    ("cores", "totalCoresUsed", "maxTotalCores"),
    ("MiB of memory", "totalRAMUsed", "maxTotalRAMSize"),
)
_SIZE_TAG = "ebbtide-size"  # the API tells a server's flavor by id alone, if it is not a new one

Node = Mapping[str, Any]


class OpenStackMapping(HttpCloud):
    def __init__(
        self,
        name: str,
        deployment: str,
        settings: CloudSettings,
        host_keys: HostKeys | None,
        *,
        floating_pool: str | None,
        volume_gib: int | None,
        config_drive: bool,
    ) -> None:
        super().__init__(name, deployment, settings, host_keys)
        self.capabilities = Capabilities(
            low_priority=False,
            preempt=False,
            user_data=True,
            host_keys=True,
            known_by="tags",
            max_vms=settings.max_vms,
            subnets=True,
            console=True,
        )
        self.profile = settings.profile()
        self._floating = FloatingAddresses(name, floating_pool, deployment) if floating_pool else None
        self._bare: dict[str, str] = {}  # server id -> name: seen to run without a floating address
        self._troubles: dict[str, str] = {}  # server id -> why it has none
        self._volume_gib = volume_gib
        self._config_drive = config_drive
        self._flavors: Kept[dict[str, dict[str, Any]]] = Kept()
        self._ids: Kept[str] = Kept()

    # ----------------------------------------------------------------------------------------------------- create

    def make(self, driver: Any, spec: VmSpec, tags: Mapping[str, str]) -> Node:
        image = self._image(driver, self.image_name(spec))
        server: dict[str, Any] = {
            "name": spec.name,
            "flavorRef": self._flavor(driver, spec.size)["id"],
            "imageRef": image,
            "metadata": {**tags, _SIZE_TAG: spec.size},
            "user_data": base64.b64encode(self.settings.script(spec, self.host_keys).encode()).decode(),
        }
        if subnet := spec.subnet or self.settings.subnet:
            server["networks"] = [{"uuid": self._network(driver, subnet)}]
        if spec.zone is not None:
            server["availability_zone"] = spec.zone
        if self.settings.key_pair is not None:
            server["key_name"] = self.settings.key_pair
        if self.settings.security_groups:
            server["security_groups"] = [{"name": group} for group in self.settings.security_groups]
        if self._config_drive:
            server["config_drive"] = True
        if self._volume_gib:
            del server["imageRef"]
            server["block_device_mapping_v2"] = [
                {
                    "boot_index": 0,
                    "uuid": image,
                    "source_type": "image",
                    "destination_type": "volume",
                    "volume_size": self._volume_gib,
                    "delete_on_termination": True,
                }
            ]
        made = driver.ex_post("/servers", {"server": server})["server"]
        node: Node = driver.ex_get(f"/servers/{made['id']}")["server"]
        return node

    def _flavor(self, driver: Any, wanted: str) -> dict[str, Any]:
        flavors = self._all_flavors(driver)
        for flavor in flavors.values():
            if wanted in (flavor["name"], flavor["id"]):
                return flavor
        raise unknown(self.name, "vmSize", wanted, list(flavors))

    def _all_flavors(self, driver: Any) -> dict[str, dict[str, Any]]:
        return self._flavors.get(
            "flavors", lambda: {each["name"]: each for each in driver.ex_all("/flavors/detail", "flavors")}
        )

    def _image(self, driver: Any, wanted: str) -> str:
        return self._ids.get(f"image {wanted}", lambda: self._look_up_image(driver, wanted))

    def _look_up_image(self, driver: Any, wanted: str) -> str:
        """By name, the newest of several; else by id."""
        found = driver.ex_images(status="active", sort="created_at:desc", name=wanted)
        if found:
            return str(found[0]["id"])
        by_id = if_there(lambda: driver.ex_image(wanted))
        if by_id is None:
            text = f"provider {self.name} does not know the image {wanted!r}; see `openstack image list`"
            raise InvalidRequestError(text)
        return str(by_id["id"])

    def _network(self, driver: Any, wanted: str) -> str:
        return self._ids.get(f"network {wanted}", lambda: network_id(driver, wanted, self.name))

    # -------------------------------------------------------------------------------------------- find and destroy

    def nodes(self, driver: Any) -> Iterable[Node]:
        """The name narrows what Nova looks through (as a pattern: names hold no character that means something but
        '.'); the metadata decides."""
        found = driver.ex_all("/servers/detail", "servers", name=self.deployment)
        return [node for node in found if node["metadata"].get(DEPLOYMENT_TAG) == self.deployment]

    def find(self, driver: Any, name: str) -> Node | None:
        return min(self._all(driver, name), key=lambda node: (node["created"], node["id"]), default=None)

    def _all(self, driver: Any, name: str) -> list[Node]:
        found = driver.ex_all("/servers/detail", "servers", name=f"^{name}$")
        return [
            node
            for node in found
            if node["name"] == name and node["metadata"].get(DEPLOYMENT_TAG) == self.deployment
        ]

    def vm(self, node: Node) -> Vm:
        state, reason = state_of(node)
        return Vm(
            name=node["metadata"].get(NAME_TAG) or node["name"],
            provider_id=node["id"],
            state=state,
            address=self._address(node),
            port=None,
            user="",
            host_key=None,
            low_priority=False,
            node_root="",
            created=datetime.fromisoformat(node["created"]).timestamp(),
            reason=reason,
            tags=dict(node["metadata"]),
            size=node["metadata"].get(_SIZE_TAG),
            zone=node.get("OS-EXT-AZ:availability_zone") or None,
        )

    def _address(self, node: Node) -> str | None:
        networks = node.get("addresses", {}).values()
        all_of_them = [each for network in networks for each in network if each.get("version", 4) == 4]
        fixed = [each["addr"] for each in all_of_them if each.get("OS-EXT-IPS:type", "fixed") == "fixed"]
        if not self.settings.public:
            return fixed[0] if fixed else None
        floating = [each["addr"] for each in all_of_them if each.get("OS-EXT-IPS:type") == "floating"]
        known = self._floating.known(node["id"]) if self._floating else None
        open_ones = [address for address in fixed if not ipaddress.ip_address(address).is_private]
        return next(iter(floating + ([known] if known else []) + open_ones), None)

    def finished(self, driver: Any, node: Node) -> Vm:
        vm = super().finished(driver, node)
        if self._floating is None or vm.address is not None or state_of(node)[0] is not VmState.RUNNING:
            return vm
        self._bare[vm.provider_id] = vm.name
        return replace(vm, reason=self._troubles.get(vm.provider_id, "no floating address yet"))

    def sweep(self, driver: Any, dry: bool) -> list[str]:
        """Servers that run get their floating addresses here. `create` is too early (before a server runs it may have
        no port, and that takes as long as the cloud likes), and a listing changes nothing."""
        if self._floating is not None and not dry:
            bare, self._bare, self._troubles = self._bare, {}, {}
            for server, name in bare.items():
                self._attach(driver, self._floating, name, server)
        return super().sweep(driver, dry)

    def _attach(self, driver: Any, floating: FloatingAddresses, name: str, server: str) -> None:
        try:
            with self._names.hold(name):
                if self._runs(driver, server):  # else it was destroyed meanwhile, and the address would stay
                    floating.attach(driver, name, server)
        except (ProviderError, BaseHTTPError, RequestException) as exc:
            self._troubles[server] = f"no floating address yet: {exc}"  # after the next listing it is tried again

    def _runs(self, driver: Any, server: str) -> bool:
        node = if_there(lambda: driver.ex_get(f"/servers/{server}")["server"])
        return node is not None and state_of(node)[0] is VmState.RUNNING

    def end(self, driver: Any, name: str, provider_id: str | None) -> None:
        ids = {node["id"] for node in self._all(driver, name)}
        if provider_id is not None and provider_id not in ids:
            ids |= self._ours_by_id(driver, provider_id)
        for server in ids:
            self._delete(driver, server)
        if self._floating is not None:
            self._floating.release(driver, name)

    def _ours_by_id(self, driver: Any, server: str) -> set[str]:
        found = if_there(lambda: driver.ex_get(f"/servers/{server}")["server"])
        ours = found is not None and found["metadata"].get(DEPLOYMENT_TAG) == self.deployment
        return {server} if ours else set()

    def end_twin(self, driver: Any, vm: Vm) -> None:
        self._delete(driver, vm.provider_id)

    def _delete(self, driver: Any, server: str) -> None:
        try:
            driver.ex_delete(f"/servers/{server}")
        except BaseHTTPError as exc:
            if exc.code == 409 and "deleting" not in str(exc):
                raise TransientError(f"provider {self.name}: server {server} cannot be deleted yet: {exc}") from exc
            if exc.code not in (404, 409):
                raise

    def reboot(self, driver: Any, node: Node) -> Vm | None:
        try:
            driver.ex_post(f"/servers/{node['id']}/action", {"reboot": {"type": "SOFT"}})
        except BaseHTTPError as exc:
            if exc.code != 409 or state_of(node)[0] is not VmState.RUNNING:  # else it is being rebooted already
                raise
        return None

    def console(self, driver: Any, node: Node) -> str | None:
        """None while the server has no console yet."""
        try:
            body = {"os-getConsoleOutput": {"length": _CONSOLE_LINES}}
            return driver.ex_post(f"/servers/{node['id']}/action", body)["output"] or None
        except BaseHTTPError as exc:
            if exc.code in (404, 409):
                return None
            raise

    # ------------------------------------------------------------------------------------------- what there is

    def sizes(self, driver: Any) -> Iterable[Size]:
        for name, flavor in self._all_flavors(driver).items():
            yield self.priced(Size(name, flavor["vcpus"], flavor["ram"], None))

    def images(self, driver: Any) -> Iterable[Image]:
        return [Image(image["name"], image["id"]) for image in driver.ex_images(status="active", limit="200")]

    def check(self, driver: Any) -> Iterator[Finding]:
        quotas = list(self.asked("quota", "the quotas", partial(self._quotas, driver)))
        yield Finding("credentials", Severity.OK, "signed in")
        for image in self.wanted_images():
            yield self.looked("image", "image", image, partial(self._look_up_image, driver))
        for size in self.wanted_sizes():
            yield self.looked("size", "size", size, partial(self._flavor, driver))
        if subnet := self.settings.subnet:
            yield self.looked("network", "subnet", subnet, lambda subnet: network_id(driver, subnet, self.name))
        if floating := self._floating:
            yield self.looked("network", "floatingIpPool", floating.pool, lambda _: floating.network(driver))
        yield from quotas
        yield self.price_finding(lambda size: None)

    def _quotas(self, driver: Any) -> Iterator[Finding]:
        limits = driver.ex_get("/limits")["limits"]["absolute"]
        for what, used_key, most_key in _QUOTAS:
            used, most = limits.get(used_key, 0), limits.get(most_key, -1)
            text = f"{used} of {most if most >= 0 else 'any number of'} {what} are used"
            yield self.quota_finding(text, 0 <= most <= used, "ask the cloud's operator for a larger quota")

    def error(self, exc: Exception) -> ProviderError | None:
        return openstack_error(exc, self.name)
