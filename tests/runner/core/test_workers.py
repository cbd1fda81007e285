"""The system gives no further thread (a limit of processes): nothing is lost, and nobody who asks for work meets it."""

import logging
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from pools import DestroyVm, DisconnectNode, ListVms, SystemClock
from runner import NodeEffects, VmEffects
from runner.commands import OpenNode, ReadOutputs
from runner.events import NodeDisconnected
from runner.running_outputs import RunningOutputs
from runner.workers import Workers


@pytest.fixture
def no_threads(monkeypatch):
    """Called, no thread can be had from then on."""

    def refuse(self):
        raise RuntimeError("can't start new thread")

    return lambda: monkeypatch.setattr(threading.Thread, "start", refuse)


def wait_for(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


NOTHING: Any = SimpleNamespace()


class Session:
    """That is left."""

    done = False

    def silence(self): ...
    def close(self):
        self.done = True


class Cloud:
    """That knows nothing of anybody, and is asked one thing at a time."""

    def __init__(self):
        self.asked: list[str] = []

    def __getattr__(self, name):
        def ask(*args):
            self.asked.append(name)
            return []

        return ask


def leave_a_node(no_threads):
    session: Any = Session()
    effects = NodeEffects(NOTHING, print, NOTHING, NOTHING, SystemClock())
    effects._sessions["n"] = session
    no_threads()
    effects.issue(DisconnectNode("n"))
    return effects, lambda: session.done


def reach_a_node(no_threads):
    told: list[object] = []

    def connect(command, session):
        raise OSError("nobody there")

    effects = NodeEffects(connect, told.append, NOTHING, NOTHING, SystemClock())
    no_threads()
    effects.issue(OpenNode("n", NOTHING, 1, 1, {}, 30.0, "x"))
    return effects, lambda: any(isinstance(each, NodeDisconnected) for each in told)


def ask_a_cloud(*commands):
    def begin(no_threads):
        cloud: Any = Cloud()
        told: list[object] = []
        effects = VmEffects({"x": cloud}, told.append, SystemClock())
        no_threads()
        for command in commands:
            effects.list(command) if isinstance(command, ListVms) else effects.destroy(command)
        return effects, lambda: len(told) == len(commands)

    return begin


def read_what_runs(no_threads):
    asked: list[str] = []

    def files(node_id):
        asked.append(node_id)
        return SimpleNamespace()

    reading = RunningOutputs(files, print, SystemClock())
    no_threads()
    reading.read(ReadOutputs("n", ()))
    return reading, lambda: asked == ["n"] and not reading._reading


LIST, END = ListVms("x"), DestroyVm("n", "x", "vm", "", None)


@pytest.mark.parametrize(
    "begin",
    [leave_a_node, reach_a_node, ask_a_cloud(LIST), ask_a_cloud(LIST, END), ask_a_cloud(LIST, LIST), read_what_runs],
    ids=["leave", "reach", "list", "list and end", "list twice", "read"],
)
def test_what_takes_time_is_done_all_the_same(begin, no_threads):
    effects, done = begin(no_threads)
    wait_for(done)
    effects.close()


def test_work_waits_for_those_that_there_are(no_threads, caplog):
    workers, go = Workers(8, "work"), threading.Event()
    done: list[int] = []
    no_threads()
    with caplog.at_level(logging.WARNING):
        workers.submit(go.wait, 10)
        for number in range(5):
            workers.submit(done.append, number)
    assert done == [] and [record.message for record in caplog.records] == [
        "work waits for those threads that there are (work): can't start new thread"
    ]
    go.set()
    workers.close(drop=False)
    assert done == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="after shutdown"):
        workers.submit(print)
