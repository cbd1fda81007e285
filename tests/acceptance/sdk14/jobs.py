"""Jobs, their preparation and release, and job schedules."""

from __future__ import annotations

import datetime
from datetime import timedelta
from functools import partial

from azure.batch import models as m

from tests.acceptance.flow import Flow
from tests.acceptance.sdk14.client import connected, gone, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL, JOB, SCHEDULE = "jobs-pool", "jobs-main", "jobs-schedule"
INFO = m.PoolInformation(pool_id=POOL)


def complete(job_id: str) -> m.CloudJob:
    return flow.wait(
        f"{job_id} completes", lambda: (job := client.job.get(job_id)).state == m.JobState.completed and job
    )


@flow.step
def a_job_is_made_once() -> None:
    make_pool(client, POOL, 1)
    job = m.JobAddParameter(
        id=JOB,
        pool_info=INFO,
        display_name="The first job",
        priority=5,
        uses_task_dependencies=True,
        constraints=m.JobConstraints(max_wall_clock_time=timedelta(hours=1), max_task_retry_count=1),
        metadata=[m.MetadataItem(name="owner", value="jobs")],
        job_preparation_task=m.JobPreparationTask(command_line="/bin/sh -c 'echo prepared'"),
        job_release_task=m.JobReleaseTask(command_line="/bin/sh -c 'echo released'"),
    )
    client.job.add(job)
    refused("JobExists", 409, lambda: client.job.add(job))
    found = client.job.get(JOB)
    assert (found.state, found.priority, found.uses_task_dependencies) == (m.JobState.active, 5, True)
    assert found.constraints.max_wall_clock_time == timedelta(hours=1)
    assert found.on_all_tasks_complete == m.OnAllTasksComplete.no_action
    assert found.job_release_task.command_line == "/bin/sh -c 'echo released'"
    refused("JobNotFound", 404, lambda: client.job.get("jobs-none"))
    nowhere = m.JobAddParameter(id="jobs-wrong", pool_info=m.PoolInformation(pool_id="jobs-none"))
    refused("PoolNotFound", 404, lambda: client.job.add(nowhere))


@flow.step
def lists_are_filtered_and_cut() -> None:
    for number in range(3):
        client.job.add(m.JobAddParameter(id=f"jobs-many-{number}", pool_info=INFO, priority=number))
    options = m.JobListOptions(filter="startswith(id,'jobs-many') and priority ge 1", select="id", max_results=1)
    assert [job.id for job in client.job.list(options)] == ["jobs-many-1", "jobs-many-2"]
    for number in range(3):
        client.job.delete(f"jobs-many-{number}")
        gone(flow, "the job", partial(client.job.get, f"jobs-many-{number}"))


@flow.step
def it_is_changed() -> None:
    before = client.job.get(JOB)
    guard = m.JobPatchOptions(if_match=before.e_tag)
    client.job.patch(JOB, m.JobPatchParameter(priority=9), guard)
    patched = client.job.get(JOB)
    assert (patched.priority, patched.constraints) == (9, before.constraints)
    refused("ConditionNotMet", 412, lambda: client.job.patch(JOB, m.JobPatchParameter(priority=8), guard))
    client.job.update(JOB, m.JobUpdateParameter(pool_info=INFO, priority=3))
    updated = client.job.get(JOB)
    assert (updated.priority, updated.metadata or []) == (3, [])
    assert updated.constraints.max_task_retry_count == 0


@flow.step
def it_is_disabled_and_enabled() -> None:
    client.task.add(JOB, m.TaskAddParameter(id="sleeps", command_line="sleep 600"))
    flow.wait("it runs", lambda: client.task.get(JOB, "sleeps").state == m.TaskState.running)
    client.job.disable(JOB, "requeue")
    flow.wait("it is disabled", lambda: client.job.get(JOB).state == m.JobState.disabled)
    assert client.task.get(JOB, "sleeps").state == m.TaskState.active
    client.job.enable(JOB)
    flow.wait("it is active", lambda: client.job.get(JOB).state == m.JobState.active)
    flow.wait("it runs again", lambda: client.task.get(JOB, "sleeps").state == m.TaskState.running)


@flow.step
def it_is_terminated_and_its_node_released() -> None:
    (status,) = client.job.list_preparation_and_release_task_status(JOB)
    assert status.job_preparation_task_execution_info.exit_code == 0
    client.job.terminate(JOB, terminate_reason="enough")
    job = complete(JOB)
    assert job.execution_info.terminate_reason == "enough"
    assert client.task.get(JOB, "sleeps").execution_info.result == m.TaskExecutionResult.failure

    def released() -> bool:
        (status,) = client.job.list_preparation_and_release_task_status(JOB)
        release = status.job_release_task_execution_info
        return release is not None and release.exit_code == 0

    flow.wait("the node is released", released)
    late = m.TaskAddParameter(id="late", command_line="true")
    refused("JobCompleted", 409, lambda: client.task.add(JOB, late))
    stats = client.job.get(JOB, m.JobGetOptions(expand="stats")).stats
    assert (stats.num_succeeded_tasks, stats.num_failed_tasks) == (0, 1)


