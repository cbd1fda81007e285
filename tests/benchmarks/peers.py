"""Other systems that run many commands, each in a process of its own: `python -m tests.benchmarks.peers NAME COUNT`.

Each keeps two slots of this machine busy with COUNT times the command, in the quickest of its documented ways that
starts a process for each and looks at its exit code. Its daemons start here and have run some commands before the
clock starts; they end here too. Prints one line of JSON.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from .contenders import TIMEOUT, program
from .cpu import Measured, Stopwatch
from .descendants import adopt_orphans
from .product import SLOTS

WARM_UP = 50

#: Runs the command so many times; returns the exit codes of all, and when (`time.perf_counter`) all had ended.
Work = Callable[[int], tuple[list[int], float]]

#: Prints when the last child of a process was waited for, as soon as its stdin ends.
_WATCH = """
import select, sys, time
seen, at = None, 0.0
while not select.select([0], [], [], 0.005)[0]:
    faults = open(f"/proc/{sys.argv[1]}/stat").read().rpartition(")")[2].split()[8]
    if faults != seen:
        seen, at = faults, time.perf_counter()
print(at)
"""


class Peer(msgspec.Struct, frozen=True):
    """`module`: what must be importable; `ready` gives a way to run commands, as long as its context lasts."""

    name: str
    module: str
    ready: Callable[[], contextlib.AbstractContextManager[Work]]

    @property
    def missing(self) -> str:
        """Why it cannot be measured, and the cure; or ""."""
        if importlib.util.find_spec(self.module) is not None:
            return ""
        return f"there is no {self.module} here; `make bench` installs it (the extra `bench`)"


@contextmanager
def _hyperqueue() -> Iterator[Work]:
    from hyperqueue import Job, LocalCluster
    from hyperqueue.cluster import WorkerConfig

    with LocalCluster() as cluster:
        cluster.start_worker(WorkerConfig(cores=SLOTS))
        client = cluster.client()

        def work(count: int) -> tuple[list[int], float]:
            # Its client looks once a second (and holds the interpreter's lock meanwhile): who else waits for it would
            # count that too. Its server and worker live in this process, so the tasks are children of it.
            watch = [sys.executable, "-I", "-S", "-c", _WATCH, str(os.getpid())]
            with subprocess.Popen(watch, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watcher:
                job = Job()
                for _ in range(count):
                    job.program([program()], stdout=None, stderr=None)
                client.wait_for_jobs([client.submit(job)])  # raises if a task failed
                ended = float(watcher.communicate()[0])
            return [0] * count, ended

        yield work


@contextmanager
def _dask() -> Iterator[Work]:
    from distributed import Client, LocalCluster

    # Timeouts of the cluster's end are its own; a worker for each slot, since threads share an interpreter.
    with (
        LocalCluster(n_workers=SLOTS, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):

        def work(count: int) -> tuple[list[int], float]:
            codes = client.gather(client.map(subprocess.call, [[program()]] * count, pure=False))
            return codes, time.perf_counter()

        yield work


@contextmanager
def _parsl() -> Iterator[Work]:
    import parsl
    from parsl.providers import LocalProvider

    # It finds its own programs on PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    executor = parsl.HighThroughputExecutor(
        label="htex",
        address="127.0.0.1",
        max_workers_per_node=SLOTS,
        encrypted=False,
        provider=LocalProvider(init_blocks=1, max_blocks=1),
    )
    config = parsl.Config(executors=[executor], run_dir="parsl", initialize_logging=False, strategy="none")
    with parsl.load(config):
        call: Any = parsl.python_app(subprocess.call)

        def work(count: int) -> tuple[list[int], float]:
            codes = [future.result(TIMEOUT) for future in [call([program()]) for _ in range(count)]]
            return codes, time.perf_counter()

        yield work


PEERS = {
    "hyperqueue": Peer("HyperQueue (Python API), 1 worker of 2 cores", "hyperqueue", _hyperqueue),
    "dask": Peer("Dask distributed, subprocess, 2 workers", "distributed", _dask),
    "parsl": Peer("Parsl HTEX, subprocess, 2 workers", "parsl", _parsl),
}


def measured(key: str, count: int, folder: Path) -> Measured:
    """In a new process and a new folder."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.benchmarks.peers", key, str(count)]
    # What is spawned by the peers' own machinery finds this package, wherever it runs.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with open(folder / "said", "wb") as said:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=said, env=environment, cwd=folder, timeout=TIMEOUT, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{PEERS[key].name} ended with {done.returncode}: {(folder / 'said').read_text()[-2000:]}")
    # Some of them print to stdout as they please: ours is the last line.
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Measured)


def _run(key: str, count: int) -> Measured:
    adopt_orphans()
    with PEERS[key].ready() as work:
        work(WARM_UP)
        watch, start = Stopwatch(), time.perf_counter()
        codes, end = work(count)
        cpu = watch.stop().cpu
    if codes != [0] * count:
        raise AssertionError(f"of {count} commands {sum(not code for code in codes)} of {len(codes)} succeeded")
    return Measured(end - start, cpu)


if __name__ == "__main__":  # the children that Dask spawns import this file once more
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(_run(sys.argv[1], int(sys.argv[2]))) + b"\n")
