"""Tasks of jobs that allow it make room for tasks of jobs with a higher priority; what may stand in whose way."""

import pytest

from runner import DeleteJob, DisableJob, EnableJob, JobManagerTask, TerminateJob
from runner.task_spec import MultiInstanceSettings

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until

LONG = [(1000.0, 0)]


def full(sim, *jobs):
    """Every slot is taken by these jobs."""
    for event in jobs:
        assert ask(sim, event) is None
    until(sim, lambda: not [t for event in jobs for t in tasks_of(sim, event.spec.id).values() if t.state != "running"])


def states(sim, job_id):
    return {name: record.state for name, record in tasks_of(sim, job_id).items()}


def settle(sim, seconds=60.0):
    sim.run(lambda: False, sim.now + seconds)


def requeues(sim):
    return {key[1]: task.requeue_count for key, task in sim.journal.table("tasks").items() if task.requeue_count}


@pytest.mark.parametrize(
    ("allows", "priority", "goes"), [(True, 1, True), (False, 1, False), (True, 0, False), (True, -1, False)]
)
def test_only_what_allows_it_goes_and_only_for_a_higher_priority(allows, priority, goes):
    sim = simulation({"low": LONG})
    full(sim, job("low", task("low"), allow_task_preemption=allows))
    ask(sim, job("high", task("high"), priority=priority))
    settle(sim, 5.0)
    assert states(sim, "high")["high"] == ("running" if goes else "active")
    low = tasks_of(sim, "low")["low"]
    assert (low.state, low.requeue_count, low.retry_count) == ("active" if goes else "running", goes, 0)


def test_the_lowest_priority_goes_first_and_of_those_the_youngest():
    sim = simulation(dict.fromkeys(("a", "b1", "b2", "c"), LONG), task_slots_per_node=4)
    full(sim, job("a", task("a"), priority=-5, allow_task_preemption=True))
    full(sim, job("b", task("b1"), priority=-7, allow_task_preemption=True))
    full(sim, job("b-younger", task("b2"), priority=-7, allow_task_preemption=True))
    full(sim, job("c", task("c"), priority=-9))
    ask(sim, job("high", task("h1")))
    settle(sim, 5.0)
    assert requeues(sim) == {"b2": 1}
    ask(sim, job("high2", task("h2", required_slots=2)))
    settle(sim, 5.0)
    assert requeues(sim) == {"a": 1, "b1": 1, "b2": 1}
    assert tasks_of(sim, "high2")["h2"].state == "running"


def test_no_more_go_than_it_takes():
    sim = simulation(
        {f"l{n}": LONG for n in range(6)}, task_slots_per_node=3, target_dedicated_nodes=2
    )
    full(sim, job("low", *(task(f"l{n}") for n in range(6)), allow_task_preemption=True))
    ask(sim, job("high", task("h1", required_slots=2), task("h2"), priority=1))
    completed(sim, "h1", "h2", job_id="high")
    assert len(requeues(sim)) == 3
    settle(sim)
    assert max(requeues(sim).values()) == 1
    assert set(states(sim, "low").values()) == {"running"}  # and come back


@pytest.mark.parametrize(("nodes", "slots", "limit"), [(1, 8, 1), (4, 2, 2), (2, 4, 3)])
def test_no_more_go_than_may_start_at_once(nodes, slots, limit):
    names = [f"l{n}" for n in range(nodes * slots)]
    sim = simulation(dict.fromkeys(names, LONG), task_slots_per_node=slots, target_dedicated_nodes=nodes)
    full(sim, job("low", *map(task, names), allow_task_preemption=True))
    high = [f"h{n}" for n in range(3 * limit)]
    ask(sim, job("high", *map(task, high), priority=1, max_parallel_tasks=limit))
    completed(sim, *high, job_id="high")
    assert sum(requeues(sim).values()) == limit, "those that follow take the place of the first ones"


def test_room_is_kept_for_no_more_of_several_nodes_than_may_start_at_once():
    plans = dict.fromkeys(("l0", "l1", "l2", "l3"), LONG)
    sim = simulation(plans, target_dedicated_nodes=4, enable_inter_node_communication=True)
    full(sim, job("low", *map(task, ("l0", "l1", "l2", "l3")), allow_task_preemption=True))
    several = MultiInstanceSettings(number_of_instances=2, coordination_command_line="meet")
    gangs = [task(name, multi_instance_settings=several) for name in ("g0", "g1")]
    ask(sim, job("high", *gangs, priority=1, max_parallel_tasks=1))
    completed(sim, "g0", job_id="high")
    assert sum(requeues(sim).values()) == 2


def test_several_make_room_at_once():
    sim = simulation({f"l{n}": LONG for n in range(8)}, task_slots_per_node=4, target_dedicated_nodes=2)
    full(sim, job("low", *(task(f"l{n}") for n in range(8)), allow_task_preemption=True))
    ask(sim, job("high", *(task(f"h{n}") for n in range(5)), priority=1))
    settle(sim, 2.0)
    assert set(states(sim, "high").values()) == {"running"}
    assert len(requeues(sim)) == 5


