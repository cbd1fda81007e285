"""Job managers: tasks that make the other tasks of their job, with the official client, on a node."""

from __future__ import annotations

import sys
from pathlib import Path

from azure.batch import models as m

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import connected, idle, make_pool, text

flow = Flow()
client = connected(flow)
POOL, JOB, OTHER = "managers-pool", "managers-job", "managers-other"
#: Local nodes are processes of this machine, so they have this client, too.
PROGRAM = f"{sys.executable} {Path(__file__).with_name('on_a_node.py')}"


def tasks() -> dict[str, m.BatchTask]:
    return {task.id: task for task in client.list_tasks(JOB)}


@flow.step
def a_job_begins_with_its_manager_alone() -> None:
    make_pool(client, POOL, 2, task_slots_per_node=4)
    idle(flow, client, POOL, 2)
    info = m.BatchPoolInfo(pool_id=POOL)
    client.create_job(m.BatchJobCreateOptions(id=OTHER, pool_info=info))
    manager = m.BatchJobManagerTask(id="manager", command_line=PROGRAM, kill_job_on_completion=True, required_slots=1)
    client.create_job(m.BatchJobCreateOptions(id=JOB, pool_info=info, job_manager_task=manager))
    assert "manager" in tasks()
    found = client.get_job(JOB).job_manager_task
    assert found is not None
    assert (found.id, found.command_line, found.kill_job_on_completion) == ("manager", PROGRAM, True)
    assert found.run_exclusive is not False  # which is what is not said: no other task runs on its node


@flow.step
def it_makes_a_hundred_tasks_and_waits_for_them() -> None:
    job = flow.wait("the job ends", lambda: (found := client.get_job(JOB)).state == "completed" and found)
    ran = tasks()
    manager = ran.pop("manager")
    assert manager.execution_info is not None
    assert manager.execution_info.exit_code == 0, text(client.download_task_file(JOB, "manager", "stderr.txt"))
    assert manager.node_info is not None
    assert ran.keys() == {f"piece-{number:03}" for number in range(100)}
    for task in ran.values():
        assert task.execution_info is not None
        assert (task.execution_info.exit_code, task.execution_info.result) == (0, "success")
        assert task.execution_info.end_time <= manager.execution_info.end_time
        assert task.node_info is not None
        assert task.node_info.node_id != manager.node_info.node_id
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "JMComplete"


@flow.step
def it_reads_what_they_print_and_reaches_nothing_else() -> None:
    told, *refused = text(client.download_task_file(JOB, "manager", "stdout.txt")).splitlines()
    assert int(told) == sum(range(100))
    assert refused == [
        f"{what} 403 AuthorizationFailure" for what in ("pools", "its pool", "jobs", "another job", "a new job")
    ]
    assert [job.id for job in client.list_jobs(filter="id eq 'managers-new'")] == []


@flow.step
def all_is_deleted() -> None:
    for job_id in (JOB, OTHER):
        client.begin_delete_job(job_id, polling_interval=1).result()
    client.begin_delete_pool(POOL, polling_interval=1).result()


if __name__ == "__main__":
    flow.run()
