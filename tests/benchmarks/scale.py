"""One large job in a process of its own: `python -m tests.benchmarks.scale DIRECTORY TASKS NODES [--profile]`.

The real core, engine, SQLite journal and view (of `ebbtide run` into a pipe that nobody reads); clouds and nodes are
simulated, and answer at once. Prints one line of JSON. Processor time is that of the engine's thread while it works
on its batches: what the simulated nodes take of the same thread is not in it.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from pools import Command, CreateVm, DestroyVm, ListVms, PoolSettings, PoolSpec, RandomIds, SystemClock
from providers import SimulatedProvider, SimulatedSettings
from runner import (
    AddJob,
    AddPool,
    AddTasks,
    Core,
    CoreSettings,
    Engine,
    Event,
    JobSpec,
    Output,
    PoolInfo,
    ResizePool,
    TaskSpec,
    open_journal,
)
from runner.commands import OpenNode, PrepareNode, StartExecution
from runner.events import ExecutionStarted, NodeConnected, NodePrepared, Outcome, VmCreated, VmDestroyed, VmsListed
from runner.simulation import DEPLOYMENT
from service.views.plain import PlainView
from service.views.pump import Pump
from service.views.tally import Tally
from service.views.timeline import Timeline

SLOTS = 4
#: Tasks that one request adds, as the SDK does it; and requests that are sent before the answers are waited for.
ADDED, REQUESTS = 100, 10
PATIENCE = 600.0
#: Lines of the profile.
SHOWN = 18


class Hot(msgspec.Struct, frozen=True):
    """A function in the profile: microseconds a task in itself, and with what it calls."""

    name: str
    own: float
    all: float


class Run(msgspec.Struct, frozen=True):
    tasks: int
    nodes: int
    seconds: float
    adding: float
    #: processor seconds of the engine's thread, of those of adding, and of the view's thread
    cpu: float
    cpu_adding: float
    cpu_view: float
    #: MiB at the most, and before the job came
    memory: float
    memory_before: float
    commits: int
    hot: tuple[Hot, ...]


class _World:
    """Effects that keep commands until `answer` is called, and answer then."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._cloud = SimulatedProvider(
            "simulated", DEPLOYMENT.id, SimulatedSettings(boot_delay=0.0), self._clock.now
        )
        self._commands: list[Command] = []
        self.engine: Engine

    def issue(self, command: Command) -> None:
        self._commands.append(command)

    def answer(self) -> None:
        commands, self._commands = self._commands, []
        post, now = self.engine.post, self._clock.now()
        for command in commands:
            match command:
                case StartExecution(node_id, execution_id):
                    post(ExecutionStarted(node_id, execution_id, now))
                    printed = Output(stream="stdout", size=12, data=b"hello world\n")
                    outputs = (printed, Output(stream="stderr", size=0, data=b""))
                    post(Outcome(node_id, execution_id, now, now + 0.001, 0, outputs=outputs))
                case CreateVm():
                    post(VmCreated(command.node_id, self._cloud.create(command.spec)))
                case ListVms(provider):
                    post(VmsListed(provider, tuple(self._cloud.list_owned()), now))
                case OpenNode():
                    post(NodeConnected(command.node_id, command.connection, frozenset()))
                case PrepareNode():
                    post(NodePrepared(command.node_id))
                case DestroyVm():
                    self._cloud.destroy(command.vm_name)
                    if command.node_id is not None:
                        post(VmDestroyed(command.node_id))


class _Meter:
    """Steps of the engine, and what they take."""

    def __init__(self, engine: Engine, world: _World, profile: cProfile.Profile | None) -> None:
        self._engine, self._world, self._profile = engine, world, profile
        self.cpu = 0.0
        self.steps = 0

    def ask(self, *events: Event) -> None:
        """Raises what refuses them."""
        answers = [self._engine.request(event) for event in events]
        self.until(lambda: all(answer.done() for answer in answers), "answers")
        for answer in answers:
            answer.result()

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(f"waited in vain for {what}")
            if self._profile is not None:
                self._profile.enable()
            start = time.thread_time()
            self._engine.step()
            self.cpu += time.thread_time() - start
            if self._profile is not None:
                self._profile.disable()
            self.steps += 1
            self._world.answer()