def test_the_node_with_the_lowest_priorities_is_taken():
    sim = simulation(dict.fromkeys(("x", "y", "z"), LONG), target_dedicated_nodes=3)
    for name, priority in (("x", -1), ("y", -3), ("z", -2)):
        full(sim, job(name, task(name), priority=priority, allow_task_preemption=True))
    ask(sim, job("high", task("high")))
    settle(sim, 5.0)
    assert requeues(sim) == {"y": 1}


def test_a_chain_of_priorities_comes_to_rest():
    sim = simulation(dict.fromkeys(("p0", "p1", "p2"), LONG))
    for priority in range(3):
        ask(sim, job(f"p{priority}", task(f"p{priority}"), priority=priority, allow_task_preemption=True))
        settle(sim)
    assert requeues(sim) == {"p0": 1, "p1": 1}
    assert states(sim, "p2") == {"p2": "running"}
    for name in ("p2", "p1"):
        ask(sim, TerminateJob(name))
        settle(sim)
    assert states(sim, "p0") == {"p0": "running"}
    assert requeues(sim) == {"p0": 1, "p1": 1}


@pytest.mark.parametrize("moments", [1, 2, 3, 4, 6, 8])
def test_a_crash_requeues_nothing_twice(moments):
    sim = simulation({"low": LONG})
    full(sim, job("low", task("low"), allow_task_preemption=True))
    ask(sim, job("high", task("high"), priority=1))
    for _ in range(moments):
        sim.step()
    sim.crash()
    completed(sim, "high", job_id="high")
    settle(sim)
    assert states(sim, "low") == {"low": "running"}
    assert requeues(sim) == {"low": 1}


def test_short_tasks_that_wait_at_a_node_make_room_too():
    names = [f"s{n}" for n in range(200)]
    sim = simulation({name: [(0.01, 0)] for name in names} | {"s100": [(300.0, 0)]})
    ask(sim, job("low", *map(task, names), allow_task_preemption=True))
    until(sim, lambda: states(sim, "low")["s100"] == "running")
    ask(sim, job("high", task("high"), priority=1))
    settle(sim, 5.0)
    assert states(sim, "high") == {"high": "running"}
    assert set(requeues(sim)) <= {"s100"}


def test_a_disabled_job_preempts_nobody():
    sim = simulation({"low": LONG})
    full(sim, job("low", task("low"), allow_task_preemption=True))
    # it comes in the same moment in which it is disabled
    sim.request(job("high", task("high"), priority=1))
    ask(sim, DisableJob("high", "requeue"))
    settle(sim)
    assert requeues(sim) == {}
    ask(sim, EnableJob("high"))
    completed(sim, "high", job_id="high")


def test_what_no_node_may_take_stands_in_nobodys_way():
    sim = simulation(target_dedicated_nodes=0, target_low_priority_nodes=1)
    manager = JobManagerTask(id="m", command_line="work", allow_low_priority_node=False)
    ask(sim, job("choosy", job_manager_task=manager, priority=9))
    ask(sim, job("j", task("t")))
    completed(sim, "t")
    assert states(sim, "choosy") == {"m": "active"}


def test_what_waits_for_one_node_leaves_the_others_to_those_behind_it():
    sim = simulation({"first": LONG, "low": LONG}, target_dedicated_nodes=1, target_low_priority_nodes=1)
    both = sim.journal.table("nodes").values
    until(sim, lambda: [node.state for node in both()].count("idle") == 2)
    manager = JobManagerTask(id="first", command_line="work", allow_low_priority_node=False)
    ask(sim, job("one", job_manager_task=manager))
    ask(sim, job("two", job_manager_task=manager, priority=9))
    ask(sim, job("j", task("t")))
    completed(sim, "t")
    assert (states(sim, "one"), states(sim, "two")) == ({"first": "running"}, {"first": "active"})


def test_a_job_that_may_not_run_on_any_node_stands_in_nobodys_way():
    sim = simulation()
    sim.core.jobs.admitting.append(lambda job, node_id: job.id != "kept-off")
    ask(sim, job("kept-off", *(task(f"t{n}") for n in range(50)), priority=9))
    ask(sim, job("j", task("t")))
    completed(sim, "t")
    sim.core.jobs.admitting.pop()
    completed(sim, "t0", job_id="kept-off")


@pytest.mark.parametrize("event", [TerminateJob("j"), DeleteJob("j")])
def test_a_job_closes_when_everybody_lets_it(event):
    sim = simulation({"t": LONG})
    may = [False]
    sim.core.jobs.closing.append(lambda job: may[0])
    full(sim, job("j", task("t")))
    ask(sim, event)
    settle(sim)
    assert states(sim, "j") == {"t": "completed"}
    assert job_of(sim).state in ("terminating", "deleting")
    may[0] = True
    sim.core.jobs.close_if_free("j", sim.now)
    settle(sim)
    assert job_of(sim) is None or job_of(sim).state == "completed"
