"""The contract that every cloud fulfils, and the values that cross it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class VmState(enum.StrEnum):
    PENDING = "pending"  # asked for; not reachable yet
    RUNNING = "running"  # address, port, user and host_key are known
    PREEMPTED = "preempted"  # a low-priority VM that the cloud took back
    TERMINATED = "terminated"  # over, or going; `reason` says why
    UNKNOWN = "unknown"  # the cloud says something we cannot interpret; treat as existing


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do beyond the contract. A caller asks here instead of trying."""

    low_priority: bool  # can create low-priority (spot, preemptible) VMs
    preempt: bool  # `preempt` works: for tests and demonstrations
    user_data: bool  # VmSpec.user_data is run at first boot
    host_keys: bool  # Vm.host_key of a running VM is known, so that it can be pinned
    max_vms: int | None = None  # a limit of VMs that exist at a time, if one is known


@dataclass(frozen=True)
class Size:
    """A VM size. Prices are per hour, in the currency that you think in; None is unknown, 0.0 is free."""

    name: str
    cpus: float
    memory_mib: int
    price_per_hour: float | None
    low_priority_price_per_hour: float | None = None


@dataclass(frozen=True)
class Image:
    name: str
    description: str = ""


@dataclass(frozen=True)
class VmSpec:
    """One VM to create. `name` is chosen by the caller, deterministic and never used twice.

    The name must carry the deployment id as a whole part (`<deployment>-...`): names and process markers stay
    unique on a machine or in an account that serves several deployments.
    """

    name: str
    deployment: str
    pool_id: str
    node_id: str
    size: str
    image: str
    low_priority: bool
    public_key: str  # OpenSSH form, "type base64 [comment]": the one key that may log in
    user_data: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Vm:
    """A VM as its cloud sees it now. `created` is an Instant (seconds since the epoch, UTC)."""

    name: str
    provider_id: str
    state: VmState
    address: str | None
    port: int | None
    user: str
    host_key: str | None  # OpenSSH form, "type base64"
    low_priority: bool
    node_root: str
    created: float | None
    reason: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """One cloud, bound to one deployment id. Safe to call from several threads.

    Every method may raise AuthError, ThrottledError and TransientError; what else is named at the method.
    """

    @property
    def name(self) -> str: ...

    def capabilities(self) -> Capabilities:
        """What this provider can do. Raises nothing, asks no cloud."""

    def sizes(self) -> list[Size]:
        """The sizes that `create` accepts."""

    def images(self) -> list[Image]:
        """The images that are offered by name; a cloud may accept more than it lists."""

    def create(self, spec: VmSpec) -> Vm:
        """Create the VM `spec.name`, or return it as it is if that name was created before (whatever its
        state).

        Idempotent by name, across threads, processes and crashes.
        Raises InvalidRequestError (unknown size or image, bad name), QuotaError, CapacityError.
        """

    def list_owned(self) -> list[Vm]:
        """Every VM of this deployment that may still exist or cost, in name order.

        Ended ones (preempted, terminated) stay listed as long as `destroy` has something to clean up.
        """

    def destroy(self, name: str) -> None:
        """End the VM and remove what it left; returns when it is gone or certain to go.

        Idempotent: a name that does not exist is no error.
        """

    def preempt(self, name: str) -> None:
        """Take a low-priority VM away at once, as a spot market would.

        Raises NotFoundError, InvalidRequestError (not a low-priority VM, or no such capability).
        """
