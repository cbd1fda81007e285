"""What maxTaskRetryCount counts for: exit codes of the command, and nothing else; one table, as in docs/tasks.md."""

from typing import Any

import pytest

from pools import StartTask
from runner import TaskConstraints
from runner.events import Outcome
from runner.execution_ids import present_id, start_task_id

from .prepared import prepared_job, record_of
from .run import ask, job, simulation, task, tasks_of, until

#: How an execution ended: what is reported of it, and whether retries are for that.
ENDINGS: dict[str, tuple[dict[str, Any], bool]] = {
    "another exit code than 0": ({"exit_code": 3}, True),
    "by a signal that nobody of us sent": ({"exit_code": 137}, True),
    "its coordination command failed": ({"exit_code": 3, "error": ("CoordinationCommandFailed", "")}, True),
    "and its upload failed too": ({"exit_code": 3, "error": ("FileUploadMiscError", "")}, True),
    "its upload failed": ({"exit_code": 0, "error": ("FileUploadMiscError", "")}, False),
    "its time was over": ({"exit_code": 143, "timed_out": True}, False),
    "its time was over, and it made the best of it": ({"exit_code": 0, "timed_out": True}, False),
    "its time was over, and nothing helped": ({"exit_code": 137, "timed_out": True}, False),
    "its time was over while its files were fetched": ({"exit_code": None, "timed_out": True}, False),
    "its time was over, and its upload failed too": (
        {"exit_code": 143, "timed_out": True, "error": ("FileUploadMiscError", "")},
        False,
    ),
    "no such program": ({"exit_code": None, "error": ("CommandProgramNotFound", "")}, False),
    "no such user": ({"exit_code": None, "error": ("UserIdentityUnavailable", "")}, False),
    "no such file": ({"exit_code": None, "error": ("BlobNotFound", "")}, False),
    "its store did not answer": ({"exit_code": None, "error": ("BlobDownloadTimedOut", "")}, False),
    "a package is missing": ({"exit_code": None, "error": ("ApplicationPackageError", "")}, False),
    "the disk is full": ({"exit_code": None, "error": ("DiskFull", "")}, False),
}
LIMITED = {case for case in ENDINGS if "time" in case}
UPLOADS = {case for case in ENDINGS if "upload" in case}


def running(limit):
    sim = simulation({"t": [(600.0, 0)]})
    assert ask(sim, job("j", task("t", constraints=TaskConstraints(max_task_retry_count=limit)))) is None
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    return sim


def report(sim, record, **told):
    now = sim.now
    outcome = Outcome(record.node_id, record.execution_id, start_time=now, end_time=now, **told)
    sim.core.tasks.outcome(outcome, now)
    return sim.core.tasks.tasks[record.key]


@pytest.mark.parametrize("limit", [0, 1, -1])
@pytest.mark.parametrize("case", ENDINGS)
def test_of_tasks(case, limit):
    told, counts = ENDINGS[case]
    sim = running(limit)
    record = report(sim, tasks_of(sim)["t"], **told)
    again = counts and limit != 0
    assert (record.state, record.retry_count) == (("active", 1) if again else ("completed", 0))
    assert record.failure is not None and record.result == (None if again else "failure")
    if told.get("timed_out"):
        assert record.failure.code == "TaskEnded"


def test_what_is_to_be_terminated_is_not_tried_again():
    """Also if it has failed by itself before it heard of that."""
    sim = running(-1)
    sim.core.tasks.terminate(tasks_of(sim)["t"], sim.now)
    assert report(sim, tasks_of(sim)["t"], exit_code=3).state == "completed"


@pytest.mark.parametrize("case", sorted(ENDINGS.keys() - UPLOADS))
def test_of_preparation_tasks(case):
    told, counts = ENDINGS[case]
    sim = simulation({"jobpreparation": [(600.0, 0)]})
    assert ask(sim, prepared_job("j", task("t"), retries=-1)) is None
    until(sim, lambda: (record := record_of(sim)) and record.preparation.start_time is not None)
    record = record_of(sim)
    outcome = Outcome(record.node_id, present_id(record) or "", start_time=sim.now, end_time=sim.now, **told)
    sim.core.job_nodes.outcome(outcome, sim.now)
    found = sim.core.job_nodes.records[record.key].preparation
    assert (found.state, found.retry_count) == (("running", 1) if counts else ("completed", 0))


@pytest.mark.parametrize("case", sorted(ENDINGS.keys() - UPLOADS - LIMITED - {"its coordination command failed"}))
def test_of_start_tasks(case):
    told, counts = ENDINGS[case]
    sim = simulation(
        {"start task": [(600.0, 0)]}, start_task=StartTask(command_line="prepare", max_task_retry_count=-1)
    )
    nodes = sim.journal.table("nodes")
    until(sim, lambda: any(node.start_task_attempt == 1 for node in nodes.values()))
    (node,) = nodes.values()
    outcome = Outcome(node.id, start_task_id(node.id, 1), start_time=sim.now, end_time=sim.now, **told)
    assert ask(sim, outcome) is None
    until(sim, lambda: nodes[node.id].start_task.state == "completed" or nodes[node.id].start_task.retry_count)
    assert nodes[node.id].start_task.retry_count == counts
    assert counts or nodes[node.id].state == "starttaskfailed"
