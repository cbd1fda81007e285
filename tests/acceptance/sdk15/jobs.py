"""Jobs: made, read, changed, disabled, terminated, deleted; their preparation and release."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from azure.batch import models as m
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import connected, idle, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL, JOB = "jobs-pool", "jobs-main"


def add(job_id: str, **properties: object) -> None:
    info = m.BatchPoolInfo(pool_id=POOL)
    client.create_job(m.BatchJobCreateOptions(id=job_id, pool_info=info, **properties))


def complete(job_id: str) -> m.BatchJob:
    return flow.wait(f"{job_id} completes", lambda: (job := client.get_job(job_id)).state == "completed" and job)


@flow.step
def a_job_is_made_once() -> None:
    make_pool(client, POOL, 1, task_slots_per_node=2)
    add(
        JOB,
        display_name="The first job",
        priority=7,
        uses_task_dependencies=True,
        max_parallel_tasks=10,
        allow_task_preemption=False,
        constraints=m.BatchJobConstraints(max_wall_clock_time=timedelta(hours=1), max_task_retry_count=2),
        common_environment_settings=[m.EnvironmentSetting(name="EVERYWHERE", value="yes")],
        metadata=[m.BatchMetadataItem(name="owner", value="jobs")],
        all_tasks_complete_mode=m.BatchAllTasksCompleteMode.NO_ACTION,
        task_failure_mode=m.BatchTaskFailureMode.NO_ACTION,
    )
    refused("JobExists", lambda: add(JOB), ResourceExistsError)


@flow.step
def it_is_read_as_it_was_made() -> None:
    job = client.get_job(JOB)
    assert (job.id, job.display_name, job.priority, job.max_parallel_tasks) == (JOB, "The first job", 7, 10)
    assert (job.uses_task_dependencies, job.allow_task_preemption) == (True, False)
    assert job.constraints is not None
    assert job.constraints.max_wall_clock_time == timedelta(hours=1)
    assert job.constraints.max_task_retry_count == 2
    assert job.state == m.BatchJobState.ACTIVE
    assert job.pool_info.pool_id == POOL
    assert job.execution_info is not None
    assert job.execution_info.pool_id == POOL
    assert job.execution_info.end_time is None
    assert job.all_tasks_complete_mode == m.BatchAllTasksCompleteMode.NO_ACTION
    assert job.task_failure_mode == m.BatchTaskFailureMode.NO_ACTION
    assert [(each.name, each.value) for each in job.metadata or []] == [("owner", "jobs")]
    assert [(each.name, each.value) for each in job.common_environment_settings or []] == [("EVERYWHERE", "yes")]
    assert job.url == f"{flow.endpoint}/jobs/{JOB}"
    refused("JobNotFound", lambda: client.get_job("jobs-none"), ResourceNotFoundError)


@flow.step
def what_is_not_said_has_its_default() -> None:
    add("jobs-plain")
    job = client.get_job("jobs-plain")
    assert (job.priority, job.max_parallel_tasks, job.uses_task_dependencies) == (0, -1, False)
    assert job.constraints is not None
    assert job.constraints.max_task_retry_count == 0
    assert job.constraints.max_wall_clock_time is not None
    assert job.constraints.max_wall_clock_time.days > 10_000_000
    assert job.all_tasks_complete_mode == m.BatchAllTasksCompleteMode.NO_ACTION


@flow.step
def lists_are_filtered_and_cut() -> None:
    for number in range(3):
        add(f"jobs-many-{number}", priority=number)
    mine = "startswith(id,'jobs-many')"
    assert [job.id for job in client.list_jobs(filter=mine)] == [f"jobs-many-{number}" for number in range(3)]
    assert [len(list(page)) for page in client.list_jobs(filter=mine, max_results=2).by_page()] == [2, 1]
    high = list(client.list_jobs(filter=f"{mine} and priority ge 1", select=["id", "priority"]))
    assert [job.as_dict() for job in high] == [
        {"id": "jobs-many-1", "priority": 1},
        {"id": "jobs-many-2", "priority": 2},
    ]
    assert not list(client.list_jobs(filter="creationTime lt datetime'2020-01-01T00:00:00Z'"))
    refused("InvalidQueryParameterValue", lambda: client.list_jobs(filter="priority eq"))
    for number in range(3):
        client.begin_delete_job(f"jobs-many-{number}", polling_interval=1).result()
    assert not list(client.list_jobs(filter=mine))


@flow.step
def some_properties_are_patched() -> None:
    before = client.get_job(JOB)
    change = m.BatchJobUpdateOptions(priority=9, metadata=[m.BatchMetadataItem(name="owner", value="nobody")])
    client.update_job(JOB, change, etag=before.etag, match_condition=MatchConditions.IfNotModified)
    job = client.get_job(JOB)
    assert (job.priority, job.max_parallel_tasks, job.constraints) == (9, 10, before.constraints)
    assert [(each.name, each.value) for each in job.metadata or []] == [("owner", "nobody")]
    refused(
        "ConditionNotMet",
        lambda: client.update_job(JOB, change, etag=before.etag, match_condition=MatchConditions.IfNotModified),
        ResourceModifiedError,
    )


@flow.step
def what_was_read_is_put_back_changed() -> None:
    job = client.get_job(JOB)
    job.priority = 3
    client.replace_job(JOB, job)
    again = client.get_job(JOB)
    assert (again.priority, again.max_parallel_tasks, again.constraints) == (3, 10, job.constraints)
    client.replace_job(JOB, m.BatchJob(pool_info=m.BatchPoolInfo(pool_id=POOL)))
    bare = client.get_job(JOB)
    assert (bare.priority, bare.max_parallel_tasks, bare.metadata or []) == (0, -1, [])


@flow.step
def a_disabled_job_holds_its_tasks() -> None:
    idle(flow, client, POOL, 1)
    client.create_task(JOB, m.BatchTaskCreateOptions(id="sleeps", command_line="sleep 600"))
    flow.wait("it runs", lambda: client.get_task(JOB, "sleeps").state == m.BatchTaskState.RUNNING)
    options = m.BatchJobDisableOptions(disable_tasks="requeue")
    client.begin_disable_job(JOB, options, polling_interval=1).result()
    job = client.get_job(JOB)
    assert (job.state, job.previous_state) == (m.BatchJobState.DISABLED, m.BatchJobState.DISABLING)
    task = client.get_task(JOB, "sleeps")
    assert task.state == m.BatchTaskState.ACTIVE
    assert task.execution_info is not None
    assert task.execution_info.requeue_count == 1
    client.begin_enable_job(JOB, polling_interval=1).result()
    assert client.get_job(JOB).state == m.BatchJobState.ACTIVE
    flow.wait("it runs again", lambda: client.get_task(JOB, "sleeps").state == m.BatchTaskState.RUNNING)


@flow.step
def terminating_a_job_ends_its_tasks() -> None:
    # This version of the client needs the optional body.
    client.begin_terminate_job(JOB, {"terminateReason": "enough"}, polling_interval=1).result()
    job = complete(JOB)
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "enough"
    assert job.execution_info.end_time is not None
    task = client.get_task(JOB, "sleeps")
    assert task.state == m.BatchTaskState.COMPLETED
    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "TaskEnded"
    late = m.BatchTaskCreateOptions(id="late", command_line="true")
    refused("JobCompleted", lambda: client.create_task(JOB, late), ResourceExistsError)


@flow.step
def a_job_ends_with_its_tasks() -> None:
    add("jobs-ends")
    client.create_task("jobs-ends", m.BatchTaskCreateOptions(id="one", command_line="true"))
    client.update_job("jobs-ends", m.BatchJobUpdateOptions(all_tasks_complete_mode="terminatejob"))
    job = complete("jobs-ends")
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "AllTasksComplete"


@flow.step
def a_job_ends_with_its_first_failure() -> None:
    add("jobs-fails", task_failure_mode="performexitoptionsjobaction")
    client.create_task("jobs-fails", m.BatchTaskCreateOptions(id="waits", command_line="sleep 600"))
    terminate = m.ExitOptions(job_action=m.BatchJobActionKind.TERMINATE)
    mapping = m.ExitCodeMapping(code=4, exit_options=terminate)
    client.create_task(
        "jobs-fails",
        m.BatchTaskCreateOptions(
            id="fails", command_line="/bin/sh -c 'exit 4'", exit_conditions=m.ExitConditions(exit_codes=[mapping])
        ),
    )
    job = complete("jobs-fails")
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "TaskFailed"


@flow.step
def a_job_manager_brings_the_tasks() -> None:
    add(
        "jobs-managed",
        job_manager_task=m.BatchJobManagerTask(
            id="manager",
            command_line="/bin/sh -c 'echo $EVERYWHERE; test -n \"$AZ_BATCH_JOB_ID\"'",
            kill_job_on_completion=True,
        ),
        common_environment_settings=[m.EnvironmentSetting(name="EVERYWHERE", value="here too")],
    )
    job = complete("jobs-managed")
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "JMComplete"
    assert text(client.download_task_file("jobs-managed", "manager", "stdout.txt")) == "here too\n"


@flow.step
def nodes_are_prepared_and_released() -> None:
    add(
        "jobs-prepared",
        job_preparation_task=m.BatchJobPreparationTask(command_line="/bin/sh -c 'echo prepared'"),
        job_release_task=m.BatchJobReleaseTask(command_line="/bin/sh -c 'echo released'"),
    )
    client.create_task("jobs-prepared", m.BatchTaskCreateOptions(id="works", command_line="true"))
    flow.wait("the task", lambda: client.get_task("jobs-prepared", "works").state == "completed")
    (status,) = client.list_job_preparation_and_release_task_status("jobs-prepared")
    assert status.node_id == client.get_task("jobs-prepared", "works").node_info.node_id
    done = status.job_preparation_task_execution_info
    assert done is not None
    assert (done.state, done.exit_code, done.result) == ("completed", 0, "success")
    assert status.job_release_task_execution_info is None
    client.begin_terminate_job("jobs-prepared", {"terminateReason": "done"}, polling_interval=1).result()

    def released() -> bool:
        (status,) = client.list_job_preparation_and_release_task_status("jobs-prepared")
        release = status.job_release_task_execution_info
        return release is not None and release.state == "completed" and release.exit_code == 0

    flow.wait("the node is released", released)


@flow.step
def statistics_are_told_if_asked() -> None:
    found = client.get_job("jobs-managed", expand=["stats"]).job_statistics
    assert found is not None
    assert (found.succeeded_tasks_count, found.failed_tasks_count, found.task_retries_count) == (1, 0, 0)
    assert client.get_job("jobs-managed").job_statistics is None


@flow.step
def wrong_jobs_are_refused() -> None:
    nowhere = m.BatchJobCreateOptions(id="jobs-wrong", pool_info=m.BatchPoolInfo(pool_id="jobs-none"))
    refused("PoolNotFound", lambda: client.create_job(nowhere), ResourceNotFoundError)
    refused("InvalidPropertyValue", lambda: add("jobs-wrong", priority=5000))
    refused("InvalidPropertyValue", lambda: add("jobs wrong"))
    refused("MissingRequiredProperty", lambda: client.create_job({"id": "jobs-wrong"}))
    refused("InvalidRequestBody", lambda: client.create_job(b"[1, 2"))
    assert not list(client.list_jobs(filter="startswith(id,'jobs-wrong')"))


@flow.step
def deletion_is_over_when_its_poller_says_so() -> None:
    mine = [job.id for job in client.list_jobs(filter="startswith(id,'jobs-')", select=["id"])]
    assert len(mine) == 6, mine
    for job_id in mine:
        client.begin_delete_job(job_id, polling_interval=1).result()
        refused("JobNotFound", partial(client.get_job, job_id), ResourceNotFoundError)
    refused("JobNotFound", lambda: client.begin_delete_job(JOB), ResourceNotFoundError)
    client.begin_delete_pool(POOL, polling_interval=1).result()


if __name__ == "__main__":
    flow.run()
