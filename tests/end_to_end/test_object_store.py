"""Files of tasks in the built-in object store: through the door of the node, and back."""

from __future__ import annotations

from typing import Any

import pytest

from pools import ResourceFile
from runner import (
    AddJob,
    JobError,
    JobSpec,
    OutputFile,
    OutputFileContainer,
    OutputFileDestination,
    PoolInfo,
    TaskSpec,
    put_blob,
)
from runner.task_spec import OutputFileUploadOptions

from .world import World


def output(pattern: str, url: str, path: str | None = None, condition: Any = "taskcompletion") -> OutputFile:
    container = OutputFileContainer(container_url=url, path=path)
    return OutputFile(
        file_pattern=pattern,
        destination=OutputFileDestination(container=container),
        upload_options=OutputFileUploadOptions(upload_condition=condition),
    )


def run(world: World, *tasks: TaskSpec) -> None:
    world.pool(target_dedicated_nodes=1)
    world.request(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool")), tasks))
    world.wait_completed()


def stored(world: World, container: str) -> dict[str, bytes]:
    store = world.controller.store
    return {blob.name: b"".join(store.read(container, blob.name)) for blob in store.page(container).blobs}


def test_in_and_out(world: World) -> None:
    store = world.controller.store
    for name in ("in/one.txt", "in/sub/two.txt", "other.txt"):
        put_blob(store, "inputs", name, [name.encode() + b"\n"])
    files = (
        ResourceFile(http_url="storage://inputs/other.txt", file_path="single.txt"),
        ResourceFile(auto_storage_container_name="inputs", blob_prefix="in/", file_path="all"),
        ResourceFile(storage_container_url="storage://inputs", blob_prefix="in/sub"),
    )
    read = "cat single.txt all/in/one.txt in/sub/two.txt | tee out.txt"
    command = f"/bin/sh -c '{read}; mkdir d; echo deep > d/e.txt; exit 3'"
    outputs = (
        output("out.txt", "storage://results", "named.txt"),
        output("**/e*.txt", "storage://results", "t0"),
        output("../std*.txt", "storage://results/logs", "t0"),
        output("out.txt", "storage://results", "ok", "tasksuccess"),
        output("out.txt", "storage://results", "bad", "taskfailure"),
    )
    run(world, TaskSpec(id="t0", command_line=command, resource_files=files, output_files=outputs))
    text = b"other.txt\nin/one.txt\nin/sub/two.txt\n"
    assert world.printed() == text and world.task().exit_code == 3
    assert stored(world, "results") == {
        "bad": text,
        "named.txt": text,
        "t0/d/e.txt": b"deep\n",
        "logs/t0/stdout.txt": text,
        "logs/t0/stderr.txt": b"",
    }


def test_failures_name_their_code(world: World) -> None:
    missing = TaskSpec(
        id="t0", command_line="/bin/true", resource_files=(ResourceFile(http_url="storage://inputs/no"),)
    )
    refused = TaskSpec(
        id="t1",
        command_line="/bin/sh -c 'echo x > x'",
        output_files=(output("x", "http://127.0.0.1:1/nobody"), output("x", "storage://results", "x")),
    )
    run(world, missing, refused)
    assert world.task().failure.code == "BlobNotFound"
    assert world.task().failure.message.startswith("storage://inputs/no: 404")
    failure = world.task("t1").failure
    assert failure.code == "FileUploadMiscError" and "127.0.0.1:1/nobody" in failure.message
    assert world.task("t1").exit_code == 0
    assert stored(world, "results") == {"x": b"x\n"}


@pytest.mark.parametrize(
    "spec",
    [
        TaskSpec(id="t", command_line="true", resource_files=(ResourceFile(),)),
        TaskSpec(id="t", command_line="true", resource_files=(ResourceFile(http_url="storage://Bad/x"),)),
        TaskSpec(id="t", command_line="true", resource_files=(ResourceFile(http_url="ftp://x/y"),)),
        TaskSpec(id="t", command_line="true", output_files=(output("", "storage://results"),)),
        TaskSpec(id="t", command_line="true", output_files=(output("x", "file:///etc"),)),
        # the controller's own: every checkpoint of every task
        *(
            TaskSpec(id="t", command_line="true", resource_files=(file,))
            for file in (
                ResourceFile(storage_container_url="storage://ebbtide-checkpoints"),
                ResourceFile(auto_storage_container_name="ebbtide-checkpoints"),
                ResourceFile(http_url="storage://ebbtide-checkpoints/x"),
                ResourceFile(http_url="http://door.invalid/storage/ebbtide-checkpoints/x"),
                ResourceFile(http_url="HTTP://DOOR.invalid/storage/inputs/x"),
            )
        ),
        TaskSpec(id="t", command_line="true", output_files=(output("x", "storage://ebbtide-checkpoints", "y"),)),
        TaskSpec(id="t", command_line="true", output_files=(output("x", "http://door.invalid/storage/box"),)),
    ],
)
def test_what_cannot_be_is_refused(world: World, spec: TaskSpec) -> None:
    world.pool(target_dedicated_nodes=0)
    with pytest.raises(JobError) as caught:
        world.request(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool")), (spec,)))
    assert caught.value.code == "InvalidPropertyValue"
