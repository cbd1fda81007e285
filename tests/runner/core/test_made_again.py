"""What is made under the id of something that has gone begins anew: nothing of the other is counted for it, and a
restart makes no difference to that."""

from datetime import timedelta

import pytest

from pools import PoolSpec, TaskCounts
from runner import (
    AddJobSchedule,
    AddPool,
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DeleteTask,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    Schedule,
    TerminateJob,
)

from .run import POOL, ask, completed, forget, job, job_of, task, tasks_of, until
from .test_budgets import budget, error, world


def deleted(sim, job_id="j"):
    assert ask(sim, DeleteJob(job_id)) is None


def forgotten(sim, job_id="j"):
    assert ask(sim, TerminateJob(job_id)) is None
    until(sim, lambda: job_of(sim, job_id).state == "completed")
    forget(sim, job_id)


def begin_again(sim):
    sim.crash()
    until(sim, lambda: sim.core is not None)


@pytest.fixture(params=[False, True], ids=["the same controller", "the next controller"])
def later(request):
    """Called between the end of the one and the beginning of the other."""
    return begin_again if request.param else lambda sim: None


@pytest.mark.parametrize("go", [deleted, forgotten])
@pytest.mark.parametrize("action", ["stop", "drain"])
def test_a_job_has_spent_nothing(action, go, later):
    sim = world({"a": [(30.0, 0)], "b": [(20.0, 0)]})
    ask(sim, job("j", task("a"), metadata=budget(35.0)))
    completed(sim, "a")
    go(sim)
    until(sim, lambda: job_of(sim) is None)
    later(sim)
    assert ask(sim, job("j", task("b"), metadata=budget(40.0, action))) is None
    (b,) = completed(sim, "b")
    assert (b.result, b.cost) == ("success", pytest.approx(20.0))
    assert (job_of(sim).state, error(sim)) == ("active", None)


def test_a_job_whose_deleted_tasks_had_spent_has_spent_nothing(later):
    sim = world({"a": [(30.0, 0)], "b": [(20.0, 0)]})
    ask(sim, job("j", task("a"), metadata=budget(35.0)))
    completed(sim, "a")
    assert ask(sim, DeleteTask("j", "a")) is None
    deleted(sim)
    until(sim, lambda: job_of(sim) is None)
    later(sim)
    assert ask(sim, job("j", task("b"), metadata=budget(40.0))) is None
    completed(sim, "b")
    assert error(sim) is None


def test_the_jobs_of_a_schedule_have_spent_nothing(later):
    sim = world({"manager": [(20.0, 0)]})
    manager = JobManagerTask(id="manager", command_line="work")
    specification = JobSpecification(pool_info=POOL, job_manager_task=manager, metadata=budget(25.0, "drain"))
    schedule = JobScheduleSpec(
        id="s", schedule=Schedule(recurrence_interval=timedelta(hours=1)), job_specification=specification
    )
    for _ in range(2):
        assert ask(sim, AddJobSchedule(schedule)) is None
        until(sim, lambda: job_of(sim, "s:job-1") and job_of(sim, "s:job-1").state == "completed")
        assert job_of(sim, "s:job-1").terminate_reason == "JMComplete"
        assert ask(sim, DeleteJobSchedule("s")) is None
        until(sim, lambda: not sim.journal.table("job_schedules") and not sim.journal.table("jobs"))
        later(sim)



@pytest.mark.parametrize("go", [deleted, forgotten])
def test_the_tasks_of_a_job_that_has_gone_are_not_counted(go, later):
    sim = world({"a": [(1.0, 0)], "b": [(1.0, 1)]})
    ask(sim, job("j", task("a"), task("b")))
    ask(sim, job("k", task("a")))
    completed(sim, "a", "b")
    completed(sim, "a", job_id="k")
    assert sim.core.counts("p") == TaskCounts(succeeded=2, failed=1)
    go(sim)
    until(sim, lambda: job_of(sim) is None)
    later(sim)
    assert sim.core.counts("p") == TaskCounts(succeeded=1)


def test_a_pool_has_had_no_tasks(later):
    sim = world({"a": [(1.0, 0)], "b": [(1.0, 1)], "c": [(1e4, 0)]})
    ask(sim, job("j", task("a"), task("b"), task("c")))
    completed(sim, "a", "b")
    deleted(sim)
    assert ask(sim, DeletePool("p")) is None
    until(sim, lambda: not sim.journal.table("pools") and not tasks_of(sim))
    spec = PoolSpec(id="p", vm_size="simulated.small", target_dedicated_nodes=1)
    assert ask(sim, AddPool(spec, "simulated", "simulated")) is None
    later(sim)
    assert sim.core.counts("p") == TaskCounts()


def test_a_pool_has_no_samples_of_the_one_before(later):
    """They are kept, for whoever wants to look at what that one did."""
    sim = world()
    sim.run(lambda: False, sim.now + 600.0)
    assert ask(sim, DeletePool("p")) is None
    until(sim, lambda: not sim.journal.table("pools"))
    taken = len(sim.journal.table("samples"))
    assert taken > 5
    spec = PoolSpec(id="p", vm_size="simulated.small", target_dedicated_nodes=1)
    assert ask(sim, AddPool(spec, "simulated", "simulated")) is None
    later(sim)
    pool, core = sim.journal.table("pools")["p"], sim.core
    visible = core.pools.histories.of("p").visible(sim.now + 60.0)
    assert [time for time in visible["$FailedTasks"].times if time < pool.created] == []
    assert len(sim.journal.table("samples")) >= taken
