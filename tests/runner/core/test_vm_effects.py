"""Calls of the clouds: in order for each VM, and none that hangs holds up the end of a VM for long."""

import logging
import threading
import time

import pytest

from pools import DestroyVm, ListVms, ReadConsole, SystemClock
from runner import VmEffects, vm_effects
from runner.events import ConsoleRead, VmDestroyed, VmsListed


class Cloud:
    def __init__(self):
        self.calls: list[tuple[object, ...]] = []
        self.answer = threading.Event()
        self.text: str | Exception | None = "boot log"
        self.hangs = False

    def console(self, name):
        self.calls.append(("console", name))
        if self.hangs:
            self.answer.wait(60)
        if isinstance(self.text, Exception):
            raise self.text
        return self.text

    def destroy(self, name, provider_id=None):
        self.calls.append(("destroy", name, provider_id))

    def list_owned(self):
        self.calls.append(("list",))
        return []

    def sweep(self, dry=False):
        self.calls.append(("sweep", dry))
        raise OSError("in use")


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
def world(cloud):
    posted: list[object] = []
    effects = VmEffects({"p": cloud}, posted.append, SystemClock())
    yield effects, posted
    cloud.answer.set()
    effects.close()


def wait_for(posted, count):
    deadline = time.monotonic() + 10
    while len(posted) < count:
        assert time.monotonic() < deadline, posted
        time.sleep(0.005)


@pytest.mark.parametrize(("text", "kept"), [("boot log", "boot log"), (None, ""), (OSError("gone"), "")])
def test_the_console_is_read_before_the_vm_goes(cloud, world, text, kept):
    effects, posted = world
    cloud.text = text
    effects.console(ReadConsole("n", "p", "vm"))
    effects.destroy(DestroyVm("n", "p", "vm", "failed", "i-1"))
    wait_for(posted, 2)
    assert posted == [ConsoleRead("n", kept), VmDestroyed("n", "vm")]
    assert cloud.calls == [("console", "vm"), ("destroy", "vm", "i-1")]


def test_a_console_that_hangs_is_not_waited_for(cloud, world, monkeypatch):
    monkeypatch.setattr(vm_effects, "CONSOLE_WAIT", 0.05)
    effects, posted = world
    cloud.hangs = True
    for number in range(8):  # more than there are threads for them
        effects.console(ReadConsole(f"n{number}", "p", f"vm{number}"))
        effects.destroy(DestroyVm(f"n{number}", "p", f"vm{number}", "failed"))
    wait_for(posted, 16)
    assert sum(isinstance(event, VmDestroyed) for event in posted) == 8


def test_an_orphan_that_is_listed_again_and_again_is_asked_for_once_at_a_time(cloud, world):
    effects, posted = world
    cloud.hangs = True
    effects.console(ReadConsole("n", "p", "vm"))  # something about it is under way, and takes its time
    for _ in range(3):
        effects.destroy(DestroyVm(None, "p", "vm", "orphan"))
    effects.destroy(DestroyVm("n", "p", "vm", "leaving"))
    cloud.answer.set()
    wait_for(posted, 2)
    assert cloud.calls == [("console", "vm"), ("destroy", "vm", None)]


def test_an_orphan_that_was_destroyed_is_told_of(cloud, world, caplog):
    effects, posted = world
    with caplog.at_level(logging.WARNING):
        effects.destroy(DestroyVm(None, "p", "vm", "orphan: it has had no record for 60 s", "i-7"))
        effects.destroy(DestroyVm("n", "p", "other", "leaving"))
        wait_for(posted, 1)
        deadline = time.monotonic() + 10
        while not caplog.messages and time.monotonic() < deadline:
            time.sleep(0.005)
    assert caplog.messages == ["provider p: VM vm was destroyed: orphan: it has had no record for 60 s"]
    assert ("destroy", "vm", "i-7") in cloud.calls


def test_after_a_list_what_nobody_needs_is_removed_and_an_error_there_changes_nothing(cloud, world):
    effects, posted = world
    effects.list(ListVms("p"))
    wait_for(posted, 1)
    effects.close()
    assert [type(event) for event in posted] == [VmsListed]
    assert cloud.calls == [("list",), ("sweep", False)]
