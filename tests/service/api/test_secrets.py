"""Environment values and passwords may refer to secrets; what these are is only in the commands that need them."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.secrets import SecretError, Secrets
from service.secret_settings import SecretSettings
from service.settings import Settings

from .served import Served, served

START = {"commandLine": "/bin/sh -c 'test ${#IT} = 14'", "waitForSuccess": True}
#: Values that stand nowhere else; a part of each, as they may be cut.
SECRETS = {"token": "tok-5e1f9ab7c3", "line": "lin-77d0e2bb41", "variable": "var-90cc1ad26e"}


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "token").write_text(SECRETS["token"] + "\n", encoding="utf-8")
    (folder / "lines").write_text(f"{SECRETS['line']}\nsecond\n", encoding="utf-8")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "inner").mkdir()
    return folder


@pytest.fixture(scope="module")
def api(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = Settings(secrets=SecretSettings(folder=str(folder), prefix="SECRET_"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "SECRET_VARIABLE", SECRETS["variable"])
        with served(tmp_path_factory.mktemp("api") / "s", settings) as found:
            yield found
            found("DELETE", "/pools/p")
            until(lambda: found("GET", "/pools/p").status_code == 404)


@pytest.fixture(scope="module")
def pool(api: Served) -> str:
    start = {**START, "environmentSettings": [{"name": "IT", "value": "${secret:file:token}"}]}
    body = {"id": "p", "vmSize": "local.small", "targetDedicatedNodes": 1, "startTask": start, "taskSlotsPerNode": 4}
    assert api("POST", "/pools", body).status_code == 201
    assert api("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "p"}}).status_code == 201
    return "p"


def ended(api: Served, task_id: str, command: str, **environment: str) -> dict[str, Any]:
    settings = [{"name": name, "value": value} for name, value in environment.items()]
    body = {"id": task_id, "commandLine": command, "environmentSettings": settings}
    answer = api("POST", "/jobs/j/tasks", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = until(
        lambda: (task := api.get(f"/jobs/j/tasks/{task_id}"))["state"] == "completed" and task
    )
    return found


@pytest.mark.parametrize(
    ("number", "value", "digits"),
    [
        (0, "${secret:file:token}", 14),
        (1, "Bearer ${secret:file:token}!", 22),
        (2, "${secret:env:VARIABLE}${secret:file:token}", 28),
        (3, "${secret:file:lines}", 21),
        (4, "no secret", 9),
        (5, "$secret:file:token", 18),
    ],
)
def test_commands_find_what_is_referred_to(api: Served, pool: str, number: int, value: str, digits: int) -> None:
    task = ended(api, f"found{number}", f"/bin/sh -c 'test ${{#IT}} = {digits}'", IT=value)
    assert task["executionInfo"]["result"] == "success", task
    assert task["environmentSettings"] == [{"name": "IT", "value": value}], "the reference is what is answered"


@pytest.mark.parametrize(
    ("number", "value", "told"),
    [
        (0, "${secret:file:missing}", "no file of that name"),
        (1, "${secret:file:inner}", "no file of that name"),
        (2, "${secret:file:binary}", "not UTF-8"),
        (3, "${secret:env:OTHER}", "without the variable SECRET_OTHER"),
        (4, "${secret:env:PATH}", "without the variable SECRET_PATH"),
    ],
)
def test_one_that_cannot_be_had_is_told(api: Served, pool: str, number: int, value: str, told: str) -> None:
    failure = ended(api, f"missing{number}", "true", A="${secret:file:token}", IT=value)["executionInfo"]["failureInfo"]
    assert (failure["category"], failure["code"]) == ("usererror", "SecretUnavailable")
    assert failure["message"].startswith(f"environmentSettings: IT: {value}: ")
    assert told in failure["message"]


@pytest.mark.parametrize(
    "value",
    [
        "${secret:}",
        "${secret:file:}",
        "${secret:file:../x}",
        "${secret:file:/x}",
        "${secret:vault:x}",
        "${secret:file:x",
        "${secret:file:token} ${secret:file:..}",
    ],
)
def test_what_is_no_reference_is_refused(api: Served, pool: str, value: str) -> None:
    wrong = [{"name": "IT", "value": value}]
    bodies = {
        "/jobs/j/tasks": {"id": "wrong", "commandLine": "true", "environmentSettings": wrong},
        "/jobs": {"id": "wrong", "poolInfo": {"poolId": "p"}, "commonEnvironmentSettings": wrong},
        "/pools": {"id": "wrong", "vmSize": "local.small", "startTask": {**START, "environmentSettings": wrong}},
    }
    for path, body in bodies.items():
        answer = api("POST", path, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyValue")
        assert "${secret:file:NAME}" in answer.json()["message"]["value"]


def test_they_are_nowhere_else(api: Served, pool: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the state with its journal and logs, nor in any list of processes, nor in any answer."""
    references = {"A": "${secret:file:token}", "B": "${secret:file:lines}", "C": "${secret:env:VARIABLE}"}
    settings = [{"name": name, "value": value} for name, value in references.items()]
    command = "/bin/sh -c 'until test -e ../stop; do sleep 0.05; done'"
    with caplog.at_level(logging.DEBUG):
        body = {"id": "long", "commandLine": command, "environmentSettings": settings}
        assert api("POST", "/jobs/j/tasks", body).status_code == 201
        task = until(lambda: (task := api.get("/jobs/j/tasks/long"))["state"] == "running" and task)
        ended(api, "beside", "true", IT="${secret:file:missing}", **references)
        node = api.get("/pools/p/nodes")["value"][0]["id"]
    root = next(api.controller.state.path.parent.rglob(f"*{task['nodeInfo']['taskRootDirectory']}"))
    arguments = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    paths = ("/pools/p", "/pools/p/nodes", f"/pools/p/nodes/{node}", "/jobs/j", "/jobs/j/tasks", "/jobs/j/tasks/long")
    answers = [api("GET", path).text for path in paths]
    everything = {"processes": arguments, "log": caplog.text, **dict(zip(paths, answers, strict=True))}
    for path in api.controller.state.path.parent.rglob("*"):
        if path.is_file() and not path.is_socket():
            everything[str(path)] = path.read_bytes().decode(errors="replace")
    (root / "stop").touch()
    assert "until test -e ../stop" in arguments
    assert "${secret:env:VARIABLE}" in everything[str(api.controller.state.path / "ebbtide.db")] + everything[
        str(api.controller.state.path / "ebbtide.db-wal")
    ], "what is looked at is where it would stand"
    assert [where for where, text in everything.items() for secret in SECRETS.values() if secret in text] == []


def test_without_settings_there_are_none(tmp_path: Path) -> None:
    for reference, setting in (("${secret:file:x}", "secrets.folder"), ("${secret:env:PATH}", "secrets.prefix")):
        with pytest.raises(SecretError, match=setting):
            Secrets(environment=os.environ).filled(reference)


def test_passwords(folder: Path) -> None:
    """Only those that are nothing but a reference; nothing that could be two lines."""
    secrets = Secrets(folder)
    plain = {"password": "p${secret:file:token}"}
    given = {"accounts": [{"name": "a", "password": "${secret:file:token}"}], "x": plain}
    assert secrets.passwords(given) == {"accounts": [{"name": "a", "password": SECRETS["token"]}], "x": plain}
    with pytest.raises(SecretError, match="one line") as caught:
        secrets.passwords({"password": "${secret:file:lines}"})
    assert SECRETS["line"] not in str(caught.value)
