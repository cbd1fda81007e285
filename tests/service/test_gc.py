"""`ebbtide gc` on a state without a controller: what goes, what stays, and what is told."""

import json
import os
import time

import pytest
from click.testing import CliRunner

from pools import Node
from runner import (
    CHECKPOINTS,
    ApplicationPackage,
    Job,
    JobSchedule,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    JobState,
    Output,
    PoolInfo,
    Schedule,
    open_journal,
    put_blob,
)
from runner.retention_store import Forgetting
from runner.states import TaskState
from service.cli import main
from service.object_stores import open_store
from service.state import StateDirectory
from tests.runner.store.records import put, task

NOW, DAY = time.time(), 86400.0
PACKAGE = ApplicationPackage(application_id="a", version="1", sha256="ab" * 32, size=3, created=NOW)


def job(job_id, ended=None, **fields):
    """`ended`: so many days ago."""
    fields = {"created": NOW, "modified": NOW, "state_time": NOW} | fields
    if ended is not None:
        fields |= {"state": JobState.COMPLETED, "end_time": NOW - ended * DAY}
    return Job(id=job_id, spec=JobSpec(id=job_id, pool_info=PoolInfo(pool_id="p")), **fields)


def schedule(schedule_id, recent):
    spec = JobScheduleSpec(
        id=schedule_id,
        schedule=Schedule(),
        job_specification=JobSpecification(pool_info=PoolInfo(pool_id="p")),
    )
    return JobSchedule(
        id=schedule_id, spec=spec, recent_job_id=recent, jobs_created=2, created=NOW, modified=NOW, state_time=NOW
    )


def file(path, days_old=1.0, size=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (NOW - days_old * DAY,) * 2)


@pytest.fixture
def state(tmp_path):
    directory = StateDirectory(tmp_path / "state")
    directory.create(lambda: "0123456789ab")
    journal = open_journal(directory.database_url)
    records = [
        *(job(f"s:job-{n}", days, schedule_id="s") for n, days in ((1, 100), (2, 95))),
        *(job("old", 91, declared=True), job("young", 89), job("live")),
        schedule("s", "s:job-2"),
        *(task(f"t{number}", job_id="old", state=TaskState.COMPLETED) for number in range(3)),
        *(task("t0", job_id="young", state=TaskState.COMPLETED), task("t0", job_id="live")),
        Output(owner="task", parent_id="old", id="t0", stream="stdout", size=7, data=b"1234567"),
        Output(owner="task", parent_id="old", id="t1", stream="stdout", size=100, file="old-t1.stdout"),
        Output(owner="task", parent_id="live", id="t0", stream="stdout", size=100, file="live-t0.stdout"),
        PACKAGE,
    ]
    journal.commit([put(record) for record in records])
    journal.close()
    for name in ("old-t1.stdout", "live-t0.stdout", "stray.stdout"):
        file(directory.outputs / name)
    file(directory.outputs / "being-written.stdout.17.0.tmp", days_old=0.0)
    file(directory.packages / f"{PACKAGE.sha256}.zip")
    file(directory.packages / "unknown.zip", size=50)
    store = open_store(directory, None)
    for name in ("live/t0/u0.tar", "young/t0/u0.tar", "gone/t0/u0.tar"):
        put_blob(store, CHECKPOINTS, name, [b"tar"])
    for path in directory.storage.rglob("*"):
        os.utime(path, (NOW - DAY, NOW - DAY))
    return directory


def gc(state, *words, **environment):
    runner = CliRunner(env={"EBBTIDE_JOB_RETENTION": None, **environment})
    return runner.invoke(main, ["gc", "--state", str(state.path), *words])


def names(state):
    """What a state holds: jobs, and files."""
    journal = open_journal(state.database_url, upgrade=False)
    jobs = {each.id: len(journal.tasks(each.id)) for each in journal.jobs()}
    journal.close()
    files = {path.name for folder in (state.outputs, state.packages) for path in folder.iterdir()}
    return jobs, files


KEPT = {"live-t0.stdout", f"{PACKAGE.sha256}.zip", "being-written.stdout.17.0.tmp"}


def test_a_dry_run_only_tells(state):
    before = names(state)
    run = gc(state, "--dry-run")
    assert run.exit_code == 0, run.output
    assert names(state) == before
    assert "old" in run.output
    assert "s:job-1" in run.output
    assert "s:job-2" not in run.output
    assert "outputs without a record: 1 file, 100 bytes" in run.output
    assert "packages without a record: 1 file, 50 bytes" in run.output
    assert "would go: 2 jobs, 263 bytes of files and outputs" in run.output


