"""Carries out what the core asks of the clouds, in bounded threads.

Every call of a provider ends: a provider gives each of its own calls a time limit and tries a throttled one again for
a short time only. So nothing waits for ever in here; a create or destroy that failed is issued again by the core.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from pools import Clock, CreateVm, DestroyVm, ListVms, ReadConsole, RebootVm
from providers import Provider, ProviderError

from .events import ConsoleRead, Event, VmCreated, VmCreateFailed, VmDestroyed, VmDestroyFailed, VmsListed
from .node_events import VmRebooted, VmRebootFailed
from .workers import Workers

log = logging.getLogger(__name__)

#: Seconds that the end of a VM waits for what it printed on its console.
CONSOLE_WAIT = 10.0


class VmEffects:
    """Calls about one VM are carried out one after the other, in the order in which they were issued: a destroy can
    never overtake the create before it."""

    def __init__(
        self, providers: Mapping[str, Provider], post: Callable[[Event], None], clock: Clock, threads: int = 32
    ) -> None:
        self._providers = providers
        self._post = post
        self._clock = clock
        self._pool = Workers(threads, "vm")
        #: apart, so that one that hangs delays nothing else
        self._consoles = ThreadPoolExecutor(4, thread_name_prefix="console")
        self._lock = threading.Lock()
        self._lines: dict[str, deque[Callable[[], None]]] = {}
        self._listing: dict[str, bool] = {}

    def create(self, command: CreateVm) -> None:
        self._line_up(command.spec.name, lambda: self._create(command))

    def destroy(self, command: DestroyVm) -> None:
        """One without a record is asked for with every list that shows it: once at a time is enough."""
        with self._lock:
            if command.node_id is None and command.vm_name in self._lines:
                return
        self._line_up(command.vm_name, lambda: self._destroy(command))

    def reboot(self, command: RebootVm) -> None:
        self._line_up(command.vm_name, lambda: self._reboot(command))

    def console(self, command: ReadConsole) -> None:
        self._line_up(command.vm_name, lambda: self._console(command))

    def list(self, command: ListVms) -> None:
        """One listing per provider at a time; one asked for meanwhile follows, so that it sees the present."""
        with self._lock:
            if command.provider in self._listing:
                self._listing[command.provider] = True
                return
            self._listing[command.provider] = False
        self._pool.submit(self._list, command)

    def close(self) -> None:
        """Wait for the calls under way; start no more."""
        with self._lock:
            for line in self._lines.values():
                line.clear()
        self._pool.close(drop=True)
        self._consoles.shutdown(wait=False, cancel_futures=True)

    def _line_up(self, name: str, call: Callable[[], None]) -> None:
        with self._lock:
            line = self._lines.get(name)
            if line is not None:
                line.append(call)
                return
            self._lines[name] = deque()
        self._pool.submit(self._work_off, name, call)

    def _work_off(self, name: str, call: Callable[[], None]) -> None:
        while True:
            call()
            with self._lock:
                line = self._lines[name]
                if not line:
                    del self._lines[name]
                    return
                call = line.popleft()

    def _create(self, command: CreateVm) -> None:
        try:
            vm = self._providers[command.provider].create(command.spec)
        except Exception as exc:  # noqa: BLE001 - a driver may raise anything; an effect must always report
            self._post(VmCreateFailed(command.node_id, _typed(exc), command.spec.name))
        else:
            self._post(VmCreated(command.node_id, vm))

    def _destroy(self, command: DestroyVm) -> None:
        try:
            self._providers[command.provider].destroy(command.vm_name, command.provider_id)
        except Exception as exc:  # noqa: BLE001 - see _create
            log.warning("VM %s could not be destroyed, tried again: %s", command.vm_name, exc)
            if command.node_id is not None:
                self._post(VmDestroyFailed(command.node_id, str(exc)))
        else:
            if command.node_id is not None:
                self._post(VmDestroyed(command.node_id, command.vm_name))
            else:
                log.warning("provider %s: VM %s was destroyed: %s", command.provider, command.vm_name, command.reason)

    def _reboot(self, command: RebootVm) -> None:
        try:
            vm = self._providers[command.provider].reboot(command.vm_name, command.provider_id)
        except Exception as exc:  # noqa: BLE001 - see _create
            log.warning("VM %s could not be rebooted: %s", command.vm_name, exc)
            self._post(VmRebootFailed(command.node_id, command.vm_name, _typed(exc)))
        else:
            self._post(VmRebooted(command.node_id, command.vm_name, vm))

    def _console(self, command: ReadConsole) -> None:
        text: str | None = None
        try:
            call = self._consoles.submit(self._providers[command.provider].console, command.vm_name)
            text = call.result(CONSOLE_WAIT)
        except Exception as exc:  # noqa: BLE001 - see _create; for want of a log no VM lives on
            log.warning("the console of VM %s cannot be read: %s", command.vm_name, str(exc) or type(exc).__name__)
        self._post(ConsoleRead(command.node_id, text or ""))

    def _list(self, command: ListVms) -> None:
        while True:
            asked = self._clock.now()
            try:
                vms = self._providers[command.provider].list_owned()
            except Exception as exc:  # noqa: BLE001 - see _create; a cloud that cannot be seen changes nothing
                log.warning("provider %s cannot be listed: %s", command.provider, exc)
            else:
                self._post(VmsListed(command.provider, tuple(vms), asked))
                self._sweep(command.provider)
            with self._lock:
                if not self._listing[command.provider]:
                    del self._listing[command.provider]
                    return
                self._listing[command.provider] = False

    def _sweep(self, provider: str) -> None:
        try:
            for what in self._providers[provider].sweep():
                log.info("provider %s: removing what nobody needs any more: %s", provider, what)
        except Exception as exc:  # noqa: BLE001 - see _create; it costs nothing, and the next list tries again
            log.warning("provider %s: what nobody needs any more cannot be removed: %s", provider, exc)


def _typed(exc: Exception) -> ProviderError:
    if isinstance(exc, ProviderError):
        return exc
    log.error("a provider raised an error without a type", exc_info=exc)
    return ProviderError(f"{type(exc).__name__}: {exc}")
