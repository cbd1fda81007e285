"""What a user asks of a pool: the REST request bodies, typed.

Property names are those of the Batch REST API (camelCase on the wire). Numbers may arrive as strings (the
Azure CLI sends them so); durations are ISO 8601. An unknown property is an error, never ignored.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec


class Spec(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """Base of every request body: camelCase on the wire, immutable, closed to unknown properties."""


class NodeDeallocationOption(StrEnum):
    """What happens to the tasks of a node that is taken away (`$NodeDeallocationOption` of Azure Batch)."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    TASK_COMPLETION = "taskcompletion"
    RETAINED_DATA = "retaineddata"


class EnvironmentSetting(Spec, frozen=True, kw_only=True):
    name: str
    value: str = ""


class ApplicationPackageReference(Spec, frozen=True, kw_only=True):
    application_id: str
    version: str | None = None


class ResourceFile(Spec, frozen=True, kw_only=True):
    """A file that the node fetches before a command runs. `blobSource` is the old name of `httpUrl`."""

    http_url: str
    file_path: str | None = None
    file_mode: str | None = None


class AutoUser(Spec, frozen=True, kw_only=True):
    scope: Literal["pool", "task"] = "pool"
    elevation_level: Literal["nonadmin"] = "nonadmin"


class UserIdentity(Spec, frozen=True, kw_only=True):
    auto_user: AutoUser | None = None


class StartTask(Spec, frozen=True, kw_only=True):
    """Runs once on a node when it joins the pool. `maxTaskRetryCount`: -1 means without limit."""

    command_line: str
    environment_settings: tuple[EnvironmentSetting, ...] = ()
    resource_files: tuple[ResourceFile, ...] = ()
    user_identity: UserIdentity | None = None
    max_task_retry_count: int = 0
    wait_for_success: bool = True


class TaskSchedulingPolicy(Spec, frozen=True, kw_only=True):
    node_fill_type: Literal["spread", "pack"] = "spread"


class MetadataItem(Spec, frozen=True, kw_only=True):
    name: str
    value: str = ""


class NetworkConfiguration(Spec, frozen=True, kw_only=True):
    """`subnetId`: the subnet that nodes are put in, in the words of the pool's cloud."""

    subnet_id: str | None = None


class PoolSpec(Spec, frozen=True, kw_only=True):
    id: str
    vm_size: str
    display_name: str | None = None
    virtual_machine_configuration: dict[str, Any] | None = None
    resize_timeout: timedelta = timedelta(minutes=15)
    target_dedicated_nodes: int | None = None
    target_low_priority_nodes: int | None = None
    enable_auto_scale: bool = False
    auto_scale_formula: str | None = None
    auto_scale_evaluation_interval: timedelta = timedelta(minutes=15)
    enable_inter_node_communication: Literal[False] = False
    network_configuration: NetworkConfiguration | None = None
    start_task: StartTask | None = None
    application_package_references: tuple[ApplicationPackageReference, ...] = ()
    task_slots_per_node: int = 1
    task_scheduling_policy: TaskSchedulingPolicy = TaskSchedulingPolicy()
    metadata: tuple[MetadataItem, ...] = ()
