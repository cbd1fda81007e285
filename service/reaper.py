"""VMs that a provider lists and no record knows: what a crash, a lost answer or a lost state left behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

from providers import Provider, ProviderError, Vm

from .iso8601 import format_instant

Done = Literal["found", "ended", "kept", "failed"]


@dataclass(frozen=True)
class Orphan:
    """`age` in seconds, None if its cloud does not say. `note`: why it was kept, or what went wrong."""

    provider: str
    vm: Vm
    age: float | None
    done: Done = "found"
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        vm = self.vm
        return {
            "name": vm.name,
            "provider": self.provider,
            "providerId": vm.provider_id,
            "state": str(vm.state),
            "created": format_instant(vm.created) if vm.created is not None else None,
            "pricePerHour": vm.price_per_hour,
            "done": self.done,
            "note": self.note or None,
        }


class Reaper:
    """`records`: reads the names of the VMs that a record stands for now. `grace`: seconds; a VM that is younger
    stays."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        records: Callable[[], Collection[str]],
        grace: float,
        now: Callable[[], float],
    ) -> None:
        self._providers = providers
        self._records = records
        self._grace = grace
        self._now = now
        #: providers that could not be asked, and why
        self.errors: dict[str, str] = {}

    def find(self) -> list[Orphan]:
        """In the order of providers and names. A VM that gets its record, or loses it, while we look is none."""
        known = set(self._records())
        listed = [(name, vm) for name, provider in self._providers.items() for vm in self._list(name, provider)]
        known |= set(self._records())
        return [self._orphan(name, vm) for name, vm in listed if vm.name not in known]

    def _list(self, name: str, provider: Provider) -> list[Vm]:
        try:
            return provider.list_owned()
        except ProviderError as exc:
            self.errors[name] = str(exc)
            return []

    def _orphan(self, name: str, vm: Vm) -> Orphan:
        age = max(0.0, self._now() - vm.created) if vm.created is not None else None
        if age is not None and age < self._grace:
            return Orphan(name, vm, age, "kept", f"younger than {self._grace:g} s")
        return Orphan(name, vm, age)

    def end(self, orphans: list[Orphan]) -> list[Orphan]:
        """Destroy those that were found; what became of each."""
        with ThreadPoolExecutor(16, thread_name_prefix="reap") as executor:
            return list(executor.map(self._end, orphans))

    def _end(self, orphan: Orphan) -> Orphan:
        if orphan.done != "found":
            return orphan
        try:
            self._providers[orphan.provider].destroy(orphan.vm.name, orphan.vm.provider_id)
        except ProviderError as exc:
            return replace(orphan, done="failed", note=str(exc))
        return replace(orphan, done="ended")
