"""Work that cannot be done: `run` does all that can be done, says what cannot, lets the nodes go, and ends."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pools import PoolSpec
from runner import (
    AddJobSchedule,
    AddPool,
    DeletePool,
    DisableJob,
    EnableJob,
    JobConstraints,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    ResizePool,
    Schedule,
    TaskDependencies,
)

from .prepared import prepared_job, runs
from .run import POOL, SETTINGS, ask, completed, job, job_of, node_of, simulation, task, tasks_of, until
from .test_multi_instance import gang

RUN = replace(SETTINGS, end_idle_pools=True)
UNPREPARED, NO_NODES, NO_ROOM = "JobPreparationTaskFailed", "PoolHasNoNodes", "TaskSchedulingConstraintFailed"
BROKEN = {"jobpreparation": [(5.0, 3)]}


def scaling(formula):
    every = timedelta(seconds=10)
    return {
        "target_dedicated_nodes": None,
        "enable_auto_scale": True,
        "auto_scale_formula": formula,
        "auto_scale_evaluation_interval": every,
    }


def manager(**changes):
    fields: dict[str, Any] = {"id": "m", "command_line": "work", "allow_low_priority_node": False} | changes
    return JobManagerTask(**fields)


def low(count=1):
    return {"target_dedicated_nodes": 0, "target_low_priority_nodes": count}


def sim_of(plans=None, **pool):
    return simulation(plans, settings=RUN, enable_inter_node_communication=True, **pool)


def ends(sim, seconds=3600.0):
    """The work that can be done is done, and no node is left."""
    until(sim, lambda: not sim.core.unfinished() and not sim.journal.table("nodes"), seconds)


def error_of(sim, job_id="j", task_id=None):
    found = job_of(sim, job_id) if task_id is None else tasks_of(sim, job_id)[task_id]
    return found.scheduling_error.code if found.scheduling_error is not None else None


def after(task_id, *others):
    return task(task_id, depends_on=TaskDependencies(task_ids=others))


# pool, plans, what is asked for, what is said (where: code), tasks that are done all the same, preparations at most
CASES = {
    "preparation fails on both nodes": (
        {"target_dedicated_nodes": 2}, BROKEN, [prepared_job("j", task("a"), task("b"), task("c"))],
        {("j",): UNPREPARED}, [], 2,
    ),
    "it fails on low-priority nodes that a formula keeps": (
        scaling("$TargetLowPriorityNodes = 2"), BROKEN, [prepared_job("j", task("a"), task("b"), task("c"))],
        {("j",): UNPREPARED}, [], 2,
    ),
    "a formula wants more and more nodes, and it fails on each": (
        scaling("$TargetDedicatedNodes = $CurrentDedicatedNodes + 1"), BROKEN, [prepared_job("j", task("a"))],
        {("j",): UNPREPARED}, [], 6,
    ),
    "another job of the pool goes on": (
        {}, BROKEN, [prepared_job("j", task("a")), job("k", task("b"), task("c"))],
        {("j",): UNPREPARED}, [("k", "b"), ("k", "c")], 1,
    ),
    "a target of 0": ({"target_dedicated_nodes": 0}, {}, [job("j", task("a"))], {("j",): NO_NODES}, [], 0),
    "the pool goes": (
        {"target_dedicated_nodes": 0}, {}, [job("j", task("a")), DeletePool("p")], {("j",): NO_NODES}, [], 0,
    ),
    "a job manager wants a dedicated node": (
        low(), {}, [job("j", task("a"), job_manager_task=manager())], {("j", "m"): NO_ROOM}, [("j", "a")], 0,
    ),
    "a job manager wants a dedicated node, and the formula has none": (
        scaling("$TargetLowPriorityNodes = 1"), {}, [job("j", task("a"), job_manager_task=manager())],
        {("j", "m"): NO_ROOM}, [("j", "a")], 0,
    ),
    "what depends on one that cannot start": (
        low(), {}, [job("j", task("a"), after("b", "m"), job_manager_task=manager(), uses_task_dependencies=True)],
        {("j", "m"): NO_ROOM}, [("j", "a")], 0,
    ),
    "more instances than nodes": (
        {"target_dedicated_nodes": 2}, {}, [job("j", gang("g", 3), task("a"))], {("j", "g"): NO_ROOM}, [("j", "a")], 0,
    ),
    "more instances than the formula brings": (
        scaling("$TargetDedicatedNodes = 2"), {}, [job("j", gang("g", 3), task("a"))],
        {("j", "g"): NO_ROOM}, [("j", "a")], 0,
    ),
    "more instances than nodes that could be prepared": (
        {"target_dedicated_nodes": 2}, {"jobpreparation": [(5.0, 3), (5.0, 0)]},
        [prepared_job("j", task("a"), task("b"), gang("g", 2))], {("j", "g"): NO_ROOM}, [("j", "a"), ("j", "b")], 2,
    ),
    "the job is disabled": ({}, {}, [job("j", task("a")), DisableJob("j", "requeue")], {}, [], 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_ends(case):
    pool, plans, asked, said, done, preparations = case
    sim = sim_of(plans, **pool)
    for event in asked:
        assert ask(sim, event) is None
    ends(sim)
    assert {where: error_of(sim, *where) for where in said} == said
    jobs = sim.journal.table("jobs").values()
    open_ones = {(one.job_id, one.id) for each in jobs for one in tasks_of(sim, each.id).values() if not one.end_time}
    assert not open_ones & set(done) and open_ones, "what can be done is done, and no more"
    assert len(runs(sim, "p")) <= preparations
    sim.run(lambda: False, sim.now + 4000.0)
    assert not sim.journal.table("nodes"), "and it remains so"
    assert len(runs(sim, "p")) <= preparations


def test_a_cloud_that_has_no_room_is_tried_for_the_resize_timeout():
    """Then nodes that are there are not paid for because others might come."""
    limit = timedelta(minutes=10)
    sim = sim_of(target_dedicated_nodes=3, resize_timeout=limit)
    sim.world.cloud.room = {("simulated.small", None, False): 2}
    ask(sim, job("j", gang("g", 3), task("a")))
    completed(sim, "a")
    said = until(sim, lambda: error_of(sim, "j", "g") == NO_ROOM)
    assert said >= limit.total_seconds()
    ends(sim)


def test_when_there_is_room_again_it_goes_on():
    limit = timedelta(minutes=10)
    sim = simulation(target_dedicated_nodes=3, resize_timeout=limit, enable_inter_node_communication=True)
    sim.world.cloud.room = {("simulated.small", None, False): 2}
    ask(sim, job("j", gang("g", 3)))
    until(sim, lambda: error_of(sim, "j", "g") == NO_ROOM)
    sim.world.cloud.room = {}
    completed(sim, "g")


# -- it goes on when it can --------------------------------------------------------------------------------------


def test_the_next_run_tries_new_nodes():
    sim = sim_of({"jobpreparation": [(5.0, 3), (5.0, 0)]})
    ask(sim, prepared_job("j", task("a")))
    ends(sim)
    assert error_of(sim) == UNPREPARED
    sim.crash()
    completed(sim, "a")
    assert error_of(sim) is None


def test_a_job_that_is_enabled_again_is_tried_on_new_nodes():
    sim = sim_of({"jobpreparation": [(5.0, 3), (5.0, 0)]})
    ask(sim, prepared_job("j", task("a")))
    ends(sim)
    ask(sim, DisableJob("j", "requeue"))
    until(sim, lambda: job_of(sim).state == "disabled")
    ask(sim, EnableJob("j"))
    completed(sim, "a")


def test_more_nodes_let_it_start():
    sim = simulation(BROKEN | {"jobpreparation": [(5.0, 3), (5.0, 0)]})
    ask(sim, prepared_job("j", task("a")))
    until(sim, lambda: error_of(sim) == UNPREPARED)
    assert sim.core.counts("p").active == 0, "it scales no pool"
    ask(sim, ResizePool("p", 2, 0))
    completed(sim, "a")


def test_a_dedicated_node_lets_a_job_manager_start():
    sim = simulation(**low())
    ask(sim, job("j", job_manager_task=manager()))
    until(sim, lambda: error_of(sim, "j", "m") == NO_ROOM)
    assert "allowLowPriorityNode" in tasks_of(sim)["m"].scheduling_error.message
    ask(sim, ResizePool("p", 1, 1))
    completed(sim, "m")


def test_a_formula_has_time_to_bring_what_is_missing():
    late = "$TargetLowPriorityNodes = 1; $TargetDedicatedNodes = time() > %s ? 1 : 0;"
    sim = sim_of(**scaling(late % 'time("2023-11-14 00:01:00")'))
    ask(sim, job("j", job_manager_task=manager()))
    (done,) = completed(sim, "m")
    assert not node_of(sim).low_priority or done.last_node_id != node_of(sim).id


# -- schedules ---------------------------------------------------------------------------------------------------


def every_hour(**specification):
    return AddJobSchedule(
        JobScheduleSpec(
            id="s",
            schedule=Schedule(recurrence_interval=timedelta(hours=1)),
            job_specification=JobSpecification(pool_info=POOL, **specification),
        )
    )


SCHEDULES = {
    "its job cannot start": (low(), every_hour(job_manager_task=manager())),
    "its job never ends": ({}, every_hour(job_manager_task=manager(kill_job_on_completion=False))),
}


@pytest.mark.parametrize("case", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_whose_job_waits_for_somebody_keeps_no_nodes(case):
    pool, asked = case
    sim = sim_of(**pool)
    assert ask(sim, asked) is None
    ends(sim)
    assert job_of(sim, "s:job-1").state == "active"


def test_a_job_that_its_time_limit_ends_lets_the_next_one_come():
    sim = sim_of()
    limit = JobConstraints(max_wall_clock_time=timedelta(minutes=10))
    ask(sim, every_hour(job_manager_task=manager(kill_job_on_completion=False), constraints=limit))
    until(sim, lambda: job_of(sim, "s:job-2") is not None, 2 * 3600.0)
    assert job_of(sim, "s:job-1").terminate_reason == "MaxWallClockTimeExpiry"


def test_work_of_other_pools_is_done_first():
    sim = sim_of({"jobpreparation": [(5.0, 3)], "b": [(1000.0, 0)]})
    other = PoolSpec(id="q", vm_size="simulated.small", target_dedicated_nodes=1)
    ask(sim, AddPool(other, "simulated", "simulated"))
    ask(sim, prepared_job("j", task("a")))
    ask(sim, job("k", task("b"), pool_info=replace(POOL, pool_id="q")))
    until(sim, lambda: error_of(sim) == UNPREPARED)
    until(sim, lambda: all(node.pool_id == "q" for node in sim.journal.table("nodes").values()), 500.0)
    assert tasks_of(sim, "k")["b"].end_time is None, "the nodes of what cannot go on go first"
    assert sim.core.unfinished()
    completed(sim, "b", job_id="k")
    ends(sim)


def test_it_is_said_once():
    """Also while the nodes leave that it speaks of."""
    sim = sim_of(BROKEN, **scaling("$TargetDedicatedNodes = $CurrentDedicatedNodes + 1"))
    ask(sim, prepared_job("j", task("a")))
    said = []
    while sim.core.unfinished() or sim.journal.table("nodes"):
        assert sim.step()
        error = job_of(sim).scheduling_error
        said += [error] if error is not None and error not in said else []
    (error,) = said
    assert error.message.startswith("its preparation task failed 5 times in a row; the last time: the task exited with")


def test_no_node_is_made_for_it():
    sim = sim_of(**low())
    ask(sim, job("j", job_manager_task=manager()))
    ends(sim)
    assert sim.journal.table("pools")["p"].usage.nodes_allocated == 0
