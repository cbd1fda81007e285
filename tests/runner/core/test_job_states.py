"""What may be asked of a job in each of its states, what follows, and what is refused with which code."""

from datetime import timedelta

import pytest

from pools import MetadataItem, PoolSpec
from runner import (
    AddJobSchedule,
    AddPool,
    AddTasks,
    DeleteJob,
    DisableJob,
    EnableJob,
    JobConstraints,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
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


# -- what may change -------------------------------------------------------------------------------------------


def replace(sim, job_id="j", **changes):
    spec = JobSpec(**({"id": job_id, "pool_info": POOL} | changes))
    return ask(sim, ReplaceJob(spec, frozenset(changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 1001},
        {"max_parallel_tasks": 0},
        {"max_parallel_tasks": -2},
        {"constraints": JobConstraints(max_task_retry_count=-2)},
        {"metadata": (MetadataItem(name="budget", value="much"),)},
        {"pool_info": PoolInfo(pool_id="other")},
        {"uses_task_dependencies": True},
        {"display_name": "new"},
        {"on_all_tasks_complete": "noaction"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_what_cannot_be(changes):
    sim = in_state("active", on_all_tasks_complete="terminatejob")
    before = job_of(sim)
    assert replace(sim, **changes).code == "InvalidPropertyValue"
    assert job_of(sim) is before


def test_the_priority_of_waiting_tasks_changes():
    sim = in_state("active")
    ask(sim, job("k", task("first")))
    ask(sim, job("l", task("second")))
    assert replace(sim, "l", priority=7) is None
    ask(sim, TerminateJob("j"))
    (first,), (second,) = (completed(sim, name, job_id=key) for key, name in (("k", "first"), ("l", "second")))
    assert second.start_time < first.start_time


def test_a_limit_of_time_changes():
    sim = in_state("active")
    replace(sim, constraints=JobConstraints(max_wall_clock_time=timedelta(seconds=100)))
    until(sim, lambda: job_of(sim).state == "completed", 100.0)
    sim = in_state("active", constraints=JobConstraints(max_wall_clock_time=timedelta(seconds=100)))
    replace(sim, constraints=JobConstraints())
    sim.run(lambda: False, sim.now + 200.0)
    assert job_of(sim).state == "active"


def test_a_job_whose_tasks_are_completed_ends_when_it_is_told_to():
    sim = simulation()
    ask(sim, job("j", task("t")))
    completed(sim, "t")
    replace(sim, on_all_tasks_complete="terminatejob")
    assert (job_of(sim).state, job_of(sim).terminate_reason) == ("completed", "AllTasksComplete")


def test_a_disabled_job_ends_when_its_last_task_does():
    sim = simulation({"t": [(50.0, 0)]})
    ask(sim, job("j", task("t"), on_all_tasks_complete="terminatejob"))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, DisableJob("j", "wait"))
    until(sim, lambda: job_of(sim).state == "completed")
    assert job_of(sim).terminate_reason == "AllTasksComplete"


def test_a_job_moves_to_another_pool_while_it_is_disabled():
    sim = in_state("disabled")
    assert replace(sim, pool_info=PoolInfo(pool_id="q")).code == "PoolNotFound"
    ask(sim, AddPool(PoolSpec(id="q", vm_size="simulated.small", target_dedicated_nodes=1), "simulated", "simulated"))
    assert replace(sim, pool_info=PoolInfo(pool_id="q")) is None
    counts = sim.core.tasks.counts
    assert (counts("p").active, counts("q").active) == (0, 0)
    ask(sim, EnableJob("j"))
    assert (counts("p").active, counts("q").active) == (0, 2)
    until(sim, lambda: tasks_of(sim)["long"].state == "running")
    assert sim.journal.table("nodes")[tasks_of(sim)["long"].node_id].pool_id == "q"


# -- how many at a time ----------------------------------------------------------------------------------------


def running(sim, job_id="j"):
    return sum(t.state in ("preparing", "running") for t in tasks_of(sim, job_id).values())


def test_so_many_tasks_at_a_time():
    sim = simulation(task_slots_per_node=4)
    ask(sim, job("j", *(task(f"t{n}") for n in range(9)), max_parallel_tasks=2))
    ask(sim, job("other", *(task(f"o{n}") for n in range(2))))
    most = 0
    while any(t.state != "completed" for t in tasks_of(sim).values()):
        assert sim.step()
        most = max(most, running(sim))
    assert most == 2
    # those behind it were not held up
    assert tasks_of(sim, "other")["o1"].start_time == tasks_of(sim)["t1"].start_time


def test_the_limit_changes_at_any_time():
    sim = simulation({f"t{n}": [(100.0, 0)] for n in range(9)}, task_slots_per_node=4)
    ask(sim, job("j", *(task(f"t{n}") for n in range(9)), max_parallel_tasks=1))
    until(sim, lambda: running(sim) == 1)
    replace(sim, max_parallel_tasks=3)
    until(sim, lambda: running(sim) == 3, 5.0)
    replace(sim, max_parallel_tasks=1)
    assert running(sim) == 3  # none is ended for it
    until(sim, lambda: running(sim) == 1)
    replace(sim, max_parallel_tasks=-1)
    until(sim, lambda: running(sim) == 4, 5.0)


def test_short_tasks_sent_ahead_count():
    sim = simulation({f"t{n}": [(0.01, 0)] for n in range(60)})
    ask(sim, job("j", *(task(f"t{n}") for n in range(60)), max_parallel_tasks=3))
    while any(t.state != "completed" for t in tasks_of(sim).values()):
        assert sim.step()
        assert sum(t.node_id is not None for t in tasks_of(sim).values()) <= 3


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
