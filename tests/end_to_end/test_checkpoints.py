"""What a task has saved is there at its next attempt, on whatever node."""

from __future__ import annotations

from pathlib import Path

from pools import NodeDeallocationOption
from runner import ResizePool, TaskState

from .world import World

SCRIPT = r"""
mkdir -p "$EBBTIDE_CHECKPOINT_DIR"
trap 'echo 7 > "$EBBTIDE_CHECKPOINT_DIR/n"; exit 1' TERM
if test -e "$EBBTIDE_CHECKPOINT_DIR/n"; then echo "goes on at $(cat "$EBBTIDE_CHECKPOINT_DIR/n")"; exit 0; fi
touch %s; while :; do sleep 0.05; done
"""


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "script.sh"
    path.write_text(text)
    return f"/bin/sh {path}"


def test_a_task_goes_on_where_its_node_left_it(world: World, tmp_path: Path) -> None:
    up = tmp_path / "up"
    world.pool(target_dedicated_nodes=1)
    world.job(script(tmp_path, SCRIPT % up))
    world.wait(up.exists, "the task to be at work")
    world.request(ResizePool("pool", 0, 0, NodeDeallocationOption.REQUEUE))
    world.wait(lambda: not world.nodes(), "the node to leave")
    assert (world.task().state, world.task().requeue_count) == (TaskState.ACTIVE, 1)
    world.request(ResizePool("pool", 1, 0))
    world.wait_completed()
    assert world.printed() == b"goes on at 7\n" and world.task().exit_code == 0


def test_a_task_that_is_tried_again_finds_it(world: World, tmp_path: Path) -> None:
    tries = 'mkdir -p "$d"; echo x >> "$d/tries"; cat "$d/tries"; test $(wc -l < "$d/tries") = 3'
    text = f'd="$EBBTIDE_CHECKPOINT_DIR"; {tries}'
    world.pool(target_dedicated_nodes=1)
    world.job(script(tmp_path, text), retries=3)
    world.wait_completed()
    assert world.printed() == b"x\nx\nx\n"
    assert (world.task().retry_count, world.task().exit_code) == (2, 0)
