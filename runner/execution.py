"""From a task (or a start task) on a node to the command that runs it: directory, argv, environment,
packages. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from pools import (
    ApplicationPackageReference,
    Context,
    FailureInfo,
    Node,
    NodeMachine,
    NodeState,
    ResourceFile,
    Table,
)

from . import environment as env
from .command_line import split
from .commands import Acknowledge, KillExecution, PrepareNode, RecallExecutions, StartExecution
from .events import Outcome
from .job_machine import JobMachine
from .model import ApplicationPackage, Output, Task
from .outputs import INLINE
from .request_checks import JobError
from .states import TaskState
from .task_machine import TaskMachine

_START_TASK = "start:"
#: The stream that a VM's console is kept as.
CONSOLE = "console.txt"


def start_task_id(node_id: str, attempt: int) -> str:
    """The execution id of a start task's attempt."""
    return f"{_START_TASK}{node_id}:{attempt}"


def start_task_of(execution_id: str) -> int | None:
    """The attempt if the execution is one of a start task, else None."""
    if not execution_id.startswith(_START_TASK):
        return None
    attempt = execution_id.rpartition(":")[2]
    return int(attempt) if attempt.isdecimal() else None


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
        self._tasks: TaskMachine = jobs.tasks
        self._applications = applications

    # -- packages --------------------------------------------------------------------------------------------

    def check_packages(self, references: Iterable[ApplicationPackageReference]) -> None:
        """Raises JobError if a referenced package does not exist."""
        self._packages(references)

    def _packages(self, references: Iterable[ApplicationPackageReference]) -> tuple[ApplicationPackage, ...]:
        return tuple(self._package(reference) for reference in references)

    def _package(self, reference: ApplicationPackageReference) -> ApplicationPackage:
        wanted = reference.application_id
        versions = [p for p in self._applications if p.application_id == wanted]
        if reference.version is not None:
            versions = [p for p in versions if p.version == reference.version]
        if not versions:
            name = wanted if reference.version is None else f"{wanted} version {reference.version}"
            known = ", ".join(sorted(f"{p.application_id} {p.version}" for p in self._applications)) or "none"
            raise JobError("ApplicationNotFound", f"there is no application package {name!r}; known: {known}")
        return max(versions, key=lambda p: p.created)

    def _package_environment(self, packages: Iterable[ApplicationPackage], root: str) -> dict[str, str]:
        packages = tuple(packages)
        return env.package_environment(packages, {p.application_id: p.version for p in packages}, root)

    # -- commands --------------------------------------------------------------------------------------------

    def node_environment(self, node: Node) -> dict[str, str]:
        return env.node_environment(self._account, node.pool_id, node.id, _root(node), not node.low_priority)

    def start(self, task: Task, node: Node) -> StartExecution:
        """The command for the task's present execution."""
        job, spec = self._jobs.jobs[task.job_id], task.spec
        pool = self._ctx.pools[node.pool_id]
        packages = self._packages(spec.application_package_references)
        directory = f"{job.directory}/{task.id}"
        root = _root(node)
        variables = {
            **self._package_environment(
                (*self._packages(pool.spec.application_package_references), *packages), root
            ),
            **env.settings_environment(job.spec.common_environment_settings),
            **env.settings_environment(spec.environment_settings),
            **env.task_environment(task.job_id, task.id),
            **env.directory_environment(root, directory),
        }
        wall = spec.constraints.max_wall_clock_time
        return StartExecution(
            node.id,
            task.execution_id,
            "task",
            directory,
            split(spec.command_line),
            variables,
            packages,
            _resources(spec.resource_files),
            pool.spec.task_slots_per_node if task.exclusive else task.slots,
            wall.total_seconds() if wall is not None and wall.days < 10_000_000 else None,
        )

    def prepare(self, node: Node, attempt: int) -> PrepareNode:
        """The command that makes a node ready: the pool's packages, then its start task."""
        pool = self._ctx.pools[node.pool_id]
        packages = self._packages(pool.spec.application_package_references)
        task = pool.spec.start_task
        if task is None:
            return PrepareNode(node.id, packages, None)
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
            _resources(task.resource_files),
        )
        return PrepareNode(node.id, packages, start)

    def reconcile(self, node_id: str, known: frozenset[str], now: float) -> None:
        """After a (re)connection: bring what is placed there and what the node knows of into agreement.

        The node has stopped listening to earlier connections before it told what it knows, so what it does
        not know of now will not arrive later either.
        """
        node = self._ctx.nodes.get(node_id)
        if node is None or node_id not in self._ctx.connected:
            return
        say = self._ctx.say
        slots = self._tasks.slots.get(node_id)
        placed = dict(slots.placements) if slots is not None else {}
        leaving = node.state is NodeState.LEAVING_POOL
        for execution_id, placement in placed.items():
            task = self._tasks.tasks[placement.key]
            started = task.ended or task.state is TaskState.RUNNING
            if execution_id in known:
                if task.ending is not None and not task.ended:
                    say(KillExecution(node_id, execution_id))
                elif leaving and not started:
                    say(RecallExecutions(node_id, (execution_id,)))
            elif started:
                self._tasks.lost(node_id, execution_id, "the node came back without it", now)
            elif task.ending is not None or leaving:
                self._tasks.recalled(node_id, execution_id, now)
            else:
                say(self.start(task, node))
        for execution_id in sorted(known - placed.keys()):
            if start_task_of(execution_id) is None:
                say(KillExecution(node_id, execution_id))
                say(Acknowledge(node_id, (execution_id,)))

    # -- start task reports ----------------------------------------------------------------------------------

    def start_task_outcome(self, report: Outcome, attempt: int, nodes: NodeMachine, now: float) -> None:
        failure = None
        if report.error is not None:
            failure = FailureInfo("usererror", report.error[0], report.error[1])
        elif report.exit_code != 0:
            reason = f"the start task exited with code {report.exit_code}"
            failure = FailureInfo("usererror", "FailureExitCode", reason)
        node = self._ctx.nodes.get(report.node_id)
        if node is not None:
            for output in report.outputs:
                output = replace(output, owner="starttask", parent_id=node.pool_id, id=node.id)
                self._tasks.outputs.append(output.key, output)
        nodes.start_task_ended(report.node_id, attempt, report.exit_code, failure, now)
        self._ctx.say(Acknowledge(report.node_id, (report.execution_id,)))

    def console_read(self, node_id: str, text: str) -> None:
        """What the VM of a failed node had printed is kept, as start tasks' output is: the last of it."""
        node = self._ctx.nodes.get(node_id)
        if node is None or not text:
            return
        data = text.encode(errors="replace")
        output = Output(
            owner="node",
            parent_id=node.pool_id,
            id=node.id,
            stream=CONSOLE,
            size=len(data),
            data=data[-INLINE:],
        )
        self._tasks.outputs.append(output.key, output)

    def start_task_lost(
        self, node_id: str, execution_id: str, attempt: int, reason: str, nodes: NodeMachine, now: float
    ) -> None:
        """Its supervisor was killed: counts as a failed attempt."""
        nodes.start_task_ended(
            node_id, attempt, None, FailureInfo("servererror", "StartTaskLost", reason), now
        )
        self._ctx.say(Acknowledge(node_id, (execution_id,)))


def _root(node: Node) -> str:
    assert node.vm is not None, "a node without a VM has no root"
    return node.vm.node_root


def _resources(files: Iterable[ResourceFile]) -> tuple[dict[str, str], ...]:
    return tuple(
        {
            "url": file.http_url,
            "path": file.file_path or file.http_url.split("?", 1)[0].rsplit("/", 1)[-1],
            "mode": file.file_mode or "",
        }
        for file in files
        if file.http_url is not None
    )
