"""What pools say in their words, in the words of nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pools import Command, ConnectNode, Context, CreateVm, RunStartTask

from .commands import KillExecution, StartExecution
from .core_settings import CoreSettings
from .endings import in_detail
from .execution import Executions
from .openings import opening
from .task_machine import TaskMachine


class Translation:
    def __init__(self, ctx: Context, settings: CoreSettings, tasks: TaskMachine, executions: Executions) -> None:
        self._ctx = ctx
        self._settings = settings
        self._tasks = tasks
        self._executions = executions

    def of_all(self, commands: Iterable[Command], now: float) -> tuple[Command, ...]:
        """Without those to nodes that have gone meanwhile, and without what is to make VMs of nodes that are to go."""
        told = (each if type(each) is StartExecution else self._of(each, now) for each in commands)
        return tuple(each for each in told if each is not None)

    def _of(self, command: Command, now: float) -> Command | None:
        if isinstance(command, KillExecution):
            task, grace = self._tasks.task_of(command.execution_id), self._settings.task_grace
            return in_detail(command, task, self._ctx.nodes.get(command.node_id), grace, now)
        if not isinstance(command, ConnectNode | CreateVm | RunStartTask):
            return command
        node = self._ctx.nodes.get(command.node_id)
        if node is None:
            return None
        if isinstance(command, CreateVm):
            return None if node.destroying else command
        if isinstance(command, RunStartTask):
            return self._executions.prepare(node, command.attempt)
        return opening(self._ctx, self._settings, self._executions, node, command)
