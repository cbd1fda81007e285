"""Job preparation and release tasks: when they run, what waits for them, and what becomes of tasks and nodes if not."""

from datetime import timedelta

import pytest

from pools import EnvironmentSetting, NodeDeallocationOption
from runner import AddTasks, DeleteJob, DisableJob, Drain, EnableJob, ResizePool, TaskConstraints, TerminateJob
from runner.commands import StartExecution
from runner.simulation import START
from runner.states import JobNodeState
from runner.task_spec import JobPreparationTask, JobReleaseTask

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until

FOR_EVER = 10_000_000.0


def preparation(retries=None, **changes):
    constraints = TaskConstraints(max_task_retry_count=retries)
    return JobPreparationTask(**{"command_line": "prepare", "constraints": constraints, **changes})


RELEASE = JobReleaseTask(command_line="tidy up")


def prepared_job(job_id, *tasks, retries=None, release=True, prepare=None, **changes):
    fields = {"job_preparation_task": prepare or preparation(retries)} | changes
    return job(job_id, *tasks, **({"job_release_task": RELEASE} if release else {}), **fields)


def record_of(sim, job_id="j"):
    return next((r for key, r in sim.journal.table("job_nodes").items() if key[0] == job_id), None)


def runs(sim, kind):
    """Starts and ends of the executions of one kind, in seconds after the start: "task", or "p" or "r"."""
    found = []
    for execution in sim.world.log.started:
        attempt = execution.id.rpartition("-")[2]
        own = attempt[0] if attempt[0] in "pr" else "task"
        if own == kind and not execution.id.startswith("start:"):
            found.append((execution.started - START, None if execution.ended is None else execution.ended - START))
    return found


def starts_of(sim):
    """What nodes are told to start from now on, as it leaves."""
    said = []
    issue = sim.world.issue

    def watched(command):
        if isinstance(command, StartExecution):
            said.append(command)
        issue(command)

    sim.world.issue = watched
    return said


# -- the usual way -----------------------------------------------------------------------------------------------


def test_a_node_is_prepared_once_before_the_first_task_and_released_after_the_last():
    sim = simulation({"jobpreparation": [(30.0, 0)], "jobrelease": [(20.0, 0)]}, task_slots_per_node=2)
    tasks = [task(f"t{n}") for n in range(4)]
    ask(sim, prepared_job("j", *tasks, on_all_tasks_complete="terminatejob"))
    until(sim, lambda: job_of(sim).state == "terminating")
    assert not runs(sim, "r")
    until(sim, lambda: job_of(sim).state == "completed")
    (prepared,), (released,) = runs(sim, "p"), runs(sim, "r")
    starts, ends = zip(*runs(sim, "task"), strict=True)
    assert len(starts) == 4
    assert prepared[1] <= min(starts) and max(ends) <= released[0]
    record = record_of(sim)
    assert record.state is JobNodeState.RELEASED
    for execution in (record.preparation, record.release):
        assert (execution.state, execution.exit_code, execution.result) == ("completed", 0, "success")
        assert execution.start_time < execution.end_time
    assert job_of(sim).end_time - START >= released[1]


