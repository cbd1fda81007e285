"""Job preparation and release tasks: when they run, what waits for them, and what becomes of tasks and nodes if not."""

import itertools

import pytest

from pools import EnvironmentSetting, NodeDeallocationOption
from runner import (
    AddTasks,
    DisableJob,
    DisableScheduling,
    EnableJob,
    RebootNode,
    ReimageNode,
    ResizePool,
    TerminateJob,
)
from runner.events import Outcome
from runner.simulation import START
from runner.states import JobNodeState
from runner.task_spec import MultiInstanceSettings

from .prepared import preparation, prepared_job, record_of, runs, starts_of
from .run import ask, completed, job, job_of, simulation, task, tasks_of, until

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


def test_a_start_that_waited_for_the_preparation_leaves_when_it_is_heard_what_the_node_knows():
    """The outcome is heard before the new connection is, over which the start would reach the node: what that knows
    was told before."""
    sim = simulation({"jobpreparation": [(30.0, 0)]})
    ask(sim, prepared_job("j", task("t"), release=False))
    until(sim, lambda: any(end is not None for _, end in runs(sim, "p")))
    (prepared,) = sim.world.log.started
    sim.world.cut(prepared.node_id)
    until(sim, lambda: prepared.node_id not in sim.core.ctx.connected)
    said = starts_of(sim)
    sim.tell(Outcome(prepared.node_id, prepared.id, prepared.started, prepared.ended, 0))
    until(sim, lambda: record_of(sim).state == "prepared")
    assert (said, prepared.node_id in sim.core.ctx.connected) == ([], False)
    (done,) = completed(sim, "t")
    assert [start.execution_id for start in said] == [f"{done.uid}-1"]
    assert (done.attempt, len(runs(sim, "p"))) == (1, 1)


def test_what_was_printed_on_a_nodes_vm_before_goes_with_its_record():
    """Else the second attempt there would be taken for one of the new VM, and so what it printed."""
    sim = simulation({"jobpreparation": [(5.0, 1), (5.0, 0), (5.0, 0)]})
    ask(sim, prepared_job("j", task("t"), retries=2))
    completed(sim, "t")
    before = record_of(sim)
    ask(sim, ReimageNode("p", before.node_id, NodeDeallocationOption.REQUEUE))
    until(sim, lambda: record_of(sim).state == "released")
    printed = sim.journal.table("outputs")
    assert {key[:4:3]: each.data for key, each in printed.items() if key[0] != "task"} == {
        ("jobpreparation", 1): f"{before.uid}-p1".encode(),
        ("jobpreparation", 2): f"{before.uid}-p2".encode(),
        ("jobrelease", 1): f"{before.uid}-r1".encode(),
    }
    ask(sim, AddTasks("j", (task("u"),)))
    completed(sim, "u")
    after = record_of(sim)
    assert (after.node_id, after.generation) == (before.node_id, 2)
    assert {key[:4:3]: each.data for key, each in printed.items() if key[0] != "task"} == {
        ("jobpreparation", 1): f"{after.uid}-p1".encode()
    }


# -- what is taken back while it waits for a preparation ----------------------------------------------------------

_GOES_ON = NodeDeallocationOption.TASK_COMPLETION


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.18, 0.22, 0.24])
@pytest.mark.parametrize("size", [0, 2])
@pytest.mark.parametrize("deed", [DisableScheduling, RebootNode, DisableJob])
def test_a_task_that_is_taken_back_as_its_preparation_succeeds_does_not_run_beside_its_next_attempt(
    deed, size, moment
):
    """`moment`: seconds after the end of the preparation on its node, which the controller hears 0.25 s later."""
    plans = {"jobpreparation": [(30.0, 0), (33.0, 0), (30.0, 0)], "t": [(40.0, 0)]}
    sim = simulation(plans, target_dedicated_nodes=4, enable_inter_node_communication=bool(size))
    several = MultiInstanceSettings(coordination_command_line="meet", number_of_instances=2) if size else None
    ask(sim, prepared_job("j", task("t", multi_instance_settings=several)))
    until(sim, lambda: any(end is not None for _, end in runs(sim, "p")))
    node_id = next(x.node_id for x in sim.world.log.started if x.id.endswith("-p1") and not x.live)
    event = DisableJob("j", "wait") if deed is DisableJob else deed("p", node_id, _GOES_ON)
    sim.at(sim.now + moment, lambda now: sim.request(event))
    sim.at(sim.now + 2.0, lambda now: sim.request(EnableJob("j")))
    done = completed(sim, "t")[0]
    starts = [x for x in sim.world.log.started if x.id.startswith(f"{done.uid}-")]
    assert len([x for x in starts if "." not in x.id and not x.killed]) == 1, "no end of it was lost"
    attempts = {x.id.rpartition("-")[2].partition(".")[0] for x in starts}
    spans = [[x for x in starts if x.id.rpartition("-")[2].partition(".")[0] == each] for each in sorted(attempts)]
    for one, other in itertools.pairwise(spans):
        assert max(x.ended for x in one) <= min(x.started for x in other)
