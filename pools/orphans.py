"""VMs that carry our tag and have no record: destroyed when they have been seen for long enough."""

from __future__ import annotations

from collections.abc import Iterable

from providers import Vm


class Orphans:
    """Not stored: the next controller sees them for itself."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._since: dict[tuple[str, str], float] = {}

    def seen(self, provider: str, vms: Iterable[Vm], now: float) -> tuple[list[tuple[Vm, str]], float | None]:
        """All VMs of the provider that nobody has a record of: those to destroy now, each with the reason; and when to
        look again (None: not because of these)."""
        found = {(provider, vm.name): vm for vm in vms}
        for key in [key for key in self._since if key[0] == provider and key not in found]:
            del self._since[key]
        due, soon = [], None
        for key, vm in sorted(found.items()):
            since = self._since.setdefault(key, now)
            if now >= since + self._grace:
                due.append((vm, f"orphan: it carries our tag and has had no record for {now - since:.0f} s"))
            else:
                soon = since + self._grace if soon is None else min(soon, since + self._grace)
        return due, soon
