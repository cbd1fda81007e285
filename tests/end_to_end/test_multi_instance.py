"""Multi-instance tasks on real nodes: a ring of plain TCP, a node that is lost, an instance that cannot coordinate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runner import AddJob, JobSpec, PoolInfo, TaskSpec, TaskState
from runner.task_spec import MultiInstanceSettings

from .world import World

RING = Path(__file__).resolve().parents[2] / "examples" / "mpi" / "ring"


def gang(world: World, coordination: str, command: str, size: int = 3, **more: Any) -> None:
    settings = MultiInstanceSettings(coordination_command_line=coordination, number_of_instances=size)
    task = TaskSpec(id="t0", command_line=command, multi_instance_settings=settings, **more)
    world.request(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool")), (task,)))


def test_a_ring_goes_round_after_a_node_was_lost(tmp_path: Path) -> None:
    """The first attempt waits until one of its nodes has gone."""
    flag = tmp_path / "go"
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=3, enable_inter_node_communication=True)
        wait = f"until [ -e {flag} ]; do sleep 0.1; done"
        gang(world, f'/bin/sh -c "{RING}/join.sh"', f"/bin/sh -c '{wait}; {RING}/start.sh 3'")
        world.wait(lambda: world.task().state is TaskState.RUNNING, "the task to run")
        world.wait(lambda: all(each.coordinated for each in world.task().instances), "the coordination commands")
        victim = world.task().instances[2].node_id
        name = next(node.vm_name for node in world.nodes() if node.id == victim)
        world.controller.providers["local"].destroy(name)
        world.wait(lambda: world.task().requeue_count == 1, "the task to be requeued")
        flag.touch()
        world.wait_completed()
        done = world.task()
        assert (done.exit_code, done.attempt, done.retry_count) == (0, 2, 0), done
        said = world.printed().decode()
        members = [line.partition(": ")[2] for line in said.splitlines() if line[:3] in ("0: ", "1: ", "2: ")]
        assert members == [each.node_id for each in done.instances], said
        assert victim not in members and all(each.state == "completed" for each in done.instances)
        world.drain()


def test_a_coordination_command_that_fails_fails_the_task(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=2, enable_inter_node_communication=True)
        script = "cd $AZ_BATCH_TASK_SHARED_DIR && test $(pwd -P) = $AZ_BATCH_TASK_DIR/shared"
        script += " && echo $EBBTIDE_INSTANCE $AZ_BATCH_IS_CURRENT_NODE_MASTER"
        script += "; exit $EBBTIDE_INSTANCE"
        gang(world, f"/bin/sh -c '{script}'", "/bin/sh -c 'touch ran'", 2)
        world.wait_completed()
        done = world.task()
        assert done.failure.code == "CoordinationCommandFailed" and done.exit_code == 1
        assert f"on node {done.instances[1].node_id}; " in done.failure.message
        assert world.printed("t0/1") == b"1 false\n"
        primary = next(node for node in world.nodes() if node.id == done.instances[0].node_id)
        assert not os.path.exists(f"{primary.vm.node_root}/workitems/job/job-1/t0/wd/ran")
        world.drain()
