"""What must hold of job preparation and release tasks, whatever goes wrong. See invariants.py."""

from __future__ import annotations

from collections.abc import Callable

from pools import Node, NodeState
from providers import VmState
from runner import Job, Task
from runner.model import JobNode
from runner.simulated_node import Execution
from runner.simulation import Simulation
from runner.states import JobNodeState

Key = tuple[str, str]
DONE = (JobNodeState.RELEASED,)


class PreparationLaws:
    def __init__(self, require: Callable[..., None], may_run_again: Callable[[Execution], bool]) -> None:
        """`may_run_again`: see Invariants."""
        self._require = require
        self._may_run_again = may_run_again
        #: by the uid of a task, and of a job on a node
        self._tasks: dict[str, Task] = {}
        self._places: dict[str, JobNode] = {}
        #: executions of preparations and of releases that were started, by job and VM, with the boot they ran in
        self._prepared: dict[Key, list[tuple[Execution, int]]] = {}
        self._released: dict[Key, list[Execution]] = {}
        self._live: dict[Key, list[Execution]] = {}
        self._destroying: set[str] = set()
        self._over: set[str] = set()

    def learn(self, sim: Simulation) -> None:
        """The records as they are committed now."""
        self._places |= {record.uid: record for record in sim.journal.table("job_nodes").values()}

    def started(self, sim: Simulation, execution: Execution) -> None:
        uid, _, attempt = execution.id.rpartition("-")
        if attempt[0] in "pr":
            if uid not in self._places:
                self.learn(sim)
            place = self._places[uid]
            job = sim.journal.table("jobs")[place.job_id]
            (self._preparation if attempt[0] == "p" else self._release)(sim, job, place, execution)
            return
        if uid not in self._tasks:
            self._tasks |= {task.uid: task for task in sim.journal.table("tasks").values()}
        task = self._tasks[uid]
        job = sim.journal.table("jobs")[task.job_id]
        key = (_identity(job), _place(sim, execution.node_id))
        self._live.setdefault(key, []).append(execution)
        self._require(key not in self._released, "a task was started after the release", task, execution)
        spec = job.spec.job_preparation_task
        if spec is None or not spec.wait_for_success:
            return
        # of several the last counts: those before were not told of, or the node has started anew since. That its node
        # has forgotten it does not matter: the controller may have been told of it before
        last = self._prepared.get(key, ())[-1:]
        if spec.rerun_on_node_reboot_after_success:
            last = [(one, then) for one, then in last if then == _boot(sim, execution.node_id)]
        good = any(_has_succeeded(one) for one, _ in last)
        self._require(good, "a task was started before its job was prepared there", task, execution)

    def _preparation(self, sim: Simulation, job: Job, place: JobNode, execution: Execution) -> None:
        key = (_identity(job), _place(sim, execution.node_id))
        boot, before = _boot(sim, execution.node_id), self._prepared.setdefault(key, [])
        again = [
            one
            for one, then in before
            if one.live or (_has_succeeded(one) and not one.forgotten and then == boot)
        ]
        self._require(not again, "a node was prepared twice", job.id, execution, again)
        self._require(key not in self._released, "a node was prepared after the release", execution)
        before.append((execution, boot))

    def _release(self, sim: Simulation, job: Job, place: JobNode, execution: Execution) -> None:
        key = (_identity(job), _place(sim, execution.node_id))
        self._require(key in self._prepared, "a release without a preparation", execution)
        before = self._released.setdefault(key, [])
        again = [one for one in before if one.id != execution.id or not self._may_run_again(one)]
        self._require(not again, "a node was released twice", execution, again)
        busy = [one for one in self._live.get(key, ()) if one.live]
        busy += [one for one, _ in self._prepared[key] if one.live]
        self._require(not busy, "a release beside tasks of its job", execution, busy)
        before.append(execution)

    def committed(self, sim: Simulation, nodes: dict[str, Node], jobs: dict[str, Job]) -> None:
        records = sim.journal.table("job_nodes")
        over = {job.id for job in jobs.values() if job.end_time is not None}
        for job_id in over - self._over:
            for record in records.values():
                node = nodes.get(record.node_id)
                if record.job_id == job_id and (node is None or node.generation == record.generation):
                    self._job_may_end(jobs[job_id], record, node)
        self._over = over
        for node in nodes.values():
            if node.destroying and node.vm_name not in self._destroying:
                self._destroying.add(node.vm_name)
                for record in records.values():
                    here = record.node_id == node.id and record.generation == node.generation
                    if here and not _dies(node) and node.unreachable_since is None:
                        self._node_may_go(jobs[record.job_id], record, node)

    def _job_may_end(self, job: Job, record: JobNode, node: Node | None) -> None:
        lost = node is None or (node.destroying and node.unreachable_since is not None)
        if node is not None and not lost and not _dies(node) and self._is_owed(job, record, node):
            self._require(record.state in DONE, "a job ended before its release", job, record, node)

    def _node_may_go(self, job: Job, record: JobNode, node: Node) -> None:
        if self._is_owed(job, record, node):
            self._require(record.state in DONE, "a node went before the release", job, record, node)

    def _is_owed(self, job: Job, record: JobNode, node: Node) -> bool:
        """Where no preparation has begun there is nothing to release: it was called back before that, or never arrived.
        The record may not know that one began; the world does, unless the node itself has forgotten it unheard."""
        if job.spec.job_release_task is None:
            return False
        begun = self._prepared.get((_identity(job), node.vm_name), ())
        recorded = record.preparation is not None and record.preparation.has_run
        return recorded or any(not self._may_run_again(one) for one, _ in begun)


def _identity(job: Job) -> str:
    """A job that was deleted may be made again."""
    return f"{job.id} of {job.created}"


def _has_succeeded(execution: Execution) -> bool:
    return not execution.live and execution.exit_code == 0 and not execution.lost and not execution.killed


def _boot(sim: Simulation, node_id: str) -> int:
    return [node.reboots for node in sim.world.nodes.values() if node.node_id == node_id][-1]


def _place(sim: Simulation, node_id: str) -> str:
    """The node's present VM: one that is reimaged is prepared, and released, again."""
    return [name for name, node in sim.world.nodes.items() if node.node_id == node_id][-1]


def _dies(node: Node) -> bool:
    """Nobody waits for a release there."""
    ended = node.vm is None or node.vm.state is not VmState.RUNNING or node.vm_ended is not None
    failed = NodeState.UNUSABLE in (node.state, node.previous_state) or node.state is NodeState.PREEMPTED
    return ended or failed or node.reclaim_at is not None
