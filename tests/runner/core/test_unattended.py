"""Requests while no controller works: what is recorded at once is true, and the next controller does the rest."""

import pytest

from pools import CountingIds, PoolError
from runner import (
    AddJobSchedule,
    Core,
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DeleteTask,
    DisableAutoScale,
    DisableJob,
    DisableJobSchedule,
    EnableAutoScale,
    EnableJob,
    EnableJobSchedule,
    JobError,
    JobPreparationTask,
    JobReleaseTask,
    ReactivateTask,
    ResizePool,
    RunJobSchedule,
    StopResize,
    TaskDependencies,
    TerminateJob,
    TerminateTask,
)
from runner.simulation import DEPLOYMENT
from runner.simulation_faults import Faults
from runner.unattended import handle_unattended

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until
from .schedules import jobs_of, schedule_of
from .schedules import spec as schedule

HOUR = 3600.0
LONG = {"a": [(9 * HOUR, 0)], "quick": [(1.0, 0)], "bad": [(1.0, 7)]}


class Away(Faults):
    """Whoever starts a new controller does it two hours later. Armed, a crash takes the next command with it."""

    armed = False

    def latency(self, what):
        return 2 * HOUR if what == "restart" else super().latency(what)

    def crashes(self, where):
        crashes, self.armed = self.armed and where == "command", self.armed and where != "command"
        return crashes


def away(plans=None, **pool):
    sim = simulation(LONG | (plans or {}), **pool)
    sim.faults = sim.world._faults = Away()
    return sim


def unattended(sim, event):
    """Nobody controls the simulation, and somebody asks for something. Returns the refusal, or None."""
    sim.crash()
    core = Core(sim.settings, DEPLOYMENT, CountingIds(77))
    core.load(sim.journal.load(), sim.now)
    key = core.missing(event)
    found = sim.journal.task(key) if key is not None else None
    if found is not None:
        core.recall(found)
    nodes = dict(sim.journal.table("nodes"))
    try:
        sim.journal.commit(handle_unattended(core, event, sim.now))
    except (JobError, PoolError) as exc:
        return exc
    assert sim.journal.table("nodes") == nodes
    return None


def running(sim, *tasks, **changes):
    ask(sim, job("j", *(tasks or (task("a"),)), **changes))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    return sim


def pool_of(sim):
    return sim.journal.table("pools").get("p")


# -- jobs ----------------------------------------------------------------------------------------------------


def test_a_job_with_a_running_task_is_terminated():
    sim = running(away())
    assert unattended(sim, TerminateJob("j", "enough")) is None
    assert (job_of(sim).state, job_of(sim).terminate_reason, tasks_of(sim)["a"].state) == (
        "terminating", "enough", "running",
    )  # fmt: skip
    until(sim, lambda: job_of(sim).state == "completed", 3 * HOUR)
    assert (tasks_of(sim)["a"].failure.code, tasks_of(sim)["a"].exit_code) == ("TaskEnded", 137)


def test_a_job_without_a_running_task_is_completed_at_once():
    sim = away(target_dedicated_nodes=0)
    ask(sim, job("j", task("a")))
    assert unattended(sim, TerminateJob("j")) is None
    assert job_of(sim).state == "completed"


@pytest.mark.parametrize(
    ("mode", "ends"),
    [("requeue", ("active", None, 1)), ("terminate", ("completed", 137, 0)), ("wait", ("completed", 0, 0))],
)
def test_a_job_is_disabled(mode, ends):
    sim = running(away({"a": [(3 * HOUR, 0)]}))
    assert unattended(sim, DisableJob("j", mode)) is None
    assert (job_of(sim).state, tasks_of(sim)["a"].state) == ("disabling", "running")
    until(sim, lambda: job_of(sim).state == "disabled", 9 * HOUR)
    found = tasks_of(sim)["a"]
    assert (found.state, found.exit_code, found.requeue_count) == ends
    assert unattended(sim, EnableJob("j")) is None
    assert job_of(sim).state == "active"
    until(sim, lambda: tasks_of(sim)["a"].state == "completed", 9 * HOUR)


