"""Job schedules, and what an account has: images, applications; who may ask."""

from __future__ import annotations

import base64
import datetime
from datetime import timedelta
from functools import partial

from azure.batch import models as m
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import connected, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL, SCHEDULE = "schedules-pool", "schedules-main"


def specification(**properties: object) -> m.BatchJobSpecification:
    return m.BatchJobSpecification(
        pool_info=m.BatchPoolInfo(pool_id=POOL),
        all_tasks_complete_mode="terminatejob",
        job_manager_task=m.BatchJobManagerTask(id="only-task", command_line="/bin/sh -c 'echo from the manager'"),
        **properties,
    )


def add(schedule_id: str, **when: object) -> None:
    client.create_job_schedule(
        m.BatchJobScheduleCreateOptions(
            id=schedule_id,
            display_name="Now and then",
            schedule=m.BatchJobScheduleConfiguration(**when),
            job_specification=specification(priority=2),
            metadata=[m.BatchMetadataItem(name="owner", value="schedules")],
        )
    )


@flow.step
def only_who_has_a_key_may_ask() -> None:
    wrong = connected(flow, base64.b64encode(b"x" * 64).decode())
    refused("AuthenticationFailed", lambda: wrong.list_pools(), HttpResponseError)
    refused("AuthenticationFailed", lambda: wrong.get_pool(POOL), HttpResponseError)


@flow.step
def images_are_listed() -> None:
    images = list(client.list_supported_images())
    assert all(image.node_agent_sku_id and image.image_reference for image in images)
    ubuntu = [image for image in images if image.image_reference.offer == "0001-com-ubuntu-server-jammy"]
    assert ubuntu
    assert ubuntu[0].os_type == m.OSType.LINUX
    linux = list(client.list_supported_images(filter="osType eq 'linux'"))
    assert len(linux) == len(images)
    assert not list(client.list_supported_images(filter="osType eq 'windows'"))
    assert list(client.list_supported_images(filter="nodeAgentSKUId eq 'batch.node.ubuntu 22.04'"))


@flow.step
def applications_are_listed() -> None:
    found = list(client.list_applications(max_results=1))
    assert [each.id for each in found] == ["pythonscript", "pythonsetup"]
    assert client.get_application("pythonscript").display_name
    refused("ApplicationNotFound", lambda: client.get_application("schedules-none"), ResourceNotFoundError)


@flow.step
def a_schedule_is_made_once_and_makes_a_job() -> None:
    make_pool(client, POOL, 1)
    add(SCHEDULE, recurrence_interval=timedelta(minutes=30), start_window=timedelta(minutes=5))
    refused("JobScheduleExists", lambda: add(SCHEDULE, recurrence_interval=timedelta(minutes=30)), ResourceExistsError)
    schedule = flow.wait(
        "its first job",
        lambda: (found := client.get_job_schedule(SCHEDULE)).execution_info.recent_job is not None and found,
    )
    assert (schedule.id, schedule.display_name) == (SCHEDULE, "Now and then")
    assert schedule.state == m.BatchJobScheduleState.ACTIVE
    assert schedule.schedule is not None
    assert schedule.schedule.recurrence_interval == timedelta(minutes=30)
    assert schedule.schedule.start_window == timedelta(minutes=5)
    assert schedule.job_specification.priority == 2
    assert schedule.execution_info.recent_job is not None
    assert schedule.execution_info.recent_job.id == f"{SCHEDULE}:job-1"
    assert schedule.execution_info.recent_job.url == f"{flow.endpoint}/jobs/{SCHEDULE}%3Ajob-1"
    now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017
    assert schedule.execution_info.next_run_time is not None
    assert timedelta(minutes=25) < schedule.execution_info.next_run_time - now <= timedelta(minutes=30)


@flow.step
def its_jobs_are_found() -> None:
    job_id = f"{SCHEDULE}:job-1"
    assert [job.id for job in client.list_jobs_from_schedule(SCHEDULE)] == [job_id]
    assert not list(client.list_jobs_from_schedule(SCHEDULE, filter="state eq 'disabled'"))
    flow.wait("the job is done", lambda: client.get_job(job_id).state == m.BatchJobState.COMPLETED)
    assert text(client.download_task_file(job_id, "only-task", "stdout.txt")) == "from the manager\n"
    refused("JobScheduleNotFound", lambda: client.list_jobs_from_schedule("schedules-none"), ResourceNotFoundError)
    found = client.get_job_schedule(SCHEDULE, expand=["stats"]).job_schedule_statistics
    assert found is not None
    assert found.succeeded_tasks_count == 1


