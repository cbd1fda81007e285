"""Ending every VM of a state, whatever condition its records are in: the provider's own list counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from pools import JournalError, NodeDeallocationOption
from providers import Provider, ProviderError, Vm
from runner import open_journal

from .controller import Controller
from .provider_options import try_open
from .settings import Settings
from .state import StateDirectory, StateError

#: Seconds in which nodes hand over the outcomes that they hold.
DRAIN_LIMIT = 60.0
#: Seconds in which the records follow what was done.
SETTLE_LIMIT = 60.0
#: Seconds after which a VM that does not go is reported, and the pause between two looks.
DESTROY_LIMIT = 600.0
_PAUSE = 1.0


class Shutdown:
    """Hold the state's lock as long as this lives. `tell` takes lines for people."""

    def __init__(
        self, state: StateDirectory, settings: Settings, pool: str | None, tell: Callable[[str], None]
    ) -> None:
        """Raises StateError."""
        self._state = state
        self._settings = settings
        self._pool = pool
        self._tell = tell
        opened = try_open(state, settings)
        self._providers = [each for each in opened.values() if not isinstance(each, ProviderError)]
        self._closed = {name: each for name, each in opened.items() if isinstance(each, ProviderError)}
        self._damaged: str | None = None
        self._owners = self._read_owners()
        self._seen: dict[str, set[str]] = {}
        self._told: set[str] = set()  # what is tried every second need not be told every second
        self._given_up = threading.Event()
        if pool is not None and self._damaged is not None:
            raise StateError(
                f"which VMs belong to pool {pool!r} is not known, because the records cannot be read "
                f"({self._damaged}); without --pool all are ended"
            )
        if pool is not None and pool not in self._pools:
            raise StateError(
                f"there is no pool {pool!r} in {state.path}; there are {', '.join(self._pools) or 'none'}"
            )

    def _read_owners(self) -> dict[str, str]:
        """The pool of each VM that the records know."""
        self._pools: list[str] = []
        if not self._state.database.exists():
            self._damaged = f"{self._state.database} is missing"
            return {}
        try:
            journal = open_journal(self._state.database_url, upgrade=False)
            try:
                self._pools = [pool.id for pool in journal.pools()]
                return {node.vm_name: node.pool_id for node in journal.nodes()}
            finally:
                journal.close()
        except JournalError as exc:
            self._damaged = str(exc)
            return {}

    # -- with the records -----------------------------------------------------------------------------------

    def drain(self) -> None:
        """Let the nodes hand over what has ended, requeue what runs, and end them; as far as that works."""
        if self._damaged is not None:
            self._tell(f"the records cannot be read, the VMs are ended all the same: {self._damaged}")
        elif self._closed:
            self._tell("the VMs are ended without asking the nodes first, because a provider cannot be used")
        elif self._ours(self._owners) and self._state.key.lost():
            self._tell("the VMs are ended without asking the nodes first, because the key that they let in is missing")
        elif self._ours(self._owners):
            self._tell(f"the nodes hand over what has ended, for {DRAIN_LIMIT:g} s at most (--now does without)")
            self._engage(DRAIN_LIMIT)

    def settle(self) -> None:
        """Let the records follow what was done past them."""
        if self._damaged is None and not self._closed and self._ours(self._read_owners()):
            self._engage(SETTLE_LIMIT)

    def _ours(self, owners: Mapping[str, str]) -> bool:
        """Has what is to be ended any record of a node?"""
        return bool(owners) if self._pool is None else self._pool in owners.values()

    def _engage(self, limit: float) -> None:
        """Be the controller of this state until no node is left, or the time is over."""
        if self._state.key.lost():
            self._state.key.replace_for_now()
        try:
            controller = Controller(self._state, self._settings, occurrences=0, only=self._pool)
        except (JournalError, StateError, OSError) as exc:  # a full disk, for one: the VMs must go all the same
            self._unusable(exc)
            return
        alarm = threading.Timer(limit, controller.engine.stop)
        alarm.daemon = True
        alarm.start()
        try:
            controller.drain(NodeDeallocationOption.REQUEUE, self._pool)
            controller.run(lambda: controller.node_count() == 0)
        except (JournalError, OSError) as exc:
            self._unusable(exc)
        finally:
            alarm.cancel()
            controller.close()

    def _unusable(self, error: Exception) -> None:
        self._damaged = str(error)
        self._tell(f"the records cannot be written, the VMs are ended all the same: {error}")

    # -- without them ---------------------------------------------------------------------------------------

    def destroy(self) -> list[str]:
        """End what the providers list until they list nothing; the names of those that do not go."""
        deadline = time.monotonic() + DESTROY_LIMIT
        left: list[str] = []
        with ThreadPoolExecutor(16, thread_name_prefix="provider") as executor:  # a silent one holds up no other
            try:
                for names in executor.map(lambda provider: self._emptied(provider, deadline), self._providers):
                    left += names
            except BaseException:  # Ctrl-C
                self._given_up.set()
                raise
        for name, error in self._closed.items():
            self._tell(str(error))
            left.append(f"those of {name}, which cannot be asked")
        return left

    def _emptied(self, provider: Provider, deadline: float) -> list[str]:
        try:
            return self._empty(provider, deadline)
        except ProviderError as exc:  # trying again cannot help; the other providers' VMs still go
            self._tell(f"provider {provider.name}: {exc}")
            return [f"those of {provider.name}"]

    def _empty(self, provider: Provider, deadline: float) -> list[str]:
        """Names of the VMs that do not go in time."""
        while (vms := self._listed(provider)) is None or vms or not self._swept(provider):
            if time.monotonic() > deadline or self._given_up.is_set():
                silent = [f"those of {provider.name}, which does not answer"]
                return silent if vms is None else [vm.name for vm in vms]
            if not vms or not self._destroy_all(provider, vms):
                self._given_up.wait(_PAUSE)
        return []

    def _swept(self, provider: Provider) -> bool:
        """Nothing is left beside the VMs that have gone, or nothing that could be removed."""
        try:
            found = provider.sweep()
        except ProviderError as exc:
            self._tell_once(f"provider {provider.name}: what was made beside the VMs cannot be removed: {exc}")
            return not exc.retryable
        for what in found:
            self._tell_once(f"removing {what}")
        return not found

    def look(self) -> None:
        """See what there is before anything is ended, so that it can be told what was."""
        for provider in self._providers:
            with suppress(ProviderError):  # told when it is asked to end them
                self._listed(provider)

    def _listed(self, provider: Provider) -> list[Vm] | None:
        """The VMs that are to go; None if the provider does not answer. Tells which have gone."""
        try:
            vms = provider.list_owned()
        except ProviderError as exc:
            if not exc.retryable:
                raise
            self._tell_once(f"provider {provider.name} cannot be listed, tried again for {DESTROY_LIMIT:g} s: {exc}")
            return None
        vms = [vm for vm in vms if self._pool is None or self._owners.get(vm.name) == self._pool]
        names = {vm.name for vm in vms}
        for name in sorted(self._seen.get(provider.name, set()) - names):
            owner = self._owners.get(name)
            self._tell(f"ended {name}" + (f" (pool {owner})" if owner else ""))
        self._seen[provider.name] = names
        return vms

    def _destroy_all(self, provider: Provider, vms: list[Vm]) -> bool:
        """False if any could not be ended."""
        good = True
        with ThreadPoolExecutor(16, thread_name_prefix="down") as executor:
            for vm, error in zip(vms, executor.map(lambda vm: _destroy(provider, vm), vms), strict=True):
                if error is not None:
                    good = False
                    self._tell_once(f"{vm.name} could not be ended, tried again: {error}")
        return good

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._tell(line)


def _destroy(provider: Provider, vm: Vm) -> ProviderError | None:
    try:
        provider.destroy(vm.name, vm.provider_id)
    except ProviderError as exc:
        return exc
    return None
