"""The whole product once, in a process of its own: `python -m tests.benchmarks.product DIRECTORY TASKS [WAY]`.

A controller (engine, SQLite journal) and one local node with two slots, over SSH. Prints one line of JSON:
seconds from the request that adds the job to the commit of its last outcome, and the processor seconds that
everybody took in between. The node is ended, its folders are left: deleting thousands of them would slow down
whoever comes next. WAY "forgetful": nothing is committed once the pool is there, to see what the journal takes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import paramiko

from pools import Change
from providers import MarkedProcess, marked_processes
from runner import TaskState
from service.settings import Settings
from tests.end_to_end.world import World

from . import cpu
from .cpu import Cpu

SLOTS = 2
WARM_UP = 100
PATIENCE = 300.0
COMMAND = "true"
ENGINE = "engine"

#: The defaults; only the node is found more quickly.
SETTINGS = Settings(connect_retry=timedelta(seconds=0.1))
FORGETFUL = "forgetful"


class Run(msgspec.Struct, frozen=True):
    tasks: int
    seconds: float
    #: until the job with its tasks was committed; part of `seconds`
    adding: float
    #: processor seconds by who took them
    cpu: dict[str, Cpu]
    #: whom the tasks ran as
    user: str


def _ended(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.01)


def _kind(process: MarkedProcess) -> str:
    if "providers.local.node" in process.command:
        return "node (its SSH server)"
    name = Path(f"/proc/{process.pid}/comm").read_text()
    return "supervisors" if name.startswith("ebbtide-") else "agent"


def _threads() -> dict[str, Cpu]:
    """This process by its threads; what ran in threads that have ended is not in it."""
    found: dict[str, Cpu] = {}
    for thread in threading.enumerate():
        if isinstance(thread, paramiko.Transport):
            kind = "controller: SSH transport"
        elif thread.name == ENGINE:
            kind = "controller: engine"
        elif thread.name.startswith("node-link"):
            kind = "controller: link"
        else:
            kind = "controller: other"
        assert thread.native_id is not None
        found[kind] = found.get(kind, Cpu()) + cpu.of_thread(thread.native_id)
    return found


class _Meter:
    def __init__(self, deployment: str) -> None:
        self._processes = [(p.pid, _kind(p)) for p in marked_processes(deployment)]
        self._start = self._read()

    def _read(self) -> dict[str, Cpu]:
        found = _threads()
        for pid, kind in self._processes:
            found[kind] = found.get(kind, Cpu()) + cpu.of_process(pid)
            if kind == "supervisors":
                found["tasks"] = found.get("tasks", Cpu()) + cpu.of_children(pid)
        return found

    def taken(self) -> dict[str, Cpu]:
        return {kind: now - self._start.get(kind, Cpu()) for kind, now in self._read().items()}


def _work_off(world: World, job_id: str, count: int) -> tuple[float, float]:
    """(seconds in all, seconds until the job was committed)."""
    tasks = world.controller.core.tasks
    start = time.perf_counter()
    world.job(*[COMMAND] * count, job_id=job_id)
    added = time.perf_counter()
    world.wait(lambda: tasks.open_tasks(job_id) == 0, f"{count} tasks", PATIENCE)
    return time.perf_counter() - start, added - start


def _check(world: World, job_id: str, count: int) -> None:
    """As the journal has it: all there, all successful, with both outputs."""
    journal = world.controller.journal
    tasks = journal.tasks(job_id)
    found = {
        "in the journal": len(tasks),
        "completed": sum(t.state is TaskState.COMPLETED for t in tasks),
        "with exit code 0": sum(t.exit_code == 0 for t in tasks),
        "never requeued": sum(t.requeue_count == 0 for t in tasks),
        "never retried": sum(t.retry_count == 0 for t in tasks),
    }
    if set(found.values()) != {count}:
        raise AssertionError(f"of {count} tasks: {found}")
    for task in (tasks[0], tasks[-1]):
        for stream in ("stdout", "stderr"):
            if journal.output("task", job_id, task.id, stream) is None:
                raise AssertionError(f"no {stream} of {task.id} is in the journal")


def _forget(world: World) -> None:
    def commit(changes: Sequence[Change]) -> None:
        pass

    world.look(lambda: setattr(world.controller.journal, "commit", commit))


def run(directory: Path, count: int, way: str = "") -> Run:
    world = World(directory, SETTINGS)
    world.start()
    world._thread.name = ENGINE
    deployment = world.controller.deployment.id
    try:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=SLOTS)
        world.job("id -un", job_id="who")
        world.wait_completed("who")
        user = world.printed(job_id="who").decode().strip()
        if way == FORGETFUL:
            _forget(world)
        _work_off(world, "warm-up", WARM_UP)
        meter = _Meter(deployment)
        seconds, adding = _work_off(world, "job", count)
        taken = meter.taken()
        if way != FORGETFUL:
            _check(world, "job", count)
    finally:
        world.stop()
        for process in marked_processes(deployment):
            if "providers.local.node" in process.command:
                os.kill(process.pid, signal.SIGTERM)
        _ended(lambda: not marked_processes(deployment), "the node to end")
    return Run(count, seconds, adding, taken, user)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(run(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])) + b"\n")
