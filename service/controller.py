"""The composition root: the one place that puts real parts together."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pools import (
    Changes,
    Clock,
    NodeDeallocationOption,
    PoolSpec,
    RandomIds,
    SystemClock,
    folded,
)
from providers import InvalidRequestError, Provider
from runner import (
    AddApplication,
    AddJob,
    AddJobSchedule,
    AddPool,
    AddTasks,
    Core,
    CoreSettings,
    Credentials,
    Drain,
    Engine,
    Equipment,
    Event,
    JobWithTasks,
    Journal,
    NodeEffects,
    NodeFiles,
    NodeLink,
    OutputStore,
    PackageStore,
    PoolKeys,
    ReplaceJob,
    RescalePool,
    Signer,
    Task,
    UpdateJobSchedule,
    Vault,
    VmEffects,
    WorldEffects,
    open_journal,
)

from .access import Access
from .clock_put_back import tell_if_put_back
from .conflicts import Held, check_conflicts, new_tasks, without_tasks
from .crash import crash_point
from .default_versions import default_versions
from .housekeeping import Housekeeping
from .left_alone import without_gone
from .left_over import left_over
from .links import Links
from .narrowed import OnlyThese, only_pool
from .object_stores import open_store, task_files
from .pool_places import PoolPlaces
from .provider_options import open_providers, provider_options
from .recorded_ids import recorded_ids, recorded_tasks
from .settings import Settings
from .state import StateDirectory
from .stuck import stuck
from .web_server import WebServer

if TYPE_CHECKING:
    from .workload_file import LoadedWorkload

log = logging.getLogger(__name__)


class Controller:
    """Works on a state, or on the pool `only` of it and its jobs. Hold the state's lock as long as this lives.

    Raises StateError, JournalError, InvalidRequestError from its construction.
    """

    def __init__(
        self,
        state: StateDirectory,
        settings: Settings,
        *,
        end_idle_pools: bool = False,
        occurrences: int | None = None,
        only: str | None = None,
        observe: Callable[[Changes], None] = lambda changes: None,
        clock: Clock | None = None,
        environment: Mapping[str, str] = os.environ,
        engine: Callable[..., Engine] = Engine,
    ) -> None:
        """`engine`: makes it; of use where the clock is not the machine's, and the engine has to wait by it."""
        self.state = state
        self.settings = settings
        self._clock = clock if clock is not None else SystemClock()
        ids = RandomIds()
        state.create(ids.new)
        self.journal: Journal = open_journal(state.database_url)
        if state.key.lost():
            state.key.make(nodes=sum(not node.vm_gone for node in self.journal.nodes()))
        self.deployment = state.deployment()
        self._options = provider_options(state, settings)
        self.providers = open_providers(state, settings)
        state.remember_providers(self._options)
        self.places = PoolPlaces(self.providers, self._options, settings.default_provider)
        self.outputs = OutputStore(state.outputs, settings.output_cap, settings.storage_reserve)
        self.packages = PackageStore(state.packages, settings.storage_reserve)
        self.store = open_store(state, settings.object_store, settings.storage_reserve)
        #: seals the passwords of what is asked for
        self.vault = Vault(state.secret("passwords"))
        #: of addresses in it
        self.signer = Signer(state.secret("storage"))
        core_settings = CoreSettings(
            pools=settings.pool_settings({name: each.profile() for name, each in self.providers.items()}),
            account=settings.account,
            minimum_recurrence_interval=settings.minimum_recurrence_interval.total_seconds(),
            auto_user_scope=settings.auto_user_scope,
            task_grace=settings.task_grace_period.total_seconds(),
            end_idle_pools=end_idle_pools,
            occurrences=occurrences,
        )
        self.core = Core(core_settings, self.deployment, ids, self.place)
        now = self._clock.now()
        stored = self.journal.load(now - settings.sample_retention.total_seconds())
        reached: Mapping[str, Provider] = self.providers
        if only is not None:
            stored = only_pool(stored, only)
            names = {node.vm_name for node in stored.nodes.values()}
            reached = {name: OnlyThese(provider, names) for name, provider in self.providers.items()}
        credentials, files = Credentials(state.secret("credentials")), task_files(settings, self.signer)
        keys = PoolKeys(state.secret("pool keys"))
        lifetime = settings.task_token_lifetime.total_seconds()
        secrets = settings.secrets.secrets(environment)
        #: what tasks may do over the HTTP side
        self.access = Access(credentials, self.core, settings.account, self._clock, lifetime)
        links = Links(state, settings, self._options, self._enter)
        self.nodes = NodeEffects(
            links.to,
            self._post,
            self.packages,
            self.outputs,
            self._clock,
            equipment=Equipment(credentials, self._clock, lifetime, files, self.vault, keys, secrets),
        )
        self._effects = WorldEffects(VmEffects(reached, self._post, self._clock), self.nodes)
        self.engine = engine(
            self.core,
            self.journal,
            self._effects,
            self._clock,
            checkpoint=crash_point(environment),
            housekeep=self._keep_house,
            observe=observe,
        )
        self.housekeeping = Housekeeping(
            state, settings, self.journal, lambda: self.engine, self.nodes, links, self.store, self._clock
        )
        threading.Thread(target=NodeLink.bundle, name="bundle", daemon=True).start()
        tell_if_put_back(stored.latest(), now)  # first: what is loaded is changed from here on
        self.core.load(stored, now)
        self._check_providers()
        self.outputs.sweep(self.journal.output_files())
        self.housekeeping.forget_nodes()
        self.web = WebServer(self, state.path)

    def _check_providers(self) -> None:
        for pool in self.core.ctx.pools:
            if pool.provider not in self.providers:
                raise InvalidRequestError(
                    f"the nodes of pool {pool.id!r} are at the provider {pool.provider!r}, which is not known any "
                    "more; describe it in the settings, under `providers`"
                )

    def now(self) -> float:
        return self._clock.now()

    def _post(self, event: Event) -> None:
        self.engine.post(event)

    def _enter(self, node_id: str) -> socket.socket:
        return self.web.entry(node_id)

    # -- what is asked for -------------------------------------------------------------------------------------

    def apply(self, loaded: LoadedWorkload) -> tuple[str, ...]:
        """Bring a workload file into the state: what is there already (and equal) stays as it is, and so does what is
        gone on purpose; of that, lines to be told.

        All or nothing: nothing is committed before the first `run`. Raises PackageError, PoolError, JobError,
        WorkloadConflict.
        """
        workload, now = recorded_ids(self.vault.sealed(loaded.spec), self.core.spelling), self._clock.now()
        held = {job.id: self._tasks_of(job.id) for job in workload.jobs if job.id in self.core.jobs.jobs}
        workload = recorded_tasks(workload, held)
        workload, left_alone = without_gone(workload, self.core, self.journal, held, self.state.path)
        check_conflicts(workload, self.core, held, self.state.path)
        defaults = default_versions(workload.applications)
        for application in workload.applications:
            source = loaded.base / application.source
            package = self.packages.add(application.id, application.version, source, now)
            default = (folded(application.id), folded(application.version)) in defaults
            package = self.core.spelling.package(replace(package, default=default))
            known = self.core.applications.get((package.application_id, package.version))
            if known is None or (known.sha256, known.default) != (package.sha256, package.default):
                self.core.handle(AddApplication(package), now)
        for pool in workload.pools:
            present = self.core.ctx.pools.get(pool.id)
            if present is not None:
                image = self.places.image(pool, present.provider)
                if (present.spec, present.image) != (pool, image):
                    self.core.handle(RescalePool(pool, image), now)
            else:
                self.core.handle(AddPool(pool, *self.place(pool)), now)
        for schedule in workload.job_schedules:
            kept_schedule = self.core.schedules.schedules.get(schedule.id)
            if kept_schedule is None:
                self.core.handle(AddJobSchedule(schedule), now)
            elif kept_schedule.spec != schedule:
                self.core.handle(UpdateJobSchedule(schedule), now)
        for job in workload.jobs:
            self._apply_job(job, held, now)
        return left_alone

    def _tasks_of(self, job_id: str) -> dict[str, Task]:
        """Those in memory have not been committed yet, or have changed since."""
        stored = {task.id: task for task in self.journal.tasks(job_id)}
        return stored | {task.id: task for task in self.core.tasks.open_of(job_id)}

    def _apply_job(self, job: JobWithTasks, held: Held, now: float) -> None:
        spec, kept = without_tasks(job), self.core.jobs.jobs.get(job.id)
        if kept is None:
            self.core.handle(AddJob(spec, job.tasks, declared=True), now)
            return
        changed = frozenset(name for name in spec.__struct_fields__ if getattr(spec, name) != getattr(kept.spec, name))
        if changed and kept.lives:
            self.core.handle(ReplaceJob(spec, changed), now)
        if new := new_tasks(job, held):
            self.core.handle(AddTasks(job.id, new), now)

    def place(self, pool: PoolSpec) -> tuple[str, str]:
        """The provider of a pool that is to be made, and the image that its nodes start from. Raises PoolError."""
        return self.places.place(pool)

    # -- work --------------------------------------------------------------------------------------------------

    def run(self, done: Callable[[], bool]) -> None:
        self.engine.run(done)

    def drain(self, option: NodeDeallocationOption, pool_id: str | None = None) -> None:
        """Take no new work and let every node leave. Any thread; also from a signal handler."""
        self.engine.post(Drain(option, pool_id))

    def close(self) -> None:
        """Let go of nodes and clouds; what runs there runs on."""
        self.housekeeping.close()
        self._effects.close()
        self.web.close()
        self.journal.close()

    def _keep_house(self, now: float) -> None:
        self.housekeeping.begin(now)

    # -- questions (engine's thread) ---------------------------------------------------------------------------

    def node_count(self) -> int:
        return len(self.core.ctx.nodes)

    def at_rest(self) -> bool:
        """No work is left or to come, and no node is there."""
        return not self.core.ctx.nodes and not self.core.unfinished()

    def stuck(self) -> tuple[str, ...]:
        """See `service.stuck`."""
        return stuck(self.core, self._clock.now())

    def node_files(self, node_id: str) -> NodeFiles:
        """The files of a node, to be looked at. Any thread. Raises LinkError if it is not connected."""
        return self.nodes.files(node_id)

    def left_over(self) -> list[str]:
        """Names of the VMs that the providers still list, but for those that have ended already: these are cleaned up.
        For a state at rest. Asks the clouds. Raises ProviderError if one of a pool's cannot be asked."""
        return sorted(left_over(self.providers, {pool.provider for pool in self.core.ctx.pools}))
