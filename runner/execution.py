"""From a task (a start task, the preparation or release task of a job) on a node to the command that runs it:
directory, argv, environment, packages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from msgspec.structs import replace

from pools import ApplicationPackageReference, Context, InstalledPackage, Node, Table, folded

from . import environment as env
from .command_line import split
from .commands import PrepareNode, StartExecution
from .containers import contained, images
from .credentials import may_use_api
from .endings import checkpoint_of
from .execution_ids import present_id, start_task_id
from .files_of_tasks import outputs, resources
from .job_errors import JobError
from .job_machine import JobMachine
from .model import ApplicationPackage, Job, JobNode
from .spec import UNLIMITED
from .states import JobNodeState
from .task_model import Task
from .task_spec import RELEASE_LIMIT, JobReleaseTask, TaskSpec
from .user_identity import run_as


class Gate(Protocol):
    """What stands between the placement of a task and its start."""

    def admit(self, task: Task, node: Node, now: float) -> bool:
        """May the start leave now? If not, it will leave later, or the task is taken back."""

    def is_ready(self, job_id: str, node_id: str) -> bool:
        """Would it?"""


class Executions:
    def __init__(
        self,
        account: str,
        ctx: Context,
        jobs: JobMachine,
        applications: Table[tuple[str, str], ApplicationPackage],
    ) -> None:
        self._account = account
        self._ctx = ctx
        self._jobs = jobs
        self._applications = applications
        #: None: every start leaves at once
        self.gate: Gate | None = None

    # -- packages --------------------------------------------------------------------------------------------

    def check_packages(self, references: Iterable[ApplicationPackageReference]) -> None:
        """Raises JobError if a referenced package does not exist."""
        self._packages(references)

    def _packages(self, references: Iterable[ApplicationPackageReference]) -> tuple[ApplicationPackage, ...]:
        return tuple(self.package(reference) for reference in references)

    def package(self, reference: ApplicationPackageReference) -> ApplicationPackage:
        """What the reference stands for. Raises JobError."""
        wanted = reference.application_id
        versions = [p for p in self._applications if folded(p.application_id) == folded(wanted)]
        if reference.version is not None:
            versions = [p for p in versions if folded(p.version) == folded(reference.version)]
        if not versions:
            name = wanted if reference.version is None else f"{wanted} version {reference.version}"
            known = ", ".join(sorted(f"{p.application_id} {p.version}" for p in self._applications)) or "none"
            told = f"there is no application package {name!r}; known: {known}"
            raise JobError("InvalidApplicationPackageReferences", told)
        return max(versions, key=lambda p: (p.default, p.created))

    def _of_pool(self, node: Node) -> Sequence[ApplicationPackage | InstalledPackage]:
        """Those of its pool that are on the node: another default version comes with its next start."""
        if node.packages is not None:
            return node.packages
        return self._packages(self._ctx.pools[node.pool_id].spec.application_package_references)

    def _package_environment(
        self, packages: Iterable[ApplicationPackage | InstalledPackage], root: str
    ) -> dict[str, str]:
        packages = tuple(packages)
        return env.package_environment(packages, {p.application_id: p.version for p in packages}, root)

    # -- commands --------------------------------------------------------------------------------------------

    def node_environment(self, node: Node) -> dict[str, str]:
        return env.node_environment(self._account, node.pool_id, node.id, _root(node), not node.low_priority)

    def begin(self, task: Task, node: Node, now: float) -> tuple[StartExecution, ...]:
        """The task has just been placed on the node: what is to be said now."""
        if self.gate is None or self.gate.admit(task, node, now):
            return (self.start(task, node),)
        return ()

    def is_ready(self, job_id: str, node_id: str) -> bool:
        """Would the start of a task of the job leave for the node at once?"""
        return self.gate is None or self.gate.is_ready(job_id, node_id)

    def start(self, task: Task, node: Node) -> StartExecution:
        """The command for the task's present execution."""
        job, spec = self._jobs.jobs[task.job_id], task.spec
        pool = self._ctx.pools[node.pool_id]
        packages = self._packages(spec.application_package_references)
        directory = f"{job.directory}/{task.id}"
        root = _root(node)
        there = (*self._of_pool(node), *packages)
        variables = {
            **(self._package_environment(there, root) if there else {}),
            **env.settings_environment((*job.spec.common_environment_settings, *spec.environment_settings)),
            **env.task_environment(task.job_id, task.id),
            **env.directory_environment(root, directory),
            **_preparation_environment(job, root),
        }
        start = StartExecution(
            node.id,
            task.execution_id,
            "task",
            directory,
            split(spec.command_line),
            variables,
            packages,
            resources(spec.resource_files),
            pool.spec.task_slots_per_node if task.exclusive else task.slots,
            _seconds(spec.constraints.max_wall_clock_time),
            api_job=task.job_id if may_use_api(task, spec) else None,
            outputs=outputs(spec.output_files),
            user=run_as(spec.user_identity),
            checkpoint=_checkpoint(task, spec, job),
            container=contained(spec.container_settings, pool.spec),
        )
        return self._of_instance(start, task, spec) if task.instances else start

    def _of_instance(self, start: StartExecution, task: Task, spec: TaskSpec) -> StartExecution:
        """Of a multi-instance task: the coordination command everywhere, and what comes after it on the primary."""
        settings, number = spec.multi_instance_settings, task.instance_at(start.node_id)
        assert settings is not None and number is not None, "the task is placed there"
        addresses = [self._address_of(each.node_id) for each in task.instances]
        shared = f"{start.environment['AZ_BATCH_TASK_DIR']}/shared"
        common = tuple({**each, "common": True} for each in resources(settings.common_resource_files))
        start = replace(
            start,
            execution_id=task.execution_of(number),
            environment={**start.environment, **env.instance_environment(addresses, number, shared)},
            resources=common if number else (*common, *start.resources),
            coordination=split(settings.coordination_command_line),
        )
        return replace(start, wall=None, api_job=None, outputs=(), checkpoint=None) if number else start

    def _address_of(self, node_id: str) -> str:
        """Where the other nodes of its pool reach the node; "" of one that has just gone: the attempt is over then."""
        node = self._ctx.nodes.get(node_id)
        vm = node.vm if node is not None else None
        return (vm.internal or vm.address or "") if vm is not None else ""

    def of_job_node(self, record: JobNode, node: Node) -> StartExecution:
        """The command for the job's preparation or release task, whichever is under way on the node."""
        job, root, execution_id = self._jobs.jobs[record.job_id], _root(node), present_id(record)
        release = record.state is JobNodeState.RELEASING
        spec = job.spec.job_release_task if release else job.spec.job_preparation_task
        assert spec is not None and execution_id is not None, "neither is under way"
        if isinstance(spec, JobReleaseTask):
            wall = spec.max_wall_clock_time or RELEASE_LIMIT
        else:
            wall = spec.constraints.max_wall_clock_time or UNLIMITED
        directory = f"{job.directory}/{spec.id}"
        variables = {
            **self._package_environment(self._of_pool(node), root),
            **env.settings_environment(job.spec.common_environment_settings),
            **env.settings_environment(spec.environment_settings),
            **env.task_environment(job.id, spec.id),
            **env.directory_environment(root, directory),
            **(_preparation_environment(job, root) if release else {}),
        }
        return StartExecution(
            node.id,
            execution_id,
            "job",
            directory,
            split(spec.command_line),
            variables,
            resources=resources(spec.resource_files),
            wall=_seconds(wall),
            user=run_as(spec.user_identity),
            container=contained(spec.container_settings, self._ctx.pools[node.pool_id].spec),
        )

    def prepare(self, node: Node, attempt: int) -> PrepareNode:
        """The command that makes a node ready: the pool's packages, which is noted of it, then its start task."""
        pool = self._ctx.pools[node.pool_id]
        packages = self._packages(pool.spec.application_package_references)
        installed = tuple(_installed(each) for each in packages)
        if node.packages != installed:
            node = self._ctx.nodes.put(node.id, replace(node, packages=installed))
        task = pool.spec.start_task if node.start_task is not None else None  # else it is begun by and by
        if task is None:
            return PrepareNode(node.id, packages, None, images(pool.spec))
        root = _root(node)
        variables = {
            **self._package_environment(packages, root),
            **env.settings_environment(task.environment_settings),
            **env.directory_environment(root, "startup"),
        }
        start = StartExecution(
            node.id,
            start_task_id(node.id, attempt),
            "startup",
            "startup",
            split(task.command_line),
            variables,
            packages,
            resources(task.resource_files),
            user=run_as(task.user_identity),
            container=contained(task.container_settings, pool.spec),
        )
        return PrepareNode(node.id, packages, start, images(pool.spec))


def _installed(package: ApplicationPackage) -> InstalledPackage:
    return InstalledPackage(application_id=package.application_id, version=package.version, sha256=package.sha256)


def _root(node: Node) -> str:
    assert node.vm is not None, "a node without a VM has no root"
    return node.vm.node_root


def _preparation_environment(job: Job, root: str) -> dict[str, str]:
    spec = job.spec.job_preparation_task
    return env.preparation_environment(root, f"{job.directory}/{spec.id}") if spec is not None else {}


def _checkpoint(task: Task, spec: TaskSpec, job: Job) -> dict[str, Any] | None:
    """None: there is none to restore, and if it fails there will be no other attempt. See in_detail for the rest."""
    limit = spec.constraints.max_task_retry_count
    tried = job.spec.constraints.max_task_retry_count if limit is None else limit
    return checkpoint_of(task) if tried or task.retry_count or task.requeue_count else None


def _seconds(limit: timedelta | None) -> float | None:
    """A limit as the agent takes it; None: there is none."""
    return limit.total_seconds() if limit is not None and limit.days < 10_000_000 else None
