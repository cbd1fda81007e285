"""What must hold after every step, whatever goes wrong. The truth is the simulated world, not the core's
view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pools import Node, NodeState, Pool
from runner import Job, Task, TaskState
from runner.execution_ids import job_node_of
from runner.simulated_node import Execution
from runner.simulation import Simulation

from .gang_laws import GangLaws, instance_of
from .job_deeds import DELETED
from .output_laws import check_outputs
from .preparation_laws import PreparationLaws
from .task_deeds import GRAPH, deleted, is_meddled_with, nothing_started_too_early, settled

#: Why a job ends whose tasks may not have begun; these stay as they are.
ENDED_EARLY = {"UserTerminate", "JMComplete"}
#: A node that leaves goes on with its tasks.
PATIENT = {"taskcompletion", "retaineddata"}
COUNTED = {
    NodeState.CREATING,
    NodeState.STARTING,
    NodeState.WAITING_FOR_START_TASK,
    NodeState.START_TASK_FAILED,
    NodeState.IDLE,
    NodeState.RUNNING,
    NodeState.OFFLINE,
    NodeState.REBOOTING,
    NodeState.REIMAGING,
}


class Broken(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, law: str, *story: object) -> None:
    if not holds:
        raise Broken(f"{law}: {' '.join(map(str, story))}")


class Invariants:
    def __init__(self) -> None:
        self.sim: Simulation | None = None
        #: (job id, task id) of every task that the controller has said yes to
        self.accepted: set[tuple[str, str]] = set()
        self.completed: dict[tuple[str, str], Task] = {}
        #: the same by uid
        self._over: dict[str, Task] = {}
        self._commits = -1
        self._seen = 0
        self._executions: dict[str, Execution] = {}
        self._by_uid: dict[str, list[Execution]] = {}
        self._attempts: dict[tuple[str, str], int] = {}
        self._pools: dict[str, Pool] = {}
        self._nodes: set[str] = set()
        #: VMs that their cloud has said to have ended, wrongly
        self.haunting: set[str] = set()
        #: VMs that their cloud has not listed once although they were there: others take their places
        self.denied: set[str] = set()
        self.preparation = PreparationLaws(require, self.may_run_again)
        self.together = GangLaws(require)

    def check(self) -> None:
        sim = self.sim
        if sim is None:
            return
        nodes: dict[str, Node] = sim.journal.table("nodes")
        tasks: dict[tuple[str, str], Task] = sim.journal.table("tasks")
        self._every_vm_has_a_record(sim, nodes)
        self._executions_run_once(sim)
        require(not sim.world.crossed, "a connection was made while one stood", sim.world.crossed)
        if sim.journal.commits != self._commits:
            self._commits = sim.journal.commits
            self._one_job_at_a_time(sim.journal.table("jobs"))
            self._nothing_accepted_is_lost(tasks)
            self._completed_as_it_really_ended(sim, tasks)
            self._pools_keep_to_their_targets(sim.journal.table("pools"), nodes)
            self._no_vm_too_many(sim, sim.journal.table("pools"), nodes)
            self._nodes_keep_to_their_slots(sim, nodes, tasks)
            self.preparation.committed(sim, nodes, sim.journal.table("jobs"))
        self.together.hold(sim)
        self._nothing_lives_after_its_end(sim, tasks)

    @property
    def believed(self) -> float:
        """The time as the controller has it."""
        assert self.sim is not None
        return self.sim.now

    @property
    def surplus_is_excused(self) -> bool:
        return False

    def held_since(self, node: Node) -> float:
        """When a node that leaves began to hold its place."""
        return node.modified

    def changed(self, tasks: dict[tuple[str, str], Task]) -> Iterable[tuple[tuple[str, str], Task]]:
        """Those that the last commit may have changed."""
        return tasks.items()

    def may_run_again(self, execution: Execution) -> bool:
        """Under the same name: its node has lost its record, and nobody can know that it began."""
        return False

    def _every_vm_has_a_record(self, sim: Simulation, nodes: dict[str, Node]) -> None:
        recorded = {node.vm_name for node in nodes.values()} | self.haunting
        for vm in sim.world.cloud.everything():
            require(vm.name in recorded, "a VM has no record", vm)

    def _executions_run_once(self, sim: Simulation) -> None:
        for execution in sim.world.log.started[self._seen :]:
            before = self._executions.setdefault(execution.id, execution)
            again = before is execution or self.may_run_again(before)
            require(again, "an execution was started twice", execution, before)
            self._executions[execution.id] = execution
            if execution.id.startswith("start:"):
                continue
            self.preparation.started(sim, execution)
            if job_node_of(execution.id) is None and not self.together.started(sim, execution):
                self._no_outcome_was_lost(sim, execution)
                early = nothing_started_too_early(sim, execution)
                require(early is None, "a task was started before those that it depends on have ended", early)
        self._seen = len(sim.world.log.started)
        uids = Counter(
            instance_of(x.id)[0] for x in sim.world.log.live.values() if not x.id.startswith("start")
        )
        double = [uid for uid, count in uids.items() if count > 1]
        require(not double, "two live executions of one task", double, list(sim.world.log.live.values()))

    def _no_outcome_was_lost(self, sim: Simulation, execution: Execution) -> None:
        """What ended by itself, on a node that lives, is run again only as a retry."""
        uid = execution.id.rpartition("-")[0]
        former = self._by_uid.setdefault(uid, [])
        dead = {node.node_id for node in sim.world.nodes.values() if not node.alive}
        known = [x for x in former if not x.lost and not x.forgotten]
        finished = [x for x in known if not x.killed and x.node_id not in dead]
        former.append(execution)
        if finished:
            task: Task = next(t for t in sim.journal.table("tasks").values() if t.uid == uid)
            told = task.retry_count >= len(finished) or is_meddled_with(task.job_id)
            require(told, "an outcome was lost", task, finished)

    def _one_job_at_a_time(self, jobs: dict[str, Job]) -> None:
        running = Counter(job.schedule_id for job in jobs.values() if job.schedule_id and job.state != "completed")
        require(max(running.values(), default=0) <= 1, "a schedule has two jobs at a time", running)

    def _nothing_accepted_is_lost(self, tasks: dict[tuple[str, str], Task]) -> None:
        lost = {key for key in self.accepted - tasks.keys() if key[0] not in DELETED and not is_meddled_with(key[0])}
        require(not lost, "an accepted task is lost", lost)

    def _completed_as_it_really_ended(self, sim: Simulation, tasks: dict[tuple[str, str], Task]) -> None:
        for key, task in self.changed(tasks):
            before = self.completed.get(key)
            if task is not before and is_meddled_with(key[0]):
                before = self.completed.pop(key, None) and None
                self._over.pop(task.uid, None)
            if before is not None:
                require(task is before, "a completed task was changed", before, task)
            elif task.state is TaskState.COMPLETED:
                self.completed[key] = self._over[task.uid] = task
                self._check_end(task)

    def _check_end(self, task: Task) -> None:
        if task.size:
            self.together.ended(task)
            return
        truth = self._executions.get(task.execution_id)
        if task.exit_code is None:
            ended = task.failure is not None and task.failure.code == "TaskEnded"
            require(ended, "a task was completed without an exit code", task)
            return
        require(truth is not None, "a task was completed that never ran", task)
        assert truth is not None
        real = "none yet" if truth.live else truth.exit_code
        require(task.exit_code == real, "a wrong exit code is recorded", task, truth)
        require((task.exit_code == 0) == (task.result == "success"), "a wrong result is recorded", task)

    def _pools_keep_to_their_targets(self, pools: dict[str, Pool], nodes: dict[str, Node]) -> None:
        counted = [n for n in nodes.values() if n.state in COUNTED]
        present = Counter((n.pool_id, n.low_priority or n.fallback) for n in counted)
        stand_ins = {n.pool_id for n in counted if n.fallback}
        for (pool_id, low_priority), count in present.items():
            target = _most(pools[pool_id], low_priority, pool_id in stand_ins)
            require(count <= target, "more nodes than asked for", pools[pool_id], present)

    def _no_vm_too_many(self, sim: Simulation, pools: dict[str, Pool], nodes: dict[str, Node]) -> None:
        """A node is ordered only where none lives in its place, but for those that the planner names."""
        new = [node for key, node in nodes.items() if key not in self._nodes]
        living = {vm.name for vm in sim.world.cloud.everything() if vm.state in ("pending", "running")} - self.denied
        limit = sim.settings.pools.hold_place
        for node in new:
            pool, low = pools[node.pool_id], node.low_priority or node.fallback
            before = self._pools.get(pool.id)
            broken = before is not None and before.broken_since is not None and pool.broken_since is not None
            require(not broken, "a node was ordered although the breaker is open", pool, node)
            same = [n for n in nodes.values() if n.pool_id == pool.id and (n.low_priority or n.fallback) == low]
            taken = [
                n
                for n in same
                if n.state in COUNTED
                or (
                    n.vm_name in living
                    and self.held_since(n) + limit > sim.now
                    and (n.destroying or n.fallback or (n.leaving not in PATIENT and n.reclaim_at is None))
                )
            ]
            most = _most(pool, low, any(n.fallback for n in same))
            require(len(taken) <= most or self.surplus_is_excused, "a VM too many", pool, taken)
        self._pools, self._nodes = dict(pools), set(nodes)

    def _nodes_keep_to_their_slots(
        self, sim: Simulation, nodes: dict[str, Node], tasks: dict[tuple[str, str], Task]
    ) -> None:
        """A task is given a slot only where one is free (those that wait at a node take theirs when it starts
        them)."""
        used: Counter[str] = Counter()
        given = set()
        for key, task in tasks.items():
            if task.node_id is None or task.state is TaskState.COMPLETED:
                continue
            if task.instances:
                for number, each in enumerate(task.instances):
                    if not each.over:
                        require(each.node_id in nodes, "an instance is placed on a node without a record", task)
                        truth = self._executions.get(task.execution_of(number))
                        used[each.node_id] += task.slots if truth is None or truth.live else 0
                        if task.state is TaskState.PREPARING and self._attempts.get(key) != task.attempt:
                            given.add(each.node_id)
                self._attempts[key] = task.attempt
                continue
            require(task.node_id in nodes, "a task is placed on a node without a record", task)
            if task.state in (TaskState.PREPARING, TaskState.RUNNING) and not task.ended:
                used[task.node_id] += task.spec.required_slots
            if task.state is TaskState.PREPARING and self._attempts.get(key) != task.attempt:
                given.add(task.node_id)
            self._attempts[key] = task.attempt
        pools = sim.journal.table("pools")
        for node_id in given:
            slots = pools[nodes[node_id].pool_id].spec.task_slots_per_node
            require(
                used[node_id] <= slots, "more executions on a node than it has slots", node_id, used[node_id]
            )
        for simulated in sim.world.nodes.values():
            require(
                simulated.used <= simulated.slots, "a node runs more than it has slots", simulated.node_id
            )

    def _nothing_lives_after_its_end(self, sim: Simulation, tasks: dict[tuple[str, str], Task]) -> None:
        for execution in sim.world.log.live.values():
            task = self._over.get(execution.id.rpartition("-")[0])
            require(task is None, "an execution runs although its task is completed", task)

    def at_the_end(self, jobs: dict[str, Job]) -> None:
        """Everything is done, and nothing is left."""
        sim = self.sim
        assert sim is not None
        gone = deleted(sim)
        left = gone & (sim.journal.table("tasks").keys() | {key[1:3] for key in sim.journal.table("outputs")})
        require(not left, "something of a deleted task is left", left)
        for key in self.accepted:
            if key[0] in DELETED or key in gone:
                continue
            task = sim.journal.table("tasks")[key]
            job = jobs[task.job_id]
            never_began = task.state is TaskState.ACTIVE and task.node_id is None
            done = task.state is TaskState.COMPLETED or (never_began and job.terminate_reason in ENDED_EARLY)
            done = done or (job.id == GRAPH and settled(task))
            require(done, "a task was never completed", task, job)
        kept = {key[:2] for name in ("tasks", "job_nodes") for key in sim.journal.table(name) if key[0] in DELETED}
        require(not kept and not DELETED & jobs.keys(), "something of a deleted job is left", kept, jobs.keys())
        outputs = [key for key in sim.journal.table("outputs") if key[1] in DELETED]
        require(not outputs, "outputs of a deleted job are left", outputs)
        check_outputs(sim, require)
        pools = set(sim.journal.table("pools"))
        require(pools == {"fixed", "ebbing"}, "a pool that was made for a job is left", pools)
        require(not sim.world.cloud.everything(), "VMs are left", sim.world.cloud.everything())
        require(not sim.journal.table("nodes"), "node records are left", sim.journal.table("nodes"))
        require(not sim.world.log.live, "executions are left", sim.world.log.live)
        scheduled = [job.id for job in jobs.values() if job.schedule_id]
        require(scheduled == ["every:job-1", "every:job-2"], "a wrong number of scheduled jobs", scheduled)


def _most(pool: Pool, low_priority: bool, stand_ins: bool) -> int:
    """The nodes of one kind that a pool may have: one more while low-priority nodes take the place of stand-ins."""
    return pool.target_low_priority + stand_ins if low_priority else pool.target_dedicated
