"""Job preparation and release tasks on real nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pools import EnvironmentSetting
from runner import JobState, ResizePool, TerminateJob
from runner.model import JobNode
from runner.states import JobNodeState
from runner.task_spec import JobPreparationTask, JobReleaseTask, TaskConstraints

from .world import World

#: Leaves a word in its working directory, and a line in a file that lives longer than the node.
SAY = 'echo "{} $AZ_BATCH_NODE_ID $AZ_BATCH_TASK_ID" >> "$DIARY"'
PREPARE = f"/bin/sh -c 'echo data > word; {SAY.format('prepared')}; echo said'"
TASK = f"""/bin/sh -c 'cat "$AZ_BATCH_JOB_PREP_WORKING_DIR/word"; {SAY.format("task")}'"""
RELEASE = f"""/bin/sh -c 'cat "$AZ_BATCH_JOB_PREP_DIR/wd/word"; {SAY.format("released")}'"""


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    path = tmp_path / "shared" / "diary"
    path.parent.mkdir(mode=0o777)
    path.parent.chmod(0o777)
    path.touch()
    path.chmod(0o666)
    for parent in path.parents[1:4]:
        parent.chmod(parent.stat().st_mode | 0o011)
    return path


def prepared(
    world: World, diary: Path, *commands: str, prepare: str = PREPARE, retries: int = 0, **more: Any
) -> None:
    world.job(
        *commands,
        common_environment_settings=(EnvironmentSetting(name="DIARY", value=str(diary)),),
        job_preparation_task=JobPreparationTask(
            command_line=prepare, constraints=TaskConstraints(max_task_retry_count=retries)
        ),
        job_release_task=JobReleaseTask(command_line=RELEASE),
        **more,
    )


def records(world: World) -> list[JobNode]:
    return world.controller.journal.job_nodes("job")


def kept(world: World, owner: str, node_id: str) -> bytes:
    output = world.controller.journal.output(owner, "job", node_id, "stdout")
    assert output is not None
    return b"".join(world.controller.outputs.read(output))


def job_state(world: World) -> JobState:
    job = world.controller.journal.job("job")
    assert job is not None
    return job.state


def test_every_node_is_prepared_once_and_released_at_the_end(world: World, diary: Path) -> None:
    world.pool(target_dedicated_nodes=2, task_slots_per_node=2)
    prepared(world, diary, *[TASK] * 12, on_all_tasks_complete="terminatejob")
    world.wait(lambda: job_state(world) is JobState.COMPLETED, "the job to end")
    assert [task.exit_code for task in world.tasks()] == [0] * 12
    assert {world.printed(f"t{n}") for n in range(12)} == {b"data\n"}
    lines = [line.split() for line in diary.read_text().splitlines()]
    used = {task.last_node_id for task in world.tasks()}
    for node_id in used:
        own = [(word, task_id) for word, there, task_id in lines if there == node_id]
        assert own[0] == ("prepared", "jobpreparation") and own[-1] == ("released", "jobrelease")
        assert {word for word, _ in own[1:-1]} == {"task"}
    assert {record.node_id for record in records(world)} == used
    for record in records(world):
        assert record.state is JobNodeState.RELEASED
        assert record.preparation is not None and record.release is not None
        assert (record.preparation.exit_code, record.release.exit_code) == (0, 0)
        assert kept(world, "jobpreparation", record.node_id) == b"said\n"
        assert kept(world, "jobrelease", record.node_id) == b"data\n"
    world.drain()


def test_a_preparation_that_fails_is_tried_again_and_a_node_that_leaves_is_released(world: World, diary: Path) -> None:
    world.pool(target_dedicated_nodes=1)
    once = PREPARE.replace("echo said", "test -e again || { touch again; exit 7; }")
    prepared(world, diary, TASK, prepare=once, retries=1)
    world.wait_completed()
    (record,) = records(world)
    assert record.preparation is not None
    assert (record.preparation.retry_count, record.preparation.attempt) == (1, 2)
    world.request(ResizePool("pool", 0, 0))
    world.wait(lambda: not world.nodes(), "the node to leave")
    (record,) = records(world)
    assert record.state is JobNodeState.RELEASED and record.release is not None and record.release.exit_code == 0
    assert [line.split()[0] for line in diary.read_text().splitlines()] == ["prepared", "prepared", "task", "released"]
    assert job_state(world) is JobState.ACTIVE


def test_they_outlive_the_controller_and_take_no_slot(world: World, diary: Path, tmp_path: Path) -> None:
    """The one slot of the node is taken by a task that waits for both; each of them waits for the next controller."""
    world.pool(target_dedicated_nodes=1)
    gate = diary.parent / "gate"
    waiting = PREPARE.replace("echo said", f"until test -e {gate}; do sleep 0.05; done")
    prepared(world, diary, TASK, prepare=waiting, on_all_tasks_complete="terminatejob")
    world.wait(lambda: diary.read_text() != "", "the preparation to start")
    assert world.task().state == "preparing"
    world.stop()
    world.start()
    gate.touch()
    world.wait(lambda: job_state(world) is JobState.COMPLETED, "the job to end")
    assert [line.split()[0] for line in diary.read_text().splitlines()] == ["prepared", "task", "released"]
    world.drain()


def test_a_job_that_is_terminated_meanwhile(world: World, diary: Path) -> None:
    world.pool(target_dedicated_nodes=1)
    prepared(world, diary, TASK, prepare=PREPARE.replace("echo said", "sleep 600"))
    world.wait(lambda: diary.read_text() != "", "the preparation to start")
    world.request(TerminateJob("job"))
    world.wait(lambda: job_state(world) is JobState.COMPLETED, "the job to end")
    (record,) = records(world)
    assert record.preparation is not None and record.preparation.failure is not None
    assert record.preparation.failure.code == "TaskEnded"
    assert [line.split()[0] for line in diary.read_text().splitlines()] == ["prepared", "released"]
    world.drain()
