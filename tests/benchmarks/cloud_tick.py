"""COUNT VMs of a controller on the rig that serves at ENDPOINT, and what it costs to look at them, ROUNDS times:

`python -m tests.benchmarks.cloud_tick ENDPOINT COUNT ROUNDS FOLDER`

- tick: what a controller does every `vmPollInterval`: the list is asked for, told to the core, which goes through all
  nodes, plans, and commits what has changed;
- full: `list_owned` of a provider that has just been opened, which knows nothing yet;
- libcloud: one `list_nodes` of libcloud's own driver.

Prints one line of JSON. Only this process is measured, and the rig is another one.
"""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from pools import (
    Clock,
    Command,
    CreateVm,
    Deployment,
    ListVms,
    NodeState,
    PoolSettings,
    PoolSpec,
    RandomIds,
    SystemClock,
)
from providers import HostKeys, Provider, open_provider
from runner import AddPool, Core, CoreSettings, Engine, OpenNode, ResizePool, VmEffects, open_journal
from runner.commands import PrepareNode
from runner.events import NodeConnected, NodePrepared, Tick, VmsListed
from tests.rig import IMAGE, SIZE

from .cloud_rig import libcloud_driver, settings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINCfmJ+CztYGbhmvBLKeiYyhgAnFSS1rdRj7ghbaUQ2B"
PATIENCE = 600.0


class Look(msgspec.Struct):
    """By round: seconds on the clock, of the processor, and calls of the API."""

    seconds: list[float] = []
    cpu: list[float] = []
    calls: list[int] = []

    def measure(self, look: Callable[[], object]) -> None:
        calls, clock, cpu = _Calls.made, time.perf_counter(), time.process_time()
        look()
        self.cpu.append(time.process_time() - cpu)
        self.seconds.append(time.perf_counter() - clock)
        self.calls.append(_Calls.made - calls)


class _Calls:
    """Every request over HTTP that leaves this process, whoever makes it."""

    made = 0

    @classmethod
    def count(cls) -> None:
        put = http.client.HTTPConnection.putrequest

        def counted(self: Any, *arguments: Any, **options: Any) -> None:
            cls.made += 1
            put(self, *arguments, **options)

        http.client.HTTPConnection.putrequest = counted  # type: ignore[method-assign]


class _World:
    """The real clouds; nodes that answer at once and have nothing to do."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self.engine: Engine
        self._vms = VmEffects({"aws": provider}, lambda event: self.engine.post(event), clock)

    def issue(self, command: Command) -> None:
        match command:
            case CreateVm():
                self._vms.create(command)
            case ListVms():
                self._vms.list(command)
            case OpenNode(node_id, connection=connection):
                self.engine.post(NodeConnected(node_id, connection, frozenset()))
            case PrepareNode(node_id):
                self.engine.post(NodePrepared(node_id))

    def close(self) -> None:
        self._vms.close()


class Controller:
    """Everything of it that takes part in a tick."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        clock, ids = SystemClock(), RandomIds()
        deployment = Deployment(ids.new(), KEY)
        self.provider = opened(endpoint, deployment.id)
        self.deployment = deployment.id
        # no tick of its own accord, which would be counted with what is measured just then
        pools = PoolSettings(profiles={"aws": self.provider.profile()}, vm_poll_interval=86400.0)
        self.core = Core(CoreSettings(pools=pools), deployment, ids)
        self._journal = open_journal(f"sqlite:///{folder / 'state.db'}")
        self._world = _World(self.provider, clock)
        self._asked = 0.0
        self.engine = self._world.engine = Engine(self.core, self._journal, self._world, clock)
        handle = self.core.handle

        def watched(event: Any, now: float) -> None:
            handle(event, now)
            if isinstance(event, VmsListed):
                self._asked = event.asked

        self.core.handle = watched  # type: ignore[method-assign]

    def fill(self, count: int) -> None:
        """`count` nodes, all of them idle."""
        now = time.time()
        self.core.handle(AddPool(PoolSpec(id="pool", vm_size=SIZE, target_low_priority_nodes=0), "aws", IMAGE), now)
        self.core.handle(ResizePool("pool", 0, count), now)
        end = time.monotonic() + PATIENCE
        while sum(node.state is NodeState.IDLE for node in self.core.ctx.nodes) < count:
            self.engine.step()
            if time.monotonic() > end:
                raise TimeoutError("the VMs do not come up")

    def tick(self) -> None:
        """One list that was asked for just now."""
        began = time.time()
        self.core.ctx.say(ListVms("aws"))
        self.engine.post(Tick())
        while self._asked < began:
            self.engine.step()

    def close(self) -> None:
        self._world.close()
        self._journal.close()


def opened(endpoint: str, deployment: str) -> Provider:
    return open_provider("aws", settings(endpoint), deployment, host_keys=HostKeys(bytes(32)))


def main(endpoint: str, count: int, rounds: int, folder: Path) -> dict[str, Look]:
    controller = Controller(endpoint, folder)
    controller.fill(count)
    driver = libcloud_driver(endpoint)

    def counted(found: list[Any]) -> None:
        if len(found) != count:
            raise AssertionError(f"{len(found)} of {count} VMs are listed")

    def full() -> None:
        counted(opened(endpoint, controller.deployment).list_owned())

    ways: dict[str, Callable[[], None]] = {
        "libcloud": lambda: counted(driver.list_nodes()),
        "tick": controller.tick,
        "full": full,
    }
    for way in ("tick", "libcloud"):  # both have connected by now
        ways[way]()
    looks = {way: Look() for way in ways}
    for number in range(rounds):
        names = list(ways)
        for way in names[number % 3 :] + names[: number % 3]:
            looks[way].measure(ways[way])
    controller.close()
    return looks


if __name__ == "__main__":
    _Calls.count()
    found = main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
