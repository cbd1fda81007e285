"""Jobs leave the journal in bounded batches, and nothing else leaves with them."""

import threading
import time

import msgspec
import pytest

from pools import Change, Node, Prefix
from runner import Output
from runner.retention_store import BATCH

from .records import job, put, task


def output(owner="task", parent="job", id="t", stream="stdout", **fields):
    return Output(**({"owner": owner, "parent_id": parent, "id": id, "stream": stream, "size": 3} | fields))


def filled(journal, count, job_id="job"):
    one = task("t", job_id=job_id)
    tasks = [msgspec.structs.replace(one, id=f"t{n}", uid=f"u{n}", sequence=n) for n in range(count)]
    journal.commit([put(job(job_id)), *(put(each) for each in tasks)])


def test_tasks_and_outputs_of_one_job_go(journal):
    filled(journal, BATCH + 3)
    filled(journal, 2, "other")
    kept = [
        output(data=b"abc"),
        output(stream="stderr", file="a.stderr"),
        output("jobpreparation", id="node", file="p.stdout"),
        output(parent="other", file="other.stdout"),
        output("starttask", id="node", data=b"x"),
    ]
    journal.commit([put(each) for each in kept])
    found = journal.forgetting.kept_of_job("job")
    assert (found.tasks, found.outputs, found.inline) == (BATCH + 3, 3, 3)
    assert set(found.files) == {"a.stderr", "p.stdout"}
    journal.forgetting.forget_tasks("job")
    assert journal.tasks("job") == []
    assert len(journal.tasks("other")) == 2
    assert journal.job("job") is not None  # it goes last, by whoever knows of it
    assert journal.output("task", "job", "t", "stdout") is None
    assert journal.output_files() == {"other.stdout"}
    assert journal.output("starttask", "job", "node", "stdout") is not None
    journal.commit([Change("job_nodes", Prefix(("job",)), None), Change("jobs", "job", None)])
    assert [each.id for each in journal.jobs()] == ["other"]
    journal.forgetting.forget_tasks("job")  # again: nothing is there


def test_a_commit_comes_between_the_batches(journal):
    filled(journal, 5 * BATCH)
    longest, done = 0.0, threading.Event()

    def forget():
        journal.forgetting.forget_tasks("job")
        done.set()

    thread = threading.Thread(target=forget)
    thread.start()
    commits = 0
    while not done.is_set():
        begun = time.monotonic()
        journal.commit([put(task("x", job_id="live", sequence=commits))])
        longest = max(longest, time.monotonic() - begun)
        commits += 1
    thread.join()
    assert commits > 1
    assert longest < 5.0
    assert journal.tasks("job") == []
    assert len(journal.tasks("live")) == 1


def test_the_size_of_the_database(tmp_path):
    from runner import open_journal

    journal = open_journal(f"sqlite:///{tmp_path}/x.db")
    filled(journal, 2000)
    before = journal.forgetting.size()
    journal.forgetting.forget_tasks("job")
    after = journal.forgetting.size()
    assert after.free > before.free
    journal.vacuum()
    small = journal.forgetting.size()
    assert small.total < after.total
    assert small.free == 0
    journal.commit([put(job("later"))])  # it can be used as before
    journal.close()


@pytest.mark.slow
def test_a_large_job_goes_in_seconds(tmp_path):
    from runner import open_journal

    journal = open_journal(f"sqlite:///{tmp_path}/x.db")
    for start in range(0, 100_000, 10_000):
        one = task("t")
        journal.commit(
            [put(msgspec.structs.replace(one, id=f"t{n}", sequence=n)) for n in range(start, start + 10_000)]
        )
    begun = time.monotonic()
    journal.forgetting.forget_tasks("job")
    assert time.monotonic() - begun < 30.0
    journal.close()


def test_what_nodes_printed_goes_when_it_is_old_and_they_are_gone(journal):
    node = Node(
        id="there", pool_id="p", vm_name="vm", low_priority=False, created=1.0, modified=1.0, state_time=1.0
    )
    old, new = {"parent": "p", "kept": 10.0}, {"parent": "p", "kept": 30.5}
    kept = [
        output("starttask", id="gone", **old),
        output("node", id="gone", stream="console.txt", **old),
        output("node", id="before", stream="console.txt", parent="p"),  # by a controller that did not say when
        output("starttask", id="gone", stream="stderr", **new),
        output("starttask", id="there", **old),
        output(id="gone", **old),
    ]
    journal.commit([put(each) for each in (node, *kept)])
    assert journal.forgetting.forget_node_outputs(30.0, dry_run=True) == 3
    assert journal.forgetting.forget_node_outputs(30.0) == 3
    left = [each for each in kept if journal.output(each.owner, each.parent_id, each.id, each.stream)]
    assert left == kept[3:]
    assert journal.forgetting.forget_node_outputs(30.0) == 0


def test_jobs_and_tasks_are_found_in_any_case(journal):
    journal.commit([put(job("Mine_1")), put(task("T_0", job_id="Mine_1")), put(task("t-0", "Mine_1", sequence=2))])
    assert [journal.job(name).id for name in ("Mine_1", "mINE_1")] == ["Mine_1"] * 2
    assert journal.job("Minex1") is None, "no character stands for others"
    assert [journal.task(("Mine_1", name)).id for name in ("t_0", "T_0", "T-0")] == ["T_0", "T_0", "t-0"]
    assert journal.task(("Mine_1", "tx0")) is None