def test_the_task_waits_as_preparing():
    sim = simulation({"jobpreparation": [(100.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: runs(sim, "p"))
    waiting = tasks_of(sim)["t"]
    assert (waiting.state, waiting.start_time) == ("preparing", None)
    assert completed(sim, "t")[0].retry_count == 0


def test_each_job_is_prepared_and_jobs_without_are_not():
    sim = simulation()
    for job_id in ("a", "b"):
        ask(sim, prepared_job(job_id, task("t"), task("u")))
    ask(sim, job("plain", task("t")))
    until(sim, lambda: len([t for t in sim.journal.table("tasks").values() if t.state == "completed"]) == 5)
    assert {record.job_id for record in sim.journal.table("job_nodes").values()} == {"a", "b"}
    assert len(runs(sim, "p")) == 2 and not runs(sim, "r")


def test_what_they_are_told():
    sim = simulation()
    said = starts_of(sim)
    prepare = preparation(environment_settings=(EnvironmentSetting(name="OWN", value="1"),))
    common = (EnvironmentSetting(name="COMMON", value="2"),)
    ask(sim, prepared_job("j", task("t"), prepare=prepare, common_environment_settings=common))
    completed(sim, "t")
    ask(sim, TerminateJob("j"))
    until(sim, lambda: job_of(sim).state == "completed")
    first, second, third = said
    root = next(iter(sim.journal.table("nodes").values())).vm.node_root
    place = f"{root}/workitems/j/job-1/jobpreparation"
    assert (first.kind, second.kind, third.kind) == ("job", "task", "job")
    assert first.directory == "workitems/j/job-1/jobpreparation"
    assert third.directory == "workitems/j/job-1/jobrelease"
    assert first.argv == ("prepare",) and third.argv == ("tidy", "up")
    assert (first.wall, third.wall) == (None, 900.0)
    assert first.environment["AZ_BATCH_TASK_ID"] == "jobpreparation" and first.environment["OWN"] == "1"
    assert "AZ_BATCH_JOB_PREP_DIR" not in first.environment
    for command in (second, third):
        assert command.environment["AZ_BATCH_JOB_PREP_DIR"] == place
        assert command.environment["AZ_BATCH_JOB_PREP_WORKING_DIR"] == f"{place}/wd"
    for command in (first, second, third):
        assert command.environment["AZ_BATCH_JOB_ID"] == "j" and command.environment["COMMON"] == "2"


# -- preparations that fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retries", "codes", "attempts", "result"),
    [
        (None, [0], 1, "success"),
        (None, [1], 1, "failure"),
        (2, [1, 1, 0], 3, "success"),
        (1, [1, 1, 0], 2, "failure"),
        (-1, [1, 1, 1, 1, 1, 0], 6, "success"),
    ],
)
def test_retries(retries, codes, attempts, result):
    sim = simulation({"jobpreparation": [(5.0, code) for code in codes]})
    ask(sim, prepared_job("j", task("t"), retries=retries))
    until(sim, lambda: (record := record_of(sim)) and record.preparation.state == "completed")
    record = record_of(sim)
    assert (record.preparation.result, record.preparation.retry_count) == (result, attempts - 1)
    assert len(runs(sim, "p")) == attempts
    assert record.preparation.exit_code == codes[attempts - 1]
    if result == "success":
        assert completed(sim, "t")[0].retry_count == 0
        return
    until(sim, lambda: tasks_of(sim)["t"].state == "active")
    waiting = tasks_of(sim)["t"]
    assert (waiting.node_id, waiting.retry_count, waiting.requeue_count) == (None, 0, 0)
    assert record.preparation.failure.code == "FailureExitCode"
    assert job_of(sim).scheduling_error.code == "JobPreparationTaskFailed"


def test_a_node_where_it_failed_serves_other_jobs_and_others_serve_the_job():
    sim = simulation({"jobpreparation": [(5.0, 1), (5.0, 0)]}, target_dedicated_nodes=2)
    ask(sim, prepared_job("j", *(task(f"t{n}") for n in range(6))))
    done = completed(sim, *(f"t{n}" for n in range(6)))
    failed = next(r for r in sim.journal.table("job_nodes").values() if r.state is JobNodeState.FAILED)
    assert failed.node_id not in {t.last_node_id for t in done}
    assert job_of(sim).scheduling_error is None
    ask(sim, job("other", task("a"), task("b")))
    assert failed.node_id in {t.last_node_id for t in completed(sim, "a", "b", job_id="other")}


def test_a_job_that_failed_everywhere_goes_on_when_a_new_node_comes():
    sim = simulation({"jobpreparation": [(5.0, 1), (5.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: job_of(sim).scheduling_error is not None)
    assert "every node of pool 'p'" in job_of(sim).scheduling_error.message
    ask(sim, ResizePool("p", 2, 0))
    completed(sim, "t")
    assert job_of(sim).scheduling_error is None


@pytest.mark.parametrize("code", [0, 1])
def test_who_does_not_wait_starts_at_once(code):
    sim = simulation({"jobpreparation": [(50.0, code)]})
    ask(sim, prepared_job("j", task("t"), task("u"), prepare=preparation(wait_for_success=False)))
    completed(sim, "t", "u")
    assert runs(sim, "p")[0][1] is None, "the preparation runs still"
    until(sim, lambda: record_of(sim).preparation.state == "completed")
    assert job_of(sim).scheduling_error is None
    ask(sim, AddTasks("j", (task("later"),)))
    completed(sim, "later")
    assert len(runs(sim, "p")) == 1


# -- reboots and losses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("again", "times"), [(True, 2), (False, 1)])
def test_a_node_that_starts_anew_is_prepared_again_before_the_next_task(again, times):
    sim = simulation()
    ask(sim, prepared_job("j", task("t"), prepare=preparation(rerun_on_node_reboot_after_success=again)))
    completed(sim, "t")
    sim.world.reboot(next(iter(sim.world.nodes)))
    sim.run(lambda: False, sim.now + 60.0)
    assert len(runs(sim, "p")) == 1, "nobody needs it yet"
    ask(sim, AddTasks("j", (task("u"),)))
    completed(sim, "u")
    assert len(runs(sim, "p")) == times
    assert runs(sim, "p")[-1][1] <= runs(sim, "task")[-1][0]


def test_a_task_that_a_reboot_ended_waits_for_the_preparation_again():
    sim = simulation({"t": [(100.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    sim.world.reboot(next(iter(sim.world.nodes)))
    assert completed(sim, "t")[0].requeue_count == 1
    (_, again), (start, _) = runs(sim, "p")[1], runs(sim, "task")[1]
    assert len(runs(sim, "p")) == 2 and again <= start


def test_a_preparation_that_is_lost_runs_again_and_is_no_retry():
    sim = simulation({"jobpreparation": [(60.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: (record := record_of(sim)) and record.preparation.start_time)
    sim.world.reboot(next(iter(sim.world.nodes)))
    completed(sim, "t")
    preparing = record_of(sim).preparation
    assert (preparing.retry_count, preparing.lost, preparing.result, preparing.attempt) == (0, 1, "success", 2)


@pytest.mark.parametrize("moment", ["preparing", "running", "releasing"])
@pytest.mark.parametrize("befalls", ["crash", "cut"])
def test_neither_crashes_nor_cut_connections_run_anything_twice(moment, befalls):
    sim = simulation({"jobpreparation": [(30.0, 0)], "t": [(30.0, 0)], "jobrelease": [(30.0, 0)]})
    ask(sim, prepared_job("j", task("t"), on_all_tasks_complete="terminatejob"))
    states = {"preparing": "preparing", "running": "prepared", "releasing": "releasing"}
    until(sim, lambda: (record := record_of(sim)) and record.state == states[moment])
    for _ in range(3):
        sim.run(lambda: False, sim.now + 3.0)
        if befalls == "crash":
            sim.crash()
        else:
            sim.world.cut(next(iter(sim.world.nodes.values())).node_id)
    until(sim, lambda: job_of(sim).state == "completed")
    assert [len(runs(sim, kind)) for kind in ("p", "task", "r")] == [1, 1, 1]
    until(sim, lambda: not any(node.unacknowledged for node in sim.world.nodes.values()), 60.0)


# -- ends --------------------------------------------------------------------------------------------------------


def test_a_job_that_is_terminated_while_it_is_prepared_is_released():
    sim = simulation({"jobpreparation": [(FOR_EVER, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: runs(sim, "p"))
    ask(sim, TerminateJob("j"))
    until(sim, lambda: job_of(sim).state == "completed", 60.0)
    record, (ended,) = record_of(sim), completed(sim, "t")
    assert record.preparation.failure.code == "TaskEnded"
    assert (record.release.result, record.state) == ("success", "released")
    assert ended.failure.code == "TaskEnded" and not runs(sim, "task")


def test_a_job_that_is_deleted_is_released_and_nothing_is_left():
    sim = simulation({"jobrelease": [(30.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    completed(sim, "t")
    ask(sim, DeleteJob("j"))
    assert job_of(sim).state == "deleting"
    until(sim, lambda: job_of(sim) is None, 60.0)
    assert [end is not None for _, end in runs(sim, "r")] == [True]
    assert record_of(sim) is None and not list(sim.core.job_nodes.records)
    assert not [key for key in sim.journal.table("outputs") if key[1] == "j"]
    ask(sim, prepared_job("j", task("t")))
    completed(sim, "t")
    assert len(runs(sim, "p")) == 2


@pytest.mark.parametrize("mode", ["requeue", "terminate"])
def test_a_job_that_is_disabled_while_it_is_prepared(mode):
    sim = simulation({"jobpreparation": [(60.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: runs(sim, "p"))
    ask(sim, DisableJob("j", mode))
    until(sim, lambda: job_of(sim).state == "disabled", 5.0)
    assert tasks_of(sim)["t"].node_id is None and not runs(sim, "task")
    sim.run(lambda: False, sim.now + 120.0)
    assert record_of(sim).state is JobNodeState.PREPARED and not runs(sim, "task")
    ask(sim, EnableJob("j"))
    if mode == "requeue":
        completed(sim, "t")
    assert len(runs(sim, "p")) == 1


def test_without_a_release_task_the_job_ends_at_once():
    sim = simulation()
    ask(sim, prepared_job("j", task("t"), release=False))
    completed(sim, "t")
    ask(sim, TerminateJob("j"))
    assert job_of(sim).state == "completed"
    assert not list(sim.core.job_nodes.records), "what is over is in the store alone"
    assert record_of(sim).state is JobNodeState.PREPARED


def test_a_release_that_fails_does_not_hold_the_job():
    sim = simulation({"jobrelease": [(5.0, 3)]})
    ask(sim, prepared_job("j", task("t"), on_all_tasks_complete="terminatejob"))
    until(sim, lambda: job_of(sim).state == "completed")
    release = record_of(sim).release
    assert (release.exit_code, release.result, release.failure.code) == (3, "failure", "FailureExitCode")
    assert len(runs(sim, "r")) == 1


@pytest.mark.parametrize("option", list(NodeDeallocationOption))
def test_a_node_that_leaves_is_released_before_it_goes(option):
    sim = simulation({"t": [(60.0, 0)], "jobrelease": [(40.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, ResizePool("p", 0, 0, option))
    until(sim, lambda: not sim.journal.table("nodes"))
    (task_run,), (released,) = runs(sim, "task"), runs(sim, "r")
    assert task_run[1] <= released[0] and released[1] - released[0] == 40.0
    assert record_of(sim).state is JobNodeState.RELEASED
    assert job_of(sim).state == "active"


def test_a_node_that_leaves_while_it_is_prepared():
    sim = simulation({"jobpreparation": [(FOR_EVER, 0), (5.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: runs(sim, "p"))
    ask(sim, ResizePool("p", 0, 0))
    until(sim, lambda: not sim.journal.table("nodes"), 120.0)
    assert len(runs(sim, "r")) == 1
    waiting = tasks_of(sim)["t"]
    assert (waiting.state, waiting.requeue_count, waiting.node_id) == ("active", 0, None)
    ask(sim, ResizePool("p", 1, 0))
    completed(sim, "t")


@pytest.mark.parametrize("state", ["preparing", "prepared", "releasing"])
def test_a_node_that_dies_is_not_waited_for(state):
    plans = {"jobpreparation": [(30.0, 0)], "t": [(1.0, 0)], "jobrelease": [(FOR_EVER, 0)]}
    sim = simulation(plans, target_dedicated_nodes=0, target_low_priority_nodes=1)
    closes = "terminatejob" if state == "releasing" else "noaction"
    ask(sim, prepared_job("j", task("t"), on_all_tasks_complete=closes))
    until(sim, lambda: (record := record_of(sim)) and record.state == state)
    until(sim, lambda: state != "releasing" or runs(sim, "r"))
    first = record_of(sim)
    sim.world.preempt(next(iter(sim.world.nodes)))
    if state == "prepared":
        ask(sim, TerminateJob("j"))
    elif state == "preparing":
        completed(sim, "t")
        return
    until(sim, lambda: job_of(sim).state == "completed")
    assert len(runs(sim, "r")) == (state == "releasing")
    record = sim.journal.table("job_nodes")[first.key]
    if state == "releasing":
        assert (record.state, record.release.failure.code) == ("released", "NodeGone")


def test_a_drained_pool_is_released():
    sim = simulation({"t": [(FOR_EVER, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, Drain(NodeDeallocationOption.REQUEUE))
    until(sim, lambda: not sim.journal.table("nodes"), 200.0)
    assert len(runs(sim, "r")) == 1


def test_a_limit_of_its_own():
    sim = simulation()
    said = starts_of(sim)
    prepare = JobPreparationTask(
        command_line="x", constraints=TaskConstraints(max_wall_clock_time=timedelta(seconds=7))
    )
    release = JobReleaseTask(command_line="y", max_wall_clock_time=timedelta(seconds=8))
    ask(sim, job("j", task("t"), job_preparation_task=prepare, job_release_task=release))
    completed(sim, "t")
    ask(sim, TerminateJob("j"))
    until(sim, lambda: job_of(sim).state == "completed")
    assert [command.wall for command in said if command.kind == "job"] == [7.0, 8.0]


def test_short_tasks_are_not_sent_ahead_of_the_preparation():
    """What waits at a node may be called back, and must not start there all the same."""
    plans = {"jobpreparation": [(20.0, 0)]} | {f"t{n}": [(0.01, 0)] for n in range(200)}
    sim = simulation(plans, target_dedicated_nodes=2)
    ask(sim, prepared_job("j", *(task(f"t{n}") for n in range(200))))
    done = completed(sim, *(f"t{n}" for n in range(200)))
    assert all(t.attempt == 1 for t in done) and len(runs(sim, "task")) == 200
