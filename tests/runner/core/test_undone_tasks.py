"""Completed tasks that are deleted or reactivated while others wait: nothing that may start waits for that to end."""

import random

import pytest

from runner import AddTasks, DeleteTask, JobError, ReactivateTask, TerminateTask, waiting_tasks
from runner.events import Event, Outcome

from .run import ask, job, simulation, task, tasks_of, until
from .test_dependencies import after, dependent

SLICE, MANY = 10, 95
JUNK = [f"junk{n}" for n in range(40)]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(waiting_tasks, "SLICE", SLICE)


def batch(sim, *events):
    """These events, and the end of their batch: no more of what is left over than one batch does."""
    core = sim.core
    for event in events:
        if (key := core.missing(event)) is not None:
            core.recall(sim.journal.task(key))
        core.handle(event, sim.now)
    core.settle(sim.now)
    sim.journal.commit(core.take()[0])


def settled(sim):
    while not sim.core.tasks.is_settled:
        batch(sim)


def crowd(*wanted, code=0):
    """Many tasks wait for a slow one; the first of them names `wanted` too, and the last one waits for "late"."""
    plans = {"slow": [(1e6, 0)], "late": [(1e6, 0)]} | {name: [(10.0, code)] for name in JUNK}
    sim = simulation(plans, task_slots_per_node=60)
    assert ask(sim, dependent(*map(task, ("slow", "late", *JUNK)))) is None
    until(sim, lambda: sum(each.state == "completed" for each in tasks_of(sim).values()) == len(JUNK))
    others = [after(f"w{n}", "slow") for n in range(1, MANY)]
    batch(sim, AddTasks("j", (after("w0", "slow", *wanted), *others, after("behind", "late"))))
    settled(sim)
    return sim


def succeeded(sim, task_id):
    one = tasks_of(sim)[task_id]
    return Outcome(one.node_id, one.execution_id, sim.now, sim.now, 0)


def seen_anew(monkeypatch):
    seen = []
    settle = waiting_tasks.WaitingTasks._settle_anew

    def watched(self, one, now):
        seen.append(one.id)
        settle(self, one, now)

    monkeypatch.setattr(waiting_tasks.WaitingTasks, "_settle_anew", watched)
    return seen


@pytest.mark.parametrize("deed", [DeleteTask, ReactivateTask])
def test_what_nobody_waits_for_goes_without_a_look_at_those_that_wait(deed, monkeypatch):
    sim = crowd(code=1)
    seen = seen_anew(monkeypatch)
    for name in JUNK[:5]:
        batch(sim, deed("j", name))
    batch(sim, succeeded(sim, "late"), deed("j", JUNK[5]))
    assert not tasks_of(sim)["behind"].waiting and tasks_of(sim)["behind"].node_id
    assert not seen and sim.core.tasks.is_settled


def test_what_only_those_waited_for_that_have_started_goes_as_easily(monkeypatch):
    sim = crowd()
    five = [task(str(n)) for n in range(5)]
    batch(sim, AddTasks("j", (*five, after("one", *JUNK[:5]), after("all", ranges=[(0, 4)]))))
    batch(sim, *(succeeded(sim, str(n)) for n in reversed(range(5))))
    assert tasks_of(sim)["one"].node_id and tasks_of(sim)["all"].node_id
    seen = seen_anew(monkeypatch)
    batch(sim, DeleteTask("j", JUNK[0]), DeleteTask("j", "3"))
    assert not seen and sim.core.tasks.is_settled
    batch(sim, AddTasks("j", (after("new", JUNK[0]), after("newer", ranges=[(0, 4)]))))
    assert {tasks_of(sim)[name].scheduling_error.code for name in ("new", "newer")} == {"MissingDependency"}


def test_a_task_that_may_start_does_so_while_others_go_again_and_again():
    """Each of them is one that a task waits for, so all that wait are seen anew each time: in slices."""
    sim = crowd(*JUNK)
    batch(sim, DeleteTask("j", JUNK[0]))
    batch(sim, succeeded(sim, "late"), DeleteTask("j", JUNK[1]))
    for name in JUNK[2 : 3 + MANY // SLICE]:
        batch(sim, DeleteTask("j", name))
    assert not tasks_of(sim)["behind"].waiting
    settled(sim)
    assert tasks_of(sim)["w0"].scheduling_error.code == "MissingDependency"


def test_no_job_keeps_another_one_waiting():
    sim = crowd(*JUNK)
    assert ask(sim, job("k", task("late"), after("behind", "late"), uses_task_dependencies=True)) is None
    late = sim.journal.table("tasks")["k", "late"]
    batch(sim, DeleteTask("j", JUNK[0]))
    batch(sim, DeleteTask("j", JUNK[1]), Outcome(late.node_id, late.execution_id, sim.now, sim.now, 0))
    batch(sim, DeleteTask("j", JUNK[2]))
    assert not sim.journal.table("tasks")["k", "behind"].waiting
    assert not sim.core.tasks.is_settled, "of the other job"


@pytest.mark.parametrize("seed", range(30))
def test_all_stands_as_if_it_was_seen_anew(seed, monkeypatch):
    monkeypatch.setattr(waiting_tasks, "SLICE", 1 + seed % 3)
    rng = random.Random(seed)
    names = [str(n) for n in range(12)] + ["A", "b", "C"]
    sim = simulation({name: [(1e6, 0)] for name in names}, task_slots_per_node=20)
    assert ask(sim, dependent(task("first"))) is None

    def new(name):
        if rng.random() < 0.3:
            return task(name)
        ids = (rng.choice((str.lower, str.upper))(each) for each in rng.sample(names, rng.randrange(3)))
        return after(name, *ids, ranges=[sorted((rng.randrange(12), rng.randrange(12)))] * rng.randrange(2))

    def stands():
        there = tasks_of(sim).values()
        return {one.id: (one.waiting, one.scheduling_error is not None) for one in there if one.state != "completed"}

    for _ in range(150):
        name, there = rng.choice(names), tasks_of(sim)
        event: Event = rng.choice((DeleteTask, ReactivateTask, TerminateTask))("j", name)
        if name not in there:
            event = AddTasks("j", (new(name),))
        elif there[name].node_id is not None:
            event = Outcome(there[name].node_id, there[name].execution_id, sim.now, sim.now, int(rng.random() < 0.2))
        try:
            batch(sim, event)
        except JobError:
            continue
        if rng.random() < 0.3:
            settled(sim)
            before, tasks = stands(), sim.core.tasks
            tasks._see_anew("j", tasks._waiting_of("j"))
            settled(sim)
            assert stands() == before, event
