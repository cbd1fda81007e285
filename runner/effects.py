"""Where commands go: to the clouds or to the nodes."""

from __future__ import annotations

from pools import Command, CreateVm, DestroyVm, ListVms, ReadConsole, RebootVm

from .node_effects import NodeEffects
from .vm_effects import VmEffects


class WorldEffects:
    """Implements `engine.Effects` for the real world."""

    def __init__(self, vms: VmEffects, nodes: NodeEffects) -> None:
        self._vms = vms
        self._nodes = nodes

    def issue(self, command: Command) -> None:
        match command:
            case CreateVm():
                self._vms.create(command)
            case DestroyVm():
                self._vms.destroy(command)
            case RebootVm():
                self._vms.reboot(command)
            case ReadConsole():
                self._vms.console(command)
            case ListVms():
                self._vms.list(command)
            case _:
                self._nodes.issue(command)

    def close(self) -> None:
        """Close the connections first, so that no VM call waits for one."""
        self._nodes.close()
        self._vms.close()
