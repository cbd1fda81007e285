"""What is placed on a node and what the node knows of, brought into agreement when it is connected (again)."""

from __future__ import annotations

from pools import RESTARTING, Context, NodeState

from .commands import Acknowledge, KillExecution, RecallExecutions
from .execution import Executions
from .execution_ids import start_task_of
from .job_nodes import JobNodes
from .scheduler import Placement, Stage
from .task_machine import TaskMachine
from .task_model import Task

#: What has not begun on a node in these states is not to begin there.
_GOING = RESTARTING | {NodeState.LEAVING_POOL}


class Reconciliation:
    def __init__(self, ctx: Context, tasks: TaskMachine, job_nodes: JobNodes, executions: Executions) -> None:
        self._ctx = ctx
        self._tasks = tasks
        self._job_nodes = job_nodes
        self._executions = executions

    def reconcile(
        self, node_id: str, known: frozenset[str], boot: str, now: float, damages: frozenset[str] = frozenset()
    ) -> None:
        """`known`: what the node knows of. `boot`: names the time since it started; "" if nobody can tell. `damages`:
        each may have destroyed records of executions there, so that what was sent before it was first told may have
        begun unheard, and is not sent again under its name. What is sent after that either begins, and is known, or
        does not.

        The node has stopped listening to earlier connections before it told what it knows, so what it does
        not know of now will not arrive later either.
        """
        node = self._ctx.nodes.get(node_id)
        if node is None or node_id not in self._ctx.connected:
            return
        say = self._ctx.say
        slots = self._tasks.slots.get(node_id)
        placed = dict(slots.placements) if slots is not None else {}
        in_doubt = self._casts_doubt(node_id, damages)
        unheard = self._tasks.unheard(node_id, now) if in_doubt else frozenset()
        # asked before it is heard that the node has started anew, and has to be prepared again
        begun = {key for key in unheard if self._job_nodes.is_ready(placed[key].key[0], node_id)}
        leaving = node.state in _GOING or not node.scheduling_enabled
        under_way = self._job_nodes.reconcile(node_id, known, boot, now)
        for execution_id, placement in placed.items():
            placement.going = False  # whatever it was asked may have been lost with the connection
            task = self._tasks.tasks[placement.key]
            started = task.has_started_at(node_id)
            if execution_id in known:
                if task.is_ending and not task.ended:
                    say(KillExecution(node_id, execution_id))
                elif not started and (leaving or not self._tasks.may_begin(task)):
                    say(RecallExecutions(node_id, (execution_id,)))
            elif started or execution_id in begun:
                self._tasks.lost(node_id, execution_id, "the node came back without it", now)
            elif in_doubt or task.is_ending or leaving or self._may_not_wait(task, node_id, placement):
                self._tasks.recalled(node_id, execution_id, now)
            else:
                for command in self._executions.begin(task, node, now):
                    say(command)
        for execution_id in sorted(known - placed.keys() - under_way):
            if start_task_of(execution_id) is None:
                say(KillExecution(node_id, execution_id))
                say(Acknowledge(node_id, (execution_id,)))

    def _casts_doubt(self, node_id: str, damages: frozenset[str]) -> bool:
        """May anything that is placed there have begun unheard? A damage that was told before casts no doubt again."""
        if not damages:
            return False
        self._ctx.say(Acknowledge(node_id, tuple(sorted(damages))))
        slots = self._tasks.slots.get(node_id)
        if slots is None or damages <= slots.damages:
            return False
        slots.damages |= damages
        return True

    def _may_not_wait(self, task: Task, node_id: str, placement: Placement) -> bool:
        """What was sent ahead is called back if it takes long, and what has not begun if its job is disabled: that may
        not be overtaken by its start."""
        sent_ahead = placement.stage is Stage.QUEUED
        unready = sent_ahead and not self._job_nodes.is_ready(task.job_id, node_id)
        return unready or not self._tasks.may_begin(task) or self._job_nodes.refuses(task.job_id, node_id)
