"""Small workloads on the simulation, where everything goes well unless a test says otherwise."""

from typing import Any

from pools import PoolSettings, PoolSpec
from providers import SimulatedSettings
from runner import AddJob, AddPool, CoreSettings, ForgetJob, JobForgotten, JobSpec, PoolInfo, TaskSpec
from runner.simulated_node import Plan
from runner.simulation import START, Simulation

SETTINGS = CoreSettings(
    pools=PoolSettings(minimum_evaluation_interval=1.0, vm_poll_interval=5.0), minimum_recurrence_interval=1.0
)
POOL = PoolInfo(pool_id="p")


def simulation(plans=None, *, settings=SETTINGS, **pool):
    """`plans`: task id -> list of (seconds, exit code), one per execution, the last for all further ones."""
    counts: dict[str, int] = {}

    def behave(command):
        key = command.environment.get("AZ_BATCH_TASK_ID", "start task")
        planned = (plans or {}).get(key, [(10.0, 0)])
        times = counts[key] = counts.get(key, 0) + 1
        return Plan(*planned[min(times, len(planned)) - 1])

    sim = Simulation(settings, behave, cloud_settings=SimulatedSettings(boot_delay=10.0))
    spec: dict[str, Any] = {"id": "p", "vm_size": "simulated.small", "target_dedicated_nodes": 1} | pool
    ask(sim, AddPool(PoolSpec(**spec), "simulated", "simulated"))
    return sim


def ask(sim, event):
    """Returns the refusal, or None."""
    request = sim.request(event)
    assert sim.run(lambda: request.answered, sim.now + 3600.0)
    return request.refused


def job(job_id="j", *tasks, **changes):
    fields: dict[str, Any] = {"id": job_id, "pool_info": POOL} | changes
    return AddJob(JobSpec(**fields), tuple(tasks))


def task(task_id, **changes):
    return TaskSpec(id=task_id, command_line="work", **changes)


def tasks_of(sim, job_id="j"):
    return {key[1]: record for key, record in sim.journal.table("tasks").items() if key[0] == job_id}


def job_of(sim, job_id="j"):
    return sim.journal.table("jobs").get(job_id)


def node_of(sim):
    return next(iter(sim.journal.table("nodes").values()))


def until(sim, holds, seconds=3600.0):
    assert sim.run(holds, sim.now + seconds), f"not within {seconds} s"
    return sim.now - START


def completed(sim, *task_ids, job_id="j"):
    until(sim, lambda: all(tasks_of(sim, job_id)[t].state == "completed" for t in task_ids))
    return [tasks_of(sim, job_id)[t] for t in task_ids]


def forget(sim, job_id="j"):
    """What the retention does with a job that is over and old."""
    ended = job_of(sim, job_id).end_time
    assert ask(sim, ForgetJob(job_id, ended)) is None
    assert ask(sim, JobForgotten(job_id, ended)) is None
    assert job_of(sim, job_id) is None
