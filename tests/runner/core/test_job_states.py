"""What may be asked of a job in each of its states, what follows, and what is refused with which code."""

from datetime import timedelta

import pytest

from pools import MetadataItem
from runner import (
    AddJobSchedule,
    AddTaskCollection,
    AddTasks,
    DeleteJob,
    DisableJob,
    EnableJob,
    JobConstraints,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    ReplaceJob,
    Schedule,
    TaskConstraints,
    TerminateJob,
    UpdateJob,
)
from runner.states import JobState

from .run import POOL, ask, completed, job, job_of, simulation, task, tasks_of, until

SPEC = JobSpec(id="j", pool_info=POOL)
RICHER = JobSpec(id="j", pool_info=POOL, metadata=(MetadataItem(name="budget", value="7"),))

#: What is asked, to bring a job with a running task into the state.
WAYS = {
    "active": (),
    "disabling": (DisableJob("j", "wait"),),
    "disabled": (DisableJob("j", "requeue"),),
    "terminating": (TerminateJob("j"),),
    "completed": (TerminateJob("j"),),
    "deleting": (DeleteJob("j"),),
}
REQUESTS = {
    "disable": DisableJob("j", "wait"),
    "enable": EnableJob("j"),
    "terminate": TerminateJob("j", "Enough"),
    "delete": DeleteJob("j"),
    "replace": ReplaceJob(JobSpec(id="j", pool_info=POOL, priority=5), frozenset(("priority",))),
    "update": UpdateJob(RICHER),
    "add tasks": AddTasks("j", (task("new"),)),
    "add a collection": AddTaskCollection("j", (task("new"),)),
}
ENDING, OVER, GOING = "JobBeingTerminated", "JobCompleted", "JobBeingDeleted"
#: The state that follows at once, or the code.
FOLLOWS = {
    #                active         disabling      disabled       terminating completed deleting
    "disable": ("disabling", "disabling", "disabled", ENDING, OVER, GOING),
    "enable": ("active", "active", "active", ENDING, OVER, GOING),
    "terminate": ("terminating", "terminating", "completed", ENDING, OVER, GOING),
    "delete": ("deleting", "deleting", None, "deleting", None, GOING),
    "replace": ("active", "disabling", "disabled", ENDING, OVER, GOING),
    "update": ("active", "disabling", "disabled", ENDING, OVER, GOING),
    "add tasks": ("active", "disabling", "disabled", ENDING, OVER, GOING),
    "add a collection": ("active", "disabling", "disabled", ENDING, OVER, GOING),
}
PAIRS = [
    (state, name, follows[number]) for name, follows in FOLLOWS.items() for number, state in enumerate(WAYS)
]


def in_state(state, **changes):
    sim = simulation({"long": [(1000.0, 0)]})
    assert ask(sim, job("j", task("long"), task("later"), **changes)) is None
    until(sim, lambda: tasks_of(sim)["long"].state == "running")
    for event in WAYS[state]:
        assert ask(sim, event) is None
    until(sim, lambda: job_of(sim).state == state)
    return sim


@pytest.mark.parametrize(("state", "name", "follows"), PAIRS, ids=[f"{s}-{n}" for s, n, _ in PAIRS])
def test_every_request_in_every_state(state, name, follows):
    sim = in_state(state)
    before = dict(sim.journal.tables["jobs"]), dict(sim.journal.tables["tasks"])
    refusal = ask(sim, REQUESTS[name])
    if follows in (ENDING, OVER, GOING):
        assert refusal.code == follows
        assert before == (dict(sim.journal.tables["jobs"]), dict(sim.journal.tables["tasks"]))
    elif follows is None:
        assert (refusal, job_of(sim)) == (None, None)
    else:
        assert (refusal, job_of(sim).state) == (None, follows)


def test_the_table_is_whole():
    # a job is never left in `enabling`: nothing has to be done for it to be active
    assert set(WAYS) == set(JobState) - {"enabling"}


@pytest.mark.parametrize("event", REQUESTS.values(), ids=REQUESTS)
def test_there_is_no_such_job(event):
    assert ask(simulation(target_dedicated_nodes=0), event).code == "JobNotFound"


