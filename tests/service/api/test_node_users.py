"""Users of nodes over the REST API, and what it tells of how nodes are reached: with real local nodes and `ssh`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paramiko
import pytest

from .served import Served, served

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBogusBogusBogusBogusBogusBogusBogusBogusBogu somebody@somewhere"
SECRET = "pass: w'ord$(x)"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "s"


@pytest.fixture(scope="module")
def api(state: Path) -> Iterator[Served]:
    with served(state) as found:
        body = {"id": "p", "vmSize": "local.small", "targetDedicatedNodes": 1, "userAccounts": [{"name": "taken"}]}
        assert found("POST", "/pools", body).status_code == 201
        yield found
        found("DELETE", "/pools/p")
        until(lambda: not found.get("/pools")["value"])


@pytest.fixture(scope="module")
def node(api: Served) -> str:
    """Its path."""
    found = until(lambda: [n for n in api.get("/pools/p/nodes")["value"] if n["state"] == "idle"])
    return f"/pools/p/nodes/{found[0]['id']}"


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_a_user_logs_in_where_the_api_says_until_it_is_deleted(api: Served, node: str, tmp_path: Path) -> None:
    if shutil.which("ssh") is None:
        pytest.skip("needs ssh")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    made = api("POST", f"{node}/users", {"name": "ann", "sshPublicKey": (tmp_path / "id.pub").read_text()})
    assert (made.status_code, made.content) == (201, b"") and made.headers["location"].endswith(f"{node}/users/ann")
    place = api.get(f"{node}/remoteloginsettings")
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes"]
    command = ["ssh", "-F", "/dev/null", *(part for each in options for part in ("-o", each))]
    command += ["-i", str(tmp_path / "id"), "-p", str(place["remoteLoginPort"])]
    command += [f"ann@{place['remoteLoginIPAddress']}", "echo $USER"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == "ann\n"
    gone = api("DELETE", f"{node}/users/ann")
    assert (gone.status_code, gone.content) == (200, b"")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 255


def test_a_password_is_written_down_nowhere(api: Served, node: str, state: Path) -> None:
    assert api("POST", f"{node}/users", {"name": "bea", "password": SECRET}).status_code == 201
    place = api.get(f"{node}/remoteloginsettings")
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        address = (place["remoteLoginIPAddress"], place["remoteLoginPort"])
        client.connect(*address, "bea", SECRET, allow_agent=False, look_for_keys=False)
    changed = api("PUT", f"{node}/users/bea", {"password": SECRET + "2"})
    assert (changed.status_code, changed.content) == (200, b"")
    for path in state.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    for wrong in ({"name": "cat", "password": SECRET, "expiryTime": "x"}, {"name": "bea", "password": SECRET}):
        assert SECRET not in api("POST", f"{node}/users", wrong).text
    assert api("DELETE", f"{node}/users/bea").status_code == 200


SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


@pytest.mark.parametrize(
    ("status", "code", "body"),
    [
        (201, None, {"password": "x", "expiryTime": SOON}),
        (201, None, {"sshPublicKey": KEY, "password": "x", "isAdmin": False}),
        (409, "NodeUserExists", {"name": "taken", "password": "x"}),
        (400, "MissingRequiredProperty", {}),
        (400, "MissingRequiredProperty", {"name": None, "password": "x"}),
        (400, "InvalidPropertyValue", {"password": ""}),
        (400, "InvalidPropertyValue", {"password": "a\nroot:b"}),
        (400, "InvalidPropertyValue", {"password": "x" * 128}),
        (400, "InvalidPropertyValue", {"password": "x", "expiryTime": "2020-01-01T00:00:00Z"}),
        (400, "InvalidPropertyValue", {"sshPublicKey": "ssh-rsa"}),
        (400, "InvalidPropertyValue", {"sshPublicKey": "ssh-rsa AAAA"}),
        (400, "InvalidPropertyValue", {"sshPublicKey": KEY.replace("ssh-ed25519", "ssh-rsa")}),
        (400, "InvalidPropertyValue", {"sshPublicKey": f'command="x" {KEY}'}),
        (400, "InvalidPropertyValue", {"sshPublicKey": f"{KEY}\n{KEY}"}),
        *((400, "InvalidPropertyValue", {"name": name, "password": "x"}) for name in ("root", "daemon", "", "a b")),
        *((400, "InvalidPropertyValue", {"name": name, "password": "x"}) for name in ("-x", "a;b", "../x", "é", "9a")),
        (400, "InvalidPropertyValue", {"name": "a" * 33, "password": "x"}),
        (400, "InvalidPropertyValue", {"name": "a\n", "password": "x"}),
    ],
)
def test_what_is_asked_for(api: Served, node: str, status: int, code: str | None, body: dict[str, Any]) -> None:
    answer = api("POST", f"{node}/users", {"name": "dan"} | body)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code, answer.text
    assert (api("DELETE", f"{node}/users/dan").status_code == 200) is (status == 201)


def test_who_is_there_and_who_is_not(api: Served, node: str) -> None:
    user = {"name": "eve", "password": "x"}
    assert api("POST", f"{node}/users", user).status_code == 201
    for method, path, body, found in (
        ("POST", "users", user, (409, "NodeUserExists")),
        ("PUT", "users/nobody-here", {"password": "x"}, (404, "NodeUserNotFound")),
        ("DELETE", "users/nobody-here", None, (404, "NodeUserNotFound")),
        ("DELETE", "users/root", None, (404, "NodeUserNotFound")),
        ("DELETE", "users/..%2Fx", None, (404, "NodeUserNotFound")),
        ("PUT", "users/eve", {}, (400, "MissingRequiredProperty")),
        ("PUT", "users/eve", {"password": "x", "isAdmin": True}, (400, "InvalidPropertyName")),
    ):
        answer = api(method, f"{node}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == found, (method, path, answer.text)
    for path, code in (("/pools/p/nodes/none/users", "NodeNotFound"), ("/pools/none/nodes/n/users", "PoolNotFound")):
        assert api("POST", path, user).json()["code"] == code
    assert api("DELETE", f"{node}/users/eve").status_code == 200


def test_an_administrator_only_where_the_node_has_root(api: Served, node: str) -> None:
    answer = api("POST", f"{node}/users", {"name": "fay", "password": "x", "isAdmin": True})
    if os.getuid():
        assert (answer.status_code, answer.json()["code"]) == (400, "OperationNotSupported"), answer.text
    else:
        assert answer.status_code == 201
        assert api("DELETE", f"{node}/users/fay").status_code == 200


def test_a_node_that_is_not_connected_is_not_ready(api: Served) -> None:
    body = {"id": "q", "vmSize": "local.small", "targetDedicatedNodes": 1}
    assert api("POST", "/pools", body).status_code == 201
    node = until(lambda: api.get("/pools/q/nodes")["value"])[0]
    answers = []
    while api.get(f"/pools/q/nodes/{node['id']}")["state"] in ("creating", "starting"):
        answers.append(api("POST", f"/pools/q/nodes/{node['id']}/users", {"name": "gus", "password": "x"}))
        if answers[-1].status_code != 409:
            break
    assert api("DELETE", "/pools/q").status_code == 202
    assert all(each.status_code == 201 or each.json()["code"] == "NodeNotReady" for each in answers), answers
    answer = api("POST", f"/pools/q/nodes/{node['id']}/users", {"name": "hal", "password": "x"})
    assert answer.status_code in (404, 409) and answer.json()["code"] in (
        "NodeNotReady",
        "NodeNotFound",
        "PoolNotFound",
    )


def test_what_is_told_of_a_node(api: Served, node: str) -> None:
    place, found = api.get(f"{node}/remoteloginsettings"), api.get(node)
    (endpoint,) = found["endpointConfiguration"]["inboundEndpoints"]
    reached = {"publicIPAddress": place["remoteLoginIPAddress"], "frontendPort": place["remoteLoginPort"]}
    assert endpoint == {"name": "SSHRule.0", "protocol": "tcp", "backendPort": place["remoteLoginPort"], **reached}
    assert found["nodeAgentInfo"]["lastUpdateTime"] >= found["allocationTime"]
    assert json.dumps(found).count(KEY.split()[1]) == 0
