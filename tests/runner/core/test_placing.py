"""Which task goes where and when, seen in the order in which tasks really start."""

from pools import TaskSchedulingPolicy
from runner import JobManagerTask

from .run import ask, completed, job, simulation, task, tasks_of, until


def starts(sim):
    names = {record.uid: record.id for record in sim.journal.table("tasks").values()}
    return [names[x.id.rpartition("-")[0]] for x in sim.world.log.started]


def test_priority_goes_before_age():
    sim = simulation()
    ask(sim, job("low", task("low-1"), task("low-2"), priority=-1))
    ask(sim, job("usual", task("usual-1"), task("usual-2")))
    ask(sim, job("high", task("high-1"), priority=100))
    completed(sim, "low-1", "low-2", job_id="low")
    assert starts(sim) == ["high-1", "usual-1", "usual-2", "low-1", "low-2"]


def placed_nodes(sim, *task_ids):
    until(sim, lambda: all(tasks_of(sim)[t].state == "running" for t in task_ids))
    return [tasks_of(sim)[t].node_id for t in task_ids]


def ready(sim, count):
    until(sim, lambda: [n.state for n in sim.journal.table("nodes").values()].count("idle") == count)


def test_tasks_are_spread_or_packed():
    policies = (TaskSchedulingPolicy(node_fill_type="spread"), TaskSchedulingPolicy(node_fill_type="pack"))
    for policy, nodes in zip(policies, (2, 1), strict=True):
        sim = simulation(task_scheduling_policy=policy, target_dedicated_nodes=2, task_slots_per_node=2)
        ready(sim, 2)
        ask(sim, job("j", task("a"), task("b")))
        assert len(set(placed_nodes(sim, "a", "b"))) == nodes


def test_a_wide_task_waits_for_its_slots_and_is_not_overtaken_for_ever():
    sim = simulation({"first": [(30.0, 0)]}, task_slots_per_node=2)
    ask(sim, job("j", task("first"), task("wide", required_slots=2), task("last")))
    completed(sim, "first", "wide", "last")
    assert starts(sim) == ["first", "wide", "last"]


def test_a_job_manager_may_insist_on_a_dedicated_node():
    sim = simulation(target_dedicated_nodes=1, target_low_priority_nodes=3)
    ready(sim, 4)
    manager = JobManagerTask(id="m", command_line="work", allow_low_priority_node=False)
    ask(sim, job("j", job_manager_task=manager))
    (node_id,) = placed_nodes(sim, "m")
    assert not sim.journal.table("nodes")[node_id].low_priority


def test_short_tasks_are_sent_ahead_and_called_back():
    short = [task(f"s{number}") for number in range(40)]
    plans = {t.id: [(0.01, 0)] for t in short} | {"s20": [(60.0, 0)]}
    sim = simulation(plans, target_dedicated_nodes=2)
    ready(sim, 2)
    ask(sim, job("j", *short))
    ahead = 0
    while tasks_of(sim)["s39"].state != "completed":
        assert sim.step()
        ahead = max(ahead, sum(slots.queued for slots in sim.core.tasks.slots.values()))
    assert ahead > 2
    until(sim, lambda: sum(t.state == "completed" for t in tasks_of(sim).values()) == 39, 20.0)
    assert tasks_of(sim)["s20"].state == "running"  # what waited behind it went to the other node
