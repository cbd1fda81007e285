"""Looking whether VMs could be made, and what they would cost, without making any."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..errors import ProviderError, ThrottledError, TransientError
from ..host_keys import HostKeys
from ..provider import Finding, Severity, VmSpec
from .api import Api
from .errors import code_of
from .images import Images, MachineImage
from .launch import bursts, prepare
from .network import Network
from .prices import SpotPrices, list_price
from .quotas import quotas_of
from .settings import Ec2Settings

#: What is looked at with calls that `create` does without: credentials may be refused them, and VMs come all the same.
_SPARED = ("credentials", "zone", "size")
#: What is not known after a look that failed.
_UNKNOWN = {
    "credentials": "whose the credentials are",
    "zone": "whether the zones are there",
    "image": "whether the image is there",
    "size": "where the sizes are offered, and which images they run",
    "network": "whether the network is there",
    "permission": "whether VMs would be made",
}
_NOT_ALLOWED = ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException")
_NOT_OFFERED = ("InvalidAction", "UnknownOperationException")  # by an endpoint that is not quite EC2's
_SAMPLE_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class Preflight:
    def __init__(
        self, api: Api, settings: Ec2Settings, images: Images, network: Network, spot: SpotPrices, deployment: str
    ) -> None:
        self._api = api
        self._settings = settings
        self._images = images
        self._network = network
        self._spot = spot
        self._deployment = deployment
        self._image: MachineImage | None = None
        self._zones: tuple[str | None, ...] = settings.zones or (None,)  # without those that do not exist
        self._known_zones: list[str] = []

    def run(self) -> Iterator[Finding]:
        """Raises nothing. Without credentials the rest cannot be found out."""
        wrong = False
        for topic, look in (
            ("credentials", self._credentials),
            ("zone", self._look_at_zones),
            ("image", self._look_at_image),
            ("size", self._look_at_size),
            ("network", self._look_at_network),
            ("permission", self._dry_run),
            ("quota", self._quota),
            ("price", self._price),
        ):
            if topic == "permission" and wrong:
                continue  # EC2 would only repeat what has been said
            for finding in self._guarded(topic, look):
                wrong = wrong or finding.severity is Severity.ERROR
                yield finding
            if topic == "credentials" and wrong:
                return

    def _guarded(self, topic: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        try:
            yield from look()
        except ProviderError as exc:
            yield self._failed(topic, _UNKNOWN.get(topic, f"the {topic}"), "", exc)
        except (KeyError, IndexError, TypeError, ValueError) as exc:  # an answer that is none of EC2's
            yield Finding(topic, Severity.WARNING, f"EC2's answer was not understood: {type(exc).__name__} {exc}")

    def _failed(self, topic: str, unknown: str, refused: str, error: ProviderError) -> Finding:
        """What could not be asked is not wrong for that, but for what a create call asks too and would be refused."""
        code = code_of(error)
        unasked = (
            code in _NOT_OFFERED
            or (code in _NOT_ALLOWED and topic in _SPARED)
            or isinstance(error, ThrottledError)
            or (isinstance(error, TransientError) and topic != "credentials")  # without these nobody answers at all
        )
        if unasked:
            return replace(self._refused(topic, f"not known {unknown}: ", error), severity=Severity.WARNING)
        return self._refused(topic, refused, error)

    def _refused(self, topic: str, what: str, error: ProviderError) -> Finding:
        """An error as a finding: whose it is is known, and its last part is the cure."""
        text, _, cure = str(error).removeprefix(f"provider {self._api.name}: ").rpartition("; ")
        return Finding(topic, Severity.ERROR, what + (text or cure), cure if text else None, error)

    def _credentials(self) -> Iterator[Finding]:
        region = self._settings.region
        if self._settings.endpoint is None:
            try:
                who = self._api.service("sts", "get_caller_identity")
            except TransientError:
                pass  # a private network may lead to EC2 alone
            else:
                yield Finding("credentials", Severity.OK, f"{who['Arn']} in {region}")
                return
        # an endpoint of one's own may have no STS
        zones = self._zones_there()
        text = f"accepted by {self._settings.endpoint or 'EC2'} ({len(zones)} zones of {region})"
        yield Finding("credentials", Severity.OK, text)

    def _zones_there(self) -> list[str]:
        if not self._known_zones:
            rows = self._api.ec2("describe_availability_zones")["AvailabilityZones"]
            self._known_zones = sorted(row["ZoneName"] for row in rows)
        return self._known_zones

    def _look_at_zones(self) -> Iterator[Finding]:
        wanted = self._settings.zones
        if not wanted:
            return
        there = self._zones_there()
        self._zones = tuple(zone for zone in wanted if zone in there)
        if unknown := [zone for zone in wanted if zone not in there]:
            text = f"{self._settings.region} has no zone {', '.join(unknown)}"
            cure = f"correct `zones`; these credentials have {', '.join(there)}"
            yield Finding("zone", Severity.WARNING if self._zones else Severity.ERROR, text, cure)

    def _look_at_image(self) -> Iterator[Finding]:
        wanted = list(dict.fromkeys([image.name for image in self._images.offered()]))
        if not wanted:
            yield Finding("image", Severity.WARNING, "no image is set; each pool must name its own", "set `image`")
        for name in wanted:
            image = self._images.resolve(name)
            self._image = self._image or image
            told = name if name == image.id else f"{name}: {image.id}"
            yield Finding("image", Severity.OK, f"{told} {image.name} ({image.architecture})")

    def _look_at_size(self) -> Iterator[Finding]:
        sizes = self._settings.configured_sizes
        if not sizes:
            text = "no size is set; each pool's vmSize must be one of EC2's"
            yield Finding("size", Severity.WARNING, text, "set `size`")
            return
        offered: dict[str, set[str]] = {}
        rows = self._api.pages(
            "describe_instance_type_offerings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": list(sizes)}],
        )
        for row in rows:
            offered.setdefault(row["InstanceType"], set()).add(row["Location"])
        for size in sizes:
            zones = offered.get(size, set())
            missing = [zone for zone in self._zones if zone is not None and zone not in zones]
            if not zones:
                where = self._settings.region
                yield Finding("size", Severity.ERROR, f"{size} is not offered in {where}", "name another size")
            elif missing:
                nowhere = len(missing) == len(self._zones)
                text = f"{size} is not offered in {', '.join(missing)}" + ", in no zone of the settings" * nowhere
                cure = f"take them out of `zones`; it is offered in {', '.join(sorted(zones))}"
                yield Finding("size", Severity.ERROR if nowhere else Severity.WARNING, text, cure)
            else:
                yield Finding("size", Severity.OK, f"{size} is offered in {', '.join(sorted(zones))}")
        yield from self._architectures([size for size in sizes if size in offered])

    def _architectures(self, sizes: list[str]) -> Iterator[Finding]:
        if self._image is None or not self._image.architecture or not sizes:
            return
        rows = self._api.ec2("describe_instance_types", InstanceTypes=sizes)
        for row in rows["InstanceTypes"]:
            runs = row["ProcessorInfo"]["SupportedArchitectures"]
            if self._image.architecture not in runs:
                text = f"{row['InstanceType']} runs {', '.join(runs)} and not {self._image.architecture}"
                yield Finding("image", Severity.ERROR, text, "name an image and a size of the same architecture")

    def _look_at_network(self) -> Iterator[Finding]:
        settings = self._settings
        for place in [self._network.preview(zone) for zone in self._zones]:
            where = f"subnet {place.subnet}" if place.subnet else "the default network"
            zone = f"zone {place.zone}" if place.zone else "in a zone of EC2's choice"
            yield Finding("network", Severity.OK, f"{where}, {zone}")
        if missing := [zone for zone in self._network.without_default() if zone in self._zones]:
            text = f"the default network has no subnet in {', '.join(missing)}"
            cure = "name one in `subnets`, or take the zone out of `zones`"
            yield Finding("network", Severity.WARNING, text, cure)
        if settings.security_groups:
            text = f"security groups {', '.join(settings.security_groups)}: their rules decide who reaches the nodes"
            yield Finding("network", Severity.OK, text)
            return
        wide = [network for network in settings.ssh_from if ipaddress.ip_network(network).prefixlen == 0]
        if wide:
            text = f"sshFrom lets the whole world try to log in ({', '.join(wide)}), and nodes reach each other"
            yield Finding("network", Severity.WARNING, text, "name this machine's own address, as in 203.0.113.7/32")
        elif not settings.public and not settings.ssh_from and (found := self._network.outside(settings.subnet)):
            address, inside_of = found
            text = f"this machine ({address}) is not in the network {inside_of}, and nodes have private addresses there"
            cure = "set `sshAddress: public` and sshFrom; or, if a VPN leads there, sshFrom alone"
            yield Finding("network", Severity.WARNING, text, cure)
        elif inside := self._inside():
            text = f"sshFrom {inside} contains nodes: they reach each other's SSH port"
            yield Finding("network", Severity.WARNING, text, "name this machine's own address instead")
        else:
            shown = ", ".join(settings.ssh_from) or "this machine's address in the network"
            yield Finding("network", Severity.OK, f"SSH is let in from {shown}, by a security group of our own")

    def _inside(self) -> str | None:
        """A network of sshFrom that is wider than a host and that nodes lie in."""
        wide = [ipaddress.ip_network(each) for each in self._settings.ssh_from]
        wide = [network for network in wide if network.num_addresses > 1 and network.version == 4]
        if not wide:
            return None
        subnets = sorted(each for each in {self._settings.subnet, *self._settings.subnets.values()} if each)
        rows: list[Any] = (
            self._api.ec2("describe_subnets", SubnetIds=subnets)["Subnets"]
            if subnets
            else list(
                self._api.pages(
                    "describe_subnets", "Subnets", Filters=[{"Name": "default-for-az", "Values": ["true"]}]
                )
            )
        )
        nodes = [ipaddress.ip_network(row["CidrBlock"]) for row in rows]
        return next((str(network) for network in wide if any(network.overlaps(node) for node in nodes)), None)

    def _dry_run(self) -> Iterator[Finding]:
        """EC2's own word on whether these credentials may make such a VM."""
        settings, image = self._settings, self._image
        size = next(iter(settings.configured_sizes), "t3.micro")
        if image is None:
            return
        for low_priority, what in ((False, "dedicated"), (True, "spot")):
            spec = VmSpec(
                name=f"{self._deployment}-check-{what}",
                deployment=self._deployment,
                pool_id="check",
                node_id="check",
                size=size,
                image=image.id,
                low_priority=low_priority,
                public_key=_SAMPLE_KEY,
                user_data=settings.user_data,
            )
            place = self._network.preview(next(iter(self._zones), None))
            launch = prepare(spec, settings, image, place, settings.key_pair, HostKeys(bytes(32)))  # it makes nothing
            try:
                self._api.compute(lambda driver, launch=launch: launch.run(driver, dry=True))  # type: ignore[misc]
            except ProviderError as exc:
                if code_of(exc) == "DryRunOperation":
                    yield Finding("permission", Severity.OK, f"a {what} {size} would be made")
                else:
                    unknown, refused = f"whether a {what} {size} would be made", f"a {what} {size} would be refused: "
                    yield self._failed("permission", unknown, refused, exc)
            else:
                yield Finding("permission", Severity.WARNING, f"EC2 did not say whether a {what} {size} would be made")

    def _quota(self) -> Iterator[Finding]:
        sizes = self._settings.configured_sizes or ("t3.micro",)
        for quota in dict.fromkeys(quota for size in sizes for quota in quotas_of(size)):
            code, kind = quota.code, quota.kind
            try:
                row = self._api.service("service-quotas", "get_service_quota", ServiceCode="ec2", QuotaCode=code)
                limit = float(row["Quota"]["Value"])
            except (ProviderError, KeyError) as exc:
                why = str(exc).removeprefix(f"provider {self._api.name}: ").partition(";")[0]
                text = f"the limit of {kind} vCPUs of the {quota.families} families is not known: {why}"
                cure = "allow servicequotas:GetServiceQuota, or look at the Service Quotas page of the AWS console"
                yield Finding("quota", Severity.WARNING, text, cure)
                continue
            text = f"at most {limit:g} {kind} vCPUs of the {quota.families} families at a time"
            cure = f"raise quota {code} on the Service Quotas page of the AWS console"
            yield Finding("quota", Severity.OK if limit else Severity.ERROR, text, None if limit else cure)

    def _price(self) -> Iterator[Finding]:
        settings = self._settings
        self._spot.learn(settings.configured_sizes)
        for size in settings.configured_sizes:
            usual = settings.prices.get(size, list_price(size, settings.region)) or None
            low = settings.low_priority_prices.get(size, self._spot.lowest(size, settings.zones)) or None
            told = [f"dedicated {_dollars(usual)}", f"spot {_dollars(low)}"]
            text = f"{size}: {', '.join(told)}"
            if bursts(size) and settings.cpu_credits != "standard":
                text += "; work that keeps its CPUs busy costs more: see cpuCredits"
            if usual is None or low is None:
                cure = "give `prices` and `lowPriorityPrices` in the settings, so that costs and budgets can be kept"
                yield Finding("price", Severity.WARNING, text, cure)
            elif settings.max_price is not None and low > settings.max_price:
                cure = "raise it, or spot VMs wait for a lower price"
                yield Finding("price", Severity.WARNING, f"{text}; that is above maxPrice {settings.max_price:g}", cure)
            else:
                yield Finding("price", Severity.OK, text)


def _dollars(price: float | None) -> str:
    return "unknown" if price is None else f"${price:.4f} an hour"
