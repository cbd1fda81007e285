"""A pool that is deleted at any moment, with orders, starts and ends under way, on a cloud that has its moods: it goes,
and nothing of it is left."""

import random

import pytest

from pools import MetadataItem, PoolSpec
from runner import AddJob, AddPool, JobSpec, PoolInfo, TaskSpec
from runner.events import DeletePool
from runner.simulated_node import Plan
from runner.simulation import START, Simulation

from .chaos import Adversary, RandomFaults
from .settings import SETTINGS

OPTIONS = {"fallbackAfterFailures": "1", "fallbackFor": "PT1M", "budget": "0.001"}


@pytest.mark.parametrize("seed", range(25))
def test_nothing_is_left_of_it(seed):
    rng, faults = random.Random(seed), RandomFaults(random.Random(seed + 3_000_000))
    sim = Simulation(SETTINGS, lambda _: Plan(rng.uniform(1, 200)), faults, faults.cloud_settings(), seed=seed)
    options = {**OPTIONS, "budgetAction": rng.choice(("warn", "stop", "drain"))}
    spec = PoolSpec(
        id="p",
        vm_size="simulated.small",
        target_dedicated_nodes=3,
        target_low_priority_nodes=3,
        task_slots_per_node=2,
        metadata=tuple(MetadataItem(name=name, value=value) for name, value in options.items()),
    )
    tasks = tuple(TaskSpec(id=f"t{number}", command_line="work") for number in range(20))
    sim.request(AddPool(spec, "simulated", "simulated"))
    sim.request(AddJob(JobSpec(id="j", pool_info=PoolInfo(pool_id="p")), tasks))
    Adversary(sim, faults, every=10.0)

    def delete(now: float) -> None:
        sim.request(DeletePool("p"))

    sim.at(START + rng.uniform(0, 120), delete)
    sim.at(START + 300, faults.end)

    def over():
        tables = (sim.journal.table("pools"), sim.journal.table("nodes"))
        return faults.calm and sim.core is not None and not any(tables) and not sim.world.cloud.everything()

    assert sim.run(over, START + 3600), (sim.journal.table("nodes"), sim.world.cloud.everything())
