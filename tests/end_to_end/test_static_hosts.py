"""The whole way on machines that the user has: hosts are leased for the work, and given back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from pools import PoolSpec, StartTask
from providers import VmState, marked_processes
from runner import AddPool
from service.settings import Settings

from ..providers.static.sshd import USER, SshHost, make_key, unavailable
from .world import FAST, World

FORMULA = "$TargetDedicatedNodes = min(2, $PendingTasks.GetSample(1));"


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[list[SshHost]]:
    if reason := unavailable():
        pytest.skip(reason)
    public = make_key(tmp_path / "identity")
    hosts = [SshHost(tmp_path / f"host{number}", public) for number in range(3)]
    for host in hosts:
        host.up()
    try:
        yield hosts
    finally:
        for host in hosts:
            host.down()


def settings(tmp_path: Path, hosts: list[SshHost]) -> Settings:
    options = {
        "driver": "static",
        "user": USER,
        "identityFile": str(tmp_path / "identity"),
        "minDiskMiB": 1,
        "checkInterval": 1,
        "hosts": [host.entry() for host in hosts],
    }
    return msgspec.structs.replace(FAST, default_provider="lab", providers={"lab": options})


def pool(**properties: object) -> PoolSpec:
    start = StartTask(command_line="/bin/sh -c 'echo ready > $AZ_BATCH_NODE_SHARED_DIR/told'", wait_for_success=True)
    return msgspec.structs.replace(PoolSpec(id="pool", vm_size="static", start_task=start), **properties)


def test_a_pool_leases_hosts_for_its_work_and_gives_them_back(tmp_path: Path, hosts: list[SshHost]) -> None:
    with World(tmp_path / "state", settings(tmp_path, hosts)) as world:
        scaled = pool(
            enable_auto_scale=True,
            auto_scale_formula=FORMULA,
            auto_scale_evaluation_interval=timedelta(seconds=1),
            task_slots_per_node=1,
        )
        world.request(AddPool(scaled, "lab", "static"))
        tell = """/bin/sh -c 'cat "$AZ_BATCH_NODE_SHARED_DIR/told"; echo $EBBTIDE_NODE; (sleep 600 &) >/dev/null'"""
        world.job(*[tell] * 6)
        world.wait_completed()
        assert [task.exit_code for task in world.tasks()] == [0] * 6
        told = [world.printed(f"t{number}").decode().split() for number in range(6)]
        assert {words[0] for words in told} == {"ready"}
        assert len({words[1] for words in told}) <= 2
        world.wait(lambda: not world.nodes(), "the pool to go down to zero")
        assert world.controller.providers["lab"].list_owned() == []
        assert marked_processes(world.controller.deployment.id) == []
        assert [host.left() for host in hosts] == [[], [], []]


def test_a_host_that_is_away_for_a_while_keeps_its_node_and_its_task(tmp_path: Path, hosts: list[SshHost]) -> None:
    with World(tmp_path / "state", settings(tmp_path, hosts)) as world:
        world.request(AddPool(pool(target_dedicated_nodes=1), "lab", "static"))
        count = tmp_path / "count"
        world.job(f"/bin/sh -c 'echo one >> {count}; while [ ! -e {count}.end ]; do sleep 0.1; done; echo done'")
        world.wait(count.exists, "the task to start")
        provider = world.controller.providers["lab"]
        hosts[0].down()
        world.wait(lambda: [vm.state for vm in provider.list_owned()] == [VmState.UNKNOWN], "the host to be missed")
        (tmp_path / "count.end").touch()
        hosts[0].up()
        world.wait_completed()
        assert world.printed("t0") == b"done\n"
        assert count.read_text() == "one\n"
        world.drain()
    assert [host.left() for host in hosts] == [[], [], []]
