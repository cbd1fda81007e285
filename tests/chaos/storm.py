"""What befalls the nodes while controllers come and go, and a record of it that second starts are judged by."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from providers import Provider, ProviderError

from .network import Network
from .nodes import LocalNode, damage, fill, nodes_in, uptime
from .plan import Blow, Plan

#: Seconds of silence after which a controller gives a node up; see SETTINGS.
GIVEN_UP = 20.0


@dataclass(frozen=True)
class Deed:
    """`place`: the name of a VM, or the folder of a slot. What began there before `at` may be lost."""

    at: float
    kind: str
    place: str


class Storm:
    """A thread beside the controllers. Use as a context manager. `kill_controller`: kill -9; False: there is none."""

    def __init__(
        self,
        plan: Plan,
        base: Path,
        network: Network,
        provider: Provider,
        kill_controller: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        self._plan, self._base, self._network, self._provider = plan, base, network, provider
        self._kill_controller, self._tell = kill_controller, tell
        self._rng = random.Random(f"storm {plan.seed}")
        self.blows: Counter[str] = Counter()
        self.deeds: list[Deed] = []
        self._over = threading.Event()
        self._repairs: list[threading.Timer] = []
        self._thread = threading.Thread(target=self._run, name="storm", daemon=True)
        self.failure: BaseException | None = None

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        for repair in self._repairs:
            repair.join()

    def _run(self) -> None:
        try:
            while not any(node.slots() for node in nodes_in(self._base)):
                if self._over.wait(0.05):
                    return
            began, blows = uptime(), list(self._plan.blows)
            while blows and not self._over.wait(0.02):
                while blows and blows[0].at <= uptime() - began:
                    self._strike(blows.pop(0))
        except BaseException as exc:  # noqa: BLE001 - told by the trial
            self.failure = exc

    def _strike(self, blow: Blow) -> None:
        if blow.kind == "controller":
            struck = "the controller" if self._kill_controller() else None
        else:
            nodes = [node for node in nodes_in(self._base) if blow.kind != "preempt" or node.low_priority]
            node = nodes[int(blow.pick * len(nodes))] if nodes else None
            struck = getattr(self, f"_{blow.kind}")(node, blow) if node is not None else None
        if struck:
            self.blows[blow.kind] += 1
            self._tell(f"{blow.kind}: {struck}" + (f", {blow.seconds:.1f} s" if blow.seconds else ""))

    def _did(self, kind: str, place: str) -> None:
        self.deeds.append(Deed(uptime(), kind, place))

    def _later(self, seconds: float, work: Callable[[], object]) -> None:
        repair = threading.Timer(seconds, work)
        self._repairs.append(repair)
        repair.start()

    # -- blows: each says whom it struck, or None

    def _node(self, node: LocalNode, blow: Blow) -> str | None:
        if not node.kill():
            return None
        self._did("node", node.name)
        return node.name

    def _preempt(self, node: LocalNode, blow: Blow) -> str | None:
        with suppress(ProviderError):
            self._provider.preempt(node.name)
            self._did("node", node.name)
            return node.name
        return None

    def _agent(self, node: LocalNode, blow: Blow) -> str | None:
        return node.name if node.kill_agent() else None

    def _supervisor(self, node: LocalNode, blow: Blow) -> str | None:
        slot = self._slot(node)
        if slot is None or not node.kill_supervisor(slot):
            return None
        self._did("supervisor", str(slot))
        return str(slot)

    def _cut(self, node: LocalNode, blow: Blow) -> str | None:
        proxy = self._network.before(node.port)
        proxy.cut()
        self._later(blow.seconds, proxy.mend)
        return node.name

    _long = _cut

    def _reset(self, node: LocalNode, blow: Blow) -> str | None:
        """Connections break; new ones wait."""
        proxy = self._network.before(node.port)
        proxy.cut()
        proxy.drop()
        self._later(blow.seconds, proxy.mend)
        return node.name

    def _disk(self, node: LocalNode, blow: Blow) -> str | None:
        try:
            filler = fill(node.path / "root")
        except OSError:  # it goes in this moment
            return None
        if filler is None:
            return None
        self._later(blow.seconds, lambda: filler.unlink(missing_ok=True))
        return node.name

    def _spool(self, node: LocalNode, blow: Blow) -> str | None:
        """While nobody hears of outcomes a spool is damaged, and its supervisor killed: the next one reads it."""
        slot = self._slot(node)
        if slot is None:
            return None
        proxy = self._network.before(node.port)
        if blow.seconds:
            proxy.cut()
            self._over.wait(blow.seconds)
        try:
            how = damage(slot, self._rng)
            if how is None or not node.kill_supervisor(slot):
                return None
        finally:
            self._did("spool", str(slot))
            if blow.seconds:
                if self._rng.random() < 0.7:
                    proxy.drop()  # what was said of it is lost too
                proxy.mend()
        return f"{slot}: {how}"

    def _slot(self, node: LocalNode) -> Path | None:
        slots = node.slots()
        return self._rng.choice(slots) if slots else None
