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
    ReactivateTask,
    Schedule,
    TerminateJob,
    TerminateTask,
)
from runner.task_spec import ExitCodeMapping, ExitConditions, ExitOptions

from .run import POOL, ask, completed, forget, job, job_of, simulation, task, tasks_of, until
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


def together(sim, *events):
    """Asks for all of it in one batch. Returns the codes of refusals, or None for each."""
    commits, requests = sim.journal.commits, [sim.request(event) for event in events]
    until(sim, lambda: all(request.answered for request in requests))
    assert sim.journal.commits == commits + 1
    return [getattr(request.refused, "code", None) for request in requests]


@pytest.mark.parametrize("ended", ["before", "now"])
@pytest.mark.parametrize("question", [DeleteTask, ReactivateTask])
def test_no_task_of_a_job_that_has_just_gone_is_found_in_the_next(ended, question):
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j", task("before"), task("now")))
    assert ask(sim, TerminateTask("j", "before")) is None
    again = TerminateTask("j", ended), DeleteJob("j"), job("j", task("new")), question("j", ended)
    assert together(sim, *again)[1:] == [None, None, "TaskNotFound"]
    assert (list(tasks_of(sim)), sim.core.counts("p")) == (["new"], TaskCounts())
    begin_again(sim)
    assert sim.core.counts("p") == TaskCounts()


def test_the_end_of_a_job_manager_does_not_end_the_next_job():
    sim = simulation(target_dedicated_nodes=0)
    managed = job("j", job_manager_task=JobManagerTask(id="manager", command_line="work"))
    ask(sim, managed)
    assert together(sim, TerminateTask("j", "manager"), DeleteJob("j"), managed) == [None] * 3
    assert (job_of(sim).state, job_of(sim).terminate_reason) == ("active", None)


@pytest.mark.parametrize("action", ["terminate", "disable"])
def test_what_the_end_of_a_task_asks_for_is_not_done_to_the_next_job(action):
    sim = simulation({"t": [(5.0, 3)], "u": [(60.0, 0)]})
    options = ExitConditions(exit_codes=(ExitCodeMapping(code=3, exit_options=ExitOptions(job_action=action)),))
    ask(sim, job("j", task("t", exit_conditions=options), on_task_failure="performexitoptionsjobaction"))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    asleep = sim.now
    sim.sleep(60.0)
    sim.at(asleep + 30.0, lambda now: None)
    until(sim, lambda: sim.now == asleep + 30.0)  # of the outcome the controller has not heard
    assert together(sim, DeleteJob("j"), job("j", task("u"))) == [None] * 2
    assert (job_of(sim).state, job_of(sim).created) == ("active", asleep + 60.0)
