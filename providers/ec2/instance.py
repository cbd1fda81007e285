"""An EC2 instance as a value: the little that is needed of what the API tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..provider import VmState
from .settings import DEPLOYMENT, NODE, POOL, VM

_ENDED = ("shutting-down", "terminated")
_STOPPED = ("stopping", "stopped")
_OURS = (DEPLOYMENT, VM, POOL, NODE, "Name")
#: Somebody asked for this end by the API: we did, or the owner of the account.
ASKED_FOR = "Client.UserInitiatedShutdown"
#: In words, where EC2's own message is none.
_REASONS = {
    "Server.SpotInstanceTermination": "EC2 took the spot VM back",
    "Server.SpotInstanceShutdown": "EC2 took the spot VM back",
    "Client.InstanceInitiatedShutdown": "the VM powered itself off",
    "Client.UserInitiatedShutdown": "terminated by a call of the EC2 API",
    "Server.InsufficientInstanceCapacity": "EC2 had no room for it after all",
    "Server.ScheduledStop": "EC2 retired the machine below it",
    "Client.VolumeLimitExceeded": "the account's limit of volumes is reached",
    "Client.InvalidSnapshot.NotFound": "the image's snapshot does not exist",
    "Client.InternalError": "its disk could not be made: look at the encryption key of the image",
}


@dataclass(frozen=True, slots=True)
class Instance:
    id: str
    name: str  # the VM's name: of the tag
    state: str  # EC2's word
    size: str
    zone: str
    spot: bool
    created: float | None  # Instant
    private: str | None = None
    public: str | None = None
    code: str | None = None  # of the state's reason
    message: str | None = None
    tags: Mapping[str, str] | None = None  # those that VmSpec and settings gave

    @property
    def ended(self) -> bool:
        """Costs nothing any more, and never will."""
        return self.state in _ENDED

    @property
    def over(self) -> bool:
        """Of no use any more; a stopped one still costs its disk."""
        return self.state in _ENDED or self.state in _STOPPED

    @property
    def reclaimed(self) -> bool:
        """EC2 took it back, as spot VMs are; `code` names that first, and a later end by us leaves it as it is."""
        return self.spot and (self.code or "").startswith("Server.Spot")

    @property
    def vm_state(self) -> VmState:
        if self.over:
            return VmState.PREEMPTED if self.reclaimed else VmState.TERMINATED
        known = {"pending": VmState.PENDING, "running": VmState.RUNNING}
        return known.get(self.state, VmState.UNKNOWN)

    @property
    def reason(self) -> str | None:
        """Why it is over, in words; None while it is not."""
        if not self.over:
            return None
        said = (self.message or "").removeprefix(f"{self.code}:").strip()
        words = _REASONS.get(self.code or "") or said or f"the VM is {self.state}"
        return f"{words} ({self.code})" if self.code else words


def from_description(row: Mapping[str, Any]) -> Instance | None:
    """One instance of boto3's DescribeInstances; None if it does not carry a VM's name."""
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
    if VM not in tags:
        return None
    reason = row.get("StateReason") or {}
    return Instance(
        id=row["InstanceId"],
        name=tags[VM],
        state=row["State"]["Name"],
        size=row.get("InstanceType", ""),
        zone=row.get("Placement", {}).get("AvailabilityZone", ""),
        spot=row.get("InstanceLifecycle") == "spot",
        created=_launched(row),
        private=row.get("PrivateIpAddress") or None,
        public=row.get("PublicIpAddress") or None,
        # StateReason may be gone while the transition's text still tells
        code=reason.get("Code") or _transition(row.get("StateTransitionReason")),
        message=reason.get("Message"),
        tags=own_tags(tags),
    )


def from_node(node: Any, name: str, spot: bool, tags: Mapping[str, str]) -> Instance:
    """What libcloud's create_node gave back."""
    extra = node.extra
    return Instance(
        id=node.id,
        name=name,
        state=extra.get("status") or "pending",
        size=extra.get("instance_type") or "",
        zone=extra.get("availability") or "",
        spot=spot,
        created=node.created_at.timestamp() if node.created_at else None,
        private=node.private_ips[0] if node.private_ips else None,
        public=node.public_ips[0] if node.public_ips else None,
        tags=own_tags(tags),
    )


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Without those that are there for us, or by the cloud."""
    return {key: value for key, value in tags.items() if key not in _OURS and not key.startswith("aws:")}


def _launched(row: Mapping[str, Any]) -> float | None:
    at = row.get("LaunchTime")
    return at.timestamp() if isinstance(at, datetime) else None


def _transition(text: str | None) -> str | None:
    """The code in "Server.SpotInstanceTermination: ..." or "User initiated (...)"."""
    if not text:
        return None
    if text.startswith("User initiated"):
        return ASKED_FOR
    found = re.match(r"((?:Client|Server)\.[\w.]+)", text)
    return found[1] if found else None
