"""DigitalOcean's words in the contract's words. Names are not unique there: ours are looked up before one is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from ..cloud_names import host_name, tag, untag
from ..cloud_settings import CloudSettings
from ..errors import InvalidRequestError, ProviderError
from ..host_keys import HostKeys
from ..http_cloud import DEPLOYMENT_TAG, NAME_TAG, NODE_TAG, HttpCloud, Kept
from ..libcloud_errors import if_there
from ..provider import NOT_AZURE_SIZES, Capabilities, Finding, Image, Severity, Size, Vm, VmSpec, VmState
from .errors import digitalocean_error
from .keys import DeploymentKey

_STATES = {"new": VmState.PENDING, "active": VmState.RUNNING, "off": VmState.TERMINATED, "archive": VmState.TERMINATED}
_REASONS = {"off": "it has been powered off (by itself, or by hand), and still costs", "archive": "it is archived"}
#: Its slugs for what people call its images.
DISTRIBUTIONS = {
    "ubuntu-22.04": "ubuntu-22-04-x64",
    "ubuntu-24.04": "ubuntu-24-04-x64",
    "debian-12": "debian-12-x64",
    "almalinux-9": "almalinux-9-x64",
}

Node = Mapping[str, Any]


class DigitalOceanMapping(HttpCloud):
    def __init__(self, name: str, deployment: str, settings: CloudSettings, host_keys: HostKeys | None) -> None:
        super().__init__(name, deployment, settings, host_keys)
        self.capabilities = Capabilities(
            low_priority=False,
            preempt=False,
            user_data=True,
            host_keys=True,
            known_by="tags",
            max_vms=settings.max_vms,
            subnets=True,
        )
        self.profile = settings.profile(own_sizes=NOT_AZURE_SIZES, distributions=DISTRIBUTIONS)
        self._mark = f"{DEPLOYMENT_TAG}:{tag(deployment)}"
        self._key = DeploymentKey(f"ebbtide-{deployment}")
        self._offered: Kept[dict[str, dict[str, Any]]] = Kept()
        self._images: Kept[str | int] = Kept()
        self._ended: set[int] = set()

    # ----------------------------------------------------------------------------------------------------- create

    def make(self, driver: Any, spec: VmSpec, tags: Mapping[str, str]) -> Node:
        body = {
            "name": host_name(spec.name),
            "region": spec.zone or self.settings.region or self.settings.zones[0],
            "size": self._known_size(driver, spec.size),
            "image": self._image(driver, self.image_name(spec)),
            "user_data": self.settings.script(spec, self.host_keys),
            "tags": self._tags(spec, tags),
        }
        if subnet := spec.subnet or self.settings.subnet:
            body["vpc_uuid"] = subnet
        if self.settings.key_pair is not None:
            return self._posted(driver, body, self._named_key(driver, self.settings.key_pair))
        with self._key.used(driver, spec.public_key) as key:
            return self._posted(driver, body, key)

    def _posted(self, driver: Any, body: Mapping[str, Any], key: str) -> Node:
        made: Node = driver.ex_post("/v2/droplets", {**body, "ssh_keys": [key]})["droplet"]
        return {**made, "tags": made.get("tags") or body["tags"]}

    def _tags(self, spec: VmSpec, tags: Mapping[str, str]) -> list[str]:
        """A tag stays in the account after its droplets have gone: none is made that only one VM would have, as long
        as the droplet's name can be the VM's."""
        single = {NODE_TAG} if host_name(spec.name) == spec.name else set()
        single |= {NAME_TAG} if host_name(spec.name) == spec.name else set()
        return [f"{tag(key)}:{tag(value)}" for key, value in tags.items() if key not in single]

    def _known_size(self, driver: Any, wanted: str) -> str:
        offered = self._sizes(driver)
        if wanted not in offered:
            near = [slug for slug in offered if slug.startswith(wanted[:2])] or list(offered)
            raise InvalidRequestError(
                f"provider {self.name} does not know the vmSize {wanted!r}; it knows {', '.join(near[:12])}, ..."
            )
        return wanted

    def _sizes(self, driver: Any) -> dict[str, dict[str, Any]]:
        """Without those with a GPU: lists of droplets leave these out, so that a lost one would never be found."""

        def load() -> dict[str, dict[str, Any]]:
            return {each["slug"]: each for each in driver.ex_all("/v2/sizes", "sizes") if each["slug"][:4] != "gpu-"}

        return self._offered.get("sizes", load)

    def _image(self, driver: Any, wanted: str) -> str | int:
        """By slug or id; else one of the user's own by name."""
        return self._images.get(wanted, lambda: self._look_up_image(driver, wanted))

    def _look_up_image(self, driver: Any, wanted: str) -> str | int:
        found = driver.ex_find(f"/v2/images/{tag(wanted).replace('_2e', '.')}")
        if found is not None:
            return int(found["image"]["id"])
        for image in driver.ex_all("/v2/images", "images", private="true"):
            if wanted == image["name"]:
                return int(image["id"])
        raise InvalidRequestError(
            f"provider {self.name} does not know the image {wanted!r}; name a slug such as debian-12-x64, or a snapshot"
        )

    def _named_key(self, driver: Any, wanted: str) -> str:
        if wanted.isdigit() or wanted.count(":") == 15:
            return wanted
        for key in driver.ex_all("/v2/account/keys", "ssh_keys"):
            if key["name"] == wanted:
                return str(key["fingerprint"])
        raise InvalidRequestError(f"provider {self.name}: there is no SSH key {wanted!r} in the account (keyPair)")

    # -------------------------------------------------------------------------------------------- find and destroy

    def nodes(self, driver: Any) -> Iterable[Node]:
        found = if_there(lambda: driver.ex_droplets(tag_name=self._mark))  # 404: no such tag
        return [node for node in found or () if self._mark in node["tags"]]

    def find(self, driver: Any, name: str) -> Node | None:
        found = self._all(driver, name)
        return min(found, key=lambda node: (node["created_at"], node["id"]), default=None)

    def _all(self, driver: Any, name: str) -> list[Node]:
        found: list[Node] = driver.ex_droplets(name=host_name(name))
        return [node for node in found if self._mark in node["tags"] and self.vm(node).name == name]

    def reboot(self, driver: Any, node: Node) -> Vm | None:
        driver.ex_post(f"/v2/droplets/{node['id']}/actions", {"type": "reboot"})
        return None

    def vm(self, node: Node) -> Vm:
        tags = {untag(key): untag(value) for key, _, value in (text.partition(":") for text in node["tags"])}
        kind = "public" if self.settings.public else "private"
        networks = (node.get("networks") or {}).get("v4", [])
        return Vm(
            name=tags.get(NAME_TAG) or node["name"],
            provider_id=str(node["id"]),
            state=_STATES.get(node["status"], VmState.UNKNOWN),
            address=next((each["ip_address"] for each in networks if each["type"] == kind), None),
            port=None,
            user="",
            host_key=None,
            low_priority=False,
            node_root="",
            created=datetime.fromisoformat(node["created_at"]).timestamp(),
            reason=_REASONS.get(node["status"]),
            tags=tags,
            size=node["size_slug"],
            zone=(node.get("region") or {}).get("slug"),
            price_per_hour=(node.get("size") or {}).get("price_hourly"),
        )

    def end(self, driver: Any, name: str, provider_id: str | None) -> None:
        ids = {node["id"] for node in self._all(driver, name)}
        if provider_id is not None and int(provider_id) not in ids:
            ids |= self._ours_by_id(driver, provider_id)
        for droplet in ids:
            driver.ex_delete(f"/v2/droplets/{droplet}")
            self._ended.add(droplet)
        self._clean_up(driver)

    def _ours_by_id(self, driver: Any, provider_id: str) -> set[int]:
        found = driver.ex_find(f"/v2/droplets/{int(provider_id)}")
        return {found["droplet"]["id"]} if found and self._mark in found["droplet"]["tags"] else set()

    def end_twin(self, driver: Any, vm: Vm) -> None:
        driver.ex_delete(f"/v2/droplets/{vm.provider_id}")
        self._ended.add(int(vm.provider_id))

    def _clean_up(self, driver: Any) -> None:
        """With the last droplet go the deployment's key and tag."""
        self._key.remove(driver, lambda: self._forget_tag(driver))

    def _forget_tag(self, driver: Any) -> bool:
        if any(node["id"] not in self._ended for node in self.nodes(driver)):
            return False
        driver.ex_delete(f"/v2/tags/{self._mark}")
        return True

    # ------------------------------------------------------------------------------------------- what there is

    def sizes(self, driver: Any) -> Iterable[Size]:
        for slug, size in self._sizes(driver).items():
            if size.get("available", True):
                yield self.priced(Size(slug, size["vcpus"], size["memory"], size["price_hourly"]))

    def images(self, driver: Any) -> Iterable[Image]:
        for image in driver.ex_all("/v2/images", "images", type="distribution"):
            yield Image(image["slug"] or str(image["id"]), f"{image['distribution']} {image['name']}")

    def check(self, driver: Any) -> Iterator[Finding]:
        yield from self.asked("credentials", "the account", partial(self._account, driver))
        for image in self.wanted_images():
            yield self.looked("image", "image", image, partial(self._look_up_image, driver))
        yield from self.asked("size", "the list of sizes", partial(self._size_findings, driver), needed=True)
        if subnet := self.settings.subnet:
            yield self.looked("network", "subnet", subnet, lambda vpc: driver.ex_get(f"/v2/vpcs/{vpc}"), needed=False)
        if key := self.settings.key_pair:
            yield self.looked("key", "keyPair", key, partial(self._named_key, driver))
        yield from self.asked("quota", "the limit of droplets", partial(self._quota, driver))
        yield from self.asked("price", "the list of prices", partial(self._price_findings, driver))

    def _account(self, driver: Any) -> Iterator[Finding]:
        account = driver.ex_get("/v2/account")["account"]
        status = account.get("status", "active")
        if status == "active":
            yield Finding("credentials", Severity.OK, "the account is active")
        else:
            cure = f"see the account's message: {account.get('status_message') or 'in the console'}"
            yield Finding("credentials", Severity.ERROR, f"the account is {status}", cure)

    def _size_findings(self, driver: Any) -> Iterator[Finding]:
        offered = self._sizes(driver)
        wanted = self.settings.zones or (self.settings.region or "",)
        for size in self.wanted_sizes():
            there = [region for region in wanted if region in offered.get(size, {}).get("regions", ())]
            if there:
                yield Finding("size", Severity.OK, f"{size} is offered in {', '.join(there)}")
            else:
                text = f"{size} is not offered in {', '.join(wanted)}"
                yield Finding("size", Severity.ERROR, text, "choose another size or region")

    def _quota(self, driver: Any) -> Iterator[Finding]:
        limit = driver.ex_get("/v2/account")["account"].get("droplet_limit", 0)
        total = driver.ex_get("/v2/droplets?per_page=1").get("meta", {}).get("total", 0)
        cure = "ask DigitalOcean for a higher droplet limit"
        yield self.quota_finding(f"{total} of {limit} droplets exist", total >= limit, cure)

    def _price_findings(self, driver: Any) -> Iterator[Finding]:
        offered = self._sizes(driver)
        yield self.price_finding(lambda size: offered.get(size, {}).get("price_hourly"))

    def error(self, exc: Exception) -> ProviderError | None:
        return digitalocean_error(exc, self.name)
