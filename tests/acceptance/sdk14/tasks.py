"""Tasks: made one by one and together, run, read, changed, ended, and the files they leave."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from azure.batch import models as m

from tests.acceptance.flow import Flow
from tests.acceptance.sdk14.client import connected, gone, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL, JOB = "tasks-pool", "tasks-job"


def shell(task_id: str, command: str, **properties: object) -> m.TaskAddParameter:
    return m.TaskAddParameter(id=task_id, command_line=f"/bin/sh -c '{command}'", **properties)


def completed(task_id: str) -> m.CloudTask:
    return flow.wait(
        f"{task_id} completes", lambda: (task := client.task.get(JOB, task_id)).state == m.TaskState.completed and task
    )


def output(task_id: str, name: str = "stdout.txt", **part: str) -> str:
    return text(client.file.get_from_task(JOB, task_id, name, m.FileGetFromTaskOptions(**part)))


@flow.step
def a_task_is_made_once_and_runs() -> None:
    make_pool(client, POOL, 2, enable_inter_node_communication=True)
    info = m.PoolInformation(pool_id=POOL)
    client.job.add(m.JobAddParameter(id=JOB, pool_info=info, uses_task_dependencies=True))
    task = shell(
        "first",
        "echo $GREETING; echo oops >&2",
        environment_settings=[m.EnvironmentSetting(name="GREETING", value="hello")],
        constraints=m.TaskConstraints(max_wall_clock_time=timedelta(minutes=5), max_task_retry_count=1),
    )
    client.task.add(JOB, task)
    refused("TaskExists", 409, lambda: client.task.add(JOB, task))
    done = completed("first")
    assert (done.execution_info.exit_code, done.execution_info.result) == (0, m.TaskExecutionResult.success)
    assert (done.execution_info.retry_count, done.execution_info.requeue_count) == (0, 0)
    assert done.constraints.max_wall_clock_time == timedelta(minutes=5)
    assert done.environment_settings[0].value == "hello"
    assert done.node_info.pool_id == POOL
    assert (output("first"), output("first", "stderr.txt")) == ("hello\n", "oops\n")


@flow.step
def many_tasks_are_made_together() -> None:
    some = [shell(f"many-{number:03}", f"echo {number}") for number in range(120)]
    result = client.task.add_collection(JOB, some, threads=2)
    assert {each.task_id for each in result.value} == {task.id for task in some}
    assert {each.status for each in result.value} == {m.TaskAddStatus.success}
    counts = flow.wait(
        "all of them", lambda: (found := client.job.get_task_counts(JOB)).task_counts.completed == 121 and found
    )
    assert (counts.task_counts.succeeded, counts.task_counts.failed) == (121, 0)
    options = m.TaskListOptions(filter="startswith(id,'many-')", max_results=50, select="id,state")
    assert [task.id for task in client.task.list(JOB, options)] == [task.id for task in some]


@flow.step
def files_are_listed_read_and_deleted() -> None:
    client.task.add(JOB, shell("writes", 'mkdir -p "a b"; echo data > "a b/out file.txt"; echo more > c'))
    completed("writes")
    files = {each.name: each for each in client.file.list_from_task(JOB, "writes", recursive=True)}
    assert {"stdout.txt", "stderr.txt", "wd", "wd/c", "wd/a b/out file.txt"} <= files.keys()
    assert files["wd"].is_directory is True
    assert files["wd/c"].properties.content_length == 5
    options = m.FileListFromTaskOptions(filter="startswith(name,'wd/a b/')", max_results=1)
    listed = client.file.list_from_task(JOB, "writes", True, options)
    assert [each.name for each in listed] == ["wd/a b/out file.txt"]
    assert output("writes", "wd/a b/out file.txt") == "data\n"
    assert output("writes", "wd/a b/out file.txt", ocp_range="bytes=1-2") == "at"
    raw = client.file.get_properties_from_task(JOB, "writes", "wd/c", raw=True)
    assert int(raw.headers["Content-Length"]) == 5
    assert raw.headers["ocp-batch-file-mode"]
    client.file.delete_from_task(JOB, "writes", "wd/c")
    client.file.delete_from_task(JOB, "writes", "wd/a b", recursive=True)
    refused("FileNotFound", 404, lambda: output("writes", "wd/c"))
    refused("FileNotFound", 404, lambda: client.file.delete_from_task(JOB, "writes", "wd/c"))


@flow.step
def tasks_wait_for_others() -> None:
    before = [shell(str(number), "date +%s%N") for number in (1, 2)]
    after = m.TaskDependencies(task_ids=["first"], task_id_ranges=[m.TaskIdRange(start=1, end=2)])
    client.task.add_collection(JOB, [*before, shell("after", "date +%s%N", depends_on=after)])
    completed("after")
    assert int(output("after")) > max(int(output("1")), int(output("2")))


@flow.step
def a_failure_tells_its_cause_and_is_run_again() -> None:
    client.task.add(JOB, shell("fails", "exit 3"))
    failed = completed("fails")
    assert (failed.execution_info.exit_code, failed.execution_info.result) == (3, m.TaskExecutionResult.failure)
    assert failed.execution_info.failure_info.code == "FailureExitCode"
    assert failed.execution_info.failure_info.category == m.ErrorCategory.user_error
    guard = m.TaskReactivateOptions(if_match=failed.e_tag)
    client.task.reactivate(JOB, "fails", guard)
    again = completed("fails")
    assert again.execution_info.start_time > failed.execution_info.start_time
    refused("TaskSucceeded", 409, lambda: client.task.reactivate(JOB, "first"))


@flow.step
def a_task_is_changed_terminated_and_deleted() -> None:
    client.task.add(JOB, shell("long", "sleep 600"))
    flow.wait("it runs", lambda: client.task.get(JOB, "long").state == m.TaskState.running)
    client.task.update(JOB, "long", m.TaskConstraints(max_task_retry_count=2))
    assert client.task.get(JOB, "long").constraints.max_task_retry_count == 2
    client.task.terminate(JOB, "long")
    assert completed("long").execution_info.result == m.TaskExecutionResult.failure
    refused("TaskCompleted", 409, lambda: client.task.terminate(JOB, "long"))
    client.task.delete(JOB, "long")
    refused("TaskNotFound", 404, lambda: client.task.get(JOB, "long"))


@flow.step
def several_nodes_do_one_task() -> None:
    settings = m.MultiInstanceSettings(number_of_instances=2, coordination_command_line="/bin/true")
    client.task.add(JOB, shell("gang", "echo done", multi_instance_settings=settings))
    assert completed("gang").execution_info.exit_code == 0
    (subtask,) = client.task.list_subtasks(JOB, "gang").value
    assert (subtask.id, subtask.exit_code, subtask.state) == (1, 0, m.SubtaskState.completed)


@flow.step
def statistics_are_told_if_asked() -> None:
    stats = client.task.get(JOB, "first", m.TaskGetOptions(expand="stats")).stats
    assert stats.wall_clock_time >= timedelta(0)


@flow.step
def wrong_tasks_are_refused() -> None:
    for task in (shell("not good", "true"), m.TaskAddParameter(id="wrong", command_line="cmd /c dir")):
        refused("InvalidPropertyValue", 400, partial(client.task.add, JOB, task))
    try:
        client.task.add_collection(JOB, [shell("fine", "true"), shell("not good", "true")])
    except m.CreateTasksErrorException as error:
        assert [each.task_id for each in error.failure_tasks] == ["not good"]
    else:
        raise AssertionError("the wrong one of a collection was not told")
    assert completed("fine").execution_info.exit_code == 0


@flow.step
def all_is_deleted() -> None:
    client.job.delete(JOB)
    gone(flow, JOB, lambda: client.job.get(JOB))
    client.pool.delete(POOL)
    gone(flow, POOL, lambda: client.pool.get(POOL))


if __name__ == "__main__":
    flow.run()
