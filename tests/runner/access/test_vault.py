"""Passwords in specifications: sealed before they are stored, opened as they leave for a node."""

import logging
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import SystemClock
from providers import Vm, VmState
from runner import (
    Credentials,
    JobError,
    JobSpec,
    NodeSession,
    OpenNode,
    OutputStore,
    PackageStore,
    TaskSpec,
    Vault,
    Workload,
)
from runner.commands import PrepareNode, StartExecution
from runner.containers import contained, images
from runner.equipment import Equipment
from runner.events import Event, NodePrepared, Outcome
from runner.files_of_tasks import TaskFiles
from runner.storage_urls import Signer
from runner.user_identity import node_users
from runner.vault import VaultError
from tests.runner.agent.link import Recorder

VAULT, OTHER = Vault(bytes(32)), Vault(bytes(31) + b"1")
VM = Vm("vm", "i-1", VmState.RUNNING, None, None, "root", None, False, "/", None)
REGISTRY = {"registryServer": "r.example", "username": "me", "password": "secret-1"}
CONTAINER = {"imageName": "i", "registry": {**REGISTRY, "password": "secret-2"}}
START = {"commandLine": "s", "containerSettings": {"imageName": "i", "registry": {**REGISTRY, "password": "secret-3"}}}
POOL = {
    "vmSize": "s",
    "userAccounts": [{"name": "alice", "password": "secret-4"}, {"name": "bob"}],
    "startTask": START,
    "virtualMachineConfiguration": {
        "containerConfiguration": {"containerImageNames": ["i"], "containerRegistries": [REGISTRY]}
    },
}
JOB = {
    "id": "j",
    "poolInfo": {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": POOL}},
    "jobManagerTask": {"id": "m", "commandLine": "x", "containerSettings": CONTAINER},
    "jobPreparationTask": {"commandLine": "x", "containerSettings": CONTAINER},
    "jobReleaseTask": {"commandLine": "x", "containerSettings": CONTAINER},
    "tasks": [{"id": "t", "commandLine": "x", "containerSettings": CONTAINER}, {"id": "u", "commandLine": "x"}],
}
SCHEDULE = {"id": "s", "schedule": {}, "jobSpecification": {k: v for k, v in JOB.items() if k not in ("id", "tasks")}}
WORKLOAD = msgspec.convert({"pools": [{"id": "p", **POOL}], "jobs": [JOB], "jobSchedules": [SCHEDULE]}, Workload)


_PASSWORDS = st.text(min_size=1).filter(lambda text: not set(text) & set("\n\r\0"))


@pytest.mark.parametrize(
    "text",
    ["", "a\nb", "root\r", "\0", "${secret:file:../x}", "${secret:env:}", "${secret:other:x}", "x${secret:env:A}"],
)
def test_what_is_no_password_is_refused_before_nobody_can_see_it(text: str) -> None:
    with pytest.raises(JobError, match="password: ") as refused:
        VAULT.seal(text)
    assert refused.value.code == "InvalidPropertyValue"


@given(_PASSWORDS, _PASSWORDS)
def test_what_is_sealed_can_be_opened_and_compared(one: str, other: str) -> None:
    sealed = VAULT.seal(one)
    assert VAULT.open(sealed) == one and VAULT.seal(sealed) == sealed
    assert (VAULT.seal(other) == sealed) == (other == one)
    with pytest.raises(VaultError):
        OTHER.open(sealed)


@pytest.mark.parametrize("text", ["plain", "sealed:", "sealed:x", "sealed:AAAA", "sealed:é"])
def test_what_is_not_sealed_is_refused_and_can_be_a_password(text: str) -> None:
    with pytest.raises(VaultError):
        VAULT.open(text)
    assert VAULT.open(VAULT.seal(text)) == text


def test_no_password_of_a_workload_is_left_open() -> None:
    sealed = VAULT.sealed(WORKLOAD)
    assert b"secret-" not in msgspec.json.encode(sealed)
    assert VAULT.opened(msgspec.to_builtins(sealed)) == _lists(msgspec.to_builtins(WORKLOAD))
    assert VAULT.sealed(sealed) == sealed
    assert sealed.jobs[0].tasks[1] is WORKLOAD.jobs[0].tasks[1], "tasks without passwords cost nothing"


def _lists(value: object) -> object:
    """`opened` knows lists only."""
    if isinstance(value, dict):
        return {key: _lists(each) for key, each in value.items()}
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else value


def session(path: Path, vault: Vault) -> tuple[NodeSession, Recorder, list[Event]]:
    posted: list[Event] = []
    clock = SystemClock()
    files = TaskFiles(Signer(bytes(32)), 1 << 20, 60.0)
    equipment = Equipment(Credentials(bytes(32)), clock, 60.0, files, vault)
    pool = VAULT.sealed(WORKLOAD).pools[0]
    command = OpenNode("n", VM, 1, 1, {}, 30.0, users=node_users(pool, "pool"))
    made = NodeSession(
        command, posted.append, lambda work: work(), PackageStore(path), OutputStore(path), clock, equipment
    )
    link = Recorder(None)
    made.open(link)
    made.messages([{"op": "hello", "executions": []}])
    return made, link, posted


def start() -> StartExecution:
    workload = VAULT.sealed(WORKLOAD)
    container = contained(workload.jobs[0].tasks[0].container_settings, workload.pools[0])
    return StartExecution("n", "u-1", "task", "d", ("true",), {}, container=container)


def test_nodes_are_told_the_passwords(tmp_path: Path) -> None:
    made, link, _ = session(tmp_path, VAULT)
    accounts = link.sent[0]["users"]["accounts"]
    assert [(each["name"], each["password"]) for each in accounts] == [("alice", "secret-4"), ("bob", None)]
    assert "secret" not in repr(start())
    made.start(start())
    told = link.sent[-1]["container"]["registries"]
    assert [each["password"] for each in told] == ["secret-1", "secret-2"]


def test_a_lost_secret_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        made, link, posted = session(tmp_path, OTHER)
    assert [each["password"] for each in link.sent[0]["users"]["accounts"]] == [None, None]
    assert "give it again" in caplog.text and "secret-" not in caplog.text
    made.start(start())
    (outcome,) = (each for each in posted if isinstance(each, Outcome))
    assert outcome.error is not None and outcome.error[0] == "PasswordUnavailable"
    made.prepare(PrepareNode("n", (), None, images(VAULT.sealed(WORKLOAD).pools[0])))
    (prepared,) = (each for each in posted if isinstance(each, NodePrepared))
    assert "give it again" in (prepared.error or "")


def test_specifications_of_others_stay_as_they_are() -> None:
    job = JobSpec(id="j", pool_info=WORKLOAD.jobs[0].pool_info)
    assert VAULT.sealed(job) != job
    task = TaskSpec(id="t", command_line="x")
    assert VAULT.sealed(task) is task
