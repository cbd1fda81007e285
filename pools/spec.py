"""What a user asks of a pool: the REST request bodies, typed.

Property names are those of the Batch REST API (camelCase on the wire). Numbers may arrive as strings (the
Azure CLI sends them so); durations are ISO 8601. An unknown property is an error, never ignored.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from .command_spec import ApplicationPackageReference, DisplayName, ElevationLevel, Spec, StartTask


class NodeDeallocationOption(StrEnum):
    """What happens to the tasks of a node that is taken away (`$NodeDeallocationOption` of Azure Batch)."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    TASK_COMPLETION = "taskcompletion"
    RETAINED_DATA = "retaineddata"


class TaskSchedulingPolicy(Spec, frozen=True, kw_only=True):
    node_fill_type: Literal["spread", "pack"] = "spread"
    #: kept, and without effect
    job_default_order: Literal["none", "creationtime"] | None = None


class MetadataItem(Spec, frozen=True, kw_only=True):
    name: str
    value: str = ""


class NetworkConfiguration(Spec, frozen=True, kw_only=True):
    """`subnetId`: the subnet that nodes are put in, in the words of the pool's cloud. `enableAcceleratedNetworking` is
    kept, and has no effect."""

    subnet_id: str | None = None
    enable_accelerated_networking: bool | None = None


class LinuxUserConfiguration(Spec, frozen=True, kw_only=True):
    uid: int | None = None
    gid: int | None = None


class UserAccount(Spec, frozen=True, kw_only=True):
    """A user of every node of the pool, whom tasks may name in `userIdentity.userName`."""

    name: str
    password: str | None = None
    elevation_level: ElevationLevel = "nonadmin"
    linux_user_configuration: LinuxUserConfiguration | None = None


class PoolSpecification(Spec, frozen=True, kw_only=True):
    """What a pool is like, whatever its id: of a pool that is asked for, or of those made for jobs."""

    vm_size: str
    display_name: DisplayName | None = None
    virtual_machine_configuration: dict[str, Any] | None = None
    resize_timeout: timedelta = timedelta(minutes=15)
    target_dedicated_nodes: int | None = None
    target_low_priority_nodes: int | None = None
    enable_auto_scale: bool = False
    auto_scale_formula: str | None = None
    auto_scale_evaluation_interval: timedelta = timedelta(minutes=15)
    enable_inter_node_communication: bool = False
    network_configuration: NetworkConfiguration | None = None
    start_task: StartTask | None = None
    application_package_references: tuple[ApplicationPackageReference, ...] = ()
    user_accounts: tuple[UserAccount, ...] = ()
    task_slots_per_node: int = 1
    task_scheduling_policy: TaskSchedulingPolicy = TaskSchedulingPolicy()
    metadata: tuple[MetadataItem, ...] = ()
    #: kept, and without effect, as is the next
    resource_tags: dict[str, str] | None = None
    target_node_communication_mode: Literal["default", "classic", "simplified"] | None = None


class PoolSpec(PoolSpecification, frozen=True, kw_only=True):
    id: str
