"""Ctrl-C, and what else ends a command that computes for long: real processes, with their real signals."""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from service.cli.early_end import interruptible, tidied
from tests.service.stage import COMMAND, PATIENCE

from .small_worlds import scenario_file

#: For longer than anybody waits.
SCENARIO = """
workload: {generate: {rate: 60, duration: PT4M, for: P200D}}
world: {boot: PT90S, pricePerHour: {dedicated: 3.6}, quota: {lowPriority: 0}}
formulas: [pool.formula]
"""
FORMULA = "most = 20; $TargetDedicatedNodes = min(most, max(0, $PendingTasks.GetSample(1)));\n"
OF_SYSTEM = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def scenario(tmp_path):
    return scenario_file(tmp_path, "years.yaml", SCENARIO, pool=FORMULA)


class OnTerminal:
    """A command in a session of its own, whose output is a terminal: there it tells how far it is."""

    def __init__(self, *words):
        self.end, there = os.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, words)], stdin=there, stdout=there, stderr=there, start_new_session=True
        )
        os.close(there)
        self.told = ""

    def until(self, text):
        while text not in self.told:
            assert select.select([self.end], [], [], PATIENCE)[0], self.told
            self.told += os.read(self.end, 1 << 16).decode()

    def to_all(self, number):
        """As a terminal or `timeout` does: to every process that it has begun."""
        os.killpg(self.process.pid, number)

    def close(self):
        """The terminal hangs up."""
        os.close(self.end)
        self.end = -1

    def ended(self):
        """Its exit code; what it printed is in `told`."""
        with contextlib.suppress(OSError):  # so Linux tells that nobody is at the other end any more
            while self.end >= 0 and select.select([self.end], [], [], PATIENCE)[0]:
                self.told += os.read(self.end, 1 << 16).decode()
        return self.process.wait(PATIENCE)


def until(so):
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lives(group):
    """Is there a process of that group?"""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def on_terminal():
    begun = []

    def begin(*words):
        begun.append(OnTerminal(*words))
        return begun[-1]

    yield begin
    for each in begun:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(each.process.pid, signal.SIGKILL)
        each.process.wait()
        if each.end >= 0:
            os.close(each.end)


@pytest.mark.parametrize("number", OF_SYSTEM, ids=lambda number: number.name)
def test_simulate_reports_what_there_is_by_then(scenario, tmp_path, on_terminal, number):
    out = tmp_path / "out"
    running = on_terminal("simulate", scenario, "--out", out)
    running.until("simulating")
    running.to_all(number)
    assert running.ended() == 128 + number
    assert f"stopping: the report is of what there is by now ({number.name} once more" in running.told
    assert "stopped early: pool after" in running.told
    assert json.loads((out / "outcome.json").read_bytes())["scenario"]["stoppedAt"] > 0
    assert sorted(os.listdir(out)) == ["outcome.json", "report.html"]


def test_the_report_comes_also_if_the_terminal_hangs_up(scenario, tmp_path, on_terminal):
    out = tmp_path / "out"
    running = on_terminal("simulate", scenario, "--out", out)
    running.until("simulating")
    running.close()
    running.to_all(signal.SIGHUP)
    assert running.ended() == 128 + signal.SIGHUP
    assert sorted(os.listdir(out)) == ["outcome.json", "report.html"]


@pytest.mark.parametrize("number", OF_SYSTEM, ids=lambda number: number.name)
def test_tune_ends_with_all_its_processes(scenario, tmp_path, on_terminal, number):
    out = tmp_path / "out"
    running = on_terminal("tune", scenario, "--param", "most=10:20", "--jobs", 2, "--out", out)
    running.until("tuning")
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    until(lambda: len(children.read_text(encoding="ascii").split()) >= 3)  # two, and Python's own beside them
    running.to_all(number)
    assert running.ended() == 128 + number
    assert "nothing was found yet" in running.told and "Traceback" not in running.told
    assert os.listdir(out) == []
    until(lambda: not lives(running.process.pid))


def test_who_wants_no_hanging_up_has_none(scenario, tmp_path, on_terminal):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        running = on_terminal("simulate", scenario, "--out", tmp_path / "out")
    finally:
        signal.signal(signal.SIGHUP, before)
    running.until("simulating")
    running.to_all(signal.SIGHUP)
    running.to_all(signal.SIGTERM)
    assert running.ended() == 128 + signal.SIGTERM and "SIGHUP" not in running.told


@pytest.mark.parametrize("number", OF_SYSTEM, ids=lambda number: number.name)
def test_the_second_leaves_at_once_and_tidily(number):
    tidy = []
    with pytest.raises(SystemExit) as left, tidied():
        try:
            with interruptible("") as early:
                assert (early(), early.exit_code) == (False, 0)
                signal.raise_signal(number)
                assert (early(), early.exit_code) == (True, 128 + number)
                signal.raise_signal(number)
        finally:
            tidy.append(True)
    assert left.value.code == 128 + number and tidy
    assert signal.getsignal(number) is signal.SIG_DFL
