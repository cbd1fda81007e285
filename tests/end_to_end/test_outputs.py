"""Exit codes and outputs, whatever their size, and never more tasks on a node than it has slots."""

from __future__ import annotations

import hashlib
import random

import pytest

from pools import NodeState

from .world import World

SLOTS = 2


def command(number: int) -> str:
    """Prints `size(number)` bytes that only this task prints, a line on stderr, and exits with its own code."""
    script = (
        f"import sys, random; random.seed({number}); sys.stdout.buffer.write(random.randbytes({size(number)})); "
        f"sys.stderr.write('task {number}'); sys.exit({number % 128})"
    )
    return f'python3 -I -c "{script}"'


def size(number: int) -> int:
    """0 B to 5 MB, with both sides of what rides along with an outcome."""
    return (0, 1, 100, 65_536, 65_537, 300_000)[number % 6] if number % 50 else 5_000_000


def digest(number: int) -> str:
    return hashlib.sha256(random.Random(number).randbytes(size(number))).hexdigest()


@pytest.mark.slow
def test_500_tasks_on_20_nodes(world: World) -> None:
    world.pool(target_dedicated_nodes=20, task_slots_per_node=SLOTS)
    # one that comes up late, on a busy machine, would find no work left
    world.wait(lambda: ready(world) == 20, "the nodes to come up", patience=600.0)
    world.job(*(command(n) for n in range(500)))
    world.wait_completed(patience=600.0)

    tasks = world.tasks()
    assert [t.exit_code for t in tasks] == [n % 128 for n in range(500)]
    assert [(t.retry_count, t.requeue_count) for t in tasks] == [(0, 0)] * 500
    for number in range(500):
        assert hashlib.sha256(world.printed(f"t{number}")).hexdigest() == digest(number), f"stdout of t{number}"
        assert world.printed(f"t{number}", "stderr") == b"task %d" % number
    assert {t.last_node_id for t in tasks} == {n.id for n in world.nodes()}, "every node took part"
    for node in world.nodes():
        assert most_at_once([(t.start_time, t.end_time) for t in tasks if t.last_node_id == node.id]) <= SLOTS
    world.drain()


def ready(world: World) -> int:
    """Nodes that take tasks at once."""
    connected = world.controller.core.ctx.connected
    return sum(node.state is NodeState.IDLE and node.id in connected for node in world.nodes())


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """How many of the spans overlap at the most."""
    steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    running = most = 0
    for _, step in steps:
        running += step
        most = max(most, running)
    return most


def test_the_overlap_counter_counts() -> None:
    assert most_at_once([(0, 2), (1, 3), (2, 4)]) == 2
    assert most_at_once([(0, 3), (1, 3), (2, 4)]) == 3


@pytest.mark.parametrize(
    ("line", "exit_code", "code"),
    [
        ("/bin/sh -c 'exit 3'", 3, "FailureExitCode"),
        ("/bin/sh -c 'kill -9 $$'", 137, "FailureExitCode"),
        ("no-such-program", None, "CommandProgramNotFound"),
        ("/bin/true", 0, None),
    ],
)
def test_how_a_task_ends(world: World, line: str, exit_code: int | None, code: str | None) -> None:
    world.pool(target_low_priority_nodes=1)
    world.job(line)
    world.wait_completed()
    task = world.task()
    assert task.exit_code == exit_code
    assert (task.failure.code if task.failure else None) == code


def test_a_failing_task_is_tried_again_as_often_as_allowed(world: World) -> None:
    world.pool(target_dedicated_nodes=1)
    world.job("/bin/sh -c 'echo once more; exit 1'", retries=2)
    world.wait_completed()
    assert (world.task().retry_count, world.task().requeue_count, world.task().exit_code) == (2, 0, 1)
    assert world.printed() == b"once more\n"


def test_a_task_that_deletes_its_own_output_still_completes(world: World) -> None:
    world.pool(target_dedicated_nodes=1)
    world.job("/bin/sh -c 'head -c 200000 /dev/zero; rm ../stdout.txt; exit 4'")
    world.wait_completed()
    assert world.task().exit_code == 4


def test_an_output_that_cannot_be_read_does_not_hold_the_task(world: World) -> None:
    """One stream is a link to itself by the time it is fetched; the other is kept whole."""
    world.pool(target_dedicated_nodes=1)
    script = "head -c 200000 /dev/zero; head -c 200000 /dev/zero >&2; ln -sf stdout.txt ../stdout.txt; exit 6"
    world.job(f"/bin/sh -c '{script}'")
    world.wait_completed()
    assert world.task().exit_code == 6
    assert world.controller.journal.output("task", "job", "t0", "stdout") is None, "it was not empty"
    assert world.printed(stream="stderr") == bytes(200_000)
