"""What one request meets is for who asked: the loop goes on for all others."""

import logging

import pytest

from pools import CountingIds, Deployment, PoolError, PoolSpec
from runner import (
    AddJob,
    AddPool,
    Core,
    CoreSettings,
    DeleteTask,
    EnableAutoScale,
    Engine,
    JobError,
    JournalError,
    TerminateJob,
    TerminateTask,
)
from runner.events import Tick
from runner.memory_journal import MemoryJournal
from tests.simulation.every_event import NOW

from .run import job, task


class Hand:
    def now(self):
        return NOW


class Nowhere:
    def issue(self, command): ...


class Unreadable(MemoryJournal):
    """For so many reads."""

    fails = 0

    def task(self, key):
        self.fails -= 1
        if self.fails >= 0:
            raise JournalError("database: disk I/O error")
        return super().task(key)


class Loop:
    """With a pool "p", and a job "j" whose task "a" is completed."""

    def __init__(self):
        self.journal = Unreadable()
        self.core = Core(CoreSettings(), Deployment("d", "key"), CountingIds())
        self.engine = Engine(self.core, self.journal, Nowhere(), Hand())
        pool = PoolSpec(id="p", vm_size="s", target_dedicated_nodes=0)
        for event in (AddPool(pool, "x"), job("j", task("a"), task("b")), TerminateTask("j", "a")):
            self.ask(event).result(0)
        self.journal.fails = 0

    def ask(self, *events):
        answers = [self.engine.request(event) for event in events]
        self.engine.step()
        return answers[0]

    def patch(self, event, handler):
        self.core._handlers = {**self.core._handlers, event: handler}


@pytest.fixture
def loop():
    return Loop()


def test_a_read_that_fails_is_for_who_asked(loop):
    loop.journal.fails = 1
    with pytest.raises(JobError, match=r"cannot be read at present, ask again: database: disk I/O error") as refused:
        loop.ask(DeleteTask("j", "a")).result(0)
    assert refused.value.code == "ServerBusy"
    assert ("j", "a") in loop.journal.table("tasks")
    loop.ask(DeleteTask("j", "a")).result(0)
    assert ("j", "a") not in loop.journal.table("tasks")


def test_who_waits_no_more_gets_no_answer_and_what_was_asked_for_is_done(loop):
    """A client's patience ends while the disk is full, or the server lets go of it."""
    gone, other = loop.engine.request(DeleteTask("j", "a")), loop.engine.request(DeleteTask("j", "x"))
    assert gone.cancel()
    loop.engine.step()
    assert gone.cancelled() and ("j", "a") not in loop.journal.table("tasks")
    with pytest.raises(JobError, match="'x'"):
        other.result(0)
    loop.ask(DeleteTask("j", "b")).result(0)


@pytest.mark.parametrize("interval", [1e300, -1e300, float("inf"), float("-inf"), float("nan"), 1e-300, -1.0, 0.0])
def test_an_interval_that_is_none(loop, interval):
    with pytest.raises(PoolError, match="autoScaleEvaluationInterval") as refused:
        loop.ask(EnableAutoScale("p", "$TargetDedicatedNodes = 1;", interval)).result(0)
    assert refused.value.code == "InvalidPropertyValue"


@pytest.mark.parametrize("error", [OverflowError("too large"), ZeroDivisionError("by"), ValueError("odd"), KeyError(1)])
def test_an_error_before_anything_has_changed_is_for_who_asked(loop, error, caplog):
    def fails(event, now):
        raise error

    loop.patch(TerminateJob, fails)
    with caplog.at_level(logging.ERROR), pytest.raises(JobError) as refused:
        loop.ask(TerminateJob("j")).result(0)
    assert refused.value.code == "InternalError" and str(error) in str(refused.value)
    assert caplog.records[0].exc_info[1] is error
    loop.ask(DeleteTask("j", "b")).result(0)


def of_a_job(core, now):
    core.jobs.disable("j", "wait", now)


def of_an_output(core, now):
    core.tasks.outputs.purge("task", "j")


def to_be_done(core, now):
    core.ctx.say(object())


@pytest.mark.parametrize("change", [of_a_job, of_an_output, to_be_done])
@pytest.mark.parametrize("error", [OverflowError, JobError], ids=str)
def test_half_a_change_is_never_committed(loop, change, error):
    def fails(event, now):
        change(loop.core, now)
        raise error("x", "y")

    loop.patch(TerminateJob, fails)
    before = loop.journal.commits
    with pytest.raises(error):
        loop.ask(AddJob(job("k").spec), TerminateJob("j"))
    assert loop.journal.commits == before


def test_an_error_that_nobody_asked_for_ends_the_loop(loop):
    def fails(event, now):
        raise OverflowError("x")

    loop.patch(Tick, fails)
    loop.engine.post(Tick())
    with pytest.raises(OverflowError):
        loop.engine.step()
