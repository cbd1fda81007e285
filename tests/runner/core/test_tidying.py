"""Which folders of tasks leave a node, and when."""

from datetime import timedelta

import pytest

from pools import ExecutionResult
from runner import Job, JobSpec, PoolInfo, Task, TaskSpec
from runner.link_errors import Unreachable
from runner.node_files import TaskFolder
from runner.node_tidying import tidy_nodes
from runner.states import JobState, TaskState
from runner.task_spec import JobPreparationTask, JobReleaseTask, TaskConstraints, packed

NOW, DAY = 1_750_000_000.0, 86400.0


def task(name, *, ended=None, retention=None, job_id="j"):
    """`ended`: so many days ago."""
    spec = TaskSpec(id=name, command_line="work", constraints=TaskConstraints(retention_time=retention))
    fields = {"created": 0.0, "modified": 0.0, "state_time": 0.0, "job_id": job_id, "id": name, "uid": name}
    state = TaskState.RUNNING
    if ended is not None:
        state = TaskState.COMPLETED
        fields |= {"end_time": NOW - ended * DAY, "result": ExecutionResult.SUCCESS}
    return Task(sequence=1, raw_spec=packed(spec), state=state, **fields)


def job(job_id="j", state=JobState.ACTIVE, **fields):
    prepare = JobPreparationTask(id="prepare", command_line="x")
    release = JobReleaseTask(id="release", command_line="x")
    info = PoolInfo(pool_id="p")
    spec = JobSpec(id=job_id, pool_info=info, job_preparation_task=prepare, job_release_task=release)
    return Job(created=0.0, modified=0.0, state_time=0.0, id=job_id, spec=spec, state=state, **fields)


class Records:
    def __init__(self, *tasks):
        self._jobs = [job(), job("s:job-2", schedule_id="s", number=2)]
        self._tasks = {each.key: each for each in tasks}

    def add(self, job, task):
        """The job, if it is a new one, and the task."""
        self._jobs = [*(each for each in self._jobs if each.id != job.id), job]
        self._tasks[task.key] = task

    def jobs(self):
        return self._jobs

    def task(self, key):
        """As the journal: ids in any case."""
        same = (task for own, task in self._tasks.items() if (own[0], own[1].lower()) == (key[0], key[1].lower()))
        return next(same, None)


class Node:
    """Each removed folder frees a tenth of the disk."""

    def __init__(self, *folders, free=1.0, changed=()):
        self.there = {folder.path: folder for folder in folders}
        self.free, self.changed = free, changed

    def task_folders(self):
        return tuple(self.there.values()), self.free

    def remove(self, folder):
        if folder.id in self.changed:
            return False
        del self.there[folder.path]
        self.free += 0.1
        return True


def folder(name, job="workitems/j/job-1", age=30 * DAY):
    return TaskFolder(job=job, id=name, age=age, mark="1")


def tidied(node, records, reserve=0.0):
    nodes = {"n": node}
    return tidy_nodes(nodes, nodes.__getitem__, records, reserve, NOW)["n"]


@pytest.mark.parametrize(
    ("record", "goes"),
    [
        (task("t", ended=6.9), False),  # the service's default: 7 days
        (task("t", ended=7.1), True),
        (task("t", ended=0.1, retention=timedelta(hours=1)), True),
        (task("t", ended=0.1, retention=timedelta(0)), True),
        (task("t", ended=300, retention=timedelta(days=10675199)), False),
        (task("t", ended=8, retention=timedelta(days=9)), False),
        (task("t"), False),  # runs, and has not printed anything for a month
    ],
)
def test_retention_time(record, goes):
    found = tidied(Node(folder("t")), Records(record))
    assert found == (("workitems/j/job-1/t",) if goes else ())


def test_whose_folder_it_is():
    node = Node(
        folder("t", "workitems/s/job-2"),
        folder("t", "workitems/gone/job-1"),  # its job was deleted
        folder("prepare"),  # of a job that is there: others build on it
        folder("release"),
        folder("gone"),  # its task was deleted, and the job goes on
        folder("T"),  # before another of the same name, in another case, was made
        folder("new", "workitems/gone/job-2", age=10.0),
    )
    records = Records(task("t", ended=8, job_id="s:job-2"), task("t"))
    gone = ("workitems/s/job-2/t", "workitems/gone/job-1/t", "workitems/j/job-1/gone", "workitems/j/job-1/T")
    assert tidied(node, records) == gone


def test_a_folder_that_changed_meanwhile_stays():
    assert tidied(Node(folder("t"), changed=("t",)), Records(task("t", ended=8))) == ()


def test_a_disk_that_is_nearly_full_loses_the_oldest_first():
    names = [f"t{number}" for number in range(6)]
    node = Node(*(folder(name, age=DAY - number) for number, name in enumerate(names)), folder("runs"), free=0.05)
    records = Records(*(task(name, ended=0.5) for name in names), task("runs"))
    assert tidied(node, records) == ()
    assert tidied(node, records, 0.2) == ("workitems/j/job-1/t0", "workitems/j/job-1/t1")
    node.free = 0.0
    tidied(node, records, 1.0)
    assert [each.id for each in node.there.values()] == ["runs"]


def test_a_node_that_cannot_be_asked_keeps_nobody_waiting():
    node = Node(folder("t"))

    def files(name):
        if name == "lost":
            raise Unreachable("no connection")
        return node

    assert tidy_nodes(["lost", "n"], files, Records(task("t", ended=8)), 0.0, NOW) == {"n": ("workitems/j/job-1/t",)}


@pytest.mark.parametrize("again", ["j", "new"], ids=["a task of a job that was there", "a task of another job"])
def test_what_began_while_other_nodes_were_tidied_is_known(again):
    """However long they took: a folder that looks old may have a task that works elsewhere in it, or is silent."""

    class Slow(Node):
        def task_folders(self):
            records.add(job(again), task("t", job_id=again))
            return super().task_folders()

    records = Records()
    nodes = {"slow": Slow(), "n": Node(folder("t", f"workitems/{again}/job-1"))}
    assert tidy_nodes(nodes, nodes.__getitem__, records, 0.0, NOW) == {"slow": (), "n": ()}


def test_what_begins_after_the_folders_were_listed_changes_them():
    """So the records that decide are those of after that; what begins still later is the node's to see."""
    asked = []

    class Watched(Node):
        def task_folders(self):
            asked.append("folders")
            return super().task_folders()

    class Told(Records):
        def jobs(self):
            asked.append("jobs")
            return super().jobs()

        def task(self, key):
            asked.append("task")
            return super().task(key)

    nodes = {"a": Watched(folder("t")), "b": Watched(folder("t"))}
    tidy_nodes(nodes, nodes.__getitem__, Told(task("t")), 0.0, NOW)
    assert asked == ["folders", "jobs", "task"] * 2
