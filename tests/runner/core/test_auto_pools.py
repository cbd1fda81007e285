"""Pools that are made for jobs, or for schedules, and go with them."""

import re
from datetime import timedelta

import msgspec
import pytest

from pools import ApplicationPackageReference, CountingIds, PoolSpecification, StartTask
from runner import (
    AddJobSchedule,
    Core,
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DisableJob,
    EnableJob,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    ReplaceJob,
    Schedule,
    TerminateJob,
    TerminateJobSchedule,
)
from runner.simulation import DEPLOYMENT, START
from runner.spec import AutoPoolSpecification

from .run import SETTINGS, ask, completed, job, job_of, simulation, task, tasks_of, until

NODES = PoolSpecification(vm_size="simulated.small", target_dedicated_nodes=1)
GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def auto(lifetime="job", pool=NODES, **changes):
    fields = {"pool_lifetime_option": lifetime, "pool": pool} | changes
    return PoolInfo(auto_pool_specification=AutoPoolSpecification(**fields))


def empty(plans=None):
    return simulation(plans, target_dedicated_nodes=0)


def pools(sim):
    return {key: pool for key, pool in sim.journal.table("pools").items() if key != "p"}


def gone(sim):
    until(sim, lambda: not pools(sim) and not sim.journal.table("nodes"))
    assert not sim.world.cloud.everything()


@pytest.mark.parametrize("prefix", ["ocr", None])
def test_a_pool_comes_and_goes_with_its_job(prefix):
    sim = empty()
    spec = auto(auto_pool_id_prefix=prefix)
    assert ask(sim, job("j", task("t"), pool_info=spec, on_all_tasks_complete="terminatejob")) is None
    (pool_id,) = pools(sim)
    assert re.fullmatch(f"{prefix}_{GUID}" if prefix else GUID, pool_id)
    assert (job_of(sim).auto_pool_id, job_of(sim).pool_id) == (pool_id, pool_id)
    (done,) = completed(sim, "t")
    assert done.last_pool_id == pool_id
    until(sim, lambda: job_of(sim).state == "completed")
    gone(sim)


def test_each_job_has_its_own():
    sim = empty()
    for name in ("j", "k"):
        ask(sim, job(name, task("t"), pool_info=auto()))
    assert len(pools(sim)) == 2
    ask(sim, TerminateJob("j"))
    until(sim, lambda: len(pools(sim)) == 1)
    completed(sim, "t", job_id="k")


@pytest.mark.parametrize("end", [TerminateJob("j"), DeleteJob("j")])
@pytest.mark.parametrize("steps", range(0, 30, 3))
def test_a_crash_leaves_no_pool_behind(end, steps):
    sim = empty({"t": [(1000.0, 0)]})
    request = sim.request(job("j", task("t"), pool_info=auto()))
    for _ in range(steps):
        sim.step()
    sim.crash()
    until(sim, lambda: request.answered)
    assert len(pools(sim)) == 1
    ask(sim, end)
    sim.crash()
    gone(sim)


def test_a_pool_is_kept_if_its_user_wants_it():
    sim = empty()
    ask(sim, job("j", task("t"), pool_info=auto(keep_alive=True), on_all_tasks_complete="terminatejob"))
    completed(sim, "t")
    ask(sim, DeleteJob("j"))
    sim.run(lambda: False, sim.now + 300.0)
    (pool,) = pools(sim).values()
    assert (pool.state, sim.core.ctx.node_count(pool.id)) == ("active", 1)


@pytest.mark.parametrize("keep", [True, False])
def test_only_whether_it_is_kept_can_change(keep):
    sim = empty()
    before, after = auto(keep_alive=not keep), auto(keep_alive=keep)
    ask(sim, job("j", task("t"), pool_info=before))
    ask(sim, DisableJob("j", "requeue"))

    def replace(info):
        return ask(sim, ReplaceJob(JobSpec(id="j", pool_info=info), frozenset(("pool_info",))))

    assert replace(auto(keep_alive=keep, auto_pool_id_prefix="x")).code == "InvalidPropertyValue"
    assert replace(after) is None
    assert len(pools(sim)) == 1
    ask(sim, TerminateJob("j"))
    sim.run(lambda: False, sim.now + 300.0)
    assert len(pools(sim)) == keep


def test_a_job_may_leave_its_pool_for_another():
    sim = empty()
    ask(sim, job("j", task("t"), pool_info=auto()))
    ask(sim, DisableJob("j", "requeue"))
    info = PoolInfo(pool_id="p")
    assert ask(sim, ReplaceJob(JobSpec(id="j", pool_info=info), frozenset(("pool_info",)))) is None
    gone(sim)
    assert (job_of(sim).pool_id, job_of(sim).auto_pool_id) == ("p", None)
    back = ReplaceJob(JobSpec(id="j", pool_info=auto()), frozenset(("pool_info",)))
    assert ask(sim, back).code == "InvalidPropertyValue"
    ask(sim, EnableJob("j"))
    assert job_of(sim).scheduling_error.message.startswith("pool 'p' has no node"), "it is there now"


