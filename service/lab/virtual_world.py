"""The world of a scenario, as the simulation of the core meets it.

Calls to the cloud and messages to nodes take no time: what takes long of either is the boot. A VM is paid for from the
moment that it is asked for, and answers when it has booted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pools import PoolSettings, PoolSpec
from providers import SimulatedSettings, Vm
from runner import CoreSettings, Fate, Faults

from .distributions import LONGEST, sampler
from .scenario import MOST_NODES, World
from .streams import stream

POOL, JOB = "pool", "work"
#: The one size of VM that there is.
SIZE = "simulated.small"
HOUR = 3600.0
#: Seconds between two looks at the cloud's list. A VM that is taken back breaks its connection, which is noticed at
#: once; only of one that boots it is noticed here. Where none is taken back, nothing is.
_POLL, _POLL_FOR_NOTHING = 300.0, 86400.0
#: Create calls under way: as calls take no time, it is the number of them that a full cloud refuses at a time.
_AT_A_TIME = 1_000


class PerfectFaults(Faults):
    """Nothing goes wrong but with samples."""

    silent = instant = True

    def __init__(self, world: World, seed: int) -> None:
        self._draw, self._share = stream(seed, "samples").random, world.sample_loss

    def latency(self, kind: str) -> float:
        return 0.0

    def loses_sample(self) -> bool:
        return self._share > 0 and self._draw() < self._share


def core_settings(world: World) -> CoreSettings:
    pools = PoolSettings(
        sample_delay=world.sample_delay.total_seconds(),
        vm_poll_interval=_POLL if world.preemptions_per_hour else _POLL_FOR_NOTHING,
        boot_timeout=LONGEST,  # whatever the scenario says comes up in the end
        minimum_evaluation_interval=1.0,
        create_batch=_AT_A_TIME,
    )
    return CoreSettings(pools=pools)


def cloud_settings(world: World) -> SimulatedSettings:
    quota = ((False, world.quota.dedicated), (True, world.quota.low_priority))
    return SimulatedSettings(
        boot_delay=0.0,
        prices={SIZE: world.price_per_hour.dedicated},
        low_priority_prices={SIZE: world.price_per_hour.low_priority},
        room={(SIZE, None, low_priority): MOST_NODES if most is None else most for low_priority, most in quota},
    )


def pool_spec(world: World) -> PoolSpec:
    """Without its formula."""
    targets = world.initial_targets
    return PoolSpec(
        id=POOL,
        vm_size=SIZE,
        target_dedicated_nodes=targets.dedicated,
        target_low_priority_nodes=targets.low_priority,
        task_slots_per_node=world.task_slots_per_node,
        resize_timeout=timedelta(seconds=LONGEST),
    )


def fates(world: World, seed: int) -> Callable[[Vm], Fate]:
    """When VMs answer, and when low-priority ones are taken back; in the order in which they are asked for."""
    boot = sampler(world.boot, stream(seed, "boots"))
    preemptions, often = stream(seed, "preemptions"), world.preemptions_per_hour

    def fate(vm: Vm) -> Fate:
        taken = preemptions.expovariate(often / HOUR) if vm.low_priority and often > 0 else None
        return Fate(boot(), taken)

    return fate
