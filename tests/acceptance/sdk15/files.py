"""The files that tasks take, and those that they leave."""

from __future__ import annotations

import functools
import http.server
import tempfile
import threading
from pathlib import Path

from azure.batch import models as m
from azure.core.exceptions import ResourceNotFoundError

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import connected, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL, JOB = "files-pool", "files-job"


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
def a_job_is_made() -> None:
    make_pool(client, POOL, 1, task_slots_per_node=4)
    client.create_job(m.BatchJobCreateOptions(id=JOB, pool_info=m.BatchPoolInfo(pool_id=POOL)))


@flow.step
def files_come_and_go() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "data.txt").write_text("some data\n", encoding="utf-8")
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_address[1]}"
            for name, path in (("fetches", "data.txt"), ("misses", "nothing.txt")):
                files = [m.ResourceFile(http_url=f"{url}/{path}", file_path="in/put.txt", file_mode="0640")]
                client.create_task(JOB, shell(name, "cat in/put.txt", resource_files=files))
            assert execution(completed("fetches")).exit_code == 0
            failure = execution(completed("misses")).failure_info
            server.shutdown()
    assert output("fetches") == "some data\n"
    assert failure is not None
    assert failure.category == m.BatchErrorSourceCategory.USER_ERROR
    assert execution(client.get_task(JOB, "misses")).exit_code is None


@flow.step
def files_of_tasks_are_listed_and_read() -> None:
    client.create_task(JOB, shell("writes", 'mkdir -p "a b/c"; echo data > "a b/c/out file.txt"; printf %s x > y'))
    completed("writes")
    files = {each.name: each for each in client.list_task_files(JOB, "writes", recursive=True)}
    assert {"stdout.txt", "stderr.txt", "wd", "wd/a b/c/out file.txt", "wd/y"} <= files.keys()
    assert files["wd/a b"].is_directory is True
    assert {each.name for each in client.list_task_files(JOB, "writes")} >= {"stdout.txt", "wd"}
    assert all("/" not in each.name for each in client.list_task_files(JOB, "writes"))
    assert output("writes", "wd/a b/c/out file.txt") == "data\n"
    assert output("writes", "wd\\y") == "x"
    assert text(client.download_task_file(JOB, "writes", "wd/a b/c/out file.txt", ocp_range="bytes=1-2")) == "at"
    told = client.get_task_file_properties(JOB, "writes", "wd/a b/c/out file.txt")
    assert int(told.content_length) == 5
    assert told.creation_time
    assert told.file_mode
    one = client.list_task_files(JOB, "writes", recursive=True, filter="name eq 'wd/y'")
    assert [each.name for each in one] == ["wd/y"]
    assert sum(1 for _ in client.list_task_files(JOB, "writes", recursive=True, max_results=2)) == len(files)
    root = client.get_task(JOB, "writes").node_info
    assert root is not None
    node = client.download_node_file(POOL, root.node_id, f"{root.task_root_directory}/wd/y")
    assert text(node) == "x"
    for missing in ("nothing.txt", "wd/../../../fetches/stdout.txt"):
        try:
            output("writes", missing)
        except Exception as error:  # noqa: BLE001 - of streamed answers only the status is read
            assert getattr(error, "status_code", 0) in (400, 404), error
        else:
            raise AssertionError(missing)


@flow.step
def files_of_tasks_are_deleted() -> None:
    client.delete_task_file(JOB, "writes", "wd/y")
    refused("FileNotFound", lambda: client.delete_task_file(JOB, "writes", "wd/y"), ResourceNotFoundError)
    client.delete_task_file(JOB, "writes", "wd/a b", recursive=True)
    assert {each.name for each in client.list_task_files(JOB, "writes", recursive=True)} & {"wd/y", "wd/a b"} == set()


@flow.step
def all_is_deleted() -> None:
    client.begin_delete_job(JOB, polling_interval=1).result()
    client.begin_delete_pool(POOL, polling_interval=1).result()


if __name__ == "__main__":
    flow.run()
