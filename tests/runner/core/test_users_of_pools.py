"""Who asks to run as a user that the job's pool does not have is refused at the request."""

import pytest

from pools import PoolSpec, UserAccount, UserIdentity
from runner import (
    AddJobSchedule,
    AddPool,
    AddTasks,
    DisableJob,
    JobManagerTask,
    JobPreparationTask,
    JobReleaseTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    ReplaceJob,
    Schedule,
)

from .run import POOL, ask, job, simulation, task

RIGHT, WRONG = UserIdentity(user_name="ann"), UserIdentity(user_name="bob")
ACCOUNTS = (UserAccount(name="ann", password="x"),)


def manager(identity):
    return JobManagerTask(id="m", command_line="x", user_identity=identity)


def schedule(identity):
    specification = JobSpecification(pool_info=POOL, job_manager_task=manager(identity))
    return AddJobSchedule(JobScheduleSpec(id="s", schedule=Schedule(), job_specification=specification))


def preparing(prepare, release):
    own = {"job_preparation_task": JobPreparationTask(command_line="x", user_identity=prepare)}
    return job("k", job_release_task=JobReleaseTask(command_line="x", user_identity=release), **own)


REQUESTS = {
    "a task of a new job": lambda identity: job("k", task("t", user_identity=identity)),
    "a new task": lambda identity: AddTasks("j", (task("t", user_identity=identity),)),
    "a job manager task": lambda identity: job("k", job_manager_task=manager(identity)),
    "a preparation task": lambda identity: preparing(identity, RIGHT),
    "a release task": lambda identity: preparing(RIGHT, identity),
    "a schedule": schedule,
}


@pytest.mark.parametrize("case", REQUESTS)
def test_a_user_that_is_not_there(case):
    sim = simulation(user_accounts=ACCOUNTS)
    assert ask(sim, job("j")) is None
    refused = ask(sim, REQUESTS[case](WRONG))
    assert refused.code == "InvalidPropertyValue"
    assert "userIdentity" in str(refused) and "'bob'" in str(refused) and "its userAccounts are: ann" in str(refused)
    assert ask(sim, REQUESTS[case](RIGHT)) is None


def test_a_job_that_moves_to_another_pool():
    sim = simulation(user_accounts=ACCOUNTS)
    assert ask(sim, AddPool(PoolSpec(id="without", vm_size="simulated.small"), "simulated", "simulated")) is None
    assert ask(sim, preparing(RIGHT, RIGHT)) is None
    assert ask(sim, DisableJob("k", "requeue")) is None
    moved = ReplaceJob(JobSpec(id="k", pool_info=PoolInfo(pool_id="without")), frozenset(("pool_info",)))
    refused = ask(sim, moved)
    assert refused.code == "InvalidPropertyValue" and "its userAccounts are: none" in str(refused)
