"""Job managers: tasks that make the other tasks of their job, with the official client, on a node."""

from __future__ import annotations

import sys
from pathlib import Path

from azure.batch import models as m

from tests.acceptance.flow import Flow
from tests.acceptance.sdk14.client import connected, gone, make_pool, text

flow = Flow()
client = connected(flow)
POOL, JOB = "managers-pool", "managers-job"


@flow.step
def a_manager_makes_a_hundred_tasks_and_waits_for_them() -> None:
    make_pool(client, POOL, 1, task_slots_per_node=4)
    # local nodes are processes of this machine, so they have this client, too
    program = f"{sys.executable} {Path(__file__).with_name('on_a_node.py')}"
    manager = m.JobManagerTask(id="manager", command_line=program, run_exclusive=False)
    info = m.PoolInformation(pool_id=POOL)
    client.job.add(m.JobAddParameter(id=JOB, pool_info=info, job_manager_task=manager))
    assert client.job.get(JOB).job_manager_task.run_exclusive is False
    done = m.JobState.completed
    job = flow.wait("the job ends", lambda: (found := client.job.get(JOB)).state == done and found)
    assert job.execution_info.terminate_reason == "JMComplete"
    ran = {task.id: task.execution_info for task in client.task.list(JOB)}
    assert ran.pop("manager").exit_code == 0, text(client.file.get_from_task(JOB, "manager", "stderr.txt"))
    assert ran.keys() == {f"piece-{number:03}" for number in range(100)}
    assert {(each.exit_code, each.result) for each in ran.values()} == {(0, m.TaskExecutionResult.success)}


@flow.step
def it_reads_what_they_print_and_does_not_reach_the_pool() -> None:
    printed = text(client.file.get_from_task(JOB, "manager", "stdout.txt")).splitlines()
    assert printed == [str(sum(range(100))), "AuthorizationFailure"]


@flow.step
def all_is_deleted() -> None:
    client.job.delete(JOB)
    gone(flow, JOB, lambda: client.job.get(JOB))
    client.pool.delete(POOL)
    gone(flow, POOL, lambda: client.pool.get(POOL))


if __name__ == "__main__":
    flow.run()