@flow.step
def its_existence_can_be_asked() -> None:
    assert client.job_schedule_exists(SCHEDULE) is True
    try:
        assert client.job_schedule_exists("schedules-none") is False
    except ResourceNotFoundError:
        pass  # which this version of the client raises for each 404


@flow.step
def lists_are_filtered_and_cut() -> None:
    for number in range(3):
        add(f"schedules-many-{number}", do_not_run_until=datetime.datetime(2100, 1, 1))
    mine = "startswith(id,'schedules-many')"
    found = list(client.list_job_schedules(filter=mine, select=["id"]))
    assert [each.as_dict() for each in found] == [{"id": f"schedules-many-{number}"} for number in range(3)]
    assert [len(list(page)) for page in client.list_job_schedules(filter=mine, max_results=2).by_page()] == [2, 1]
    assert client.get_job_schedule("schedules-many-0").execution_info.recent_job is None
    for number in range(3):
        client.begin_delete_job_schedule(f"schedules-many-{number}", polling_interval=1).result()
    assert not list(client.list_job_schedules(filter=mine))


@flow.step
def it_is_changed() -> None:
    before = client.get_job_schedule(SCHEDULE)
    change = m.BatchJobScheduleUpdateOptions(
        schedule=m.BatchJobScheduleConfiguration(recurrence_interval=timedelta(hours=2))
    )
    client.update_job_schedule(SCHEDULE, change, etag=before.etag, match_condition=MatchConditions.IfNotModified)
    after = client.get_job_schedule(SCHEDULE)
    assert after.schedule is not None
    assert after.schedule.recurrence_interval == timedelta(hours=2)
    assert after.job_specification == before.job_specification
    assert after.metadata == before.metadata
    refused(
        "ConditionNotMet",
        lambda: client.update_job_schedule(
            SCHEDULE, change, etag=before.etag, match_condition=MatchConditions.IfNotModified
        ),
        ResourceModifiedError,
    )


@flow.step
def what_was_read_is_put_back_changed() -> None:
    schedule = client.get_job_schedule(SCHEDULE)
    schedule.job_specification.priority = 6
    client.replace_job_schedule(SCHEDULE, schedule)
    again = client.get_job_schedule(SCHEDULE)
    assert again.job_specification.priority == 6
    assert again.schedule == schedule.schedule


@flow.step
def it_is_disabled_and_enabled() -> None:
    client.disable_job_schedule(SCHEDULE)
    assert client.get_job_schedule(SCHEDULE).state == m.BatchJobScheduleState.DISABLED
    client.enable_job_schedule(SCHEDULE)
    schedule = client.get_job_schedule(SCHEDULE)
    assert (schedule.state, schedule.previous_state) == ("active", "disabled")


@flow.step
def it_is_terminated() -> None:
    client.begin_terminate_job_schedule(SCHEDULE, polling_interval=1).result()
    schedule = flow.wait(
        "it is completed", lambda: (found := client.get_job_schedule(SCHEDULE)).state == "completed" and found
    )
    assert schedule.execution_info.end_time is not None
    refused("JobScheduleCompleted", lambda: client.enable_job_schedule(SCHEDULE), ResourceExistsError)


@flow.step
def wrong_schedules_are_refused() -> None:
    for when in ({"recurrence_interval": timedelta(0)}, {"recurrence_interval": timedelta(minutes=-1)}):
        refused("InvalidPropertyValue", partial(add, "schedules-wrong", **when))
    bare = {"id": "schedules-wrong", "schedule": {}}
    assert "jobSpecification" in refused("MissingRequiredProperty", lambda: client.create_job_schedule(bare))
    assert not list(client.list_job_schedules(filter="startswith(id,'schedules-wrong')"))


@flow.step
def it_is_deleted_with_its_jobs() -> None:
    client.begin_delete_job_schedule(SCHEDULE, polling_interval=1).result()
    refused("JobScheduleNotFound", lambda: client.get_job_schedule(SCHEDULE), ResourceNotFoundError)
    refused("JobScheduleNotFound", lambda: client.begin_delete_job_schedule(SCHEDULE), ResourceNotFoundError)
    flow.wait("its jobs are gone", lambda: not list(client.list_jobs(filter=f"startswith(id,'{SCHEDULE}')")))
    client.begin_delete_pool(POOL, polling_interval=1).result()


if __name__ == "__main__":
    flow.run()
