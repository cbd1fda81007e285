"""Why nothing goes on, and what would help: as `ebbtide run` says it in the end."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pools import MetadataItem, StartTask
from runner import (
    AddJobSchedule,
    DisableJob,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    Schedule,
    TaskDependencies,
)
from service.stuck import stuck
from tests.runner.core.prepared import prepared_job
from tests.runner.core.run import POOL, SETTINGS, ask, job, simulation, task, until

#: A node costs 1 per second.
PRICES = {"simulated.small": (3600.0, 3600.0)}
RUN = replace(
    SETTINGS, end_idle_pools=True, pools=replace(SETTINGS.pools, breaker_after=2, backoff_base=5.0, prices=PRICES)
)
PICKY = JobManagerTask(id="m", command_line="work", allow_low_priority_node=False)
def failing(*, after):
    return TaskDependencies(task_ids=(after,))


EVERY_HOUR = AddJobSchedule(
    JobScheduleSpec(
        id="s",
        schedule=Schedule(recurrence_interval=timedelta(hours=1)),
        job_specification=JobSpecification(
            pool_info=POOL, job_manager_task=JobManagerTask(id="m", command_line="work", kill_job_on_completion=False)
        ),
    )
)
CASES = {
    "its preparation failed": (
        {}, {"jobpreparation": [(5.0, 3)]}, [prepared_job("j", task("a"))],
        ["job j: its preparation task failed on every node of pool 'p'"],
    ),
    "a pool without nodes": (
        {"target_dedicated_nodes": 0}, {}, [job("j", task("a")), job("k", task("a"))],
        ["job j: pool 'p' has no node, its target is 0", "job k: pool 'p' has no node, its target is 0"],
    ),
    "a pool that has stopped, once for all its jobs": (
        {"start_task": StartTask(command_line="x")}, {"start task": [(2.0, 9)]},
        [job("j", task("a")), job("k", task("a"))], ["pool p: nodes failed 2 times in a row"],
    ),
    "a formula that fails": (
        {
            "target_dedicated_nodes": None, "enable_auto_scale": True,
            "auto_scale_formula": "x = 0; $TargetDedicatedNodes = 1 / x;",
        },
        {}, [job("j", task("a"))], ["pool p: its formula failed 3 times in a row, and there is no node: "],
    ),
    "a task that no node may take": (
        {"target_dedicated_nodes": 0, "target_low_priority_nodes": 1}, {}, [job("j", job_manager_task=PICKY)],
        ["task j m: it may not run on a low-priority node"],
    ),
    "a disabled job": (
        {}, {"a": [(9.0, 0)]}, [job("j", task("a"), task("b")), DisableJob("j", "wait")],
        ["job j: it is disabled, and has 2 tasks left; enable it: `ebbtide job enable j`"],
    ),
    "a budget": (
        {}, {}, [job("j", task("a"), task("b"), metadata=(MetadataItem(name="budget", value="5"),))],
        ["job j: the job's budget of 5 is used up"],
    ),
    "a schedule whose job does not end": (
        {}, {}, [EVERY_HOUR], ["schedule s: its job s:job-1 has no task left and does not end"],
    ),
    "what depends on a failure is told by that": (
        {}, {"a": [(5.0, 3)]},
        [job("j", task("a"), task("b", depends_on=failing(after="a")), uses_task_dependencies=True)], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_reason_with_its_cure(case):
    pool, plans, asked, told = case
    sim = simulation(plans, settings=RUN, **pool)
    for event in asked:
        assert ask(sim, event) is None
    until(sim, lambda: stuck(sim.core, sim.now) or not sim.core.unfinished())
    found = stuck(sim.core, sim.now)
    assert len(found) == len(told)
    assert all(reason.startswith(begin) for reason, begin in zip(found, told, strict=True)), found


def test_nothing_is_said_while_something_goes_on():
    sim = simulation({"jobpreparation": [(5.0, 3)], "long": [(500.0, 0)]}, settings=RUN)
    ask(sim, prepared_job("j", task("a")))
    ask(sim, job("k", task("long")))
    while sim.core.unfinished():
        assert stuck(sim.core, sim.now) == ()
        assert sim.step()
    assert len(stuck(sim.core, sim.now)) == 1


def test_many_tasks_and_jobs_are_counted():
    sim = simulation(target_dedicated_nodes=0)
    for number in range(30):
        ask(sim, job(f"j{number}", task("a")))
    found = stuck(sim.core, sim.now)
    assert len(found) == 21 and found[-1] == "and 10 more: `ebbtide status` tells them"
