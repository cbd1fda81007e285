"""Trials in this process and in others beside it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.lab.arrivals import Arranged, arrivals_of
from service.lab.scenario import World
from service.lab.tuning.measuring import Part
from service.lab.tuning.trying import trying

FORMULAS = [f"$TargetDedicatedNodes = {count};" for count in (1, 2, 4, 3)]


def part(step: int) -> Part:
    """An hour of tasks of two minutes, one every so many seconds."""
    times = [float(at) for at in range(0, 3600, step)]
    return Part(Arranged(arrivals_of(times, [120.0] * len(times), [1] * len(times)), 0.0), 1)


PARTS = {"search": part(60), "check": part(90)}


def never() -> bool:
    return False


def test_the_same_comes_out_of_any_number_of_processes():
    found = []
    for jobs in (1, 2):
        with trying(World(), PARTS, jobs, never) as at:
            found.append([dict(at.each(name, FORMULAS)) for name in PARTS])
    assert found[0] == found[1]
    searched, checked = found[0]
    assert sorted(searched) == sorted(checked) == [0, 1, 2, 3]
    assert searched[0].wait.p95 > searched[1].wait.p95 > searched[2].wait.p95 >= 0
    assert [each.peak_nodes for _, each in sorted(searched.items())] == [1, 2, 4, 3]
    assert searched != checked


@pytest.mark.parametrize("jobs", [1, 2])
def test_who_wants_it_to_stop_gets_what_was_done(jobs):
    done: list[int] = []
    with trying(World(), PARTS, jobs, lambda: bool(done)) as at:
        for number, _ in at.each("search", FORMULAS * 10):
            done.append(number)
    assert 1 <= len(done) <= 3


KILLED = """
import sys
from tests.service.lab.tuning.test_trying import PARTS, FORMULAS, never
from service.lab.scenario import World
from service.lab.tuning.trying import trying

if __name__ == "__main__":
    with trying(World(), PARTS, 2, never) as at:
        for number, _ in at.each("search", FORMULAS * 10000):
            print(number, flush=True)
"""


def test_processes_end_with_one_that_is_killed(tmp_path):
    root = Path(__file__).resolve().parents[4]
    (tmp_path / "killed.py").write_text(KILLED, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, tmp_path / "killed.py"], env=environment, stdout=subprocess.PIPE, cwd=root
    ) as process:
        assert process.stdout is not None and process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        assert len(children) >= 2
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline, "a process runs on without its parent"
        time.sleep(0.05)
