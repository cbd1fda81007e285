"""What must hold after every step of a story beside the invariants of the fault test."""

from __future__ import annotations

from collections.abc import Iterable

from pools import Node, NodeState, Pool
from pools.budget import pool_bill
from providers import VmState
from runner import Job, Task
from runner.execution_ids import job_node_of
from runner.failure import DISK_FULL
from runner.simulated_node import Execution
from runner.simulation import Simulation

from ..invariants import COUNTED, Invariants, require
from ..node_deeds import Operator
from ..restart_laws import differing_in, seen_by, started_anew
from ..task_deeds import TOY
from .driver import StormSimulation

#: Seconds after the faults' end in which every pool must have reached its target.
REACH = 1500.0
#: A VM that is gone has no node after its cloud has been asked twice, so many seconds after its end (or after the
#: controller began, had lost time, or its clock was set).
CERTAIN = 100.0
#: A place may be held for so much less than it should: commits that take less, and clocks that are set forward by less,
#: are not noticed by the controller.
UNNOTICED = 30.0
#: Commits from one look at what a new controller would see to the next.
EVERY = 60
#: What sums of money may be off by.
EXACT = 1e-9
#: Nodes in these states are said to have a VM that can be used, or is being made ready.
WITH_VM = {
    NodeState.STARTING,
    NodeState.WAITING_FOR_START_TASK,
    NodeState.START_TASK_FAILED,
    NodeState.IDLE,
    NodeState.RUNNING,
    NodeState.OFFLINE,
}
READY = {NodeState.IDLE, NodeState.RUNNING, NodeState.OFFLINE}