def test_what_had_not_begun_of_a_disabled_job_does_not():
    sim = away()
    until(sim, lambda: any(node.state == "idle" for node in sim.journal.table("nodes").values()))
    sim.faults.armed = True
    sim.request(job("j", task("a")))
    until(sim, lambda: sim.core is None)
    assert tasks_of(sim)["a"].node_id is not None
    assert unattended(sim, DisableJob("j", "wait")) is None
    until(sim, lambda: job_of(sim).state == "disabled", 3 * HOUR)
    found = tasks_of(sim)["a"]
    assert (found.state, found.start_time, found.requeue_count) == ("active", None, 0)


def test_a_job_is_deleted():
    sim = running(away())
    assert unattended(sim, DeleteJob("j")) is None
    assert (job_of(sim).state, tasks_of(sim)["a"].state) == ("deleting", "running")
    until(sim, lambda: job_of(sim) is None, 3 * HOUR)
    assert tasks_of(sim) == {}


def test_a_job_that_owes_releases_is_over_when_they_are():
    sim, before, after = away(), JobPreparationTask(command_line="x"), JobReleaseTask(command_line="y")
    ask(sim, job("j", task("quick"), job_preparation_task=before, job_release_task=after))
    completed(sim, "quick")
    assert unattended(sim, TerminateJob("j")) is None
    assert job_of(sim).state == "terminating"
    until(sim, lambda: job_of(sim).state == "completed", 3 * HOUR)
    (node,) = sim.journal.table("job_nodes").values()
    assert (node.state, node.release.exit_code) == ("released", 0)


# -- tasks ---------------------------------------------------------------------------------------------------


def test_a_running_task_is_terminated():
    sim = running(away())
    assert unattended(sim, TerminateTask("j", "a")) is None
    assert tasks_of(sim)["a"].state == "running"
    until(sim, lambda: tasks_of(sim)["a"].state == "completed", 3 * HOUR)
    assert tasks_of(sim)["a"].failure.code == "TaskEnded"


def test_a_running_task_is_deleted():
    sim = running(away())
    assert unattended(sim, DeleteTask("j", "a")) is None
    assert tasks_of(sim)["a"].state == "running"
    until(sim, lambda: tasks_of(sim) == {}, 3 * HOUR)


def test_a_completed_task_runs_again():
    sim = away()
    ask(sim, job("j", task("bad")))
    completed(sim, "bad")
    assert unattended(sim, ReactivateTask("j", "bad")) is None
    assert (tasks_of(sim)["bad"].state, tasks_of(sim)["bad"].attempt) == ("active", 1)
    until(sim, lambda: tasks_of(sim)["bad"].attempt == 2 and tasks_of(sim)["bad"].state == "completed", 3 * HOUR)


def test_the_end_of_the_last_task_ends_its_job_at_once():
    sim = away(target_dedicated_nodes=0)
    ask(sim, job("j", task("a"), on_all_tasks_complete="terminatejob"))
    assert unattended(sim, TerminateTask("j", "a")) is None
    assert (job_of(sim).state, job_of(sim).terminate_reason) == ("completed", "AllTasksComplete")


def test_whoever_waits_for_a_task_that_was_ended_is_told_at_once():
    sim = away(target_dedicated_nodes=0)
    waits = task("b", depends_on=TaskDependencies(task_ids=("a",)))
    ask(sim, job("j", task("a"), waits, uses_task_dependencies=True))
    assert unattended(sim, TerminateTask("j", "a")) is None
    assert "'a'" in tasks_of(sim)["b"].scheduling_error.message


# -- schedules -----------------------------------------------------------------------------------------------


