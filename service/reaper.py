"""VMs that a provider lists and no record knows: what a crash, a lost answer or a lost state left behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

from providers import Provider, ProviderError, Vm, VmState

from .iso8601 import format_instant

Done = Literal["found", "ended", "kept", "failed"]

#: They run no more, and clouds may bill them all the same.
_OVER = frozenset((VmState.TERMINATED, VmState.PREEMPTED))


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


@dataclass(frozen=True)
class Leftover:
    """What a provider has beside VMs, and nobody needs: `what` in words."""

    provider: str
    what: str
    done: Literal["found", "removed", "in use"]

    def __str__(self) -> str:
        words = {"found": "would remove", "removed": "removed", "in use": "still in use, the next run or reap removes"}
        return f"{self.provider}: {words[self.done]} {self.what}"


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

    def find(self, over: bool = False) -> list[Orphan]:
        """In the order of providers and names. A VM that gets its record, or loses it, while we look is none. `over`:
        only those that have ended or are switched off; one whose age nobody tells stays then, as it may be a part of
        what a controller elsewhere is making."""
        known = set(self._records())
        listed = [(name, vm) for name, provider in self._providers.items() for vm in self._list(name, provider)]
        known |= set(self._records())
        return [
            self._orphan(name, vm, over)
            for name, vm in listed
            if vm.name not in known and (not over or vm.state in _OVER)
        ]

    def _list(self, name: str, provider: Provider) -> list[Vm]:
        try:
            return provider.list_owned()
        except ProviderError as exc:
            self.errors[name] = str(exc)
            return []

    def _orphan(self, name: str, vm: Vm, over: bool) -> Orphan:
        age = max(0.0, self._now() - vm.created) if vm.created is not None else None
        if age is not None and age < self._grace:
            return Orphan(name, vm, age, "kept", f"younger than {self._grace:g} s")
        if age is None and over:
            return Orphan(name, vm, age, "kept", "its age is not known, it may be in the making")
        return Orphan(name, vm, age)

    def end(self, orphans: list[Orphan]) -> list[Orphan]:
        """Destroy those that were found; what became of each."""
        with ThreadPoolExecutor(16, thread_name_prefix="reap") as executor:
            return list(executor.map(self._end, orphans))

    def sweep(self, dry: bool) -> list[Leftover]:
        """What the providers have beside VMs, once none is left there; it is removed if that is not `dry`."""
        found: list[Leftover] = []
        for name, provider in self._providers.items():
            if name in self.errors:
                continue
            try:
                texts = provider.sweep(dry)
                left = provider.sweep(dry=True) if texts and not dry else []
            except ProviderError as exc:
                self.errors[name] = str(exc)
                continue
            found += [Leftover(name, each, "found" if dry else _became(each, left)) for each in texts]
        return found

    def _end(self, orphan: Orphan) -> Orphan:
        if orphan.done != "found":
            return orphan
        try:
            self._providers[orphan.provider].destroy(orphan.vm.name, orphan.vm.provider_id)
        except ProviderError as exc:
            return replace(orphan, done="failed", note=str(exc))
        return replace(orphan, done="ended")


def _became(text: str, left: list[str]) -> Literal["removed", "in use"]:
    return "in use" if text in left else "removed"
