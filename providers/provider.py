"""The contract that every cloud fulfils, and the values that cross it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .errors import ProviderError


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
    #: by what a VM is known again whose `create` was not answered: our tags on it, or a name that only one can have
    known_by: Literal["tags", "names"] | None = None
    max_vms: int | None = None  # a limit of VMs that exist at a time, if one is known
    subnets: bool = False  # VmSpec.subnet is obeyed
    isolation: bool = False  # VmSpec.isolated is enforced: no other node reaches the VM's ports
    max_price: bool = False  # VmSpec.max_price is obeyed
    console: bool = False  # `console` has something to tell


@dataclass(frozen=True)
class Placement:
    """Where and as what a VM may be made, in the cloud's own words."""

    size: str
    zone: str | None = None


@dataclass(frozen=True)
class Profile:
    """What the pool manager needs to know of a provider without asking it; made of its settings alone."""

    #: the cloud's sizes that a pool's vmSize stands for, best first; a vmSize that is not in here is the cloud's own
    sizes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: the size that a vmSize stands for which looks like Azure's (`standard_...`) and is not in `sizes`
    default_size: str | None = None
    #: what sizes of Azure's (in lower case) stand for where the settings say nothing; as `sizes`
    usual_sizes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: all sizes that there are, if the settings tell them all
    all_sizes: tuple[str, ...] | None = None
    #: a regular expression that the cloud's own sizes match as a whole; None: nobody can tell
    own_sizes: str | None = None
    #: the cloud's images for those of Batch, by `publisher/offer/sku`, where the settings say nothing
    usual_images: Mapping[str, str] = field(default_factory=dict)
    #: whatever image a pool names, its machines are as they are: "one"; Azure's images are its own: "azure"
    batch_images: Literal["one", "azure"] | None = None
    zones: tuple[str, ...] = ()  # tried in this order; () leaves the choice to the cloud
    boot_timeout: float | None = None  # seconds from create to the agent's hello; None: the general setting
    #: which metadata service on the nodes tells of interruptions ("ec2", "gce", "azure"); None: nobody does
    notices: str | None = None
    #: nodes can reach each other's ports, if a pool asks for it; else, what to do so that they can
    reach: bool | str = True
    #: `reboot` works; else, what to do instead
    reboot: bool | str = True
    #: the setting by which pools without an image of their own get theirs
    image: str | None = None
    #: where nodes are on machines that are lent: the pool's tasks run as a user of the node who has no rights
    pool_user: bool = False
    #: tasks that ask for no rights have those of root, and nobody has said that this is wanted
    unasked_root: bool = False

    def placements(self, vm_size: str) -> tuple[Placement, ...]:
        """Everything that may be tried for a pool's `vmSize`, best first: every zone for the first size, then for the
        next."""
        return tuple(Placement(size, zone) for size in self.stands_for(vm_size) for zone in self.zones or (None,))

    def stands_for(self, vm_size: str) -> tuple[str, ...]:
        """The cloud's sizes for a pool's `vmSize`. The settings go first; Azure's sizes are known in any case."""
        named = self.sizes.get(vm_size)
        if named or not azure_size(vm_size):
            return named or (vm_size,)
        lower = vm_size.lower()
        named = next((sizes for name, sizes in self.sizes.items() if name.lower() == lower), None)
        if named:
            return named
        if self.batch_images == "azure":
            return (vm_size,)
        return (self.default_size,) if self.default_size is not None else self.usual_sizes.get(lower, (vm_size,))


#: What sizes of a cloud look like of which it is known only that Azure's are not among them.
NOT_AZURE_SIZES = r"(?!(?i:standard|basic)_).+"


def azure_size(vm_size: str) -> bool:
    """Does it look like one of Azure's sizes?"""
    return vm_size.lower().startswith(("standard_", "basic_"))


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
    user_data: str | None = None  # a script that begins with "#!"; runs once, as root, after ours
    tags: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    subnet: str | None = None
    isolated: bool = True  # other nodes shall not reach its ports
    max_price: float | None = None  # per hour, of a low-priority VM; None: the cloud's own rule


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
    size: str | None = None
    zone: str | None = None
    internal: str | None = None  # where other VMs of its cloud reach it; None: at `address`
    price_per_hour: float | None = None  # what this one costs, as far as the cloud says; None: unknown; 0.0: free


class Severity(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that `check` looked at."""

    topic: str  # credentials, image, size, network, quota, price, ...
    severity: Severity
    text: str
    cure: str | None = None  # what to do about a warning or an error
    #: by which the look itself failed, if it did; an error without one is certain
    error: ProviderError | None = field(default=None, compare=False, repr=False)


class Provider(Protocol):
    """One cloud, bound to one deployment id. Safe to call from several threads.

    Every method may raise AuthError, ThrottledError and TransientError; what else is named at the method.
    """

    @property
    def name(self) -> str: ...

    def capabilities(self) -> Capabilities:
        """What this provider can do. Raises nothing, asks no cloud."""

    def profile(self) -> Profile:
        """What the settings say of sizes, zones and time-outs. Raises nothing, asks no cloud."""

    def check(self) -> Iterator[Finding]:
        """Look whether VMs could be created, without creating any: credentials, image, size, network, quota, price.
        Raises nothing; what cannot be found out is a finding too."""

    def sizes(self) -> list[Size]:
        """The sizes that `create` accepts."""

    def images(self) -> list[Image]:
        """The images that are offered by name; a cloud may accept more than it lists."""

    def create(self, spec: VmSpec) -> Vm:
        """Create the VM `spec.name`, or return it as it is if that name was created before (whatever its
        state).

        Idempotent by name, across threads, processes and crashes.
        Raises InvalidRequestError (unknown size or image, bad name), QuotaError, CapacityError. After any of these
        there is no VM, nor after another error that says `nothing_made`; else there may be one.
        """

    def list_owned(self) -> list[Vm]:
        """Every VM of this deployment that may still exist or cost, in name order.

        Ended ones (preempted, terminated) stay listed as long as `destroy` has something to clean up. Nothing is
        changed, at the cloud or in what is kept of it: what a listing finds to do, `sweep` does.
        """

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        """End the VM and remove what it left; returns when it is gone or certain to go.

        Idempotent: a name that does not exist is no error. `provider_id`: the cloud's own name of it, if the caller
        knows it; without it, where a new VM takes a while to show, this waits until it would have.
        """

    def reboot(self, name: str, provider_id: str | None = None) -> Vm | None:
        """Let the VM start anew, with its disk as it is: what runs there ends. Done twice, it does no harm. Called only
        if the profile says that it works.

        Returns when that is ordered; where it can be reached from then on, or None if that is where it could before.
        Raises NotFoundError, InvalidRequestError.
        """

    def sweep(self, dry: bool = False) -> list[str]:
        """Remove what is there beside the VMs that `list_owned` told of last and is of no use any more: a key or a
        security group of ours once no VM is left, a second VM of one name. Some kinds also do here what VMs that were
        listed are in need of, an address for example: so it belongs after every listing of a controller.

        Returns what was found to remove, in words for people: to be called again until it finds nothing, as clouds let
        go of some things a while after the VM that used them. `dry`: only look.
        """

    def console(self, name: str) -> str | None:
        """The last of what the VM printed on its console; None if there is nothing, or no such VM."""

    def preempt(self, name: str) -> None:
        """Take a low-priority VM away at once, as a spot market would.

        Raises NotFoundError, InvalidRequestError (not a low-priority VM, or no such capability).
        """
