"""What the core asks the world to do. Every command is idempotent: after a crash it is issued again."""

from __future__ import annotations

from dataclasses import dataclass

from providers import Vm, VmSpec


@dataclass(frozen=True, slots=True)
class Command:
    pass


@dataclass(frozen=True, slots=True)
class CreateVm(Command):
    node_id: str
    provider: str
    spec: VmSpec


@dataclass(frozen=True, slots=True)
class DestroyVm(Command):
    """`node_id` is None for a VM without a record (an orphan)."""

    node_id: str | None
    provider: str
    vm_name: str
    reason: str
    #: the cloud's own name of it, if the create call was answered
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class RebootVm(Command):
    """Once more does no harm."""

    node_id: str
    provider: str
    vm_name: str
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReadConsole(Command):
    """Bring what the VM printed on its console, to be kept."""

    node_id: str
    provider: str
    vm_name: str


@dataclass(frozen=True, slots=True)
class ListVms(Command):
    provider: str


@dataclass(frozen=True, slots=True)
class ConnectNode(Command):
    node_id: str
    vm: Vm
    slots: int
    #: counts the connections to this node
    number: int


@dataclass(frozen=True, slots=True)
class DisconnectNode(Command):
    node_id: str


@dataclass(frozen=True, slots=True)
class RunStartTask(Command):
    """Prepare the node (application packages) and run its pool's start task, if there is one."""

    node_id: str
    attempt: int
