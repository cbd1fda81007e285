"""What may change of a job, and when it counts."""

from datetime import timedelta

import pytest

from pools import MetadataItem, PoolSpec
from runner import (
    AddPool,
    DisableJob,
    EnableJob,
    JobConstraints,
    JobSpec,
    PoolInfo,
    ReplaceJob,
    TerminateJob,
)

from .run import POOL, ask, completed, job, job_of, simulation, task, tasks_of, until
from .test_job_states import in_state


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


def test_what_cannot_change_is_named_as_its_client_has_it():
    refused = replace(in_state("active"), display_name="new", uses_task_dependencies=True)
    assert "displayName, usesTaskDependencies cannot change" in str(refused)


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
    """Those whose outcomes are still to come have ended."""
    return sum(t.state in ("preparing", "running") and not t.ended for t in tasks_of(sim, job_id).values())


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
        assert sum(t.node_id is not None and not t.ended for t in tasks_of(sim).values()) <= 3
