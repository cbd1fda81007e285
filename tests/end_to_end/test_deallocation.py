"""The four node deallocation options, on a real node that is taken away while its task runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pools import NodeDeallocationOption, NodeState
from runner import ResizePool, TaskState

from .world import World

Option = NodeDeallocationOption


@pytest.mark.parametrize(
    ("option", "exit_code", "failure"),
    [
        (Option.REQUEUE, None, None),
        (Option.TERMINATE, 143, "TaskEnded"),
        (Option.TASK_COMPLETION, 0, None),
        (Option.RETAINED_DATA, 0, None),
    ],
)
def test_what_becomes_of_a_running_task(
    world: World, tmp_path: Path, option: Option, exit_code: int | None, failure: str | None
) -> None:
    notes, gate = tmp_path / "notes", tmp_path / "gate"
    world.pool(target_dedicated_nodes=1)
    world.job(f"/bin/sh -c 'echo run >> {notes}; until test -e {gate}; do sleep 0.1; done; echo done'")
    world.wait(lambda: world.task().state is TaskState.RUNNING, "the task to run")
    world.wait(lambda: notes.exists() and notes.read_text() == "run\n", "its note")

    world.request(ResizePool("pool", 0, 0, option))
    if option in (Option.TASK_COMPLETION, Option.RETAINED_DATA):
        assert [node.state for node in world.nodes()] == [NodeState.LEAVING_POOL]
        gate.touch()
    world.wait(lambda: not world.nodes(), "the node to leave")

    task = world.task()
    assert task.exit_code == exit_code
    assert (task.failure.code if task.failure else None) == failure
    assert notes.read_text().split() == ["run"]
    if option is not Option.REQUEUE:
        assert (task.state, task.requeue_count) == (TaskState.COMPLETED, 0)
        return
    assert (task.state, task.requeue_count, task.retry_count) == (TaskState.ACTIVE, 1, 0)
    gate.touch()
    world.request(ResizePool("pool", 1, 0))
    world.wait_completed()
    assert world.task().exit_code == 0
    assert world.printed() == b"done\n"
