"""Tasks that depend on others, on the simulation."""

import random

import pytest

from runner import AddTasks, DeleteTask, JobError, ReactivateTask, TerminateTask, waiting_tasks
from runner.simulation import START
from runner.simulation_faults import Faults
from runner.task_spec import ExitCodeMapping, ExitConditions, ExitOptions, TaskDependencies, TaskIdRange

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until

INVALID = "InvalidPropertyValue"


def needs(*ids, ranges=()):
    return TaskDependencies(
        task_ids=ids, task_id_ranges=tuple(TaskIdRange(start=start, end=end) for start, end in ranges)
    )


def after(task_id, *ids, ranges=(), **changes):
    return task(task_id, depends_on=needs(*ids, ranges=ranges), **changes)


def dependent(*tasks, **changes):
    return job("j", *tasks, uses_task_dependencies=True, **changes)


def starts(sim):
    """Task ids in the order in which they were started."""
    by_uid = {record.uid: record.id for record in sim.journal.table("tasks").values()}
    return [by_uid[x.id.rpartition("-")[0]] for x in sim.world.log.started]


def stuck(sim):
    return {key: record.scheduling_error.code for key, record in tasks_of(sim).items() if record.scheduling_error}


def counts(sim):
    return tuple(sim.core.counts("p"))


# -- order ---------------------------------------------------------------------------------------------------


def test_each_starts_when_all_have_succeeded_that_it_depends_on():
    sim = simulation(task_slots_per_node=4)
    chain = [after("c", "b"), after("b", "a"), task("a"), after("last", "c", ranges=[(1, 3)])]
    ask(sim, dependent(*chain, *(task(str(n)) for n in (1, 2, 3)), on_all_tasks_complete="terminatejob"))
    until(sim, lambda: job_of(sim).state == "completed")
    order = starts(sim)
    assert sorted(order[:4]) == ["1", "2", "3", "a"]
    assert order[4:] == ["b", "c", "last"]


def test_those_that_wait_do_not_count_as_active():
    sim = simulation()
    ask(sim, dependent(task("a"), after("b", "a"), after("c", "b")))
    assert counts(sim) == (1, 0, 0, 0)
    assert [tasks_of(sim)[key].waiting for key in "abc"] == [False, True, True]
    sim.crash()
    until(sim, lambda: sim.core is not None)
    assert counts(sim) == (1, 0, 0, 0)


def test_what_has_ended_already_is_not_waited_for():
    sim = simulation()
    ask(sim, dependent(task("1"), task("2")))
    completed(sim, "1", "2")
    ask(sim, AddTasks("j", (after("3", "1", ranges=[(1, 2)]),)))
    assert not tasks_of(sim)["3"].waiting
    completed(sim, "3")


# -- failure -------------------------------------------------------------------------------------------------


def failed_chain(**changes):
    sim = simulation({"1": [(10.0, 3), (10.0, 0)]})
    tail = [after("2", "1"), after("3", ranges=[(1, 2)]), after("4", "3"), after("5", "0")]
    ask(sim, dependent(task("0"), task("1"), *tail, **changes))
    completed(sim, "0", "1", "5")
    return sim


def test_what_depends_on_a_task_that_succeeded_and_blocks_is_told_so():
    blocks = ExitCodeMapping(code=0, exit_options=ExitOptions(dependency_action="block"))
    sim = simulation()
    ask(sim, dependent(task("1", exit_conditions=ExitConditions(exit_codes=(blocks,))), after("2", "1")))
    (one,) = completed(sim, "1")
    error = tasks_of(sim)["2"].scheduling_error
    assert one.result == "success"
    assert "'1', which lets no other start (see its exitConditions)" in error.message


def test_what_depends_on_a_failed_task_is_told_at_once():
    sim = failed_chain()
    assert stuck(sim) == dict.fromkeys("234", "DependencyFailed")
    errors = {key: tasks_of(sim)[key].scheduling_error for key in "234"}
    assert [errors[key].details[0].value for key in "24"] == ["1", "3"]
    assert "'1', which has failed" in errors["2"].message
    assert "'3', which cannot start either" in errors["4"].message
    assert counts(sim) == (0, 0, 2, 1)
    assert not sim.core.unfinished()
    assert "4" not in starts(sim)
    ask(sim, AddTasks("j", (after("6", "4"), after("7", ranges=[(0, 1)]), task("8"))))
    assert stuck(sim) == dict.fromkeys("23467", "DependencyFailed")


