"""Resource files are on the node before the command runs; one that cannot be had is told by its address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pools import ResourceFile
from runner import AddJob, JobError, JobSpec, PoolInfo, TaskSpec

from .world import World


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A web server that serves `data.txt`."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "data.txt").write_text("forty-two\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(world: World, command: str, *files: ResourceFile) -> None:
    world.pool(target_dedicated_nodes=1)
    task = TaskSpec(id="t0", command_line=command, resource_files=files)
    world.request(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool")), (task,)))
    world.wait_completed()


def test_a_file_is_there_with_its_path_and_mode(world: World, address: str) -> None:
    file = ResourceFile(http_url=f"{address}/data.txt", file_path="in/put.txt", file_mode="0640")
    run(world, "/bin/sh -c 'cat in/put.txt; stat -c %a in/put.txt; exit 5'", file)
    assert world.printed() == b"forty-two\n640\n"
    assert world.task().exit_code == 5


def test_a_file_that_cannot_be_had_fails_the_task(world: World, address: str) -> None:
    run(world, "/bin/echo never", ResourceFile(http_url=f"{address}/no-such.txt"))
    task = world.task()
    assert task.failure is not None
    assert task.failure.code == "BlobNotFound"
    assert f"{address}/no-such.txt: 404" in task.failure.message
    assert world.printed() == b""


@pytest.mark.parametrize("path", ["../../a", "/tmp/a", "a/../../b"])
def test_a_file_that_would_leave_the_working_directory_is_refused(world: World, path: str) -> None:
    with pytest.raises(JobError, match="resourceFiles"):
        run(world, "/bin/echo never", ResourceFile(http_url="http://127.0.0.1:1/a", file_path=path))


def test_a_missing_program_is_told_as_such_after_the_files(world: World, address: str) -> None:
    run(world, "no-such-program", ResourceFile(http_url=f"{address}/data.txt"))
    assert world.task().failure.code == "CommandProgramNotFound"


@pytest.mark.parametrize("told", ["[1]", '{"code": 1, "message": 2}', "nonsense"])
def test_what_a_task_writes_in_place_of_the_fetch_is_not_believed(world: World, address: str, told: str) -> None:
    words = told.replace('"', '\\"')
    command = f"/bin/sh -c 'echo {words} > ../.fetch-failed; exit 3'"
    run(world, command, ResourceFile(http_url=f"{address}/data.txt"))
    assert world.task().exit_code == 3
    assert world.task().failure.code == "FailureExitCode"
