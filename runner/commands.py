"""What the runner asks of a node. Every command is idempotent by execution id: after a crash it is issued
again."""

from __future__ import annotations

from typing import Any

from msgspec import field

from pools import Command
from providers import Vm

from .model import ApplicationPackage


class OpenNode(Command, frozen=True):
    """Connect to the node and make it ready; `environment` is common to all that runs there.

    `connection` counts those to this node; events of it carry the number.
    What the node uses is measured every `sample_period` seconds. `provider`: of its VM. `notices`: the metadata
    service that announces on the node that it is taken back ("ec2", "gce", "azure"); None: nobody does.
    """

    node_id: str
    vm: Vm
    connection: int
    slots: int
    environment: dict[str, str]
    sample_period: float
    provider: str = ""
    notices: str | None = None
    #: who tasks run as there (see user_identity.node_users)
    users: dict[str, Any] = field(default_factory=dict)
    #: seconds between SIGTERM and SIGKILL when an execution is ended
    grace: float = 30.0


class StartExecution(Command, frozen=True):
    """Run `argv` once. `directory` is relative to the node root, `wall` is a limit in seconds."""

    node_id: str
    execution_id: str
    kind: str  # "task" | "startup" | "job" (a preparation or release task)
    directory: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    packages: tuple[ApplicationPackage, ...] = ()
    resources: tuple[dict[str, Any], ...] = ()
    slots: int = 1
    wall: float | None = None
    #: the job whose credentials the command gets, as it leaves (see Equipment); None: it may not use the API
    api_job: str | None = None
    #: what is uploaded after its end (see files_of_tasks)
    outputs: tuple[dict[str, Any], ...] = ()
    #: who it runs as (see user_identity.run_as)
    user: dict[str, Any] | None = None
    #: {"url", "restore": bool}: where its checkpoint is saved if it fails; what was saved there is put back before
    checkpoint: dict[str, Any] | None = None
    #: how it runs in a container, passwords sealed (see containers.contained); None: in none
    container: dict[str, Any] | None = None
    #: runs first; `argv` only after a ProceedExecution
    coordination: tuple[str, ...] | None = None


class PrepareNode(Command, frozen=True):
    """Bring the packages and images to the node, then run its start task, if it has one."""

    node_id: str
    packages: tuple[ApplicationPackage, ...]
    start: StartExecution | None
    #: images that it needs (see containers.images); None: none
    images: dict[str, Any] | None = None


class KillExecution(Command, frozen=True):
    """`again`: it will be run once more, so that its checkpoint is saved and its outputs are not. `grace`: seconds
    between SIGTERM and SIGKILL, None: as OpenNode says."""

    node_id: str
    execution_id: str
    grace: float | None = None
    again: bool = False
    checkpoint: dict[str, Any] | None = None


class ProceedExecution(Command, frozen=True):
    """The coordination command of the execution has succeeded everywhere: its command may run."""

    node_id: str
    execution_id: str


class RecallExecutions(Command, frozen=True):
    """Give back those that have not started."""

    node_id: str
    execution_ids: tuple[str, ...]


class ReadOutputs(Command, frozen=True):
    """Tell the last of what these executions have printed so far (OutputsSeen): (execution id, folder of the task)."""

    node_id: str
    executions: tuple[tuple[str, str], ...]


class Acknowledge(Command, frozen=True):
    """The outcomes are recorded; the node may forget them."""

    node_id: str
    execution_ids: tuple[str, ...] = ()


def acknowledged_together(commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """The same, with all that a node may forget in one message, where the first of them stood."""
    ids: dict[str, list[str]] = {}
    if len(commands) < 2:
        return commands
    for command in commands:
        if type(command) is Acknowledge:
            ids.setdefault(command.node_id, []).extend(command.execution_ids)
    kept: list[Command] = []
    for command in commands:
        if type(command) is not Acknowledge:
            kept.append(command)
        elif command.node_id in ids:
            kept.append(Acknowledge(command.node_id, tuple(ids.pop(command.node_id))))
    return tuple(kept)
