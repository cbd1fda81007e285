"""Many tasks that wait for one: what follows from its end comes in slices, and nothing else waits for all of them."""

import pytest

from runner import AddTasks, DeleteTask, ReactivateTask, TerminateTask, waiting_tasks

from .run import ask, job, job_of, simulation, task, tasks_of, until
from .test_dependencies import after, dependent, stuck

SLICE, MANY = 10, 95


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(waiting_tasks, "SLICE", SLICE)


def star(plans=None, **changes):
    sim = simulation({"0": [(5.0, 1), (5.0, 0)]} | (plans or {}), task_slots_per_node=20)
    sim.commits = []
    commit = sim.journal.commit

    def watched(changes):
        sim.commits.append(sum(change.table == "tasks" for change in changes))
        commit(changes)

    sim.journal.commit = watched
    assert ask(sim, dependent(task("0"), *(after(str(n), "0") for n in range(1, MANY + 1)), **changes)) is None
    sim.commits.clear()
    return sim


def settled(sim):
    until(sim, lambda: sim.core is not None and sim.core.tasks.is_settled)


def failed(sim):
    until(sim, lambda: tasks_of(sim)["0"].state == "completed")
    return sim


def test_all_are_told_and_no_commit_holds_them_all():
    sim = failed(star())
    at = sim.now
    assert 0 < len(stuck(sim)) <= 2 * SLICE
    assert sim.core.unfinished(), "more is to come"
    settled(sim)
    assert len(stuck(sim)) == MANY and not sim.core.unfinished()
    assert sim.now == at, "it takes no time"
    assert max(sim.commits) <= 2 * SLICE + 2
    ask(sim, ReactivateTask("j", "0"))
    settled(sim)
    assert stuck(sim) == {}
    until(sim, lambda: all(record.state == "completed" for record in tasks_of(sim).values()))
    assert max(sim.commits) <= 2 * SLICE + 40, "beside those that start and end meanwhile"


@pytest.mark.parametrize("moment", ["told", "reactivated"])
def test_a_crash_in_between_forgets_nothing(moment):
    sim = failed(star())
    if moment == "reactivated":
        settled(sim)
        assert ask(sim, ReactivateTask("j", "0")) is None
        assert stuck(sim)
    assert not sim.core.tasks.is_settled
    sim.crash()
    settled(sim)
    if moment == "told":
        assert len(stuck(sim)) == MANY
    until(sim, lambda: moment == "told" or all(record.state == "completed" for record in tasks_of(sim).values()))


def test_the_mind_is_changed_in_between():
    sim = failed(star())
    assert ask(sim, ReactivateTask("j", "0")) is None
    settled(sim)
    assert stuck(sim) == {}
    assert ask(sim, TerminateTask("j", "0")) is None
    assert ask(sim, DeleteTask("j", "0")) is None
    until(sim, lambda: "0" not in tasks_of(sim))
    settled(sim)
    assert set(stuck(sim).values()) == {"MissingDependency"} and len(stuck(sim)) == MANY
    assert ask(sim, AddTasks("j", (task("0"),))) is None
    until(sim, lambda: all(record.state == "completed" for record in tasks_of(sim).values()))


def test_those_that_end_in_between_are_left_alone():
    sim = failed(star())
    for name in ("50", str(MANY)):
        assert name not in stuck(sim)
        sim.request(TerminateTask("j", name))
    sim.request(DeleteTask("j", "60"))
    settled(sim)
    tasks = tasks_of(sim)
    assert {tasks[name].state for name in ("50", str(MANY))} == {"completed"} and "60" not in tasks
    assert len(stuck(sim)) == MANY - 3


def test_a_job_that_ends_in_between():
    sim = star({"0": [(5.0, 1)]})
    failed(sim)
    assert ask(sim, job("k", task("other"))) is None
    sim.core.jobs.terminate("j", "UserTerminate", sim.now)
    settled(sim)
    until(sim, lambda: job_of(sim).state == "completed")


def test_a_circle_is_seen_while_all_is_seen_anew():
    sim = failed(star())
    settled(sim)
    assert ask(sim, DeleteTask("j", "0")) is None
    assert not sim.core.tasks.is_settled
    refused = ask(sim, AddTasks("j", (after("0", str(MANY)),)))
    assert " -> " in str(refused)