BIG = msgspec.structs.replace(NODES, task_slots_per_node=0)
TOOL = (ApplicationPackageReference(application_id="tool"),)


@pytest.mark.parametrize(
    ("info", "code", "named"),
    [
        (PoolInfo(), "InvalidPropertyValue", "exactly one"),
        (msgspec.structs.replace(auto(), pool_id="p"), "InvalidPropertyValue", "exactly one"),
        (auto(pool=None), "MissingRequiredProperty", "pool"),
        (auto("jobschedule"), "InvalidPropertyValue", "poolLifetimeOption"),
        (auto(auto_pool_id_prefix="x" * 21), "InvalidPropertyValue", "autoPoolIdPrefix"),
        (auto(auto_pool_id_prefix="../x"), "InvalidPropertyValue", "id"),
        (auto(pool=BIG), "InvalidPropertyValue", "taskSlotsPerNode"),
        (
            auto(pool=msgspec.structs.replace(NODES, start_task=StartTask(command_line="'"))),
            "InvalidPropertyValue",
            "startTask.commandLine",
        ),
        (
            auto(pool=msgspec.structs.replace(NODES, application_package_references=TOOL)),
            "InvalidApplicationPackageReferences",
            "tool",
        ),
    ],
)
def test_what_cannot_be(info, code, named):
    sim = empty()
    refusal = ask(sim, job("j", pool_info=info))
    assert (refusal.code, job_of(sim), pools(sim)) == (code, None, {})
    assert named in str(refusal)


def test_a_job_that_is_refused_leaves_no_pool():
    sim = empty()
    assert ask(sim, job("j", task("t"), task("t"), pool_info=auto())).code == "TaskExists"
    assert ask(sim, job("j", task("t", required_slots=2), pool_info=auto())).code == "InvalidPropertyValue"
    assert pools(sim) == {}


# -- schedules -------------------------------------------------------------------------------------------------


def schedule(lifetime, keep_alive=False, seconds=120.0):
    manager = JobManagerTask(id="m", command_line="work")
    info = auto(lifetime, keep_alive=keep_alive)
    specification = JobSpecification(pool_info=info, job_manager_task=manager)
    times = Schedule(recurrence_interval=timedelta(seconds=seconds))
    return AddJobSchedule(JobScheduleSpec(id="s", schedule=times, job_specification=specification))


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize(("lifetime", "same"), [("job", False), ("jobschedule", True)])
@pytest.mark.parametrize("end", [TerminateJobSchedule("s"), DeleteJobSchedule("s")])
def test_the_jobs_of_a_schedule(lifetime, same, end, crash):
    sim = empty()
    assert ask(sim, schedule(lifetime)) is None
    seen = []
    for number in (1, 2, 3):
        name = f"s:job-{number}"
        until(sim, lambda name=name: job_of(sim, name) is not None)
        if crash:
            sim.crash()
        seen.append(job_of(sim, name).auto_pool_id)
        until(sim, lambda name=name: job_of(sim, name).state == "completed")
        if same:
            assert len(pools(sim)) == 1
    assert (len(set(seen)) == 1) == same
    ask(sim, end)
    if crash:
        sim.crash()
    gone(sim)


def test_the_pool_of_a_schedule_is_made_anew_if_somebody_deletes_it():
    sim = empty()
    ask(sim, schedule("jobschedule"))
    until(sim, lambda: job_of(sim, "s:job-1") is not None and job_of(sim, "s:job-1").state == "completed")
    (first,) = pools(sim)
    ask(sim, DeletePool(first))
    until(sim, lambda: job_of(sim, "s:job-2") is not None and job_of(sim, "s:job-2").state == "completed")


def test_a_schedules_pool_may_be_kept():
    sim = empty()
    ask(sim, schedule("jobschedule", keep_alive=True))
    until(sim, lambda: job_of(sim, "s:job-1") is not None and job_of(sim, "s:job-1").state == "completed")
    ask(sim, DeleteJobSchedule("s"))
    sim.run(lambda: False, sim.now + 300.0)
    assert [pool.state for pool in pools(sim).values()] == ["active"]


# -- `ebbtide run` ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", ["job", "jobschedule"])
def test_a_run_ends_with_no_node(lifetime):
    settings = msgspec.structs.replace(SETTINGS, end_idle_pools=True, occurrences=2)
    sim = simulation(settings=settings, target_dedicated_nodes=0)
    ask(sim, schedule(lifetime, seconds=60.0))
    ask(sim, job("j", task("t"), pool_info=auto()))  # nobody ends this job: its pool ends for want of work
    until(sim, lambda: not sim.core.unfinished() and not sim.core.ctx.nodes)
    assert tasks_of(sim)["t"].state == "completed"
    assert not sim.world.cloud.everything()


def test_without_anybody_who_knows_where_there_are_none():
    core = Core(SETTINGS, DEPLOYMENT, CountingIds())
    with pytest.raises(ValueError, match="no auto pools here"):
        core.handle(job("j", pool_info=auto()), START)
