"""Thousands of tasks: the commands read what they need, and print what fits on a page."""

import json
import subprocess
import sys
from typing import Any

import pytest

from pools import Change, ExecutionResult, FailureInfo, Pool, PoolSpec
from runner import Job, JobSpec, PoolInfo, Task, TaskSpec, TaskState, open_journal
from runner.task_spec import packed
from service.settings import Settings
from service.workload_file import load_workload

from .offers import offers
from .stage import PATIENCE

STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
COUNT = 3000


def record(number: int) -> Task:
    """Of every ten: one fails, one waits, one runs; the others succeed."""
    spec = packed(TaskSpec(id=f"t{number}", command_line="x"))
    task = Task(**STAMP, job_id="j", id=f"t{number}", uid=f"u{number}", sequence=number, raw_spec=spec)
    change = {
        0: {"state": TaskState.COMPLETED, "result": ExecutionResult.FAILURE, "exit_code": 3, "cost": 2.0,
            "failure": FailureInfo("usererror", "FailureExitCode", f"t{number} ended with 3"), "retry_count": 1},
        1: {},
        2: {"state": TaskState.RUNNING, "node_id": "n", "start_time": 100.0, "cost": 1.0},
    }.get(number % 10, {"state": TaskState.COMPLETED, "result": ExecutionResult.SUCCESS, "exit_code": 0})  # fmt: skip
    return Task(**{**{name: getattr(task, name) for name in task.__struct_fields__}, **change})


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "state"
    path.mkdir()
    (path / "deployment").write_text("0123456789ab\n")
    journal = open_journal(f"sqlite:///{path}/ebbtide.db")
    pool = Pool(**STAMP, id="p", spec=PoolSpec(id="p", vm_size="local.small"), provider="local")
    jobs = [Job(**STAMP, id=name, spec=JobSpec(id=name, pool_info=PoolInfo(pool_id="p"))) for name in ("j", "k")]
    changes = [Change("pools", "p", pool), *(Change("jobs", job.id, job) for job in jobs)]
    journal.commit([*changes, *(Change("tasks", task.key, task) for task in map(record, range(COUNT)))])
    yield path
    journal.close()


@pytest.fixture
def queries(state):
    journal = open_journal(f"sqlite:///{state}/ebbtide.db", upgrade=False)
    yield journal.task_queries
    journal.close()


def test_tasks_are_counted(queries):
    assert queries.counts() == {
        "j": {"succeeded": COUNT * 7 // 10, "failed": COUNT // 10, "active": COUNT // 10, "running": COUNT // 10}
    }
    assert queries.totals()["j"].cost == 2.0 * COUNT / 10
    assert queries.open_totals()["j"].cost == COUNT / 10


@pytest.mark.parametrize(
    ("job", "states", "limit", "found"),
    [
        ("j", ("failed",), 3, ["t0", "t10", "t20"]),
        (None, ("active", "running"), 3, ["t1", "t2", "t11"]),
        ("j", (), 2, ["t0", "t1"]),
        ("j", ("succeeded",), 10**6, [f"t{n}" for n in range(COUNT) if n % 10 > 2]),
        ("j", ("preparing",), 5, []),
        ("k", (), 5, []),
    ],
)
def test_tasks_are_found_oldest_first(queries, job, states, limit, found):
    assert [task.id for task in queries.find(job, states, limit)] == found


def test_all_tasks_come_one_after_the_other(queries):
    tasks = queries.stream()
    assert next(tasks) == record(0)
    assert [task.sequence for task in tasks] == list(range(1, COUNT))


def status(state, *words):
    command = [sys.executable, "-m", "service", "status", "--state", str(state), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_status_prints_counts_and_no_tasks(state):
    text = status(state).stdout
    assert "tasks 2100 success 300 failure 300 active 300 running" in text
    assert "t10" not in text and len(text.splitlines()) < 10
    found = json.loads(status(state, "--json").stdout)
    assert found["jobs"][0]["tasks"] == {"success": 2100, "failure": 300, "active": 300, "running": 300}
    assert "tasks" not in found


def test_status_lists_tasks_that_are_asked_for(state):
    text = status(state, "--task-state", "failed", "--limit", "2").stdout
    assert "tasks, the first 2 of 300 (--limit N shows more):" in text
    assert " ".join(text.split()).endswith(
        " j t10: failure since 1970-01-01T00:01:40.000Z, exit code 3, retried 1 time, FailureExitCode: t10 ended with 3"
    )
    found = json.loads(status(state, "--job", "j", "--task-state", "running", "--limit", "7", "--json").stdout)
    assert [task["id"] for task in found["tasks"]] == [f"t{n}2" if n else "t2" for n in range(7)]
    assert found["tasks"][0]["nodeId"] == "n"
    assert status(state, "--job", "k").stdout.splitlines()[-1] == "tasks: none"
    refused = status(state, "--job", "none")
    assert refused.returncode == 1 and "there is no job 'none'" in refused.stderr


def test_a_large_workload_file_is_read_to_the_last_task(tmp_path):
    tasks = "".join(f"  - {{id: t{n}, commandLine: /bin/true {n}}}\n" for n in range(COUNT))
    (tmp_path / "w.yaml").write_text(
        f"pools:\n- {{id: p, vmSize: local.small}}\njobs:\n- id: j\n  poolInfo: {{poolId: p}}\n  tasks:\n{tasks}"
    )
    loaded = load_workload(tmp_path / "w.yaml", Settings(), offers())
    (job,) = loaded.spec.jobs
    assert [task.command_line for task in job.tasks] == [f"/bin/true {n}" for n in range(COUNT)]
