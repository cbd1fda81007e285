"""What a session tells its node to start: with the address of its door and the secrets of the task, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pools import SystemClock
from providers import Vm, VmState
from runner import DOOR, Credentials, NodeSession, OpenNode, OutputStore, PackageStore, Vault
from runner.commands import PrepareNode, StartExecution
from runner.equipment import Equipment
from runner.events import Event, NodePrepared, Outcome
from runner.files_of_tasks import TaskFiles
from runner.storage_urls import Signer
from tests.runner.agent.link import Recorder

CREDENTIALS = Credentials(bytes(32))
VM = Vm("vm", "i-1", VmState.RUNNING, None, None, "root", None, False, "/", None)
HERE = "http://127.0.0.1:20001"
NEEDS = ({"url": f"{DOOR}/storage/in/a", "path": "a", "mode": ""},)


Connect = Callable[[str | None], tuple[NodeSession, Recorder, list[Event]]]


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    def connected(door: str | None) -> tuple[NodeSession, Recorder, list[Event]]:
        posted: list[Event] = []
        clock = SystemClock()
        equipment = Equipment(CREDENTIALS, clock, 60.0, TaskFiles(Signer(bytes(32)), 1 << 20, 60.0), Vault(bytes(32)))
        stores = PackageStore(tmp_path), OutputStore(tmp_path)
        session = NodeSession(
            OpenNode("n", VM, 1, 1, {"A": "b"}, 30.0), posted.append, lambda work: work(), *stores, clock, equipment
        )
        link = Recorder(door)
        session.open(link)
        session.messages([{"op": "hello", "executions": []}])
        return session, link, posted

    return connected


def start(**members: Any) -> StartExecution:
    return StartExecution("n", "u-1", "task", "d", ("true",), {"X": "y"}, **members)


def test_everything_on_the_node_finds_the_address(connect: Connect) -> None:
    _, link, _ = connect(HERE)
    assert link.sent[0]["env"] == {"A": "b", "AZ_BATCH_ACCOUNT_URL": HERE}
    _, link, _ = connect(None)
    assert link.sent[0]["env"] == {"A": "b"}


def test_only_who_may_use_the_api_gets_secrets(connect: Connect) -> None:
    session, link, _ = connect(HERE)
    session.start(start())
    session.start(start(api_job="job"))
    plain, with_access = (message["env"] for message in link.sent[1:])
    assert plain == {"X": "y"}
    assert set(with_access) == {"X", "AZ_BATCH_AUTHENTICATION_TOKEN", "EBBTIDE_ACCOUNT_KEY"}
    scope = CREDENTIALS.verify(with_access["AZ_BATCH_AUTHENTICATION_TOKEN"], 0.0)
    assert (scope.job_id, scope.execution_id) == ("job", "u-1")
    assert with_access["EBBTIDE_ACCOUNT_KEY"] == CREDENTIALS.shared_key("job", "u-1")


def test_files_that_need_the_door_get_its_address(connect: Connect) -> None:
    session, link, posted = connect(HERE)
    session.start(start(resources=NEEDS))
    assert link.sent[1]["resources"][0]["url"].startswith(f"{HERE}/storage/in/a")
    assert not [event for event in posted if isinstance(event, Outcome)]


def test_without_a_door_they_fail_and_say_why_and_others_run(connect: Connect) -> None:
    session, link, posted = connect(None)
    session.start(start(resources=NEEDS))
    (outcome,) = [event for event in posted if isinstance(event, Outcome)]
    assert outcome.execution_id == "u-1" and outcome.error is not None
    assert outcome.error[0] == "NodeDoorUnavailable" and "AllowTcpForwarding" in outcome.error[1]
    assert len(link.sent) == 1
    session.start(start())
    assert link.sent[1]["op"] == "start"


def test_the_same_for_a_start_task(connect: Connect) -> None:
    session, link, posted = connect(None)
    session.prepare(PrepareNode("n", (), start(resources=NEEDS)))
    assert [type(event) for event in posted[-2:]] == [Outcome, NodePrepared]
    assert len(link.sent) == 1
