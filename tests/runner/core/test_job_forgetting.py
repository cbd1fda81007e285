"""Old jobs whose rows go bit by bit: nothing else gets their ids meanwhile, and no other job of that id goes."""

import pytest

from runner import DeleteJob, ForgetJob, JobForgotten

from .run import ask, job, job_of, simulation, task, tasks_of, until
from .test_job_states import WAYS, in_state

#: Of another job than the one that is there.
REQUESTS = {"forget": ForgetJob("j", 1.0), "forgotten": JobForgotten("j", 1.0)}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("state", WAYS)
def test_no_job_is_forgotten_but_the_one_that_is_meant(state, name):
    sim = in_state(state)
    before = job_of(sim)
    refusal = ask(sim, REQUESTS[name])
    assert (refusal.code if refusal is not None else None) == ("JobNotFound" if name == "forget" else None)
    assert job_of(sim) == before


@pytest.fixture
def sim():
    sim = simulation()
    assert ask(sim, job("old", task("t"), on_all_tasks_complete="terminatejob")) is None
    until(sim, lambda: job_of(sim, "old").state == "completed")
    return sim


def gone(sim):
    return job_of(sim, "old") is None and not tasks_of(sim, "old")


def test_it_goes_when_its_rows_have(sim):
    ended = job_of(sim, "old").end_time
    assert ask(sim, ForgetJob("old", ended)) is None
    assert job_of(sim, "old").state == "completed"
    assert ask(sim, job("OLD")).code == "JobExists"
    assert ask(sim, JobForgotten("old", ended)) is None
    assert gone(sim)
    assert ask(sim, job("OLD")) is None


def test_another_job_of_its_id_stays(sim):
    ended = job_of(sim, "old").end_time
    assert ask(sim, DeleteJob("old")) is None
    assert ask(sim, job("old", task("new"), on_all_tasks_complete="terminatejob")) is None
    assert ask(sim, ForgetJob("old", ended)).code == "JobNotFound"
    until(sim, lambda: job_of(sim, "old").state == "completed")
    assert ask(sim, ForgetJob("old", ended)).code == "JobNotFound"
    assert ask(sim, JobForgotten("old", ended)) is None  # told late
    assert set(tasks_of(sim, "old")) == {"new"}


def test_a_deletion_meanwhile_waits_for_the_rows(sim):
    ended = job_of(sim, "old").end_time
    assert ask(sim, ForgetJob("old", ended)) is None
    assert ask(sim, DeleteJob("old")) is None
    assert job_of(sim, "old").state == "deleting"
    assert ask(sim, job("old")).code == "JobExists"
    assert ask(sim, JobForgotten("old", ended)) is None
    assert gone(sim)


@pytest.mark.parametrize("deleted", [False, True])
def test_one_that_is_given_up_stays_as_it_is(sim, deleted):
    ended = job_of(sim, "old").end_time
    assert ask(sim, ForgetJob("old", ended)) is None
    if deleted:
        assert ask(sim, DeleteJob("old")) is None
    assert ask(sim, JobForgotten("old", ended, gone=False)) is None
    assert gone(sim) if deleted else job_of(sim, "old").state == "completed"


def test_a_restart_forgets_that_it_was_begun(sim):
    ended = job_of(sim, "old").end_time
    assert ask(sim, ForgetJob("old", ended)) is None
    assert ask(sim, DeleteJob("old")) is None
    sim.crash()
    until(sim, lambda: gone(sim))