@flow.step
def a_job_terminated_without_a_body_ends_too() -> None:
    client.job.add(m.JobAddParameter(id="jobs-bare", pool_info=INFO))
    client.job.terminate("jobs-bare")
    assert complete("jobs-bare").execution_info.terminate_reason == "UserTerminate"


@flow.step
def a_schedule_makes_jobs() -> None:
    manager = m.JobManagerTask(
        id="only-task", command_line="/bin/sh -c 'echo from the manager'", kill_job_on_completion=False
    )
    schedule = m.JobScheduleAddParameter(
        id=SCHEDULE,
        schedule=m.Schedule(recurrence_interval=timedelta(minutes=30)),
        job_specification=m.JobSpecification(
            pool_info=INFO, on_all_tasks_complete="terminatejob", job_manager_task=manager
        ),
        metadata=[m.MetadataItem(name="owner", value="jobs")],
    )
    client.job_schedule.add(schedule)
    refused("JobScheduleExists", 409, lambda: client.job_schedule.add(schedule))
    assert client.job_schedule.exists(SCHEDULE) is True
    assert client.job_schedule.exists("jobs-none") is False
    found = flow.wait(
        "its first job", lambda: (each := client.job_schedule.get(SCHEDULE)).execution_info.recent_job and each
    )
    assert found.execution_info.recent_job.id == f"{SCHEDULE}:job-1"
    assert found.schedule.recurrence_interval == timedelta(minutes=30)
    assert [job.id for job in client.job.list_from_job_schedule(SCHEDULE)] == [f"{SCHEDULE}:job-1"]
    assert complete(f"{SCHEDULE}:job-1").execution_info.terminate_reason == "AllTasksComplete"
    output = client.file.get_from_task(f"{SCHEDULE}:job-1", "only-task", "stdout.txt")
    assert text(output) == "from the manager\n"
    assert SCHEDULE in {each.id for each in client.job_schedule.list(m.JobScheduleListOptions(max_results=1))}
    stats = client.job_schedule.get(SCHEDULE, m.JobScheduleGetOptions(expand="stats")).stats
    assert stats.num_succeeded_tasks == 1


@flow.step
def a_schedule_is_changed() -> None:
    before = client.job_schedule.get(SCHEDULE)
    guard = m.JobSchedulePatchOptions(if_match=before.e_tag)
    hourly = m.JobSchedulePatchParameter(schedule=m.Schedule(recurrence_interval=timedelta(hours=1)))
    client.job_schedule.patch(SCHEDULE, hourly, guard)
    after = client.job_schedule.get(SCHEDULE)
    assert after.schedule.recurrence_interval == timedelta(hours=1)
    assert after.job_specification == before.job_specification
    refused("ConditionNotMet", 412, lambda: client.job_schedule.patch(SCHEDULE, hourly, guard))
    later = m.Schedule(do_not_run_until=datetime.datetime(2100, 1, 1), recurrence_interval=timedelta(days=1))
    whole = m.JobScheduleUpdateParameter(schedule=later, job_specification=after.job_specification)
    client.job_schedule.update(SCHEDULE, whole)
    replaced = client.job_schedule.get(SCHEDULE)
    assert replaced.schedule.do_not_run_until.year == 2100
    assert replaced.metadata is None


@flow.step
def a_schedule_is_disabled_enabled_and_terminated() -> None:
    client.job_schedule.disable(SCHEDULE)
    assert client.job_schedule.get(SCHEDULE).state == m.JobScheduleState.disabled
    client.job_schedule.enable(SCHEDULE)
    assert client.job_schedule.get(SCHEDULE).state == m.JobScheduleState.active
    client.job_schedule.terminate(SCHEDULE)
    done = m.JobScheduleState.completed
    flow.wait("it is completed", lambda: client.job_schedule.get(SCHEDULE).state == done)


@flow.step
def all_is_deleted() -> None:
    client.job_schedule.delete(SCHEDULE)
    gone(flow, SCHEDULE, lambda: client.job_schedule.get(SCHEDULE))
    for job_id in (JOB, "jobs-bare"):
        client.job.delete(job_id)
        gone(flow, job_id, partial(client.job.get, job_id))
    refused("JobNotFound", 404, lambda: client.job.delete(JOB))
    client.pool.delete(POOL)
    gone(flow, POOL, lambda: client.pool.get(POOL))


if __name__ == "__main__":
    flow.run()
