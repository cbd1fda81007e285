"""What clouds and nodes report, handed to the machine that it concerns. A report is never refused."""

from __future__ import annotations

from collections.abc import Mapping

from pools import NodeMachine, RecentTask

from . import events as ev
from .execution_ids import job_node_of, start_task_of
from .failure import failure_of
from .job_nodes import JobNodes
from .multi_instance import MultiInstanceTasks
from .node_events import VmRebooted, VmRebootFailed
from .reconciliation import Reconciliation
from .requests import Handler
from .start_tasks import StartTasks
from .states import TaskState
from .task_model import Task


class Reports:
    def __init__(
        self,
        nodes: NodeMachine,
        tasks: MultiInstanceTasks,
        job_nodes: JobNodes,
        start_tasks: StartTasks,
        reconciliation: Reconciliation,
    ) -> None:
        self._nodes = nodes
        self._tasks = tasks
        self._job_nodes = job_nodes
        self._start_tasks = start_tasks
        self._reconciliation = reconciliation

    def handlers(self) -> Mapping[type[ev.Event], Handler]:
        nodes, departure = self._nodes, self._nodes.departure
        return {
            ev.VmCreated: lambda e, now: nodes.vm_created(e.node_id, e.vm, now),
            ev.VmCreateFailed: lambda e, now: nodes.vm_create_failed(e.node_id, e.error, now, e.vm_name),
            ev.VmsListed: lambda e, now: nodes.vms_listed(e.provider, e.vms, e.asked, now),
            ev.VmDestroyed: lambda e, now: nodes.vm_destroyed(e.node_id, now, e.vm_name),
            VmRebooted: lambda e, now: nodes.restart.rebooted(e.node_id, e.vm_name, e.vm, now),
            VmRebootFailed: lambda e, now: nodes.restart.reboot_failed(e.node_id, e.vm_name, e.error, now),
            ev.VmDestroyFailed: lambda e, now: departure.vm_destroy_failed(e.node_id, now),
            ev.NodeConnected: self._connected,
            ev.ConsoleRead: lambda e, now: self._start_tasks.console_read(e.node_id, e.text, now),
            ev.NodeDisconnected: self._disconnected,
            ev.NodeNotice: lambda e, now: nodes.noticed(e.node_id, e.at, now),
            ev.NodePrepared: lambda e, now: nodes.prepared(e.node_id, e.error, now),
            ev.NodeMeasured: lambda e, now: nodes.measured(e.node_id, e.usage, now),
            ev.ExecutionStarted: self._started,
            ev.ExecutionCoordinated: lambda e, now: self._tasks.coordinated(e.node_id, e.execution_id, now),
            ev.LookAtOutputs: lambda e, now: self._tasks.look_at_outputs(e.age, now),
            ev.OutputsSeen: lambda e, now: self._tasks.outputs_seen(e.node_id, e.execution_id, e.outputs),
            ev.ExecutionEnded: lambda e, now: self._tasks.ended(e.node_id, e.execution_id, now),
            ev.Outcome: self._outcome,
            ev.ExecutionLost: self._lost,
            ev.ExecutionRecalled: self._recalled,
        }

    def _connected(self, event: ev.NodeConnected, now: float) -> None:
        # heard twice, `known` is out of date: what was sent in between would look lost
        if self._nodes.is_newest(event.node_id, event.connection) and not self._nodes.is_connected(event.node_id):
            self._start_tasks.connected(event.node_id, event.known, now)
            with self._start_tasks.forgetting(event.node_id):  # it may have started anew
                self._nodes.connected(event.node_id, now, event.boot)
            self._reconciliation.reconcile(event.node_id, event.known, event.boot, now, event.damages)

    def _disconnected(self, event: ev.NodeDisconnected, now: float) -> None:
        if self._nodes.is_newest(event.node_id, event.connection):
            self._nodes.disconnected(event.node_id, event.reason, now, fatal=event.fatal, host_key=event.host_key)

    def _started(self, event: ev.ExecutionStarted, now: float) -> None:
        attempt = start_task_of(event.execution_id)
        if attempt is not None:
            self._start_tasks.started(event.node_id, attempt)
        elif job_node_of(event.execution_id) is not None:
            self._job_nodes.started(event.node_id, event.execution_id, event.time, now)
        else:
            self._tasks.started(event.node_id, event.execution_id, event.time, now)

    def _outcome(self, event: ev.Outcome, now: float) -> None:
        attempt = start_task_of(event.execution_id)
        if attempt is not None:
            self._start_tasks.outcome(event, attempt, now)
        elif job_node_of(event.execution_id) is not None:
            self._job_nodes.outcome(event, now)
        else:
            task = self._tasks.outcome(event, now)
            if task is not None:
                self._nodes.has_run(event.node_id, self._recent(event, task), now)

    def _recent(self, event: ev.Outcome, before: Task) -> RecentTask:
        """`before`: the task as it was when the report came."""
        task = self._tasks.tasks.get(before.key)
        subtask = before.instance_at(event.node_id) if before.instances else None
        ended_by_us = bool(subtask) and event.killed  # with the primary
        return RecentTask(
            job_id=before.job_id,
            task_id=before.id,
            state=str(TaskState.COMPLETED if task is None else task.state),
            start_time=event.start_time,
            end_time=event.end_time,
            exit_code=event.exit_code,
            failure=None if ended_by_us else failure_of(event, before.ending, before.ending_reason),
            retry_count=before.retry_count,
            requeue_count=before.requeue_count,
            subtask=subtask,
        )

    def _lost(self, event: ev.ExecutionLost, now: float) -> None:
        attempt = start_task_of(event.execution_id)
        if attempt is not None:
            self._start_tasks.lost(event.node_id, event.execution_id, attempt, event.reason, now)
        elif job_node_of(event.execution_id) is not None:
            self._job_nodes.lost(event.node_id, event.execution_id, event.reason, now)
        else:
            self._tasks.lost(event.node_id, event.execution_id, event.reason, now)

    def _recalled(self, event: ev.ExecutionRecalled, now: float) -> None:
        if job_node_of(event.execution_id) is not None:
            self._job_nodes.recalled(event.node_id, event.execution_id, now)
        else:
            self._tasks.recalled(event.node_id, event.execution_id, now)
