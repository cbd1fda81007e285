"""What the core asks the world to do. Every command is idempotent: after a crash it is issued again."""

from __future__ import annotations

from msgspec import Struct

from providers import Vm, VmSpec


class Command(Struct, frozen=True):
    pass


class CreateVm(Command, frozen=True):
    node_id: str
    provider: str
    spec: VmSpec


class DestroyVm(Command, frozen=True):
    """`node_id` is None for a VM without a record (an orphan)."""

    node_id: str | None
    provider: str
    vm_name: str
    reason: str
    #: the cloud's own name of it, if the create call was answered
    provider_id: str | None = None


class RebootVm(Command, frozen=True):
    """Once more does no harm."""

    node_id: str
    provider: str
    vm_name: str
    provider_id: str | None = None


class ReadConsole(Command, frozen=True):
    """Bring what the VM printed on its console, to be kept."""

    node_id: str
    provider: str
    vm_name: str


class ListVms(Command, frozen=True):
    provider: str


class ConnectNode(Command, frozen=True):
    node_id: str
    vm: Vm
    slots: int
    #: counts the connections to this node
    number: int


class DisconnectNode(Command, frozen=True):
    node_id: str


class RunStartTask(Command, frozen=True):
    """Prepare the node (application packages) and run its pool's start task, if there is one."""

    node_id: str
    attempt: int
