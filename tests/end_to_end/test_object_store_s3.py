"""Files of tasks with the object store in S3: nodes read and write there themselves, sent on by the controller."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pools import ResourceFile
from runner import S3Store, TaskSpec, put_blob
from service.object_store_settings import ObjectStoreSettings
from tests.storage import s3

from .test_object_store import output, run
from .world import FAST, World


def test_in_and_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3.running() as endpoint:
        wanted = ObjectStoreSettings(driver="s3", bucket=s3.BUCKET, prefix="prod", endpoint=endpoint, **s3.KEYS)
        bucket = s3.store(endpoint, "prod")
        for name in ("in/one.txt", "in/sub/two.txt", "other.txt"):
            put_blob(bucket, "inputs", name, [name.encode() + b"\n"])
        sent_on: list[str] = []
        redirect = S3Store.redirect

        def noted(self: S3Store, method: str, container: str, name: str, *more: object) -> str | None:
            sent_on.append(f"{method} {container}/{name}")
            return redirect(self, method, container, name, *more)  # type: ignore[arg-type]

        def through_us(*_: object) -> None:
            raise AssertionError("the bytes come through the controller")

        monkeypatch.setattr(S3Store, "redirect", noted)
        with World(tmp_path / "state", msgspec.structs.replace(FAST, object_store=wanted)) as world:
            with monkeypatch.context() as patched:
                patched.setattr(S3Store, "read", through_us)
                patched.setattr(S3Store, "begin", through_us)
                files = (
                    ResourceFile(http_url="storage://inputs/other.txt", file_path="single.txt"),
                    ResourceFile(storage_container_url="storage://inputs", blob_prefix="in/", file_path="all"),
                )
                outputs = (
                    output("out.txt", "storage://results", "named.txt"),
                    output("d/*.txt", "storage://results/runs", "t0"),
                )
                read = "cat single.txt all/in/one.txt all/in/sub/two.txt > out.txt"
                task = TaskSpec(
                    id="t0",
                    command_line=f"/bin/sh -c '{read}; mkdir d; echo deep > d/e.txt'",
                    resource_files=files,
                    output_files=outputs,
                )
                missing = TaskSpec(
                    id="t1", command_line="/bin/true", resource_files=(ResourceFile(http_url="storage://inputs/no"),)
                )
                run(world, task, missing)
            assert world.task().exit_code == 0 and world.task().failure is None
            assert world.task("t1").failure.code == "BlobNotFound"
            assert "storage://inputs/no: 404" in world.task("t1").failure.message
        found = {blob.name: b"".join(bucket.read("results", blob.name)) for blob in bucket.page("results").blobs}
        assert found == {"named.txt": b"other.txt\nin/one.txt\nin/sub/two.txt\n", "runs/t0/d/e.txt": b"deep\n"}
        assert sorted(sent_on) == [
            "GET inputs/in/one.txt",
            "GET inputs/in/sub/two.txt",
            "GET inputs/other.txt",
            "PUT results/named.txt",
            "PUT results/runs/t0/d/e.txt",
        ]
