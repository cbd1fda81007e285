"""What the fake EC2 answers where moto answers too little: RunInstances with the whole contract, prices, consoles."""

from __future__ import annotations

import base64
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.responses import EC2Response
from moto.ec2.utils import parse_user_data

from .backend import RigBackend
from .errors import Refusal
from .lives import Lives
from .market import Market

_ALL = 1_000_000
_LARGEST_USER_DATA = 16 * 1024
_DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")


@dataclass
class Region:
    """What the answers are made from. `tokens`: client token -> (arguments, reservation)."""

    backend: RigBackend
    lives: Lives
    market: Market
    console: Callable[[Any], str]
    groups_changed: Callable[[], None]
    tokens: dict[str, tuple[Any, Any]] = field(default_factory=dict)


class RigAnswers(EC2Response):
    def __init__(self, region: Region) -> None:
        super().__init__()
        self._region = region

    @property
    def ec2_backend(self) -> Any:
        return self._region.backend

    def describe_instances(self) -> Any:
        if not self._get_param("MaxResults") and not self._get_param("InstanceIds"):
            self.params["MaxResults"] = _ALL  # who asks for no pages gets none
        return super().describe_instances()

    def run_instances(self) -> Any:
        token = self._get_param("ClientToken")
        dry = self._get_param("DryRun", False)
        asked = {key: value for key, value in self.params.items() if key not in ("ClientToken", "DryRun")}
        if token and not dry and token in self._region.tokens:
            return self._again(token, asked)
        self._validate()
        if not dry:
            self.params["MinCount"] = self._place()
        made = super().run_instances()
        if token:
            self._region.tokens[token] = (asked, made.result)
        return made

    def terminate_instances(self) -> Any:
        self.error_on_dryrun()
        changed = self.ec2_backend.terminate_instances(self._get_param("InstanceIds", []))
        return _changes("TerminatingInstances", changed)

    def stop_instances(self) -> Any:
        self.error_on_dryrun()
        return _changes("StoppingInstances", self.ec2_backend.stop_instances(self._get_param("InstanceIds", [])))

    def start_instances(self) -> Any:
        self.error_on_dryrun()
        return _changes("StartingInstances", self.ec2_backend.start_instances(self._get_param("InstanceIds", [])))

    def describe_account_attributes(self) -> Any:
        limit = self._region.market.instances
        values = {"max-instances": "10000" if math.isinf(limit) else f"{limit:g}", "supported-platforms": "VPC",
                  "default-vpc": self.ec2_backend.default_vpc.id}  # fmt: skip
        asked = self._get_param("AttributeNames", []) or list(values)
        return ActionResult(
            {
                "AccountAttributes": [
                    {"AttributeName": name, "AttributeValues": [{"AttributeValue": values[name]}]}
                    for name in asked
                    if name in values
                ]
            }
        )

    def get_console_output(self) -> Any:
        asked = self._get_param("InstanceId")
        instance = self._region.lives.known(asked)
        if instance is None:
            raise Refusal("InvalidInstanceID.NotFound", f"The instance ID '{asked}' does not exist")
        text = self._region.console(instance)
        result: dict[str, Any] = {"InstanceId": instance.id, "Timestamp": datetime.now(UTC)}
        if text:  # EC2 leaves it out while there is nothing
            result["Output"] = Base64EncodedString.from_raw_string(text)
        return ActionResult(result)

    def describe_spot_price_history(self) -> Any:
        self.error_on_dryrun()
        named = self._filters_from_querystring()
        zones = [self._get_param("AvailabilityZone")] if self._get_param("AvailabilityZone") else []
        prices = self._region.market.price_history(
            self._get_param("InstanceTypes", []) or list(named.get("instance-type", [])),
            zones or list(named.get("availability-zone", [])),
            self._get_param("ProductDescriptions", []) or list(named.get("product-description", [])),
        )
        start, most = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or 1000)
        stamp = datetime.fromtimestamp(time.time() - 3600, UTC)
        return ActionResult(
            {
                "NextToken": str(start + most) if start + most < len(prices) else "",
                "SpotPriceHistory": [
                    {
                        "AvailabilityZone": zone,
                        "InstanceType": size,
                        "ProductDescription": "Linux/UNIX",
                        "SpotPrice": f"{price:.6f}",
                        "Timestamp": stamp,
                    }
                    for zone, size, price in prices[start : start + most]
                ],
            }
        )

    def authorize_security_group_ingress(self) -> Any:
        for rule in self._get_param("IpPermissions", []):
            for source in (*rule.get("IpRanges", []), *rule.get("Ipv6Ranges", [])):
                if not _DESCRIPTION.fullmatch(source.get("Description", "")):
                    raise Refusal("InvalidParameterValue", "Invalid rule description: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
        return self._changes_groups(super().authorize_security_group_ingress)

    def revoke_security_group_ingress(self) -> Any:
        return self._changes_groups(super().revoke_security_group_ingress)

    def modify_instance_attribute(self) -> Any:
        return self._changes_groups(super().modify_instance_attribute)

    def _changes_groups(self, change: Callable[[], Any]) -> Any:
        answer = change()
        self._region.groups_changed()
        return answer

    def _again(self, token: str, asked: Any) -> Any:
        before, reservation = self._region.tokens[token]
        if before != asked:
            raise Refusal(
                "IdempotentParameterMismatch",
                f"Arguments on this idempotent request are inconsistent with arguments used in previous request(s) "
                f"with the client token {token}.",
            )
        if all(instance.state in ("shutting-down", "terminated") for instance in reservation.instances):
            raise Refusal("IdempotentInstanceTerminated", f"The instance of client token {token} is terminated.")
        # A repeated RunInstances tells the state in which the instance is by now; the first one "pending", always.
        self.RESPONSE_KEY_PATH_TO_TRANSFORMER = {
            path: change
            for path, change in EC2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
            if path != "RunInstances.Reservation.Instances.Instance.State"
        }
        return ActionResult(reservation)

    def _validate(self) -> None:
        """What moto lets pass, or answers with a page of HTML."""
        backend, image, key = self.ec2_backend, self._get_param("ImageId"), self._get_param("KeyName")
        if self._get_param("LaunchTemplate"):
            return
        if image not in backend.amis:
            raise Refusal("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
        if key is not None and key not in backend.key_pairs:
            raise Refusal("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
        for group in self._get_param("SecurityGroupIds", []):
            if isinstance(group, str) and backend.get_security_group_from_id(group) is None:
                raise Refusal("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
        for group in self._get_param("SecurityGroups", []):
            if backend.get_security_group_by_name_or_id(group) is None:
                raise Refusal("InvalidGroup.NotFound", f"The security group '{group}' does not exist in default VPC")
        data = parse_user_data(self._get_param("UserData"))
        if data is not None and len(base64.b64decode(str(data))) > _LARGEST_USER_DATA:
            raise Refusal("InvalidParameterValue", "User data is limited to 16384 bytes")
        zone = self._get_param("Placement.AvailabilityZone")
        if zone is not None and zone not in {known.name for known in backend.describe_availability_zones()}:
            raise Refusal("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
        self._region.market.zones(self._get_param("InstanceType", "m1.small"))

    def _place(self) -> int:
        """Decides the zone if nobody has. How many instances there will be."""
        market, present = self._region.market, self._region.lives.present()
        size = self._get_param("InstanceType", "m1.small")
        zone = self._get_param("Placement.AvailabilityZone")
        subnet = self._get_param("SubnetId") or next(
            (nic["SubnetId"] for nic in self._get_param("NetworkInterfaces", []) if "SubnetId" in nic), None
        )
        if subnet is not None:
            zone = self.ec2_backend.get_subnet(subnet).availability_zone
        spot = self._get_param("InstanceMarketOptions.MarketType") == "spot"
        want, least = int(self._get_param("MaxCount", 1)), int(self._get_param("MinCount", 1))
        market.check_limits(size, spot, present, least)
        zone, count = market.place(size, zone, present, want, least)
        if spot:
            market.check_price(size, zone, self._get_param("InstanceMarketOptions.SpotOptions.MaxPrice"))
        if subnet is None:
            self.params.setdefault("Placement", {})["AvailabilityZone"] = zone
        return max(least, count if math.isfinite(count) else want)


def _changes(name: str, changed: list[tuple[Any, Any]]) -> Any:
    return ActionResult(
        {
            name: [
                {"InstanceId": instance.id, "CurrentState": instance.instance_state, "PreviousState": before}
                for instance, before in changed
            ]
        }
    )
