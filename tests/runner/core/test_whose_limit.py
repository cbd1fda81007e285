"""Why a task was ended: what came first counts, and what is said tells whose limit, or wish, it was."""

from datetime import timedelta

import pytest

from pools import NodeDeallocationOption
from runner import DisableJob, JobConstraints, ResizePool, TerminateJob, TerminateTask
from runner.events import Outcome
from runner.failure import DISK_FULL, failure_of, why_over
from runner.task_model import Ending

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until

TIMED_OUT = "the task ran longer than its maxWallClockTime"


@pytest.mark.parametrize("ending", [None, *Ending])
def test_its_own_limit_came_first(ending):
    report = Outcome("n", "x-1", 1.0, 2.0, 143, True, True, None)
    found = failure_of(report, ending, "its job was terminated")
    assert found is not None and (found.code, found.message) == ("TaskEnded", TIMED_OUT)


CUT = ("FileUploadAccessDenied", "f: http://x/f: 403")
UPLOADS = {  # (exit code, timed out, killed) -> (code, category, what is said before what the upload says)
    "it had done its work": ((0, False, False), ("FileUploadAccessDenied", "usererror", "")),
    "its command failed": ((3, False, False), ("FileUploadAccessDenied", "usererror", "the task exited with code 3")),
    "it had its time": ((143, True, False), ("TaskEnded", "usererror", TIMED_OUT)),
    "it was to end": ((143, False, True), ("TaskEnded", "usererror", "the task was ended: its job was terminated")),
}


@pytest.mark.parametrize("case", UPLOADS.values(), ids=UPLOADS)
def test_what_came_before_a_failed_upload(case):
    (exit_code, timed_out, killed), (code, category, said) = case
    report = Outcome("n", "x-1", 1.0, 2.0, exit_code, killed, timed_out, CUT)
    found = failure_of(report, Ending.TERMINATE if killed else None, "its job was terminated")
    assert found is not None
    said = f"{said}; not all of its output files were uploaded: {CUT[1]}" if said else CUT[1]
    assert (found.code, found.category, found.message) == (code, category, said)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("error", "told"),
    [(None, True), (("CommandProgramNotFound", "no x"), True), (CUT, True), (("DiskFull", "no room"), False)],
)
def test_a_full_disk_is_told(full, error, told):
    found = failure_of(Outcome("n", "x-1", 1.0, 2.0, 1, error=error, disk_full=full), None)
    assert found is not None
    assert found.message.endswith("; " + DISK_FULL) == (full and told)


def ended(asked, **changes):
    sim = simulation({"t": [(1000.0, 0)]})
    ask(sim, job("j", task("t"), **changes))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    assert asked is None or ask(sim, asked) is None
    (done,) = completed(sim, "t")
    assert (done.failure.code, done.failure.category) == ("TaskEnded", "usererror")
    return done.failure.message.removeprefix("the task was ended")


LIMIT = {"constraints": JobConstraints(max_wall_clock_time=timedelta(seconds=60))}
CASES = {
    "its job's limit": (None, LIMIT, ": its job ran longer than the job's maxWallClockTime"),
    "its job": (TerminateJob("j"), {}, ": its job was terminated"),
    "its job, with a reason": (TerminateJob("j", "Enough"), {}, ": its job was terminated (Enough)"),
    "its job is disabled": (DisableJob("j", "terminate"), {}, ": its job was disabled"),
    "somebody": (TerminateTask("j", "t"), {}, " on request"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_told(case):
    asked, changes, told = case
    assert ended(asked, **changes) == told


def test_a_node_that_leaves_is_told():
    option = NodeDeallocationOption.TERMINATE
    assert ": " in ended(ResizePool("p", 0, 0, option))


def test_who_asked_first_is_told():
    sim = simulation({"t": [(1000.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    first, second = sim.request(TerminateTask("j", "t")), sim.request(TerminateJob("j"))
    until(sim, lambda: first.answered and second.answered)
    assert completed(sim, "t")[0].failure.message.endswith("on request")


def test_a_job_that_is_deleted():
    sim = simulation()
    ask(sim, job("j", task("t")))
    assert why_over(job_of(sim)) == "its job is being deleted"