def test_what_goes_and_what_stays(state):
    run = gc(state, "--json")
    assert run.exit_code == 0, run.output
    told = json.loads(run.output)
    assert (told["dryRun"], told["by"], told["bytes"]) == (False, "command", 263)
    assert {each["id"]: each["tasks"] for each in told["jobs"]} == {"old": 3, "s:job-1": 0}
    jobs, files = names(state)
    assert jobs == {"young": 1, "live": 1, "s:job-2": 0}
    assert files == KEPT
    assert {each["path"] for each in told["checkpoints"]} == {"young/t0/u0.tar", "gone/t0/u0.tar"}
    (left,) = open_store(state, None).page(CHECKPOINTS).blobs
    assert left.name == "live/t0/u0.tar"
    again = json.loads(gc(state, "--json").output)
    assert (again["jobs"], again["bytes"]) == ([], 0)


def gone_ids(state):
    journal = open_journal(state.database_url)
    try:
        return {key: each.time for key, each in journal.load(0.0).gone.items()}
    finally:
        journal.close()


def test_what_is_left_of_a_job_is_its_id(state):
    assert gone_ids(state) == {}
    gc(state, "--dry-run")
    assert gone_ids(state) == {}
    gc(state)
    assert gone_ids(state) == {("old", ""): pytest.approx(time.time(), abs=600.0)}


def test_a_job_of_which_only_some_tasks_went_is_known_to_have_run(state, monkeypatch):
    def cut_short(self, job_id):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Forgetting, "forget_tasks", cut_short)
        assert gc(state).exit_code != 0
    assert names(state)[0]["old"] == 3
    assert set(gone_ids(state)) == {("old", "")}
    assert gc(state).exit_code == 0
    assert "old" not in names(state)[0]
    assert set(gone_ids(state)) == {("old", "")}


def test_the_setting_says_how_long(state):
    gc(state, EBBTIDE_JOB_RETENTION="P10675199D")
    assert set(names(state)[0]) == {"old", "young", "live", "s:job-1", "s:job-2"}
    gc(state, EBBTIDE_JOB_RETENTION="P1D")
    assert set(names(state)[0]) == {"live", "s:job-2"}


def test_vacuum_makes_the_database_smaller(state):
    journal = open_journal(state.database_url)
    for start in range(0, 3000, 500):
        journal.commit([put(task(f"m{number}", job_id="old")) for number in range(start, start + 500)])
    journal.close()
    freed = json.loads(gc(state, "--json").output)["database"]
    assert freed["free"] > 0
    smaller = json.loads(gc(state, "--vacuum", "--json").output)["database"]
    assert smaller["total"] < freed["total"]
    assert smaller["free"] == 0


def test_an_object_store_that_fails_keeps_nothing_else_back(state):
    (container,) = (path for path in state.storage.iterdir() if path.name == CHECKPOINTS)
    container.rename(container.with_name("elsewhere"))
    container.symlink_to(container.name)
    run = gc(state, "--json")
    told = json.loads(run.stdout)
    assert ({each["id"] for each in told["jobs"]}, told["checkpoints"]) == ({"s:job-1", "old"}, [])
    assert names(state)[1] == KEPT
    assert run.exit_code == 1 and told["storeError"] in run.stderr and "checkpoints are left" in run.stderr
    container.unlink()
    container.with_name("elsewhere").rename(container)
    told = json.loads(gc(state, "--json").stdout)
    assert (len(told["checkpoints"]), told["storeError"]) == (2, None)


def test_what_is_refused(state, tmp_path):
    assert gc(state, "--vacuum", "--dry-run").exit_code == 2
    assert gc(StateDirectory(tmp_path / "none")).exit_code != 0


@pytest.mark.parametrize("days", [1, 100])
def test_what_nodes_printed_goes_some_time_after_they_did(tmp_path, days):
    """Of nodes that are there everything stays; jobs take along what is theirs."""
    state = StateDirectory(tmp_path / "state")
    state.create(lambda: "0" * 12)
    at = NOW - days * DAY
    kept = {"parent_id": "p", "size": 1, "data": b"x", "kept": at}
    outputs = [
        Output(owner="starttask", id="gone", stream="stdout", attempt=1, **kept),
        Output(owner="starttask", id="gone", stream="stdout", attempt=2, **kept),
        Output(owner="node", id="gone", stream="console.txt", **kept),
        Output(owner="starttask", id="there", stream="stdout", **kept),
        Output(owner="task", id="gone", stream="stdout", **kept),
    ]
    journal = open_journal(state.database_url)
    node = Node(
        id="there", pool_id="p", low_priority=False, vm_name="vm", created=NOW, modified=NOW, state_time=NOW
    )
    journal.commit([put(each) for each in (node, *outputs)])
    journal.close()
    went = 3 if days == 100 else 0
    for words in (("--dry-run",), ()):
        run = gc(state, "--json", *words)
        assert run.exit_code == 0, run.output
        assert json.loads(run.stdout)["measured"]["node_outputs"] == went
    journal = open_journal(state.database_url)
    left = [each for each in outputs if journal.output(each.owner, each.parent_id, each.id, each.stream, each.attempt)]
    journal.close()
    assert left == (outputs[3:] if went else outputs)
