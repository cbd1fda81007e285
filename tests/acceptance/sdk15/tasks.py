"""Tasks: made one by one and together, run, read, changed, ended; what they depend on, and the files they leave."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from azure.batch import models as m
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from tests.acceptance.flow import SCOPE, Flow
from tests.acceptance.sdk15.client import connected, idle, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL, JOB = "tasks-pool", "tasks-job"


def shell(task_id: str, command: str, **properties: object) -> m.BatchTaskCreateOptions:
    return m.BatchTaskCreateOptions(id=task_id, command_line=f"/bin/sh -c '{command}'", **properties)


def completed(task_id: str, job_id: str = JOB) -> m.BatchTask:
    return flow.wait(
        f"{task_id} completes", lambda: (task := client.get_task(job_id, task_id)).state == "completed" and task
    )


def execution(task: m.BatchTask) -> m.BatchTaskExecutionInfo:
    assert task.execution_info is not None
    return task.execution_info


def output(task_id: str, name: str = "stdout.txt") -> str:
    return text(client.download_task_file(JOB, task_id, name))


@flow.step
def a_task_is_made_once_and_runs() -> None:
    make_pool(client, POOL, 2, task_slots_per_node=4, enable_inter_node_communication=True)
    info = m.BatchPoolInfo(pool_id=POOL)
    client.create_job(m.BatchJobCreateOptions(id=JOB, pool_info=info, uses_task_dependencies=True))
    settings = [m.EnvironmentSetting(name="GREETING", value="good morning")]
    task = shell(
        "first",
        "echo $GREETING $AZ_BATCH_TASK_ID; echo oops >&2",
        display_name="The first task",
        environment_settings=settings,
        required_slots=2,
        constraints=m.BatchTaskConstraints(
            max_wall_clock_time=timedelta(minutes=5), retention_time=timedelta(days=1), max_task_retry_count=1
        ),
        user_identity=m.UserIdentity(auto_user=m.AutoUserSpecification(scope=SCOPE, elevation_level="nonadmin")),
    )
    client.create_task(JOB, task)
    refused("TaskExists", lambda: client.create_task(JOB, task), ResourceExistsError)
    refused("JobNotFound", lambda: client.create_task("tasks-none", task), ResourceNotFoundError)
    done = completed("first")
    assert (done.id, done.display_name, done.required_slots) == ("first", "The first task", 2)
    assert done.constraints is not None
    assert done.constraints.max_wall_clock_time == timedelta(minutes=5)
    assert done.constraints.retention_time == timedelta(days=1)
    assert done.constraints.max_task_retry_count == 1
    assert done.environment_settings == settings
    assert done.user_identity == task.user_identity
    assert (done.state, done.previous_state) == (m.BatchTaskState.COMPLETED, m.BatchTaskState.RUNNING)
    assert execution(done).result == m.BatchTaskExecutionResult.SUCCESS
    assert (execution(done).exit_code, execution(done).retry_count, execution(done).requeue_count) == (0, 0, 0)
    assert execution(done).start_time <= execution(done).end_time
    assert done.node_info is not None
    assert done.node_info.pool_id == POOL
    assert done.node_info.node_id in {node.id for node in client.list_nodes(POOL)}
    assert done.url == f"{flow.endpoint}/jobs/{JOB}/tasks/first"
    assert output("first") == "good morning first\n"
    assert output("first", "stderr.txt") == "oops\n"


@flow.step
def many_tasks_are_made_together() -> None:
    some = [shell(f"many-{number:03}", f"echo {number}") for number in range(250)]
    result = client.create_tasks(JOB, some, max_concurrency=2)
    assert sorted(each.task_id for each in result.result_values or []) == [task.id for task in some]
    assert {each.status for each in result.result_values or []} == {m.BatchTaskAddStatus.SUCCESS}
    again = client.create_task_collection(JOB, m.BatchTaskGroup(task_values=[some[0], shell("other", "true")]))
    by_id = {each.task_id: each for each in again.result_values or []}
    assert by_id["other"].status == m.BatchTaskAddStatus.SUCCESS
    assert by_id["other"].location == f"{flow.endpoint}/jobs/{JOB}/tasks/other"
    assert by_id["many-000"].status == m.BatchTaskAddStatus.CLIENT_ERROR
    assert by_id["many-000"].error is not None
    assert by_id["many-000"].error.code == "TaskExists"
    flow.wait("all of them", lambda: client.get_job_task_counts(JOB).task_counts.completed == 252)
    counts = client.get_job_task_counts(JOB)
    assert (counts.task_counts.succeeded, counts.task_counts.failed, counts.task_counts.active) == (252, 0, 0)
    assert counts.task_slot_counts.completed == 253
    too_many = m.BatchTaskGroup(task_values=[shell(f"more-{number}", "true") for number in range(101)])
    refused("RequestBodyTooLarge", lambda: client.create_task_collection(JOB, too_many))


@flow.step
def lists_are_filtered_and_cut() -> None:
    mine = "startswith(id,'many-')"
    pages = client.list_tasks(JOB, max_results=100, filter=mine).by_page()
    assert [len(list(page)) for page in pages] == [100, 100, 50]
    assert [task.id for task in client.list_tasks(JOB, filter=mine)] == [f"many-{number:03}" for number in range(250)]
    found = client.list_tasks(JOB, filter="state eq 'completed' and id eq 'many-007'", select=["id", "executionInfo"])
    (only,) = found
    assert only.as_dict().keys() == {"id", "executionInfo"}
    assert not list(client.list_tasks(JOB, filter="executionInfo/result eq 'failure'"))
    assert not list(client.list_tasks(JOB, filter="executionInfo/exitCode ne 0 and state eq 'completed'"))
    for since in ("datetime'2020-01-01'", "DateTime'2020-01-01T00:00:00'", "datetime'2020-01-01T00:00:00Z'"):
        assert len(list(client.list_tasks(JOB, filter=f"{mine} and creationTime gt {since}"))) == 250
    refused("InvalidQueryParameterValue", lambda: client.list_tasks(JOB, filter="executionInfo/nonsense eq 1"))


@flow.step
def tasks_wait_for_others() -> None:
    ranges = [m.BatchTaskIdRange(start=1, end=3)]
    after = m.BatchTaskDependencies(task_ids=["first"], task_id_ranges=ranges)
    some = [shell(str(number), "sleep 0.2; date +%s%N") for number in (1, 2, 3)]
    result = client.create_tasks(JOB, [*some, shell("after", "date +%s%N", depends_on=after)])
    assert {each.status for each in result.result_values} == {m.BatchTaskAddStatus.SUCCESS}
    assert client.get_task(JOB, "after").depends_on == after
    completed("after")
    assert int(output("after")) > max(int(output(str(number))) for number in (1, 2, 3))


@flow.step
def a_failure_tells_its_cause() -> None:
    client.create_task(JOB, shell("fails", "exit 3", constraints=m.BatchTaskConstraints(max_task_retry_count=1)))
    done = execution(completed("fails"))
    assert (done.exit_code, done.retry_count, done.result) == (3, 1, m.BatchTaskExecutionResult.FAILURE)
    assert done.failure_info is not None
    assert done.failure_info.code == "FailureExitCode"
    assert done.failure_info.category == m.BatchErrorSourceCategory.USER_ERROR
    assert [task.id for task in client.list_tasks(JOB, filter="executionInfo/exitCode eq 3")] == ["fails"]
    client.create_task(JOB, m.BatchTaskCreateOptions(id="absent", command_line="no-such-program"))
    missing = execution(completed("absent"))
    assert missing.failure_info is not None
    slow = m.BatchTaskConstraints(max_wall_clock_time=timedelta(seconds=1))
    client.create_task(JOB, shell("slow", "sleep 600", constraints=slow))
    late = execution(completed("slow"))
    assert late.failure_info is not None
    assert late.failure_info.code == "TaskEnded", late.failure_info


@flow.step
def a_task_is_terminated() -> None:
    client.create_task(JOB, shell("long", "sleep 600"))
    flow.wait("it runs", lambda: client.get_task(JOB, "long").state == m.BatchTaskState.RUNNING)
    running = client.get_task(JOB, "long")
    assert running.node_info is not None
    assert execution(running).start_time is not None
    client.terminate_task(JOB, "long")
    assert execution(completed("long")).result == m.BatchTaskExecutionResult.FAILURE
    refused("TaskCompleted", lambda: client.terminate_task(JOB, "long"), ResourceExistsError)


@flow.step
def a_failed_task_is_reactivated() -> None:
    before = client.get_task(JOB, "fails")
    client.reactivate_task(JOB, "fails", etag=before.etag, match_condition=MatchConditions.IfNotModified)
    done = flow.wait("it runs again", lambda: (task := client.get_task(JOB, "fails")).state == "completed" and task)
    assert execution(done).start_time > execution(before).start_time
    refused("TaskSucceeded", lambda: client.reactivate_task(JOB, "first"), ResourceExistsError)


@flow.step
def the_constraints_of_a_task_are_replaced() -> None:
    before = client.get_task(JOB, "first")
    task = m.BatchTask(constraints=m.BatchTaskConstraints(max_task_retry_count=5))
    client.replace_task(JOB, "first", task, etag=before.etag, match_condition=MatchConditions.IfNotModified)
    after = client.get_task(JOB, "first").constraints
    assert after is not None
    assert after.max_task_retry_count == 5
    assert after.max_wall_clock_time is not None
    assert after.max_wall_clock_time.days > 10_000_000
    guard = {"etag": before.etag, "match_condition": MatchConditions.IfNotModified}
    refused("ConditionNotMet", lambda: client.replace_task(JOB, "first", task, **guard), ResourceModifiedError)


@flow.step
def exit_codes_decide_what_follows() -> None:
    satisfy = m.ExitOptions(dependency_action=m.DependencyAction.SATISFY)
    conditions = m.ExitConditions(exit_codes=[m.ExitCodeMapping(code=9, exit_options=satisfy)])
    client.create_task(JOB, shell("nine", "exit 9", exit_conditions=conditions))
    client.create_task(JOB, shell("after-nine", "true", depends_on=m.BatchTaskDependencies(task_ids=["nine"])))
    assert execution(completed("after-nine")).exit_code == 0
    assert client.get_task(JOB, "nine").exit_conditions == conditions


@flow.step
def several_nodes_do_one_task() -> None:
    settings = m.MultiInstanceSettings(number_of_instances=2, coordination_command_line="/bin/sh -c 'echo coordinated'")
    count = 'echo $AZ_BATCH_NODE_LIST | tr ";" "\\n" | wc -l'
    client.create_task(JOB, shell("gang", count, multi_instance_settings=settings))
    done = completed("gang")
    assert execution(done).exit_code == 0, output("gang", "stderr.txt")
    assert output("gang").split() == ["coordinated", "2"], output("gang")
    (subtask,) = client.list_subtasks(JOB, "gang")
    assert (subtask.id, subtask.state, subtask.exit_code) == (1, m.BatchSubtaskState.COMPLETED, 0)
    assert subtask.node_info is not None
    assert done.node_info is not None
    assert subtask.node_info.node_id != done.node_info.node_id
    assert not list(client.list_subtasks(JOB, "first"))


@flow.step
def a_task_is_bound_to_a_node() -> None:
    node = idle(flow, client, POOL, 2)[1]
    affinity = m.BatchAffinityInfo(affinity_id=node)
    client.create_task(JOB, shell("bound", "echo $AZ_BATCH_NODE_ID", affinity_info=affinity))
    completed("bound")
    assert output("bound") == f"{node}\n"


@flow.step
def statistics_are_told_if_asked() -> None:
    found = client.get_task(JOB, "first", expand=["stats"]).task_statistics
    assert found is not None
    assert found.wall_clock_time >= timedelta(0)
    assert found.wait_time >= timedelta(0)
    assert client.get_task(JOB, "first").task_statistics is None


@flow.step
def wrong_tasks_are_refused() -> None:
    wrong = [
        shell("not good", "true"),
        shell("wrong", "true", required_slots=5),
        shell("wrong", "true", constraints=m.BatchTaskConstraints(max_task_retry_count=-5)),
        m.BatchTaskCreateOptions(id="wrong", command_line="cmd /c dir"),
        m.BatchTaskCreateOptions(id="wrong", command_line=""),
    ]
    for task in wrong:
        assert refused("InvalidPropertyValue", partial(client.create_task, JOB, task))
    refused("MissingRequiredProperty", lambda: client.create_task(JOB, {"id": "wrong"}))
    nothing = [m.BatchApplicationPackageReference(application_id="no-such-application")]
    task = shell("wrong", "true", application_package_references=nothing)
    refused("InvalidApplicationPackageReferences", lambda: client.create_task(JOB, task), ResourceExistsError)
    refused("TaskNotFound", lambda: client.get_task(JOB, "wrong"), ResourceNotFoundError)


@flow.step
def a_task_is_deleted() -> None:
    client.delete_task(JOB, "bound")
    refused("TaskNotFound", lambda: client.get_task(JOB, "bound"), ResourceNotFoundError)
    refused("TaskNotFound", lambda: client.delete_task(JOB, "bound"), ResourceNotFoundError)
    client.begin_delete_job(JOB, polling_interval=1).result()
    client.begin_delete_pool(POOL, polling_interval=1).result()


if __name__ == "__main__":
    flow.run()
