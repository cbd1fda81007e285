"""What the fake region has to sell: sizes, zones, room, prices and the account's limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .errors import Refusal

_SPOT_SHARE = 0.3
#: USD an hour of one vCPU, for every size alike.
_PRICE = 0.0104
#: The Service Quotas of EC2 that the rig answers: code, name.
QUOTAS = {
    "L-1216C47A": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    "L-34B43A08": "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
}


@dataclass
class Market:
    """`capacity[zone, size]`: how many instances of that size the zone has room for; what is not named has no end.
    `spot_prices[zone, size]`: USD an hour. `vcpus`, `spot_vcpus`, `instances`: the account's limits."""

    region: str
    capacity: dict[tuple[str, str], float] = field(default_factory=dict)
    spot_prices: dict[tuple[str, str], float] = field(default_factory=dict)
    vcpus: float = math.inf
    spot_vcpus: float = math.inf
    instances: float = math.inf
    _offered: dict[str, list[str]] = field(default_factory=dict)

    def zones(self, size: str) -> list[str]:
        """Those that have this size at all. Raises Refusal if there is no such size."""
        if size not in self._offered:
            self._offered[size] = self._zones(size)
        return self._offered[size]

    def _zones(self, size: str) -> list[str]:
        from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

        if size not in INSTANCE_TYPES:
            raise Refusal("InvalidParameterValue", f"Invalid value '{size}' for InstanceType.")
        offered = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(self.region, ())
        zones = sorted(offer["Location"] for offer in offered if offer["InstanceType"] == size)
        if not zones:
            raise Refusal("Unsupported", f"The requested configuration is not supported: {size} in {self.region}.")
        return zones

    def vcpus_of(self, size: str) -> int:
        from moto.ec2.models.instance_types import INSTANCE_TYPES

        return int(INSTANCE_TYPES[size].get("VCpuInfo", {}).get("DefaultVCpus", 1))

    def spot_price(self, zone: str, size: str) -> float:
        own = self.spot_prices.get((zone, size))
        return own if own is not None else round(_PRICE * _SPOT_SHARE * self.vcpus_of(size), 6)

    def place(self, size: str, zone: str | None, lives: list[Any], want: int, least: int) -> tuple[str, int]:
        """The zone, and how many (`least` to `want`) it takes. `lives`: the instances that are there."""
        offered = self.zones(size)
        if zone is not None and zone not in offered:
            raise Refusal(
                "Unsupported",
                f"Your requested instance type ({size}) is not supported in your requested Availability Zone ({zone}). "
                f"Please retry your request by not specifying an Availability Zone or choosing {', '.join(offered)}.",
            )
        for candidate in [zone] if zone is not None else offered:
            room = self.capacity.get((candidate, size), math.inf)
            room -= sum(1 for i in lives if i.instance_type == size and i.placement.zone == candidate)
            if room >= least:
                return candidate, int(min(want, room))
        where = f"the Availability Zone you requested ({zone})" if zone is not None else "this region"
        message = f"We currently do not have sufficient {size} capacity in {where}."
        raise Refusal("InsufficientInstanceCapacity", message)

    def check_price(self, size: str, zone: str, offered: str | None) -> None:
        price = self.spot_price(zone, size)
        if offered is not None and float(offered) < price:
            raise Refusal(
                "SpotMaxPriceTooLow",
                f"Your Spot request price of {offered} is lower than the minimum required Spot request "
                f"fulfillment price of {price}.",
            )

    def check_limits(self, size: str, spot: bool, lives: list[Any], count: int) -> None:
        if len(lives) + count > self.instances:
            raise Refusal(
                "InstanceLimitExceeded",
                f"You have requested more instances ({len(lives) + count}) than your current instance limit of "
                f"{self.instances:g} allows for the specified instance type.",
            )
        used = sum(self.vcpus_of(i.instance_type) for i in lives if (i.lifecycle == "spot") == spot)
        if used + count * self.vcpus_of(size) <= (self.spot_vcpus if spot else self.vcpus):
            return
        if spot:
            raise Refusal("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
        raise Refusal(
            "VcpuLimitExceeded",
            f"You have requested more vCPU capacity than your current vCPU limit of {self.vcpus:g} allows for the "
            "instance bucket that the specified instance type belongs to.",
        )

    def price_history(self, sizes: list[str], zones: list[str], products: list[str]) -> list[tuple[str, str, float]]:
        """(zone, size, price) of what was asked for; nothing asked: all that has a price of its own."""
        if products and not any(product.startswith("Linux/UNIX") for product in products):
            return []
        from moto.ec2.models.instance_types import INSTANCE_TYPES

        asked = [size for size in sizes if size in INSTANCE_TYPES] or sorted({s for _, s in self.spot_prices})
        pairs = [(zone, size) for size in asked for zone in self.zones(size) if not zones or zone in zones]
        return [(zone, size, self.spot_price(zone, size)) for zone, size in pairs]

    def quota(self, code: str) -> dict[str, Any]:
        limit = {"L-1216C47A": self.vcpus, "L-34B43A08": self.spot_vcpus}.get(code)
        if limit is None:
            raise Refusal("NoSuchResourceException", f"The rig has no quota {code}.")
        return {
            "ServiceCode": "ec2",
            "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
            "QuotaCode": code,
            "QuotaName": QUOTAS[code],
            "Value": 10_000.0 if math.isinf(limit) else float(limit),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
