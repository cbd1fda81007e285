"""The queue of tasks beside a naive one that looks at all of them each time."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pools import Ledger, Table
from runner import JobSpec, JobState, PoolInfo, TaskSpec, TaskState
from runner.model import Job
from runner.task_model import Task
from runner.task_queue import TaskQueue
from runner.task_spec import packed

POOLS = ("p", "q")
JOBS = ("a", "b", "c", "d")
#: with the first that waits, while somebody goes over the queue
DEEDS = ("task", "claim", "job", "park", "place")


class Queue(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        ledger = Ledger()
        self.jobs: Table = Table(ledger, "jobs")
        self.tasks: Table = Table(ledger, "tasks")
        self.queue = TaskQueue(self.tasks, self.jobs)
        self.sequence = 0
        self.aside: set = set()
        self.jobs_aside: set = set()
        self.claims: set = set()
        self.parked: dict = {}

    # -- the naive queue ---------------------------------------------------------------------------------------

    def placed(self, job_id):
        return [task for task in self.tasks if task.job_id == job_id and task.node_id is not None]

    def runs_or_claims(self, job_id):
        return [task for task in self.placed(job_id) if not task.ended] + [k for k in self.claims if k[0] == job_id]

    def expected(self, pool_id):
        found = []
        for task in self.tasks:
            job = self.jobs[task.job_id]
            limit = job.spec.max_parallel_tasks
            if (
                task.state is TaskState.ACTIVE
                and task.node_id is None
                and job.takes_tasks
                and job.pool_id == pool_id
                and (limit < 0 or len(self.runs_or_claims(job.id)) < limit)
                and task.key not in self.aside
                and task.key not in self.parked
                and job.id not in self.jobs_aside
            ):
                found.append((-job.spec.priority, task.sequence, task.key))
        return min(found)[2] if found else None

    # -- what can happen ---------------------------------------------------------------------------------------

    @rule(job_id=st.sampled_from(JOBS), count=st.integers(1, 4))
    def add(self, job_id, count):
        if job_id not in self.jobs:
            spec = JobSpec(id=job_id, pool_info=PoolInfo(pool_id="p"))
            self.jobs.put(job_id, Job(created=0.0, modified=0.0, state_time=0.0, id=job_id, spec=spec))
        for _ in range(count):
            self.sequence += 1
            name = f"t{self.sequence}"
            raw = packed(TaskSpec(id=name, command_line="x"))
            task = Task(
                created=0.0,
                modified=0.0,
                state_time=0.0,
                job_id=job_id,
                id=name,
                uid=name,
                sequence=self.sequence,
                raw_spec=raw,
            )
            self.tasks.put(task.key, task)
            self.queue.push(task)

    @precondition(lambda self: len(self.jobs) > 0)
    @rule(data=st.data())
    def change_job(self, data):
        job = data.draw(st.sampled_from(sorted(self.jobs, key=lambda each: each.id)))
        spec = msgspec.structs.replace(
            job.spec,
            priority=data.draw(st.integers(-2, 2)),
            max_parallel_tasks=data.draw(st.sampled_from((-1, 1, 2))),
            pool_info=PoolInfo(pool_id=data.draw(st.sampled_from(POOLS))),
        )
        state = data.draw(st.sampled_from((JobState.ACTIVE, JobState.ACTIVE, JobState.DISABLED)))
        held = data.draw(st.sampled_from((False, False, True)))
        self.jobs.put(job.id, msgspec.structs.replace(job, spec=spec, state=state, held=held))
        self.queue.refresh(job.id)
        self.parked.clear()

    @rule(pool_id=st.sampled_from(POOLS), count=st.integers(1, 3))
    def place(self, pool_id, count):
        for _ in range(count):
            task = self.queue.first(pool_id)
            assert (task.key if task else None) == self.expected(pool_id)
            if task is None:
                return
            task = self.tasks.put(task.key, msgspec.structs.replace(task, node_id="n"))
            self.queue.placed(task)

    @rule(data=st.data(), ends=st.booleans())
    def leave(self, data, ends):
        at_nodes = [task for task in self.tasks if task.node_id is not None]
        if not at_nodes:
            return
        task = data.draw(st.sampled_from(at_nodes))
        self.queue.unplaced(task)
        state = TaskState.COMPLETED if ends else TaskState.ACTIVE
        task = self.tasks.put(task.key, msgspec.structs.replace(task, node_id=None, state=state, ended=False))
        if not ends:
            self.queue.push(task)

    @rule(data=st.data())
    def end_at_its_node(self, data):
        running = [task for task in self.tasks if task.node_id is not None and not task.ended]
        if running:
            task = data.draw(st.sampled_from(running))
            self.queue.ended(self.tasks.put(task.key, msgspec.structs.replace(task, ended=True)))

    @rule(data=st.data(), gone=st.booleans())
    def end_while_it_waits(self, data, gone):
        waiting = [task for task in self.tasks if task.node_id is None and task.state is TaskState.ACTIVE]
        if not waiting:
            return
        task = data.draw(st.sampled_from(waiting))
        if gone:
            self.tasks.remove(task.key)
        else:
            self.tasks.put(task.key, msgspec.structs.replace(task, state=TaskState.COMPLETED))

    @rule(data=st.data())
    def reactivate(self, data):
        over = [task for task in self.tasks if task.state is TaskState.COMPLETED]
        if over:
            task = data.draw(st.sampled_from(over))
            self.queue.push(self.tasks.put(task.key, msgspec.structs.replace(task, state=TaskState.ACTIVE)))
            self.parked.pop(task.key, None)

    @rule(pool_id=st.sampled_from(POOLS), deeds=st.lists(st.sampled_from(DEEDS), max_size=8))
    def go_over_it(self, pool_id, deeds):
        for deed in deeds:
            task = self.queue.first(pool_id)
            assert (task.key if task else None) == self.expected(pool_id)
            if task is None:
                break
            if deed == "task":
                self.queue.set_aside(task)
                self.aside.add(task.key)
            elif deed == "claim":
                self.queue.set_aside(task, claims=True)
                self.aside.add(task.key)
                self.claims.add(task.key)
            elif deed == "job":
                self.queue.set_job_aside(task.job_id)
                self.jobs_aside.add(task.job_id)
            elif deed == "park":
                self.queue.park(pool_id, task, "nodes")
                self.parked[task.key] = pool_id
            else:
                self.queue.placed(self.tasks.put(task.key, msgspec.structs.replace(task, node_id="n")))
        self.aside.clear()
        self.claims.clear()
        self.jobs_aside.clear()
        self.queue.bring_back()

    @rule(pool_id=st.sampled_from(POOLS), nodes=st.sampled_from(("nodes", "others")))
    def unpark(self, pool_id, nodes):
        self.queue.unpark(pool_id, nodes)
        if nodes == "others":
            self.parked = {key: pool for key, pool in self.parked.items() if pool != pool_id}

    @rule(job_id=st.sampled_from(JOBS))
    def remove_job(self, job_id):
        if job_id in self.jobs and not self.placed(job_id):
            for task in self.tasks:
                if task.job_id == job_id:
                    self.tasks.remove(task.key)
            self.queue.forget(job_id)
            self.jobs.remove(job_id)

    # -- what must hold ----------------------------------------------------------------------------------------

    @invariant()
    def the_first_is_the_best(self):
        for pool_id in POOLS:
            task = self.queue.first(pool_id)
            assert (task.key if task else None) == self.expected(pool_id)
            assert self.queue.wanted(pool_id) or (task is None and pool_id not in self.parked.values())
        for job in self.jobs:
            assert self.queue.placed_count(job.id) == len(self.placed(job.id))


Queue.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQueue = Queue.TestCase


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
@settings(deadline=None)
def test_heaps_do_not_grow_with_what_is_stale(requeued):
    """A task that is given back again and again leaves nothing behind."""
    queue = Queue()
    for job_id in JOBS:
        queue.add(job_id, 1)
    for _ in range(20):
        for _ in requeued:
            task = queue.queue.first("p")
            assert task is not None
            placed = queue.tasks.put(task.key, msgspec.structs.replace(task, node_id="n"))
            queue.queue.placed(placed)
            queue.queue.unplaced(placed)
            queue.queue.push(queue.tasks.put(task.key, msgspec.structs.replace(task, node_id=None)))
    assert sum(map(len, queue.queue._pools.values())) < 100
