"""What nodes report of their pool's start task, and clouds of a node that did not come up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pools import Context, FailureInfo, Node, NodeMachine

from .commands import Acknowledge
from .events import Outcome
from .execution_ids import start_task_id
from .failure import on_disk
from .kept_outputs import KeptOutputs
from .model import Output
from .outputs import INLINE

#: The stream that a VM's console is kept as.
CONSOLE = "console.txt"


class StartTasks:
    def __init__(self, ctx: Context, nodes: NodeMachine, outputs: KeptOutputs) -> None:
        self._ctx = ctx
        self._nodes = nodes
        self._outputs = outputs
        self._begun = ctx.start_tasks_begun

    def started(self, node_id: str, attempt: int) -> None:
        if node_id in self._ctx.nodes:
            self._begun[node_id] = max(attempt, self._begun.get(node_id, 0))  # what is told twice may come late

    def connected(self, node_id: str, known: frozenset[str], now: float) -> None:
        """The node is about to be told once more what to do. An attempt that began there, and that it does not know of
        any more, is not to begin again under its name: the outcome of the first time may still be on its way."""
        attempt = self._begun.get(node_id)
        if attempt is not None and start_task_id(node_id, attempt) not in known:
            self.lost(node_id, start_task_id(node_id, attempt), attempt, "the node came back without it", now)

    def outcome(self, report: Outcome, attempt: int, now: float) -> None:
        failure = None
        if report.error is not None:
            failure = FailureInfo("usererror", report.error[0], report.error[1])
        elif report.exit_code != 0:
            reason = f"the start task exited with code {report.exit_code}"
            failure = FailureInfo("usererror", "FailureExitCode", reason)
        node = self._ctx.nodes.get(report.node_id)
        if node is not None and attempt in _remembered(node):
            self._outputs.keep(report.outputs, "starttask", node.pool_id, node.id, attempt, now)
        self._ended(report.node_id, attempt, report.exit_code, on_disk(failure, report), now)
        self._ctx.say(Acknowledge(report.node_id, (report.execution_id,)))

    def lost(self, node_id: str, execution_id: str, attempt: int, reason: str, now: float) -> None:
        """Its supervisor was killed: counts as a failed attempt."""
        failure = FailureInfo("servererror", "StartTaskLost", reason)
        self._ended(node_id, attempt, None, failure, now)
        self._ctx.say(Acknowledge(node_id, (execution_id,)))

    def _ended(self, node_id: str, attempt: int, code: int | None, failure: FailureInfo | None, now: float) -> None:
        if self._begun.get(node_id) == attempt:
            del self._begun[node_id]
        with self.forgetting(node_id):
            self._nodes.start_task_ended(node_id, attempt, code, failure, now)

    @contextmanager
    def forgetting(self, node_id: str) -> Iterator[None]:
        """What attempts printed goes that are forgotten in here, for others."""
        before = self._ctx.nodes.get(node_id)
        yield
        after = self._ctx.nodes.get(node_id)
        if before is None or after is None or after.start_task is None:
            return
        if before.start_task is not None:
            kept = _remembered(after)
            forgotten = [each for each in before.start_task.earlier if each.number not in kept]
            self._outputs.forget(forgotten, "starttask", before.pool_id, node_id)
        elif after.start_task_attempt > 1:  # on another VM than those before, which are all forgotten
            self._outputs.purge("starttask", before.pool_id, node_id)

    def console_read(self, node_id: str, text: str, now: float) -> None:
        """What the VM of a failed node had printed is kept, as start tasks' output is: the last of it."""
        node = self._ctx.nodes.get(node_id)
        if node is None or not text:
            return
        data = text.encode(errors="replace")
        output = Output(
            owner="node",
            parent_id=node.pool_id,
            id=node.id,
            stream=CONSOLE,
            size=len(data),
            data=data[-INLINE:],
            kept=now,
        )
        self._outputs.append(output.key, output)


def _remembered(node: Node) -> set[int]:
    """The numbers of the start task's attempts: of the present or last one, and of those before."""
    earlier = node.start_task.earlier if node.start_task is not None else ()
    return {node.start_task_attempt, *(each.number for each in earlier)}