def run(directory: Path, tasks: int, nodes: int, *, profile: bool = False) -> Run:
    directory.mkdir(parents=True)
    journal = open_journal(f"sqlite:///{directory}/scale.db")
    clock, world = SystemClock(), _World()
    settings = CoreSettings(pools=PoolSettings(vm_poll_interval=0.05))
    core = Core(settings, DEPLOYMENT, RandomIds())
    core.load(journal.load(0.0), clock.now())
    with open(os.devnull, "w") as nowhere:
        timeline = Timeline(Tally(clock.now()))
        pump = Pump(timeline, PlainView(nowhere, clock.now(), colour=False), clock.now)
        world.engine = engine = Engine(core, journal, world, clock, observe=pump.observe)
        pump.start()
        profiler = cProfile.Profile() if profile else None
        spec = PoolSpec(id="pool", vm_size="simulated.small", task_slots_per_node=SLOTS)
        meter = _Meter(engine, world, None)
        meter.ask(AddPool(spec, "simulated", "simulated"))
        before = _memory()
        meter = _Meter(engine, world, profiler)
        start, process = time.perf_counter(), time.process_time()
        main = time.thread_time()
        _add(meter, tasks)
        adding, cpu_adding = time.perf_counter() - start, meter.cpu
        # only now: all of the job waits in memory first
        meter.ask(ResizePool("pool", nodes, 0))
        meter.until(lambda: core.tasks.open_tasks("job") == 0, f"{tasks} tasks")
        seconds = time.perf_counter() - start
        pump.close()
        view = (time.process_time() - process) - (time.thread_time() - main)
    _check(directory / "scale.db", pump.tally, tasks)
    journal.close()
    hot = _hot(profiler, tasks) if profiler is not None else ()
    return Run(tasks, nodes, seconds, adding, meter.cpu, cpu_adding, view, _memory(), before, meter.steps, hot)


def _add(meter: _Meter, tasks: int) -> None:
    """Requests follow each other as those of somebody who waits for some answers before the next ones."""
    meter.ask(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool"))))
    numbers = range(tasks)
    some = [numbers[at : at + ADDED] for at in range(0, tasks, ADDED)]
    for at in range(0, len(some), REQUESTS):
        meter.ask(*(AddTasks("job", _specs(ids)) for ids in some[at : at + REQUESTS]))


def _specs(ids: range) -> tuple[TaskSpec, ...]:
    return tuple(TaskSpec(id=f"t{n}", command_line=f"/bin/sh -c 'echo hello world' {n}") for n in ids)


def _check(database: Path, tally: Tally, tasks: int) -> None:
    """All there, all successful, none twice, every output kept; and the view has counted the same."""
    with closing(sqlite3.connect(database)) as connection:
        done = connection.execute("SELECT done, count(*) FROM tasks GROUP BY done").fetchall()
        outputs = connection.execute("SELECT count(*) FROM outputs").fetchone()
        again = connection.execute("SELECT count(*) FROM tasks WHERE body LIKE '%queue_count%'").fetchone()
    counts = {state: count for state, count in tally.task_counts().items() if count}
    found = ([(flags & 1, count) for flags, count in done], outputs, again, counts)
    if found != ([(1, tasks)], (2 * tasks,), (0,), {"succeeded": tasks}):
        raise AssertionError(f"of {tasks} tasks: {found}")


def _hot(profile: cProfile.Profile, tasks: int) -> tuple[Hot, ...]:
    """What takes most in itself."""
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    top = sorted(stats.items(), key=lambda entry: -entry[1][2])[:SHOWN]
    return tuple(Hot(_called(*key), own / tasks * 1e6, both / tasks * 1e6) for key, (_, _, own, both, _) in top)


def _called(file: str, line: int, name: str) -> str:
    return name if file == "~" else f"{Path(file).parent.name}/{Path(file).name}:{line} {name}"


def _memory() -> float:
    # not ru_maxrss: Linux hands that of the process that started this one down to it
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    found = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), profile="--profile" in sys.argv)
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
