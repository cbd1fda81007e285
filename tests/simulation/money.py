"""What must hold of money: every VM is paid for from its creation to its end, and budgets are kept."""

from __future__ import annotations

import random
from dataclasses import dataclass

from msgspec.structs import replace

from pools import BudgetAction, MetadataItem, Node, Pool, PoolSpec, options_of, options_of_job
from pools.budget import barred, pool_bill
from pools.cost import HOUR
from runner import Job, JobSpec, RescalePool, Task, UpdateJob
from runner.simulation import Simulation

from .invariants import Invariants, require
from .scenario import Scenario

#: Seconds by which a budget may be overrun before it is said.
PROMPT = 0.01
#: What sums of money may be off.
EXACT = 1e-9


@dataclass
class Life:
    """What a VM really cost, as the clouds of this world know; `known` when the controller has seen it."""

    pool_id: str
    price: float
    born: float
    until: float
    known: bool = False


class Money(Invariants):
    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[str, Life] = {}
        #: by node: from its order on, until its record said that nothing is left of it
        self.records: dict[str, tuple[Node, float]] = {}
        #: nodes there were when their pool's budget was used up; attempts that there were of a job's tasks
        self._nodes_then: dict[str, set[str]] = {}
        self._attempts_then: dict[str, dict[tuple[str, str], int]] = {}
        #: how often a budget was used up
        self.reached = 0

    def check(self) -> None:
        super().check()
        sim = self.sim
        if sim is None:
            return
        nodes: dict[str, Node] = sim.journal.table("nodes")
        self._see_what_lives(sim, nodes)
        pools: dict[str, Pool] = sim.journal.table("pools")
        for pool in pools.values():
            own = [node for node in nodes.values() if node.pool_id == pool.id]
            self._used_up_is_said_at_once(sim, pool, own)
            self._no_node_without_budget(pool, own)
        for job in sim.journal.table("jobs").values():
            self._no_task_without_budget(job, sim.journal.table("tasks"))

    def _see_what_lives(self, sim: Simulation, nodes: dict[str, Node]) -> None:
        by_vm = {node.vm_name: node for node in nodes.values()}
        for vm in sim.world.cloud.everything():
            node = by_vm.get(vm.name)
            if vm.state in ("pending", "running") and node is not None and not node.vm_gone:
                assert vm.created is not None and vm.price_per_hour is not None
                life = self.lives.setdefault(vm.name, Life(node.pool_id, vm.price_per_hour, vm.created, sim.now))
                life.until, life.known = sim.now, life.known or node.vm_confirmed is not None
        for node in nodes.values():
            if node.id not in self.records or not self.records[node.id][0].vm_gone:
                self.records[node.id] = (node, sim.now)

    def _used_up_is_said_at_once(self, sim: Simulation, pool: Pool, nodes: list[Node]) -> None:
        budget = options_of(pool.spec.metadata).budget
        if budget is None or sim.core is None or sim.now <= sim.asleep:
            return
        bill = pool_bill(pool, nodes, sim.settings.pools, sim.now)
        told = any(error.code == "BudgetReached" for error in pool.resize_errors)
        late = bill.spent - bill.rate * PROMPT
        require(told or late < budget * (1 + EXACT), "a budget is used up and nobody says so", pool, bill)
        require(not told or bill.spent >= budget * (1 - 1e-6), "a budget is said to be used up and is not", pool, bill)

    def _no_node_without_budget(self, pool: Pool, nodes: list[Node]) -> None:
        if barred(pool) is None:
            self._nodes_then.pop(pool.id, None)
            return
        self.reached += pool.id not in self._nodes_then
        there = {node.id for node in nodes}
        then = self._nodes_then.setdefault(pool.id, there)
        require(there <= then, "a node was ordered although the budget is used up", pool, there - then)

    def _no_task_without_budget(self, job: Job, tasks: dict[tuple[str, str], Task]) -> None:
        if not job.held:
            self._attempts_then.pop(job.id, None)
            return
        self.reached += job.id not in self._attempts_then
        attempts = {key: task.attempt for key, task in tasks.items() if key[0] == job.id}
        then = self._attempts_then.setdefault(job.id, attempts)
        started = {key for key, attempt in attempts.items() if attempt > then.get(key, 0)}
        require(not started, "a task was started although the budget is used up", job, started)

    def at_the_end(self, jobs: dict[str, Job]) -> None:
        super().at_the_end(jobs)
        sim = self.sim
        assert sim is not None
        tasks: list[Task] = list(sim.journal.table("tasks").values())
        for pool in sim.journal.table("pools").values():
            recorded, usage = pool.usage.cost, pool.usage
            require(not usage.unpriced_seconds, "something has no price", pool)
            lives = [life for life in self.lives.values() if life.pool_id == pool.id]
            true = sum(life.price * (life.until - life.born) / HOUR for life in lives if life.known)
            haunting = sum(
                life.price * (life.until - life.born) / HOUR
                for name, life in self.lives.items()
                if life.pool_id == pool.id and name in self.haunting
            )
            require(recorded >= true - haunting - EXACT, "VMs were not paid for", pool, recorded, true, haunting)
            most = sum(
                (node.price_per_hour or 0.0) * (until - node.created) / HOUR
                for node, until in self.records.values()
                if node.pool_id == pool.id
            )
            require(recorded <= most * 1.0001 + self._slack(pool), "more was paid than lived", pool, recorded, most)
            # an execution whose end nobody has heard of counts until its node is gone: it may have ended before
            heard = [task for task in tasks if not task.requeue_count and task.exit_code is not None]
            work = sum(task.cost for task in heard if jobs[task.job_id].pool_id == pool.id)
            require(work <= recorded + EXACT, "tasks took more than their nodes cost", pool, work, recorded)

    def _slack(self, pool: Pool) -> float:
        """A record goes one step after it was last seen."""
        prices = [node.price_per_hour or 0.0 for node, _ in self.records.values() if node.pool_id == pool.id]
        return sum(prices) * 120.0 / HOUR


