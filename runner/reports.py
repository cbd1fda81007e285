"""What clouds and nodes report, handed to the machine that it concerns. A report is never refused."""

from __future__ import annotations

from collections.abc import Mapping

from pools import NodeMachine

from . import events as ev
from .execution import Executions, start_task_of
from .requests import Handler
from .task_machine import TaskMachine


class Reports:
    def __init__(self, nodes: NodeMachine, tasks: TaskMachine, executions: Executions) -> None:
        self._nodes = nodes
        self._tasks = tasks
        self._executions = executions

    def handlers(self) -> Mapping[type[ev.Event], Handler]:
        nodes, departure = self._nodes, self._nodes.departure
        return {
            ev.VmCreated: lambda e, now: nodes.vm_created(e.node_id, e.vm, now),
            ev.VmCreateFailed: lambda e, now: nodes.vm_create_failed(e.node_id, e.error, now),
            ev.VmsListed: lambda e, now: nodes.vms_listed(e.provider, e.vms, e.asked, now),
            ev.VmDestroyed: lambda e, now: departure.vm_destroyed(e.node_id, now),
            ev.VmDestroyFailed: lambda e, now: departure.vm_destroy_failed(e.node_id, now),
            ev.NodeConnected: self._connected,
            ev.ConsoleRead: lambda e, now: self._executions.console_read(e.node_id, e.text),
            ev.NodeDisconnected: self._disconnected,
            ev.NodeNotice: lambda e, now: nodes.noticed(e.node_id, e.at, now),
            ev.NodePrepared: lambda e, now: nodes.prepared(e.node_id, e.error, now),
            ev.NodeMeasured: lambda e, now: nodes.measured(e.node_id, e.usage, now),
            ev.ExecutionStarted: self._started,
            ev.ExecutionEnded: lambda e, now: self._tasks.ended(e.node_id, e.execution_id, now),
            ev.Outcome: self._outcome,
            ev.ExecutionLost: self._lost,
            ev.ExecutionRecalled: lambda e, now: self._tasks.recalled(e.node_id, e.execution_id, now),
        }

    def _connected(self, event: ev.NodeConnected, now: float) -> None:
        # heard twice, `known` is out of date: what was sent in between would look lost
        if self._nodes.is_newest(event.node_id, event.connection) and not self._nodes.is_connected(event.node_id):
            self._nodes.connected(event.node_id, now)
            self._executions.reconcile(event.node_id, event.known, now)

    def _disconnected(self, event: ev.NodeDisconnected, now: float) -> None:
        if self._nodes.is_newest(event.node_id, event.connection):
            self._nodes.disconnected(event.node_id, event.reason, now, fatal=event.fatal, host_key=event.host_key)

    def _started(self, event: ev.ExecutionStarted, now: float) -> None:
        if start_task_of(event.execution_id) is None:
            self._tasks.started(event.node_id, event.execution_id, event.time, now)

    def _outcome(self, event: ev.Outcome, now: float) -> None:
        attempt = start_task_of(event.execution_id)
        if attempt is None:
            self._tasks.outcome(event, now)
        else:
            self._executions.start_task_outcome(event, attempt, self._nodes, now)

    def _lost(self, event: ev.ExecutionLost, now: float) -> None:
        attempt = start_task_of(event.execution_id)
        if attempt is None:
            self._tasks.lost(event.node_id, event.execution_id, event.reason, now)
        else:
            self._executions.start_task_lost(
                event.node_id, event.execution_id, attempt, event.reason, self._nodes, now
            )