@pytest.mark.parametrize("crash", [False, True])
def test_reactivated_and_successful_it_lets_them_start(crash):
    sim = failed_chain(on_all_tasks_complete="terminatejob")
    if crash:
        sim.crash()
    assert ask(sim, ReactivateTask("j", "1")) is None
    assert stuck(sim) == {}
    until(sim, lambda: job_of(sim).state == "completed")
    assert starts(sim)[-3:] == ["2", "3", "4"]
    assert {record.result for record in tasks_of(sim).values()} == {"success"}


def test_a_failure_that_satisfies():
    sim = simulation({"a": [(1.0, 3)]})
    satisfies = ExitConditions(default=ExitOptions(dependency_action="satisfy"))
    ask(sim, dependent(task("a", exit_conditions=satisfies), after("b", "a")))
    (a, b) = completed(sim, "a", "b")
    assert a.result == "failure" and a.satisfies and b.result == "success"


def test_a_task_ended_on_request_blocks():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, dependent(task("a"), after("b", "a"), after("c", "b")))
    ask(sim, TerminateTask("j", "b"))
    assert stuck(sim) == {"c": "DependencyFailed"}
    ask(sim, ReactivateTask("j", "b"))
    assert stuck(sim) == {} and tasks_of(sim)["b"].waiting


def test_a_deleted_task_blocks_until_it_comes_again():
    sim = simulation()
    ask(sim, dependent(task("1", required_slots=1), task("2"), after("3", ranges=[(1, 2)]), after("4", "3")))
    ask(sim, DeleteTask("j", "2"))
    until(sim, lambda: "2" not in tasks_of(sim))
    assert stuck(sim) == {"3": "MissingDependency", "4": "DependencyFailed"}
    sim.crash()
    until(sim, lambda: sim.core is not None)
    assert stuck(sim) == {"3": "MissingDependency", "4": "DependencyFailed"}
    ask(sim, AddTasks("j", (task("2"),)))
    assert stuck(sim) == {}
    completed(sim, "3", "4")


# -- what comes in parts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("crash", [False, True])
def test_what_a_task_depends_on_may_come_after_it(crash):
    """The official SDKs send many tasks in parts, the last first."""
    sim = simulation(task_slots_per_node=4)
    ask(sim, dependent())
    ask(sim, AddTasks("j", (after("last", "5"), after("5", "4", ranges=[(1, 4)]))))
    assert stuck(sim) == {"5": "MissingDependency", "last": "DependencyFailed"}
    ask(sim, AddTasks("j", (after("4", "3"), task("3"))))
    assert stuck(sim) == {"5": "MissingDependency", "last": "DependencyFailed"}
    if crash:
        sim.crash()
        until(sim, lambda: sim.core is not None)
    ask(sim, AddTasks("j", (task("1"), after("2", "1"))))
    assert stuck(sim) == {}
    completed(sim, "1", "2", "3", "4", "5", "last")
    assert starts(sim)[-2:] == ["5", "last"]


def test_each_of_a_request_may_depend_on_each_other():
    ask(sim := simulation(target_dedicated_nodes=0), dependent())
    ask(sim, AddTasks("j", (after("c", "b"), after("b", "a"), task("a"))))
    assert stuck(sim) == {}


@pytest.mark.parametrize("ranges", [False, True])
@pytest.mark.parametrize("crash", [False, True])
def test_a_circle_that_the_last_part_closes_is_refused(ranges, crash):
    ask(sim := simulation(target_dedicated_nodes=0), dependent())
    ask(sim, AddTasks("j", (after("9", *(() if ranges else ("4",)), ranges=[(1, 8)] if ranges else ()),)))
    if crash:
        sim.crash()
        until(sim, lambda: sim.core is not None)
    refusal = ask(sim, AddTasks("j", (after("4", "9"),)))
    assert (isinstance(refusal, JobError) and "'9' -> '4'" in str(refusal)) or "'4' -> '9'" in str(refusal)
    assert list(tasks_of(sim)) == ["9"]


# -- what is refused -----------------------------------------------------------------------------------------

