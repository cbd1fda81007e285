"""What real executions printed stays readable: of each attempt, and for somebody who follows across controllers."""

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import msgspec

from runner import DisableJob, EnableJob, TaskState

from .test_files_and_logs import ebbtide
from .world import FAST, PATIENCE, World


def test_the_last_words_of_an_execution_that_was_given_back(world: World, tmp_path: Path) -> None:
    """The first attempt is requeued and says so, the second fails, the third succeeds."""
    ends, log = tmp_path / "ends", tmp_path / "log"
    wait = f"until test -e {ends}; do sleep 0.05; done"
    tries = f'echo x >> {log}; test "$(wc -l < {log})" -gt 1 || exit 3'
    world.pool(target_dedicated_nodes=1)
    world.job(f"/bin/sh -c 'trap \"echo saved; exit 0\" TERM; echo start; {wait}; {tries}'", retries=1)
    world.wait(lambda: world.task().state is TaskState.RUNNING, "the first execution")
    (node,), task = world.nodes(), world.task()
    there = Path(node.vm.node_root) / "workitems/job/job-1/t0/stdout.txt"
    world.wait(lambda: there.read_bytes() == b"start\n", "its first word")
    world.request(DisableJob("job", "requeue"))
    world.wait(lambda: world.task().requeue_count == 1, "it to be given back")
    ends.touch()
    world.request(EnableJob("job"))
    world.wait_completed()
    requeued, failed = world.task().earlier
    assert (requeued.reason, requeued.exit_code, failed.exit_code) == ("its job was disabled", 0, 3)
    assert world.task().exit_code == 0 and requeued.number == task.attempt
    assert ebbtide(world, "logs", "job", "t0", "--attempt", str(requeued.number)).stdout == "start\nsaved\n"
    assert ebbtide(world, "logs", "job", "t0", "--attempt", "all").stdout == "start\nsaved\nstart\nstart\n"
    told = ebbtide(world, "status", "--job", "job").stdout.split()
    assert "requeued 1 time (the last time: its job was disabled)" in " ".join(told)


def test_logs_follow_a_task_across_controllers(world: World, tmp_path: Path) -> None:
    """Nothing is printed twice, and nothing is left out that was printed while no controller was there."""
    gates = [tmp_path / name for name in ("away", "back")]
    steps = (f"until test -e {gate}; do sleep 0.05; done; echo {gate.name}; " for gate in gates)
    script = "echo begins; " + "".join(steps)
    world.pool(target_dedicated_nodes=1)
    world.job(f"/bin/sh -c '{script}'")
    command = [sys.executable, "-m", "service", "logs", "job", "t0", "--follow", "--state", str(world.state.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as logs:
        killer = threading.Timer(PATIENCE, logs.kill)
        killer.start()
        try:
            assert logs.stdout is not None and logs.stderr is not None
            assert logs.stdout.readline() == "begins\n"
            world.stop()
            gates[0].touch()
            while "no controller works" not in (line := logs.stderr.readline()):
                assert line, "it has ended"
            world.start()
            assert logs.stdout.readline() == "away\n"
            gates[1].touch()
            out, err = logs.communicate()
        finally:
            killer.cancel()
    assert (out, logs.returncode) == ("back\n", 0), err
    assert "was started again" not in err
    assert world.task().attempt == 1


def test_what_was_printed_before_a_node_died_is_left(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(FAST, running_output_interval=timedelta(seconds=0.2))
    first = tmp_path / "first"
    with World(tmp_path / "state", settings) as world:
        world.pool(target_low_priority_nodes=1)
        script = f"echo begins on $EBBTIDE_EXECUTION; test -e {first} || {{ touch {first}; exec sleep 600; }}"
        world.job(f"/bin/sh -c '{script}'")
        journal = world.controller.journal
        world.wait(lambda: journal.output("task", "job", "t0", "stdout") is not None, "its first word to be read")
        begun = world.task()
        world.stop()
        assert f"begins on {begun.execution_id}\n" == ebbtide(world, "logs", "job", "t0").stdout
        world.start()
        (node,) = [node for node in world.nodes() if node.id == begun.node_id]
        world.controller.providers["local"].preempt(node.vm_name)
        world.wait_completed()
        (lost,) = world.task().earlier
        assert lost.exit_code is None and begun.node_id in lost.reason
        found = ebbtide(world, "logs", "job", "t0", "--attempt", str(lost.number))
        assert found.stdout == f"begins on {begun.execution_id}\n"
        assert "was not seen to its end" in found.stderr
        assert ebbtide(world, "logs", "job", "t0").stdout == f"begins on {world.task().execution_id}\n"
        world.drain()