class Paid(Scenario):
    """The workload of the fault test, with budgets that are used up and raised again and again."""

    laws: Money

    def __init__(self, seed: int) -> None:
        self._purse = random.Random(seed + 2_000_000)
        super().__init__(seed, Money())

    def _fixed_pool(self) -> PoolSpec:
        spec = super()._fixed_pool()
        return replace(spec, metadata=(*spec.metadata, *self._budget(0.001, 0.02)))

    def _ebbing_pool(self) -> PoolSpec:
        spec = super()._ebbing_pool()
        return replace(spec, metadata=(*spec.metadata, *self._budget(0.0005, 0.01)))

    def _job(self, *args: object, **options: object) -> JobSpec:
        return replace(super()._job(*args, **options), metadata=self._budget(0.0001, 0.002, drains=False))  # type: ignore[arg-type]

    def _budget(self, least: float, most: float, *, drains: bool = True) -> tuple[MetadataItem, ...]:
        if self._purse.random() < 0.3:
            return ()
        actions = [action for action in BudgetAction if drains or action is not BudgetAction.DRAIN]
        amount, action = self._purse.uniform(least, most), self._purse.choice(actions)
        return (
            MetadataItem(name="budget", value=f"{amount:.6f}"),
            MetadataItem(name="budgetAction", value=str(action)),
        )

    def _look_after(self, now: float) -> None:
        """Somebody raises what is used up, now and then."""
        for pool in self.sim.journal.table("pools").values():
            if barred(pool) is not None and options_of(pool.spec.metadata).budget is not None:
                self.sim.request(RescalePool(replace(pool.spec, metadata=_raised(pool.spec.metadata))))
        for job in self.sim.journal.table("jobs").values():
            if job.held and options_of_job(job.spec.metadata).budget is not None:
                self.sim.request(UpdateJob(replace(job.spec, metadata=_raised(job.spec.metadata))))
        super()._look_after(now)


def _raised(metadata: tuple[MetadataItem, ...]) -> tuple[MetadataItem, ...]:
    return tuple(
        MetadataItem(name=item.name, value=f"{float(item.value) * 3:.6f}") if item.name == "budget" else item
        for item in metadata
    )