REFUSED = {
    "the job does not say so": (
        job("j", task("a"), after("b", "a")),
        "TaskDependenciesNotSpecifiedOnJob",
        "usesTaskDependencies",
    ),
    "no such task": (dependent(after("b", "a")), INVALID, "no task 'a'"),
    "none in a range": (dependent(task("1"), task("3"), after("b", ranges=[(1, 3)])), INVALID, "no task '2'"),
    "a range of a million": (dependent(task("1"), after("b", ranges=[(1, 10**12)])), INVALID, "no task '2'"),
    "a range that runs back": (dependent(task("1"), after("b", ranges=[(3, 1)])), INVALID, "3 to 1"),
    "a range below 0": (dependent(task("1"), after("b", ranges=[(-1, 1)])), INVALID, "-1 to 1"),
    "itself": (dependent(after("a", "a")), INVALID, "'a' -> 'a'"),
    "itself in a range": (dependent(task("1"), after("2", ranges=[(1, 2)])), INVALID, "'2' -> '2'"),
    "a circle": (dependent(after("a", "b"), after("b", "c"), after("c", "a"), after("d", "a")), INVALID, " -> "),
    "a circle through a range": (dependent(after("1", "3"), task("2"), after("3", ranges=[(1, 2)])), INVALID, "'3'"),
    "many characters": (
        dependent(task("a" * 64), after("b", *["a" * 64] * 1001)),
        "TaskDependencyListTooLong",
        "taskIdRanges",
    ),
    "many ranges": (dependent(task("1"), after("b", ranges=[(1, 1)] * 4001)), "TaskDependencyRangesTooLong", "4000"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_request_is_refused(case):
    event, code, named = case
    sim = simulation(target_dedicated_nodes=0)
    before = {name: dict(rows) for name, rows in sim.journal.tables.items()}
    refusal = ask(sim, event)
    assert isinstance(refusal, JobError)
    assert refusal.code == code and named in str(refusal)
    assert sim.journal.tables == before


def test_a_long_circle_is_named_in_part():
    sim = simulation(target_dedicated_nodes=0)
    refusal = ask(sim, dependent(*(after(f"t{n}", f"t{(n + 1) % 50}") for n in range(50))))
    assert refusal.code == INVALID and "41 more" in str(refusal)


def test_a_circle_with_one_that_waits_is_refused():
    """What waits for a deleted task must not be what a new one of its id waits for."""
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, dependent(task("a"), after("b", "a")))
    ask(sim, DeleteTask("j", "a"))
    refusal = ask(sim, AddTasks("j", (after("a", "b"),)))
    assert refusal.code == INVALID and " -> " in str(refusal)
    assert ask(sim, AddTasks("j", (task("a"),))) is None


# -- any graph, with crashes ---------------------------------------------------------------------------------


class Crashes(Faults):
    def __init__(self, rng):
        self.rng = rng
        self.calm = False

    def crashes(self, moment):
        return not self.calm and self.rng.random() < 0.02


@pytest.mark.parametrize("seed", range(12))
def test_any_graph_in_its_order(seed, monkeypatch):
    if seed >= 8:  # consequences are drawn a few at a time
        monkeypatch.setattr(waiting_tasks, "SLICE", seed - 7)
    rng = random.Random(seed)
    size = 60
    wanted = {}
    for n in range(size):
        ids = {rng.randrange(n) for _ in range(rng.randrange(3))} if n else set()
        low = rng.randrange(n) if n and rng.random() < 0.3 else None
        ranges = [(low, min(n - 1, low + rng.randrange(8)))] if low is not None else []
        wanted[n] = (ids, ranges)
    failing = {n for n in range(size) if rng.random() < 0.08}
    faults = Crashes(random.Random(seed + 1000))
    plans = {str(n): [(rng.uniform(0.1, 9.0), int(n in failing))] for n in range(size)}
    sim = simulation(plans, task_slots_per_node=4, target_dedicated_nodes=2)
    sim.faults = faults
    specs = [after(str(n), *map(str, ids), ranges=ranges) for n, (ids, ranges) in wanted.items()]
    rng.shuffle(specs)
    request = sim.request(dependent(*specs))
    needed = {n: ids | {m for low, high in ranges for m in range(low, high + 1)} for n, (ids, ranges) in wanted.items()}
    lost: set[int] = set()
    for n in range(size):
        if needed[n] & (lost | failing):
            lost.add(n)
    ran = {str(n) for n in range(size) if n not in lost}

    def over():
        tasks = tasks_of(sim)
        return request.answered and all(tasks[n].state == "completed" for n in ran)

    assert sim.run(over, START + 7200)
    faults.calm = True
    assert sim.run(lambda: sim.core is not None and not sim.core.unfinished(), sim.now + 600)
    assert sim.crashes
    tasks = tasks_of(sim)
    assert {n for n, record in tasks.items() if record.state == "completed"} == ran
    assert set(stuck(sim)) == tasks.keys() - ran
    for task_id in ran:
        for parent in needed[int(task_id)]:
            assert tasks[str(parent)].end_time <= tasks[task_id].start_time
