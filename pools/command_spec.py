"""What a user asks of a command that runs on a node, whatever kind of task it belongs to (see spec.py)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

ElevationLevel = Literal["nonadmin", "admin"]
#: As long as the Batch REST API lets it be.
DisplayName = Annotated[str, msgspec.Meta(max_length=1024)]


class Spec(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """Base of every request body: camelCase on the wire, immutable, closed to unknown properties. (As with records,
    the collector has nothing to find in them.)"""


class EnvironmentSetting(Spec, frozen=True, kw_only=True):
    name: str
    value: str = ""


class ApplicationPackageReference(Spec, frozen=True, kw_only=True):
    application_id: str
    version: str | None = None


class ResourceFile(Spec, frozen=True, kw_only=True):
    """Files that the node fetches before a command runs: one by `httpUrl` (old name: `blobSource`), or those of a
    container whose names begin with `blobPrefix`, by URL or by the name of a container of the built-in object store."""

    http_url: str | None = None
    storage_container_url: str | None = None
    auto_storage_container_name: str | None = None
    blob_prefix: str | None = None
    file_path: str | None = None
    file_mode: str | None = None


class AutoUser(Spec, frozen=True, kw_only=True):
    """`scope` None: the deployment's setting decides (Batch REST API: `pool`)."""

    scope: Literal["pool", "task"] | None = None
    elevation_level: ElevationLevel = "nonadmin"


class UserIdentity(Spec, frozen=True, kw_only=True):
    """One of the two: a user account of the pool, or one that is made for tasks."""

    user_name: str | None = msgspec.field(default=None, name="username")
    auto_user: AutoUser | None = None


class ContainerRegistry(Spec, frozen=True, kw_only=True):
    """`registryServer` None: Docker Hub."""

    registry_server: str | None = None
    user_name: str | None = msgspec.field(default=None, name="username")
    password: str | None = None


class ContainerSettings(Spec, frozen=True, kw_only=True):
    """Run the command line in a container; `containerRunOptions` are those of `docker create`."""

    image_name: str
    container_run_options: str = ""
    registry: ContainerRegistry | None = None
    working_directory: Literal["taskWorkingDirectory", "containerImageDefault"] = "taskWorkingDirectory"


class StartTask(Spec, frozen=True, kw_only=True):
    """Runs once on a node when it joins the pool. `maxTaskRetryCount`: -1 means without limit."""

    command_line: str
    container_settings: ContainerSettings | None = None
    environment_settings: tuple[EnvironmentSetting, ...] = ()
    resource_files: tuple[ResourceFile, ...] = ()
    user_identity: UserIdentity | None = None
    max_task_retry_count: int = 0
    wait_for_success: bool = True
