"""The rig itself: a fake EC2 region of its own, whose instances are real SSH hosts if the caller wants them."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .alarms import Alarms
from .faults import Call, Fault, Params
from .instance import Instance, instance_of
from .market import Market

if TYPE_CHECKING:
    from .answers import Region
    from .backend import RigBackend
    from .front import Front
    from .host import Host
    from .hosts import Hosts
    from .lives import Lives, Seconds

#: The image and the size that `settings()` names.
IMAGE = "ami-0e0bb71de00000001"
SIZE = "t3.small"
_numbers = itertools.count(1)


@dataclass
class _Parts:
    """What runs between `start` and `close`."""

    front: Front
    backend: RigBackend
    region: Region
    lives: Lives
    alarms: Alarms
    hosts: Hosts | None
    keys: dict[str, str] = field(default_factory=dict)  # host keys of instances without a host
    clients: dict[tuple[str, int], Any] = field(default_factory=dict)


class CloudRig:
    """Use as a context manager; see README.md beside this file.

    `pending`, `boot_delay`, `visibility_delay`, `ending`: seconds, or a function of the instance that gives them
    (math.inf: never). They can be changed while it runs.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        hosts: bool = True,
        pending: Seconds = 0.0,
        boot_delay: Seconds = 0.0,
        visibility_delay: Seconds = 0.0,
        ending: Seconds = 0.0,
        guard_controller: bool = False,
        port: int = 0,
    ) -> None:
        """`guard_controller`: the security groups hold for this machine too; else it reaches every host."""
        self.region = region
        self.pending, self.boot_delay = pending, boot_delay
        self.visibility_delay, self.ending = visibility_delay, ending
        self.account = f"{os.getpid() % 10**7:07d}{next(_numbers):05d}"
        self.market = Market(region)
        self._with_hosts, self._guard, self._port = hosts, guard_controller, port
        self._parts: _Parts | None = None

    @staticmethod
    def unavailable() -> str | None:
        """Why there can be no hosts on this machine; None: there can."""
        from .requirements import missing

        return missing()

    # ------------------------------------------------------------------------------------------------- its own life

    def __enter__(self) -> CloudRig:
        from .answers import Region
        from .backend import RigBackend
        from .front import Front
        from .lives import Lives
        from .network import LOOPBACK, PUBLIC_LOOPBACK

        alarms = Alarms()
        hosts: Hosts | None = None
        network, public = LOOPBACK, PUBLIC_LOOPBACK
        if self._with_hosts:
            from .hosts import Hosts

            hosts = Hosts(lambda instance: self.boot_delay(instance) if callable(self.boot_delay) else self.boot_delay)
            network, public = hosts.network.private, hosts.network.public
        try:
            lives = Lives(alarms, network, public)
            lives.pending, lives.visibility, lives.ending = self._pending, self._visibility, self._ending
            backend = RigBackend(self.region, self.account, lives)
            groups_changed = (lambda: None) if hosts is None else hosts.groups_changed
            region = Region(backend, lives, self.market, self._console, groups_changed)
            front = Front(region, self.account, lives.lock, self._port)
        except BaseException:
            if hosts is not None:
                hosts.close()
            raise
        if hosts is not None:
            hosts.attach(backend, lives, alarms, guard_controller=self._guard)
            lives.machines = hosts
        self._parts = _Parts(front, backend, region, lives, alarms, hosts)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        at: TracebackType | None = None,
    ) -> None:
        parts, self._parts = self._parts, None
        if parts is not None:
            for client in parts.clients.values():
                client.close()
            parts.front.close()
            parts.alarms.close()
            if parts.hosts is not None:
                parts.hosts.close()

    start, stop = __enter__, __exit__

    # --------------------------------------------------------------------------------------------------- the callers

    @property
    def endpoint(self) -> str:
        return self._running.front.endpoint

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Settings of a provider with driver ec2 on this rig."""
        return {
            "driver": "ec2",
            "region": self.region,
            "endpoint": self.endpoint,
            "accessKeyId": "testing",
            "secretAccessKey": "testing",
            "image": IMAGE,
            "size": SIZE,
            "sshUser": "admin",
            "sshAddress": "private",
            **changes,
        }

    def boto3(self, service: str = "ec2", retries: int = 0) -> Any:
        """A client of boto3, which tries a call `retries` times more; the same each time, as it takes long to make."""
        clients = self._running.clients
        if (service, retries) not in clients:
            import boto3
            from botocore.config import Config

            clients[service, retries] = boto3.client(
                service,
                region_name=self.region,
                endpoint_url=self.endpoint,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                config=Config(retries={"max_attempts": retries}, max_pool_connections=50),
            )
        return clients[service, retries]

    @property
    def calls(self) -> list[Call]:
        """Of the API, in the order of their answers."""
        return self._running.front.calls

    @property
    def mishaps(self) -> list[str]:
        """Where the rig itself failed: a test may assert that there are none."""
        hosts = self._running.hosts
        return self._running.front.mishaps + (hosts.mishaps if hosts is not None else [])

    # ---------------------------------------------------------------------------------------------------- the cloud

    @property
    def capacity(self) -> dict[tuple[str, str], float]:
        """`capacity[zone, size] = n`: how many instances of that size the zone has room for."""
        return self.market.capacity

    @property
    def spot_prices(self) -> dict[tuple[str, str], float]:
        return self.market.spot_prices

    def instances(self, *states: str) -> list[Instance]:
        """All, or those in the given states, oldest first."""
        lives = self._running.lives
        with lives.lock:
            found = [instance_of(life) for life in lives]
        return [instance for instance in found if not states or instance.state in states]

    def instance(self, instance_id: str) -> Instance:
        """Raises KeyError."""
        return instance_of(self._running.lives[instance_id])

    def stranger(self, tags: Mapping[str, str] | None = None) -> str:
        """The id of a running instance that somebody else has in this account."""
        parts = self._running
        with parts.lives.lock, parts.backend.as_stranger():
            made = parts.backend.run_instances(
                IMAGE, 1, None, [], instance_type=SIZE, is_instance_type_default=False, region_name=self.region,
                placement=f"{self.region}a", tags={"instance": dict(tags or {})},
            )  # fmt: skip
        return str(made.instances[0].id)

    # ------------------------------------------------------------------------------------------------------- faults

    def fail(
        self,
        action: str,
        code: str | None = None,
        times: float = 1,
        latency: float = 0.0,
        lose_response: bool = False,
        when: Callable[[Params], bool] | None = None,
        message: str = "",
    ) -> Fault:
        """The next `times` calls of `action` ("*": any) for which `when(params)` holds fail. See `Fault`."""
        return self._running.front.faults.add(Fault(action, code, times, latency, lose_response, when, message))

    def clear_faults(self) -> None:
        self._running.front.faults.clear()

    def preempt(self, instance_id: str, notice: float = 0.0) -> None:
        """The cloud takes it back: `notice` seconds after its metadata service has said so."""
        self._running.lives.preempt(instance_id, notice)

    def kill_host(self, instance_id: str) -> None:
        """The host dies without a word; the API still says running."""
        self._hosts.kill(instance_id)

    def cut_network(self, instance_id: str) -> None:
        """Nothing comes through to it or from it, and nobody is told."""
        self._hosts.link(instance_id, up=False)

    def heal_network(self, instance_id: str) -> None:
        self._hosts.link(instance_id, up=True)

    @property
    def hosts(self) -> Mapping[str, Host]:
        return self._hosts.by_id

    # ------------------------------------------------------------------------------------------------------- inside

    @property
    def _running(self) -> _Parts:
        if self._parts is None:
            raise RuntimeError("the rig does not run: use it as a context manager")
        return self._parts

    @property
    def _hosts(self) -> Hosts:
        if self._running.hosts is None:
            raise RuntimeError("this rig has no hosts: CloudRig(hosts=True)")
        return self._running.hosts

    def _pending(self, instance: Any) -> float:
        return self.pending(instance) if callable(self.pending) else self.pending

    def _visibility(self, instance: Any) -> float:
        return self.visibility_delay(instance) if callable(self.visibility_delay) else self.visibility_delay

    def _ending(self, instance: Any) -> float:
        return self.ending(instance) if callable(self.ending) else self.ending

    def _console(self, instance: Any) -> str:
        parts = self._running
        if parts.hosts is not None:
            return parts.hosts.console(instance.id)
        delay = self.boot_delay(instance) if callable(self.boot_delay) else self.boot_delay
        if instance.state == "pending" or time.time() < parts.lives[instance.id].born + delay:
            return ""
        from . import console

        if instance.id not in parts.keys:
            given = console.key_of(console.user_data_of(instance))
            parts.keys[instance.id] = given or console.new_host_key()[1]
        return console.boot_text(instance.private_dns_name.partition(".")[0], [parts.keys[instance.id]])