class StormLaws(Invariants):
    sim: StormSimulation | None

    def __init__(self) -> None:
        super().__init__()
        self._judged = -1
        #: VMs that have gone: when that was first seen
        self._gone: dict[str, float] = {}
        #: since when the controller trusts its cloud again after time was lost, as it has it and truly
        self._resumed = (0.0, 0.0)
        #: by pool or task: what was recorded as spent, and by pool what was due when and in which controller's life
        self._spent: dict[object, float] = {}
        self._due: dict[str, tuple[object, float]] = {}
        #: by pool: when it was sampled last, in which life of the controller
        self._sampled: dict[str, tuple[object, float]] = {}
        self._strangers: dict[str, float] = {}
        #: by node: the version that is recorded, and when that was first seen
        self._versions: dict[str, tuple[int, float]] = {}
        self._looked = 0
        #: all pools have been seen at their targets since the faults ended
        self.reached = False

    @property
    def believed(self) -> float:
        assert self.sim is not None
        return self.sim.believed

    @property
    def surplus_is_excused(self) -> bool:
        """A controller whose clock is set forward knows that no VM is older for it; if it ends, the next one does not,
        and what was recorded since tells that time has passed."""
        assert self.sim is not None
        return self.sim.skewed_at_work < self.sim.began and self.sim.now < self.sim.skewed_at_work + CERTAIN

    def held_since(self, node: Node) -> float:
        """Truly: the record's time is of a clock that has been set since, perhaps. A new controller asks for the end of
        VMs anew; one that is back from an hour that never was has not asked for longer."""
        assert self.sim is not None
        return max(self._versions[node.id][1], self.sim.began) - UNNOTICED

    def _no_vm_too_many(self, sim: Simulation, pools: dict[str, Pool], nodes: dict[str, Node]) -> None:
        before = self._versions
        self._versions = {}
        for key, node in nodes.items():
            seen = before.get(key)
            self._versions[key] = seen if seen is not None and seen[0] == node.version else (node.version, sim.now)
        super()._no_vm_too_many(sim, pools, nodes)

    def changed(self, tasks: dict[tuple[str, str], Task]) -> Iterable[tuple[tuple[str, str], Task]]:
        assert self.sim is not None
        return [(each.key, each.record) for each in self.sim.journal.recent if each.table == "tasks" and each.record]

    def may_run_again(self, execution: Execution) -> bool:
        """Of start tasks, and what jobs do on nodes before and after tasks: damages of their spools are not told."""
        assert self.sim is not None
        own = execution.id.startswith("start:") or job_node_of(execution.id) is not None
        return own and execution.forgotten and execution.id not in self.sim.heard_of

    def check(self) -> None:
        super().check()
        sim = self.sim
        if sim is None:
            return
        self._nothing_is_reaped_too_soon(sim)
        if sim.journal.commits == self._judged:
            return
        self._judged = sim.journal.commits
        nodes: dict[str, Node] = sim.journal.table("nodes")
        pools: dict[str, Pool] = sim.journal.table("pools")
        self._no_record_of_what_is_gone(sim, nodes)
        self._money_never_decreases(sim, pools, nodes, sim.journal.table("tasks"), sim.journal.table("jobs"))
        self._samples_add_up(sim)
        sim.journal.recent.clear()
        if sim.core is not None and sim.journal.commits >= self._looked + EVERY:
            self._looked = sim.journal.commits
            self._a_restart_changes_nothing(sim)

    def _no_record_of_what_is_gone(self, sim: StormSimulation, nodes: dict[str, Node]) -> None:
        living = {vm.name for vm in sim.world.cloud.everything() if vm.state in (VmState.PENDING, VmState.RUNNING)}
        if sim.core is not None and sim.core.ctx.resumed != self._resumed[0]:
            self._resumed = (sim.core.ctx.resumed, sim.now)
        supposed = {n.vm_name: n for n in nodes.values() if n.vm_confirmed is not None and n.state in WITH_VM}
        for name in self._gone.keys() - (supposed.keys() - living):
            del self._gone[name]
        for name in supposed.keys() - living:
            since = self._gone.setdefault(name, sim.now)
            certain = max(since, sim.skewed, sim.began, self._resumed[1]) + CERTAIN
            looks = sum(asked > certain for asked in sim.lists_seen)
            require(looks < 2, "a node is recorded whose VM is gone for good", supposed[name], looks)

    def _nothing_is_reaped_too_soon(self, sim: StormSimulation) -> None:
        grace = sim.settings.pools.orphan_grace
        there = {vm.name for vm in sim.world.cloud.everything() if "-stranger" in vm.name}
        for name in there - self._strangers.keys():
            self._strangers[name] = sim.now
        for name in self._strangers.keys() - there:
            lived = sim.now - self._strangers.pop(name)
            require(
                lived >= grace or sim.skewed > sim.now - grace,
                "a VM without a record was destroyed before its time",
                name,
                lived,
            )

    def _money_never_decreases(
        self,
        sim: StormSimulation,
        pools: dict[str, Pool],
        nodes: dict[str, Node],
        tasks: dict[tuple[str, str], Task],
        jobs: dict[str, Job],
    ) -> None:
        spent: dict[object, float] = {("pool", pool.id, pool.created): pool.usage.cost for pool in pools.values()}
        spent |= {("task", task.uid): task.cost for _, task in self.changed(tasks)}
        spent |= {("job", job.id, job.created): job.deleted_cost for job in jobs.values()}
        for key, now in spent.items():
            before = self._spent.get(key, now)
            require(now >= before - EXACT, "money has become less", key, before, now)
        self._spent |= spent
        if sim.core is None:
            return
        for pool in pools.values():
            own = [node for node in nodes.values() if node.pool_id == pool.id]
            bill = pool_bill(pool, own, sim.settings.pools, sim.believed)
            life, due = (sim.core, pool.created), bill.spent
            former, before = self._due.get(pool.id, (life, due))
            require(former != life or due >= before - EXACT, "a bill has become smaller", pool, before, due)
            self._due[pool.id] = (life, due)

    def _samples_add_up(self, sim: StormSimulation) -> None:
        for sample in [each.record for each in sim.journal.recent if each.table == "samples" and each.record]:
            values = sample.values
            require(
                values["$PendingTasks"] == values["$ActiveTasks"] + values["$RunningTasks"],
                "pending tasks are not the active and the running ones",
                sample,
            )
            require(min(values.values()) >= 0, "there is less than nothing", sample)
            most = values["$CurrentDedicatedNodes"] + values["$CurrentLowPriorityNodes"]
            require(values["$UsableNodeCount"] <= most, "more nodes can be used than there are", sample)
            # the next controller may find that its clock was put back; what is not confirmed is written again
            life, before = self._sampled.get(sample.pool_id, (sim.core, 0.0))
            require(life is not sim.core or sample.time >= before, "samples are out of order", sample, before)
            self._sampled[sample.pool_id] = (sim.core, sample.time)

    def _a_restart_changes_nothing(self, sim: StormSimulation) -> None:
        assert sim.core is not None
        now = sim.believed
        here, there = seen_by(sim.core, now), seen_by(started_anew(sim), now)
        for kind, values in here.items():
            if kind == "samples" and sim.skewed > float("-inf"):
                continue  # a new controller leaves out those of a time to come
            differing = differing_in(kind, values, there[kind])
            require(not differing, f"a restart would change {kind}", differing)

    def _check_end(self, task: Task) -> None:
        super()._check_end(task)
        assert self.sim is not None
        if task.execution_id in self.sim.effects.full and task.exit_code is not None and task.failure is not None:
            require(DISK_FULL in task.failure.message, "nobody is told that a disk was full", task)

    # -- when the faults have ended --------------------------------------------------------------------------

    def must_have_reached(self, operator: Operator, now: float) -> None:
        sim = self.sim
        assert sim is not None
        self.reached = True
        if sim.core is None or sim.core.jobs.draining:
            return
        nodes: Iterable[Node] = sim.journal.table("nodes").values()
        for pool in sim.journal.table("pools").values():
            if pool.spec.enable_auto_scale or pool.id.startswith(TOY) or pool.broken_since is not None:
                continue
            counted = [node for node in nodes if node.pool_id == pool.id and node.state in COUNTED]
            for low_priority, target in ((False, pool.target_dedicated), (True, pool.target_low_priority)):
                own = [n for n in counted if (n.low_priority or n.fallback) == low_priority and n.state in READY]
                require(len(own) == target, "a pool does not reach its target although nothing goes wrong", pool, own)