def test_a_schedule_is_disabled_and_asked_for_a_job():
    sim = away()
    ask(sim, AddJobSchedule(schedule()))
    until(sim, lambda: len(jobs_of(sim)) == 1)
    completed(sim, "m", job_id="s:job-1")
    assert unattended(sim, DisableJobSchedule("s")) is None
    assert unattended(sim, RunJobSchedule("s")) is None
    assert (schedule_of(sim).state, schedule_of(sim).run_requested, len(jobs_of(sim))) == ("disabled", True, 1)
    until(sim, lambda: job_of(sim, "s:job-2") is not None, 3 * HOUR)
    assert schedule_of(sim).state == "disabled"
    assert unattended(sim, EnableJobSchedule("s")) is None
    assert schedule_of(sim).state == "active"


def test_a_schedule_goes_with_its_jobs():
    sim = away()
    ask(sim, AddJobSchedule(schedule()))
    until(sim, lambda: len(jobs_of(sim)) == 1)
    completed(sim, "m", job_id="s:job-1")
    assert unattended(sim, DeleteJobSchedule("s")) is None
    assert (schedule_of(sim), jobs_of(sim)) == (None, [])


# -- pools ---------------------------------------------------------------------------------------------------


def test_a_pool_with_nodes_is_deleted_by_the_next_controller():
    sim = running(away())
    assert unattended(sim, DeletePool("p")) is None
    assert (pool_of(sim).state, len(sim.journal.table("nodes"))) == ("deleting", 1)
    assert unattended(sim, ResizePool("p", 2, None)).code == "PoolBeingDeleted"
    until(sim, lambda: pool_of(sim) is None, 3 * HOUR)
    assert (sim.journal.table("nodes"), tasks_of(sim)["a"].state) == ({}, "active")


def test_a_pool_without_nodes_is_gone_at_once():
    sim = away(target_dedicated_nodes=0)
    assert unattended(sim, DeletePool("p")) is None
    assert pool_of(sim) is None


def test_a_pool_has_its_whole_time_to_be_resized():
    sim = running(away())
    assert unattended(sim, ResizePool("p", None, 1)) is None
    wanted = pool_of(sim)
    assert (wanted.target_dedicated, wanted.target_low_priority, wanted.allocation_state) == (1, 1, "steady")
    until(sim, lambda: len(sim.journal.table("nodes")) == 2, 3 * HOUR)
    until(sim, lambda: pool_of(sim).allocation_state == "steady")
    assert pool_of(sim).resize_errors == ()


def test_a_pool_whose_new_targets_nobody_has_seen_stays():
    sim = running(away())
    assert unattended(sim, StopResize("p")).code == "OperationInvalidForCurrentState"
    until(sim, lambda: sim.core is not None, 3 * HOUR)
    assert unattended(sim, ResizePool("p", 5, 5)) is None
    assert unattended(sim, StopResize("p")) is None
    assert (pool_of(sim).target_dedicated, pool_of(sim).target_low_priority) == (1, 0)


def test_a_formula_is_evaluated_when_somebody_can():
    sim = running(away())
    assert unattended(sim, EnableAutoScale("p", "$TargetDedicatedNodes = 3;", HOUR)) is None
    assert pool_of(sim).target_dedicated == 1
    until(sim, lambda: pool_of(sim).target_dedicated == 3, 3 * HOUR)
    assert unattended(sim, DisableAutoScale("p")) is None
    kept = pool_of(sim)
    assert (kept.target_dedicated, kept.spec.enable_auto_scale, kept.spec.auto_scale_formula) == (3, False, None)


def test_a_refusal_changes_nothing():
    sim = running(away())
    before = {name: dict(rows) for name, rows in sim.journal.tables.items()}
    for event, code in (
        (TerminateJob("none"), "JobNotFound"),
        (ReactivateTask("j", "a"), "TaskNotCompleted"),
        (TerminateTask("j", "b"), "TaskNotFound"),
        (DeletePool("q"), "PoolNotFound"),
        (EnableAutoScale("p", "$x = ;"), "AutoScalingFormulaSyntaxError"),
        (DisableJob("j", "nonsense"), "InvalidPropertyValue"),
    ):
        assert unattended(sim, event).code == code, event
    assert sim.journal.tables == before
