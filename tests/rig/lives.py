"""The lives of the instances: pending, running, shutting-down, terminated, and what the API knows of them when."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from moto.ec2.models.instances import StateReason

from .alarms import Alarms

#: Seconds, or what says them of an instance (as moto has it: .id, .instance_type, .placement.zone, .lifecycle ...).
Seconds = float | Callable[[Any], float]

NONE = ("", "")
BY_USER = ("Client.UserInitiatedShutdown", "User initiated shutdown")
BY_ITSELF = ("Client.InstanceInitiatedShutdown", "Instance initiated shutdown")
BY_SPOT = ("Server.SpotInstanceTermination", "Spot instance termination")


def seconds_of(value: Seconds, instance: Any) -> float:
    return value(instance) if callable(value) else value


class Machines(Protocol):
    """The hosts behind the instances. None of these waits."""

    def prepare(self, instance: Any, ready: Callable[[], None]) -> None:
        """Calls `ready` once the host is on the network; its boot has not begun."""

    def boot(self, instance: Any) -> None: ...

    def end(self, instance_id: str, at_once: bool) -> bool:
        """`at_once`: without a word to anybody who is connected. False: there is none; else `Lives.ended` is called."""

    def reboot(self, instance_id: str) -> None: ...


@dataclass(eq=False)
class Life:
    """`notice`: the Instant at which the instance is reclaimed, once that is known. `ended`: when it began to end."""

    instance: Any
    born: float
    visible: bool = True
    stranger: bool = False
    notice: float | None = None
    ended: float | None = None
    waits_for: int = 0  # what must be over before it is running: the pending time, and the host's network

    @property
    def over(self) -> bool:
        return self.instance.state in ("shutting-down", "terminated")


class Lives:
    """`pending`, `visibility`, `ending`: seconds that an instance is pending, unknown to the API, shutting down."""

    def __init__(self, alarms: Alarms, network: str, public: str) -> None:
        self.lock = threading.RLock()
        self.pending: Seconds = 0.0
        self.visibility: Seconds = 0.0
        self.ending: Seconds = 0.0
        self.forget: float = 3600.0
        self.machines: Machines | None = None
        self.network = ipaddress.IPv4Network(network)
        self._public = ipaddress.IPv4Network(public)
        self._alarms = alarms
        self._lives: dict[str, Life] = {}
        self._reservations: dict[str, Any] = {}
        self._taken: dict[str, int] = {}  # subnet -> addresses given

    def __getitem__(self, instance_id: str) -> Life:
        """Raises KeyError."""
        return self._lives[instance_id]

    def __iter__(self) -> Iterator[Life]:
        with self.lock:
            return iter(list(self._lives.values()))

    def present(self) -> list[Any]:
        """Instances that take up room: those that are not over, strangers left out."""
        return [life.instance for life in self if not life.over and not life.stranger]

    def known(self, instance_id: str) -> Any | None:
        """The instance, if the API knows it by now."""
        life = self._lives.get(instance_id)
        return life.instance if life is not None and life.visible else None

    def reservation(self, instance_id: str) -> Any:
        return self._reservations[instance_id]

    def hidden(self) -> set[str]:
        return {life.instance.id for life in self if not life.visible}

    def begin(self, reservation: Any, stranger: bool) -> None:
        with self.lock:
            for instance in reservation.instances:
                life = Life(instance, time.time(), stranger=stranger)
                self._lives[instance.id] = life
                self._reservations[instance.id] = reservation
                self._complete(instance)
                self._set(instance, "pending", 0, NONE)
                delay = 0.0 if stranger else seconds_of(self.visibility, instance)
                if delay > 0:
                    life.visible = False
                    self._alarms.after(delay, lambda life=life: setattr(life, "visible", True))  # type: ignore[misc]
                self._start(life, 0.0 if stranger else seconds_of(self.pending, instance))

    def end(self, instance_id: str, reason: tuple[str, str] = BY_USER, at_once: bool = False) -> None:
        """It shuts down, and is terminated. Nothing happens if it has already."""
        with self.lock:
            life = self._lives[instance_id]
            if life.over:
                return
            instance, life.ended = life.instance, time.time()
            self._set(instance, "shutting-down", 32, reason)
            delay = seconds_of(self.ending, instance)
            if delay > 0:
                self._alarms.after(delay, lambda: self._terminate(life, reason))
            else:
                self._terminate(life, reason)
        if self.machines is not None and not life.stranger:
            self.machines.end(instance_id, at_once)

    def stop(self, instance_id: str, reason: tuple[str, str] = BY_USER) -> None:
        with self.lock:
            life = self._lives[instance_id]
            if life.over or life.instance.state in ("stopping", "stopped"):
                return
            life.instance.stop()
            self._set(life.instance, "stopping", 64, reason)
        if self.machines is None or life.stranger or not self.machines.end(instance_id, False):
            self._set(life.instance, "stopped", 80, reason)

    def reboot(self, instance_id: str) -> None:
        if self.machines is not None and not self._lives[instance_id].stranger:
            self.machines.reboot(instance_id)

    def start(self, instance_id: str) -> None:
        with self.lock:
            life = self._lives[instance_id]
            if life.instance.state == "stopped":
                life.instance.start()
                self._set(life.instance, "pending", 0, NONE)
                self._start(life, seconds_of(self.pending, life.instance))

    def ended(self, instance_id: str, powered_off: bool) -> None:
        """The machine is no more. `powered_off`: from inside, which the cloud notices; it does not notice a crash."""
        with self.lock:
            life = self._lives[instance_id]
            if life.instance.state == "stopping":
                life.instance.instance_state.name, life.instance.instance_state.code = "stopped", 80
        if not powered_off or life.over or life.instance.state == "stopped":
            return
        if life.instance.instance_initiated_shutdown_behavior == "terminate":
            self.end(instance_id, BY_ITSELF)
        else:
            self.stop(instance_id, BY_ITSELF)

    def preempt(self, instance_id: str, notice: float) -> None:
        """The cloud takes it back, `notice` seconds after it has told the instance so."""
        life = self._lives[instance_id]
        if notice > 0:
            life.notice = time.time() + notice
            self._alarms.after(notice, lambda: self.end(instance_id, BY_SPOT, at_once=True))
        else:
            self.end(instance_id, BY_SPOT, at_once=True)

    def _start(self, life: Life, pending: float) -> None:
        hosted = self.machines if not life.stranger else None
        life.waits_for = 1 if hosted is None else 2
        if pending > 0:
            self._alarms.after(pending, lambda: self._one_less(life))
        if hosted is not None:
            hosted.prepare(life.instance, lambda: self._one_less(life))
        if pending <= 0:
            self._one_less(life)

    def _one_less(self, life: Life) -> None:
        with self.lock:
            life.waits_for -= 1
            if life.waits_for or life.instance.state != "pending":
                return
            self._set(life.instance, "running", 16, NONE)
        if self.machines is not None and not life.stranger:
            self.machines.boot(life.instance)

    def _terminate(self, life: Life, reason: tuple[str, str]) -> None:
        with self.lock:
            life.instance.terminate()
            self._set(life.instance, "terminated", 48, reason)
        self._alarms.after(self.forget, lambda: self._forget(life))

    def _forget(self, life: Life) -> None:
        with self.lock:
            reservation = self._reservations.pop(life.instance.id)
            reservation.instances = [i for i in reservation.instances if i.id != life.instance.id]
            del self._lives[life.instance.id]

    @staticmethod
    def _set(instance: Any, name: str, code: int, reason: tuple[str, str]) -> None:
        instance.instance_state.name, instance.instance_state.code = name, code
        instance.state_reason = StateReason(f"{reason[0]}: {reason[1]}", reason[0]) if reason[0] else None
        stamp = time.strftime("%Y-%m-%d %H:%M:%S GMT", time.gmtime())
        texts = {BY_USER: f"User initiated ({stamp})", BY_ITSELF: "", BY_SPOT: "Server.SpotInstanceTermination"}
        instance._reason = texts.get(reason, "")

    def _complete(self, instance: Any) -> None:
        """What EC2 does and moto does not; and addresses that lead nowhere but to the rig, in place of moto's, which
        belong to others."""
        nic = instance.nics[0]
        nic.delete_on_termination = True
        instance.security_groups = instance.security_groups or list(nic.group_set)
        if instance.lifecycle == "spot":
            instance.spot_instance_request_id = f"sir-{instance.id[-8:]}"
        subnet = ipaddress.IPv4Network(nic.subnet.cidr_block)
        number = self._taken[str(subnet)] = self._taken.get(str(subnet), 0) + 1
        private = str(subnet[4 + (number - 1) % (subnet.num_addresses - 8)])
        nic.private_ip_address, nic.private_ip_addresses = private, [{"Primary": True, "PrivateIpAddress": private}]
        nic.private_dns_name = instance.private_dns_name
        if nic.public_ip:
            number = self._taken["public"] = self._taken.get("public", 0) + 1
            nic.public_ip = str(self._public[4 + (number - 1) % (self._public.num_addresses - 8)])
