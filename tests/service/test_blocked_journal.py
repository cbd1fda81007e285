"""Housekeeping while the disk is full and the journal cannot be written, and thereafter."""

import logging
import os
import threading
import time

import pytest
from msgspec.structs import replace

from runner import DeleteJob, DisableJob, JournalError, engine
from runner.events import Outcome
from runner.states import TaskState
from service import housekeeping
from service.api import backend
from service.controller import Controller
from service.controller_socket import client
from service.settings import Settings
from tests.runner.agent.node import wait_until
from tests.runner.store.records import put

from .offline import Offline
from .test_gc import job

FULL = "database or disk is full"


class Working:
    """A controller at work, whose journal can be blocked."""

    def __init__(self, offline):
        self.offline = offline
        self.full = False
        #: the jobs with whose change the disk becomes full
        self.fills: set[str] = set()
        offline.journal.close()
        self._lock = offline.directory.lock()

    def __enter__(self):
        self._lock.__enter__()
        self.controller = Controller(self.offline.directory, Settings())
        commit = self.controller.journal.commit

        def written(changes):
            self.full = self.full or not self.fills.isdisjoint(changes.by_table.get("jobs", ()))
            if self.full:
                raise JournalError(FULL)
            commit(changes)

        self.controller.journal.commit = written  # type: ignore[method-assign]
        self._thread = threading.Thread(target=lambda: self.controller.engine.run(lambda: False))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.full = False
        self.controller.engine.stop()
        self._thread.join(10)
        self.controller.close()
        self._lock.__exit__(None, None, None)

    def block(self, event=None):
        """Until `full` is False again; `event` waits for its commit."""
        self.full = True
        self.controller.engine.post(event or DisableJob("j", "wait"))
        wait_until(lambda: self.controller.engine.blocked)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "JOURNAL_RETRY", 0.05)
    return Offline(tmp_path / "state")


def test_an_output_whose_record_waits_for_the_disk_stays(offline):
    """`ebbtide gc` is asked to make room, more than an hour later."""
    running = offline.journal.task(("j", "a"))
    running = replace(running, state=TaskState.RUNNING, attempt=1, node_id="n1", start_time=1.0)
    offline.journal.commit([put(running)])
    with Working(offline) as work:
        controller, key = work.controller, running.execution_id
        output = controller.outputs.keep(key, "stdout", 100_000, lambda at, length, into: into.write(b"x" * length))
        work.block(Outcome("n1", key, 1.0, 2.0, 0, False, False, None, (output,)))
        path, stray = offline.directory.outputs / output.file, offline.directory.outputs / "u-1.stdout"
        stray.write_bytes(b"x")
        for each in (path, stray):
            os.utime(each, (time.time() - 3700.0,) * 2)
        with client(offline.directory.path) as asking:
            gone = asking.post("/gc").json()["outputs"]
        assert [each["path"] for each in gone] == [str(stray)]
        work.full = False
        wait_until(lambda: controller.journal.task(("j", "a")).state is TaskState.COMPLETED)
        recorded = controller.journal.output("task", "j", "a", "stdout")
        assert b"".join(controller.outputs.read(recorded)) == b"x" * 100_000
        wait_until(lambda: not controller.outputs.awaits_record(output.file))


def test_a_job_that_was_let_go_too_late_can_be_deleted(offline, monkeypatch, caplog):
    monkeypatch.setattr(housekeeping, "_PATIENCE", 0.2)
    caplog.set_level(logging.WARNING, housekeeping.__name__)
    offline.journal.commit([put(job("old", ended=100.0))])
    with Working(offline) as work:
        work.block()
        work.controller.housekeeping.begin(work.controller.now())
        told = wait_until(lambda: [each for each in caplog.records if each.name == housekeeping.__name__])
        work.full = False
        work.controller.engine.request(DeleteJob("old")).result(10)
        wait_until(lambda: work.controller.journal.job("old") is None)
    assert FULL in told[0].getMessage(), "it says why"


def test_a_round_that_fails_does_not_keep_the_nodes_from_being_tidied(offline, monkeypatch):
    tidied = threading.Event()

    def unreadable():
        raise JournalError(FULL)

    monkeypatch.setattr(housekeeping, "tidy_nodes", lambda *_: tidied.set())
    with Working(offline) as work:
        monkeypatch.setattr(work.controller.journal, "output_files", unreadable)
        work.controller.housekeeping.begin(work.controller.now())
        assert tidied.wait(10)


def test_the_server_outlives_a_request_that_waited_too_long(offline, monkeypatch):
    """Its client is told soon to look, and ask again; when the disk has room, what it asked for is there."""
    monkeypatch.setattr(backend, "_LOOK", 0.1)
    offline.journal.commit([put(job("k"))])
    with Working(offline) as work, client(offline.directory.path) as asking:
        work.fills = {"k"}  # what the controller does of itself finds room so long
        refused = asking.patch("/jobs/k", json={"priority": 7})
        assert (refused.status_code, refused.json()["code"]) == (503, "OperationTimedOut")
        assert FULL in refused.json()["message"]["value"]
        # by now the server knows: nobody else waits
        refused = asking.patch("/jobs/k", json={"priority": 9})
        assert (refused.status_code, refused.json()["code"]) == (503, "ServerBusy")
        assert FULL in refused.json()["message"]["value"]
        work.fills, work.full = set(), False
        wait_until(lambda: asking.get("/jobs/k").json()["priority"] == 7)
        assert asking.patch("/jobs/k", json={"priority": 8}).status_code == 200
