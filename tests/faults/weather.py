"""What befalls the cloud and the hosts while the controllers come and go."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.rig import CloudRig
from tests.rig.instance import Instance

from .plan import Blow, Fault, Plan


class Weather:
    """A thread beside the controllers. `notices`: when which instance was told that it goes."""

    def __init__(self, rig: CloudRig, plan: Plan, tell: Callable[[str], None]) -> None:
        self._rig, self._plan, self._tell = rig, plan, tell
        self.notices: dict[str, float] = {}
        self.blows: Counter[str] = Counter()
        self._armed: list[tuple[Fault, object]] = []
        self._struck: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="weather", daemon=True)
        rig.pending = lambda instance: plan.pending[self._number(instance.id)]
        rig.boot_delay = lambda instance: plan.boots[self._number(instance.id)]
        rig.visibility_delay = lambda instance: plan.visibility[self._number(instance.id)]
        rig.ending = lambda instance: plan.ending[self._number(instance.id)]

    def __enter__(self) -> Weather:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def faults(self) -> Counter[str]:
        """How many calls were struck, by the kind of the fault; and how many hosts."""
        hits: Counter[str] = Counter()
        for fault, armed in self._armed:
            hits[fault.kind] += armed.hits  # type: ignore[attr-defined]
        slow = [delay for delay in self._plan.boots[: len(self._numbers)] if delay]
        hits["slow boot"] = sum(delay != math.inf for delay in slow)
        hits["dead boot"] = sum(delay == math.inf for delay in slow)
        hits["unseen"] = sum(delay > 0 for delay in self._plan.visibility[: len(self._numbers)])
        return +(hits + self.blows)

    def _number(self, instance_id: str) -> int:
        return self._numbers.setdefault(instance_id, len(self._numbers)) % len(self._plan.boots)

    def _run(self) -> None:
        began, first_up = time.monotonic(), float("inf")
        faults, blows = list(self._plan.faults), list(self._plan.blows)
        while (faults or blows) and not self._over.wait(0.05):
            now = time.monotonic()
            while faults and faults[0].at <= now - began:
                self._arm(faults.pop(0))
            if first_up > now and any(map(self._up, list(self._rig.hosts))):
                first_up = now
            for blow in [blow for blow in blows if blow.at <= now - first_up]:
                if self._strike(blow):
                    blows.remove(blow)

    def _arm(self, fault: Fault) -> None:
        def concerns(params: object) -> bool:
            spot = "InstanceMarketOptions.MarketType" in params  # type: ignore[operator]
            return fault.lifecycle is None or spot == (fault.lifecycle == "spot")

        armed = self._rig.fail(fault.action, fault.code, fault.times, fault.latency, fault.lost, concerns)
        self._armed.append((fault, armed))
        self._tell(f"from now on {fault}")

    def _strike(self, blow: Blow) -> bool:
        instance = self._victim(blow)
        if instance is None:
            return False
        self._struck.add(instance.id)
        self._tell(f"{blow.kind} strikes {instance.id} ({blow.seconds:.1f} s)")
        self.blows[blow.kind] += 1
        if blow.kind == "preempt":
            self._rig.preempt(instance.id)
        elif blow.kind == "notice":
            self.notices[instance.id] = time.time()
            self._rig.preempt(instance.id, blow.seconds)
        elif blow.kind == "kill":
            self._rig.kill_host(instance.id)
        else:
            self._rig.cut_network(instance.id)
            if blow.seconds != math.inf:
                threading.Timer(blow.seconds, self._heal, [instance.id]).start()
        return True

    def _heal(self, instance_id: str) -> None:
        try:
            self._rig.heal_network(instance_id)
        except (KeyError, RuntimeError, OSError) as exc:
            self._tell(f"{instance_id} cannot be healed any more: {exc!r}")

    def _victim(self, blow: Blow) -> Instance | None:
        spot = blow.kind in ("preempt", "notice")
        alive = [
            instance
            for instance in self._rig.instances("running")
            if not instance.stranger
            and instance.id not in self._struck
            and (not spot or instance.lifecycle == "spot")
            and self._up(instance.id)
        ]
        return alive[int(blow.pick * len(alive))] if alive else None

    def _up(self, instance_id: str) -> bool:
        host = self._rig.hosts.get(instance_id)
        return host is not None and host.state in ("up", "booted")
