"""From a node that answers to one that takes tasks: application packages, then the pool's start task."""

from __future__ import annotations

from msgspec.structs import replace

from .attempts import Attempt, with_attempt
from .commands import RunStartTask
from .context import Context
from .failure_info import FailureInfo
from .model import Boot, ExecutionResult, Node, StartTaskInfo, evolve
from .node_departure import NodeDeparture
from .node_states import UP, NodeEvent, NodeState

#: As for tasks, maxTaskRetryCount counts for exit codes of the command; and for one that the node has lost.
_RETRIED = ("FailureExitCode", "StartTaskLost")


class NodePreparation:
    def __init__(self, context: Context, departure: NodeDeparture) -> None:
        self._ctx = context
        self._departure = departure

    def begin(self, node: Node, boot: str, now: float) -> None:
        """The agent is ready, on a new node or one that has started anew. `boot`: see Node."""
        spec = self._ctx.pools[node.pool_id].spec
        info = None
        if spec.start_task is not None:
            info = StartTaskInfo("running", now, earlier=self._before(node))
        # one that has started anew knows of its earlier attempts
        attempt = node.start_task_attempt + 1
        changes = {"start_task_attempt": attempt, "start_task": info, "answered_time": now, "boot": boot}
        if node.state is NodeState.REBOOTING:
            changes |= {"boot_time": now, "reason": None}
        node = self._ctx.advance(node, NodeEvent.AGENT_READY, now, **changes)
        self._ctx.say(RunStartTask(node.id, attempt))

    def _before(self, node: Node) -> tuple[Attempt, ...]:
        """The attempts before the one that begins now, of a node that has started anew."""
        info = node.start_task
        if info is None:
            return ()
        one = Attempt(
            number=node.start_task_attempt,
            node_id=node.id,
            start_time=info.start_time,
            end_time=info.end_time,
            exit_code=info.exit_code,
            reason="the node was rebooted",
        )
        return with_attempt(info.earlier, one, self._ctx.settings.kept_attempts)[0]

    def resume(self, node: Node) -> None:
        """The node is connected again: say once more what may have been lost (it knows what it has done)."""
        if _under_way(node):
            self._ctx.say(RunStartTask(node.id, node.start_task_attempt))

    def prepared(self, node_id: str, error: str | None, now: float) -> None:
        """The pool's application packages are in place (`error` None), or could not be brought there."""
        ctx = self._ctx
        node = ctx.nodes.get(node_id)
        if node is None or node.state is not NodeState.WAITING_FOR_START_TASK:
            return
        task = ctx.pools[node.pool_id].spec.start_task
        if error is not None:
            self._departure.failed(node, error, now, "ApplicationPackageError")
        elif task is not None and node.start_task is None:
            # the pool has been given one while the node was made ready without
            attempt = node.start_task_attempt + 1
            ctx.put_node(evolve(node, now, start_task=StartTaskInfo("running", now), start_task_attempt=attempt))
            ctx.say(RunStartTask(node.id, attempt))
        elif task is None or not task.wait_for_success:
            self._usable(node, now)

    def ended(
        self, node_id: str, attempt: int, exit_code: int | None, failure: FailureInfo | None, now: float
    ) -> None:
        """The start task's attempt ended; with retries left it runs again, else the node is ready or has
        failed."""
        ctx = self._ctx
        node = ctx.nodes.get(node_id)
        if node is None or attempt != node.start_task_attempt or not _under_way(node):
            return
        task = ctx.pools[node.pool_id].spec.start_task
        if node.start_task is None:
            return
        if task is None:  # the pool has none any more
            if node.state is NodeState.WAITING_FOR_START_TASK:
                self._usable(node, now)
            return
        info = node.start_task
        retries = task.max_task_retry_count
        if failure is not None and failure.code in _RETRIED and (retries < 0 or info.retry_count < retries):
            one = Attempt(
                number=attempt,
                node_id=node_id,
                start_time=info.start_time,
                end_time=now,
                exit_code=exit_code,
                reason=failure.message,
            )
            earlier, _ = with_attempt(info.earlier, one, ctx.settings.kept_attempts)
            info = replace(info, retry_count=info.retry_count + 1, exit_code=exit_code, earlier=earlier)
            ctx.put_node(evolve(node, now, start_task=info, start_task_attempt=attempt + 1))
            ctx.say(RunStartTask(node_id, attempt + 1))
            return
        result = ExecutionResult.SUCCESS if failure is None else ExecutionResult.FAILURE
        info = replace(
            info, state="completed", end_time=now, exit_code=exit_code, result=result, failure=failure
        )
        node = ctx.put_node(evolve(node, now, start_task=info))
        if node.state is not NodeState.WAITING_FOR_START_TASK:
            return
        if failure is None or not task.wait_for_success:
            self._usable(node, now)
        else:
            reason = f"start task failed: {failure.message}"
            ctx.advance(node, NodeEvent.START_TASK_FAILED, now, reason=reason)
            self._departure.setbacks.failed(node, "StartTaskFailed", reason, now)

    def _usable(self, node: Node, now: float) -> None:
        ctx, first = self._ctx, node.usable_since is None
        changes = {"usable_since": now} if first else {}
        node = ctx.advance(node, NodeEvent.START_TASK_SUCCEEDED, now, **changes)
        if first:
            self._keep_boot(node, now)
        self._departure.setbacks.usable(node, now)
        ctx.timers.set("proven", node.id, now + ctx.settings.young_node)
        ctx.workload.node_usable(node.id, now)
        if not node.scheduling_enabled:
            ctx.advance(ctx.nodes[node.id], NodeEvent.SET_ASIDE, now)

    def _keep_boot(self, node: Node, now: float) -> None:
        if node.boot_time is not None and node.answered_time is not None:
            boot = Boot(
                node_id=node.id,
                provider=self._ctx.pools[node.pool_id].provider,
                size=node.size,
                zone=node.zone,
                low_priority=node.low_priority,
                time=node.ordered,
                running=node.boot_time - node.ordered,
                answered=node.answered_time - node.ordered,
                usable=now - node.ordered,
            )
            self._ctx.boots.append(node.id, boot)


def _under_way(node: Node) -> bool:
    """Is there anything to do or to hear of the start task (which may run beside tasks, if nobody waits for
    it)?"""
    if node.state is NodeState.WAITING_FOR_START_TASK:
        return True
    return node.state in UP and node.start_task is not None and node.start_task.state == "running"