def test_an_enabled_job_was_enabling_before():
    sim = in_state("disabled")
    ask(sim, EnableJob("j"))
    assert (job_of(sim).state, job_of(sim).previous_state) == ("active", "enabling")


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize(("tasks", "ends"), [("requeue", "active"), ("terminate", "completed"), ("wait", "running")])
def test_what_becomes_of_tasks_that_run(tasks, ends, crash):
    sim = simulation({"long": [(1000.0, 0)], "short": [(30.0, 0)]}, task_slots_per_node=2)
    ask(sim, job("j", task("long"), task("short"), task("later")))
    until(sim, lambda: [t.state for t in tasks_of(sim).values()] == ["running", "running", "active"])
    ask(sim, DisableJob("j", tasks))
    if crash:
        sim.crash()
    if tasks == "wait":
        completed(sim, "short")
        assert job_of(sim).state == "disabling"
        completed(sim, "long")
        assert tasks_of(sim)["long"].exit_code == 0
    until(sim, lambda: job_of(sim).state == "disabled")
    ended = "completed" if tasks == "wait" else ends
    assert [t.state for t in tasks_of(sim).values()] == [ended, ended, "active"]
    counts = [(t.requeue_count, t.retry_count) for t in tasks_of(sim).values()]
    assert counts == [(tasks == "requeue", 0), (tasks == "requeue", 0), (0, 0)]
    if tasks == "terminate":
        assert {t.failure.code for t in tasks_of(sim).values() if t.failure} == {"TaskEnded"}
    sim.run(lambda: False, sim.now + 300.0)
    assert tasks_of(sim)["later"].attempt == 0  # nothing starts while it is disabled
    ask(sim, EnableJob("j"))
    completed(sim, "long", "short", "later")


def test_another_word_may_follow_while_a_job_is_being_disabled():
    sim = in_state("disabling")
    assert ask(sim, DisableJob("j", "terminate")) is None
    until(sim, lambda: job_of(sim).state == "disabled", 5.0)
    assert tasks_of(sim)["long"].failure.code == "TaskEnded"


def test_a_failed_task_of_a_job_that_is_being_disabled_is_tried_again_later():
    sim = simulation({"t": [(20.0, 1), (5.0, 0)]})
    ask(sim, job("j", task("t", constraints=TaskConstraints(max_task_retry_count=1))))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, DisableJob("j", "wait"))
    until(sim, lambda: job_of(sim).state == "disabled")
    assert (tasks_of(sim)["t"].state, tasks_of(sim)["t"].retry_count) == ("active", 1)
    ask(sim, EnableJob("j"))
    assert completed(sim, "t")[0].exit_code == 0


def test_an_unknown_word_is_refused():
    assert ask(in_state("active"), DisableJob("j", "kill")).code == "InvalidPropertyValue"


@pytest.mark.parametrize("state", ["active", "disabling", "disabled"])
def test_a_job_runs_out_of_time_in_every_state_in_which_it_lives(state):
    sim = in_state(state, constraints=JobConstraints(max_wall_clock_time=timedelta(seconds=300)))
    until(sim, lambda: job_of(sim).state == "completed", 305.0)
    assert job_of(sim).terminate_reason == "MaxWallClockTimeExpiry"


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("state", WAYS)
def test_a_deleted_job_leaves_nothing(state, crash):
    sim = in_state(state)
    if state != "deleting":
        assert ask(sim, DeleteJob("j")) is None
    if crash:
        sim.crash()
    until(sim, lambda: job_of(sim) is None)
    for table in ("tasks", "outputs", "job_nodes"):
        assert not sim.journal.table(table)
    until(sim, lambda: not sim.world.log.live)
    # nothing of the former job is in the way of a new one
    assert ask(sim, job("j", task("long"), task("t"), on_all_tasks_complete="terminatejob")) is None
    until(sim, lambda: job_of(sim).state == "completed")


# -- deleted while its schedule goes on ------------------------------------------------------------------------


def test_a_schedule_goes_on_when_its_job_is_deleted():
    sim = simulation({"m": [(1000.0, 0)]})
    specification = JobSpecification(pool_info=POOL, job_manager_task=JobManagerTask(id="m", command_line="x"))
    times = Schedule(recurrence_interval=timedelta(seconds=60))
    ask(sim, AddJobSchedule(JobScheduleSpec(id="s", schedule=times, job_specification=specification)))
    until(sim, lambda: tasks_of(sim, "s:job-1")["m"].state == "running")
    ask(sim, DeleteJob("s:job-1"))
    until(sim, lambda: job_of(sim, "s:job-2") is not None, 120.0)
    assert job_of(sim, "s:job-1") is None
