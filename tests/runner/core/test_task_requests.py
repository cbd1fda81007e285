"""What can be asked of single tasks: every request in every state of the task and of its job."""

from datetime import timedelta

import pytest

from runner import (
    AddTasks,
    DeleteJob,
    DeleteTask,
    DisableJob,
    Event,
    JobError,
    ReactivateTask,
    TaskConstraints,
    TerminateJob,
    TerminateTask,
    UpdateTask,
)
from runner.model import Output

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until

CONSTRAINTS = TaskConstraints(max_task_retry_count=5)
REQUESTS = {
    "terminate": TerminateTask("j", "t"),
    "reactivate": ReactivateTask("j", "t"),
    "delete": DeleteTask("j", "t"),
    "update": UpdateTask("j", "t", CONSTRAINTS),
}


def waiting_sim():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j", task("t")))
    return sim


def running_sim():
    sim = simulation({"t": [(500.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    return sim


def completed_sim(code):
    sim = simulation({"t": [(5.0, code)]})
    ask(sim, job("j", task("t")))
    completed(sim, "t")
    return sim


def empty_sim():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j"))
    return sim


STATES = {
    "none": empty_sim,
    "active": waiting_sim,
    "running": running_sim,
    "failed": lambda: completed_sim(3),
    "succeeded": lambda: completed_sim(0),
}
#: By the state of the task: the code for each request; None: granted.
CODES: dict[str, dict[str, str]] = {
    "none": dict.fromkeys(REQUESTS, "TaskNotFound"),
    "active": {"reactivate": "TaskNotCompleted"},
    "running": {"reactivate": "TaskNotCompleted"},
    "failed": {"terminate": "TaskCompleted"},
    "succeeded": {"terminate": "TaskCompleted", "reactivate": "TaskSucceeded"},
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("state", STATES)
def test_a_request_in_each_state_of_the_task(state, name):
    sim = STATES[state]()
    before = tasks_of(sim)
    refusal = ask(sim, REQUESTS[name])
    expected = CODES[state].get(name)
    assert (refusal and refusal.code) == expected
    if expected is not None:
        assert isinstance(refusal, JobError) and "'t'" in str(refusal)
        assert tasks_of(sim) == before


JOBS: dict[str, tuple[Event, dict[str, str | None]]] = {
    "disabled": (DisableJob("j", "requeue"), dict.fromkeys(REQUESTS)),
    "completed": (
        TerminateJob("j"),
        {"terminate": "JobCompleted", "reactivate": "JobCompleted", "delete": None, "update": "JobCompleted"},
    ),
    "gone": (DeleteJob("j"), dict.fromkeys(REQUESTS, "JobNotFound")),
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("state", JOBS)
@pytest.mark.parametrize("crash", [False, True])
def test_a_request_in_each_state_of_the_job(state, name, crash):
    change, codes = JOBS[state]
    sim = completed_sim(3) if name == "reactivate" else waiting_sim()
    ask(sim, change)
    until(sim, lambda: (state == "gone" and job_of(sim) is None) or job_of(sim).state == state)
    if crash:
        sim.crash()
    refusal = ask(sim, REQUESTS[name])
    assert (refusal and refusal.code) == codes[name]


ENDING: dict[str, str | None] = {
    "terminate": "JobBeingTerminated",
    "reactivate": "JobBeingTerminated",
    "delete": None,
    "update": "JobBeingTerminated",
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("deleted", [False, True])
def test_a_request_while_the_job_ends(name, deleted):
    """Another task of it still runs: its end is not heard of yet."""
    sim = simulation({"t": [(5.0, 3)], "slow": [(500.0, 0)]}, task_slots_per_node=2)
    more = [] if name == "reactivate" else [task("t", required_slots=2)]
    first = [task("t")] if name == "reactivate" else []
    ask(sim, job("j", task("slow"), *first))
    until(sim, lambda: tasks_of(sim)["slow"].state == "running")
    if first:
        completed(sim, "t")
    else:
        ask(sim, AddTasks("j", tuple(more)))
    both = [sim.request(DeleteJob("j") if deleted else TerminateJob("j")), sim.request(REQUESTS[name])]
    assert sim.run(lambda: all(request.answered for request in both), sim.now + 60)
    refusal = both[1].refused
    assert (refusal and refusal.code) == ("JobBeingDeleted" if deleted else ENDING[name])


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_about_no_job(name):
    assert ask(simulation(), REQUESTS[name]).code == "JobNotFound"


# -- what comes of them --------------------------------------------------------------------------------------


def test_terminate_a_waiting_task():
    sim = waiting_sim()
    ask(sim, TerminateTask("j", "t"))
    record = tasks_of(sim)["t"]
    assert (record.state, record.failure.code, record.exit_code) == ("completed", "TaskEnded", None)
    assert tuple(sim.core.counts("p")) == (0, 0, 0, 1)


def test_terminate_a_running_task_without_retries():
    sim = simulation({"t": [(500.0, 0)]})
    ask(sim, job("j", task("t", constraints=CONSTRAINTS)))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, TerminateTask("j", "t"))
    assert ask(sim, TerminateTask("j", "t")) is None or tasks_of(sim)["t"].state == "completed"
    (record,) = completed(sim, "t")
    assert (record.failure.code, record.exit_code, record.retry_count) == ("TaskEnded", 137, 0)


@pytest.mark.parametrize("crash", [False, True])
def test_reactivate_gives_all_retries_again(crash):
    sim = simulation({"t": [(1.0, 1), (1.0, 1), (1.0, 1), (1.0, 0)]})
    ask(sim, job("j", task("t", constraints=TaskConstraints(max_task_retry_count=1))))
    (failed,) = completed(sim, "t")
    assert (failed.retry_count, failed.attempt) == (1, 2)
    if crash:
        sim.crash()
    ask(sim, ReactivateTask("j", "t"))
    record = tasks_of(sim)["t"]
    assert (record.exit_code, record.failure, record.result, record.end_time, record.retry_count) == (
        *(None,) * 4,
        0,
    )
    (done,) = completed(sim, "t")
    assert (done.result, done.retry_count, done.attempt, done.uid) == ("success", 1, 4, failed.uid)
    assert tuple(sim.core.counts("p")) == (0, 0, 1, 0)


@pytest.mark.parametrize("crash", [False, True])
def test_delete_a_running_task(crash):
    sim = running_sim()
    ask(sim, DeleteTask("j", "t"))
    if crash:
        sim.crash()
    uid = tasks_of(sim)["t"].uid
    until(sim, lambda: not tasks_of(sim))
    assert ask(sim, DeleteTask("j", "t")).code == "TaskNotFound"
    until(sim, lambda: not sim.world.log.live)
    assert tuple(sim.core.counts("p")) == (0, 0, 0, 0)
    assert ask(sim, AddTasks("j", (task("t"),))) is None
    assert tasks_of(sim)["t"].uid != uid


def test_twice_at_once():
    """The second time the task still stands in the store."""
    sim = completed_sim(0)
    requests = [sim.request(DeleteTask("j", "t")), sim.request(DeleteTask("j", "t"))]
    assert sim.run(lambda: all(request.answered for request in requests), sim.now + 60)
    assert [request.refused and request.refused.code for request in requests] == [None, "TaskNotFound"]
    assert tuple(sim.core.counts("p")) == (0, 0, 0, 0)


def test_a_task_that_is_being_deleted_is_there_no_more():
    sim = running_sim()
    requests = [sim.request(DeleteTask("j", "t")), *map(sim.request, REQUESTS.values())]
    assert sim.run(lambda: all(request.answered for request in requests), sim.now + 60)
    assert requests[0].refused is None
    assert [request.refused.code for request in requests[1:]] == ["TaskNotFound"] * 4
    assert ask(sim, AddTasks("j", (task("t"),))).code == "TaskExists"
    until(sim, lambda: not tasks_of(sim))


def test_nothing_turns_a_deletion_back():
    sim = running_sim()
    requests = [sim.request(DeleteTask("j", "t")), sim.request(TerminateJob("j"))]
    assert sim.run(lambda: all(request.answered for request in requests), sim.now + 60)
    until(sim, lambda: job_of(sim).state == "completed")
    assert tasks_of(sim) == {}


def test_a_deleted_task_takes_its_outputs_along():
    sim = completed_sim(0)
    outputs = sim.journal.table("outputs")
    for task_id in ("t", "t2"):
        output = Output(owner="task", parent_id="j", id=task_id, stream="stdout", size=1, data=b"x")
        outputs[output.key] = output
    ask(sim, DeleteTask("j", "t"))
    assert [key[2] for key in outputs] == ["t2"]
    assert tasks_of(sim) == {}


def test_what_deleted_tasks_have_cost_is_not_forgotten():
    sim = completed_sim(0)
    spent = sim.core.tasks.costs.ended("j")
    assert spent.known or spent.unpriced
    ask(sim, DeleteTask("j", "t"))
    assert sim.core.tasks.costs.ended("j") == spent
    sim.crash()
    until(sim, lambda: sim.core is not None)
    assert sim.core.tasks.costs.ended("j") == spent


def test_a_job_is_complete_when_its_last_open_task_is_deleted():
    sim = running_sim()
    ask(sim, job("k", task("t"), on_all_tasks_complete="terminatejob"))
    ask(sim, DeleteTask("k", "t"))
    until(sim, lambda: job_of(sim, "k").state == "completed", 60)
    assert job_of(sim, "k").terminate_reason == "AllTasksComplete"


def test_other_retries_count_at_once():
    sim = simulation({"t": [(5.0, 1)]})
    ask(sim, job("j", task("t", constraints=TaskConstraints(max_task_retry_count=-1))))
    until(sim, lambda: tasks_of(sim)["t"].retry_count == 3)
    assert ask(sim, UpdateTask("j", "t", TaskConstraints(max_task_retry_count=4))) is None
    (record,) = completed(sim, "t")
    assert record.retry_count == 4
    assert record.spec.command_line == "work"


def test_a_completed_task_takes_constraints_for_when_it_runs_again():
    sim = completed_sim(3)
    assert ask(sim, UpdateTask("j", "t", TaskConstraints(max_task_retry_count=2))) is None
    assert tasks_of(sim)["t"].state == "completed"
    ask(sim, ReactivateTask("j", "t"))
    until(sim, lambda: tasks_of(sim)["t"].retry_count == 2)
    (record,) = completed(sim, "t")
    assert record.retry_count == 2


@pytest.mark.parametrize(
    "constraints",
    [TaskConstraints(max_task_retry_count=-2), TaskConstraints(max_wall_clock_time=timedelta(0))],
)
def test_bad_constraints(constraints):
    assert ask(waiting_sim(), UpdateTask("j", "t", constraints)).code == "InvalidPropertyValue"


@pytest.mark.parametrize("asked", ["terminate", "reactivate", "delete", "update"])
@pytest.mark.parametrize("goes", [(DeleteTask("j", "t"),), (DeleteJob("j"), job("j"))], ids=["task", "job"])
@pytest.mark.parametrize("state", [waiting_sim, lambda: completed_sim(1)], ids=["waiting", "completed"])
def test_what_goes_is_not_found_again_by_who_asks_at_the_same_time(state, goes, asked):
    """It stands in the store until the batch is committed."""
    sim = state()
    gone = [sim.request(event) for event in goes]
    late = sim.request(REQUESTS[asked])
    until(sim, lambda: late.answered)
    assert [request.refused for request in gone] == [None] * len(goes)
    assert isinstance(late.refused, JobError) and late.refused.code == "TaskNotFound"
    assert not sim.journal.table("tasks")
    assert sim.core.counts("p") == (0, 0, 0, 0)
