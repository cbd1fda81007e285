"""What the addresses grant that commands get as they leave for a node: no more than the files of the task."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from pools import ResourceFile
from runner import OutputFile, OutputFileContainer, OutputFileDestination, SignatureRefused, Signer, TaskFiles
from runner.files_of_tasks import CHECKPOINTS, checkpoint_url, outputs, resources

SIGNER = Signer(b"s" * 32)
FILES = TaskFiles(SIGNER, limit=1000, timeout=60.0, checkpoint_limit=500, output_limit=700)


def grants(url: str, name: str, permission: str, container: str = "box") -> int | bool | None:
    """False: it does not. Else the bytes that may be written."""
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    try:
        return SIGNER.check(query, container, name, permission, 0.0)
    except SignatureRefused:
        return False


def signed(message: dict[str, Any]) -> dict[str, Any]:
    return FILES.finished(message, 0.0)


def output_url(pattern: str, url: str, path: str | None) -> str:
    container = OutputFileContainer(container_url=url, path=path)
    file = OutputFile(file_pattern=pattern, destination=OutputFileDestination(container=container))
    found: str = signed({"outputs": outputs([file])})["outputs"][0]["url"]
    return found


@pytest.mark.parametrize(
    ("pattern", "url", "path", "granted", "refused"),
    [
        ("out.txt", "storage://box", "run1", ["run1"], ["run10", "run1/a", "run"]),
        ("*.txt", "storage://box", "run1", ["run1/a", "run1/b/c"], ["run10/a", "run1-secret", "other"]),
        ("*.txt", "storage://box", "/run1/", ["run1/a"], ["run10/a"]),
        ("$NAME", "storage://box", "run1", ["run1", "run1/a"], ["run10/a"]),
        ("a[b]", "storage://box", "run1", ["run1/ab"], ["run10/a"]),
        ("out.txt", "storage://box/top", "run1", ["top/run1"], ["top/run10", "run1", "top/run1/a"]),
        ("*", "storage://box/top", "run1", ["top/run1/a"], ["top/run10/a", "run1/a"]),
        ("*", "storage://box/top/", None, ["top/a"], ["topper/a", "a"]),
        ("out.txt", "storage://box/top", None, ["top/out.txt"], ["topper/out.txt"]),
        ("*", "storage://box", None, ["anything"], []),
    ],
)
def test_outputs(pattern: str, url: str, path: str | None, granted: list[str], refused: list[str]) -> None:
    found = output_url(pattern, url, path)
    for name in granted:
        assert grants(found, name, "w") == 700
        assert grants(found, name, "r") is grants(found, name, "d") is grants(found, name, "l") is False
    for name in refused:
        assert grants(found, name, "w") is False, name


def test_resources() -> None:
    files = [
        ResourceFile(http_url="storage://box/in/a"),
        ResourceFile(storage_container_url="storage://box", blob_prefix="in/"),
    ]
    one, many = signed({"resources": resources(files)})["resources"]
    assert grants(one["url"], "in/a", "r") is None and grants(one["url"], "in/ab", "r") is False
    assert grants(many["container"], "in/b", "r") is None and grants(many["container"], "in/", "l") is None
    for url in (one["url"], many["container"]):
        assert grants(url, "in/a", "w") is grants(url, "in/a", "d") is grants(url, "out", "r") is False


def test_a_checkpoint_is_of_its_task_alone_and_of_a_limited_size() -> None:
    saved = {"url": checkpoint_url("job/t"), "restore": True}
    url = signed({"checkpoint": saved})["checkpoint"]["url"]
    assert grants(url, "job/t", "w", CHECKPOINTS) == grants(url, "job/t", "r", CHECKPOINTS) == 500
    assert grants(url, "job/t2", "r", CHECKPOINTS) is grants(url, "job/t", "d", CHECKPOINTS) is False


def test_nothing_in_containers_of_the_controllers_own_is_signed_for_a_task() -> None:
    """Whatever a record may hold: what is asked for is refused before."""
    message = signed(
        {
            "resources": [
                {"url": checkpoint_url("job/t"), "path": "x", "mode": ""},
                {"container": checkpoint_url("").rstrip("/"), "prefix": "", "path": "", "mode": ""},
            ],
            "outputs": [{"pattern": "x", "url": checkpoint_url("").rstrip("/"), "path": "job/t"}],
        }
    )
    found = [*(each.get("url") or each["container"] for each in message["resources"]), message["outputs"][0]["url"]]
    assert not any("sig=" in url for url in found)
