"""Job release tasks: how jobs with preparation tasks end, and how their nodes leave."""

from datetime import timedelta

import pytest

from pools import NodeDeallocationOption
from runner import DeleteJob, DisableJob, Drain, EnableJob, RebootNode, ResizePool, TaskConstraints, TerminateJob
from runner.states import JobNodeState
from runner.task_spec import JobPreparationTask, JobReleaseTask

from .prepared import FOR_EVER, prepared_job, record_of, runs, starts_of
from .run import ask, completed, job, job_of, node_of, simulation, task, tasks_of, until


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


@pytest.mark.parametrize("began", [True, False])
def test_a_preparation_that_its_node_lost_unheard_is_released_if_it_began(began):
    """Nobody has told that it began when the job is terminated and the node comes back without it."""
    sim = simulation({"jobpreparation": [(60.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: runs(sim, "p") if began else record_of(sim))
    assert bool(runs(sim, "p")) == began and record_of(sim).preparation.start_time is None
    sim.world.reboot(node_of(sim).vm_name)
    ask(sim, TerminateJob("j"))
    until(sim, lambda: job_of(sim).state == "completed", 60.0)
    assert (len(runs(sim, "p")), len(runs(sim, "r"))) == (began, began)
    assert record_of(sim).preparation.failure.code == "TaskEnded"


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


@pytest.mark.parametrize("option", list(NodeDeallocationOption))
def test_a_node_that_leaves_while_it_reboots_goes(option):
    """Whoever lets tasks finish lets the release run as well, when the node answers again."""
    sim = simulation()
    ask(sim, prepared_job("j", task("t")))
    completed(sim, "t")
    until(sim, lambda: node_of(sim).state == "idle")
    assert ask(sim, RebootNode("p", node_of(sim).id, NodeDeallocationOption.REQUEUE)) is None
    assert ask(sim, ResizePool("p", 0, 0, option)) is None
    until(sim, lambda: not sim.journal.table("nodes"), 300.0)
    patient = option in (NodeDeallocationOption.TASK_COMPLETION, NodeDeallocationOption.RETAINED_DATA)
    assert len(runs(sim, "r")) == patient


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
