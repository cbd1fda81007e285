"""The settings: what they are called, what they mean, what holds without a settings file.

In the file they are written in camelCase; scalars may also come from the environment
(`EBBTIDE_SAMPLE_PERIOD=PT1S`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pools import PoolSettings
from providers import Profile

from .object_store_settings import ObjectStoreSettings
from .secret_settings import SecretSettings
from .server_settings import ServerSettings

if TYPE_CHECKING:
    from runner import LinkTimeouts

Money = Annotated[float, Meta(ge=0.0)]


#: Seconds beside its grace period that a command has before its node's cloud takes the VM back: to save its checkpoint.
SAVING_LEAD = 30.0


class Price(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a node costs, per node-hour, in whatever currency you think in; None: what its provider says."""

    dedicated: Annotated[Money | None, Meta(description="per node-hour of a dedicated node")] = None
    low_priority: Annotated[Money | None, Meta(description="per node-hour of a low-priority node")] = None


class Written(dict[str, Any]):
    """Options of a provider, which know where they stand."""

    def __init__(self, options: Mapping[str, Any], own: str, places: Mapping[str, str]) -> None:
        """`own`: the place of all (file:line:column); `places`: of each."""
        super().__init__(options)
        self._own = own
        self._places = places

    def place(self, option: str) -> str:
        return self._places.get(option, self._own)


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """All settings. Durations are ISO 8601 and may have fractions of a second (`PT0.5S`)."""

    account: Annotated[str, Meta(description="name of the account, `AZ_BATCH_ACCOUNT_NAME` for tasks")] = (
        "ebbtide"
    )
    default_provider: Annotated[
        str, Meta(description="the provider of pools whose metadata name no `provider`")
    ] = "local"
    providers: Annotated[
        dict[str, dict[str, Any]],
        Meta(description="options of each provider by its name; `driver` says what it is, if not its name"),
    ] = {}
    prices: Annotated[
        dict[str, Price],
        Meta(description="price per node-hour by VM size; without one, or with 0, the provider's own price holds"),
    ] = {}

    sample_period: Annotated[timedelta, Meta(description="one sample of every metric per period")] = (
        timedelta(seconds=30)
    )
    sample_delay: Annotated[
        timedelta, Meta(description="how old a sample is when formulas first see it; may be 0")
    ] = timedelta(seconds=60)
    sample_retention: Annotated[
        timedelta, Meta(description="samples, autoscale runs and planner passes are kept for so long")
    ] = timedelta(days=7)
    job_retention: Annotated[
        timedelta,
        Meta(
            description="a completed job is forgotten after so long, with its tasks and their outputs, and is not run "
            "again; the newest job of a schedule stays. `P10675199D`: never"
        ),
    ] = timedelta(days=90)
    node_output_retention: Annotated[
        timedelta,
        Meta(description="what a node's start task and console printed is kept for so long after that, or longer: "
        "as long as the node"),
    ] = timedelta(days=30)
    node_disk_reserve: Annotated[
        float,
        Meta(
            ge=0.0,
            le=1.0,
            description="when less of a node's disk is free, folders of completed tasks go before their retentionTime "
            "is over, oldest first; 0: never",
        ),
    ] = 0.05
    sample_node_metrics: Annotated[
        Literal["named", "all"],
        Meta(
            description="samples of what nodes use (`$CPUPercent` and the like) are kept for formulas that name the "
            "metric, or (`all`) for every pool and every such metric"
        ),
    ] = "named"
    minimum_auto_scale_evaluation_interval: Annotated[
        timedelta, Meta(description="a pool may not ask for a shorter autoScaleEvaluationInterval")
    ] = timedelta(minutes=5)
    minimum_recurrence_interval: Annotated[
        timedelta, Meta(description="a job schedule may not ask for a shorter recurrenceInterval")
    ] = timedelta(minutes=1)

    vm_poll_interval: Annotated[
        timedelta, Meta(description="the provider's list of VMs is asked for this often")
    ] = timedelta(seconds=30)
    boot_poll_interval: Annotated[
        timedelta, Meta(description="the same while a VM is on its way; sooner while it is new")
    ] = timedelta(seconds=3)
    boot_timeout: Annotated[
        timedelta, Meta(description="a node that cannot be reached so long after its creation is replaced")
    ] = timedelta(minutes=15)
    unreachable_timeout: Annotated[
        timedelta, Meta(description="a node that was in use and answers nothing for so long is replaced")
    ] = timedelta(minutes=15)
    connect_retry: Annotated[timedelta, Meta(description="pause between two tries to connect to a node")] = (
        timedelta(seconds=1)
    )
    destroy_retry: Annotated[
        timedelta, Meta(description="pause before a VM that could not be destroyed is destroyed again")
    ] = timedelta(seconds=5)
    back_off_base: Annotated[
        timedelta, Meta(description="pause after a node that did not come up; doubled with each further one")
    ] = timedelta(seconds=5)
    back_off_max: Annotated[timedelta, Meta(description="the pause grows no longer than this")] = timedelta(
        minutes=30
    )
    breaker_after: Annotated[
        int,
        Meta(
            ge=1,
            description="after so many waves of nodes in a row that did not come up, a pool creates no more until "
            "somebody acts (`ebbtide pool resume`); `ebbtide run` ends with an error",
        ),
    ] = 5
    capacity_pause: Annotated[
        timedelta, Meta(description="a size and zone without capacity is not tried again for so long")
    ] = timedelta(minutes=5)
    orphan_grace: Annotated[
        timedelta, Meta(description="a VM of ours without a record is ended when it has been seen for so long")
    ] = timedelta(minutes=1)
    node_idle_timeout: Annotated[
        timedelta, Meta(description="a local node that no controller has spoken to for so long ends itself")
    ] = timedelta(minutes=10)

    connect_timeout: Annotated[timedelta, Meta(description="until a node's address answers")] = timedelta(
        seconds=10
    )
    handshake_timeout: Annotated[
        timedelta,
        Meta(description="for each step of an SSH connection: key exchange, log-in, opening a channel"),
    ] = timedelta(seconds=20)
    agent_start_timeout: Annotated[
        timedelta, Meta(description="until the agent on the node has said hello")
    ] = timedelta(seconds=60)
    keep_alive_interval: Annotated[
        timedelta,
        Meta(description="a connection over which nothing came for so long is asked whether it lives"),
    ] = timedelta(seconds=10)
    connection_timeout: Annotated[
        timedelta, Meta(description="a connection over which nothing came for so long is dead")
    ] = timedelta(seconds=30)
    transfer_timeout: Annotated[
        timedelta, Meta(description="a file transfer that does not move for so long has failed")
    ] = timedelta(seconds=60)
    auto_user_scope: Annotated[
        Literal["pool", "task"],
        Meta(
            description="[who tasks run as](nodes.md#who-tasks-run-as) whose `autoUser` has no `scope`: one user for "
            "all of a pool, or each task its own"
        ),
    ] = "pool"
    task_grace_period: Annotated[
        timedelta,
        Meta(
            description="a command that is ended has so long between SIGTERM and SIGKILL; less where its node's cloud "
            "leaves less"
        ),
    ] = timedelta(seconds=30)
    task_token_lifetime: Annotated[
        timedelta,
        Meta(
            description="the credentials of a task (`AZ_BATCH_AUTHENTICATION_TOKEN`, `EBBTIDE_ACCOUNT_KEY`) are "
            "refused after so long, or when it has ended"
        ),
    ] = timedelta(days=7)
    output_cap: Annotated[
        int,
        Meta(ge=1024, description="bytes kept of each output of a task; of a longer one the last are kept"),
    ] = 64 * 1024 * 1024
    running_output_interval: Annotated[
        timedelta,
        Meta(
            description="of tasks that run for longer, the last 64 KiB of what they have printed are kept so often, "
            "should their node die suddenly; `PT0S`: never"
        ),
    ] = timedelta(minutes=1)
    kept_attempts: Annotated[
        int,
        Meta(
            ge=2,
            description="what an execution printed that was tried again or requeued is kept of so many attempts beside "
            "the last: of the first and the latest",
        ),
    ] = 10

    secrets: Annotated[
        SecretSettings, Meta(description="which [secrets](workload.md#secrets) specifications may refer to")
    ] = msgspec.field(default_factory=SecretSettings)
    server: Annotated[
        ServerSettings, Meta(description="where and how [`ebbtide serve`](serve.md#settings) listens")
    ] = msgspec.field(default_factory=ServerSettings)
    object_store: Annotated[
        ObjectStoreSettings | None,
        Meta(description="where the blobs of [`storage://`](storage.md) are; none: in the state directory"),
    ] = None
    resource_file_limit: Annotated[
        int, Meta(ge=1, description="most bytes of a resource file, or of all from one container")
    ] = 1 << 40
    resource_file_timeout: Annotated[
        timedelta, Meta(description="fetching a resource file, or all from one container, may take so long")
    ] = timedelta(hours=1)
    output_file_limit: Annotated[
        int, Meta(ge=1, description="most bytes of an output file that goes to the object store")
    ] = 1 << 40
    storage_reserve: Annotated[
        int,
        Meta(
            ge=0,
            description="neither blobs of tasks nor what they print is written when less than this many bytes of the "
            "disk would stay free, or 5 % of it if that is less: the rest is the state's. 0: they may fill it",
        ),
    ] = 1 << 30
    application_package_limit: Annotated[
        int, Meta(ge=1, description="most bytes of the zip of an [application](applications.md), as it is sent")
    ] = 1 << 32
    checkpoint_limit: Annotated[
        int,
        Meta(ge=1, description="most bytes of a task's [checkpoint](nodes.md#checkpoints); a larger one is not saved"),
    ] = 1 << 34

    def pool_settings(self, profiles: Mapping[str, Profile] | None = None) -> PoolSettings:
        """As the pool manager takes them; `profiles`: what is known of each provider by its name."""
        return PoolSettings(
            profiles=dict(profiles or {}),
            prices={size: (price.dedicated, price.low_priority) for size, price in self.prices.items()},
            breaker_after=self.breaker_after,
            kept_attempts=self.kept_attempts,
            capacity_pause=self.capacity_pause.total_seconds(),
            orphan_grace=self.orphan_grace.total_seconds(),
            reclaim_lead=self.task_grace_period.total_seconds() + SAVING_LEAD,
            sample_period=self.sample_period.total_seconds(),
            sample_delay=self.sample_delay.total_seconds(),
            sample_retention=self.sample_retention.total_seconds(),
            sample_node_metrics=self.sample_node_metrics,
            vm_poll_interval=self.vm_poll_interval.total_seconds(),
            boot_poll_interval=self.boot_poll_interval.total_seconds(),
            boot_timeout=self.boot_timeout.total_seconds(),
            connect_retry=self.connect_retry.total_seconds(),
            unreachable_timeout=self.unreachable_timeout.total_seconds(),
            backoff_base=self.back_off_base.total_seconds(),
            backoff_max=self.back_off_max.total_seconds(),
            destroy_retry=self.destroy_retry.total_seconds(),
            minimum_evaluation_interval=self.minimum_auto_scale_evaluation_interval.total_seconds(),
        )

    def link_timeouts(self) -> LinkTimeouts:
        """As the connections to nodes take them."""
        from runner import LinkTimeouts  # paramiko takes a while to import: only who connects pays

        return LinkTimeouts(
            connect=self.connect_timeout.total_seconds(),
            handshake=self.handshake_timeout.total_seconds(),
            start=self.agent_start_timeout.total_seconds(),
            ping=self.keep_alive_interval.total_seconds(),
            silence=self.connection_timeout.total_seconds(),
            transfer=self.transfer_timeout.total_seconds(),
        )
