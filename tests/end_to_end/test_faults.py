"""A node dies, a node is preempted, a connection is cut: nothing is lost, and nothing runs twice that need not."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from runner import TaskState

from .proxy import CutProxy
from .world import FAST, PATIENCE, World

#: A silence is noticed soon.
ALERT = msgspec.structs.replace(
    FAST, keep_alive_interval=timedelta(seconds=1), connection_timeout=timedelta(seconds=3)
)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def appending(path: Path, gate: Path, last: str = ":") -> str:
    """A task that notes its start and end in a file outside its node, prints a lot, and ends when `gate` is there."""
    wait = f"until test -e {gate}; do sleep 0.1; done"
    return f"/bin/sh -c 'echo start >> {path}; head -c 300000 /dev/zero; {wait}; echo end >> {path}; {last}'"


@pytest.mark.parametrize("death", ["killed", "preempted"])
def test_a_task_on_a_node_that_dies_is_requeued_and_the_node_replaced(world: World, tmp_path: Path, death: str) -> None:
    notes = tmp_path / "notes"
    world.pool(target_low_priority_nodes=1)
    world.job(f"/bin/sh -c 'echo start >> {notes}; test $(wc -l < {notes}) -gt 1 && exit 7; sleep 600'")
    world.wait(lambda: world.task().state is TaskState.RUNNING and len(lines(notes)) == 1, "the task to run")
    first = world.nodes()[0]

    if death == "killed":
        world.kill_node(first.vm_name)
    else:
        world.controller.providers["local"].preempt(first.vm_name)

    world.wait_completed()
    task = world.task()
    assert task.exit_code == 7
    assert (task.retry_count, task.requeue_count) == (0, 1), "a lost node is not the task's failure"
    assert task.last_node_id != first.id
    assert lines(notes) == ["start", "start"]
    world.wait(lambda: [n.id for n in world.nodes()] == [task.last_node_id], "the dead node to be replaced")


@pytest.mark.slow
def test_a_connection_that_is_cut_for_ten_seconds_does_not_disturb_the_task(tmp_path: Path) -> None:
    notes, gate = tmp_path / "notes", tmp_path / "gate"
    with World(tmp_path / "state", ALERT) as world, CutProxy.before_nodes_of(world.controller) as proxy:
        world.pool(target_dedicated_nodes=1)
        world.job(appending(notes, gate))
        world.wait(lambda: world.task().state is TaskState.RUNNING and bool(lines(notes)), "the task to run")
        node = world.nodes()[0]
        connected = world.controller.core.ctx.connected
        cut = time.monotonic()
        proxy.cut()
        world.wait(lambda: node.id not in connected, "the cut to be noticed")
        assert world.nodes()[0].unreachable_since is not None
        time.sleep(max(0.0, cut + 10.0 - time.monotonic()))  # waits for nothing: so long nobody hears anything
        assert world.task().state is TaskState.RUNNING
        proxy.mend()
        world.wait(lambda: node.id in connected, "the node to be connected again")
        gate.touch()
        world.wait_completed()
        assert lines(notes) == ["start", "end"], "it ran once, to its end"
        task = world.task()
        assert (task.exit_code, task.retry_count, task.requeue_count, task.last_node_id) == (0, 0, 0, node.id)
        assert [n.id for n in world.nodes()] == [node.id], "the node is still the same"


def test_a_controller_that_comes_back_adopts_the_running_task(world: World, tmp_path: Path) -> None:
    notes, gate = tmp_path / "notes", tmp_path / "gate"
    world.pool(target_dedicated_nodes=1)
    world.job(appending(notes, gate))
    world.wait(lambda: world.task().state is TaskState.RUNNING and bool(lines(notes)), "the task to run")
    node = world.nodes()[0]
    world.stop()
    world.start()
    world.wait(lambda: node.id in world.controller.core.ctx.connected, "the node to be connected again")
    gate.touch()
    world.wait_completed()
    assert lines(notes) == ["start", "end"]
    assert (world.task().requeue_count, world.task().last_node_id) == (0, node.id)


def test_an_outcome_that_nobody_heard_is_told_to_the_next_controller(world: World, tmp_path: Path) -> None:
    notes, gate = tmp_path / "notes", tmp_path / "gate"
    world.pool(target_dedicated_nodes=1)
    world.job(appending(notes, gate, last="exit 9"))
    world.wait(lambda: world.task().state is TaskState.RUNNING and bool(lines(notes)), "the task to run")
    world.stop()
    gate.touch()
    world_waits_for_file(notes, 2)
    world.start()
    world.wait_completed()
    assert (world.task().exit_code, world.task().requeue_count) == (9, 0)
    assert world.printed() == bytes(300_000)
    assert lines(notes) == ["start", "end"]


def world_waits_for_file(path: Path, count: int) -> None:
    """Wait until the file has so many lines (no engine runs meanwhile that could be asked)."""
    end = time.monotonic() + PATIENCE
    while len(lines(path)) < count:
        assert time.monotonic() < end, f"{path} has {lines(path)}"
        time.sleep(0.05)
