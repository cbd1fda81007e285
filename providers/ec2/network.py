"""Where VMs are put and who may reach them: subnets, and a security group of our own that lets in nothing but SSH.

Nodes of one deployment are in one group, which has no rule for its own members: they cannot reach each other's
ports as long as `sshFrom` does not contain them.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidRequestError, ProviderError, TransientError
from .api import Api
from .errors import code_of
from .settings import DEPLOYMENT, Ec2Settings
from .turns import Turns

_KEEP = 600.0  # seconds that a group is taken to be as we left it: a rule may go, this machine's address may change
_PAUSE = 0.5  # seconds between two tries to use a group that does not show yet


@dataclass(frozen=True)
class Place:
    """Where one VM goes."""

    zone: str | None
    subnet: str | None
    groups: tuple[str, ...]  # ids


class Network:
    """Every method raises ProviderErrors; what was looked up is remembered."""

    def __init__(
        self, api: Api, settings: Ec2Settings, deployment: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._api = api
        self._settings = settings
        self._deployment = deployment
        self._sleep = sleep
        self.group_name = f"ebbtide-{deployment}"
        self._turns = Turns()
        self._nets: dict[str | None, str | None] = {}  # VPC of a subnet; of None: the default one
        self._groups: dict[str | None, tuple[float, tuple[str, ...]]] = {}  # since when, and ids, by VPC

    def subnet(self, zone: str | None, wanted: str | None) -> str | None:
        """What a pool names goes before the settings."""
        return wanted or self._settings.subnets.get(zone or "") or self._settings.subnet

    def place(self, zone: str | None, wanted_subnet: str | None) -> Place:
        subnet = self.subnet(zone, wanted_subnet)
        with self._turns.take():  # fifty creates at once ask once, and make one group
            vpc = self._vpc(subnet)
            kept = self._groups.get(vpc)
            if kept is None or time.monotonic() > kept[0] + _KEEP:
                groups = self._named(vpc) if self._settings.security_groups else self._own(vpc)
                kept = self._groups[vpc] = (time.monotonic(), groups)
        # a subnet that a pool names has its own zone, whatever the placement says
        return Place(None if wanted_subnet else zone, subnet, kept[1])

    def preview(self, zone: str | None) -> Place:
        """The same without making a group: for a look whether VMs could be made."""
        subnet = self.subnet(zone, None)
        with self._turns.take():
            vpc = self._vpc(subnet)
            groups = self._named(vpc) if self._settings.security_groups else ()
        return Place(zone, subnet, groups)

    def forget(self) -> None:
        """Something that was remembered is no more."""
        with self._turns.take():
            self._nets.clear()
            self._groups.clear()

    # -- networks ----------------------------------------------------------------------------------------------

    def _vpc(self, subnet: str | None) -> str | None:
        if subnet not in self._nets:
            if subnet is not None:
                self._nets[subnet] = self._api.ec2("describe_subnets", SubnetIds=[subnet])["Subnets"][0]["VpcId"]
            else:
                default = [{"Name": "is-default", "Values": ["true"]}]
                rows = self._api.ec2("describe_vpcs", Filters=default)["Vpcs"]
                if not rows:
                    raise InvalidRequestError(
                        f"provider {self._api.name}: {self._settings.region} has no default network; set `subnet`, or "
                        "`subnets` for several zones"
                    )
                self._nets[subnet] = rows[0]["VpcId"]
        return self._nets[subnet]

    # -- groups ------------------------------------------------------------------------------------------------

    def _named(self, vpc: str | None) -> tuple[str, ...]:
        """The ids of those that the settings name, by id or by name."""
        rows = self._found("vpc-id", [str(vpc)])
        by_name = {row["GroupName"]: row["GroupId"] for row in rows}
        known = set(by_name.values())
        for name in self._settings.security_groups:
            if name not in by_name and name not in known:
                raise InvalidRequestError(
                    f"provider {self._api.name}: the network {vpc} has no security group {name!r}; it has "
                    + ", ".join(sorted(by_name))
                )
        return tuple(by_name.get(name, name) for name in self._settings.security_groups)

    def _own(self, vpc: str | None) -> tuple[str, ...]:
        """Ours, made if it is not there, with the rules that the settings ask for."""
        networks = self._ssh_from(vpc)
        rows = self._ours(vpc) or [self._make(vpc)]
        end = time.monotonic() + self._settings.visibility_delay
        while True:
            try:
                self._let_in(rows[0], networks)
                return (rows[0]["GroupId"],)
            except ProviderError as exc:
                if code_of(exc) != "InvalidGroup.NotFound":
                    raise
                if time.monotonic() >= end:  # a new group is unknown to EC2 itself for a while
                    raise TransientError(f"{exc}; it was made and does not show yet") from exc
            self._sleep(_PAUSE)

    def _found(self, key: str, values: list[str]) -> list[dict[str, Any]]:
        return list(
            self._api.pages(
                "describe_security_groups", "SecurityGroups", Filters=[{"Name": key, "Values": values}], MaxResults=500
            )
        )

    def _ours(self, vpc: str | None) -> list[dict[str, Any]]:
        """By name, and by our tag: a stranger's group of that name is not ours."""
        rows = self._found("group-name", [self.group_name])
        return [row for row in rows if vpc in (None, row.get("VpcId")) and self._tagged(row)]

    def _strangers(self, vpc: str | None) -> bool:
        rows = self._found("group-name", [self.group_name])
        return any(row.get("VpcId") == vpc and not self._tagged(row) for row in rows)

    def _tagged(self, row: Mapping[str, Any]) -> bool:
        return {"Key": DEPLOYMENT, "Value": self._deployment} in row.get("Tags", ())

    def _make(self, vpc: str | None) -> dict[str, Any]:
        tags = [{"Key": DEPLOYMENT, "Value": self._deployment}, {"Key": "Name", "Value": self.group_name}]
        tags += [{"Key": key, "Value": value} for key, value in self._settings.tags.items()]
        try:
            made = self._api.ec2(
                "create_security_group",
                GroupName=self.group_name,
                Description="Nodes of an ebbtide deployment: SSH in, nothing else",
                VpcId=vpc,
                TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
            )
        except ProviderError as exc:
            if code_of(exc) == "InvalidGroup.Duplicate":
                if rows := self._ours(vpc):
                    return rows[0]
                if not self._strangers(vpc):
                    raise TransientError(f"{exc}; another controller has made it and it does not show yet") from exc
            raise
        return {"GroupId": made["GroupId"], "IpPermissions": []}

    def _let_in(self, row: Mapping[str, Any], networks: tuple[str, ...]) -> None:
        """Exactly SSH from these networks; a rule of an earlier setting goes."""
        wanted = {self._rule(network) for network in networks}
        present: set[tuple[int, str]] = set()
        stale: list[dict[str, Any]] = []
        for rule in row.get("IpPermissions", ()):
            ranges = [r["CidrIp"] for r in rule.get("IpRanges", ())]
            ranges += [r["CidrIpv6"] for r in rule.get("Ipv6Ranges", ())]
            rules = {(rule.get("FromPort", -1), cidr) for cidr in ranges}
            plain = rule.get("FromPort") == rule.get("ToPort") and rule.get("IpProtocol") == "tcp"
            if plain and rules <= wanted and not rule.get("UserIdGroupPairs") and not rule.get("PrefixListIds"):
                present |= rules
            else:
                stale.append({key: value for key, value in rule.items() if value != []})
        if stale:
            self._api.ec2("revoke_security_group_ingress", GroupId=row["GroupId"], IpPermissions=stale)
        missing = sorted(wanted - present)
        if missing:
            rules_ = [_permission(port, cidr) for port, cidr in missing]
            try:
                self._api.ec2("authorize_security_group_ingress", GroupId=row["GroupId"], IpPermissions=rules_)
            except ProviderError as exc:
                if code_of(exc) != "InvalidPermission.Duplicate":  # another controller was faster
                    raise

    def _rule(self, network: str) -> tuple[int, str]:
        return self._settings.ssh_port, str(ipaddress.ip_network(network))

    def _ssh_from(self, vpc: str | None) -> tuple[str, ...]:
        """Those of the settings, else the address with which this machine goes to the network."""
        if self._settings.ssh_from:
            return self._settings.ssh_from
        address, inside = self._own_address(vpc)
        if address is None:
            raise InvalidRequestError(
                f"provider {self._api.name}: this machine has no route to the network {vpc} ({inside[0]}); "
                "set sshFrom to the networks that SSH comes from, as in [10.0.0.5/32]"
            )
        return (f"{address}/32",)

    def _own_address(self, vpc: str | None) -> tuple[str | None, list[str]]:
        """This machine's address on the way to the network, and what the network is: the main part first."""
        row = self._api.ec2("describe_vpcs", VpcIds=[vpc])["Vpcs"][0]
        parts = [row["CidrBlock"], *(each["CidrBlock"] for each in row.get("CidrBlockAssociationSet", ()))]
        return source_address(str(ipaddress.ip_network(parts[0])[1])), parts

    def outside(self, subnet: str | None) -> tuple[str, str] | None:
        """This machine's address and the subnet's network, if that does not contain it."""
        with self._turns.take():
            address, parts = self._own_address(self._vpc(subnet))
        if address is None or any(ipaddress.ip_address(address) in ipaddress.ip_network(part) for part in parts):
            return None
        return address, parts[0]

    def without_default(self) -> list[str]:
        """Zones of the settings for which no subnet is named, and that have none of their own accord."""
        open_ = [zone for zone in self._settings.zones if self.subnet(zone, None) is None]
        if not open_:
            return []
        default = [{"Name": "default-for-az", "Values": ["true"]}]
        rows = self._api.pages("describe_subnets", "Subnets", Filters=default)
        return sorted(set(open_) - {row["AvailabilityZone"] for row in rows})

    # -- the end -----------------------------------------------------------------------------------------------

    def remove(self, dry: bool = False) -> list[str]:
        """Remove our groups, of every network; one that is still in use stays. In words, what was found."""
        if self._settings.security_groups:
            return []
        with self._turns.take():
            rows = self._ours(None)
            for row in rows if not dry else ():
                try:
                    self._api.ec2("delete_security_group", GroupId=row["GroupId"])
                except ProviderError as exc:
                    if code_of(exc) not in ("DependencyViolation", "InvalidGroup.InUse", "InvalidGroup.NotFound"):
                        raise
            if not dry:
                self._groups.clear()
        return [f"security group {row['GroupName']} ({row['GroupId']})" for row in rows]


def source_address(target: str) -> str | None:
    """This machine's address on the way to `target`; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 22))
        except OSError:
            return None
        name: str = probe.getsockname()[0]
        return name


def _permission(port: int, cidr: str) -> dict[str, Any]:
    kind, key = ("Ipv6Ranges", "CidrIpv6") if ":" in cidr else ("IpRanges", "CidrIp")
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        kind: [{key: cidr, "Description": "SSH from the controller of ebbtide"}],  # EC2 takes no apostrophe here
    }
