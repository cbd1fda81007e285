"""Genuine SAS addresses of Azure Storage, on Microsoft's emulator: the same code as for the built-in store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

import pytest

from . import azurite
from .modes import Task

pytestmark = pytest.mark.slow
_NUMBERS = count()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Azurite]:
    try:
        with azurite.running(tmp_path_factory.mktemp("azurite")) as found:
            yield found
    except azurite.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def container(emulator: azurite.Azurite) -> str:
    name = f"box{next(_NUMBERS)}"
    emulator.create(name)
    return name


def output(emulator: azurite.Azurite, container: str, pattern: str, path: str = "") -> dict[str, object]:
    return {"pattern": pattern, "url": emulator.sas(container, "w"), "path": path, "headers": []}


def test_there_and_back(emulator: azurite.Azurite, container: str, task: Task) -> None:
    names = ["a.txt", "sub/b c.txt", "sub/ünï.txt", "sub/100%.txt", "sub/a+b.txt", "q'uote.txt"]
    for name in names:
        task.write(name, name.encode())
    assert task.upload(output(emulator, container, "**/*.txt", "out")) is None
    back = {"container": emulator.sas(container, "rl"), "prefix": "out/sub", "path": "back", "mode": "0600"}
    assert task.fetch(back) is None
    found = {str(path.relative_to(task.wd / "back")): path.read_text() for path in (task.wd / "back").rglob("*.txt")}
    assert found == {f"out/{name}": name for name in names if name.startswith("sub")}
    one = emulator.sas(container, "r").replace(f"/{container}?", f"/{container}/out/a.txt?")
    assert task.fetch({"url": one, "path": "one", "mode": ""}) is None
    assert (task.wd / "one").read_text() == "a.txt"


def test_block_by_block(emulator: azurite.Azurite, container: str, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.agent import upload

    monkeypatch.setattr(upload, "SINGLE", 1 << 20)
    monkeypatch.setattr(upload, "BLOCK", 1 << 20)
    data = os.urandom(3_500_000)
    task.write("large", data)
    target = emulator.sas(container, "w").replace(f"/{container}?", f"/{container}/large?")
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain"}
    with open(task.wd / "large", "rb") as file:
        upload._put_blocks(target, file, len(data), headers, None)
    source = emulator.sas(container, "r").replace(f"/{container}?", f"/{container}/large?")
    assert task.fetch({"url": source, "path": "back", "mode": ""}) is None
    assert (task.wd / "back").read_bytes() == data


def test_a_checkpoint(emulator: azurite.Azurite, container: str, task: Task) -> None:
    (task.directory / "checkpoint").mkdir(parents=True)
    (task.directory / "checkpoint" / "step").write_text("7")
    url = emulator.sas(container, "rw").replace(f"/{container}?", f"/{container}/check?")
    assert task.upload(checkpoint={"url": url, "path": "../checkpoint", "limit": None}) is None
    assert task.fetch({"checkpoint": url, "path": "../back"}) is None
    assert (task.directory / "back" / "step").read_text() == "7"


@pytest.mark.parametrize(
    ("permissions", "name", "code"), [("r", "no", "BlobNotFound"), ("w", "no", "BlobAccessDenied")]
)
def test_failures(
    emulator: azurite.Azurite, container: str, task: Task, permissions: str, name: str, code: str
) -> None:
    url = emulator.sas(container, permissions).replace(f"/{container}?", f"/{container}/{name}?")
    told = task.fetch({"url": url, "path": "a", "mode": ""})
    assert told is not None and told["code"] == code and "sig=" not in told["message"]


def test_containers_that_are_not_there(emulator: azurite.Azurite, task: Task) -> None:
    task.write("a.txt")
    told = task.upload(output(emulator, "no-such-box", "*"))
    assert told is not None and told["code"] == "FileUploadContainerNotFound"
    told = task.fetch({"container": emulator.sas("no-such-box", "rl"), "prefix": "", "path": "", "mode": ""})
    assert told is not None and told["code"] == "ResourceContainerNotFound"
