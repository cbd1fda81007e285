"""What jobs cost, and what they may cost, end to end through the core."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pools import MetadataItem, PoolSettings, StartTask
from runner import (
    AddJobSchedule,
    CoreSettings,
    JobConstraints,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    ResizePool,
    Schedule,
    UpdateJob,
    UpdateJobSchedule,
)

from .run import POOL, ask, completed, job, job_of, node_of, simulation, task, tasks_of, until

#: A node costs 1 per second.
SETTINGS = CoreSettings(
    pools=PoolSettings(prices={"simulated.small": (3600.0, 3600.0)}, vm_poll_interval=5.0),
    minimum_recurrence_interval=1.0,
)


def budget(amount, action="stop"):
    return (MetadataItem(name="budget", value=str(amount)), MetadataItem(name="budgetAction", value=action))


def world(plans=None, settings=SETTINGS, **pool):
    return simulation(plans, settings=settings, **pool)


def cost(sim, job_id="j"):
    return sum(one.cost for one in tasks_of(sim, job_id).values())


# -- what they cost ----------------------------------------------------------------------------------------------


def test_an_execution_costs_its_share_of_its_node():
    sim = world({"a": [(10.0, 0)], "b": [(20.0, 0)]}, task_slots_per_node=4)
    ask(sim, job("j", task("a"), task("b", required_slots=2)))
    a, b = completed(sim, "a", "b")
    assert (a.cost, b.cost) == (pytest.approx(2.5), pytest.approx(10.0))
    assert (a.unpriced_seconds, b.unpriced_seconds) == (0.0, 0.0)


def test_a_job_manager_that_runs_alone_costs_the_whole_node():
    sim = world({"manager": [(10.0, 0)]}, task_slots_per_node=4)
    ask(sim, job("j", job_manager_task=JobManagerTask(id="manager", command_line="work")))
    (manager,) = completed(sim, "manager")
    assert manager.cost == pytest.approx(10.0)


def test_what_was_tried_again_was_paid_too():
    sim = world({"a": [(10.0, 1), (5.0, 1), (1.0, 0)]})
    ask(sim, job("j", task("a"), constraints=JobConstraints(max_task_retry_count=3)))
    (a,) = completed(sim, "a")
    assert (a.retry_count, a.cost) == (2, pytest.approx(16.0))


def test_what_a_preempted_node_had_done_was_paid_too():
    sim = world({"a": [(100.0, 0)]}, target_dedicated_nodes=0, target_low_priority_nodes=1)
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    started = tasks_of(sim)["a"].start_time
    sim.run(lambda: False, started + 40.0)
    gone, vm = sim.now, node_of(sim).vm_name
    sim.world.preempt(vm)
    (a,) = completed(sim, "a")
    assert a.requeue_count == 1
    assert gone - started <= a.cost - 100.0 <= gone - started + 6.0, "until the next look at the cloud"


def test_what_has_no_price_is_told_apart():
    sim = simulation({"a": [(10.0, 0)]})
    sim.world.cloud._price = lambda spec: None
    ask(sim, job("j", task("a")))
    (a,) = completed(sim, "a")
    assert (a.cost, a.unpriced_seconds) == (0.0, pytest.approx(10.0))


def test_jobs_and_idle_time_make_up_the_pool():
    sim = world({"a": [(30.0, 0)]}, start_task=StartTask(command_line="prepare"))
    ask(sim, job("j", task("a")))
    (a,) = completed(sim, "a")
    born, node_id = node_of(sim).vm.created, node_of(sim).id
    ask(sim, ResizePool("p", 0, 0))
    until(sim, lambda: node_id not in sim.journal.table("nodes"))
    usage = sim.journal.table("pools")["p"].usage
    assert usage.cost == pytest.approx(sim.now - born, abs=0.01) == usage.dedicated_seconds
    assert a.cost == pytest.approx(30.0)
    assert usage.cost - a.cost > 20.0, "boot and start task"


# -- what they may cost ------------------------------------------------------------------------------------------


def many(count, seconds=10.0):
    names = [f"t{i}" for i in range(count)]
    return {name: [(seconds, 0)] for name in names}, tuple(task(name) for name in names)


def states(sim, job_id="j"):
    found = [str(one.state) for one in tasks_of(sim, job_id).values()]
    return {state: found.count(state) for state in set(found)}


def error(sim, job_id="j"):
    found = job_of(sim, job_id).scheduling_error
    return found.code if found is not None else None


def test_a_budget_stops_a_job_when_it_is_used_up():
    plans, tasks = many(10)
    sim = world(plans)
    ask(sim, job("j", *tasks, metadata=budget(35)))
    until(sim, lambda: error(sim) == "BudgetWarning")
    assert cost(sim) <= 28.0 + 1.0, "the running one counts"
    until(sim, lambda: error(sim) == "BudgetReached")
    (running,) = (one for one in tasks_of(sim).values() if one.state == "running")
    assert sim.now - running.start_time == pytest.approx(35.0 - cost(sim), abs=0.1), "at the moment, by no poll"
    message = job_of(sim).scheduling_error.message
    assert "the job's budget of 35 is used up: no further task is started" in message
    sim.run(lambda: False, sim.now + 1000.0)
    assert states(sim) == {"completed": 4, "active": 6}
    assert (job_of(sim).state, job_of(sim).held) == ("active", True)
    assert sim.core.counts("p").active == 0, "no formula makes nodes for them"
    assert not sim.core.has_work("p")
    assert not sim.core.unfinished(), "nothing goes on by itself"


def test_a_higher_budget_lets_it_go_on():
    plans, tasks = many(10)
    sim = world(plans)
    asked = job("j", *tasks, metadata=budget(35))
    ask(sim, asked)
    until(sim, lambda: error(sim) == "BudgetReached")
    sim.crash()
    sim.run(lambda: sim.core is not None, sim.now + 60.0)
    sim.run(lambda: False, sim.now + 100.0)
    assert not sim.core.unfinished(), "a new controller knows"
    assert ask(sim, UpdateJob(replace(asked.spec, metadata=budget(500)))) is None
    until(sim, lambda: states(sim) == {"completed": 10})
    assert (error(sim), job_of(sim).held) == (None, False)
    assert cost(sim) == pytest.approx(100.0)


def test_drain_terminates_the_job():
    plans, tasks = many(10)
    sim = world(plans)
    ask(sim, job("j", *tasks, metadata=budget(35, "drain")))
    until(sim, lambda: job_of(sim).state == "completed")
    assert job_of(sim).terminate_reason == "BudgetReached"
    found = tasks_of(sim).values()
    assert sorted(one.failure.code for one in found if one.result == "failure") == ["TaskEnded"]
    assert cost(sim) == pytest.approx(35.0, abs=1.0)


def test_warn_only_warns():
    plans, tasks = many(5)
    sim = world(plans)
    ask(sim, job("j", *tasks, metadata=budget(12, "warn")))
    until(sim, lambda: states(sim) == {"completed": 5})
    assert (error(sim), job_of(sim).held) == ("BudgetReached", False)
    assert "nothing follows" in job_of(sim).scheduling_error.message


def test_a_job_that_is_stopped_stands_in_nobodys_way():
    plans, tasks = many(4)
    sim = world({**plans, "other": [(10.0, 0)]})
    ask(sim, job("j", *tasks, metadata=budget(5), priority=10))
    ask(sim, job("k", task("other")))
    until(sim, lambda: error(sim) == "BudgetReached")
    assert sim.core.unfinished(), "something goes on"
    completed(sim, "other", job_id="k")
    assert states(sim) == {"completed": 1, "active": 3}
    assert not sim.core.unfinished()


def test_what_was_sent_ahead_comes_back():
    plans, tasks = many(400, 0.02)
    sim = world(plans)
    ask(sim, job("j", *tasks, metadata=budget(2)))
    until(sim, lambda: error(sim) == "BudgetReached")
    sim.run(lambda: False, sim.now + 60.0)
    assert set(states(sim)) == {"completed", "active"}
    assert all(one.node_id is None for one in tasks_of(sim).values() if one.state == "active")
    assert cost(sim) < 2.5


def test_a_retry_does_not_start_either():
    sim = world({"a": [(10.0, 1)]})
    ask(sim, job("j", task("a"), metadata=budget(25), constraints=JobConstraints(max_task_retry_count=-1)))
    until(sim, lambda: error(sim) == "BudgetReached")
    sim.run(lambda: False, sim.now + 100.0)
    assert (states(sim), tasks_of(sim)["a"].retry_count) == ({"active": 1}, 3)


@pytest.mark.parametrize(("action", "held"), [("warn", False), ("stop", True), ("drain", True)])
def test_without_a_price_a_budget_cannot_be_kept(action, held):
    plans, tasks = many(10, 50.0)
    sim = simulation(plans)
    sim.world.cloud._price = lambda spec: None
    ask(sim, job("j", *tasks, metadata=budget(1000, action)))
    until(sim, lambda: error(sim) == "BudgetUnknown")
    assert (job_of(sim).held, job_of(sim).state) == (held, "active")
    sim.run(lambda: False, sim.now + 2000.0)
    assert (states(sim) == {"completed": 10}) is not held
    assert "`prices`" in job_of(sim).scheduling_error.message


def test_each_job_of_a_schedule_has_its_own_budget():
    plans = {"manager": [(20.0, 0)]}
    sim = world(plans)

    def schedule(amount):
        manager = JobManagerTask(id="manager", command_line="work")
        specification = JobSpecification(pool_info=POOL, job_manager_task=manager, metadata=budget(amount, "drain"))
        return JobScheduleSpec(
            id="s", schedule=Schedule(recurrence_interval=timedelta(seconds=40)), job_specification=specification
        )

    ask(sim, AddJobSchedule(schedule(15)))
    until(sim, lambda: job_of(sim, "s:job-1") and job_of(sim, "s:job-1").state == "completed")
    assert job_of(sim, "s:job-1").terminate_reason == "BudgetReached"
    until(sim, lambda: job_of(sim, "s:job-2") is not None)
    assert ask(sim, UpdateJobSchedule(schedule(50))) is None
    assert job_of(sim, "s:job-2").spec.metadata == budget(50, "drain")
    until(sim, lambda: job_of(sim, "s:job-2").state == "completed")
    assert job_of(sim, "s:job-2").terminate_reason == "JMComplete"
    refused = ask(sim, UpdateJobSchedule(JobScheduleSpec(
        id="s", schedule=Schedule(), job_specification=schedule(1).job_specification)))  # fmt: skip
    assert "schedule.recurrenceInterval cannot change, only the budget can" in str(refused)


def test_only_the_budget_of_a_job_can_change():
    sim = world()
    ask(sim, job("j", task("a")))
    refused = ask(sim, UpdateJob(JobSpec(id="j", pool_info=POOL, priority=5)))
    assert "priority cannot change, only the budget can" in str(refused)
    assert ask(sim, UpdateJob(JobSpec(id="k", pool_info=POOL))).code == "JobNotFound"
    wrong = JobSpec(id="j", pool_info=POOL, metadata=budget("much"))
    assert "budget" in str(ask(sim, UpdateJob(wrong)))
    assert "budget" in str(ask(sim, job("l", metadata=budget("much"))))


def test_a_budget_taken_away_is_none():
    plans, tasks = many(5)
    sim = world(plans)
    ask(sim, job("j", *tasks, metadata=budget(15)))
    until(sim, lambda: error(sim) == "BudgetReached")
    assert ask(sim, UpdateJob(JobSpec(id="j", pool_info=POOL))) is None
    until(sim, lambda: states(sim) == {"completed": 5})
    assert error(sim) is None
