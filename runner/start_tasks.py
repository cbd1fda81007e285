"""What nodes report of their pool's start task, and clouds of a node that did not come up."""

from __future__ import annotations

from msgspec.structs import replace

from pools import Context, FailureInfo, Log, NodeMachine

from .commands import Acknowledge
from .events import Outcome
from .model import Output
from .outputs import INLINE

#: The stream that a VM's console is kept as.
CONSOLE = "console.txt"


class StartTasks:
    def __init__(self, ctx: Context, nodes: NodeMachine, outputs: Log[tuple[str, str, str, str], Output]) -> None:
        self._ctx = ctx
        self._nodes = nodes
        self._outputs = outputs

    def outcome(self, report: Outcome, attempt: int, now: float) -> None:
        failure = None
        if report.error is not None:
            failure = FailureInfo("usererror", report.error[0], report.error[1])
        elif report.exit_code != 0:
            reason = f"the start task exited with code {report.exit_code}"
            failure = FailureInfo("usererror", "FailureExitCode", reason)
        node = self._ctx.nodes.get(report.node_id)
        if node is not None:
            for output in report.outputs:
                output = replace(output, owner="starttask", parent_id=node.pool_id, id=node.id)
                self._outputs.append(output.key, output)
        self._nodes.start_task_ended(report.node_id, attempt, report.exit_code, failure, now)
        self._ctx.say(Acknowledge(report.node_id, (report.execution_id,)))

    def lost(self, node_id: str, execution_id: str, attempt: int, reason: str, now: float) -> None:
        """Its supervisor was killed: counts as a failed attempt."""
        failure = FailureInfo("servererror", "StartTaskLost", reason)
        self._nodes.start_task_ended(node_id, attempt, None, failure, now)
        self._ctx.say(Acknowledge(node_id, (execution_id,)))

    def console_read(self, node_id: str, text: str) -> None:
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
        )
        self._outputs.append(output.key, output)
