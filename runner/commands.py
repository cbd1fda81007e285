"""What the runner asks of a node. Every command is idempotent by execution id: after a crash it is issued
again."""

from __future__ import annotations

from dataclasses import dataclass, field

from pools import Command
from providers import Vm

from .model import ApplicationPackage


@dataclass(frozen=True, slots=True)
class OpenNode(Command):
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


@dataclass(frozen=True, slots=True)
class StartExecution(Command):
    """Run `argv` once. `directory` is relative to the node root, `wall` is a limit in seconds."""

    node_id: str
    execution_id: str
    kind: str  # "task" | "startup"
    directory: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    packages: tuple[ApplicationPackage, ...] = ()
    resources: tuple[dict[str, str], ...] = ()
    slots: int = 1
    wall: float | None = None


@dataclass(frozen=True, slots=True)
class PrepareNode(Command):
    """Bring the packages to the node, then run its start task, if it has one."""

    node_id: str
    packages: tuple[ApplicationPackage, ...]
    start: StartExecution | None


@dataclass(frozen=True, slots=True)
class KillExecution(Command):
    node_id: str
    execution_id: str


@dataclass(frozen=True, slots=True)
class RecallExecutions(Command):
    """Give back those that have not started."""

    node_id: str
    execution_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledge(Command):
    """The outcomes are recorded; the node may forget them."""

    node_id: str
    execution_ids: tuple[str, ...] = field(default=())
