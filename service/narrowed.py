"""One pool of a state by itself: a controller that is to end it must not work on the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from providers import Capabilities, Finding, Image, Profile, Provider, Size, Vm, VmSpec
from runner import Stored


def only_pool(stored: Stored, pool_id: str) -> Stored:
    """What belongs to the pool."""
    jobs = {job.id: job for job in stored.jobs.values() if job.pool_id == pool_id}
    ends_with = {pool.ends_with for pool in stored.pools.values() if pool.id == pool_id}
    schedules = {
        key: each
        for key, each in stored.job_schedules.items()
        if each.spec.job_specification.pool_info.pool_id == pool_id or f"jobschedule:{key}" in ends_with
    }
    return replace(
        stored,
        pools={key: pool for key, pool in stored.pools.items() if key == pool_id},
        nodes={key: node for key, node in stored.nodes.items() if node.pool_id == pool_id},
        jobs=jobs,
        tasks={key: task for key, task in stored.tasks.items() if task.job_id in jobs},
        done={job_id: ended for job_id, ended in stored.done.items() if job_id in jobs},
        totals={job_id: totals for job_id, totals in stored.totals.items() if job_id in jobs},
        job_nodes={key: each for key, each in stored.job_nodes.items() if each.job_id in jobs},
        job_schedules=schedules,
        samples=tuple(sample for sample in stored.samples if sample.pool_id == pool_id),
    )


class OnlyThese:
    """A provider that lists some of its VMs only: whoever has no record of the others shall not take them for nobody's.

    Implements Provider.
    """

    def __init__(self, provider: Provider, names: Collection[str]) -> None:
        self._provider = provider
        self._names = names

    @property
    def name(self) -> str:
        return self._provider.name

    def capabilities(self) -> Capabilities:
        return self._provider.capabilities()

    def profile(self) -> Profile:
        return self._provider.profile()

    def check(self) -> Iterator[Finding]:
        return self._provider.check()

    def sizes(self) -> list[Size]:
        return self._provider.sizes()

    def images(self) -> list[Image]:
        return self._provider.images()

    def create(self, spec: VmSpec) -> Vm:
        return self._provider.create(spec)

    def list_owned(self) -> list[Vm]:
        return [vm for vm in self._provider.list_owned() if vm.name in self._names]

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        self._provider.destroy(name, provider_id)

    def reboot(self, name: str, provider_id: str | None = None) -> Vm | None:
        return self._provider.reboot(name, provider_id)

    def sweep(self, dry: bool = False) -> list[str]:
        return self._provider.sweep(dry)

    def console(self, name: str) -> str | None:
        return self._provider.console(name)

    def preempt(self, name: str) -> None:
        self._provider.preempt(name)
